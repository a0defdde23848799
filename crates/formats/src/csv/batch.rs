//! One batch of text columns being built.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;

use crate::columns::TextColumn;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;

/// One batch being built.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) columns: Vec<TextColumn>,
    pub(crate) rows: Vec<i64>,
    pub(crate) broken: Vec<BrokenRecord>,
    pub(crate) dropped: Vec<i64>,
    /// The pieces that the columns' values lie in.
    pub(crate) buffers: Vec<Buffer>,
}

impl Batch {
    pub(crate) fn new(columns: usize, buffer: Option<Buffer>) -> Self {
        let columns = (0..columns).map(|_| TextColumn::default()).collect();
        Self {
            columns,
            rows: Vec::new(),
            broken: Vec::new(),
            dropped: Vec::new(),
            buffers: buffer.into_iter().collect(),
        }
    }

    pub(crate) fn records(&self) -> usize {
        self.rows.len() + self.broken.len() + self.dropped.len()
    }

    pub(crate) fn finish(self, name: &str, schema: &SchemaRef) -> Result<Decoded, FormatError> {
        let error = |source| FormatError::Arrow {
            name: name.to_owned(),
            source,
        };
        let columns = self
            .columns
            .into_iter()
            .map(|column| column.finish(&self.buffers))
            .collect::<Result<_, _>>()
            .map_err(error)?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
            .map_err(error)?;
        Ok(Decoded {
            batch,
            rows: Int64Array::from(self.rows),
            broken: self.broken,
            dropped: self.dropped,
        })
    }
}
