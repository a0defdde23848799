//! Rows of a corrected file as records of the source that they stand for.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions,
    StringViewArray, StringViewBuilder, new_null_array,
};
use arrow::compute::{CastOptions, cast, cast_with_options, filter, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use sectorlake_formats::Decoded;
use serde_json::{Map, Value};

use super::META;
use super::formulas::bare;

/// The column of a JSON source that holds the whole record.
const RECORD: &str = "_record";

/// What rows are to become.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The source's columns.
    pub(crate) schema: SchemaRef,
    /// Those that are read.
    pub(crate) projection: Vec<usize>,
    /// The rows that count.
    pub(crate) rows: Arc<HashSet<i64>>,
    /// Columns that become dates as they stand, with the format in which the field expects them.
    pub(crate) dates: Arc<HashMap<String, String>>,
}

/// The rows of `decoded`, a batch of a corrected file with all its columns, as records of the source.
///
/// # Errors
/// A value does not fit its column's type, where the source has types; a column is missing.
pub(crate) fn converted(decoded: &Decoded, target: &Target) -> Result<Decoded, ArrowError> {
    let rows = decoded.rows.values().iter();
    let keep: BooleanArray = rows.map(|row| Some(target.rows.contains(row))).collect();
    let batch = filter_record_batch(&decoded.batch, &keep)?;
    let rows = filter(&decoded.rows, &keep)?;
    let fields: Vec<Field> = target
        .projection
        .iter()
        .map(|index| target.schema.field(*index).clone())
        .collect();
    let columns = fields
        .iter()
        .map(|field| match field.name().as_str() {
            RECORD => records(&batch),
            name => column(&batch, field, target.dates.get(name).map(String::as_str)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(Decoded {
        batch: RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)?,
        rows: Int64Array::from(rows.to_data()),
        broken: Vec::new(),
        dropped: Vec::new(),
    })
}

fn texts(batch: &RecordBatch, name: &str) -> Result<StringViewArray, ArrowError> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| ArrowError::SchemaError(format!("the column `{name}` is missing")))?;
    Ok(cast(column, &DataType::Utf8View)?.as_string_view().clone())
}

/// An empty cell is a missing value where the source knows missing values, else an empty text.
fn column(batch: &RecordBatch, field: &Field, date: Option<&str>) -> Result<ArrayRef, ArrowError> {
    let texts = texts(batch, field.name())?;
    let mut builder = StringViewBuilder::with_capacity(texts.len());
    for text in &texts {
        match text.map(bare).filter(|text| !text.is_empty()) {
            Some(text) => match date.and_then(|format| rewritten(text, format)) {
                Some(date) => builder.append_value(date),
                None => builder.append_value(text),
            },
            None if field.is_nullable() => builder.append_null(),
            None => builder.append_value(""),
        }
    }
    let texts: ArrayRef = Arc::new(builder.finish());
    match field.data_type() {
        DataType::Utf8View => Ok(texts),
        wanted => {
            let strict = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            cast_with_options(&texts, wanted, &strict)
        }
    }
}

/// A date that a spreadsheet has made of what was typed into a cell is read as ISO; the field expects another format.
fn rewritten(text: &str, format: &str) -> Option<String> {
    if !format.contains('%') {
        return None;
    }
    let mut told = String::new();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    let moment = || {
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|iso| NaiveDateTime::parse_from_str(text, iso).ok())
    };
    let moment = match day {
        Ok(day) => day.and_time(NaiveTime::MIN),
        Err(_) => moment()?,
    };
    // A format that asks for more than a moment has, such as a zone, is no format for it.
    write!(told, "{}", moment.format(format)).ok()?;
    Some(told)
}

/// The whole records, with the cells that were corrected written into them.
fn records(batch: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    if batch.num_rows() == 0 {
        return Ok(new_null_array(&DataType::Utf8View, 0));
    }
    let before = texts(batch, RECORD)?;
    let schema = batch.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .filter(|name| *name != RECORD && !META.contains(name))
        .collect();
    let cells = names
        .iter()
        .map(|name| texts(batch, name))
        .collect::<Result<Vec<_>, _>>()?;
    let mut builder = StringViewBuilder::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let record = if before.is_valid(row) {
            before.value(row)
        } else {
            ""
        };
        let of_row = names.iter().zip(&cells).map(|(name, column)| {
            let text = column.is_valid(row).then(|| bare(column.value(row)));
            (*name, text.filter(|text| !text.is_empty()))
        });
        builder.append_value(merged(record, of_row));
    }
    Ok(Arc::new(builder.finish()))
}

fn merged<'a>(record: &str, cells: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let mut object: Map<String, Value> = serde_json::from_str(record).unwrap_or_default();
    for (name, cell) in cells {
        let before = object.get(name);
        let shown = before.and_then(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            other => Some(other.to_string()),
        });
        if shown.as_deref() == cell {
            continue;
        }
        let now = match (before, cell) {
            (_, None) => Value::Null,
            (None | Some(Value::String(_)), Some(text)) => Value::String(text.to_owned()),
            (Some(_), Some(text)) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
            }
        };
        object.insert(name.to_owned(), now);
    }
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_spreadsheets_in_the_format_of_the_field() {
        let check = |text: &str, format: &str| rewritten(text, format);
        assert_eq!(
            check("2023-09-30", "%d/%m/%Y").as_deref(),
            Some("30/09/2023")
        );
        assert_eq!(
            check("2023-09-30T08:05:00", "%d/%m/%Y %H:%M").as_deref(),
            Some("30/09/2023 08:05")
        );
        assert_eq!(check("30/09/2023", "%d/%m/%Y"), None);
        assert_eq!(check("2023-09-30", "any"), None);
        assert_eq!(check("2023-09-30", "%d/%m/%Y %z"), None);
    }

    #[test]
    fn a_record_takes_up_what_was_corrected_in_its_own_types() {
        let record = r#"{"id":"7","n":1,"tags":["a"],"gone":"x","kept":{"a":1}}"#;
        let cells = [
            ("id", Some("8")),
            ("n", Some("2.5")),
            ("tags", Some(r#"["b"]"#)),
            ("gone", None),
            ("kept", Some(r#"{"a":1}"#)),
            ("new", Some("12")),
        ];
        assert_eq!(
            merged(record, cells.into_iter()),
            r#"{"gone":null,"id":"8","kept":{"a":1},"n":2.5,"new":"12","tags":["b"]}"#
        );
        assert_eq!(
            merged("no JSON", [("a", Some("1"))].into_iter()),
            r#"{"a":"1"}"#
        );
    }
}
