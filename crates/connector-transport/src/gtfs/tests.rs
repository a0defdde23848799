//! The bundled Frioul feed as a recording, and feeds in folders.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::path::Path;

use bytes::Bytes;
use futures::TryStreamExt;
use sectorlake_connector::kit::{Abilities, Exchange, Subject, TestPace, check};
use sectorlake_connector::{Http, kit};
use serde_json::json;

use super::*;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data/transport")
        .join(name)
}

fn make_at(dir: &Path, settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(dir, "demo-bus", |name| {
        (name == "KEY").then(|| "s3cr3t-k3y".to_owned())
    });
    registration().make(settings.as_object().unwrap().clone(), &context)
}

fn io() -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, chrono::DateTime::UNIX_EPOCH)
}

#[tokio::test]
async fn passes_the_kit() {
    let zip = std::fs::read(data("gtfs_frioul_ferry.zip")).unwrap();
    let subject = Subject {
        make: &|server| {
            let url = format!("{server}/feed.zip?key=${{env:KEY}}");
            make_at(
                Path::new("."),
                json!({"url": url, "headers": {"x-key": "${env:KEY}"}}),
            )
        },
        recording: vec![Exchange::new("/feed.zip?key=s3cr3t-k3y", zip).with_etag("\"v1\"")],
        abilities: Abilities {
            conditional: true,
            ..Abilities::default()
        },
        secrets: &["s3cr3t-k3y"],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn streams_are_the_files_of_the_standard() {
    let dir = data(".");
    let gtfs = make_at(&dir, json!({"path": "gtfs_cairns_2014.zip"})).unwrap();
    let streams = gtfs.streams(&io()).await.unwrap();
    let stops = Stream::pick(&streams, Some("stops.txt")).unwrap();
    assert_eq!(stops.unit, FEED);
    assert_eq!(
        stops.member.unwrap().select(["my feed/stops.txt"]),
        ["my feed/stops.txt"]
    );
    assert_eq!(stops.mappings[0].table, "transport.stops");
    assert_eq!(stops.mappings[0].parameters["feed_id"], "demo-bus");
    let mapped = streams
        .iter()
        .filter(|stream| !stream.mappings.is_empty())
        .count();
    assert_eq!(mapped, 28);
    // Each field of the mapping is either required by the standard or read as NULL where it is absent.
    for mapping in streams.iter().flat_map(|stream| &stream.mappings) {
        for column in &mapping.columns {
            assert!(
                mapping.sql.contains(column.as_str()),
                "{} {column}",
                mapping.table
            );
        }
    }
}

#[tokio::test]
async fn a_folder_is_a_feed_too() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("feed")).unwrap();
    std::fs::write(dir.path().join("feed/stops.txt"), "stop_id\n1\n").unwrap();
    let gtfs = make_at(dir.path(), json!({"path": "feed", "feed_id": "x"})).unwrap();
    let streams = gtfs.streams(&io()).await.unwrap();
    let stops = Stream::pick(&streams, Some("stops.txt")).unwrap();
    assert_eq!((stops.unit.as_str(), stops.member), ("stops.txt", None));
    let part = gtfs
        .fetch(Slice::whole("stops.txt"), None, &io())
        .await
        .unwrap()
        .unwrap()
        .part
        .unwrap();
    assert_eq!(part.key, "feed/stops.txt");
    assert_eq!(
        part.body
            .try_collect::<Vec<Bytes>>()
            .await
            .unwrap()
            .concat(),
        b"stop_id\n1\n"
    );
    assert!(
        gtfs.fetch(Slice::whole("shapes.txt"), None, &io())
            .await
            .unwrap()
            .is_none()
    );
    let error = gtfs
        .fetch(Slice::whole("trips.txt"), None, &io())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "feed/trips.txt: there is no such file");
    assert_eq!(error.help.unwrap(), "GTFS asks every feed for this file");
}

#[test]
fn a_feed_has_one_place() {
    let say = |settings| make_at(Path::new("."), settings).err().unwrap().to_string();
    assert_eq!(say(json!({})), "neither `path` nor `url` is there");
    assert_eq!(
        say(json!({"path": "a", "url": "https://example.org/a"})),
        "url: stands beside `path`"
    );
}
