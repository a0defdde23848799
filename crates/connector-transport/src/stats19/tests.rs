//! Files built after the published ones as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use sectorlake_connector::Http;
use sectorlake_connector::kit::{self, Abilities, Exchange, Server, Subject, TestPace, check};

use super::*;

fn exchanges() -> Vec<Exchange> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings/stats19");
    let files = KINDS.iter().flat_map(|(_, word)| {
        ["2022", "2024"].map(|year| format!("dft-road-casualty-statistics-{word}-{year}.csv"))
    });
    files
        .map(|file| {
            let body = std::fs::read(dir.join(&file)).unwrap();
            Exchange::new(&format!("/files/{file}"), body).with_etag("\"v1\"")
        })
        .collect()
}

fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(".", "demo", |_| None);
    registration().make(settings.as_object().unwrap().clone(), &context)
}

fn io() -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, chrono::DateTime::UNIX_EPOCH)
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| make_at(json!({"url": format!("{server}/files"), "years": [2024, 2022]})),
        recording: exchanges(),
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn a_year_is_a_partition() {
    let server = Server::start(exchanges()).await.unwrap();
    let settings = json!({"url": format!("{}/files", server.url()), "years": [2024, 2022, 2022]});
    let stats19 = make_at(settings).unwrap();
    assert_eq!(
        stats19.partitions("casualties", &io()).await.unwrap(),
        ["2022", "2024"]
    );
    let slice = Slice {
        unit: "casualties",
        partition: Some("2024"),
    };
    let fetched = stats19.fetch(slice, None, &io()).await.unwrap().unwrap();
    assert!(fetched.part.unwrap().key.ends_with("-casualty-2024.csv"));
    assert_eq!(fetched.next, None);
}

#[test]
fn settings_and_claims() {
    let say = |settings| make_at(settings).err().unwrap().to_string();
    assert_eq!(say(json!({})), "`years` is missing");
    assert_eq!(
        say(json!({"years": [1950]})),
        "years: holds 1950, but nothing before 1979 is published"
    );
    assert_eq!(say(json!({"path": {}})), "path: names no file");
    let claim = |location: &str, head: &[u8]| {
        claims(&Sight {
            location,
            members: &[],
            head,
        })
    };
    let url = "https://data.dft.gov.uk/road-accidents-safety-data/dft-road-casualty-statistics-collision-2023.csv";
    assert_eq!(claim(url, b"").unwrap().settings["years"], json!([2023]));
    let head = b"a,location_easting_osgr,number_of_casualties\n1,2,3\n";
    assert_eq!(
        claim("data/x.csv", head).unwrap().settings["path"],
        json!({"collisions": "data/x.csv"})
    );
    assert!(
        claim(
            "data/x.csv",
            b"a,b\nlocation_easting_osgr,number_of_casualties\n"
        )
        .is_none()
    );
}
