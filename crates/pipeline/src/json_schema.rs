//! The JSON Schema of pipeline files, for editors: our own keys, and the settings of whichever connector is named.

use schemars::generate::SchemaSettings;
use sectorlake_connector::{Registration, Registry};
use sectorlake_formats::FormatSpec;
use serde_json::{Value, json};

use crate::file::PipelineFile;

/// The schema of a pipeline file, with the settings of every connector of `registry`.
#[must_use]
pub fn json_schema(registry: &Registry) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let format = generator.subschema_for::<FormatSpec>().to_value();
    let mut schema = generator.into_root_schema_for::<PipelineFile>().to_value();
    schema["title"] = json!("A sectorlake pipeline");
    let names: Vec<&str> = registry.iter().map(Registration::name).collect();
    let choices: Vec<Value> = registry
        .iter()
        .map(|connector| json!({ "const": connector.name(), "description": connector.about() }))
        .collect();
    let branches: Vec<Value> = registry
        .iter()
        .map(|connector| {
            json!({
                "if": { "properties": { "connector": { "const": connector.name() } } },
                "then": { "$ref": format!("#/$defs/{}", definition_name(connector.name())) },
            })
        })
        .collect();
    schema["$defs"]["SourceFile"] = json!({
        "type": "object",
        "description": "The connector; its settings follow.",
        "properties": { "connector": { "type": "string", "enum": names, "oneOf": choices } },
        "required": ["connector"],
        "allOf": branches,
    });
    for connector in registry.iter() {
        schema["$defs"][definition_name(connector.name())] = settings(connector, &format);
    }
    unwrap_lines(&mut schema);
    schema
}

fn definition_name(connector: &str) -> String {
    format!("connector_{connector}")
}

/// A connector's settings, as they stand beside `connector:`.
fn settings(connector: &Registration, format: &Value) -> Value {
    let mut schema = connector.settings_schema();
    let prefix = format!("#/$defs/{}/$defs/", definition_name(connector.name()));
    relocate(&mut schema, &prefix);
    if let Some(object) = schema.as_object_mut() {
        object.remove("$schema");
        object.insert("description".to_owned(), json!(connector.about()));
    }
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("connector".to_owned(), json!({ "const": connector.name() }));
        if let Some(described) = properties
            .get("format")
            .and_then(|known| known.get("description"))
            .cloned()
        {
            properties.insert(
                "format".to_owned(),
                json!({ "description": described, "anyOf": [format, { "type": "null" }] }),
            );
        }
    }
    schema
}

/// A connector's own definitions move with it, so what refers to them must too.
fn relocate(schema: &mut Value, prefix: &str) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get_mut("$ref")
                && let Some(name) = target.strip_prefix("#/$defs/")
            {
                *target = format!("{prefix}{name}");
            }
            object
                .values_mut()
                .for_each(|value| relocate(value, prefix));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| relocate(value, prefix)),
        _ => {}
    }
}

/// Descriptions come from comments that are wrapped, and editors keep their line breaks.
fn unwrap_lines(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(unwrap_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_lines),
        _ => {}
    }
}
