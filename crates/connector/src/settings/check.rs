//! Reading a connector's JSON Schema beside the settings it is for.

use serde_json::{Map, Value};

use super::SettingsError;
use super::mistake::{first_sentence, is_of, not_an_option, out_of_bounds, with_unit, wrong_type};
use crate::suggest::nearest;

/// Checks `settings` against the schema of the connector `name`: the first mistake, in the order of the settings.
///
/// It reads what schemars writes for plain settings: `type`, `properties`, `additionalProperties`, `required`, `items`,
/// `enum`, bounds, `anyOf`, `oneOf` and `$ref` into `$defs`. What it lets pass, serde still refuses.
pub(crate) fn check(settings: &Value, schema: &Value, name: &str) -> Result<(), SettingsError> {
    Checker { root: schema, name }.value(settings, schema, &mut Vec::new())
}

struct Checker<'a> {
    root: &'a Value,
    name: &'a str,
}

impl Checker<'_> {
    fn value(
        &self,
        value: &Value,
        schema: &Value,
        path: &mut Vec<String>,
    ) -> Result<(), SettingsError> {
        let schema = self.resolve(schema);
        if let Some(branches) = branches(schema) {
            // Values with a documentation each are written as branches of one constant.
            let constants: Vec<Value> = branches
                .iter()
                .filter_map(|it| it.get("const").cloned())
                .collect();
            match constants.len() == branches.len() {
                true if !constants.contains(value) => {
                    return Err(not_an_option(value, &constants, path));
                }
                true => {}
                false => self.any(value, branches, path)?,
            }
        }
        if let Some(options) = schema.get("enum").and_then(Value::as_array)
            && !options.contains(value)
        {
            return Err(not_an_option(value, options, path));
        }
        let expected = self.types(schema);
        if !expected.is_empty() && !expected.iter().any(|kind| is_of(value, kind)) {
            let error = wrong_type(value, &expected, path);
            return Err(match (with_unit(value, schema), self.keyed(schema)) {
                (Some(written), _) => error.with_help(format!("write it with its unit: {written}")),
                (None, Some(keyed)) => self.with_keys(error, value, keyed, path),
                (None, None) => error,
            });
        }
        if let Some(mistake) = out_of_bounds(value, schema) {
            return Err(SettingsError::new(path.clone(), mistake));
        }
        match value {
            Value::Object(object) => self.object(object, schema, path),
            Value::Array(items) => match schema.get("items") {
                Some(item) => self.items(items, item, path),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn items(
        &self,
        items: &[Value],
        schema: &Value,
        path: &mut Vec<String>,
    ) -> Result<(), SettingsError> {
        for (index, item) in items.iter().enumerate() {
            path.push(index.to_string());
            self.value(item, schema, path)?;
            path.pop();
        }
        Ok(())
    }

    fn object(
        &self,
        object: &Map<String, Value>,
        schema: &Value,
        path: &mut Vec<String>,
    ) -> Result<(), SettingsError> {
        let none = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&none);
        let others = schema.get("additionalProperties");
        for (key, value) in object {
            path.push(key.clone());
            match (properties.get(key), others) {
                (Some(property), _) => self.value(value, property, path)?,
                (None, Some(Value::Bool(false))) => {
                    return Err(self.unknown(key, properties, path));
                }
                (None, Some(other)) => self.value(value, other, path)?,
                (None, None) => {}
            }
            path.pop();
        }
        let required = schema.get("required").and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                let about = properties.get(key).and_then(|property| {
                    property
                        .get("description")
                        .or(self.resolve(property).get("description"))
                });
                let help = about.and_then(Value::as_str).map(first_sentence);
                let error = SettingsError::new(path.clone(), format!("`{key}` is missing"));
                return Err(match help {
                    Some(help) => error.with_help(format!("{key}: {help}")),
                    None => error,
                });
            }
        }
        Ok(())
    }

    /// The branch that fits, or else the mistake in the one branch that takes this kind of value.
    fn any(&self, value: &Value, branches: &[Value], path: &[String]) -> Result<(), SettingsError> {
        let mut mistakes = Vec::new();
        for branch in branches {
            match self.value(value, branch, &mut path.to_vec()) {
                Ok(()) => return Ok(()),
                Err(mistake) => mistakes.push((branch, mistake)),
            }
        }
        let of_type = mistakes
            .iter()
            .find(|(branch, _)| self.types(branch).iter().any(|kind| is_of(value, kind)));
        if let Some((_, mistake)) = of_type {
            return Err(mistake.clone());
        }
        let expected: Vec<&str> = branches.iter().flat_map(|it| self.types(it)).collect();
        let error = wrong_type(value, &expected, path);
        let keyed = branches.iter().find_map(|branch| self.keyed(branch));
        Err(match keyed {
            Some(keyed) => self.with_keys(error, value, keyed, path),
            None => error,
        })
    }

    /// The object with keys of its own that a schema takes.
    fn keyed<'a>(&'a self, schema: &'a Value) -> Option<&'a Value> {
        let schema = self.resolve(schema);
        if schema.get("properties").is_some_and(Value::is_object) {
            return Some(schema);
        }
        let branches = branches(schema).into_iter().flatten();
        branches.into_iter().find_map(|branch| self.keyed(branch))
    }

    /// What stands where keys with values should, with the keys that may: `offset` for `style: offset`.
    fn with_keys(
        &self,
        error: SettingsError,
        value: &Value,
        schema: &Value,
        path: &[String],
    ) -> SettingsError {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties = properties.unwrap_or(&none);
        let keys: Vec<&str> = properties.keys().map(String::as_str).collect();
        let required = schema.get("required").and_then(Value::as_array);
        let required = required.into_iter().flatten().filter_map(Value::as_str);
        let means = |key: &str| {
            let property = properties.get(key);
            property.is_some_and(|it| self.constants(it).contains(&value))
        };
        let written = required.map(|key| match value.as_str() {
            Some(text) if means(key) => format!("{key}: {text}"),
            _ => format!("{key}: …"),
        });
        let written: Vec<String> = written.collect();
        let name = path.last().map(String::as_str).unwrap_or_default();
        let keys = format!("its keys are: {}", keys.join(", "));
        let help = match written.as_slice() {
            [] => keys,
            some => format!("write {name}: {{ {} }}; {keys}", some.join(", ")),
        };
        error.with_help(help)
    }

    /// The values that a schema names one by one.
    fn constants<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolve(schema);
        let own = schema.get("const").into_iter();
        let listed = schema.get("enum").and_then(Value::as_array);
        let listed = listed.into_iter().flatten();
        let branches = branches(schema).into_iter().flatten();
        let of_branches = branches.flat_map(|branch| self.constants(branch));
        own.chain(listed).chain(of_branches).collect()
    }

    /// The kinds of values that a schema takes.
    fn types<'a>(&'a self, schema: &'a Value) -> Vec<&'a str> {
        let schema = self.resolve(schema);
        let mut kinds: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind.as_str()],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => {
                let branches = branches(schema).into_iter().flatten();
                branches.flat_map(|branch| self.types(branch)).collect()
            }
        };
        kinds.dedup();
        kinds
    }

    fn unknown(
        &self,
        key: &str,
        properties: &Map<String, Value>,
        path: &[String],
    ) -> SettingsError {
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        let help = match nearest(key, names.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("{} takes: {}", self.name, names.join(", ")),
        };
        SettingsError::new(path.to_vec(), "unknown setting").with_help(help)
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        resolved(schema, self.root)
    }
}

/// What a schema refers to, or itself.
pub(super) fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let pointer = schema.get("$ref").and_then(Value::as_str);
    let pointer = pointer.and_then(|at| at.strip_prefix('#'));
    let found = pointer.and_then(|pointer| root.pointer(pointer));
    found.unwrap_or(schema)
}

/// The shapes of which a value has one.
pub(super) fn branches(schema: &Value) -> Option<&Vec<Value>> {
    let branches = schema.get("anyOf").or(schema.get("oneOf"));
    branches.and_then(Value::as_array)
}
