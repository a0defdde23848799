//! The binary form of COPY, straight into columns.
//!
//! Reference: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format": a header, tuples of length-prefixed
//! fields, a trailer.

use sectorlake_connector::{ConnectorError, ErrorKind};

use super::numeric;
use super::types::Wire;
use crate::cells::{Cells, Rows};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Microseconds, and days, from 1970 to 2000.
const EPOCH_US: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;
/// Days and microseconds around 1970 that a calendar of ours reaches: 262,000 years each way.
const DAYS_MAX: u32 = 95_000_000;
const US_MAX: u64 = DAYS_MAX as u64 * 86_400_000_000;
/// Bytes of one row, at most; PostgreSQL itself stops at 1 GB a value.
const ROW_BYTES_MAX: usize = 1 << 30;

/// Reads a COPY as it comes, whatever pieces it comes in.
#[derive(Debug)]
pub(crate) struct Decoder {
    wires: Vec<Wire>,
    /// What is left of a piece that ended within a row.
    left: Vec<u8>,
    stage: Stage,
    rows: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Header,
    Tuples,
    Done,
}

impl Decoder {
    pub(crate) fn new(wires: Vec<Wire>) -> Self {
        Self {
            wires,
            left: Vec::new(),
            stage: Stage::Header,
            rows: 0,
        }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// For bytes that are no COPY of these columns, with the row.
    pub(crate) fn feed(&mut self, piece: &[u8], rows: &mut Rows) -> Result<(), ConnectorError> {
        if self.left.is_empty() {
            let used = self.read(piece, rows)?;
            self.left.extend_from_slice(&piece[used..]);
        } else {
            let mut bytes = std::mem::take(&mut self.left);
            bytes.extend_from_slice(piece);
            let used = self.read(&bytes, rows)?;
            bytes.drain(..used);
            self.left = bytes;
        }
        match self.left.len() > ROW_BYTES_MAX {
            true => Err(self.wrong("a row is larger than 1 GiB")),
            false => Ok(()),
        }
    }

    /// To be called at the end.
    ///
    /// # Errors
    /// When the trailer has not come.
    pub(crate) fn end(&self) -> Result<(), ConnectorError> {
        match self.stage {
            Stage::Done if self.left.is_empty() => Ok(()),
            _ => Err(ConnectorError::new(
                ErrorKind::Truncated,
                format!("the rows broke off after {}", self.rows),
            )),
        }
    }

    /// Reads whole rows; gives how many bytes they were.
    fn read(&mut self, bytes: &[u8], rows: &mut Rows) -> Result<usize, ConnectorError> {
        let mut used = 0;
        if self.stage == Stage::Header {
            let Some(length) = header(bytes).map_err(|what| self.wrong(what))? else {
                return Ok(0);
            };
            used = length;
            self.stage = Stage::Tuples;
        }
        while self.stage == Stage::Tuples {
            let rest = &bytes[used..];
            let Some(count) = rest.first_chunk().map(|count| i16::from_be_bytes(*count)) else {
                break;
            };
            if count == -1 {
                used += 2;
                self.stage = Stage::Done;
                break;
            }
            if usize::try_from(count) != Ok(self.wires.len()) {
                return Err(self.wrong(&format!(
                    "a row has {count} values, not {}",
                    self.wires.len()
                )));
            }
            let Some(length) = self.tuple_length(rest)? else {
                break;
            };
            self.tuple(&rest[2..length], rows)?;
            rows.row(length);
            self.rows += 1;
            used += length;
        }
        match self.stage == Stage::Done && used < bytes.len() {
            true => Err(self.wrong("bytes follow the end")),
            false => Ok(used),
        }
    }

    /// How long a row is, if it is all there.
    fn tuple_length(&self, bytes: &[u8]) -> Result<Option<usize>, ConnectorError> {
        let mut at = 2;
        for _ in &self.wires {
            let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
                return Ok(None);
            };
            at += 4;
            match i32::from_be_bytes(*length) {
                -1 => {}
                length => match usize::try_from(length) {
                    Ok(length) if length <= ROW_BYTES_MAX => at += length,
                    _ => return Err(self.wrong(&format!("a value has {length} bytes"))),
                },
            }
        }
        Ok((at <= bytes.len()).then_some(at))
    }

    /// The fields of a row that is all there.
    fn tuple(&self, mut bytes: &[u8], rows: &mut Rows) -> Result<(), ConnectorError> {
        for (column, wire) in self.wires.iter().enumerate() {
            let Some((length, rest)) = bytes.split_first_chunk() else {
                return Err(self.wrong("a row is cut short"));
            };
            let length = i32::from_be_bytes(*length);
            if length < 0 {
                rows.columns[column].null();
                bytes = rest;
                continue;
            }
            let Some((field, rest)) = rest.split_at_checked(length as usize) else {
                return Err(self.wrong("a row is cut short"));
            };
            value(*wire, field, column, rows)
                .map_err(|what| self.wrong(&format!("value {} {what}", column + 1)))?;
            bytes = rest;
        }
        Ok(())
    }

    fn wrong(&self, what: &str) -> ConnectorError {
        ConnectorError::new(ErrorKind::Invalid, format!("row {} of COPY cannot be read: {what}", self.rows + 1))
            .with_help("is a proxy between us and PostgreSQL that changes what it says? else please report this")
    }
}

/// How long the header is, if it is all there.
fn header(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes[..known] != SIGNATURE[..known] {
        return Err("it does not begin as a binary COPY");
    }
    let Some(rest) = bytes.get(SIGNATURE.len()..) else {
        return Ok(None);
    };
    let (Some(flags), Some(extension)) = (
        rest.first_chunk(),
        rest.get(4..).and_then(|rest| rest.first_chunk()),
    ) else {
        return Ok(None);
    };
    // The upper half are those that a reader must know.
    if u32::from_be_bytes(*flags) >> 16 != 0 {
        return Err("its header has a flag that is not known");
    }
    let extension = u32::from_be_bytes(*extension) as usize;
    if extension > ROW_BYTES_MAX {
        return Err("its header is too long");
    }
    let length = SIGNATURE.len() + 8 + extension;
    Ok((length <= bytes.len()).then_some(length))
}

type Wrong = String;

fn fixed<const N: usize>(field: &[u8]) -> Result<[u8; N], Wrong> {
    field
        .try_into()
        .map_err(|_| format!("has {} bytes, not {N}", field.len()))
}

fn text(field: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(field).map_err(|error| format!("is no UTF-8: {error}"))
}

/// One value into its column.
fn value(wire: Wire, field: &[u8], column: usize, rows: &mut Rows) -> Result<(), Wrong> {
    match (wire, &mut rows.columns[column]) {
        (Wire::Bool, Cells::Bool(cells)) => cells.append_value(fixed::<1>(field)?[0] != 0),
        (Wire::I16, Cells::I16(cells)) => cells.append_value(i16::from_be_bytes(fixed(field)?)),
        (Wire::I32, Cells::I32(cells)) => cells.append_value(i32::from_be_bytes(fixed(field)?)),
        (Wire::I64, Cells::I64(cells)) => cells.append_value(i64::from_be_bytes(fixed(field)?)),
        (Wire::F32, Cells::F32(cells)) => cells.append_value(f32::from_be_bytes(fixed(field)?)),
        (Wire::F64, Cells::F64(cells)) => cells.append_value(f64::from_be_bytes(fixed(field)?)),
        (Wire::Text, Cells::Text(cells)) => cells.append_value(text(field)?),
        (Wire::Jsonb, Cells::Text(cells)) => match field.split_first() {
            Some((1, json)) => cells.append_value(text(json)?),
            _ => return Err("is jsonb of a version that is not known".to_owned()),
        },
        (Wire::Bytes, Cells::Binary(cells)) => cells.append_value(field),
        (Wire::Uuid, Cells::Text(cells)) => cells.append_value(uuid(fixed(field)?)),
        (Wire::Time, Cells::Text(cells)) => {
            cells.append_value(time(i64::from_be_bytes(fixed(field)?)))
        }
        (Wire::Date, Cells::Date(cells)) => match i32::from_be_bytes(fixed(field)?) {
            i32::MAX | i32::MIN => rows.replace(column, "infinity"),
            days => match days.checked_add(EPOCH_DAYS) {
                Some(days) if days.unsigned_abs() <= DAYS_MAX => cells.append_value(days),
                _ => rows.replace(column, "out of range"),
            },
        },
        (Wire::Timestamp, Cells::Timestamp(cells)) => match i64::from_be_bytes(fixed(field)?) {
            i64::MAX | i64::MIN => rows.replace(column, "infinity"),
            micros => match micros.checked_add(EPOCH_US) {
                Some(micros) if micros.unsigned_abs() <= US_MAX => cells.append_value(micros),
                _ => rows.replace(column, "out of range"),
            },
        },
        (Wire::Numeric(scale), Cells::Decimal(cells)) => match numeric::decode(field, scale)? {
            numeric::Numeric::Value(value) => cells.append_value(value),
            numeric::Numeric::NotANumber => rows.replace(column, "NaN"),
            numeric::Numeric::Infinite => rows.replace(column, "infinity"),
        },
        _ => return Err("is of another type than its column".to_owned()),
    }
    Ok(())
}

fn uuid(bytes: [u8; 16]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(HEX[usize::from(byte >> 4)].into());
        text.push(HEX[usize::from(byte & 15)].into());
    }
    text
}

/// A time of day, `24:00:00` among them, as PostgreSQL writes it.
fn time(micros: i64) -> String {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let whole = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    match fraction {
        0 => whole,
        _ => format!("{whole}.{fraction:06}")
            .trim_end_matches('0')
            .to_owned(),
    }
}

#[cfg(test)]
mod tests;
