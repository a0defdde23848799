//! Record by record, by the `csv` crate's own reader: slower, and never at a loss.

use std::ops::Range;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::csv::dialect::Dialect;
use crate::csv::window::is_line_end;

/// The records of one piece of text, one at a time.
pub(crate) struct Records {
    comment: Option<u8>,
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl Records {
    pub(crate) fn new(dialect: Dialect) -> Self {
        let mut reader = ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .quote(dialect.quote.unwrap_or(b'"'))
            .quoting(dialect.quote.is_some())
            .build();
        // A reader leaves out a byte order mark in the first bytes it sees. In the middle of a file (of two that were joined) it is a
        // record's text, and alone on a line a record: the reader is to have seen bytes before.
        reader.read_record(b"\n", &mut [0], &mut [0]);
        Self {
            comment: dialect.comment,
            reader,
            text: vec![0; 1024],
            ends: vec![0; 32],
            fields: 0,
        }
    }

    /// Reads the next record of `rest`, which starts where the last one ended, and gives its bytes: without empty lines before it,
    /// with its line end. None: there is no more. A record that `rest` cuts off ends there.
    pub(crate) fn next(&mut self, rest: &[u8]) -> Option<Range<usize>> {
        let start = next_record(rest, self.comment)?;
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

/// Where the next record starts: after empty lines and comments.
pub(crate) fn next_record(text: &[u8], comment: Option<u8>) -> Option<usize> {
    let mut start = 0;
    loop {
        start += text[start..].iter().position(|byte| !is_line_end(*byte))?;
        if comment != text.get(start).copied() {
            return Some(start);
        }
        start += text[start..].iter().position(|byte| is_line_end(*byte))?;
    }
}
