//! A connector for tests whose unit has partitions: a folder of folders, each read page by page.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use schemars::JsonSchema;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, PartBody, Registration, Slice,
    Stream,
};
use serde::Deserialize;

pub(super) fn registration() -> Registration {
    Registration::of(
        "parted",
        "A folder of folders.",
        |settings: Settings, context| {
            Ok(Arc::new(Parted {
                folder: context.project_dir().join(&settings.path),
                asked: context.project_dir().join("asked"),
                settings,
            }))
        },
    )
}

/// Settings of `parted`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The folder.
    path: String,
    /// All pages each time, instead of going on where the last run stopped.
    #[serde(default)]
    whole: bool,
    /// One page in each run, and the place behind it.
    #[serde(default)]
    rounds: bool,
}

/// Each folder is a partition. A page of the name `ill…` is a source out of order, one named `no…` is not there, and one named
/// `hang…` never comes.
struct Parted {
    folder: PathBuf,
    /// A file that tells what was asked for.
    asked: PathBuf,
    settings: Settings,
}

fn names(folder: &PathBuf) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[async_trait]
impl Connector for Parted {
    async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(vec![Stream::new("daily", "daily")])
    }

    async fn partitions(&self, _: &str, _: &Io) -> Result<Vec<String>, ConnectorError> {
        // As a catalogue may well do, it lists the first twice.
        let names = names(&self.folder);
        Ok(names
            .first()
            .cloned()
            .into_iter()
            .chain(names.clone())
            .collect())
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let partition = slice.partition.unwrap();
        let folder = self.folder.join(partition);
        let run = match self.settings.rounds {
            true => format!("@{}", io.started_at().to_rfc3339()),
            false => String::new(),
        };
        let after = cursor
            .and_then(|cursor| cursor.0.as_str())
            .unwrap_or_default();
        let (after, last) = after.split_at(after.find('@').unwrap_or(after.len()));
        if self.settings.rounds && last == run {
            return Ok(None);
        }
        let mut left = names(&folder)
            .into_iter()
            .filter(|name| name.as_str() > after);
        let name = left.next();
        if let Some(name) = name.as_deref().or(self.settings.rounds.then_some("-")) {
            let asked = std::fs::read_to_string(&self.asked).unwrap_or_default();
            std::fs::write(&self.asked, format!("{asked}{partition}/{name} ")).unwrap();
        }
        let Some(name) = name else {
            return Ok(None);
        };
        let error = |kind, message| Err(ConnectorError::new(kind, message).at(&name));
        if name.starts_with("ill") {
            return error(ErrorKind::Server, "the source is out of order (HTTP 503)");
        }
        if name.starts_with("no") {
            return error(
                ErrorKind::NotFound,
                "there is nothing at this address (HTTP 404)",
            );
        }
        if name.starts_with("hang") {
            std::future::pending::<()>().await;
        }
        let bytes = Bytes::from(std::fs::read(folder.join(&name)).unwrap());
        // The key does not tell partitions apart: that is not the connector's care.
        let is_last = self.settings.whole && left.next().is_none();
        Ok(Some(Fetched::part(
            PartBody::of_bytes(&name, &name, bytes),
            (!is_last).then(|| Cursor(format!("{name}{run}").into())),
        )))
    }
}
