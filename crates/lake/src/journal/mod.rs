//! The journal: what happened, in append-only Parquet files, one writer a file.
//!
//! It stands beside the snapshots, not in them: a run is published because a snapshot names it, whatever the journal
//! says. Each row names its run. The two balances of a run can be asked of it in SQL:
//!
//! ```sql
//! SELECT run, part, table_name FROM run_parts WHERE records <> decoded + broken + coalesce(fixed, 0);
//! SELECT run, table_name FROM run_tables WHERE mapped <> loaded + unchanged + superseded + rejected;
//! -- … and each figure against the rows behind it:
//! SELECT t.run, t.table_name FROM run_tables t JOIN run_parts p USING (run, table_schema, table_name)
//! GROUP BY t.run, t.table_name, t.mapped HAVING sum(p.mapped) <> t.mapped;
//! ```

mod fixes;
mod freshness;
mod profiles;
mod read;
mod rows;
pub mod schema;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use crate::error::LakeError;
use crate::layout::{self, Access};

pub use fixes::FixRow;
pub use freshness::FreshnessRow;
pub use profiles::ProfileRow;
pub use rows::{DriftRow, RejectedRow, RevisionRow, RunPartRow, RunRow, RunTableRow};
pub use schema::{JournalRow, schema};
pub use writer::JournalWriter;

/// The kinds of journal: each is a folder of files with one schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Runs: that one began, and how it ended.
    Runs,
    /// What a run did to each table.
    RunTables,
    /// What each raw part gave to each table.
    RunParts,
    /// Rows that were not loaded, a row for each broken rule.
    RejectedRows,
    /// Values that a later run changed.
    Revisions,
    /// Columns of sources that changed.
    Drift,
    /// What stood in each column of what a run loaded, and of what it read.
    Profiles,
    /// Records that were corrected by hand, each with the row that took its place.
    Fixes,
    /// How fresh tables were at the end of runs, and stations in them.
    Freshness,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Runs,
        Self::RunTables,
        Self::RunParts,
        Self::RejectedRows,
        Self::Revisions,
        Self::Drift,
        Self::Profiles,
        Self::Fixes,
        Self::Freshness,
    ];

    /// Its name as a folder, and as a table of `meta`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::RunTables => "run_tables",
            Self::RunParts => "run_parts",
            Self::RejectedRows => "rejected_rows",
            Self::Revisions => "revisions",
            Self::Drift => "drift",
            Self::Profiles => "profiles",
            Self::Fixes => "fixes",
            Self::Freshness => "freshness",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Counts the files that a process has opened, so that each writer has one of its own, of whatever run: nothing is held of runs that
/// have ended.
#[derive(Debug, Default)]
pub(crate) struct Numbering(AtomicU64);

impl Numbering {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// The journal of a lake.
#[derive(Debug, Clone)]
pub struct Journal {
    store: Arc<dyn ObjectStore>,
    numbering: Arc<Numbering>,
}

impl Journal {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, numbering: Arc<Numbering>) -> Self {
        Self { store, numbering }
    }

    /// A writer of one more file. The file is there once the writer is closed, and only if a row was pushed.
    #[must_use]
    pub fn writer<R: JournalRow>(&self, run: &str, access: Access) -> JournalWriter<R> {
        let number = self.numbering.next();
        let path = layout::journal(R::KIND, access).join(format!("{run}-{number:06}.parquet"));
        JournalWriter::new(Arc::clone(&self.store), path)
    }

    /// Writes a few rows as one file.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn write<R: JournalRow>(
        &self,
        run: &str,
        access: Access,
        rows: Vec<R>,
    ) -> Result<(), LakeError> {
        let mut writer = self.writer(run, access);
        for row in rows {
            writer.push(row).await?;
        }
        writer.close().await.map(drop)
    }

    /// The finished files of one kind behind both doors, by path.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn files(&self, kind: Kind) -> Result<Vec<ObjectMeta>, LakeError> {
        let mut files = Vec::new();
        for access in Access::ALL {
            files.extend(self.list(&layout::journal(kind, access)).await?);
        }
        files.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(files)
    }

    async fn list(&self, folder: &Path) -> Result<Vec<ObjectMeta>, LakeError> {
        self.store
            .list(Some(folder))
            .try_filter(|file| {
                std::future::ready(
                    file.location
                        .extension()
                        .is_some_and(|end| end == "parquet"),
                )
            })
            .try_collect()
            .await
            .map_err(|error| LakeError::store("list", folder, error))
    }
}

#[cfg(test)]
mod tests;
