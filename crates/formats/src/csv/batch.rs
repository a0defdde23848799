//! One batch of text columns being built.

use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;

use bytes::Bytes;

use crate::columns::TextColumn;
use crate::composed::{self, has_marks};
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
    /// Whether any piece so far holds combining marks.
    has_marks: bool,
}

impl Batch {
    pub(crate) fn new(columns: usize) -> Self {
        let columns = (0..columns).map(|_| TextColumn::default()).collect();
        Self {
            columns,
            rows: Vec::new(),
            broken: Vec::new(),
            dropped: Vec::new(),
            buffers: Vec::new(),
            has_marks: false,
        }
    }

    /// Takes a piece in, whose values come next.
    pub(crate) fn hold(&mut self, piece: &Bytes) {
        self.has_marks |= has_marks(piece);
        self.buffers.push(Buffer::from(piece.clone()));
    }

    /// Gives what is there, and goes on with the rest of a piece.
    pub(crate) fn take(&mut self, rest: Option<&Bytes>) -> Self {
        let next = Self {
            buffers: rest
                .into_iter()
                .map(|rest| Buffer::from(rest.clone()))
                .collect(),
            has_marks: rest.is_some() && self.has_marks,
            ..Self::new(self.columns.len())
        };
        std::mem::replace(self, next)
    }

    pub(crate) fn records(&self) -> usize {
        self.rows.len() + self.broken.len() + self.dropped.len()
    }

    pub(crate) fn finish(self, name: &str, schema: &SchemaRef) -> Result<Decoded, FormatError> {
        let columns = self.columns.into_iter();
        let columns = columns.map(|column| column.finish(&self.buffers)).collect();
        let mut decoded = Decoded {
            broken: self.broken,
            dropped: self.dropped,
            ..Decoded::of(name, schema, columns, self.rows)?
        };
        if self.has_marks {
            decoded.batch =
                composed::batch(decoded.batch).map_err(|source| FormatError::Arrow {
                    name: name.to_owned(),
                    source,
                })?;
        }
        Ok(decoded)
    }
}
