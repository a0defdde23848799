//! Arrow IPC and Parquet: for programs.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{BatchWriter, OutputError};

/// Rows of a Parquet row group: what is held in memory at once.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// The schema without string and binary views, which many readers do not know yet.
fn widely_known(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8View => retyped(field, DataType::Utf8),
            DataType::BinaryView => retyped(field, DataType::Binary),
            _ => Arc::clone(field),
        })
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn retyped(field: &Field, kind: DataType) -> Arc<Field> {
    Arc::new(field.clone().with_data_type(kind))
}

fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, OutputError> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                Ok(Arc::clone(column))
            } else {
                cast(column, field.data_type())
            }
        })
        .collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// Arrow IPC stream.
pub(super) struct ArrowStream<W: Write> {
    schema: SchemaRef,
    writer: StreamWriter<W>,
}

impl<W: Write> ArrowStream<W> {
    pub(super) fn new(sink: W, schema: &SchemaRef) -> Result<Self, OutputError> {
        let schema = widely_known(schema);
        let writer = StreamWriter::try_new(sink, &schema)?;
        Ok(Self { schema, writer })
    }
}

impl<W: Write> BatchWriter for ArrowStream<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        Ok(self.writer.write(&fitted(batch, &self.schema)?)?)
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        self.writer.finish()?;
        Ok(self.writer.get_mut().flush()?)
    }
}

/// Parquet with zstd.
pub(super) struct Parquet<W: Write + Send> {
    schema: SchemaRef,
    writer: Option<ArrowWriter<W>>,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(sink: W, schema: &SchemaRef) -> Result<Self, OutputError> {
        let schema = widely_known(schema);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(sink, Arc::clone(&schema), Some(properties))?;
        Ok(Self {
            schema,
            writer: Some(writer),
        })
    }
}

impl<W: Write + Send> BatchWriter for Parquet<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        let batch = fitted(batch, &self.schema)?;
        match &mut self.writer {
            Some(writer) => Ok(writer.write(&batch)?),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        if let Some(writer) = self.writer.take() {
            writer.into_inner()?.flush()?;
        }
        Ok(())
    }
}
