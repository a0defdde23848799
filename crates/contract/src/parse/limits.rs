//! The constraints of a field, and whether they make sense for its type.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use regex::Regex;
use serde_json::Value;

use crate::error::Fault;
use crate::field::{Constraints, FieldType};
use crate::parse::field::allowed_values;
use crate::parse::node::{Node, Unknown};

/// Table Schema v2, "Field constraints".
const KNOWN: &[&str] = &[
    "required",
    "unique",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "enum",
    "jsonSchema",
];

/// Reads the constraints of a field of type `kind`. Faults are reported to the node.
pub(crate) fn constraints(node: &Node<'_>, kind: &FieldType) -> Constraints {
    node.map();
    node.known(KNOWN, Unknown::Refuse);
    if let Some(node) = node.get("jsonSchema") {
        let mend = "pick the parts that matter into fields of their own";
        node.report(Fault::Unsupported {
            what: "jsonSchema".to_owned(),
            mend,
        });
    }
    let constraints = Constraints {
        required: node.flag("required"),
        unique: node.flag("unique"),
        pattern: node.get("pattern").and_then(|node| pattern(&node, kind)),
        minimum: limit(node, "minimum", kind),
        maximum: limit(node, "maximum", kind),
        exclusive_minimum: limit(node, "exclusiveMinimum", kind),
        exclusive_maximum: limit(node, "exclusiveMaximum", kind),
        min_length: length(node, "minLength", kind),
        max_length: length(node, "maxLength", kind),
        enumeration: allowed_values(node),
    };
    if let (Some(least), Some(most)) = (constraints.min_length, constraints.max_length)
        && least > most
    {
        node.report(Fault::EmptyRange {
            low: format!("minLength {least}"),
            high: format!("maxLength {most}"),
        });
    }
    if let (Some(low), Some(high)) = (&constraints.minimum, &constraints.maximum)
        && position(low, kind) > position(high, kind)
    {
        node.report(Fault::EmptyRange {
            low: format!("minimum {low}"),
            high: format!("maximum {high}"),
        });
    }
    constraints
}

fn pattern(node: &Node<'_>, kind: &FieldType) -> Option<String> {
    let pattern = node.as_text()?;
    if *kind != FieldType::String {
        node.report(Fault::NotApplicable {
            constraint: "pattern",
            kind: kind.word(),
            applies: "string",
        });
    } else if let Err(error) = Regex::new(pattern) {
        let message = match &error {
            regex::Error::Syntax(text) => text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned(),
            other => other.to_string(),
        };
        node.report(Fault::Pattern {
            pattern: pattern.to_owned(),
            message,
        });
    }
    Some(pattern.to_owned())
}

fn length(node: &Node<'_>, constraint: &'static str, kind: &FieldType) -> Option<usize> {
    let length = node.whole(constraint)?;
    if !matches!(
        kind,
        FieldType::String | FieldType::List | FieldType::Object
    ) {
        let applies = "string, list and object";
        node.get(constraint)?.report(Fault::NotApplicable {
            constraint,
            kind: kind.word(),
            applies,
        });
    }
    Some(length)
}

fn limit(node: &Node<'_>, constraint: &'static str, kind: &FieldType) -> Option<Value> {
    let at = node.get(constraint)?;
    if !kind.is_ordered() {
        let applies = "integer, number, date, datetime, time, year and yearmonth";
        at.report(Fault::NotApplicable {
            constraint,
            kind: kind.word(),
            applies,
        });
    } else if position(at.value, kind).is_none() {
        at.report(Fault::Limit {
            limit: at.value.to_string(),
            kind: kind.word(),
            example: example(kind),
        });
    }
    Some(at.value.clone())
}

fn example(kind: &FieldType) -> &'static str {
    match kind {
        FieldType::Integer => "0",
        FieldType::Date => "\"2025-07-01\"",
        FieldType::Datetime => "\"2025-07-01T00:00:00Z\"",
        FieldType::Time => "\"06:30:00\"",
        FieldType::Year => "2025",
        FieldType::YearMonth => "\"2025-07\"",
        _ => "0.5",
    }
}

/// Where a limit stands on the line of all values of its type, or `None` if it is not of that type.
pub(crate) fn position(limit: &Value, kind: &FieldType) -> Option<f64> {
    let whole = |text: &str| text.parse::<i64>().ok();
    match (kind, limit) {
        (FieldType::Integer | FieldType::Year, Value::Number(number)) => {
            number.as_i64().map(|whole| whole as f64)
        }
        (FieldType::Integer | FieldType::Year, Value::String(text)) => {
            whole(text).map(|whole| whole as f64)
        }
        (FieldType::Number | FieldType::Decimal { .. }, Value::Number(number)) => number.as_f64(),
        (FieldType::Number | FieldType::Decimal { .. }, Value::String(text)) => text.parse().ok(),
        (FieldType::Date, Value::String(text)) => {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(date.and_time(NaiveTime::MIN).and_utc().timestamp() as f64)
        }
        (FieldType::Datetime, Value::String(text)) => {
            let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.timestamp_micros());
            let plain = || {
                NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
                    .map(|time| time.and_utc().timestamp_micros())
            };
            zoned.or_else(|_| plain()).ok().map(|micros| micros as f64)
        }
        (FieldType::Time, Value::String(text)) => {
            let time = NaiveTime::parse_from_str(text, "%H:%M:%S").ok()?;
            Some((time - NaiveTime::MIN).num_seconds() as f64)
        }
        (FieldType::YearMonth, Value::String(text)) => {
            let (year, month) = text.split_once('-')?;
            let month = whole(month).filter(|month| (1..=12).contains(month))?;
            Some((whole(year)? * 12 + month) as f64)
        }
        _ => None,
    }
}
