//! What a connector is given when it is asked to fetch.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use serde_json::{Map, Value};

use crate::http::{self, Http};
use crate::registry::MakeContext;
use crate::settings::SettingsError;

/// What an earlier answer said about its version, so that the next request can ask for changes only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// ETag.
    pub etag: Option<String>,
    /// Last-Modified, as sent.
    pub last_modified: Option<String>,
}

/// Finds the validators of the last fetch of a key.
pub type KnownValidators = Arc<dyn Fn(&str) -> Option<Validators> + Send + Sync>;

/// The polite client, the validators of earlier fetches, and when the run began.
#[derive(Clone)]
pub struct Io {
    http: Http,
    started_at: DateTime<Utc>,
    known: KnownValidators,
}

impl Io {
    /// For a run that began at `started_at`, or when the recording began that `http` makes or replays, and knows nothing of
    /// earlier fetches.
    #[must_use]
    pub fn new(http: Http, started_at: DateTime<Utc>) -> Self {
        Self {
            started_at: http.started_at().unwrap_or(started_at),
            http: http.for_run(),
            known: Arc::new(|_| None),
        }
    }

    /// With the validators of earlier fetches, by [`crate::PartBody::key`].
    #[must_use]
    pub fn with_validators(
        mut self,
        known: impl Fn(&str) -> Option<Validators> + Send + Sync + 'static,
    ) -> Self {
        self.known = Arc::new(known);
        self
    }

    /// The same for what a run that began at `started_at` left unfinished: a connector that tells its rounds apart by their runs
    /// takes what that one has fetched for this round.
    #[must_use]
    pub fn going_on(mut self, started_at: DateTime<Utc>) -> Self {
        self.started_at = started_at;
        self
    }

    /// The same with a client for a source's own settings.
    pub(crate) fn with_http(&self, http: Http) -> Self {
        Self {
            http,
            ..self.clone()
        }
    }

    /// The same with what `source:` may say of the client: `auth`, `headers`, `allow_private` and so on.
    ///
    /// # Errors
    /// [`SettingsError`] for what the client does not know, or a secret that is missing.
    pub fn with_settings(
        &self,
        mut settings: Map<String, Value>,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let config = http::taken(&mut settings, context)?;
        if let Some(key) = settings.keys().next() {
            return Err(SettingsError::of_key(key, "is no setting of the client"));
        }
        let http = self.http.configured(&Arc::new(config));
        let http = http.map_err(|error| SettingsError::new(Vec::new(), error.to_string()))?;
        Ok(self.with_http(http))
    }

    /// The polite client, configured as the source's settings say.
    #[must_use]
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// What the client found on its way that whoever runs the pipeline should hear: a source that has moved, a server whose
    /// chain was completed. Each is given once.
    #[must_use]
    pub fn take_notes(&self) -> Vec<String> {
        self.http.take_notes()
    }

    /// Says something to whoever runs the pipeline.
    pub fn note(&self, note: String) {
        self.http.note(note);
    }

    /// When this run began: a connector that goes on where it stopped tells a new run from its own by it.
    #[must_use]
    pub fn started_at(&self) -> DateTime<Utc> {
        self.started_at
    }

    /// The time by the clock that was handed in, the real one in a replay too.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.http.now()
    }

    /// What the last fetch of `key` said about its version.
    #[must_use]
    pub fn validators(&self, key: &str) -> Option<Validators> {
        (self.known)(key)
    }
}

impl std::fmt::Debug for Io {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io")
            .field("started_at", &self.started_at)
            .finish_non_exhaustive()
    }
}
