//! The fields of one record, as the text they are written in: no number is ever rounded.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// Keys and values of an object, in order; none for any other value. A value is its own text.
///
/// # Errors
/// When the record is no JSON.
pub(crate) fn fields(record: &str) -> Result<Vec<(Cow<'_, str>, &str)>, serde_json::Error> {
    serde_json::from_str::<IgnoredAny>(record)?;
    if record.contains("\\u") {
        // Halves of surrogate pairs are only found when strings are read.
        serde_json::from_str::<serde_json::Value>(record)?;
    }
    let mut fields = Vec::new();
    let mut rest = inside(record);
    // The record is well-formed, so that only ends must be found.
    while let Some((key, value, after)) = member(rest) {
        fields.push((text(key)?, value));
        rest = after;
    }
    Ok(fields)
}

/// What follows the bracket of an object that is well-formed; nothing for any other value.
pub(crate) fn inside(object: &str) -> &str {
    let after = object.trim_ascii_start().strip_prefix('{');
    after.unwrap_or_default().trim_ascii_start()
}

/// The first member of what is left of an object that is well-formed: its key as it is quoted, its value, and what is left then.
pub(crate) fn member(rest: &str) -> Option<(&str, &str, &str)> {
    if !rest.starts_with('"') {
        return None;
    }
    let (key, after) = rest.split_at(value_bytes(rest.as_bytes()));
    let after = after.trim_ascii_start();
    let after = after.strip_prefix(':').unwrap_or(after).trim_ascii_start();
    let (value, after) = after.split_at(value_bytes(after.as_bytes()));
    let after = after.trim_ascii_start();
    let after = after.strip_prefix(',').unwrap_or(after).trim_ascii_start();
    Some((key, value.trim_ascii_end(), after))
}

/// The elements of a list that is well-formed; none for any other value.
pub(crate) fn items(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let Some(rest) = list.trim_ascii_start().strip_prefix('[') else {
        return items;
    };
    let mut rest = rest.trim_ascii_start();
    while !rest.is_empty() && !rest.starts_with(']') {
        let (value, after) = rest.split_at(value_bytes(rest.as_bytes()));
        items.push(value.trim_ascii_end());
        let after = after.trim_ascii_start();
        rest = match after.strip_prefix(',') {
            Some(after) => after.trim_ascii_start(),
            None => break,
        };
    }
    items
}

/// What a string says.
pub(crate) fn text(quoted: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(quoted).map(Cow::Owned),
    }
}

/// The bytes of the value that well-formed text starts with.
fn value_bytes(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'"' => {
                index += string_bytes(&bytes[index..]);
                if depth == 0 {
                    return index;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return index,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return index + 1;
                }
            }
            b',' if depth == 0 => return index,
            _ => {}
        }
        index += 1;
    }
    index
}

fn string_bytes(bytes: &[u8]) -> usize {
    let mut index = 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', bytes.get(index..).unwrap_or_default()) {
        index += next + 1;
        if bytes[index - 1] == b'"' {
            return index;
        }
        index += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn values_are_as_written() {
        let record = r#" { "a" : 1.10 , "b\n":"x\"]" ,"c": { "d": [1, "}"] },"e":null, "f": [] ,"":true, "big":12345678901234567890.0 } "#;
        let found = fields(record).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(key, value)| (key.as_ref(), *value))
            .collect();
        let expected = [
            ("a", "1.10"),
            ("b\n", r#""x\"]""#),
            ("c", r#"{ "d": [1, "}"] }"#),
            ("e", "null"),
            ("f", "[]"),
            ("", "true"),
            ("big", "12345678901234567890.0"),
        ];
        assert_eq!(found, expected);
        assert_eq!(text(r#""Cầu \u0052ào""#).unwrap(), "Cầu Rào");
    }

    #[test]
    fn elements_are_as_written() {
        let found = items(r#" [ 1.10 , "x],", [2, {"a": "]"}] ,{"b":[]},null, [] ] "#);
        let expected = [
            "1.10",
            r#""x],""#,
            r#"[2, {"a": "]"}]"#,
            r#"{"b":[]}"#,
            "null",
            "[]",
        ];
        assert_eq!(found, expected);
        for none in ["[]", " [ ] ", "{}", "1", "\"[\""] {
            assert!(items(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn other_values_have_no_fields() {
        for record in ["1", "\"{\"", "[{\"a\": 1}]", "null", "{}", "{ }"] {
            assert!(fields(record).unwrap().is_empty(), "{record}");
        }
        for record in [
            "",
            "{",
            "{\"a\"}",
            "{\"a\": 1,}",
            "{\"a\": \"\\ud800\"}",
            "{a: 1}",
            "{} {}",
        ] {
            assert!(fields(record).is_err(), "{record}");
        }
    }
}
