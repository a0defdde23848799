//! What comes out of a part: batches, and records that could not be read.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::error::FormatError;

/// Bytes of a broken record that are kept to be shown.
const RAW_BYTES_MAX: usize = 2048;

/// Some records of a part.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The projected columns.
    pub batch: RecordBatch,
    /// The number of each row's record in the part, from 1; broken records are counted, headers are not.
    pub rows: Int64Array,
    /// Records that could not be read.
    pub broken: Vec<BrokenRecord>,
    /// Numbers of records that a rule of the format drops: a header repeated, a row of totals.
    pub dropped: Vec<i64>,
}

impl Decoded {
    /// The rows of the part `name` that were read, of as many columns as `schema` has, which may be none.
    pub(crate) fn of(
        name: &str,
        schema: &SchemaRef,
        columns: Result<Vec<ArrayRef>, ArrowError>,
        rows: impl Into<Int64Array>,
    ) -> Result<Self, FormatError> {
        let rows = rows.into();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = columns.and_then(|columns| {
            RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        });
        let batch = batch.map_err(|source| FormatError::Arrow {
            name: name.to_owned(),
            source,
        })?;
        Ok(Self {
            batch,
            rows,
            broken: Vec::new(),
            dropped: Vec::new(),
        })
    }
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRecord {
    /// Its number in the part, from 1.
    pub row: i64,
    /// Where it starts in the part, or in the unpacked member; none where the bytes were transcoded first.
    pub byte: Option<u64>,
    /// What is wrong with it, as a sentence.
    pub reason: String,
    /// Its text, cut to a bound; bytes that are no UTF-8 are replaced.
    pub raw: String,
}

impl BrokenRecord {
    pub(crate) fn new(row: i64, byte: Option<u64>, reason: String, raw: &[u8]) -> Self {
        let mut end = raw.len().min(RAW_BYTES_MAX);
        // A cut inside a character would look like bad encoding.
        while end < raw.len() && end > 0 && raw[end] & 0b1100_0000 == 0b1000_0000 {
            end -= 1;
        }
        let mut text = String::from_utf8_lossy(&raw[..end]).into_owned();
        if end < raw.len() {
            text.push('…');
        }
        Self {
            row,
            byte,
            reason,
            raw: text,
        }
    }
}
