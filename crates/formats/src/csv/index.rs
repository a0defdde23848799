//! Where each field of a piece ends, found window by window.

use crate::csv::dialect::Dialect;
use crate::csv::window::{Masks, Outside, Quoting, State, WIDTH, is_line_end, window};

/// The piece cannot be divided by pairs of quotes, or its records differ in length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Odd;

/// The field ends of some records of a piece; it goes on where it stopped.
#[derive(Debug)]
pub(crate) struct Index {
    dialect: Dialect,
    has_quotes: bool,
    quoting: Quoting,
    /// The first byte that was not looked at.
    position: usize,
    /// Positions of the bytes after fields; room for a window more than is filled.
    ends: Vec<u32>,
    filled: usize,
    /// For each record how many of `ends` are its own and earlier ones'.
    records: Vec<usize>,
}

impl Index {
    pub(crate) fn new(bytes: &[u8], dialect: Dialect) -> Self {
        Self {
            dialect,
            has_quotes: dialect.is_quoted(bytes),
            quoting: Quoting::from(State::Line),
            position: 0,
            ends: Vec::new(),
            filled: 0,
            records: Vec::new(),
        }
    }

    pub(crate) fn has_quotes(&self) -> bool {
        self.has_quotes
    }

    /// Whether some quote was written twice so far.
    pub(crate) fn has_escapes(&self) -> bool {
        self.quoting.has_escapes
    }

    /// Looks on until `records_max` records are known or the piece is at its end.
    pub(crate) fn fill(&mut self, bytes: &[u8], records_max: usize) -> Result<(), Odd> {
        while self.records.len() < records_max && self.position < bytes.len() {
            self.step(bytes)?;
        }
        Ok(())
    }

    /// The field ends of the known records, at most `records_max`, each of `fields` fields.
    pub(crate) fn ends(&self, fields: usize, records_max: usize) -> Result<&[u32], Odd> {
        let count = self.records.len().min(records_max);
        let even = self.records[..count]
            .iter()
            .zip(1..)
            .all(|(&end, number)| end == number * fields);
        if even {
            Ok(&self.ends[..count * fields])
        } else {
            Err(Odd)
        }
    }

    /// Forgets the first `count` records of `fields` fields.
    pub(crate) fn forget(&mut self, fields: usize, count: usize) {
        let gone = fields * count;
        self.ends.copy_within(gone..self.filled, 0);
        self.filled -= gone;
        self.records.drain(..count);
        self.records.iter_mut().for_each(|end| *end -= gone);
    }

    fn step(&mut self, bytes: &[u8]) -> Result<(), Odd> {
        let start = self.position;
        let (window, width) = window(bytes, start);
        let outside = if self.has_quotes {
            self.quoting
                .step(Masks::of(&window, self.dialect), width)
                .ok_or(Odd)?
        } else {
            self.quoting
                .step_without_quotes(Masks::without_quotes(&window, self.dialect), width)
        };
        self.note(start, outside);
        self.position += width;
        if self.position == bytes.len() {
            self.finish(bytes)
        } else {
            Ok(())
        }
    }

    /// Writes down the positions of all set bits.
    #[inline]
    fn note(&mut self, start: usize, outside: Outside) {
        if self.ends.len() < self.filled + WIDTH {
            self.ends.resize((self.filled + WIDTH) * 2, 0);
        }
        let mut left = outside.delimiters | outside.record_ends;
        let mut record_ends = outside.record_ends;
        while record_ends != 0 {
            let below = record_ends & record_ends.wrapping_neg();
            self.records
                .push(self.filled + (left & (below | (below - 1))).count_ones() as usize);
            record_ends &= record_ends - 1;
        }
        let count = left.count_ones() as usize;
        // A piece is far smaller than 4 GiB.
        let start = start as u32;
        for end in &mut self.ends[self.filled..self.filled + count] {
            *end = start + left.trailing_zeros();
            left &= left - 1;
        }
        self.filled += count;
    }

    /// The last record of a part may have no line end.
    fn finish(&mut self, bytes: &[u8]) -> Result<(), Odd> {
        if self.has_quotes && self.quoting.state() == State::Quoted {
            return Err(Odd);
        }
        if bytes.last().is_some_and(|last| !is_line_end(*last)) {
            self.ends.truncate(self.filled);
            self.ends.push(bytes.len() as u32);
            self.filled += 1;
            self.records.push(self.filled);
        }
        Ok(())
    }
}
