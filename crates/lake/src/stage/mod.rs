//! Staging what a run brings to one table: new files, the files they replace, and one Delta commit that nobody sees yet.
//!
//! A stage ends in one entry for the table's log, kept in the run's folder; a run that changes nothing in the table
//! stages none. Nothing of the base version is ever written to: a file that loses rows is written anew without them, and small files
//! are written together.

mod commit;
mod compact;
mod compared;
pub(crate) mod contents;
pub(crate) mod duplicates;
#[cfg(test)]
mod evolution;
mod finish;
#[cfg(test)]
pub(crate) mod fixture;
pub(crate) mod form;
mod metadata;
mod migrate;
mod plan;
pub(crate) mod read;
mod revisions;
mod rewrite;
mod stored;
pub(crate) use stored::StoredFile;
mod suspects;
#[cfg(test)]
mod tests;
mod texts;
mod vanished;

use std::collections::HashSet;
use std::sync::Arc;

use sectorlake_contract::{Contract, PartitionBy, TableName};
use tokio::sync::mpsc;

use crate::error::LakeError;
use crate::keys::KeyHashes;
use crate::layout::Access;
use crate::settle::KeyHolder;
use crate::table::LakeTable;
use crate::work::Work;
use crate::writer::{TableWriter, Target, WrittenFiles};

pub use form::Evolution;
use form::Form;

/// What becomes of the rows that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Load {
    /// The pipeline's own rows go, the new ones come.
    #[default]
    Replace,
    /// The new rows come beside them.
    Append,
    /// By primary key: a new row replaces the pipeline's own old one, if it says something else.
    Merge,
}

impl Load {
    /// The word in a pipeline file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Merge => "merge",
        }
    }
}

/// How a table is staged.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// With [`Load::Replace`]: only the slices that new rows fall into are replaced, not all of the pipeline's rows.
    pub slice: Option<PartitionBy>,
    /// With [`Load::Merge`]: hashes of the raw parts that are mapped again under changed rules. A published row of this source that came
    /// from one of them, and whose key no new row has, goes.
    pub mapped_again: Option<Arc<HashSet<String>>>,
    /// How many writers work side by side where published files are written anew.
    pub workers: usize,
    /// Bytes that all writers of the stage may hold together.
    pub buffer_bytes_max: usize,
    /// Bytes that settling keys may hold before it spills.
    pub settle_bytes_max: usize,
    /// Bytes of rows with such a key that are told in full.
    pub record_bytes_max: usize,
}

impl Default for StageOptions {
    fn default() -> Self {
        Self {
            slice: None,
            mapped_again: None,
            workers: 1,
            buffer_bytes_max: 128 << 20,
            settle_bytes_max: 64 << 20,
            record_bytes_max: 16 << 20,
        }
    }
}

/// The slices that a word of a pipeline file means: `month` and `year` of the date that the table is partitioned by (or
/// of the first date of its key), else the values of the field of that name.
#[must_use]
pub fn slice_of(contract: &Contract, word: &str) -> Option<PartitionBy> {
    if contract.field(word).is_some() {
        return Some(PartitionBy::Field(word.to_owned()));
    }
    let dated = contract.partition_by.iter().find_map(|by| match by {
        PartitionBy::Month { field } | PartitionBy::Year { field } => Some(field),
        PartitionBy::Field(_) => None,
    });
    let in_key = || {
        contract.primary_key.iter().find(|name| {
            let kind = contract.field(name).map(|field| &field.kind);
            matches!(
                kind,
                Some(
                    sectorlake_contract::FieldType::Date | sectorlake_contract::FieldType::Datetime
                )
            )
        })
    };
    let field = dated.or_else(in_key)?.clone();
    match word {
        "month" => Some(PartitionBy::Month { field }),
        "year" => Some(PartitionBy::Year { field }),
        _ => None,
    }
}

/// Hashes of keys that more than one row of this run has, key by key.
#[derive(Debug, Clone, Default)]
pub struct Suspects {
    /// One for each key of the contract: the primary key, and each field that is `unique`.
    pub keys: Vec<KeySuspects>,
}

/// The suspects of one key.
#[derive(Debug, Clone)]
pub struct KeySuspects {
    /// The key's fields.
    pub fields: Vec<String>,
    /// The hashes that occur more than once, as `sectorlake_contract::key_hashes` makes them.
    pub hashes: HashSet<u64>,
}

/// A row that was not loaded, since another one has its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The raw part.
    pub part: String,
    /// The record in it.
    pub row: i64,
    /// The key's fields.
    pub fields: Arc<[String]>,
    /// The key's values, joined by commas.
    pub key: String,
    /// `primaryKey` or `unique`.
    pub rule: &'static str,
    /// The row that has the key already.
    pub holder: KeyHolder,
    /// The row as JSON; none after the first rows that make up `StageOptions::record_bytes_max`.
    pub record: Option<String>,
}

/// What a stage came to. The rows that were written = loaded + unchanged + superseded + rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The table.
    pub table: TableName,
    /// Rows of this run that are in the staged table.
    pub loaded: u64,
    /// Rows that the table already held with the same values.
    pub unchanged: u64,
    /// Rows that a later one of the same key replaced within the run.
    pub superseded: u64,
    /// Rows that are rejected for their key.
    pub rejected: u64,
    /// Published rows of this source that are gone: replaced, or of an earlier fetch.
    pub removed_rows: u64,
    /// Published rows of this source before the run.
    pub previous_rows: u64,
    /// Of the removed rows, those whose key has a new row now that says otherwise; they are in the journal of revisions. A replace
    /// of more rows than are compared tells none.
    pub revised: u64,
    /// Of the removed rows, those that the changed mapping no longer gives.
    pub vanished: u64,
    /// Of the removed rows, those that the source has removed.
    pub deleted: u64,
    /// Rows of this source that the changed mapping did not give, and that stay: their parts were not mapped again.
    pub not_mapped_again: u64,
    /// Small published files of this source that were written together; their rows are neither loaded nor removed.
    pub compacted: u64,
    /// The Delta version that was staged; none where the table stays as it is.
    pub version: Option<u64>,
}

/// A table on its way into the next snapshot.
#[derive(Debug)]
pub struct TableStage {
    work: Arc<Work>,
    /// The contract that the table has after the run.
    contract: Arc<Contract>,
    load: Load,
    options: StageOptions,
    target: Arc<Target>,
    ground: Ground,
    form: Form,
    /// Where deletions are followed: the hashes of keys whose new rows were refused.
    deletions: Option<KeyHashes>,
}

/// What a table is staged on.
#[derive(Debug)]
pub(crate) struct Ground {
    /// Behind which door the table lies.
    pub(crate) access: Access,
    /// The table as of the base snapshot; none where this run creates it.
    pub(crate) base: Option<Arc<LakeTable>>,
    /// Rows before the other door, where the table lay until now: the next snapshot no longer shows them.
    pub(crate) left_behind: u64,
    /// Whether the base lies before the other door, and all rows that stay are written anew behind this one.
    pub(crate) moves: bool,
}

impl Ground {
    /// The version of the log that the run's entry follows; none where it is the first of its log.
    pub(crate) fn version(&self) -> Option<u64> {
        let base = self.base.as_ref().filter(|_| !self.moves);
        base.map(|base| base.version)
    }
}

impl TableStage {
    pub(crate) fn new(
        work: Arc<Work>,
        contract: &Arc<Contract>,
        (load, options): (Load, StageOptions),
        ground: Ground,
    ) -> Result<Self, LakeError> {
        if load == Load::Merge && contract.primary_key.is_empty() {
            return Err(LakeError::SchemaChanged {
                table: contract.name.clone(),
                detail: "load: merge needs a primaryKey in its contract".to_owned(),
            });
        }
        let goes = |base: &Arc<LakeTable>| {
            form::all_goes(base, work.pipeline(), load, options.slice.as_ref())
        };
        let all_goes = ground.base.as_ref().is_none_or(goes);
        let family = work.family(&contract.name);
        let mut form = Form::of(ground.base.as_deref(), (contract, &family), all_goes)?;
        if ground.moves {
            form = form.elsewhere();
        }
        let target = Target::new(
            Arc::clone(&form.contract),
            work.store(),
            (work.id(), work.pipeline(), ground.access),
            (&form.schema, form.fit),
            options.buffer_bytes_max,
        );
        let target = Arc::new(target);
        Ok(Self {
            work,
            contract: Arc::clone(&form.contract),
            load,
            options,
            target,
            ground,
            form,
            deletions: None,
        })
    }

    /// With a merge of all that the source has: published rows of this source go whose key no new row has. Those stay whose
    /// new row was refused: `refused` are the hashes of their keys, as `sectorlake_contract::key_hashes` makes them.
    pub fn follow_deletions(&mut self, refused: KeyHashes) {
        self.deletions = Some(refused);
    }

    /// Whether keys have the types of before, so that their hashes are the same.
    #[must_use]
    pub fn keeps_types(&self) -> bool {
        self.form.fit == form::Fit::Exact
    }

    /// Whether published files of any source are written anew, for a wider type, other partitions or another door.
    pub(crate) fn migrates(&self) -> bool {
        self.form.rewrites
    }

    /// A writer: one for each worker.
    #[must_use]
    pub fn writer(&self) -> TableWriter {
        TableWriter::new(Arc::clone(&self.target))
    }

    /// Settles keys, takes away what is replaced, and stages one commit.
    ///
    /// `keys` are the keys that several of the new rows have, where the caller knows them; `part_order` gives the order
    /// of the raw parts by their hashes, which decides between rows of one key. Rows that are rejected for their key go
    /// to `duplicates`, some at a time, as they are found: the caller takes them in beside this, however many they are.
    ///
    /// # Errors
    /// [`LakeError::SchemaChanged`] where the table cannot take the contract, [`LakeError::Cancelled`] where nobody takes
    /// in the duplicates, and where the storage fails.
    pub async fn finish_into(
        &self,
        files: Vec<WrittenFiles>,
        keys: Option<Suspects>,
        part_order: &[String],
        duplicates: mpsc::Sender<Vec<DuplicateKey>>,
    ) -> Result<Staged, LakeError> {
        finish::finish(self, files, keys, part_order, &duplicates).await
    }
}
