//! The columns of a row group on their way: held as one value while they have one, else encoded.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedRowGroupWriter;

use super::constant::{chunk, is_constant};

/// Rows of a constant that are written out at a time, once it is none any more.
const REPEATED_ROWS: usize = 8192;

/// A row group that is being filled.
pub(super) struct RowGroup {
    columns: Vec<Column>,
    pub(super) rows: usize,
}

struct Column {
    encoder: ArrowColumnWriter,
    /// The value of all rows so far, and how many they are; none once rows differ.
    constant: Option<(ArrayRef, usize)>,
    is_begun: bool,
}

impl RowGroup {
    pub(super) fn new(factory: &ArrowRowGroupWriterFactory, number: usize) -> Result<Self> {
        let encoders = factory.create_column_writers(number)?;
        let columns = encoders.into_iter().map(|encoder| Column {
            encoder,
            constant: None,
            is_begun: false,
        });
        Ok(Self {
            columns: columns.collect(),
            rows: 0,
        })
    }

    /// Adds rows, which have the file's columns in their order.
    pub(super) fn write(&mut self, schema: &Schema, rows: &RecordBatch) -> Result<()> {
        for ((column, field), values) in self
            .columns
            .iter_mut()
            .zip(schema.fields())
            .zip(rows.columns())
        {
            column.write(field, values)?;
        }
        self.rows += rows.num_rows();
        Ok(())
    }

    /// What the encoders hold.
    pub(super) fn memory_size(&self) -> usize {
        self.columns
            .iter()
            .map(|column| column.encoder.memory_size())
            .sum()
    }

    /// What the group will take in the file, about.
    pub(super) fn encoded_size(&self) -> usize {
        self.columns
            .iter()
            .map(|column| column.encoder.get_estimated_total_bytes())
            .sum()
    }

    /// Ends the group.
    pub(super) fn finish(
        self,
        mut group: SerializedRowGroupWriter<'_, Vec<u8>>,
        descriptor: &parquet::schema::types::SchemaDescriptor,
    ) -> Result<()> {
        for (number, column) in self.columns.into_iter().enumerate() {
            match column.constant {
                Some((value, rows)) => {
                    let (bytes, close) = chunk(&descriptor.column(number), &value, rows)?;
                    group.append_column(&bytes, close)?;
                }
                None => column.encoder.close()?.append_to_row_group(&mut group)?,
            }
        }
        group.close().map(drop)
    }
}

impl Column {
    fn write(&mut self, field: &arrow::datatypes::FieldRef, values: &ArrayRef) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        let may_be_constant = !self.is_begun || self.constant.is_some();
        self.is_begun = true;
        if may_be_constant && is_constant(values) {
            match &mut self.constant {
                None => {
                    self.constant = Some((values.slice(0, 1), values.len()));
                    return Ok(());
                }
                Some((value, rows)) if **value == *values.slice(0, 1) => {
                    *rows += values.len();
                    return Ok(());
                }
                Some(_) => {}
            }
        }
        if let Some((value, rows)) = self.constant.take() {
            let zeros = UInt32Array::from_value(0, rows.min(REPEATED_ROWS));
            let repeated = take(&value, &zeros, None).map_err(arrow_error)?;
            let mut left = rows;
            while left > 0 {
                let piece = repeated.slice(0, left.min(REPEATED_ROWS));
                self.encode(field, &piece)?;
                left -= piece.len();
            }
        }
        self.encode(field, values)
    }

    fn encode(&mut self, field: &arrow::datatypes::FieldRef, values: &ArrayRef) -> Result<()> {
        for leaf in compute_leaves(field, values)? {
            self.encoder.write(&leaf)?;
        }
        Ok(())
    }
}

fn arrow_error(error: arrow::error::ArrowError) -> ParquetError {
    ParquetError::ArrowError(error.to_string())
}
