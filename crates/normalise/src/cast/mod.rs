//! One mapped column → one contract column: missing values, type, and the constraints that need no other row.
//!
//! Values that fail become NULL in the column and one [`Failure`] each; the row is taken out later, with all its failures.

mod typed;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, BooleanBuilder, Date32Builder,
    Decimal128Builder, Float64Builder, Int32Builder, Int64Builder, StringArray, StringViewArray,
    StringViewBuilder, TimestampMicrosecondBuilder, new_null_array,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, nullif};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use sectorlake_contract::{Field, FieldType};

use self::typed::from_typed;
use crate::shown::quoted;
use crate::text::{self, Parsed};

/// One value that broke one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Row of the batch.
    pub(crate) index: usize,
    /// Field of the contract; the last one of a rule over several fields.
    pub(crate) field: usize,
    /// The broken rule, in Table Schema's words: `type`, `required`, `pattern`, `minimum`, …
    pub(crate) rule: &'static str,
    /// What is wrong, as a sentence.
    pub(crate) message: String,
}

/// A column as text, whatever its layout.
pub(crate) enum Text<'a> {
    Plain(&'a StringArray),
    View(&'a StringViewArray),
}

impl<'a> Text<'a> {
    /// The values that are not NULL, with their places.
    pub(crate) fn present(&self) -> impl Iterator<Item = (usize, &'a str)> + '_ {
        (0..self.len())
            .filter(|index| !self.is_null(*index))
            .map(|index| (index, self.value(index)))
    }

    fn value(&self, index: usize) -> &'a str {
        match self {
            Text::Plain(array) => array.value(index),
            Text::View(array) => array.value(index),
        }
    }

    fn len(&self) -> usize {
        match self {
            Text::Plain(array) => array.len(),
            Text::View(array) => array.len(),
        }
    }

    fn is_null(&self, index: usize) -> bool {
        match self {
            Text::Plain(array) => array.is_null(index),
            Text::View(array) => array.is_null(index),
        }
    }
}

/// The column as text, or `None` if it has a type of its own.
pub(crate) fn as_text(column: &ArrayRef) -> Option<Text<'_>> {
    match column.data_type() {
        DataType::Utf8 => Some(Text::Plain(column.as_string())),
        DataType::Utf8View => Some(Text::View(column.as_string_view())),
        _ => None,
    }
}

/// Casts `column` to the field's Arrow type.
///
/// # Errors
/// [`ArrowError`] only where Arrow cannot cast between the types at all.
pub(crate) fn to_field(
    column: &ArrayRef,
    field: &Field,
    position: usize,
    missing: &Missing,
    failures: &mut Vec<Failure>,
) -> Result<ArrayRef, ArrowError> {
    let column = match column.data_type() {
        // A bare NULL in the mapping: such an array counts none of its rows as NULL.
        DataType::Null => return Ok(new_null_array(&field.arrow_type(), column.len())),
        DataType::LargeUtf8 | DataType::Dictionary(_, _) => &cast(column, &DataType::Utf8View)?,
        _ => column,
    };
    match as_text(column) {
        Some(text) => Ok(from_text(column, &text, field, position, missing, failures)),
        None => from_typed(column, field, position, failures),
    }
}

fn from_text(
    column: &ArrayRef,
    text: &Text<'_>,
    field: &Field,
    position: usize,
    missing: &Missing,
    failures: &mut Vec<Failure>,
) -> ArrayRef {
    if field.kind == FieldType::String {
        return text_column(column, text, missing);
    }
    let mut reader = Reader {
        text,
        missing,
        position,
        iso: matches!(field.kind, FieldType::Date | FieldType::Datetime)
            && matches!(field.format.as_deref(), None | Some("default" | "any")),
        failures,
    };
    match &field.kind {
        FieldType::Date | FieldType::Datetime | FieldType::Year => reader.times(field),
        FieldType::Integer
        | FieldType::Number
        | FieldType::Decimal { .. }
        | FieldType::Boolean { .. } => reader.numbers(&field.kind),
        FieldType::GeoPoint => reader.bytes(text::geopoint, "a point \"lon, lat\""),
        FieldType::GeoJson => reader.bytes(text::geojson, "a GeoJSON geometry"),
        FieldType::Time => reader.texts(text::time, "a time of day"),
        FieldType::YearMonth => reader.texts(text::yearmonth, "a year and month (YYYY-MM)"),
        FieldType::Object => {
            reader.texts(|value| text::json(value, Parsed::Object), "a JSON object")
        }
        FieldType::List | FieldType::String => {
            reader.texts(|value| text::json(value, Parsed::List), "a JSON array")
        }
    }
}

/// Reads a text column value by value.
struct Reader<'a> {
    text: &'a Text<'a>,
    missing: &'a Missing,
    position: usize,
    /// Dates are read as ISO 8601 only: a refusal says which other ways there are.
    iso: bool,
    failures: &'a mut Vec<Failure>,
}

impl<'a> Reader<'a> {
    /// Hands on what `parse` makes of each value, or NULL where there is none or it is not as `expected`.
    #[inline]
    fn each<V>(
        &mut self,
        parse: impl Fn(&'a str) -> Option<V>,
        expected: &str,
        mut put: impl FnMut(Option<V>),
    ) {
        for index in 0..self.text.len() {
            if self.text.is_null(index) {
                put(None);
                continue;
            }
            let value = self.text.value(index);
            let parsed = if self.missing.holds(value) {
                None
            } else {
                Some(parse(value))
            };
            if let Some(None) = parsed {
                let hint = self.iso.then(|| text::readings(value)).flatten();
                let hint = hint.unwrap_or_default();
                let message = format!("value {} is not {expected}{hint}", quoted(value));
                self.failures.push(Failure {
                    index,
                    field: self.position,
                    rule: "type",
                    message,
                });
            }
            put(parsed.flatten());
        }
    }

    fn numbers(&mut self, kind: &FieldType) -> ArrayRef {
        let rows = self.text.len();
        match kind {
            FieldType::Integer => {
                let mut builder = Int64Builder::with_capacity(rows);
                self.each(text::integer, "a whole number", |value| {
                    builder.append_option(value)
                });
                Arc::new(builder.finish())
            }
            FieldType::Decimal { precision, scale } => {
                let kind = DataType::Decimal128(*precision, *scale);
                let mut builder = Decimal128Builder::with_capacity(rows).with_data_type(kind);
                let parse = |value: &str| text::decimal(value, *precision, *scale);
                let expected = format!(
                    "a number of at most {precision} digits, {scale} of them after the point"
                );
                self.each(parse, &expected, |value| builder.append_option(value));
                Arc::new(builder.finish())
            }
            FieldType::Boolean {
                true_values,
                false_values,
            } => {
                let mut builder = BooleanBuilder::with_capacity(rows);
                let parse = |value: &str| text::boolean(value, true_values, false_values);
                self.each(parse, "a truth value", |value| builder.append_option(value));
                Arc::new(builder.finish())
            }
            _ => {
                let mut builder = Float64Builder::with_capacity(rows);
                self.each(text::number, "a number", |value| {
                    builder.append_option(value)
                });
                Arc::new(builder.finish())
            }
        }
    }

    fn times(&mut self, field: &Field) -> ArrayRef {
        let rows = self.text.len();
        let format = field.format.as_deref();
        match &field.kind {
            FieldType::Date => {
                let mut builder = Date32Builder::with_capacity(rows);
                let parse = |value: &str| text::date(value, format);
                self.each(parse, &date_in_words(format), |value| {
                    builder.append_option(value)
                });
                Arc::new(builder.finish())
            }
            FieldType::Year => {
                let mut builder = Int32Builder::with_capacity(rows);
                self.each(text::year, "a year", |value| builder.append_option(value));
                Arc::new(builder.finish())
            }
            _ => {
                let parser = text::DatetimeParser::new(format, field.time_zone);
                let mut builder =
                    TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC");
                let parse = |value: &str| parser.parse(value);
                self.each(parse, &parser.expected(), |value| {
                    builder.append_option(value)
                });
                Arc::new(builder.finish())
            }
        }
    }

    fn texts<V: AsRef<str>>(
        &mut self,
        parse: impl Fn(&'a str) -> Option<V>,
        expected: &str,
    ) -> ArrayRef {
        let mut builder = StringViewBuilder::with_capacity(self.text.len());
        self.each(parse, expected, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn bytes(&mut self, parse: impl Fn(&'a str) -> Option<Vec<u8>>, expected: &str) -> ArrayRef {
        let mut builder = BinaryBuilder::new();
        self.each(parse, expected, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }
}

fn date_in_words(format: Option<&str>) -> String {
    match format {
        None | Some("default" | "any") => "a date (YYYY-MM-DD)".to_owned(),
        Some(format) => format!("a date in the field's format {format}"),
    }
}

/// The texts that mean "no value" in one field.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    empty: bool,
    others: Vec<String>,
}

impl Missing {
    pub(crate) fn new(markers: &[String]) -> Self {
        let others = markers
            .iter()
            .filter(|marker| !marker.is_empty())
            .cloned()
            .collect();
        Self {
            empty: markers.iter().any(String::is_empty),
            others,
        }
    }

    #[inline]
    fn holds(&self, value: &str) -> bool {
        if value.is_empty() {
            self.empty
        } else {
            self.others.iter().any(|marker| marker == value)
        }
    }
}

/// Text stays as it is; only missing markers become NULL. Without any, the column passes uncopied.
fn text_column(column: &ArrayRef, text: &Text<'_>, missing: &Missing) -> ArrayRef {
    if let (Text::View(views), true) = (text, missing.others.is_empty()) {
        // The low half of a view is the text's length: one look over them, without touching a text.
        let filled = views
            .views()
            .iter()
            .fold(true, |all, view| all & (*view as u32 != 0));
        if filled || !missing.empty {
            return Arc::clone(column);
        }
        let empty =
            BooleanBuffer::collect_bool(views.len(), |index| views.views()[index] as u32 == 0);
        return nulled(column, empty);
    }
    if text.present().all(|(_, value)| !missing.holds(value)) {
        return Arc::clone(column);
    }
    nulled(
        column,
        BooleanBuffer::collect_bool(text.len(), |index| {
            text.is_null(index) || missing.holds(text.value(index))
        }),
    )
}

fn nulled(column: &ArrayRef, what: BooleanBuffer) -> ArrayRef {
    // Both have the same length, which is all that `nullif` asks.
    nullif(column.as_ref(), &BooleanArray::new(what, None)).unwrap_or_else(|_| Arc::clone(column))
}
