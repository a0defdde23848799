//! What the tests of every connector need besides [`check`](super::check): a project, a secret, a run, recordings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{TestPace, limits};
use crate::{Connector, Http, Io, MakeContext, Registration, SettingsError};

/// What `${env:KEY}` is.
pub const SECRET: &str = "s3cr3t-k3y";

/// The folder of the repository, which is a project.
#[must_use]
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A connector of the pipeline `demo` with these settings, an object.
///
/// # Errors
///
/// What is wrong with the settings.
pub fn make(
    registration: &Registration,
    settings: Value,
) -> Result<Arc<dyn Connector>, SettingsError> {
    let context = MakeContext::new(project(), "demo", |name| {
        (name == "KEY").then(|| SECRET.to_owned())
    });
    let Value::Object(settings) = settings else {
        unreachable!("settings are an object: {settings}");
    };
    registration.make(settings, &context)
}

/// What is wrong with settings, and the mend.
#[must_use]
pub fn say(registration: &Registration, settings: Value) -> String {
    match make(registration, settings) {
        Ok(_) => "fine".to_owned(),
        Err(error) => format!("{error} / {}", error.help.as_deref().unwrap_or("-")),
    }
}

/// A run that begins then, an instant of RFC 3339.
#[must_use]
pub fn io(started_at: &str) -> Io {
    let http = Http::new(limits(), Arc::new(TestPace::default()))
        .unwrap_or_else(|error| unreachable!("the usual client: {error}"));
    let started_at = started_at
        .parse()
        .unwrap_or_else(|error| unreachable!("{started_at}: {error}"));
    Io::new(http, started_at)
}

/// A file of `tests/recordings`.
#[must_use]
pub fn recording(name: &str) -> Bytes {
    let path = project().join("tests/recordings").join(name);
    std::fs::read(&path)
        .unwrap_or_else(|error| unreachable!("{}: {error}", path.display()))
        .into()
}
