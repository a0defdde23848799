//! The files of a stage: those published, those new, and which rows of each go.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures::TryStreamExt;
use sectorlake_contract::PartitionBy;

use super::TableStage;
use super::compact::{Bounds, Files, Small, compact};
use super::form::Change;
use super::migrate::Migration;
use super::read::{FileRef, Reader};
use super::rewrite;
use crate::error::LakeError;
use crate::settle::{Candidate, Positions, Side, Verdicts};
use crate::writer::WrittenFile;
use crate::writer::partition::Partitioner;

/// One file and what becomes of it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) file: FileRef,
    pub(super) side: Side,
    /// As it was written; none for a published file.
    written: Option<WrittenFile>,
    /// The rows that go.
    pub(super) dropped: Positions,
    /// Whether all of it goes.
    pub(super) is_gone: bool,
}

/// All files that a stage looks at, by number.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) entries: Vec<Entry>,
}

/// What a commit takes away and brings.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Where rows go or come.
    pub(super) changed: Files,
    /// Where the same rows stand in other files.
    pub(super) rearranged: Files,
    /// Published files that were written together.
    pub(super) compacted: u64,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.changed.removed.is_empty() && self.changed.added.is_empty()
    }
}

impl Plan {
    pub(super) fn new(stage: &TableStage, files: Vec<WrittenFile>) -> Self {
        let source = stage.work.pipeline();
        let published = stage
            .ground
            .base
            .iter()
            .flat_map(|base| &base.files)
            .map(|file| Entry {
                file: FileRef::from(file),
                side: if file.is_of(source) {
                    Side::Own
                } else {
                    Side::Other
                },
                written: None,
                dropped: Positions::default(),
                is_gone: false,
            });
        let new = files.into_iter().map(|written| Entry {
            file: FileRef::from(&written),
            side: Side::New,
            written: Some(written),
            dropped: Positions::default(),
            is_gone: false,
        });
        Self {
            entries: published.chain(new).collect(),
        }
    }

    pub(super) fn of(&self, side: Side) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.side == side)
    }

    /// All rows of one side, dropped or not.
    pub(super) fn rows_of(&self, side: Side) -> u64 {
        self.of(side).map(|entry| entry.file.rows).sum()
    }

    /// The rows of one side that go.
    pub(super) fn dropped_of(&self, side: Side) -> u64 {
        let dropped = |entry: &Entry| {
            if entry.is_gone {
                entry.file.rows
            } else {
                entry.dropped.len()
            }
        };
        self.of(side).map(dropped).sum()
    }

    /// Takes away all published rows of this source.
    pub(super) fn replace_all(&mut self) {
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.side == Side::Own)
        {
            entry.is_gone = true;
        }
    }

    /// Takes away the published rows of this source that lie in the slices of the new rows: whole files where the slice
    /// is a partition, else row by row.
    pub(super) async fn replace_slices(
        &mut self,
        stage: &TableStage,
        reader: &Reader,
        slice: &PartitionBy,
    ) -> Result<(), LakeError> {
        let column = slice.column();
        let base = stage.ground.base.as_ref();
        let is_partition = base.is_none_or(|base| base.partition_columns.contains(&column))
            && stage.contract.partition_by.contains(slice);
        if is_partition {
            let value = |entry: &Entry| entry.file.partition_values.get(&column).cloned().flatten();
            let fetched: BTreeSet<_> = self.of(Side::New).map(value).collect();
            for entry in self
                .entries
                .iter_mut()
                .filter(|entry| entry.side == Side::Own)
            {
                entry.is_gone = fetched.contains(&value(entry));
            }
            return Ok(());
        }
        let mut partitioner = Partitioner::of(slice.clone());
        let columns = [slice.field().to_owned()];
        let mut fetched = HashSet::new();
        for entry in self.of(Side::New) {
            let mut batches = reader.read(&entry.file, &columns).await?;
            while let Some(batch) = batches.try_next().await? {
                fetched.extend(
                    partitioner
                        .codes(&batch)
                        .map_err(|error| reader.arrow(error))?,
                );
            }
        }
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.side == Side::Own)
        {
            let mut batches = reader.read(&entry.file, &columns).await?;
            let mut position = 0;
            while let Some(batch) = batches.try_next().await? {
                for code in partitioner
                    .codes(&batch)
                    .map_err(|error| reader.arrow(error))?
                {
                    if fetched.contains(&code) {
                        entry.dropped.insert(position);
                    }
                    position += 1;
                }
            }
        }
        Ok(())
    }

    /// The files of these sides whose rows a question may be about.
    pub(super) fn candidates(&self, numbers: &[usize]) -> Vec<Candidate> {
        let candidate = |number: &usize| {
            let entry = &self.entries[*number];
            Candidate {
                number: *number,
                file: entry.file.clone(),
                side: entry.side,
                dropped: (entry.dropped.len() > 0).then(|| Arc::new(entry.dropped.clone())),
            }
        };
        numbers.iter().map(candidate).collect()
    }

    /// The numbers of the files of one side that are not gone.
    pub(super) fn numbers(&self, side: Side) -> Vec<usize> {
        let there = self.entries.iter().enumerate();
        there
            .filter(|(_, entry)| entry.side == side && !entry.is_gone)
            .map(|(number, _)| number)
            .collect()
    }

    /// Takes away the rows that lost.
    pub(super) fn apply(&mut self, verdicts: &Verdicts) {
        for (number, dropped) in &verdicts.dropped {
            self.entries[*number].dropped.extend(dropped);
        }
    }

    /// Writes the files that lose rows anew, and small ones together, and says what the commit has to.
    pub(super) async fn changes(
        self,
        stage: &TableStage,
        reader: &Reader,
    ) -> Result<Changes, LakeError> {
        let (mut changes, mut small) = (Changes::default(), Vec::new());
        let mut migration = Migration::of(stage);
        let brings = self.of(Side::New).count();
        let bounds = Bounds::of_run(brings, stage.options.buffer_bytes_max);
        for entry in self.entries {
            let migrates = stage.form.rewrites && entry.written.is_none() && !entry.is_gone;
            if migrates {
                changes.changed.removed.push(entry.file.clone());
                if entry.dropped.len() < entry.file.rows {
                    migration.add(entry.file, entry.dropped);
                }
                continue;
            }
            if entry.is_own_and_stays() && bounds.is_small(&entry.file) {
                small.push(Small {
                    file: entry.file,
                    dropped: entry.dropped,
                });
                continue;
            }
            changes.settle(stage, reader, entry).await?;
        }
        let migrated = migration.write(stage, reader).await?;
        changes.changed.added.extend(migrated);
        if stage.ground.moves {
            // The log behind the other door never named them.
            changes.changed.removed.clear();
        }
        changes.settle_small(stage, reader, small, bounds).await?;
        Ok(changes)
    }
}

impl Entry {
    /// Whether it is a published file of this source some rows of which stay.
    fn is_own_and_stays(&self) -> bool {
        self.side == Side::Own && !self.is_gone && self.dropped.len() < self.file.rows
    }
}

impl Changes {
    /// One file: it stays, comes, goes, or is written anew without some rows.
    async fn settle(
        &mut self,
        stage: &TableStage,
        reader: &Reader,
        entry: Entry,
    ) -> Result<(), LakeError> {
        let keeps_all = entry.dropped.len() == 0 && !entry.is_gone;
        match (entry.written, keeps_all) {
            (None, true) => return Ok(()),
            (Some(written), true) => {
                self.changed.added.push(written);
                return Ok(());
            }
            (None, false) => self.changed.removed.push(entry.file.clone()),
            (Some(_), false) => {}
        }
        if !entry.is_gone {
            let kept = rewrite::without(reader, &stage.target, &entry.file, &entry.dropped).await?;
            self.changed.added.extend(kept);
        }
        if entry.side == Side::New {
            stage.work.discard(&entry.file.path).await;
        }
        Ok(())
    }

    /// Small published files of this source: written together where there are enough of them. A run that has nothing else to say
    /// leaves them as they are.
    async fn settle_small(
        &mut self,
        stage: &TableStage,
        reader: &Reader,
        small: Vec<Small>,
        bounds: Bounds,
    ) -> Result<(), LakeError> {
        let loses_rows = |it: &Small| it.dropped.len() > 0;
        let is_same = stage.form.change == Change::Same && self.is_empty();
        if is_same && !small.iter().any(loses_rows) {
            return Ok(());
        }
        let compacted = compact(reader, &stage.target, small, bounds).await;
        let gone = compacted.changed.removed.len() + compacted.rearranged.removed.len();
        self.compacted = gone as u64;
        self.rearranged = compacted.rearranged;
        self.changed.removed.extend(compacted.changed.removed);
        self.changed.added.extend(compacted.changed.added);
        for it in compacted.left.into_iter().filter(loses_rows) {
            let kept = rewrite::without(reader, &stage.target, &it.file, &it.dropped).await?;
            self.changed.removed.push(it.file);
            self.changed.added.extend(kept);
        }
        Ok(())
    }
}
