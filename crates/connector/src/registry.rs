//! Which connectors there are, and how one is made from the settings of a pipeline file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::http;
use crate::over_http::OverHttp;
use crate::settings::{SettingsError, check, exposed};
use crate::sight::{Claim, Sight};
use crate::source::Connector;
use crate::suggest::nearest;

/// Finds an environment variable.
pub type Environment = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What a connector may know of the world when it is made.
#[derive(Clone)]
pub struct MakeContext {
    project_dir: PathBuf,
    pipeline: String,
    environment: Environment,
}

impl MakeContext {
    /// For `pipeline` of the project in `project_dir`; `environment` looks up what `${env:NAME}` names.
    pub fn new(
        project_dir: impl Into<PathBuf>,
        pipeline: impl Into<String>,
        environment: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            project_dir: project_dir.into(),
            pipeline: pipeline.into(),
            environment: Arc::new(environment),
        }
    }

    /// The folder that relative paths start from.
    #[must_use]
    pub fn project_dir(&self) -> &Path {
        &self.project_dir
    }

    /// The pipeline's name.
    #[must_use]
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// An environment variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }
}

impl std::fmt::Debug for MakeContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MakeContext")
            .field("project_dir", &self.project_dir)
            .field("pipeline", &self.pipeline)
            .finish_non_exhaustive()
    }
}

/// The client's settings that mean something beyond HTTP.
const NETWORK_KEYS: [&str; 7] = [
    "allow_private",
    "rate",
    "timeouts",
    "attempts",
    "max_size",
    "proxy",
    "tls",
];

type Make = dyn Fn(Map<String, Value>, &MakeContext) -> Result<Arc<dyn Connector>, SettingsError>
    + Send
    + Sync;

/// What makes a connector known: its name, one sentence, its settings, and how to make it.
#[derive(Clone)]
pub struct Registration {
    name: &'static str,
    about: &'static str,
    schema: Value,
    make: Arc<Make>,
    claims: Option<fn(&Sight<'_>) -> Option<Claim>>,
    example: Option<&'static str>,
    is_over_http: bool,
    is_over_network: bool,
}

impl Registration {
    /// A connector whose settings are `Settings`; their doc comments are their reference.
    #[must_use]
    pub fn of<Settings: DeserializeOwned + JsonSchema + 'static>(
        name: &'static str,
        about: &'static str,
        make: fn(Settings, &MakeContext) -> Result<Arc<dyn Connector>, SettingsError>,
    ) -> Self {
        let schema = schemars::schema_for!(Settings).to_value();
        let make = move |settings: Map<String, Value>, context: &MakeContext| {
            let settings = serde_json::from_value(Value::Object(settings))
                .map_err(|error| SettingsError::new(Vec::new(), error.to_string()))?;
            make(settings, context)
        };
        Self {
            name,
            about,
            schema,
            make: Arc::new(make),
            claims: None,
            example: None,
            is_over_http: false,
            is_over_network: false,
        }
    }

    /// The same connector, which fetches over HTTP: the keys of the client (`headers`, `auth`, `allow_private`, `rate`,
    /// `timeouts`, `attempts`, `max_size`, `proxy`, `tls`, `checksum`) stand beside its own, and [`crate::Io::http`] has them
    /// in it.
    #[must_use]
    pub fn over_http(mut self) -> Self {
        http::merged(&mut self.schema);
        self.is_over_http = true;
        self
    }

    /// The same connector, which asks through libraries of its own: those keys of the client that hold for any protocol stand
    /// beside its own (`allow_private`, `rate`, `timeouts`, `attempts`, `max_size`, `proxy`, `tls`), and [`crate::Io::http`] has
    /// them in it.
    #[must_use]
    pub fn over_network(mut self) -> Self {
        http::merged_some(&mut self.schema, &NETWORK_KEYS);
        self.is_over_network = true;
        self
    }

    /// The same connector with a pipeline file that shows how it is used.
    #[must_use]
    pub fn with_example(self, yaml: &'static str) -> Self {
        Self {
            example: Some(yaml),
            ..self
        }
    }

    /// The same connector, which knows sources of its own when it sees them.
    #[must_use]
    pub fn with_claims(self, claims: fn(&Sight<'_>) -> Option<Claim>) -> Self {
        Self {
            claims: Some(claims),
            ..self
        }
    }

    /// Whether a source is one of its own, and how it would be written in a pipeline's file.
    #[must_use]
    pub fn claim(&self, sight: &Sight<'_>) -> Option<Claim> {
        self.claims.and_then(|claims| claims(sight))
    }

    /// What `connector:` names.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// What it fetches, in one sentence.
    #[must_use]
    pub fn about(&self) -> &str {
        self.about
    }

    /// A pipeline file that shows how it is used.
    #[must_use]
    pub fn example(&self) -> Option<&'static str> {
        self.example
    }

    /// Whether all that it fetches goes through the client for HTTP.
    #[must_use]
    pub fn is_over_http(&self) -> bool {
        self.is_over_http
    }

    /// The JSON Schema of its settings.
    #[must_use]
    pub fn settings_schema(&self) -> Value {
        self.schema.clone()
    }

    /// Where in its settings secrets stand in plain text: the keys that lead to each.
    #[must_use]
    pub fn plain_secrets(&self, settings: &Map<String, Value>) -> Vec<Vec<String>> {
        exposed(settings, &self.schema)
    }

    /// Makes a connector from the keys beside `connector:`.
    ///
    /// # Errors
    /// [`SettingsError`] with the key, what is wrong with it and the mend.
    pub fn make(
        &self,
        settings: Map<String, Value>,
        context: &MakeContext,
    ) -> Result<Arc<dyn Connector>, SettingsError> {
        let settings = Value::Object(settings);
        check(&settings, &self.schema, self.name)?;
        let Value::Object(mut settings) = settings else {
            return (self.make)(Map::new(), context);
        };
        if !self.is_over_http && !self.is_over_network {
            return (self.make)(settings, context);
        }
        let config = http::taken(&mut settings, context)?;
        let connector = (self.make)(settings, context)?;
        Ok(Arc::new(OverHttp::new(connector, config)))
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// All connectors of a binary.
#[derive(Debug, Clone, Default)]
pub struct Registry(Vec<Registration>);

impl Registry {
    /// A registry of these; of two with one name the first counts.
    #[must_use]
    pub fn new(registrations: impl IntoIterator<Item = Registration>) -> Self {
        Self(registrations.into_iter().collect())
    }

    /// The connector of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Registration> {
        self.0.iter().find(|registration| registration.name == name)
    }

    /// All, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.0.iter()
    }

    /// The connector that a source is made for, else one that fetches what is there.
    #[must_use]
    pub fn claim(&self, sight: &Sight<'_>) -> Option<(&Registration, Claim)> {
        let mut claims: Vec<(&Registration, Claim)> = self
            .0
            .iter()
            .filter_map(|registration| Some((registration, registration.claim(sight)?)))
            .collect();
        let best = claims.iter().position(|(_, claim)| claim.is_own);
        (!claims.is_empty()).then(|| claims.swap_remove(best.unwrap_or_default()))
    }

    /// The name that a misspelt one probably means.
    #[must_use]
    pub fn suggest(&self, name: &str) -> Option<&str> {
        nearest(name, self.0.iter().map(|registration| registration.name))
    }
}

impl FromIterator<Registration> for Registry {
    fn from_iter<I: IntoIterator<Item = Registration>>(registrations: I) -> Self {
        Self::new(registrations)
    }
}
