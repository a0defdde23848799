//! What stands below the data: left out by declaration, by number or by how it begins.

use std::collections::VecDeque;

use bytes::Bytes;
use regex::bytes::Regex;

use crate::blocks::Cut;
use crate::csv::dialect::Dialect;
use crate::csv::scan::{Block, Cutter};
use crate::csv::strict::Records;
use crate::error::FormatError;

/// What of a part's end is no data.
#[derive(Debug, Clone, Default)]
pub(crate) struct Footer {
    /// From the first record on whose first field it finds, nothing is data.
    starts: Option<Regex>,
    /// Records at the end.
    records: usize,
}

impl Footer {
    /// As declared.
    pub(crate) fn new(
        name: &str,
        pattern: Option<&str>,
        records: Option<usize>,
    ) -> Result<Self, FormatError> {
        let starts = pattern.map(Regex::new).transpose();
        let starts = starts.map_err(|error| FormatError::Option {
            name: name.to_owned(),
            option: "footer",
            reason: format!("no regular expression: {error}"),
        })?;
        Ok(Self {
            starts,
            records: records.unwrap_or_default(),
        })
    }
}

/// A [`Cutter`] whose blocks end before the footer. Where none is declared it costs nothing.
#[derive(Debug)]
pub(crate) struct Footed {
    cutter: Cutter,
    dialect: Dialect,
    footer: Footer,
    /// Blocks of which it is not known yet whether they are the last, with how many records each has.
    held: VecDeque<(Block, usize)>,
    held_records: usize,
    has_ended: bool,
}

impl Footed {
    pub(crate) fn new(cutter: Cutter, dialect: Dialect, footer: Footer) -> Self {
        Self {
            cutter,
            dialect,
            footer,
            held: VecDeque::new(),
            held_records: 0,
            has_ended: false,
        }
    }

    fn is_declared(&self) -> bool {
        self.footer.starts.is_some() || self.footer.records > 0
    }

    fn take(&mut self, mut found: VecDeque<Block>, blocks: &mut VecDeque<Block>) {
        while let Some(mut block) = found.pop_front().filter(|_| !self.has_ended) {
            let records = self.end(&mut block);
            self.held.push_back((block, records));
            self.held_records += records;
        }
        while let Some((block, records)) = self.held.pop_front() {
            if self.held_records - records < self.footer.records {
                self.held.push_front((block, records));
                break;
            }
            self.held_records -= records;
            blocks.push_back(block);
        }
    }

    /// Ends a block before the footer's first record, and gives how many records it has then.
    fn end(&mut self, block: &mut Block) -> usize {
        let mut count = block.broken.len();
        for index in 0..block.pieces.len() {
            let piece = &mut block.pieces[index];
            let mut records = Records::new(self.dialect);
            let mut at = 0;
            while let Some(range) = records.next(&piece.bytes[at..]) {
                let starts = &self.footer.starts;
                if starts
                    .as_ref()
                    .is_some_and(|starts| starts.is_match(records.field(0)))
                {
                    piece.bytes.truncate(at + range.start);
                    block.pieces.truncate(index + 1);
                    self.has_ended = true;
                    return count;
                }
                at += range.end;
                count += 1;
            }
        }
        count
    }

    /// Leaves out the last records of what is held.
    fn shorten(&mut self) {
        let mut left = self.footer.records;
        while let Some((block, records)) = self.held.back_mut() {
            if *records > left {
                keep(block, *records - left, self.dialect);
                return;
            }
            left -= *records;
            self.held.pop_back();
        }
    }
}

/// Keeps the first records of a block, which has either pieces or broken records.
fn keep(block: &mut Block, records: usize, dialect: Dialect) {
    block.broken.truncate(records);
    let mut left = records;
    for piece in &mut block.pieces {
        let mut reader = Records::new(dialect);
        let mut at = 0;
        while left > 0
            && let Some(range) = reader.next(&piece.bytes[at..])
        {
            at += range.end;
            left -= 1;
        }
        piece.bytes.truncate(at);
    }
}

impl Cut for Footed {
    type Block = Block;

    fn feed(&mut self, chunk: Bytes, blocks: &mut VecDeque<Block>) -> Result<(), FormatError> {
        if !self.is_declared() {
            return self.cutter.feed(chunk, blocks);
        }
        if self.has_ended {
            return Ok(());
        }
        let mut found = VecDeque::new();
        self.cutter.feed(chunk, &mut found)?;
        self.take(found, blocks);
        Ok(())
    }

    fn finish(&mut self, blocks: &mut VecDeque<Block>) -> Result<(), FormatError> {
        if !self.is_declared() {
            return self.cutter.finish(blocks);
        }
        let mut found = VecDeque::new();
        if !self.has_ended {
            self.cutter.finish(&mut found)?;
        }
        self.take(found, blocks);
        self.shorten();
        blocks.extend(self.held.drain(..).map(|(block, _)| block));
        Ok(())
    }
}
