//! The hashes of a table's keys.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::record_batch::RecordBatch;
use futures::stream::{self, StreamExt, TryStreamExt};
use sectorlake_contract::key_hashes;

pub use sectorlake_contract::KeyHashes;

use crate::error::LakeError;
use crate::stage::read::{FileRef, Reader};

/// Files that are read at a time.
const FILES_AT_A_TIME: usize = 2;

/// The hashes of the rows of a batch of key columns; none where a part of the key has no value: that is no key.
pub(crate) fn row_hashes(
    columns: &[ArrayRef],
) -> Result<impl Iterator<Item = Option<u64>>, arrow::error::ArrowError> {
    let hashes = key_hashes(columns)?;
    let nullable: Vec<ArrayRef> = columns
        .iter()
        .filter(|column| column.null_count() > 0)
        .map(Arc::clone)
        .collect();
    Ok(hashes.into_iter().enumerate().map(move |(row, hash)| {
        nullable
            .iter()
            .all(|column| column.is_valid(row))
            .then_some(hash)
    }))
}

/// Hands the hashes of every key in the files to `each`, file by file; decoding runs beside it.
pub(crate) async fn for_each_hash(
    reader: &Reader,
    files: &[FileRef],
    fields: &[String],
    mut each: impl FnMut(u64),
) -> Result<(), LakeError> {
    let tasks = files.iter().cloned().map(|file| {
        let (reader, fields) = (reader.clone(), fields.to_vec());
        let path = file.path.to_string();
        let (sender, receiver) = tokio::sync::mpsc::channel(FILES_AT_A_TIME);
        let task = tokio::spawn(async move {
            let batches = reader.read(&file, &fields).await?;
            let hashed = batches.map(|batch| hashed(&reader, &batch?));
            futures::pin_mut!(hashed);
            while let Some(hashes) = hashed.try_next().await? {
                if sender.send(hashes).await.is_err() {
                    break;
                }
            }
            Ok::<_, LakeError>(())
        });
        async move { (receiver, task, path) }
    });
    let mut tasks = stream::iter(tasks).buffered(FILES_AT_A_TIME);
    while let Some((mut receiver, task, path)) = tasks.next().await {
        while let Some(hashes) = receiver.recv().await {
            hashes.into_iter().for_each(&mut each);
        }
        task.await.map_err(|_| LakeError::Cancelled {
            action: "read",
            path,
        })??;
    }
    Ok(())
}

fn hashed(reader: &Reader, batch: &RecordBatch) -> Result<Vec<u64>, LakeError> {
    let hashes = row_hashes(batch.columns()).map_err(|error| reader.arrow(error))?;
    Ok(hashes.flatten().collect())
}
