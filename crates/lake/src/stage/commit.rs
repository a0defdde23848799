//! One Delta commit, as the bytes of a log entry.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deltalake::kernel::{Action, Add, CommitInfo, Remove};
use object_store::path::Path;
use sectorlake_contract::TableName;

use super::Load;
use super::metadata::refused;
use super::read::FileRef;
use crate::error::LakeError;
use crate::layout::{self, Access};
use crate::writer::WrittenFile;

/// What a commit says, before it has a version.
#[derive(Debug)]
pub(super) struct Commit<'a> {
    pub(super) table: &'a TableName,
    pub(super) access: Access,
    pub(super) run: &'a str,
    pub(super) pipeline: &'a str,
    pub(super) load: Load,
    pub(super) at: DateTime<Utc>,
    /// Protocol and metadata, where they are new.
    pub(super) form: Vec<Action>,
    pub(super) removed: &'a [FileRef],
    pub(super) added: &'a [WrittenFile],
}

impl Commit<'_> {
    /// The log entry: an action a line.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, LakeError> {
        let actions = std::iter::once(Action::CommitInfo(self.info()))
            .chain(self.form.iter().cloned())
            .chain(
                self.removed
                    .iter()
                    .map(|file| Action::Remove(self.remove(file))),
            )
            .chain(self.added.iter().map(|file| Action::Add(self.add(file))));
        let mut bytes = Vec::new();
        for action in actions {
            serde_json::to_writer(&mut bytes, &action)
                .map_err(|error| refused(self.table, error))?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    fn info(&self) -> CommitInfo {
        let operation = if self.form.len() > 1 {
            "CREATE TABLE"
        } else {
            "WRITE"
        };
        let text = |text: &str| serde_json::Value::String(text.to_owned());
        CommitInfo {
            timestamp: Some(self.at.timestamp_millis()),
            operation: Some(operation.to_owned()),
            operation_parameters: Some(HashMap::from([(
                "mode".to_owned(),
                text(self.load.word()),
            )])),
            engine_info: Some(concat!("sectorlake:", env!("CARGO_PKG_VERSION")).to_owned()),
            info: HashMap::from([
                ("sectorlake.run".to_owned(), text(self.run)),
                ("sectorlake.pipeline".to_owned(), text(self.pipeline)),
            ]),
            ..CommitInfo::default()
        }
    }

    fn remove(&self, file: &FileRef) -> Remove {
        Remove {
            path: self.relative(&file.path),
            data_change: true,
            deletion_timestamp: Some(self.at.timestamp_millis()),
            extended_file_metadata: Some(true),
            partition_values: Some(file.partition_values.clone().into_iter().collect()),
            size: i64::try_from(file.size).ok(),
            ..Remove::default()
        }
    }

    fn add(&self, file: &WrittenFile) -> Add {
        Add {
            path: self.relative(&file.path),
            partition_values: file.partition_values.clone().into_iter().collect(),
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            modification_time: self.at.timestamp_millis(),
            data_change: true,
            stats: Some(file.statistics.clone()),
            ..Add::default()
        }
    }

    /// A path as the log writes it: from the table's folder.
    fn relative(&self, path: &Path) -> String {
        let folder = layout::table(self.table, self.access);
        path.prefix_match(&folder).map_or_else(
            || path.to_string(),
            |parts| Path::from_iter(parts).to_string(),
        )
    }
}
