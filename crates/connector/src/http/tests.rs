//! The client against servers that fail and lie, hand in hand with a clock that moves when someone sleeps.
#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod attacks;
mod auth;
mod breaking;
mod measured;
mod polite;
mod resume;
mod script;
mod secrets;
mod tape;
mod tls;

use bytes::Bytes;
use futures::TryStreamExt;
use serde_json::json;

use super::*;
use crate::address::{SourceUrl, UrlSetting};
use crate::kit::TestPace;
use crate::registry::MakeContext;
use crate::settings::SettingsError;
use script::{Asked, Reply, Server, answer};

/// A client, configured as settings say, on a clock of its own.
struct Bench {
    pace: Arc<TestPace>,
    http: Http,
}

fn context() -> MakeContext {
    MakeContext::new(".", "demo", |name| match name {
        "KEY" => Some("s3cr3t-k3y".to_owned()),
        "LINES" => Some("a\r\nX-Evil: 1".to_owned()),
        _ => None,
    })
}

fn config(settings: serde_json::Value) -> Result<Config, SettingsError> {
    let mut settings = settings.as_object().unwrap().clone();
    taken(&mut settings, &context())
}

/// Loopback is closed unless the settings open it.
fn bench(settings: serde_json::Value) -> Bench {
    bench_within(Limits::default(), settings)
}

fn bench_within(limits: Limits, settings: serde_json::Value) -> Bench {
    let pace = Arc::new(TestPace::default());
    let http = Http::new(limits, Arc::clone(&pace) as Arc<dyn Pace>).unwrap();
    let http = http
        .configured(&Arc::new(config(settings).unwrap()))
        .unwrap();
    Bench { pace, http }
}

/// Loopback is open, and nothing else is set.
fn plain() -> Bench {
    bench(json!({ "allow_private": true }))
}

fn source(url: &str) -> SourceUrl {
    UrlSetting::new(url).resolve(&["url"], &context()).unwrap()
}

impl Bench {
    async fn open(&self, url: &str) -> Result<Response, ConnectorError> {
        self.ask(&Request::get(source(url))).await
    }

    async fn ask(&self, request: &Request) -> Result<Response, ConnectorError> {
        match self.http.get(request).await? {
            Answer::Fresh(response) => Ok(response),
            Answer::Unchanged => unreachable!("no validators were sent"),
        }
    }

    async fn read(&self, url: &str) -> Result<Bytes, ConnectorError> {
        let body = self.open(url).await?.body;
        Ok(body.try_collect::<Vec<Bytes>>().await?.concat().into())
    }

    /// What reading fails with.
    async fn fails(&self, url: &str) -> ConnectorError {
        self.read(url).await.unwrap_err()
    }
}

/// The error and its mend, without what changes from run to run.
fn said(error: &ConnectorError, server: &Server) -> String {
    let help = error.help.as_deref().unwrap_or("-");
    format!("{error} / {help}")
        .replace(&server.place, "SERVER")
        .replace(&server.port.to_string(), "PORT")
}
