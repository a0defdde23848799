//! Files built after NOAA's readme as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Subject, check};

use super::*;
use crate::testing::{io, make as made, recording, say};

fn exchange(target: &str, file: &str) -> Exchange {
    Exchange::new(target, recording(&format!("ghcn_daily/{file}"))).with_etag("\"1\"")
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| {
            made(
                &registration(),
                json!({"url": format!("{server}/daily"), "stations": ["VMM00048839"], "layout": "dly"}),
            )
        },
        recording: vec![
            exchange("/daily/ghcnd-stations.txt", "ghcnd-stations.txt"),
            exchange("/daily/all/VMM00048839.dly", "VMM00048839.dly"),
        ],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn years_and_stations_are_files() {
    let url = "https://noaa.example/daily";
    let files = |settings: Value| {
        let settings: Settings = serde_json::from_value(settings).unwrap();
        let files = settings
            .years
            .iter()
            .map(u16::to_string)
            .chain(settings.stations.clone());
        let context = MakeContext::new(".", "demo", |_| None);
        let source = GhcnDaily {
            url: UrlSetting::new(url).resolve(&["url"], &context).unwrap(),
            files: files.collect(),
            wanted: settings.stations,
            layout: settings.layout,
            saved: None,
        };
        source
            .files
            .iter()
            .map(|name| source.file(name).to_string().replace(url, ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        files(json!({"years": [2023, 2024]})),
        ["/by_year/2023.csv.gz", "/by_year/2024.csv.gz"]
    );
    assert_eq!(
        files(json!({"stations": ["VMM00048839"]})),
        ["/by_station/VMM00048839.csv.gz"]
    );
    assert_eq!(
        files(json!({"stations": ["VMM00048839"], "layout": "dly"})),
        ["/all/VMM00048839.dly"]
    );
    let source = made(&registration(), json!({"years": [2024, 2023]})).unwrap();
    let names = source
        .partitions(OBSERVATIONS, &io("2025-01-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(names, ["2024", "2023"]);
}

#[test]
fn settings_and_claims() {
    let said = [
        json!({}),
        json!({"stations": ["48839"]}),
        json!({"years": [2024], "layout": "dly"}),
        json!({"path": {"station": "a.txt"}}),
        json!({"path": {}}),
        json!({"path": {"stations": "a.txt"}, "years": [2024]}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    let claim = |location: &str| {
        claims(&Sight {
            location,
            members: &[],
            head: b"",
        })
    };
    let folder = "https://www.ncei.noaa.gov/pub/data/ghcn/daily";
    let of =
        |rest: &str| claim(&format!("{folder}/{rest}")).map(|claim| Value::from(claim.settings));
    assert_eq!(of("by_year/2024.csv.gz").unwrap(), json!({"years": [2024]}));
    let station = json!({"stations": ["VMM00048839"], "layout": "dly"});
    assert_eq!(of("all/VMM00048839.dly").unwrap(), station);
    assert!(of("readme.txt").is_none());
}
