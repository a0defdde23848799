//! Captured messages as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::path::{Path, PathBuf};

use sectorlake_connector::kit::{Abilities, Exchange, Subject, TestPace, check};
use sectorlake_connector::{Http, Io, kit};
use serde_json::json;

use super::*;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/transport")
        .join(name)
}

fn make_at(dir: &Path, settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(dir, "aomori-vehicles", |name| {
        (name == "KEY").then(|| "s3cr3t-k3y".to_owned())
    });
    registration().make(settings.as_object().unwrap().clone(), &context)
}

async fn streams(settings: serde_json::Value) -> Vec<Stream> {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    let io = Io::new(http, chrono::DateTime::UNIX_EPOCH);
    let connector = make_at(&data("."), settings).unwrap();
    connector.streams(&io).await.unwrap()
}

#[tokio::test]
async fn passes_the_kit() {
    let message = std::fs::read(data("gtfs_rt_aomori_vehicle_positions.pb")).unwrap();
    let subject = Subject {
        make: &|server| {
            let url = format!("{server}/vehicles.pb?key=${{env:KEY}}");
            make_at(
                Path::new("."),
                json!({"url": url, "headers": {"x-key": "${env:KEY}"}, "entities": ["vehicle_positions"]}),
            )
        },
        recording: vec![Exchange::new("/vehicles.pb?key=s3cr3t-k3y", message).with_etag("\"v1\"")],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &["s3cr3t-k3y"],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn streams_are_the_entities_that_are_asked_for() {
    let path = "gtfs_rt_brest_alerts.pb";
    let all = streams(json!({ "path": path })).await;
    let tables: Vec<&str> = all
        .iter()
        .map(|stream| stream.mappings[0].table.as_str())
        .collect();
    assert_eq!(
        tables,
        [
            "transport.trip_updates",
            "transport.vehicle_positions",
            "transport.alerts"
        ]
    );
    let one = streams(json!({"path": path, "feed_id": "bibus", "entities": ["alerts"]})).await;
    assert_eq!(one.len(), 1);
    assert_eq!(one[0].mappings[0].parameters["feed_id"], "bibus");
    assert_eq!(one[0].format.as_ref().unwrap()["entity"], "alerts");
}

#[test]
fn an_entity_that_is_none_is_told() {
    let error = make_at(Path::new("."), json!({"path": "a", "entities": ["trips"]}))
        .err()
        .unwrap();
    assert!(error.to_string().contains("trip_updates"), "{error}");
}

#[test]
fn a_feed_is_known_by_its_beginning() {
    let claim = |head: &[u8]| {
        let sight = Sight {
            location: "data/feed.pb",
            members: &[],
            head,
        };
        claims(&sight)
    };
    let feed = claim(b"\x0a\x0d\x0a\x032.0\x10\x00\x18\xbe").unwrap();
    assert!(feed.is_own);
    assert_eq!(feed.settings["path"], "data/feed.pb");
    assert_eq!(claim(b"\x0a\x0d\x0a\x03abc"), None);
    assert_eq!(claim(b"id,name\n"), None);
}
