//! `gbfs`: bicycles, scooters and cars for hire, by the General Bikeshare Feed Specification, versions 2 and 3.
//!
//! Reference: <https://gbfs.org/documentation/reference/>; licence as `system_information` says. The address of `gbfs.json` is enough:
//! it names the feeds, in 2.x by language. A feed says how long it holds (`last_updated`, `ttl`), and is not asked for before that has
//! passed; after it, for changes only. Of `station_status` every moment is kept, of the others the newest.
//!
//! A feed of vehicles has no shared table, since each moment of it is as large as the fleet; a pipeline maps it onto one of its own:
//!
//! ```yaml
//! tables:
//!   transport.free_vehicles:           # schemas/transport/free_vehicles.json of the project
//!     from: vehicle_status             # free_bike_status in 2.x
//!     load: replace
//!     map: SELECT vehicle_id, lat AS latitude, lon AS longitude, is_reserved, is_disabled, vehicle_type_id, station_id FROM source
//! ```

mod discovery;
mod feeds;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use sectorlake_connector::{
    Claim, Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, MakeContext, Reads,
    Registration, Request, SettingsError, Sight, Slice, Stream, UrlSetting, files, nearest,
};
use serde::Deserialize;

use crate::poll::{is_due, poll};
use discovery::Discovery;
use feeds::{FEED_BYTES_MAX, FEEDS, Feed};

/// Settings of `gbfs`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The address of `gbfs.json`. Secrets in it as `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    url: Option<UrlSetting>,
    /// Saved feeds in place of `url`: a feed's name, such as `station_information`, and its file, absolute or relative to the
    /// project's folder.
    #[serde(default)]
    path: Option<BTreeMap<String, String>>,
    /// The language of texts, such as `vi`: in 2.x that of the feeds, in 3.x that of localized names. Default: English where there is
    /// English, else the first.
    #[serde(default)]
    language: Option<String>,
    /// What tells this system's rows from others' in the shared tables. Default: the pipeline's name.
    #[serde(default)]
    system_id: Option<String>,
}

pub(crate) fn registration() -> Registration {
    Registration::of(
        "gbfs",
        "Bicycles, scooters and cars for hire: stations and how full they are, vehicles, zones (GBFS 2 and 3).",
        make,
    )
    .over_http()
    .with_claims(claims)
    .with_example(include_str!("gbfs/example.yaml"))
}

/// What is named `gbfs.json`, or lists feeds of the standard.
fn claims(sight: &Sight<'_>) -> Option<Claim> {
    let url = sight.url()?;
    let is_named = url.path().ends_with("/gbfs.json") || url.path().ends_with("/gbfs");
    let says = |text: &str| {
        let text = text.as_bytes();
        sight.head.windows(text.len()).any(|window| window == text)
    };
    let lists = says("\"feeds\"") && FEEDS.iter().any(|feed| says(&format!("\"{}\"", feed.name)));
    (lists || (is_named && sight.head.is_empty())).then(|| {
        Claim::own(
            [("url", sight.location.into())],
            "it is the list of feeds of a GBFS system",
        )
    })
}

fn make(settings: Settings, context: &MakeContext) -> Result<Arc<dyn Connector>, SettingsError> {
    let source = match (&settings.url, settings.path) {
        (Some(url), None) => Source::System(Discovery::new(
            url.resolve(&["url"], context)?,
            settings.language.clone(),
        )),
        (None, Some(saved)) => Source::Saved {
            project_dir: context.project_dir().to_owned(),
            saved: known(saved)?,
        },
        (Some(_), Some(_)) => {
            return Err(SettingsError::of_key("path", "stands beside `url`")
                .with_help("leave one of them out"));
        }
        (None, None) => {
            return Err(
                SettingsError::new(Vec::new(), "neither `url` nor `path` is there").with_help(
                    "write `url:` with the address of gbfs.json, or `path:` with saved feeds",
                ),
            );
        }
    };
    Ok(Arc::new(Gbfs {
        source,
        language: settings.language.unwrap_or_else(|| "en".to_owned()),
        system_id: settings
            .system_id
            .unwrap_or_else(|| context.pipeline().to_owned()),
    }))
}

/// Saved feeds, whose names must be those of the standard.
fn known(saved: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, SettingsError> {
    let names = || FEEDS.iter().map(|feed| feed.name);
    match saved
        .keys()
        .find(|name| !names().any(|known| known == **name))
    {
        None => Ok(saved),
        Some(name) => {
            let path = vec!["path".to_owned(), name.clone()];
            let help = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("feeds are: {}", names().collect::<Vec<_>>().join(", ")),
            };
            Err(SettingsError::new(path, "is no feed of GBFS").with_help(help))
        }
    }
}

struct Gbfs {
    source: Source,
    language: String,
    system_id: String,
}

enum Source {
    System(Discovery),
    Saved {
        project_dir: PathBuf,
        saved: BTreeMap<String, String>,
    },
}

#[async_trait]
impl Connector for Gbfs {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let is_there = |feed: &&Feed| match &self.source {
            Source::System(_) => true,
            Source::Saved { saved, .. } => saved.contains_key(feed.name),
        };
        let reads = match &self.source {
            Source::System(_) => Reads::Passing,
            Source::Saved { .. } => Reads::Whole,
        };
        let stream = |feed: &Feed| Stream {
            reads,
            ..feed.stream(&self.system_id, &self.language)
        };
        Ok(FEEDS.iter().filter(is_there).map(stream).collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let Some(feed) = FEEDS.iter().find(|feed| feed.name == slice.unit) else {
            return Ok(None);
        };
        let discovery = match &self.source {
            Source::System(discovery) => discovery,
            Source::Saved { project_dir, saved } => {
                let path = saved.get(feed.name).ok_or_else(|| {
                    ConnectorError::new(ErrorKind::NotFound, "there is no such feed").at(feed.name)
                })?;
                let part = files::open(project_dir, &project_dir.join(path)).await?;
                return Ok(Some(Fetched::part(part, None)));
            }
        };
        // A feed that still holds costs no request, not even the one for the list.
        if !is_due(cursor, io.started_at()) {
            return Ok(None);
        }
        let Some(url) = discovery.feed(feed.name, io).await? else {
            return Ok(None);
        };
        let request = Request::get(url.clone()).accept("application/json");
        let look = |bytes: &bytes::Bytes| feed.moment(bytes);
        poll(request, &url, FEED_BYTES_MAX, (cursor, io), look).await
    }
}
