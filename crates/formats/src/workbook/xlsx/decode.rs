//! A sheet's rows as blocks, and blocks as batches.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use memchr::memmem;

use crate::blocks::{Batches, Cut, Decode};
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::workbook::batch::{Building, Taken};
use crate::workbook::fill::Filling;
use crate::workbook::row::Row;
use crate::workbook::strings::Strings;
use crate::workbook::table::Table;
use crate::workbook::value::{DateSystem, Shown};
use crate::workbook::xlsx::Xlsx;
use crate::workbook::xlsx::cells::{Book, Rows};
use crate::workbook::xlsx::pieces::Pieces;

/// Whole rows.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    /// The first row's number, where it does not say its own.
    pub(crate) first_row: u32,
}

/// Cuts a sheet into blocks of rows.
#[derive(Debug)]
pub(crate) struct Cutter {
    name: String,
    pieces: Pieces,
    next_row: u32,
}

impl Cutter {
    pub(crate) fn new(name: String, row_bytes_max: usize) -> Self {
        Self {
            name,
            pieces: Pieces::new("sheetData", "row", row_bytes_max),
            next_row: 1,
        }
    }

    pub(crate) fn piece(&mut self, chunk: &[u8]) -> Result<Option<Piece>, FormatError> {
        let name = &self.name;
        let piece = self
            .pieces
            .feed(chunk)
            .map_err(|reason| FormatError::Workbook {
                name: name.clone(),
                reason,
            })?;
        Ok(piece.map(|bytes| {
            let first_row = self.next_row;
            self.next_row = next_row(&bytes, first_row);
            Piece { bytes, first_row }
        }))
    }

    pub(crate) fn ended(&self) -> Result<(), FormatError> {
        self.pieces
            .finish()
            .map_err(|reason| FormatError::Workbook {
                name: self.name.clone(),
                reason,
            })
    }
}

/// The number that follows a piece's last row. Most programs number every row, so looking at the last is enough.
fn next_row(piece: &[u8], first: u32) -> u32 {
    let number = |tag: &[u8]| -> Option<u32> {
        let tag = &tag[..memchr::memchr(b'>', tag).unwrap_or(tag.len())];
        let digits = &tag[memmem::find(tag, b" r=\"")? + 4..];
        std::str::from_utf8(&digits[..memchr::memchr(b'"', digits)?])
            .ok()?
            .parse()
            .ok()
    };
    let is_row = |at: &usize| {
        let opens = match at.checked_sub(1).map(|before| piece[before]) {
            Some(b'<') => true,
            // A prefix stands before the name; a closing tag has a slash before that.
            Some(b':') => piece[..*at]
                .iter()
                .rposition(|byte| *byte == b'<')
                .is_some_and(|open| piece.get(open + 1) != Some(&b'/')),
            _ => false,
        };
        opens
            && piece
                .get(at + 3)
                .is_some_and(|after| b" \t\r\n>/".contains(after))
    };
    let last = memmem::rfind_iter(piece, b"row").find(is_row);
    if let Some(number) = last.and_then(|at| number(&piece[at..])) {
        return number.saturating_add(1);
    }
    memmem::find_iter(piece, b"row")
        .filter(is_row)
        .fold(first, |next, at| {
            number(&piece[at..]).unwrap_or(next).saturating_add(1)
        })
}

impl Cut for Cutter {
    type Block = Piece;

    fn feed(&mut self, chunk: Bytes, blocks: &mut VecDeque<Piece>) -> Result<(), FormatError> {
        blocks.extend(self.piece(&chunk)?);
        Ok(())
    }

    fn finish(&mut self, _blocks: &mut VecDeque<Piece>) -> Result<(), FormatError> {
        self.ended()
    }
}

/// Makes batches of blocks.
#[derive(Debug)]
pub(crate) struct Decoder {
    name: String,
    table: Table,
    projection: Vec<usize>,
    strings: Arc<Strings>,
    styles: Vec<Shown>,
    system: DateSystem,
    batch_rows: usize,
    text_bytes_max: usize,
    /// A footer was seen; blocks come in order then.
    ended: AtomicBool,
    filling: Mutex<Filling>,
}

impl Decoder {
    pub(crate) fn new(workbook: &Xlsx, table: &Table, projection: &[usize]) -> Self {
        Self {
            name: workbook.package.part.name.clone(),
            table: table.clone(),
            projection: projection.to_vec(),
            strings: Arc::clone(&workbook.strings),
            styles: workbook.package.styles.clone(),
            system: workbook.package.system,
            batch_rows: workbook.package.options.batch_rows(),
            text_bytes_max: workbook.package.options.record_bytes_max,
            ended: AtomicBool::new(false),
            filling: Mutex::default(),
        }
    }

    fn batches(&self, piece: &Piece) -> Result<Vec<Decoded>, FormatError> {
        if self.ended.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let damaged = |reason: String| FormatError::Workbook {
            name: self.name.clone(),
            reason,
        };
        let book = Book {
            strings: &self.strings,
            styles: &self.styles,
            system: self.system,
        };
        let mut rows =
            Rows::new(&piece.bytes, piece.first_row, book, self.text_bytes_max).map_err(damaged)?;
        let building = || Building::new(&self.table.layout, &self.projection, &self.strings);
        let (mut batches, mut batch, mut row) = (Vec::new(), building(), Row::default());
        while rows.next(&mut row).map_err(damaged)? {
            let taken = match self.table.layout.fills() {
                true => self
                    .filling
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(&mut batch, &mut row),
                false => batch.push(&row),
            };
            if taken == Taken::Ended {
                self.ended.store(true, Ordering::Relaxed);
                break;
            }
            if batch.is_full(self.batch_rows) {
                batches.push(
                    std::mem::replace(&mut batch, building())
                        .finish(&self.name, &self.table.schema)?,
                );
            }
        }
        if batch.len() > 0 {
            batches.push(batch.finish(&self.name, &self.table.schema)?);
        }
        Ok(batches)
    }
}

impl Decode<Piece> for Decoder {
    fn decode(self: &Arc<Self>, piece: Piece) -> Batches {
        match self.batches(&piece) {
            Ok(batches) => Box::new(batches.into_iter().map(Ok)),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}
