//! The kit itself: it must notice what is wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use serde_json::json;

use super::*;
use crate::address::UrlSetting;
use crate::error::{ConnectorError, ErrorKind};
use crate::http::{Answer, Request};
use crate::io::Io;
use crate::registry::MakeContext;
use crate::settings::SettingsError;
use crate::source::{Connector, Cursor, Fetched, PartBody, Slice, Stream};

/// What a careless connector does.
#[derive(Clone, Copy)]
enum Fall {
    NeverEnds,
    ForgetsTheSource,
    TellsTheSecret,
}

struct Careless(Fall);

#[async_trait]
impl Connector for Careless {
    async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(vec![Stream::new("a", "a")])
    }

    async fn fetch(
        &self,
        _: Slice<'_>,
        _: Option<&Cursor>,
        _: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let part = |bytes: &'static [u8]| PartBody::of_bytes("a", "a", Bytes::from_static(bytes));
        match self.0 {
            Fall::NeverEnds => Ok(Some(Fetched::part(part(b"1"), Some(Cursor(json!(1)))))),
            Fall::ForgetsTheSource => Ok(Some(Fetched::part(part(b"mine"), None))),
            Fall::TellsTheSecret => Err(ConnectorError::new(ErrorKind::NotFound, "key s3cr3t")),
        }
    }
}

async fn failures(fall: Fall) -> String {
    let make = move |_: &str| -> Result<Arc<dyn Connector>, SettingsError> {
        Ok(Arc::new(Careless(fall)))
    };
    let subject = Subject {
        make: &make,
        recording: vec![Exchange::new("/a", "1")],
        abilities: Abilities::default(),
        secrets: &["s3cr3t"],
    };
    check(&subject).await.join("\n")
}

#[tokio::test]
async fn careless_connectors_do_not_pass() {
    assert!(
        failures(Fall::NeverEnds)
            .await
            .contains("unit \"a\" has no end")
    );
    let said = failures(Fall::ForgetsTheSource).await;
    assert!(said.contains("is not as the source sent it"), "{said}");
    assert!(said.contains("404: nothing failed"), "{said}");
    let took = "tests/hostile/soft_404.http: expected Error(\"NotFound\"";
    assert!(said.contains(took), "{said}");
    assert!(
        said.contains("a body without end: nothing failed"),
        "{said}"
    );
    assert!(
        failures(Fall::TellsTheSecret)
            .await
            .contains("a secret is in what it says")
    );
}

#[tokio::test]
async fn the_server_plays_what_it_was_given() {
    let server = Server::start(vec![Exchange::new("/a", "1")]).await.unwrap();
    assert!(server.url().starts_with("http://127.0.0.1:"));
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn the_server_gives_the_rest_alone_of_what_has_an_etag() {
    let body = Bytes::from(vec![b'1'; 100_000]);
    for (etag, is_rest) in [
        (None, false),
        (Some("\"v1\""), true),
        (Some("W/\"v1\""), false),
    ] {
        let mut exchange = Exchange::new("/a", body.clone());
        exchange.etag = etag.map(str::to_owned);
        let server = Server::start(vec![exchange]).await.unwrap();
        server.fail(Fault::Truncated, 1);
        let url = UrlSetting::new(&format!("{}/a", server.url()));
        let url = url
            .resolve(&["url"], &MakeContext::new(".", "demo", |_| None))
            .unwrap();
        let io = io("2025-03-01T02:00:00Z");
        let Answer::Fresh(answer) = io.http().get(&Request::get(url)).await.unwrap() else {
            unreachable!("no validators were sent")
        };
        let read: Vec<Bytes> = answer.body.try_collect().await.unwrap();
        assert_eq!(read.concat(), body);
        let asked = server.headers();
        assert_eq!(asked.len(), 2);
        let has_range = asked[1].iter().any(|line| line == "range: bytes=50000-");
        assert_eq!(has_range, is_rest, "{etag:?}");
    }
}

#[tokio::test]
async fn a_recording_is_played_whatever_the_secret() {
    let dir = tempfile::tempdir().unwrap();
    let bodies = dir.path().join("bodies");
    std::fs::create_dir_all(&bodies).unwrap();
    let hash = blake3::hash(b"id\n1\n").to_hex().to_string();
    std::fs::write(bodies.join(&hash), "id\n1\n").unwrap();
    let head = json!({ "recording": 1, "started_at": "2025-03-01T02:00:00Z" });
    let line = |path: &str, status: u16, whole: bool| {
        json!({
            "at": "2025-03-01T02:00:01Z", "method": "GET", "target": format!("https://data.example{path}"),
            "status": status, "headers": { "etag": "\"v1\"" }, "body": hash, "bytes": 5, "whole": whole,
        })
    };
    let lines = [
        head,
        line("/a?token=***", 503, true),
        line("/a?token=***", 200, false),
        line("/a?token=***", 200, true),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    std::fs::write(dir.path().join("index.ndjson"), lines).unwrap();
    let exchanges = Exchange::from_recording(dir.path()).unwrap();
    assert_eq!(exchanges.len(), 1);
    let exchange = &exchanges[0];
    assert_eq!(exchange.target, "/a?token=***");
    assert_eq!(
        (&exchange.body[..], exchange.etag.as_deref()),
        (&b"id\n1\n"[..], Some("\"v1\""))
    );
    assert!(exchange.is_for("/a?token=s3cr3t") && !exchange.is_for("/b?token=s3cr3t"));
    assert!(Exchange::from_recording(&bodies).is_err());
}
