//! The connector SDK: what a connector is, and everything it does not have to do itself.
//!
//! Place: first in the flow; what is fetched here goes to the raw zone as it came.
//! Must not know: Arrow, formats, contracts, tables, the lake; the clock, the environment and chance are handed in.
//! Bounds: [`Limits`] names every one of the HTTP client; files are read a few megabytes ahead; a page that a connector must
//! look into is read up to a size it names.
//!
//! A connector is one file: its settings, its streams, and how the next part is fetched.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use bytes::Bytes;
//! use schemars::JsonSchema;
//! use sectorlake_connector::{
//!     Connector, ConnectorError, Cursor, Fetched, Http, Io, Limits, MakeContext, PartBody,
//!     Registration, Registry, Slice, Stream, TimerPace,
//! };
//! use serde::Deserialize;
//!
//! /// The settings: their doc comments are the reference.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     /// What to say.
//!     text: String,
//! }
//!
//! struct Echo(Settings);
//!
//! #[async_trait]
//! impl Connector for Echo {
//!     async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
//!         Ok(vec![Stream::new("echo", "echo")])
//!     }
//!
//!     async fn fetch(&self, _: Slice<'_>, _: Option<&Cursor>, _: &Io) -> Result<Option<Fetched>, ConnectorError> {
//!         let bytes = Bytes::from(self.0.text.clone());
//!         Ok(Some(Fetched::part(PartBody::of_bytes("echo", "echo.csv", bytes), None)))
//!     }
//! }
//!
//! let registry = Registry::new([Registration::of("echo", "Says what it is told.", |settings: Settings, _| {
//!     Ok(Arc::new(Echo(settings)))
//! })]);
//! let context = MakeContext::new(".", "demo", |_| None);
//! let wrong = serde_json::from_str(r#"{"txt": "a,b"}"#)?;
//! let error = registry.get("echo").ok_or("echo is registered")?.make(wrong, &context).err().ok_or("txt is unknown")?;
//! assert_eq!((error.key().as_str(), error.help.as_deref()), ("txt", Some("did you mean `text`?")));
//!
//! let settings = serde_json::from_str(r#"{"text": "a,b"}"#)?;
//! let echo = registry.get("echo").ok_or("echo is registered")?.make(settings, &context)?;
//! let began = "2025-01-01T00:00:00Z".parse()?;
//! let http = Http::new(Limits::default(), Arc::new(TimerPace::new(move || began, 1)))?;
//! let fetched = echo.fetch(Slice::whole("echo"), None, &Io::new(http, began)).await?;
//! assert_eq!(fetched.and_then(|fetched| fetched.part).map(|part| part.name), Some("echo.csv".to_owned()));
//! # Ok(())
//! # }
//! ```

mod address;
pub mod catalogue;
mod drawable;
mod error;
pub mod files;
mod forms;
mod http;
pub mod incremental;
mod io;
pub mod kit;
mod member;
mod one_or_many;
mod origin;
mod over_http;
mod pace;
pub mod paging;
mod plain;
mod readable;
pub mod recording;
mod registry;
mod saved;
mod secret;
mod settings;
mod sight;
mod source;
mod suggest;

pub use address::{SourceUrl, UrlSetting, swallowed};
pub use drawable::drawable;
pub use error::{ConnectorError, ErrorKind};
pub use http::{
    Answer, Contact, Http, Limits, Pages, RawBody, Request, Response, Tape, USER_AGENT,
};
pub use io::{Io, KnownValidators, Validators};
pub use member::MemberPattern;
pub use one_or_many::OneOrMany;
pub use origin::{Origin, OriginSettings};
pub use pace::{LeapPace, Pace, TimerPace};
pub use plain::PlainSource;
pub use readable::readable;
pub use registry::{Environment, MakeContext, Registration, Registry};
pub use saved::Saved;
pub use secret::{Secret, SecretSetting};
pub use settings::SettingsError;
pub use sight::{Claim, Sight};
pub use source::{
    Body, Connector, Cursor, DefaultMapping, Fetched, PartBody, PickError, Reads, Slice, Stream,
};
pub use suggest::nearest;
