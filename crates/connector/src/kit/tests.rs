//! The kit itself: it must notice what is wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::error::{ConnectorError, ErrorKind};
use crate::io::Io;
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
