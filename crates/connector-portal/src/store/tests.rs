#![expect(clippy::unwrap_used, reason = "tests")]

mod refusals;
mod s3;
mod shares;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::TryStreamExt;
use sectorlake_connector::{Connector, ConnectorError, Io, Slice, Validators};
use serde_json::Value;

pub(crate) use refusals::broken_way;
pub(crate) use shares::write_in_tick;

use super::registration;
use crate::testing::{io, make};

#[path = "../../../../tests/servers/mod.rs"]
pub(crate) mod servers;

/// A later time than that of any file of a test.
pub(crate) const LATER: &str = "2100-01-01T00:00:00Z";

/// ETags as the raw zone would remember them.
pub(crate) type Known = Arc<Mutex<BTreeMap<String, String>>>;

pub(crate) fn connector(settings: Value) -> Arc<dyn Connector> {
    make(&registration(), settings).unwrap()
}

/// A run that remembers.
pub(crate) fn run(known: &Known) -> Io {
    run_at(known, LATER)
}

/// A run that remembers and began then.
fn run_at(known: &Known, started_at: &str) -> Io {
    let known = Arc::clone(known);
    io(started_at).with_validators(move |key| {
        let etag = known.lock().unwrap().get(key).cloned();
        etag.map(|etag| Validators {
            etag: Some(etag),
            last_modified: None,
        })
    })
}

/// All that a run brings: each file's key and text, or that it is unchanged; and its notes.
pub(crate) async fn read(
    connector: &dyn Connector,
    known: &Known,
) -> Result<Vec<String>, ConnectorError> {
    read_in(connector, known, run(known)).await
}

/// The same of a run that began then. Its clock stands at the beginning of 2025.
pub(crate) async fn read_at(
    connector: &dyn Connector,
    known: &Known,
    started_at: &str,
) -> Result<Vec<String>, ConnectorError> {
    read_in(connector, known, run_at(known, started_at)).await
}

async fn read_in(
    connector: &dyn Connector,
    known: &Known,
    io: Io,
) -> Result<Vec<String>, ConnectorError> {
    let unit = connector.streams(&io).await?.remove(0).unit;
    let (mut read, mut cursor) = (Vec::new(), None);
    loop {
        let slice = Slice::whole(&unit);
        let Some(fetched) = connector.fetch(slice, cursor.as_ref(), &io).await? else {
            break;
        };
        match fetched.part {
            Some(part) => {
                let length = part.length;
                let bytes = part.body.try_collect::<Vec<Bytes>>().await?.concat();
                assert_eq!(length, Some(bytes.len() as u64), "{}", part.key);
                let text: String = String::from_utf8_lossy(&bytes).chars().take(40).collect();
                assert!(part.key.ends_with(&part.name), "{}", part.key);
                read.push(format!("{} {text}", part.key));
                known.lock().unwrap().insert(part.key, part.etag.unwrap());
            }
            None => read.push(format!("{} unchanged", fetched.known.unwrap())),
        }
        cursor = fetched.next;
        if cursor.is_none() {
            break;
        }
    }
    read.extend(io.take_notes());
    Ok(read)
}

/// What a run that fails says.
pub(crate) async fn fails(settings: Value) -> String {
    let known = Known::default();
    let error = read(&*connector(settings), &known).await.unwrap_err();
    format!(
        "{:?}: {error} / {}",
        error.kind,
        error.help.clone().unwrap_or_default()
    )
}

#[test]
fn settings_are_those_of_the_service() {
    let say = |settings| crate::testing::say(&registration(), settings);
    let said: Vec<String> = [
        serde_json::json!({"url": "s3://b/*.csv", "user": "u"}),
        serde_json::json!({"url": "s3://b/*.csv", "access_key": "AKIA"}),
        serde_json::json!({"url": "s3://b/*.csv", "endpoint": "minio:9000"}),
        serde_json::json!({"url": "s3://b/*.csv", "headers": {"a": "b"}}),
        serde_json::json!({"url": "az://c/*.csv"}),
        serde_json::json!({"url": "sftp://host/*.csv"}),
        serde_json::json!({"url": "ftp://host/*.csv", "host_key": "SHA256:x"}),
        serde_json::json!({"url": "file:///mnt/*.csv", "password": "p"}),
        serde_json::json!({"url": "webdavs://host/*.csv", "password": "${env:NONE}"}),
        serde_json::json!({"url": "webdavs://host/*.csv", "tls": {"ca": "city.pem"}, "allow_private": ["host"]}),
    ]
    .into_iter()
    .map(say)
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn a_drive_is_read_like_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("điểm thi.csv"), "a").unwrap();
    let url = format!("file://{}/*.csv", dir.path().display());
    let drive = connector(serde_json::json!({ "url": url }));
    let io = io(LATER);
    let fetched = drive.fetch(Slice::whole("files"), None, &io).await.unwrap();
    let part = fetched.unwrap().part.unwrap();
    assert_eq!(part.name, "điểm thi.csv");
}

#[test]
fn addresses_are_claimed() {
    let registry = sectorlake_connector::Registry::new(crate::registrations());
    for (location, expected) in [
        ("s3://bucket/a.csv", "store"),
        ("sftp://u@host/a/*.csv", "store"),
        ("https://example.org/a.csv", "http"),
        ("data/a.csv", "file"),
    ] {
        let sight = sectorlake_connector::Sight {
            location,
            members: &[],
            head: &[],
        };
        let (claimed, _) = registry.claim(&sight).unwrap();
        assert_eq!(claimed.name(), expected, "{location}");
    }
}
