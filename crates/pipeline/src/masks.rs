//! Values of personal fields, kept out of what people and programs are told: messages, plans, the journal.
//!
//! Whoever has to correct such a row is given its values by an export of the rejected rows, which reads them in the raw part.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use sectorlake_contract::{Classification, Contract};
use sectorlake_lake::journal::RejectedRow;
use serde_json::{Map, Value};

use crate::draft::gives_away;
use crate::drift::Drift;

/// What stands in the place of a value.
pub(crate) const MASK: &str = "(personal)";
/// Bytes of a value as messages quote it; see `sectorlake_normalise`.
const QUOTED_BYTES_MAX: usize = 200;

/// The personal fields of a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Masks {
    personal: Vec<String>,
}

impl Masks {
    pub(crate) fn of(contract: &Contract) -> Self {
        let fields = contract.fields.iter();
        let personal = fields.filter(|field| field.classification == Classification::Personal);
        Self {
            personal: personal.map(|field| field.name.clone()).collect(),
        }
    }

    /// Whether there is anything to mask.
    pub(crate) fn is_empty(&self) -> bool {
        self.personal.is_empty()
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.personal.iter().any(|name| name == field)
    }

    /// Masks a rejected row.
    pub(crate) fn row(&self, row: &mut RejectedRow) {
        if self.is_empty() {
            return;
        }
        match &row.field {
            // A record that could not be read or mapped: no one knows which of its texts is which field's.
            None => {
                row.value = None;
                row.record = None;
                row.message = match row.rule.as_str() {
                    "mapping" => without_values(&row.message),
                    _ => without_quotes(&row.message),
                };
            }
            Some(field) => {
                // A key of several fields is told as one value.
                if field.split(", ").any(|name| self.has(name)) {
                    let value = row.value.take();
                    row.message = without(&row.message, value.as_deref(), &row.rule);
                    row.value = value.map(|_| MASK.to_owned());
                }
                row.record = row.record.take().and_then(|record| self.record(&record));
            }
        }
    }

    /// Masks a change of the source's columns. Where the header is gone, a row of values stands in its place: a name that is one is
    /// not told.
    pub(crate) fn drift(&self, mut drift: Drift) -> Drift {
        let named = [Some(drift.column.clone()), drift.now.clone()];
        for name in named.into_iter().flatten().filter(|name| gives_away(name)) {
            let masked = |text: &str| text.replace(&name, MASK);
            drift.message = masked(&drift.message);
            drift.proposal = masked(&drift.proposal);
            drift.column = masked(&drift.column);
            drift.now = drift.now.as_deref().map(masked);
        }
        drift
    }

    fn record(&self, record: &str) -> Option<String> {
        let mut object: Map<String, Value> = serde_json::from_str(record).ok()?;
        for (name, value) in &mut object {
            if self.has(name) {
                *value = Value::String(MASK.to_owned());
            }
        }
        Some(Value::Object(object).to_string())
    }

    /// Masks the personal fields of rows as they would be loaded.
    pub(crate) fn batch(&self, batch: &RecordBatch) -> RecordBatch {
        columns(batch, |name| self.has(name))
    }
}

/// The same rows, with the values of some columns masked.
pub(crate) fn columns(batch: &RecordBatch, is_masked: impl Fn(&str) -> bool) -> RecordBatch {
    let schema = batch.schema();
    let masked = |(field, column): (&Arc<Field>, &ArrayRef)| -> (Arc<Field>, ArrayRef) {
        if !is_masked(field.name()) {
            return (Arc::clone(field), Arc::clone(column));
        }
        let cells = (0..column.len()).map(|row| column.is_valid(row).then_some(MASK));
        let field = Field::new(field.name(), DataType::Utf8, true);
        (Arc::new(field), Arc::new(cells.collect::<StringArray>()))
    };
    let pairs = schema.fields().iter().zip(batch.columns()).map(masked);
    let (fields, columns): (Vec<_>, Vec<_>) = pairs.unzip();
    // Were there anything amiss, no row is shown rather than one too many.
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .unwrap_or_else(|_| RecordBatch::new_empty(schema))
}

/// A message without the value that it tells, and without the hint that follows from it.
fn without(message: &str, value: Option<&str>, rule: &str) -> String {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return without_quotes(message);
    };
    let cut = match value.len() > QUOTED_BYTES_MAX {
        true => format!("{}…", &value[..value.floor_char_boundary(QUOTED_BYTES_MAX)]),
        false => value.to_owned(),
    };
    let mut masked = message.to_owned();
    for told in [
        format!("{cut:?}"),
        format!("\"{value}\""),
        format!("value {value} "),
    ] {
        let mask = if told.starts_with("value ") {
            "value (personal) "
        } else {
            MASK
        };
        masked = masked.replace(&told, mask);
    }
    let told = !masked.contains(MASK) || masked.contains(value);
    let head = masked.split("; it can be read").next().unwrap_or(MASK);
    match told {
        true => format!("value {MASK} breaks the rule {rule}"),
        false => head.to_owned(),
    }
}

/// What the engine says of a record on which an expression failed, without the values that it tells: it puts them between double or
/// single quotes, without marking quotes among them, or writes numbers as they are.
fn without_values(text: &str) -> String {
    let text = without_quotes(text);
    let opens = |(at, _): &(usize, &str)| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|letter| !letter.is_alphanumeric())
    };
    let first = text.match_indices('\'').find(opens).map(|(at, _)| at);
    let text = match (first, text.rfind('\'')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}{MASK}{}", &text[..first], &text[last + 1..])
        }
        (Some(first), _) => format!("{}{MASK}", &text[..first]),
        _ => text,
    };
    let is_number = |word: &str| {
        let word = word.trim_start_matches(['-', '+', '.', '(']);
        word.starts_with(|letter: char| letter.is_ascii_digit())
    };
    let words = text.split(' ');
    let masked = words.map(|word| if is_number(word) { MASK } else { word });
    masked.collect::<Vec<_>>().join(" ")
}

/// A text without what stands between double quotes.
fn without_quotes(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        match letter {
            '"' if !escaped => {
                masked.push_str(if quoted { "" } else { MASK });
                quoted = !quoted;
            }
            other if !quoted => masked.push(other),
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_without_the_value() {
        let check = |message: &str, value: &str, rule: &str| without(message, Some(value), rule);
        assert_eq!(
            check(
                r#"value "912345003" does not match 09[0-9]{8}"#,
                "912345003",
                "pattern"
            ),
            "value (personal) does not match 09[0-9]{8}"
        );
        assert_eq!(
            check("value 912 is above the maximum 90", "912", "maximum"),
            "value (personal) is above the maximum 90"
        );
        assert_eq!(
            check(
                r#"value "03/04/2009" is not a date (YYYY-MM-DD); it can be read as 3 April ("%d/%m/%Y") and as 4 March"#,
                "03/04/2009",
                "type"
            ),
            "value (personal) is not a date (YYYY-MM-DD)"
        );
        assert_eq!(
            check(
                r#"a.csv row 3 has the same id, name "1, Lan""#,
                "1, Lan",
                "primaryKey"
            ),
            "a.csv row 3 has the same id, name (personal)"
        );
        assert_eq!(
            check("value 912.0 is above the maximum 90", "912", "maximum"),
            "value (personal) breaks the rule maximum"
        );
        let long = "x".repeat(300);
        let message = format!("value {:?} is too long", format!("{}…", &long[..200]));
        assert_eq!(
            check(&message, &long, "maxLength"),
            "value (personal) is too long"
        );
        assert_eq!(
            without_quotes(r#"parse_date: "a\"b" is no date, "c" neither"#),
            "parse_date: (personal) is no date, (personal) neither"
        );
    }

    #[test]
    fn what_the_engine_says_without_values() {
        for (message, expected) in [
            (
                "Cannot cast string '0912 345 003' to value of Int64 type",
                "Cannot cast string (personal) to value of Int64 type",
            ),
            (
                "Cannot cast string 'O'Brien, 'Lan'' to value of Int64 type",
                "Cannot cast string (personal) to value of Int64 type",
            ),
            (
                "Can't cast value 912345003 to type Int8",
                "Can't cast value (personal) to type Int8",
            ),
            (
                "Error parsing timestamp from '03/04/2009': error parsing date",
                "Error parsing timestamp from (personal): error parsing date",
            ),
            (
                r#"parse_date: "03/04/2009" is no date of the form dmy"#,
                "parse_date: (personal) is no date of the form dmy",
            ),
        ] {
            assert_eq!(without_values(message), expected);
        }
    }
}
