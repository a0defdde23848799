//! A value as text: ISO 8601 times, WKT for geometry, hex for other bytes, nothing that could steer a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray,
    RecordBatch, StringBuilder, cast::AsArray as _,
};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The batch with every column of bytes or geometry turned into text; the others stay as they are.
pub(super) fn readable(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    if !schema.fields().iter().any(|field| is_bytes(field)) {
        return Ok(batch.clone());
    }
    let mut fields = Vec::with_capacity(batch.num_columns());
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if is_bytes(field) {
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(text_of(column)?);
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// Whether a column's values are shown through [`readable`].
pub(super) fn is_bytes(field: &Field) -> bool {
    matches!(
        field.data_type(),
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

fn text_of(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let mut text = StringBuilder::with_capacity(column.len(), column.len() * 24);
    let bytes_at = bytes_at(column)?;
    for row in 0..column.len() {
        if column.is_null(row) {
            text.append_null();
        } else {
            append_bytes(&mut text, bytes_at(row))?;
        }
    }
    Ok(Arc::new(text.finish()))
}

/// Reads a row of a binary array.
type BytesAt<'a> = Box<dyn Fn(usize) -> &'a [u8] + 'a>;

fn bytes_at(column: &ArrayRef) -> Result<BytesAt<'_>, ArrowError> {
    let array = column.as_any();
    Ok(match column.data_type() {
        DataType::Binary => {
            let array: &BinaryArray = column.as_binary();
            Box::new(|row| array.value(row))
        }
        DataType::LargeBinary => {
            let array: &LargeBinaryArray = column.as_binary();
            Box::new(|row| array.value(row))
        }
        DataType::BinaryView => {
            let array: &BinaryViewArray = column.as_binary_view();
            Box::new(|row| array.value(row))
        }
        other => {
            let array = array
                .downcast_ref::<FixedSizeBinaryArray>()
                .ok_or_else(|| ArrowError::CastError(format!("{other} cannot be shown as text")))?;
            Box::new(|row| array.value(row))
        }
    })
}

/// WKT where the bytes are WKB (query results lose the metadata that would say so), else hex.
fn append_bytes(text: &mut StringBuilder, bytes: &[u8]) -> Result<(), ArrowError> {
    // Shorter than an empty WKB geometry: byte order, type, count.
    let geometry = (bytes.len() >= 9)
        .then(|| wkb::reader::read_wkb(bytes).ok())
        .flatten();
    if let Some(geometry) = geometry {
        let mut wkt = String::new();
        if wkt::to_wkt::write_geometry(&mut wkt, &geometry).is_ok() {
            text.append_value(wkt);
            return Ok(());
        }
    }
    for byte in bytes {
        write!(text, "{byte:02x}").map_err(|error| ArrowError::CastError(error.to_string()))?;
    }
    text.append_value("");
    Ok(())
}

/// Formats the cells of one batch.
pub(super) struct Cells<'a> {
    columns: Vec<(&'a ArrayRef, ArrayFormatter<'a>)>,
}

impl<'a> Cells<'a> {
    /// `options` must outlive the cells; see [`options`].
    pub(super) fn new(
        batch: &'a RecordBatch,
        options: &FormatOptions<'a>,
    ) -> Result<Self, ArrowError> {
        let columns = batch
            .columns()
            .iter()
            .map(|column| Ok((column, ArrayFormatter::try_new(column, options)?)))
            .collect::<Result<_, ArrowError>>()?;
        Ok(Self { columns })
    }

    /// Replaces `text` by the value; false when it is NULL.
    pub(super) fn read(
        &self,
        row: usize,
        column: usize,
        text: &mut String,
    ) -> Result<bool, ArrowError> {
        text.clear();
        let (array, formatter) = &self.columns[column];
        // A NullArray has no null bitmap, so `is_null` says false.
        if array.is_null(row) || matches!(array.data_type(), DataType::Null) {
            return Ok(false);
        }
        formatter.value(row).write(text)?;
        Ok(true)
    }
}

/// How values read: ISO 8601 with `T` and `Z`, booleans and numbers as in SQL.
pub(super) fn options() -> FormatOptions<'static> {
    FormatOptions::new().with_null("NULL")
}

/// Numbers stand right.
pub(super) fn is_number(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, value) => is_number(value),
        other => other.is_numeric(),
    }
}

/// Text safe to draw: control characters and what turns the direction of writing become visible, line breaks stay when `lines`
/// allows them.
pub(crate) fn drawable(text: &str, lines: bool) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && !(lines && c == '\n'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if steers(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// At most `chars_max` characters, the last of them `…` when something was cut.
pub(super) fn shortened(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        Some(_) => {
            let end = text
                .char_indices()
                .nth(chars_max.saturating_sub(1))
                .map_or(0, |(at, _)| at);
            Cow::Owned(format!("{}…", &text[..end]))
        }
    }
}
