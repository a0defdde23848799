//! Record by record, by the `csv` crate's own reader: slower, and never at a loss.

use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::csv::dialect::Dialect;
use crate::csv::window::is_line_end;

/// The records of one piece of text, one at a time.
pub(crate) struct Records {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl Records {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote.unwrap_or(b'"'))
            .quoting(dialect.quote.is_some())
            .build();
        Self {
            reader,
            text: vec![0; 1024],
            ends: vec![0; 32],
            fields: 0,
        }
    }

    /// Reads the next record of `rest`, which starts where the last one ended, and gives its bytes: without empty lines before it,
    /// with its line end. None: there is no more. A record that `rest` cuts off ends there.
    pub(crate) fn next(&mut self, rest: &[u8]) -> Option<Range<usize>> {
        let start = rest.iter().position(|byte| !is_line_end(*byte))?;
        let (mut read, mut written, mut fields) = (start, 0, 0);
        loop {
            let (result, input, output, ends) = self.reader.read_record(
                &rest[read..],
                &mut self.text[written..],
                &mut self.ends[fields..],
            );
            read += input;
            written += output;
            fields += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.fields = fields;
                    return Some(start..read);
                }
                ReadRecordResult::End => return None,
            }
        }
    }

    /// How many fields the record has.
    pub(crate) fn len(&self) -> usize {
        self.fields
    }

    /// A field's text, without quotes around it.
    pub(crate) fn field(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.fields).map(|index| self.field(index))
    }
}
