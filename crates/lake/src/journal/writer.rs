//! One journal file, written as a stream.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use object_store::ObjectStore;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use parquet::arrow::AsyncArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::schema::{JournalRow, batch, schema_of};
use crate::error::LakeError;

/// Rows kept as Rust values before they become a batch: at most so many, or so many bytes of text.
const BUFFER_ROWS_MAX: usize = 8192;
const BUFFER_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A row group ends at this size in memory, whatever its rows.
const ROW_GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;
const ROW_GROUP_ROWS_MAX: usize = 256 * 1024;
/// The piece in which a file goes to the storage; object stores take no smaller ones.
const UPLOAD_BYTES: usize = 5 * 1024 * 1024;

/// Writes the rows of one file; memory stays within a buffer and a row group. Dropped before it is closed, it leaves
/// no file.
pub struct JournalWriter<R> {
    store: Arc<dyn ObjectStore>,
    path: Path,
    schema: SchemaRef,
    buffer: Vec<R>,
    buffer_bytes: usize,
    rows: u64,
    /// None until there is a row: an empty file says nothing.
    file: Option<AsyncArrowWriter<BufWriter>>,
}

impl<R: JournalRow> JournalWriter<R> {
    pub(super) fn new(store: Arc<dyn ObjectStore>, path: Path) -> Self {
        Self {
            store,
            path,
            schema: schema_of::<R>(),
            buffer: Vec::new(),
            buffer_bytes: 0,
            rows: 0,
            file: None,
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn push(&mut self, row: R) -> Result<(), LakeError> {
        self.buffer_bytes += row.text_bytes();
        self.buffer.push(row);
        if self.buffer.len() >= BUFFER_ROWS_MAX || self.buffer_bytes >= BUFFER_BYTES_MAX {
            self.drain().await?;
        }
        Ok(())
    }

    /// Adds rows that are in the kind's [`schema`](super::schema()) already.
    ///
    /// # Errors
    /// Where they are not, or the storage fails.
    pub async fn append(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        self.drain().await?;
        self.write(rows).await
    }

    async fn write(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(
                open(Arc::clone(&self.store), &self.path, &self.schema)
                    .map_err(|error| fault(&self.path, error))?,
            ),
        };
        let written = async {
            file.write(rows).await?;
            if file.in_progress_size() >= ROW_GROUP_BYTES_MAX {
                file.flush().await?;
            }
            Ok(())
        };
        written.await.map_err(|error| fault(&self.path, error))?;
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// Ends the file; tells how many rows it holds.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn close(mut self) -> Result<u64, LakeError> {
        self.drain().await?;
        if let Some(file) = self.file.take() {
            file.close()
                .await
                .map_err(|error| fault(&self.path, error))?;
        }
        Ok(self.rows)
    }

    async fn drain(&mut self) -> Result<(), LakeError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let rows =
            batch(&self.schema, &self.buffer).map_err(|error| fault(&self.path, error.into()))?;
        self.buffer.clear();
        self.buffer_bytes = 0;
        self.write(&rows).await
    }
}

fn open(
    store: Arc<dyn ObjectStore>,
    path: &Path,
    schema: &SchemaRef,
) -> Result<AsyncArrowWriter<BufWriter>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .build();
    let upload =
        BufWriter::with_capacity(store, path.clone(), UPLOAD_BYTES).with_max_concurrency(1);
    AsyncArrowWriter::try_new(upload, Arc::clone(schema), Some(properties))
}

pub(super) fn fault(path: &Path, source: ParquetError) -> LakeError {
    match LakeError::refused("write", path.as_ref(), &source) {
        Some(refused) => refused,
        None => LakeError::Journal {
            path: path.to_string(),
            source: Box::new(source),
        },
    }
}
