//! Writing published files anew in the form that the table is given: wider types, other partitions.
//!
//! Of every source, each by a writer of its own, so that no file holds rows of two; `_run`, `_part` and `_row` stay what
//! they were. Rows stream from file to file: what is held is bounded as for any load. Several writers work side by side.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use sectorlake_contract::system;
use tokio::task::JoinSet;

use super::TableStage;
use super::read::{FileRef, Reader};
use super::rewrite;
use crate::error::LakeError;
use crate::settle::Positions;
use crate::writer::{TableWriter, WrittenFile};

/// Rows that are worth a writer of their own: fewer make small files.
const ROWS_OF_A_WRITER: u64 = 256 << 10;

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

    /// Writes all of them, several at a time: each writer holds rows of one source alone.
    pub(super) async fn write(
        self,
        stage: &TableStage,
        reader: &Reader,
    ) -> Result<Vec<WrittenFile>, LakeError> {
        let fields = stage.contract.fields.iter();
        let columns: Arc<[String]> = fields
            .map(|field| field.name.clone())
            .chain([system::RUN, system::PART, system::ROW].map(str::to_owned))
            .collect();
        let workers = stage.options.workers.max(1);
        let (mut running, mut written) = (JoinSet::new(), Vec::new());
        for (group, files) in self.by_group {
            let source = group.get(system::SOURCE).cloned().flatten();
            for share in shares(files, workers) {
                if running.len() >= workers {
                    written.extend(next(&mut running, reader).await?);
                }
                let source = source.as_deref().unwrap_or_default();
                let mut writer = TableWriter::of_source(&stage.target, source);
                let (reader, columns) = (reader.clone(), Arc::clone(&columns));
                running.spawn(async move {
                    for (file, dropped) in share {
                        copy(&reader, &columns, (&file, &dropped), &mut writer).await?;
                    }
                    Ok::<_, LakeError>(writer.close().await?.files)
                });
            }
        }
        while !running.is_empty() {
            written.extend(next(&mut running, reader).await?);
        }
        written.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(written)
    }
}

/// The files of the next writer that is done.
async fn next(
    running: &mut JoinSet<Result<Vec<WrittenFile>, LakeError>>,
    reader: &Reader,
) -> Result<Vec<WrittenFile>, LakeError> {
    match running.join_next().await {
        Some(Ok(written)) => written,
        // A writer that panicked or was stopped.
        Some(Err(_)) => Err(LakeError::Cancelled {
            action: "write",
            path: reader.table.to_string(),
        }),
        None => Ok(Vec::new()),
    }
}

/// The files of a group by writer: as many writers as their rows are worth, each with about the same.
fn shares(mut files: Vec<(FileRef, Positions)>, workers: usize) -> Vec<Vec<(FileRef, Positions)>> {
    let rows: u64 = files.iter().map(|(file, _)| file.rows).sum();
    let worth = usize::try_from(rows.div_ceil(ROWS_OF_A_WRITER)).unwrap_or(usize::MAX);
    let count = workers.min(worth).min(files.len()).max(1);
    let mut shares: Vec<(u64, Vec<_>)> = (0..count).map(|_| (0, Vec::new())).collect();
    // The largest first, each to whoever has least.
    files.sort_by_key(|(file, _)| std::cmp::Reverse(file.rows));
    for (file, dropped) in files {
        if let Some((held, share)) = shares.iter_mut().min_by_key(|(held, _)| *held) {
            *held += file.rows;
            share.push((file, dropped));
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
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
        let rows = rewrite::kept(reader, batch, position, dropped)?;
        position = next;
        writer.write(rows).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, rows: u64) -> (FileRef, Positions) {
        let file = FileRef {
            path: name.into(),
            size: 1,
            rows,
            partition_values: BTreeMap::new(),
            statistics: None,
        };
        (file, Positions::default())
    }

    #[test]
    fn files_are_shared_out_where_they_are_worth_it() {
        let shared = |rows: &[u64], workers| {
            let files = rows.iter().map(|rows| file("f", *rows)).collect();
            let rows_of = |share: Vec<(FileRef, Positions)>| {
                share.iter().map(|(file, _)| file.rows).sum::<u64>()
            };
            shares(files, workers)
                .into_iter()
                .map(rows_of)
                .collect::<Vec<_>>()
        };
        let many = ROWS_OF_A_WRITER;
        assert_eq!(shared(&[10, 20, 30], 4), [60], "few rows make one file");
        assert_eq!(shared(&[many, 3 * many, many], 2), [3 * many, 2 * many]);
        assert_eq!(shared(&[9 * many], 4), [9 * many], "a file is not cut");
        assert_eq!(shared(&[many, many], 1), [2 * many]);
        assert_eq!(shared(&[], 4), [0]);
    }
}
