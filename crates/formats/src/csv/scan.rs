//! The sequential scan: it cuts text into blocks of whole records and numbers them.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::blocks::Cut;
use crate::csv::Place;
use crate::csv::dialect::Dialect;
use crate::csv::window::{Masks, Quoting, State, WIDTH, is_line_end, window};
use crate::decoded::BrokenRecord;
use crate::error::FormatError;

/// Whole records, for one decoder.
#[derive(Debug)]
pub(crate) struct Block {
    /// At most two: a record that chunks divided, put together, and the rest of a chunk as it was read.
    pub(crate) pieces: Vec<Piece>,
    /// Records that could not be told apart from what follows.
    pub(crate) broken: Vec<BrokenRecord>,
}

/// Whole records that lie side by side.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    /// Where they start in the data.
    pub(crate) byte: u64,
    /// The number of the first record.
    pub(crate) row: i64,
}

/// Cuts at record ends.
#[derive(Debug)]
pub(crate) struct Cutter {
    dialect: Dialect,
    record_bytes_max: usize,
    place: Place,
    state: State,
    /// The number of the next record.
    row: i64,
    /// Where the next chunk starts in the data.
    position: u64,
    /// A record's beginning, whose end was not seen; it starts with no line end.
    tail: Vec<u8>,
    tail_byte: u64,
    /// Inside a record that is too long, whose end is looked for.
    skips: bool,
}

/// The record ends in one chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ends {
    /// First and last, where there are any.
    outer: Option<(usize, usize)>,
    count: usize,
    /// After them, where the line ends in which a quote was left open: the rest of the chunk was not looked at.
    open_line: Option<Seen>,
}

/// A place in what was seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Tail(usize),
    Chunk(usize),
}

impl Ends {
    fn add(&mut self, position: usize) {
        let first = self.outer.map_or(position, |(first, _)| first);
        self.outer = Some((first, position));
        self.count += 1;
    }
}

impl Cutter {
    pub(crate) fn new(dialect: Dialect, record_bytes_max: usize, place: Place) -> Self {
        let state = State::Line;
        Self {
            dialect,
            record_bytes_max,
            place,
            state,
            row: 1,
            position: 0,
            tail: Vec::new(),
            tail_byte: 0,
            skips: false,
        }
    }

    /// Takes a chunk that starts at `byte`; what must be looked at once more is pushed on `again`.
    fn take(
        &mut self,
        chunk: Bytes,
        byte: u64,
        again: &mut Vec<(Bytes, u64)>,
        blocks: &mut VecDeque<Block>,
    ) {
        if self.skips {
            if let Some(end) = memchr::memchr2(b'\n', b'\r', &chunk) {
                self.skips = false;
                self.state = State::Line;
                again.push((chunk.slice(end..), byte + end as u64));
            }
            return;
        }
        let ends = self.ends(&chunk);
        let rest = ends.outer.map_or(0, |outer| {
            self.push_whole(&chunk, byte, outer, ends.count, blocks)
        });
        if let Some(line) = ends.open_line {
            return self.give_up_line(line, (chunk, byte, rest), again, blocks);
        }
        self.keep(&chunk[rest..], byte + rest as u64);
        if ends.outer.is_none() && self.tail.len() > self.record_bytes_max {
            self.give_up(again, blocks);
        }
    }

    /// Sends the chunk's whole records on, the first of them with the tail, and says where the rest starts.
    fn push_whole(
        &mut self,
        chunk: &Bytes,
        byte: u64,
        (first, last): (usize, usize),
        count: usize,
        blocks: &mut VecDeque<Block>,
    ) -> usize {
        let mut pieces = Vec::with_capacity(2);
        let mut start = 0;
        if !self.tail.is_empty() {
            start = first + 1;
            let mut seam = std::mem::take(&mut self.tail);
            seam.extend_from_slice(&chunk[..start]);
            pieces.push(Piece {
                bytes: Bytes::from(seam),
                byte: self.tail_byte,
                row: self.row,
            });
            self.row += 1;
        }
        let records = count - pieces.len();
        if records > 0 {
            pieces.push(Piece {
                bytes: chunk.slice(start..=last),
                byte: byte + start as u64,
                row: self.row,
            });
            self.row += records as i64;
        }
        blocks.push_back(Block {
            pieces,
            broken: Vec::new(),
        });
        last + 1
    }

    /// Puts the beginning of a record aside; empty lines before it are nothing.
    fn keep(&mut self, bytes: &[u8], byte: u64) {
        let empty = match self.tail.is_empty() {
            true => bytes.iter().take_while(|byte| is_line_end(**byte)).count(),
            false => 0,
        };
        if self.tail.is_empty() {
            self.tail_byte = byte + empty as u64;
        }
        self.tail.extend_from_slice(&bytes[empty..]);
    }

    /// The tail is no record. Where a quote is open, only what stands up to the end of the quote's line is given up: all after it was
    /// swallowed.
    fn give_up(&mut self, again: &mut Vec<(Bytes, u64)>, blocks: &mut VecDeque<Block>) {
        let tail = Bytes::from(std::mem::take(&mut self.tail));
        let open = self.state == State::Quoted;
        let line = open_quote(&tail, self.dialect)
            .filter(|_| open)
            .and_then(|quote| line_end(&tail, quote));
        let reason = match open {
            true => "a quote is opened and never closed".to_owned(),
            false => format!("the record is longer than {} bytes", self.record_bytes_max),
        };
        self.push_broken(&tail[..line.unwrap_or(tail.len())], reason, blocks);
        match line {
            Some(line) => {
                self.state = State::Line;
                again.push((tail.slice(line..), self.tail_byte + line as u64));
            }
            None => self.skips = true,
        }
    }

    /// A quote was left open, for what seems to close it lines below has text behind it, as an opening one has. Only its own line is lost.
    fn give_up_line(
        &mut self,
        line: Seen,
        (chunk, byte, rest): (Bytes, u64, usize),
        again: &mut Vec<(Bytes, u64)>,
        blocks: &mut VecDeque<Block>,
    ) {
        let raw = match line {
            Seen::Tail(line) => {
                let tail = Bytes::from(std::mem::take(&mut self.tail));
                again.push((chunk, byte));
                again.push((tail.slice(line..), self.tail_byte + line as u64));
                tail.slice(..line)
            }
            Seen::Chunk(line) => {
                self.keep(&chunk[rest..line], byte + rest as u64);
                again.push((chunk.slice(line..), byte + line as u64));
                Bytes::from(std::mem::take(&mut self.tail))
            }
        };
        let reason =
            "a quote is opened and never closed: the next one, in a line below, has text behind it";
        self.push_broken(&raw, reason.to_owned(), blocks);
        self.state = State::Line;
    }

    /// The next record, which starts where the tail does, is broken.
    fn push_broken(&mut self, raw: &[u8], reason: String, blocks: &mut VecDeque<Block>) {
        let byte = self.place.byte(self.tail_byte);
        let broken = BrokenRecord::new(self.row, byte, reason, raw);
        self.row += 1;
        blocks.push_back(Block {
            pieces: Vec::new(),
            broken: vec![broken],
        });
    }

    /// All record ends of a chunk; the state moves to its end.
    fn ends(&mut self, chunk: &[u8]) -> Ends {
        if self.dialect.comment.is_some() {
            return self.ends_by_byte(chunk);
        }
        let is_outside = !matches!(self.state, State::Quoted | State::Closed);
        if is_outside && !self.dialect.is_quoted(chunk) {
            return self.ends_without_quotes(chunk);
        }
        self.ends_in_pairs(chunk)
            .unwrap_or_else(|| self.ends_by_byte(chunk))
    }

    fn ends_without_quotes(&mut self, chunk: &[u8]) -> Ends {
        let (Some(&first), Some(&last)) = (chunk.first(), chunk.last()) else {
            return Ends::default();
        };
        let starts_empty = self.state == State::Line;
        self.state = match last {
            last if is_line_end(last) => State::Line,
            last if last == self.dialect.delimiter => State::Field,
            _ => State::Text,
        };
        let count = count_runs(chunk) + usize::from(is_line_end(first) && !starts_empty);
        if count == 0 {
            return Ends::default();
        }
        let skipped = if starts_empty {
            chunk.iter().take_while(|byte| is_line_end(**byte)).count()
        } else {
            0
        };
        let first =
            memchr::memchr2(b'\n', b'\r', &chunk[skipped..]).map(|position| skipped + position);
        let last = memchr::memrchr2(b'\n', b'\r', chunk).map(|end| {
            let run = chunk[..end]
                .iter()
                .rev()
                .take_while(|byte| is_line_end(**byte))
                .count();
            end - run
        });
        Ends {
            outer: first.zip(last),
            count,
            open_line: None,
        }
    }

    /// None, and the state as it was, where quotes do not come in pairs.
    fn ends_in_pairs(&mut self, chunk: &[u8]) -> Option<Ends> {
        let mut ends = Ends::default();
        let mut quoting = Quoting::from(self.state);
        for start in (0..chunk.len()).step_by(WIDTH) {
            let (window, width) = window(chunk, start);
            let mut record_ends = quoting
                .step(Masks::of(&window, self.dialect), width)?
                .record_ends;
            while record_ends != 0 {
                ends.add(start + record_ends.trailing_zeros() as usize);
                record_ends &= record_ends - 1;
            }
        }
        self.state = quoting.state();
        Some(ends)
    }

    fn ends_by_byte(&mut self, chunk: &[u8]) -> Ends {
        let mut ends = Ends::default();
        let mut quote = None;
        for (position, byte) in chunk.iter().enumerate() {
            let before = self.state;
            if self.state.step(*byte, self.dialect) {
                ends.add(position);
            }
            if self.state.opens_after(before) {
                quote = Some(position);
            }
            if (before, self.state) == (State::Closed, State::Text) {
                ends.open_line = self.line_within(quote, &chunk[..position]);
                if ends.open_line.is_some() {
                    break;
                }
            }
        }
        ends
    }

    /// Where the first line ends in the field that began with a quote: in the chunk, or else in the tail.
    fn line_within(&self, quote: Option<usize>, chunk: &[u8]) -> Option<Seen> {
        if let Some(quote) = quote {
            return line_end(chunk, quote).map(Seen::Chunk);
        }
        let quote = open_quote(&self.tail, self.dialect)?;
        let in_tail = line_end(&self.tail, quote).map(Seen::Tail);
        in_tail.or_else(|| line_end(chunk, 0).map(Seen::Chunk))
    }
}

/// Where the last field that begins with a quote begins, in text that starts with a record.
fn open_quote(text: &[u8], dialect: Dialect) -> Option<usize> {
    let mut state = State::Line;
    let mut quote = None;
    for (position, byte) in text.iter().enumerate() {
        let before = state;
        state.step(*byte, dialect);
        if state.opens_after(before) {
            quote = Some(position);
        }
    }
    quote
}

/// The first line end from a place on.
fn line_end(text: &[u8], from: usize) -> Option<usize> {
    memchr::memchr2(b'\n', b'\r', &text[from..]).map(|position| from + position)
}

/// How many runs of line ends begin after the first byte.
fn count_runs(bytes: &[u8]) -> usize {
    // Sums of 255 flags fit a byte, which compiles to vector instructions.
    let before = bytes.chunks(255);
    let after = bytes.get(1..).unwrap_or_default().chunks(255);
    before
        .zip(after)
        .map(|(before, after)| {
            let begins =
                |(before, after): (&u8, &u8)| u8::from(!is_line_end(*before) & is_line_end(*after));
            usize::from(before.iter().zip(after).map(begins).sum::<u8>())
        })
        .sum()
}

impl Cut for Cutter {
    type Block = Block;

    fn feed(&mut self, chunk: Bytes, blocks: &mut VecDeque<Block>) -> Result<(), FormatError> {
        let byte = self.position;
        self.position += chunk.len() as u64;
        let mut again = vec![(chunk, byte)];
        while let Some((chunk, byte)) = again.pop() {
            self.take(chunk, byte, &mut again, blocks);
        }
        Ok(())
    }

    fn finish(&mut self, blocks: &mut VecDeque<Block>) -> Result<(), FormatError> {
        while !self.tail.is_empty() {
            if self.state != State::Quoted {
                let bytes = Bytes::from(std::mem::take(&mut self.tail));
                blocks.push_back(Block {
                    pieces: vec![Piece {
                        bytes,
                        byte: self.tail_byte,
                        row: self.row,
                    }],
                    broken: Vec::new(),
                });
                self.row += 1;
                continue;
            }
            let mut again = Vec::new();
            self.give_up(&mut again, blocks);
            while let Some((chunk, byte)) = again.pop() {
                self.take(chunk, byte, &mut again, blocks);
            }
        }
        Ok(())
    }
}
