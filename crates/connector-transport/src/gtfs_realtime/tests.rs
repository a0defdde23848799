//! Captured messages as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sectorlake_connector::Http;
use sectorlake_connector::kit::{self, Abilities, Exchange, Server, Subject, TestPace, check};
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
            looks_inside: true,
            incremental: true,
            ..Abilities::default()
        },
        secrets: &["s3cr3t-k3y"],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

fn io(at: &str) -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, at.parse().unwrap())
}

/// A message of a vehicle that says so much of itself: version, incrementality, timestamp.
fn message(incrementality: u8, timestamp: u8) -> Vec<u8> {
    let header = [
        0x0a,
        3,
        b'2',
        b'.',
        b'0',
        0x10,
        incrementality,
        0x18,
        timestamp,
    ];
    [
        &[0x0a, header.len() as u8],
        header.as_slice(),
        b"\x12\x03\x0a\x01a",
    ]
    .concat()
}

#[tokio::test]
async fn a_message_of_the_same_time_is_unchanged_whatever_its_headers_say() {
    let server = Server::start(vec![Exchange::new("/a.pb", message(0, 7))])
        .await
        .unwrap();
    let url = format!("{}/a.pb", server.url());
    let realtime = make_at(Path::new("."), json!({"url": url})).unwrap();
    let feed = Slice::whole(FEED);
    let first = realtime
        .fetch(feed, None, &io("2025-09-23T10:00:00Z"))
        .await
        .unwrap()
        .unwrap();
    let key = first.part.unwrap().key;
    assert_eq!(key, format!("{url}#timestamp=7"));
    let same_run = realtime
        .fetch(feed, first.next.as_ref(), &io("2025-09-23T10:00:00Z"))
        .await;
    assert!(same_run.unwrap().is_none());
    let next = realtime
        .fetch(feed, first.next.as_ref(), &io("2025-09-23T10:00:30Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((next.known, next.part.is_none()), (Some(key), true));
}

#[tokio::test]
async fn a_feed_of_changes_only_is_refused() {
    let server = Server::start(vec![Exchange::new("/a.pb", message(1, 7))])
        .await
        .unwrap();
    let url = format!("{}/a.pb", server.url());
    let realtime = make_at(Path::new("."), json!({"url": url})).unwrap();
    let error = realtime
        .fetch(Slice::whole(FEED), None, &io("2025-09-23T10:00:00Z"))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is a DIFFERENTIAL feed, which holds changes only"),
        "{error}"
    );
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
    assert_eq!(
        error.to_string(),
        "entities[0]: \"trips\" is none of its values"
    );
    assert!(error.help.unwrap().contains("trip_updates"));
}

proptest! {
    #[test]
    fn no_header_is_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..64), at in 0_usize..24) {
        let mut message = message(0, 7);
        message.splice(at.min(message.len()).., bytes);
        let _ = header::moment(&message);
    }
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
