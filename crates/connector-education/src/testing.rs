//! What the tests of this crate's connectors share.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use sectorlake_connector::kit::{self, TestPace};
use sectorlake_connector::{Connector, Http, Io, MakeContext, Registration, SettingsError};
use serde_json::Value;

/// What `${env:KEY}` is.
pub(crate) const SECRET: &str = "s3cr3t-k3y";

pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn make(
    registration: &Registration,
    settings: Value,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(project(), "demo", |name| {
        (name == "KEY").then(|| SECRET.to_owned())
    });
    registration.make(settings.as_object().unwrap().clone(), &context)
}

/// What is wrong with settings, and the mend.
pub(crate) fn say(registration: &Registration, settings: Value) -> String {
    match make(registration, settings) {
        Ok(_) => "fine".to_owned(),
        Err(error) => format!("{error} / {}", error.help.as_deref().unwrap_or("-")),
    }
}

/// A run that begins then.
pub(crate) fn io(started_at: &str) -> Io {
    let http = Http::new(kit::limits(), Arc::new(TestPace::default())).unwrap();
    Io::new(http, started_at.parse().unwrap())
}

/// A file of `tests/recordings`.
pub(crate) fn recording(name: &str) -> Bytes {
    let path = project().join("tests/recordings").join(name);
    std::fs::read(&path)
        .unwrap_or_else(|error| unreachable!("{}: {error}", path.display()))
        .into()
}
