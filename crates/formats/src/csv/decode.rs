//! A block of whole records → batches of views into it.

use arrow::datatypes::SchemaRef;
use bytes::Bytes;

use crate::columns::TextColumn;
use crate::csv::Place;
use crate::csv::batch::Batch;
use crate::csv::dialect::Dialect;
use crate::csv::index::{Index, Odd};
use crate::csv::pieces::ReadPieces;
use crate::csv::scan::Piece;
use crate::csv::strict::Records;
use crate::csv::window::is_line_end;
use crate::decoded::BrokenRecord;
use crate::spec::ShortRecords;

/// What all blocks of one reading have in common.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    /// Fields of a whole record.
    pub(crate) fields: usize,
    pub(crate) projection: Vec<usize>,
    /// The projected columns.
    pub(crate) schema: SchemaRef,
    pub(crate) batch_rows: usize,
    pub(crate) record_bytes_max: usize,
    pub(crate) short_records: ShortRecords,
    /// Records that repeat one of these are dropped; each has a cell per field, of which several are filled.
    pub(crate) headers: Vec<Vec<String>>,
    pub(crate) place: Place,
}

impl ReadPieces for Decoder {
    type Reading = Reading;

    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    fn begin(&self, piece: Piece) -> Reading {
        Reading::new(piece, self)
    }

    fn read(&self, reading: &mut Reading, batch: &mut Batch) -> bool {
        reading.read(self, batch)
    }

    fn bytes(reading: &Reading) -> &Bytes {
        &reading.piece.bytes
    }
}

/// A piece, and how far it is read.
pub(crate) struct Reading {
    piece: Piece,
    /// Where the next record starts, or an empty line before it.
    position: usize,
    /// The next record's number.
    row: i64,
    way: Way,
}

enum Way {
    Fast(Index),
    Strict(Box<Records>),
}

impl Reading {
    fn new(piece: Piece, decoder: &Decoder) -> Self {
        let bytes = &piece.bytes;
        let plain = memchr::memchr(0, bytes).is_none() && simdutf8::basic::from_utf8(bytes).is_ok();
        // Comments stand between the windows' records.
        let plain = plain && decoder.dialect.comment.is_none();
        let way = match plain {
            true => Way::Fast(Index::new(bytes, decoder.dialect)),
            false => Way::Strict(Box::new(Records::new(decoder.dialect))),
        };
        Self {
            position: 0,
            row: piece.row,
            way,
            piece,
        }
    }

    /// Reads until the batch is full or the piece is at its end, which it says.
    fn read(&mut self, decoder: &Decoder, batch: &mut Batch) -> bool {
        if let Way::Fast(index) = &mut self.way {
            let wanted = decoder.batch_rows - batch.records();
            match fast(
                index,
                &self.piece.bytes,
                self.position,
                wanted,
                decoder,
                batch,
            ) {
                Ok(read) => {
                    batch.rows.extend(self.row..self.row + read.records as i64);
                    self.row += read.records as i64;
                    self.position = read.position;
                    return read.records < wanted;
                }
                Err(Odd) => self.way = Way::Strict(Box::new(Records::new(decoder.dialect))),
            }
        }
        if let Way::Strict(records) = &mut self.way {
            while batch.records() < decoder.batch_rows {
                let rest = &self.piece.bytes[self.position..];
                let Some(range) = records.next(rest) else {
                    return true;
                };
                let byte = self.piece.byte + (self.position + range.start) as u64;
                strict(
                    records,
                    &rest[range.clone()],
                    self.row,
                    byte,
                    decoder,
                    batch,
                );
                self.row += 1;
                self.position += range.end;
            }
        }
        false
    }
}

/// What [`fast`] read.
struct Read {
    records: usize,
    position: usize,
}

/// The next records by their field ends: column by column, because a column's values are alike.
fn fast(
    index: &mut Index,
    bytes: &[u8],
    position: usize,
    wanted: usize,
    decoder: &Decoder,
    batch: &mut Batch,
) -> Result<Read, Odd> {
    let fields = decoder.fields;
    // Without a quote character there are no quotes.
    let quote = decoder.dialect.quote.unwrap_or_default();
    let has_quotes = index.has_quotes();
    index.fill(bytes, wanted)?;
    let has_escapes = index.has_escapes();
    let ends = index.ends(fields, wanted)?;
    let records = ends.len() / fields;
    if bytes.len() > decoder.record_bytes_max {
        within(ends, fields, position, decoder.record_bytes_max)?;
    }
    for header in &decoder.headers {
        differs(ends, bytes, position, quote, header)?;
    }
    let buffer = batch.buffers.len() as u32;
    for (column, &field) in batch.columns.iter_mut().zip(&decoder.projection) {
        let places = Places {
            bytes,
            ends,
            fields,
            field,
            start: position,
        };
        if has_quotes {
            column.reserve(records);
            places.for_each(|start, end| {
                push_quoted(column, bytes, start, end, buffer, quote, has_escapes)
            });
        } else if field == 0 {
            column.reserve(records);
            places.for_each(|start, end| column.push(bytes, start, end, buffer));
        } else {
            let between = |record: &[u32]| (record[field - 1] as usize + 1, record[field] as usize);
            column.extend(bytes, buffer, ends.chunks_exact(fields).map(between));
        }
    }
    let position = ends
        .last()
        .map_or(position, |end| (*end as usize + 1).min(bytes.len()));
    index.forget(fields, records);
    Ok(Read { records, position })
}

/// Where the values of one column stand.
struct Places<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
    fields: usize,
    field: usize,
    start: usize,
}

impl Places<'_> {
    fn for_each(&self, mut each: impl FnMut(usize, usize)) {
        let mut start = self.start;
        for record in self.ends.chunks_exact(self.fields) {
            if self.field == 0 {
                // The second half of a CRLF, and empty lines.
                while is_line_end(self.bytes[start]) {
                    start += 1;
                }
                each(start, record[0] as usize);
                start = record[self.fields - 1] as usize + 1;
            } else {
                each(
                    record[self.field - 1] as usize + 1,
                    record[self.field] as usize,
                );
            }
        }
    }
}

/// Whether no record is longer than it may be.
fn within(ends: &[u32], fields: usize, mut start: usize, bytes_max: usize) -> Result<(), Odd> {
    for record in ends.chunks_exact(fields) {
        let end = record[fields - 1] as usize;
        if end - start > bytes_max {
            return Err(Odd);
        }
        start = end + 1;
    }
    Ok(())
}

/// Whether no record looks like the header: its first and last cells tell.
fn differs(
    ends: &[u32],
    bytes: &[u8],
    mut start: usize,
    quote: u8,
    header: &[String],
) -> Result<(), Odd> {
    let [first, .., last] = header else {
        return Ok(());
    };
    let bare = |field: &[u8], cell: &str| {
        field == cell.as_bytes()
            || (field.first() == Some(&quote)
                && field.get(1..1 + cell.len()) == Some(cell.as_bytes()))
    };
    for record in ends.chunks_exact(header.len()) {
        let end = record[0] as usize;
        // Line ends before the record are no part of its first cell.
        let field = &bytes[start..end];
        if field.len() >= first.len()
            && bare(field.trim_ascii_start(), first.trim_ascii_start())
            && bare(
                &bytes[record[header.len() - 2] as usize + 1..record[header.len() - 1] as usize],
                last,
            )
        {
            return Err(Odd);
        }
        start = record[header.len() - 1] as usize + 1;
    }
    Ok(())
}

#[inline]
fn push_quoted(
    column: &mut TextColumn,
    bytes: &[u8],
    start: usize,
    end: usize,
    buffer: u32,
    quote: u8,
    has_escapes: bool,
) {
    if end < start + 2 || bytes[start] != quote {
        return column.push(bytes, start, end, buffer);
    }
    let (start, end) = (start + 1, end - 1);
    if !has_escapes || memchr::memchr(quote, &bytes[start..end]).is_none() {
        return column.push(bytes, start, end, buffer);
    }
    let mut value = Vec::with_capacity(end - start);
    let mut rest = &bytes[start..end];
    while let Some(position) = memchr::memchr(quote, rest) {
        value.extend_from_slice(&rest[..=position]);
        // The second of the pair.
        rest = rest.get(position + 2..).unwrap_or_default();
    }
    value.extend_from_slice(rest);
    column.push_own(&value);
}

/// One record with all that can be wrong with it.
fn strict(
    records: &Records,
    raw: &[u8],
    row: i64,
    byte: u64,
    decoder: &Decoder,
    batch: &mut Batch,
) {
    let end = raw
        .iter()
        .rposition(|byte| !is_line_end(*byte))
        .map_or(0, |last| last + 1);
    let raw = &raw[..end];
    let is = |header: &Vec<String>| {
        header.len() == records.len()
            && records
                .fields()
                .zip(header)
                .all(|(field, cell)| field == cell.as_bytes())
    };
    if decoder.headers.iter().any(is) {
        return batch.dropped.push(row);
    }
    match fault(records, raw, decoder) {
        Some(reason) => batch.broken.push(BrokenRecord::new(
            row,
            decoder.place.byte(byte),
            reason,
            raw,
        )),
        None => {
            for (column, &field) in batch.columns.iter_mut().zip(&decoder.projection) {
                column.push_own(if field < records.len() {
                    records.field(field)
                } else {
                    b""
                });
            }
            batch.rows.push(row);
        }
    }
}

fn fault(records: &Records, raw: &[u8], decoder: &Decoder) -> Option<String> {
    if raw.len() > decoder.record_bytes_max {
        return Some(format!(
            "the record is longer than {} bytes",
            decoder.record_bytes_max
        ));
    }
    if memchr::memchr(0, raw).is_some() {
        return Some("it holds a NUL byte".to_owned());
    }
    // A pair of quotes, or text after one, can make invalid text of valid bytes or hide it: both are looked at.
    let invalid = simdutf8::compat::from_utf8(raw)
        .err()
        .map(|error| error.valid_up_to());
    if let Some(valid) = invalid.or_else(|| {
        records
            .fields()
            .any(|field| simdutf8::basic::from_utf8(field).is_err())
            .then_some(0)
    }) {
        return Some(decoder.place.invalid(valid));
    }
    let (found, wanted) = (records.len(), decoder.fields);
    if found < wanted && decoder.short_records == ShortRecords::Fill {
        return None;
    }
    (found != wanted).then(|| {
        format!(
            "it has {found} field{}, the header has {wanted}",
            if found == 1 { "" } else { "s" }
        )
    })
}
