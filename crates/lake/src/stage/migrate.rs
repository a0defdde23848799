//! Writing published files anew in the form that the table is given: wider types, other partitions.
//!
//! Of every source, each by a writer of its own, so that no file holds rows of two; `_run`, `_part` and `_row` stay what
//! they were. Rows stream from file to file: what is held is bounded as for any load.

use std::collections::BTreeMap;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use futures::TryStreamExt;
use sectorlake_contract::system;

use super::TableStage;
use super::read::{FileRef, Reader};
use crate::error::LakeError;
use crate::settle::Positions;
use crate::writer::{TableWriter, WrittenFile};

/// The values of the partition columns that a group of files shares.
type Group = BTreeMap<String, Option<String>>;

/// Published files that stay, with the rows of each that go.
#[derive(Debug)]
pub(super) struct Migration {
    partitions: Partitions,
    by_group: BTreeMap<Group, Vec<(FileRef, Positions)>>,
}

/// What becomes of the table's partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Partitions {
    /// Each is written by itself, so that few files are open at a time.
    Same,
    /// A source's files are written together: rows of one old partition go to many new ones.
    Other,
}

impl Migration {
    pub(super) fn of(stage: &TableStage) -> Self {
        let stored = stage
            .ground
            .base
            .as_ref()
            .map(|base| &base.partition_columns);
        let is_same = stored.is_some_and(|stored| *stored == stage.contract.partition_columns());
        Self {
            partitions: if is_same {
                Partitions::Same
            } else {
                Partitions::Other
            },
            by_group: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, file: FileRef, dropped: Positions) {
        let mut group = file.partition_values.clone();
        if self.partitions == Partitions::Other {
            group.retain(|column, _| column == system::SOURCE);
        }
        self.by_group
            .entry(group)
            .or_default()
            .push((file, dropped));
    }

    /// Writes all of them.
    pub(super) async fn write(
        self,
        stage: &TableStage,
        reader: &Reader,
    ) -> Result<Vec<WrittenFile>, LakeError> {
        let fields = stage.contract.fields.iter();
        let columns: Vec<String> = fields
            .map(|field| field.name.clone())
            .chain([system::RUN, system::PART, system::ROW].map(str::to_owned))
            .collect();
        let mut written = Vec::new();
        for (group, files) in self.by_group {
            let source = group.get(system::SOURCE).and_then(Option::as_deref);
            let mut writer = TableWriter::of_source(&stage.target, source.unwrap_or_default());
            for (file, dropped) in files {
                copy(reader, &columns, (&file, &dropped), &mut writer).await?;
            }
            written.extend(writer.close().await?.files);
        }
        Ok(written)
    }
}

async fn copy(
    reader: &Reader,
    columns: &[String],
    (file, dropped): (&FileRef, &Positions),
    writer: &mut TableWriter,
) -> Result<(), LakeError> {
    let mut batches = reader.read(file, columns).await?;
    let mut position = 0;
    while let Some(batch) = batches.try_next().await? {
        let next = position + batch.num_rows() as u64;
        let batch = if dropped.len() == 0 {
            batch
        } else {
            let kept: BooleanArray = (position..next)
                .map(|position| Some(!dropped.contains(position)))
                .collect();
            filter_record_batch(&batch, &kept).map_err(|error| reader.arrow(error))?
        };
        position = next;
        writer.write(batch).await?;
    }
    Ok(())
}
