//! What a schema lets few bytes become: Avro packs nothing, so that a few bytes may stand for many values.

use std::collections::HashMap;

use serde_json::Value;

/// Types that nest, at most.
const DEPTH_MAX: usize = 64;
/// Types of one schema, at most.
const TYPES_MAX: usize = 16_384;
/// Bytes of a number, an offset or a view, in Arrow.
const VALUE_BYTES: u64 = 16;

/// What was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measure {
    /// Bytes of one record in Arrow without its texts and lists, about.
    pub(crate) row_bytes: u64,
    /// The same of the widest element of a list or map.
    pub(crate) element_bytes: u64,
}

/// Measures a schema.
///
/// # Errors
/// Why nothing bounds what a file of it becomes.
pub(crate) fn measure(schema: &Value) -> Result<Measure, String> {
    let mut walk = Walk::default();
    let row = walk.of(schema, 0)?;
    Ok(Measure {
        row_bytes: row.bytes.max(VALUE_BYTES),
        element_bytes: walk.element_bytes.max(VALUE_BYTES),
    })
}

/// One type's size.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// In Arrow.
    bytes: u64,
    /// Whether a value may take no byte of the file.
    is_nothing: bool,
}

#[derive(Debug, Default)]
struct Walk {
    named: HashMap<String, Size>,
    element_bytes: u64,
    types: usize,
}

impl Walk {
    fn of(&mut self, schema: &Value, depth: usize) -> Result<Size, String> {
        self.types += 1;
        if depth > DEPTH_MAX || self.types > TYPES_MAX {
            return Err("its schema has too many types, or they nest too deep".to_owned());
        }
        let size = |bytes, is_nothing| Ok(Size { bytes, is_nothing });
        match schema {
            Value::String(name) if name == "null" => size(1, true),
            Value::String(name) => match self.named.get(name) {
                Some(known) => Ok(*known),
                None => size(VALUE_BYTES, false),
            },
            Value::Array(branches) => {
                let mut all = Size {
                    bytes: VALUE_BYTES,
                    is_nothing: false,
                };
                for branch in branches {
                    let branch = self.of(branch, depth + 1)?;
                    all.bytes = all.bytes.saturating_add(branch.bytes);
                }
                Ok(all)
            }
            Value::Object(object) => self.object(object, depth),
            _ => Err("its schema holds what is no type".to_owned()),
        }
    }

    fn object(
        &mut self,
        object: &serde_json::Map<String, Value>,
        depth: usize,
    ) -> Result<Size, String> {
        let kind = object.get("type").unwrap_or(&Value::Null);
        let size = match kind.as_str() {
            Some("array" | "map") => {
                let inner = object.get("items").or(object.get("values"));
                let inner = self.of(inner.unwrap_or(&Value::Null), depth + 1)?;
                if inner.is_nothing && object.contains_key("items") {
                    return Err(
                        "its schema has lists of elements that take no bytes, which nothing bounds"
                            .to_owned(),
                    );
                }
                self.element_bytes = self.element_bytes.max(inner.bytes);
                Size {
                    bytes: VALUE_BYTES,
                    is_nothing: false,
                }
            }
            Some("fixed") => {
                let bytes = object.get("size").and_then(Value::as_u64).unwrap_or(0);
                Size {
                    bytes: bytes.max(1),
                    is_nothing: bytes == 0,
                }
            }
            Some("record" | "error") => {
                let mut all = Size {
                    bytes: 1,
                    is_nothing: true,
                };
                let fields = object.get("fields").and_then(Value::as_array);
                for field in fields.into_iter().flatten() {
                    let field = self.of(field.get("type").unwrap_or(&Value::Null), depth + 1)?;
                    all.bytes = all.bytes.saturating_add(field.bytes);
                    all.is_nothing &= field.is_nothing;
                }
                all
            }
            Some(_) => self.of(kind, depth + 1)?,
            None => return self.of(kind, depth + 1),
        };
        if let Some(name) = object.get("name").and_then(Value::as_str) {
            self.named.insert(name.to_owned(), size);
            if let Some(space) = object.get("namespace").and_then(Value::as_str) {
                self.named.insert(format!("{space}.{name}"), size);
            }
        }
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn check(schema: &str) -> Result<Measure, String> {
        measure(&serde_json::from_str(schema).unwrap())
    }

    #[test]
    fn what_a_schema_can_become() {
        let plain = check(
            r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": ["null", "long"]}, {"name": "f", "type": {"type": "fixed", "name": "x", "size": 1000}}]}"#,
        );
        assert_eq!(plain.unwrap().row_bytes, 1 + 33 + 1000);
        let wide = check(
            r#"{"type": "array", "items": ["null", {"type": "fixed", "name": "x", "size": 70000}]}"#,
        );
        assert_eq!(wide.unwrap().element_bytes, 70017);
        for nothing in [
            r#"{"type": "array", "items": "null"}"#,
            r#"{"type": "array", "items": {"type": "record", "name": "n", "fields": [{"name": "x", "type": "null"}]}}"#,
            r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": {"type": "record", "name": "e", "fields": []}}, {"name": "b", "type": {"type": "array", "items": "e"}}]}"#,
            r#"{"type": "array", "items": {"type": "fixed", "name": "x", "size": 0}}"#,
            "7",
        ] {
            assert!(check(nothing).is_err(), "{nothing}");
        }
        let deep = format!("{}\"int\"{}", "[".repeat(100), "]".repeat(100));
        assert!(check(&deep).is_err());
    }
}
