//! Writing files anew: without some of their rows, several as one.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;

use super::read::{FileRef, Reader};
use crate::error::LakeError;
use crate::settle::Positions;
use crate::writer::{Target, WrittenFile};

/// The file without the dropped rows; none where no row is left.
pub(super) async fn without(
    reader: &Reader,
    target: &Target,
    file: &FileRef,
    dropped: &Positions,
) -> Result<Option<WrittenFile>, LakeError> {
    together(reader, target, &[(file, dropped)]).await
}

/// Files of one partition as one, each without its dropped rows, one after the other; none where no row is left.
pub(super) async fn together(
    reader: &Reader,
    target: &Target,
    files: &[(&FileRef, &Positions)],
) -> Result<Option<WrittenFile>, LakeError> {
    let with_rows = |(file, dropped): &&(&FileRef, &Positions)| dropped.len() < file.rows;
    let mut files = files.iter().filter(with_rows).peekable();
    let Some((first, _)) = files.peek() else {
        return Ok(None);
    };
    let columns: Vec<String> = target
        .file_schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mut written = target.open(first.partition_values.clone())?;
    for (file, dropped) in files {
        let mut batches = reader.read(file, &columns).await?;
        let mut position = 0;
        while let Some(batch) = batches.try_next().await? {
            let next = position + batch.num_rows() as u64;
            let rows = kept(reader, batch, position, dropped)?;
            position = next;
            if rows.num_rows() > 0 {
                written.write(&in_form(reader, target, rows)?).await?;
            }
        }
    }
    written.close().await.map(Some)
}

/// Of a batch whose first row stands at `from` in its file, the rows that stay.
pub(super) fn kept(
    reader: &Reader,
    batch: RecordBatch,
    from: u64,
    dropped: &Positions,
) -> Result<RecordBatch, LakeError> {
    if dropped.len() == 0 {
        return Ok(batch);
    }
    let kept: BooleanArray = (from..from + batch.num_rows() as u64)
        .map(|position| Some(!dropped.contains(position)))
        .collect();
    filter_record_batch(&batch, &kept).map_err(|error| reader.arrow(error))
}

/// The rows under the file's own schema: the reader calls every column nullable.
fn in_form(reader: &Reader, target: &Target, rows: RecordBatch) -> Result<RecordBatch, LakeError> {
    let fields: Vec<_> = target.file_schema.fields().iter().cloned().collect();
    let columns = rows.columns().to_vec();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| reader.arrow(error))
}
