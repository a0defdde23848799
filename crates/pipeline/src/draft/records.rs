//! Where the records of a JSON document are: an answer wraps them, and a record may hold a list of its own.

use sectorlake_formats::{FormatSpec, Sample};
use serde_json::Value;

use super::refine::{Better, with};

/// Steps to the records, at most.
const STEPS_MAX: usize = 5;
/// Share of the document that the records are, at least.
const SHARE_MIN: f64 = 0.5;
/// Records that are looked at for lists in them.
const RECORDS_MAX: usize = 200;

/// The way to the records of a document that was read as one.
pub(super) fn path(found: &Sample) -> Option<Better> {
    let (FormatSpec::Json(json), [row]) = (&found.format, found.rows.as_slice()) else {
        return None;
    };
    if json.record_path.is_some() {
        return None;
    }
    let whole: usize = row.iter().flatten().map(String::len).sum();
    let mut lists = Vec::new();
    for (field, text) in found.schema.fields().iter().zip(row) {
        let value = text
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok());
        if let (Some(value), false) = (value, field.name() == "_record") {
            collect(&value, &mut vec![field.name().clone()], &mut lists);
        }
    }
    // The document itself is a column beside its fields.
    let record = found
        .schema
        .fields()
        .iter()
        .position(|field| field.name() == "_record");
    let record = record
        .and_then(|index| row.get(index)?.as_ref())
        .map_or(0, String::len);
    let (path, size, count) = lists
        .into_iter()
        .max_by(|left, right| (left.1, &right.0).cmp(&(right.1, &left.0)))?;
    if (size as f64) < SHARE_MIN * (whole - record) as f64 {
        return None;
    }
    let format = with(&found.format, &[("record_path", path.as_str().into())])?;
    let why = format!(
        "record_path {path}: the document wraps its {count} records; what stands beside them is left out"
    );
    Some(Better { format, why })
}

/// Every list of objects: the way to it, its size as text, its elements.
fn collect(value: &Value, steps: &mut Vec<String>, lists: &mut Vec<(String, usize, usize)>) {
    match value {
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => {
            lists.push((steps.join("."), value.to_string().len(), items.len()));
        }
        Value::Object(map) if steps.len() < STEPS_MAX => {
            // A step with a point in it cannot be written.
            for (key, value) in map.iter().filter(|(key, _)| !key.contains('.')) {
                steps.push(key.clone());
                collect(value, steps, lists);
                steps.pop();
            }
        }
        _ => {}
    }
}

/// The list in the records whose elements are to be rows: the only one there is, and every record has it.
pub(super) fn unnest(found: &Sample) -> Option<Better> {
    if !matches!(found.format, FormatSpec::Json(_) | FormatSpec::Ndjson(_)) || found.rows.is_empty()
    {
        return None;
    }
    let rows = &found.rows[..found.rows.len().min(RECORDS_MAX)];
    let is_list = |text: &Option<String>| {
        let value = text
            .as_deref()
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        matches!(value, Some(Value::Array(items)) if !items.is_empty() && items.iter().all(Value::is_object))
    };
    let mut lists = found
        .schema
        .fields()
        .iter()
        .enumerate()
        .filter(|(index, field)| {
            field.name() != "_record"
                && !field.name().contains('.')
                && rows.iter().all(|row| row.get(*index).is_some_and(is_list))
        });
    let (Some((_, field)), None) = (lists.next(), lists.next()) else {
        return None;
    };
    let name = field.name();
    let format = with(&found.format, &[("unnest", name.as_str().into())])?;
    let why = format!(
        "unnest {name}: every record holds a list there, whose elements become rows; leave it out to have a row for each record"
    );
    Some(Better { format, why })
}
