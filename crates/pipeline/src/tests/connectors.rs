//! Connectors for tests: files as they are, and a folder read page by page from where the last run stopped.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use schemars::JsonSchema;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, DefaultMapping, ErrorKind, Fetched, Io, MemberPattern,
    PartBody, Reads, Registration, Registry, Slice, Stream,
};
use serde::Deserialize;

pub(super) fn registry() -> Registry {
    Registry::new([
        Registration::of(
            "files",
            "Files of a folder, each a stream.",
            |settings: Settings, context| {
                Ok(Arc::new(Files {
                    root: context.project_dir().to_owned(),
                    settings,
                }))
            },
        ),
        super::parted::registration(),
        super::continuous::registration(),
        Registration::of(
            "feed",
            "Two files of one zip.",
            |settings: PageSettings, context| {
                Ok(Arc::new(Zip {
                    path: context.project_dir().join(settings.path).join("feed.zip"),
                }))
            },
        ),
        Registration::of(
            "pages",
            "A folder, page by page.",
            |settings: PageSettings, context| {
                Ok(Arc::new(Pages {
                    folder: context.project_dir().join(&settings.path),
                    asked: context.project_dir().join("asked"),
                    settings,
                }))
            },
        ),
    ])
}

/// Settings of `files`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// A file, or a folder of files.
    path: String,
    /// The format.
    #[serde(default)]
    format: Option<serde_json::Value>,
    /// Feeds `city.stops` by default.
    #[serde(default)]
    stops: bool,
}

struct Files {
    root: PathBuf,
    settings: Settings,
}

impl Files {
    fn paths(&self) -> Result<Vec<String>, ConnectorError> {
        let path = self.root.join(&self.settings.path);
        if path.is_file() {
            return Ok(vec![self.settings.path.clone()]);
        }
        let entries = std::fs::read_dir(&path).map_err(|_| {
            ConnectorError::new(ErrorKind::NotFound, "there is no such file")
                .at(&self.settings.path)
                .with_help("check the path")
        })?;
        let mut paths: Vec<String> = entries
            .map(|entry| {
                format!(
                    "{}/{}",
                    self.settings.path,
                    entry.unwrap().file_name().to_string_lossy()
                )
            })
            .collect();
        paths.sort();
        Ok(paths)
    }
}

#[async_trait]
impl Connector for Files {
    async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let streams = self.paths()?.into_iter().map(|path| {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let mut stream = Stream::new(name, path);
            stream.format = self.settings.format.clone();
            stream.from_names_member = true;
            if self.settings.stops {
                let sql = "SELECT stop_id, stop_name AS name, stop_lat AS lat FROM source";
                stream.mappings = vec![
                    DefaultMapping::new("city.stops", "replace", sql).with_columns(&[
                        "stop_id",
                        "stop_name",
                        "stop_lat",
                    ]),
                ];
            }
            stream
        });
        Ok(streams.collect())
    }

    async fn fetch(
        &self,
        Slice { unit, .. }: Slice<'_>,
        _: Option<&Cursor>,
        _: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let bytes = std::fs::read(self.root.join(unit))
            .map_err(|error| ConnectorError::new(ErrorKind::Local, error.to_string()).at(unit))?;
        let name = unit.rsplit('/').next().unwrap_or_default();
        Ok(Some(Fetched::part(
            PartBody::of_bytes(unit, name, Bytes::from(bytes)),
            None,
        )))
    }
}

/// Settings of `pages`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PageSettings {
    /// The folder.
    path: String,
    /// All pages each time, instead of going on where the last run stopped.
    #[serde(default)]
    whole: bool,
    /// Says that records come again.
    #[serde(default)]
    lookback: bool,
}

struct Pages {
    folder: PathBuf,
    /// A file that tells what was asked for.
    asked: PathBuf,
    settings: PageSettings,
}

#[async_trait]
impl Connector for Pages {
    async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let mut stream = Stream::new("pages", "pages");
        stream.from_names_member = true;
        stream.reads = match (self.settings.whole, self.settings.lookback) {
            (true, _) => Reads::Whole,
            (false, false) => Reads::On,
            (false, true) => Reads::Overlapping,
        };
        Ok(vec![stream])
    }

    async fn fetch(
        &self,
        _: Slice<'_>,
        cursor: Option<&Cursor>,
        _: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let after = cursor
            .and_then(|cursor| cursor.0.as_str())
            .unwrap_or_default();
        let mut names: Vec<String> = std::fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let mut left = names.into_iter().filter(|name| name.as_str() > after);
        let Some(name) = left.next() else {
            return Ok(None);
        };
        let asked = std::fs::read_to_string(&self.asked).unwrap_or_default();
        std::fs::write(&self.asked, format!("{asked}{name} ")).unwrap();
        if name.starts_with("gone") {
            return Err(ConnectorError::new(
                ErrorKind::Server,
                "the source is out of order (HTTP 503)",
            )
            .at(name));
        }
        let bytes = Bytes::from(std::fs::read(self.folder.join(&name)).unwrap());
        let key = format!("{}/{name}", self.settings.path);
        let is_last = self.settings.whole && left.next().is_none();
        Ok(Some(Fetched::part(
            PartBody::of_bytes(key, &name, bytes),
            (!is_last).then(|| Cursor(name.into())),
        )))
    }
}

/// A zip of which one member may be missing.
struct Zip {
    path: PathBuf,
}

#[async_trait]
impl Connector for Zip {
    async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let stream = |name: &str, table: &str, optional| {
            let mut stream = Stream::new(name, "feed");
            stream.member = Some(MemberPattern::exact(name));
            stream.optional = optional;
            stream.mappings = vec![DefaultMapping::new(
                table,
                "replace",
                "SELECT * FROM source",
            )];
            stream
        };
        Ok(vec![
            stream("stops.csv", "city.stops", false),
            stream("calls.csv", "city.calls", true),
        ])
    }

    async fn fetch(
        &self,
        _: Slice<'_>,
        _: Option<&Cursor>,
        _: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let bytes = std::fs::read(&self.path)
            .map_err(|error| ConnectorError::new(ErrorKind::Local, error.to_string()))?;
        Ok(Some(Fetched::part(
            PartBody::of_bytes("feed.zip", "feed.zip", Bytes::from(bytes)),
            None,
        )))
    }
}
