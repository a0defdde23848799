//! Reading a table's data files, batch by batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::ScalarValue;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, RowSelection};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use sectorlake_contract::{TableName, system};

use super::stored::StoredFile;
use crate::error::LakeError;
use crate::settle::Positions;
use crate::table::DataFile;
use crate::widen::widened;
use crate::writer::WrittenFile;
use crate::writer::statistics::partition_scalar;

const BATCH_ROWS: usize = 8192;

/// A data file, published or just written.
#[derive(Debug, Clone)]
pub(crate) struct FileRef {
    pub(crate) path: Path,
    pub(crate) size: u64,
    pub(crate) rows: u64,
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
    pub(crate) statistics: Option<String>,
}

impl FileRef {
    /// Whether its rows came from this pipeline.
    pub(crate) fn is_of(&self, source: &str) -> bool {
        let value = self.partition_values.get(system::SOURCE);
        value.and_then(Option::as_deref) == Some(source)
    }
}

impl From<&DataFile> for FileRef {
    fn from(file: &DataFile) -> Self {
        Self {
            path: file.path.clone(),
            size: file.size,
            rows: file.rows,
            partition_values: file.partition_values.clone(),
            statistics: file.statistics_text.clone(),
        }
    }
}

impl From<&WrittenFile> for FileRef {
    fn from(file: &WrittenFile) -> Self {
        Self {
            path: file.path.clone(),
            size: file.size,
            rows: file.rows,
            partition_values: file.partition_values.clone(),
            statistics: Some(file.statistics.clone()),
        }
    }
}

/// Reads files of one table.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) table: TableName,
    /// The table's columns as they now are: what an older file lacks is read as no value.
    pub(crate) schema: SchemaRef,
}

pub(crate) type Batches = BoxStream<'static, Result<RecordBatch, LakeError>>;

impl Reader {
    /// The schema of the columns of these names, in this order.
    pub(crate) fn schema_of(&self, columns: &[String]) -> Result<SchemaRef, LakeError> {
        let field = |name: &String| -> Result<FieldRef, ArrowError> {
            Ok(Arc::clone(
                &self.schema.fields()[self.schema.index_of(name)?],
            ))
        };
        let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>();
        let fields = fields.map_err(|error| self.arrow(error))?;
        // An older file may lack a column that is required by now.
        let fields = fields
            .into_iter()
            .map(|field| field.as_ref().clone().with_nullable(true));
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    /// Streams the named columns of a file, in the order of its rows.
    pub(crate) async fn read(
        &self,
        file: &FileRef,
        columns: &[String],
    ) -> Result<Batches, LakeError> {
        self.read_rows(file, columns, None).await
    }

    /// The same of some rows only: pages that hold none of them are not decoded.
    pub(crate) async fn read_rows(
        &self,
        file: &FileRef,
        columns: &[String],
        rows: Option<&Positions>,
    ) -> Result<Batches, LakeError> {
        let schema = self.schema_of(columns)?;
        let fault = {
            let (table, path) = (self.table.clone(), file.path.clone());
            move |error: ParquetError| parquet(&table, &path, error)
        };
        let reader = StoredFile {
            store: Arc::clone(&self.store),
            path: file.path.clone(),
            size: file.size,
        };
        let pages = match rows {
            Some(_) => PageIndexPolicy::Optional,
            None => PageIndexPolicy::Skip,
        };
        let options = ArrowReaderOptions::new().with_page_index_policy(pages);
        let mut builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, options)
            .await
            .map_err(&fault)?;
        if let Some(rows) = rows {
            let all = usize::try_from(file.rows).unwrap_or(usize::MAX);
            let chosen = RowSelection::from_consecutive_ranges(rows.ranges(), all);
            builder = builder.with_row_selection(chosen);
        }
        let names = columns.iter().map(String::as_str);
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        let stream = builder
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(&fault)?;
        let (reader, values) = (self.clone(), file.partition_values.clone());
        let shaped = stream
            .map_err(fault)
            .map(move |batch| reader.shape(&batch?, &schema, &values));
        Ok(shaped.boxed())
    }

    /// The batch in the shape that was asked for: partition columns beside those of the file.
    fn shape(
        &self,
        batch: &RecordBatch,
        schema: &SchemaRef,
        values: &BTreeMap<String, Option<String>>,
    ) -> Result<RecordBatch, LakeError> {
        let rows = batch.num_rows();
        let column = |field: &FieldRef| -> Result<ArrayRef, ArrowError> {
            if let Some(value) = values.get(field.name()) {
                let scalar = value
                    .as_deref()
                    .and_then(|value| partition_scalar(field.data_type(), value));
                let scalar = match scalar {
                    Some(scalar) => scalar,
                    None => ScalarValue::try_from(field.data_type())?,
                };
                return Ok(scalar.to_array_of_size(rows)?);
            }
            match batch.column_by_name(field.name()) {
                Some(column) => widened(column, field.data_type()).map_err(|error| match error {
                    ArrowError::CastError(detail) => {
                        ArrowError::CastError(format!("field {}: {detail}", field.name()))
                    }
                    other => other,
                }),
                None => Ok(new_null_array(field.data_type(), rows)),
            }
        };
        let columns = schema
            .fields()
            .iter()
            .map(column)
            .collect::<Result<Vec<_>, _>>();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        columns
            .and_then(|columns| {
                RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
            })
            .map_err(|error| self.arrow(error))
    }

    pub(crate) fn arrow(&self, source: ArrowError) -> LakeError {
        let table = self.table.clone();
        match source {
            ArrowError::CastError(detail) => LakeError::SchemaChanged { table, detail },
            source => LakeError::Arrow {
                table,
                source: Box::new(source),
            },
        }
    }
}

fn parquet(table: &TableName, path: &Path, source: ParquetError) -> LakeError {
    LakeError::refused("read", path.as_ref(), &source).unwrap_or_else(|| LakeError::Parquet {
        table: table.clone(),
        path: path.to_string(),
        source: Box::new(source),
    })
}
