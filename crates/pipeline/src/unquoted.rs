//! Values of a format that YAML reads as no text where a text is asked for.

use sectorlake_formats::FormatSpec;
use serde_json::Value;

/// Values that are tried: each takes one reading of the whole.
const TRIED_MAX: usize = 1000;

/// The way to the value that is at fault for the error, and how it is written; none where no value is for that reason.
///
/// A format is read by its name, and then an error no longer says where it stands: so each number and each `true` is read as a
/// text once, and the one without which the error is another is it.
pub(crate) fn unquoted(format: &Value, error: &str) -> Option<(Vec<String>, String)> {
    let mut found = Vec::new();
    gather(format, &mut Vec::new(), &mut found);
    found
        .into_iter()
        .take(TRIED_MAX)
        .find_map(|(path, written)| {
            let mut tried = format.clone();
            let pointer: String = path
                .iter()
                .map(|step| format!("/{}", escaped(step)))
                .collect();
            *tried.pointer_mut(&pointer)? = Value::String(written.clone());
            let is_text = match serde_json::from_value::<FormatSpec>(tried) {
                Ok(_) => true,
                Err(other) => {
                    let other = other.to_string();
                    // Where a number is asked for, the text is what is wrong now.
                    other != error && !other.contains(&format!("string \"{written}\""))
                }
            };
            is_text.then_some((path, written))
        })
}

/// A step of a JSON pointer (RFC 6901, section 3).
fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

fn gather(value: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let mut inside = |step: String, value: &Value| {
        path.push(step);
        gather(value, path, found);
        path.pop();
    };
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| inside(key.clone(), value)),
        Value::Array(list) => {
            let numbered = list.iter().enumerate();
            numbered.for_each(|(at, value)| inside(at.to_string(), value));
        }
        Value::Bool(_) | Value::Number(_) => found.push((path.clone(), value.to_string())),
        Value::Null | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn the_value_at_fault_is_found() {
        let check = |format: &Value, expected: Option<(&[&str], &str)>| {
            let error = serde_json::from_value::<FormatSpec>(format.clone()).unwrap_err();
            let found = unquoted(format, &error.to_string());
            let found = found.as_ref().map(|(path, written)| {
                (
                    path.iter().map(String::as_str).collect::<Vec<_>>(),
                    written.as_str(),
                )
            });
            let expected = expected.map(|(path, written)| (path.to_vec(), written));
            assert_eq!(found, expected, "{format}");
        };
        let column = |name: Value| json!({ "name": name, "start": 1, "width": 5 });
        let fixed =
            json!({ "name": "fixed", "columns": [column(json!("ma")), column(json!(2024))] });
        check(&fixed, Some((&["columns", "1", "name"], "2024")));
        check(
            &json!({ "name": "csv", "encoding": true }),
            Some((&["encoding"], "true")),
        );
        check(&json!({ "name": "csv", "skip_rows": "two" }), None);
    }
}
