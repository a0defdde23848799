//! A real portal's counts, and a table built after the Department for Transport's, as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use sectorlake_connector::kit::{self, Abilities, Exchange, Subject, TestPace, check};
use sectorlake_connector::{Http, Io};

use super::*;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests")
            .join(name),
    )
    .unwrap()
}

fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(".", "demo", |_| None);
    registration().make(settings.as_object().unwrap().clone(), &context)
}

async fn mapping(columns: serde_json::Value) -> DefaultMapping {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
    let counts = make_at(json!({"path": "a.csv", "columns": columns})).unwrap();
    counts
        .streams(&io)
        .await
        .unwrap()
        .remove(0)
        .mappings
        .remove(0)
}

#[tokio::test]
async fn passes_the_kit() {
    let pages = ["socrata_bike_counts.json", "socrata_bike_counts_page2.json"];
    let columns = json!({"site_id": "id", "period_start": "date", "period": "15m", "vehicle_count": "counts"});
    for (settings, names) in [
        (
            json!({"preset": "dft_raw_counts"}),
            vec!["recordings/traffic_counts/dft_traffic_counts_raw_counts.csv".to_owned()],
        ),
        (
            json!({"columns": columns}),
            pages.map(|page| format!("data/transport/{page}")).to_vec(),
        ),
    ] {
        let recording: Vec<Exchange> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                Exchange::new(&format!("/{index}"), file(name)).with_etag("\"v1\"")
            })
            .collect();
        let count = recording.len();
        let subject = Subject {
            make: &|server| {
                let urls: Vec<String> = (0..count)
                    .map(|index| format!("{server}/{index}"))
                    .collect();
                let mut settings = settings.clone();
                settings["url"] = json!(urls);
                make_at(settings)
            },
            recording,
            abilities: Abilities {
                conditional: true,
                ..Abilities::default()
            },
            secrets: &[],
        };
        assert_eq!(check(&subject).await, [""; 0]);
    }
}

#[tokio::test]
async fn columns_make_a_mapping() {
    let long = mapping(json!({"site_id": "id", "period_start": "date", "time_zone": "America/Los_Angeles", "period": "15m",
        "vehicle_count": "counts", "vehicle_type": {"value": "it's a bicycle"}, "result_quality": "sta\"tus",
        "longitude": "x", "latitude": "y"}))
    .await;
    insta::assert_snapshot!(long.sql);
    let wide = mapping(json!({"site_id": "Code", "site_name": "Locatie", "period_start": "Ordening", "period": "5m",
        "vehicle_type": {"value": "bicycle"}, "directions": {"Totaal": "allDirections", "Hoofdrichting": "aligned"}}))
    .await;
    insta::assert_snapshot!(wide.sql);
    insta::assert_snapshot!(wide.unpivot.unwrap().to_string());
}

#[test]
fn mistakes_have_a_place() {
    let say = |columns| {
        let settings = json!({"path": "a.csv", "columns": columns});
        make_at(settings).err().unwrap().to_string()
    };
    let said = [
        say(json!({"site_id": "id", "period_start": "t", "period": "15m"})),
        say(json!({"site_id": "id", "period_start": "t", "period": "15", "vehicle_count": "n"})),
        say(
            json!({"site_id": "id", "period_start": "t", "period": "1h", "vehicle_count": "n", "longitude": "x"}),
        ),
        say(
            json!({"site_id": "id", "period_start": "t", "period": "1h", "directions": {"a": "b"}, "vehicle_types": {"c": "d"}}),
        ),
        make_at(json!({"path": "a.csv"})).err().unwrap().to_string(),
        make_at(json!({"path": "a.csv", "preset": "dft_raw_count"}))
            .err()
            .unwrap()
            .to_string(),
    ];
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn raw_counts_are_known_by_their_header() {
    let head = file("recordings/traffic_counts/dft_traffic_counts_raw_counts.csv");
    let claim = |head: &[u8]| {
        claims(&Sight {
            location: "https://storage.example/raw.csv",
            members: &[],
            head,
        })
    };
    assert_eq!(claim(&head).unwrap().settings["preset"], "dft_raw_counts");
    assert_eq!(claim(b"count_point_id,road\n"), None);
}
