//! Settings of a pipeline file against a connector's JSON Schema, with the place and the mend of each mistake.

use serde_json::{Map, Value};

use crate::suggest::nearest;

/// A setting that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", if path.is_empty() { String::new() } else { format!("{}: ", self.key()) })]
pub struct SettingsError {
    /// Keys, and indices of lists, from the connector's settings down to the one that is wrong. A missing key is its
    /// parent's mistake, an unknown one stands in the path itself.
    pub path: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// The mend.
    pub help: Option<String>,
}

impl SettingsError {
    /// What is wrong at `path`.
    #[must_use]
    pub fn new(path: Vec<String>, message: impl Into<String>) -> Self {
        Self {
            path,
            message: message.into(),
            help: None,
        }
    }

    /// What is wrong with one top-level key.
    #[must_use]
    pub fn of_key(key: &str, message: impl Into<String>) -> Self {
        Self::new(vec![key.to_owned()], message)
    }

    /// With the mend.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The place as people write it: `headers.accept`, `url[1]`.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::new();
        for step in &self.path {
            if step.bytes().all(|byte| byte.is_ascii_digit()) {
                key.push_str(&format!("[{step}]"));
            } else {
                key.push_str(if key.is_empty() { "" } else { "." });
                key.push_str(step);
            }
        }
        key
    }
}

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
        if let Some(branches) = schema
            .get("anyOf")
            .or(schema.get("oneOf"))
            .and_then(Value::as_array)
        {
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
        let expected = types(schema);
        if !expected.is_empty() && !expected.iter().any(|kind| is_of(value, kind)) {
            return Err(wrong_type(value, &expected, path));
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
                Err(mistake) => mistakes.push((self.resolve(branch), mistake)),
            }
        }
        let of_type = mistakes
            .iter()
            .find(|(branch, _)| types(branch).iter().any(|kind| is_of(value, kind)));
        if let Some((_, mistake)) = of_type {
            return Err(mistake.clone());
        }
        let expected: Vec<&str> = mistakes
            .iter()
            .flat_map(|(branch, _)| types(branch))
            .collect();
        Err(wrong_type(value, &expected, path))
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
        let pointer = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|at| at.strip_prefix('#'));
        pointer
            .and_then(|pointer| self.root.pointer(pointer))
            .unwrap_or(schema)
    }
}

/// A number beyond `minimum` or `maximum`, a list shorter than `minItems` or longer than `maxItems`.
fn out_of_bounds(value: &Value, schema: &Value) -> Option<String> {
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

fn types(schema: &Value) -> Vec<&str> {
    match (schema.get("type"), schema.get("oneOf")) {
        (Some(Value::String(kind)), _) => vec![kind.as_str()],
        (Some(Value::Array(kinds)), _) => kinds.iter().filter_map(Value::as_str).collect(),
        (_, Some(Value::Array(branches))) => {
            let mut kinds: Vec<&str> = branches.iter().flat_map(types).collect();
            kinds.dedup();
            kinds
        }
        _ => Vec::new(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
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

fn wrong_type(value: &Value, expected: &[&str], path: &[String]) -> SettingsError {
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

fn not_an_option(value: &Value, options: &[Value], path: &[String]) -> SettingsError {
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

fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.split_once(". ")
        .map_or(line.clone(), |(first, _)| format!("{first}."))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeMap;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Settings {
        /// Where the file lies. Relative to the project.
        path: String,
        #[serde(default)]
        station: Option<Station>,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        ids: Vec<u64>,
        #[serde(default)]
        bbox: Option<[f64; 4]>,
        #[serde(default)]
        layout: Layout,
        #[serde(default)]
        other: Option<Layout>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Station {
        /// The id that the network gives.
        id: String,
        latitude: Option<f64>,
    }

    #[derive(Deserialize, JsonSchema, Default)]
    #[serde(rename_all = "lowercase")]
    enum Layout {
        /// As it comes.
        #[default]
        Live,
        /// As it was.
        Archive,
    }

    fn say(settings: Value) -> String {
        let schema = schemars::schema_for!(Settings).to_value();
        let Err(error) = check(&settings, &schema, "demo") else {
            return "fine".to_owned();
        };
        error
            .help
            .as_ref()
            .map_or(error.to_string(), |help| format!("{error} / {help}"))
    }

    #[test]
    fn each_mistake_has_a_place_and_a_mend() {
        let all = [
            json!({"path": "a", "station": {"id": "x", "latitude": 10}, "ids": [1], "layout": "live"}),
            json!({"path": "a", "station": null, "headers": {"accept": "text/csv"}}),
            json!({"pth": "a"}),
            json!({"path": "a", "wholly_else": 1}),
            json!({"layout": "live"}),
            json!({"path": 7}),
            json!({"path": ["a"]}),
            json!({"path": "a", "station": {"id": "x", "lattitude": 1}}),
            json!({"path": "a", "station": {"latitude": 1}}),
            json!({"path": "a", "station": {"id": 12}}),
            json!({"path": "a", "station": "x"}),
            json!({"path": "a", "headers": {"accept": true}}),
            json!({"path": "a", "ids": [1, "2"]}),
            json!({"path": "a", "ids": [1.5]}),
            json!({"path": "a", "ids": [-1]}),
            json!({"path": "a", "bbox": [1, 2, 3]}),
            json!({"path": "a", "layout": "archiv"}),
            json!({"path": "a", "layout": "zzz"}),
            json!({"path": "a", "other": "zzz"}),
            json!({"path": "a", "other": 7}),
        ];
        let said: Vec<String> = all.into_iter().map(say).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        fine
        fine
        pth: unknown setting / did you mean `path`?
        wholly_else: unknown setting / demo takes: bbox, headers, ids, layout, other, path, station
        `path` is missing / path: Where the file lies.
        path: must be a text, not 7 / write it in quotes: "7"
        path: must be a text, not a list
        station.lattitude: unknown setting / did you mean `latitude`?
        station: `id` is missing / id: The id that the network gives.
        station.id: must be a text, not 12 / write it in quotes: "12"
        station: must be keys with values, not a text
        headers.accept: must be a text, not true / write it in quotes: "true"
        ids[1]: must be a whole number, not a text
        ids[0]: must be a whole number, not 1.5
        ids[0]: must be at least 0, not -1
        bbox: must be at least 4 entries, not 3
        layout: "archiv" is none of its values / did you mean `archive`?
        layout: "zzz" is none of its values / one of: live, archive
        other: "zzz" is none of its values / one of: live, archive
        other: must be a text, not 7 / write it in quotes: "7"
        "#);
    }

    #[test]
    fn the_path_leads_to_the_mistake() {
        let schema = schemars::schema_for!(Settings).to_value();
        let settings = json!({"path": "a", "station": {"id": "x", "lattitude": 1}});
        let error = check(&settings, &schema, "demo").unwrap_err();
        assert_eq!(error.path, ["station", "lattitude"]);
    }
}
