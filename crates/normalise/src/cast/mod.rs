//! One mapped column → one contract column: missing values, type, and the constraints that need no other row.
//!
//! Values that fail become NULL in the column and one [`Failure`] each; the row is taken out later, with all its failures.

mod typed;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, BooleanBuilder, Date32Builder,
    Decimal128Builder, Float64Builder, Int32Builder, Int64Builder, StringArray, StringBuilder,
    StringViewArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, nullif};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use sectorlake_contract::{Field, FieldType};

use self::typed::from_typed;
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
    let mut fail = |index: usize, value: &str, expected: &str| {
        failures.push(Failure {
            index,
            field: position,
            rule: "type",
            message: format!("value {value:?} is not {expected}"),
        });
    };
    let rows = text.len();
    macro_rules! build {
        ($builder:expr, $parse:expr, $expected:expr) => {{
            let mut builder = $builder;
            for index in 0..rows {
                if text.is_null(index) {
                    builder.append_null();
                    continue;
                }
                let value = text.value(index);
                if missing.holds(value) {
                    builder.append_null();
                } else if let Some(parsed) = $parse(value) {
                    builder.append_value(parsed);
                } else {
                    builder.append_null();
                    fail(index, value, $expected);
                }
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    match &field.kind {
        FieldType::String => text_column(column, text, missing),
        FieldType::Integer => build!(
            Int64Builder::with_capacity(rows),
            text::integer,
            "a whole number"
        ),
        FieldType::Number => build!(
            Float64Builder::with_capacity(rows),
            text::number,
            "a number"
        ),
        FieldType::Decimal { precision, scale } => {
            let (precision, scale) = (*precision, *scale);
            let builder = Decimal128Builder::with_capacity(rows)
                .with_data_type(DataType::Decimal128(precision, scale));
            build!(
                builder,
                |value| text::decimal(value, precision, scale),
                "a decimal of the declared precision and scale"
            )
        }
        FieldType::Boolean {
            true_values,
            false_values,
        } => build!(
            BooleanBuilder::with_capacity(rows),
            |value: &str| text::boolean(value, true_values, false_values),
            "a truth value"
        ),
        FieldType::Date => {
            let format = field.format.as_deref();
            build!(
                Date32Builder::with_capacity(rows),
                |value| text::date(value, format),
                date_in_words(format)
            )
        }
        FieldType::Datetime => {
            let parser = text::DatetimeParser::new(field.format.as_deref(), field.time_zone);
            let builder = TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC");
            build!(builder, |value| parser.parse(value), &parser.expected())
        }
        FieldType::Time => build!(
            StringBuilder::with_capacity(rows, rows * 8),
            text::time,
            "a time of day"
        ),
        FieldType::Year => build!(Int32Builder::with_capacity(rows), text::year, "a year"),
        FieldType::YearMonth => build!(
            StringBuilder::with_capacity(rows, rows * 7),
            text::yearmonth,
            "a year and month (YYYY-MM)"
        ),
        FieldType::GeoPoint => build!(
            BinaryBuilder::with_capacity(rows, rows * 21),
            text::geopoint,
            "a point \"lon, lat\""
        ),
        FieldType::GeoJson => build!(
            BinaryBuilder::with_capacity(rows, rows * 64),
            text::geojson,
            "a GeoJSON geometry"
        ),
        FieldType::List => build!(
            StringBuilder::with_capacity(rows, rows * 16),
            |value| text::json(value, Parsed::List),
            "a JSON array"
        ),
        FieldType::Object => {
            build!(
                StringBuilder::with_capacity(rows, rows * 32),
                |value| text::json(value, Parsed::Object),
                "a JSON object"
            )
        }
    }
}

fn date_in_words(format: Option<&str>) -> &'static str {
    match format {
        None | Some("default" | "any") => "a date (YYYY-MM-DD)",
        Some(_) => "a date in the field's format",
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
