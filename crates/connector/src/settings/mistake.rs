//! What is wrong with a value, in the words of someone who writes YAML.

use serde_json::Value;

use super::SettingsError;
use crate::suggest::nearest;

/// A number as the schema's example has it, with its unit: 20 as `20s` where that is `30s`.
pub(super) fn with_unit(value: &Value, schema: &Value) -> Option<String> {
    let example = schema.pointer("/examples/0")?.as_str()?;
    let unit = example.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let is_spelt = value.is_number() && unit.len() < example.len() && !unit.is_empty();
    is_spelt.then(|| format!("{value}{unit}"))
}

/// A number beyond `minimum` or `maximum`, a list shorter than `minItems` or longer than `maxItems`.
pub(super) fn out_of_bounds(value: &Value, schema: &Value) -> Option<String> {
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    let (found, least, most, of) = match value {
        Value::Number(number) => (number.as_f64()?, bound("minimum"), bound("maximum"), ""),
        Value::Array(items) => (
            items.len() as f64,
            bound("minItems"),
            bound("maxItems"),
            " entries",
        ),
        _ => return None,
    };
    if let Some(least) = least.filter(|least| found < *least) {
        return Some(format!("must be at least {least}{of}, not {found}"));
    }
    let most = most.filter(|most| found > *most)?;
    Some(format!("must be at most {most}{of}, not {found}"))
}

pub(super) fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

/// A kind of JSON value in the words of someone who writes YAML.
fn in_words(kind: &str) -> &str {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "keys with values",
        "null" => "nothing",
        other => other,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    }
}

pub(super) fn wrong_type(value: &Value, expected: &[&str], path: &[String]) -> SettingsError {
    let mut words: Vec<&str> = expected
        .iter()
        .filter(|kind| **kind != "null")
        .map(|kind| in_words(kind))
        .collect();
    words.dedup();
    let found = match value {
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => in_words(kind_of(value)).to_owned(),
    };
    let message = format!("must be {}, not {found}", words.join(" or "));
    let error = SettingsError::new(path.to_vec(), message);
    if expected.contains(&"string") && (value.is_number() || value.is_boolean()) {
        return error.with_help(format!("write it in quotes: \"{value}\""));
    }
    error
}

pub(super) fn not_an_option(value: &Value, options: &[Value], path: &[String]) -> SettingsError {
    let names: Vec<&str> = options.iter().filter_map(Value::as_str).collect();
    let found = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let help = match nearest(&found, names.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("one of: {}", names.join(", ")),
    };
    SettingsError::new(path.to_vec(), format!("{found:?} is none of its values")).with_help(help)
}

pub(super) fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.split_once(". ")
        .map_or(line.clone(), |(first, _)| format!("{first}."))
}
