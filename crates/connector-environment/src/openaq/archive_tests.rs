//! A month of the archive, built after its published layout.
#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::kit::{Abilities, Exchange, Server, Subject, check};
use sectorlake_connector::{Slice, Validators};
use serde_json::Value;

use super::*;
use crate::openaq::registration;
use crate::testing::{io, make, recording, say};

const FOLDER: &str = "/records/csv.gz/locationid=2161292/year=2024/month=01";

fn exchanges() -> Vec<Exchange> {
    let file = |day: &str| {
        let name = format!("location-2161292-{day}.csv.gz");
        Exchange::new(
            &format!("{FOLDER}/{name}"),
            recording(&format!("openaq/{name}")),
        )
        .with_etag(&format!("\"{day}\""))
    };
    let prefix = FOLDER
        .trim_start_matches('/')
        .replace('/', "%2F")
        .replace('=', "%3D");
    let list = format!("/?list-type=2&prefix={prefix}%2F");
    vec![
        Exchange::new(&list, recording("openaq/list_2024-01.xml")),
        file("20240101"),
        file("20240102"),
    ]
}

fn settings(server: &str) -> Value {
    json!({"url": server, "archive": {"locations": [2161292], "start": "2024-01", "end": "2024-01"}})
}

#[tokio::test]
async fn passes_the_kit() {
    let subject = Subject {
        make: &|server| make(&registration(), settings(server)),
        recording: exchanges(),
        abilities: Abilities {
            conditional: true,
            looks_inside: true,
            ..Abilities::default()
        },
        secrets: &[],
    };
    assert_eq!(check(&subject).await, [""; 0]);
}

#[tokio::test]
async fn what_the_listing_calls_unchanged_is_not_asked_for() {
    let server = Server::start(exchanges()).await.unwrap();
    let archive = make(&registration(), settings(server.url())).unwrap();
    let io = io("2024-02-01T00:00:00Z").with_validators(|key| {
        let etag = key.contains("20240101").then(|| "\"20240101\"".to_owned());
        Some(Validators {
            etag,
            last_modified: None,
        })
    });
    let slice = Slice {
        unit: MEASUREMENTS,
        partition: Some("2161292/2024-01"),
    };
    let first = archive.fetch(slice, None, &io).await.unwrap().unwrap();
    assert!(
        first
            .known
            .unwrap()
            .ends_with("location-2161292-20240101.csv.gz")
    );
    let second = archive
        .fetch(slice, first.next.as_ref(), &io)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        second.part.unwrap().name,
        "location-2161292-20240102.csv.gz"
    );
    assert_eq!((second.next, server.asked().len()), (None, 2));
}

#[tokio::test]
async fn months_are_partitions_up_to_the_run() {
    let settings = json!({"archive": {"locations": [1, 2], "start": "2023-12"}});
    let archive = make(&registration(), settings).unwrap();
    let names = archive
        .partitions(MEASUREMENTS, &io("2024-01-31T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(names, ["1/2023-12", "1/2024-01", "2/2023-12", "2/2024-01"]);
}

#[test]
fn settings_are_checked() {
    let said = [
        json!({"archive": {"locations": [], "start": "2024-01"}}),
        json!({"archive": {"locations": [1], "start": "January"}}),
        json!({"archive": {"locations": [1], "start": "2024-01", "period": "long"}}),
        json!({"archive": {"locations": [1], "start": "2024-01"}, "country": "VN"}),
    ];
    let said: Vec<String> = said
        .into_iter()
        .map(|it| say(&registration(), it))
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_listing_is_read_as_s3_writes_it() {
    assert_eq!(
        contents(b"<html></html>").unwrap_err(),
        "it has no ListBucketResult"
    );
    let found = contents(&recording("openaq/list_2024-01.xml")).unwrap();
    assert_eq!((found.len(), found[1].etag.as_str()), (2, "\"20240102\""));
}
