//! One data file on its way into the store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescriptor;
use sectorlake_contract::TableName;

use super::properties::{ROW_GROUP_BYTES_MAX, ROW_GROUP_ROWS};
use super::row_group::RowGroup;
use super::statistics;
use super::{Target, WrittenFile};
use crate::error::LakeError;

/// What is sent to the store at once; object stores take no smaller part but the last.
const PART_BYTES: usize = 8 << 20;
/// Parts of one file that may be on their way at a time.
const PARTS_ON_THEIR_WAY_MAX: usize = 2;

/// A data file that is still being written.
pub(crate) struct OpenFile {
    table: TableName,
    path: Path,
    partition_values: BTreeMap<String, Option<String>>,
    schema: SchemaRef,
    /// What is encoded lies in its buffer until it is handed to the upload.
    writer: SerializedFileWriter<Vec<u8>>,
    columns: SchemaDescriptor,
    encoders: ArrowRowGroupWriterFactory,
    group: RowGroup,
    groups: usize,
    rows: u64,
    upload: Upload,
}

/// Encoded bytes on their way: in one put where they are few, else part by part.
struct Upload {
    store: Arc<dyn ObjectStore>,
    path: Path,
    waiting: Vec<Bytes>,
    waiting_bytes: usize,
    sent_bytes: usize,
    multipart: Option<WriteMultipart>,
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile")
            .field("path", &self.path)
            .field("rows", &self.rows)
            .finish()
    }
}

impl OpenFile {
    pub(super) fn create(
        target: &Target,
        path: Path,
        partition_values: BTreeMap<String, Option<String>>,
    ) -> Result<Self, LakeError> {
        let schema = Arc::clone(&target.file_schema);
        let table = target.contract.name.clone();
        // Without Arrow's own schema in the file, every reader sees plain Parquet types, not the views we were handed.
        let parts = || {
            let columns = ArrowSchemaConverter::new().convert(&schema)?;
            let properties = Arc::clone(&target.properties);
            let writer =
                SerializedFileWriter::new(Vec::new(), columns.root_schema_ptr(), properties)?;
            let encoders = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
            let group = RowGroup::new(&encoders, 0)?;
            Ok((writer, columns, encoders, group))
        };
        let (writer, columns, encoders, group) =
            parts().map_err(|error| parquet_error(&table, &path, error))?;
        let upload = Upload {
            store: Arc::clone(&target.store),
            path: path.clone(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            sent_bytes: 0,
            multipart: None,
        };
        Ok(Self {
            table,
            path,
            partition_values,
            schema,
            writer,
            columns,
            encoders,
            group,
            groups: 0,
            rows: 0,
            upload,
        })
    }

    /// What it holds in memory, about.
    pub(super) fn held(&self) -> usize {
        self.group.memory_size() + self.upload.waiting_bytes
    }

    /// What is encoded so far.
    pub(super) fn bytes_written(&self) -> usize {
        self.upload.sent_bytes + self.upload.waiting_bytes
    }

    /// Writes rows of the file's own columns.
    pub(crate) async fn write(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        let mut first = 0;
        while first < rows.num_rows() {
            let fitting = (rows.num_rows() - first).min(ROW_GROUP_ROWS - self.group.rows);
            self.group
                .write(&self.schema, &rows.slice(first, fitting))
                .map_err(|error| parquet_error(&self.table, &self.path, error))?;
            first += fitting;
            if self.group.rows >= ROW_GROUP_ROWS || self.group.encoded_size() >= ROW_GROUP_BYTES_MAX
            {
                self.end_group()
                    .map_err(|error| parquet_error(&self.table, &self.path, error))?;
                let encoded = std::mem::take(self.writer.inner_mut());
                self.upload.add(encoded).await?;
            }
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        self.groups += 1;
        let next = RowGroup::new(&self.encoders, self.groups)?;
        let group = std::mem::replace(&mut self.group, next);
        group.finish(self.writer.next_row_group()?, &self.columns)
    }

    fn end_file(&mut self) -> Result<ParquetMetaData, ParquetError> {
        if self.group.rows > 0 {
            self.end_group()?;
        }
        self.writer.finish()
    }

    /// Ends the file; it is stored once this returns.
    pub(crate) async fn close(mut self) -> Result<WrittenFile, LakeError> {
        let metadata = self
            .end_file()
            .map_err(|error| parquet_error(&self.table, &self.path, error))?;
        let encoded = std::mem::take(self.writer.inner_mut());
        self.upload.add(encoded).await?;
        let statistics = statistics::to_delta(&self.schema, &metadata)
            .map_err(|error| parquet_error(&self.table, &self.path, error))?;
        let size = self.upload.finish().await?;
        Ok(WrittenFile {
            path: self.path,
            size,
            rows: self.rows,
            partition_values: self.partition_values,
            statistics,
        })
    }
}

impl Upload {
    async fn add(&mut self, encoded: Vec<u8>) -> Result<(), LakeError> {
        if encoded.is_empty() {
            return Ok(());
        }
        self.waiting_bytes += encoded.len();
        self.waiting.push(encoded.into());
        if self.waiting_bytes >= PART_BYTES {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), LakeError> {
        let mut multipart = match self.multipart.take() {
            Some(multipart) => multipart,
            None => {
                let upload = self.store.put_multipart(&self.path).await;
                let upload =
                    upload.map_err(|error| LakeError::store("write", &self.path, error))?;
                WriteMultipart::new_with_chunk_size(upload, PART_BYTES)
            }
        };
        for bytes in self.waiting.drain(..) {
            multipart.put(bytes);
        }
        self.sent_bytes += std::mem::take(&mut self.waiting_bytes);
        let ready = multipart.wait_for_capacity(PARTS_ON_THEIR_WAY_MAX).await;
        ready.map_err(|error| LakeError::store("write", &self.path, error))?;
        self.multipart = Some(multipart);
        Ok(())
    }

    async fn finish(mut self) -> Result<u64, LakeError> {
        let size = (self.sent_bytes + self.waiting_bytes) as u64;
        let done = match self.multipart.take() {
            Some(mut multipart) => {
                self.waiting
                    .drain(..)
                    .for_each(|bytes| multipart.put(bytes));
                multipart.finish().await.map(drop)
            }
            None => {
                let payload: object_store::PutPayload = self.waiting.drain(..).collect();
                self.store.put(&self.path, payload).await.map(drop)
            }
        };
        done.map_err(|error| LakeError::store("write", &self.path, error))?;
        Ok(size)
    }
}

fn parquet_error(table: &TableName, path: &Path, source: ParquetError) -> LakeError {
    LakeError::refused("write", path.as_ref(), &source).unwrap_or_else(|| LakeError::Parquet {
        table: table.clone(),
        path: path.to_string(),
        source: Box::new(source),
    })
}
