//! Feeds of the specification's samples as recordings.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use chrono::{DateTime, Utc};
use sectorlake_connector::Http;
use sectorlake_connector::kit::{self, Abilities, Exchange, Server, Subject, TestPace, check};
use serde_json::json;

use super::*;

fn recording(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings/gbfs");
    std::fs::read(dir.join(name)).unwrap()
}

fn exchanges(version: &str, vehicles: &str) -> Vec<Exchange> {
    ["gbfs", "station_information", "station_status", vehicles]
        .into_iter()
        .map(|feed| {
            let body = recording(&format!("{version}/{feed}.json"));
            Exchange::new(&format!("/{feed}.json?token=s3cr3t"), body).with_etag("\"v1\"")
        })
        .collect()
}

fn make_at(settings: serde_json::Value) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(".", "demo-bikes", |name| {
        (name == "KEY").then(|| "s3cr3t".to_owned())
    });
    registration().make(settings.as_object().unwrap().clone(), &context)
}

fn io(at: &str) -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, at.parse::<DateTime<Utc>>().unwrap())
}

#[tokio::test]
async fn passes_the_kit() {
    for (version, vehicles) in [("2.2", "free_bike_status"), ("3.0", "vehicle_status")] {
        let subject = Subject {
            make: &|server| {
                make_at(json!({ "url": format!("{server}/gbfs.json?token=${{env:KEY}}") }))
            },
            recording: exchanges(version, vehicles),
            abilities: Abilities {
                looks_inside: true,
                incremental: true,
                ..Abilities::default()
            },
            secrets: &["s3cr3t"],
        };
        assert_eq!(check(&subject).await, [""; 0], "{version}");
    }
}

/// A system whose status was made at 10:00:00 and holds for a minute.
fn one_minute() -> Vec<Exchange> {
    let status = json!({"last_updated": "2025-09-23T10:00:00Z", "ttl": 60, "version": "3.0", "data": {"stations": []}});
    let list = json!({"last_updated": "2025-09-23T10:00:00Z", "ttl": 90, "version": "3.0",
        "data": {"feeds": [{"name": "station_status", "url": "/status.json"}]}});
    vec![
        Exchange::new("/gbfs.json", list.to_string()),
        Exchange::new("/status.json", status.to_string()).with_etag("\"v1\""),
    ]
}

#[tokio::test]
async fn a_feed_that_holds_is_not_asked_for() {
    let server = Server::start(one_minute()).await.unwrap();
    let gbfs = make_at(json!({ "url": format!("{}/gbfs.json", server.url()) })).unwrap();
    let status = Slice::whole("station_status");
    let first = gbfs
        .fetch(status, None, &io("2025-09-23T10:00:05Z"))
        .await
        .unwrap()
        .unwrap();
    let key = first.part.unwrap().key;
    assert!(
        key.ends_with("/status.json#last_updated=2025-09-23T10:00:00Z"),
        "{key}"
    );
    assert_eq!(server.asked().len(), 2);
    let cursor = first.next.unwrap();
    for at in ["2025-09-23T10:00:05Z", "2025-09-23T10:00:59Z"] {
        assert!(
            gbfs.fetch(status, Some(&cursor), &io(at))
                .await
                .unwrap()
                .is_none()
        );
    }
    assert_eq!(server.asked().len(), 2);
    let later = gbfs
        .fetch(status, Some(&cursor), &io("2025-09-23T10:01:00Z"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(later.known, Some(key));
    // The list holds longer than the feed.
    assert_eq!(server.asked().len(), 3);
    let absent = gbfs
        .fetch(
            Slice::whole("system_alerts"),
            None,
            &io("2025-09-23T10:01:00Z"),
        )
        .await;
    assert!(absent.unwrap().is_none());
}

#[tokio::test]
async fn languages_of_2_x() {
    let list = json!({"last_updated": 1, "ttl": 0, "data": {
        "fr": {"feeds": [{"name": "vehicle_types", "url": "/fr.json"}]},
        "vi": {"feeds": [{"name": "vehicle_types", "url": "/vi.json"}]}}});
    let feed = json!({"last_updated": 1, "ttl": 0, "data": {"vehicle_types": []}}).to_string();
    let exchanges = vec![
        Exchange::new("/gbfs.json", list.to_string()),
        Exchange::new("/fr.json", feed.clone()),
        Exchange::new("/vi.json", feed),
    ];
    let server = Server::start(exchanges).await.unwrap();
    let url = format!("{}/gbfs.json", server.url());
    let fetch = async |settings| {
        let gbfs = make_at(settings).unwrap();
        let fetched = gbfs
            .fetch(
                Slice::whole("vehicle_types"),
                None,
                &io("2025-09-23T10:00:00Z"),
            )
            .await;
        fetched.map(|fetched| fetched.unwrap().part.unwrap().name)
    };
    assert_eq!(fetch(json!({"url": url})).await.unwrap(), "fr.json");
    assert_eq!(
        fetch(json!({"url": url, "language": "vi"})).await.unwrap(),
        "vi.json"
    );
    let error = fetch(json!({"url": url, "language": "de"}))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("has no feeds in the language \"de\"; there are: fr, vi"),
        "{error}"
    );
}

#[tokio::test]
async fn saved_feeds_are_streams_and_claims_are_by_content() {
    let saved = json!({"path": {"station_status": "a.json"}, "system_id": "x"});
    let streams = make_at(saved)
        .unwrap()
        .streams(&io("2025-09-23T10:00:00Z"))
        .await
        .unwrap();
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].mappings[0].parameters["system_id"], "x");
    let error = make_at(json!({"path": {"station_statu": "a.json"}}))
        .err()
        .unwrap();
    assert_eq!(error.help.unwrap(), "did you mean `station_status`?");
    let claim = |location: &str, head: &[u8]| {
        claims(&Sight {
            location,
            members: &[],
            head,
        })
    };
    assert!(claim("https://bikes.example/gbfs/2/gbfs.json", b"").is_some());
    assert!(claim("https://bikes.example/api", &recording("3.0/gbfs.json")).is_some());
    assert!(claim("https://bikes.example/gbfs.json", b"{\"error\": 1}").is_none());
    assert!(
        claim(
            "https://bikes.example/api",
            &recording("3.0/vehicle_status.json")
        )
        .is_none()
    );
}
