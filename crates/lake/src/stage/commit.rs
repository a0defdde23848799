//! One Delta commit, as the bytes of a log entry.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use deltalake::kernel::{Action, Add, CommitInfo, Remove};
use object_store::path::Path;
use sectorlake_contract::TableName;

use super::Load;
use super::compact::Files;
use super::metadata::refused;
use super::plan::Changes;
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
    pub(super) changes: &'a Changes,
}

/// Whether an action changes the rows of the table, or only the files that they stand in: who follows a table's changes passes
/// over the latter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    Other,
    Same,
}

impl Commit<'_> {
    /// The log entry: an action a line.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, LakeError> {
        let actions = std::iter::once(Action::CommitInfo(self.info()))
            .chain(self.form.iter().cloned())
            .chain(self.files(&self.changes.changed, Rows::Other))
            .chain(self.files(&self.changes.rearranged, Rows::Same));
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

    fn files(&self, files: &Files, rows: Rows) -> impl Iterator<Item = Action> {
        let removed = files
            .removed
            .iter()
            .map(move |file| Action::Remove(self.remove(file, rows)));
        let added = files
            .added
            .iter()
            .map(move |file| Action::Add(self.add(file, rows)));
        removed.chain(added)
    }

    fn remove(&self, file: &FileRef, rows: Rows) -> Remove {
        Remove {
            path: self.relative(&file.path),
            data_change: rows == Rows::Other,
            deletion_timestamp: Some(self.at.timestamp_millis()),
            extended_file_metadata: Some(true),
            partition_values: Some(file.partition_values.clone().into_iter().collect()),
            size: i64::try_from(file.size).ok(),
            ..Remove::default()
        }
    }

    fn add(&self, file: &WrittenFile, rows: Rows) -> Add {
        Add {
            path: self.relative(&file.path),
            partition_values: file.partition_values.clone().into_iter().collect(),
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            modification_time: self.at.timestamp_millis(),
            data_change: rows == Rows::Other,
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
