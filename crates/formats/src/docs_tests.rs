//! The page that lists every format is what the formats' own options say, and its examples are read.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::encoding::{OWN_LABELS, STANDARD, TextEncoding};
use crate::spec::{FormatSpec, NAMES};

const START: &str =
    "<!-- formats: made by `SECTORLAKE_DOCS=write cargo test -p sectorlake-formats docs` -->\n";
const END: &str = "<!-- end of formats -->\n";

/// One of each format.
const EXAMPLES: &[&str] = &[
    r#"{"name": "csv", "encoding": "tcvn3", "delimiter": ";", "skip_rows": 2, "footer": "^Nguồn:"}"#,
    r#"{"name": "fixed", "skip_rows": 1, "columns": [{"name": "id", "start": 1, "width": 11}, {"name": "lat", "start": 13, "width": 8}]}"#,
    r#"{"name": "json", "record_path": "data.items", "unnest": "readings"}"#,
    r#"{"name": "ndjson", "unnest": "readings"}"#,
    r#"{"name": "xlsx", "sheet": "2024", "header_rows": [4, 5], "units_row": 6, "drop_rows": "^Tổng"}"#,
    r#"{"name": "xls", "sheet": {"pattern": "^20[0-9]{2}$"}, "fill_down": ["Năm"]}"#,
    r#"{"name": "ods", "columns": "B:G", "formula_errors": "empty"}"#,
    r#"{"name": "html", "table": 2, "header_rows": [1, 2]}"#,
    r#"{"name": "xml", "record_path": "response/body/items/item", "unnest": "readings/reading"}"#,
    r#"{"name": "geojson"}"#,
    r#"{"name": "esri_json", "domains": {"status": {"o": "open", "c": "closed"}}}"#,
    r#"{"name": "gml", "axis_order": "xy"}"#,
    r#"{"name": "sdmx_json"}"#,
    r#"{"name": "ngsi_ld"}"#,
    r#"{"name": "gtfs_realtime", "entity": "vehicle_positions"}"#,
    r#"{"name": "siri", "service": "vehicle_monitoring"}"#,
    r#"{"name": "netex", "objects": "passing_times"}"#,
    r#"{"name": "avro"}"#,
    r#"{"name": "parquet"}"#,
];

/// Of several bytes a letter.
const WIDE: &[&str] = &[
    "utf-8",
    "utf-16le",
    "utf-16be",
    "big5",
    "euc-jp",
    "euc-kr",
    "gb18030",
    "gbk",
    "iso-2022-jp",
    "shift_jis",
];

/// The value as YAML has it on one line; the name comes first.
fn yaml(value: &Value) -> String {
    match value {
        Value::String(text)
            if text.starts_with(|first: char| first.is_ascii_lowercase())
                && text
                    .chars()
                    .all(|it| it.is_ascii_alphanumeric() || it == '_') =>
        {
            text.clone()
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(yaml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let (name, rest): (Vec<_>, Vec<_>) = object.iter().partition(|(key, _)| *key == "name");
            let pairs = name.into_iter().chain(rest);
            let pairs: Vec<String> = pairs
                .map(|(key, value)| format!("{key}: {}", yaml(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

fn example(name: &str) -> String {
    let specs = EXAMPLES
        .iter()
        .map(|text| serde_json::from_str::<FormatSpec>(text).unwrap());
    let spec = specs.into_iter().find(|spec| spec.name() == name).unwrap();
    match serde_json::to_value(&spec).unwrap() {
        Value::Object(object) if object.len() == 1 => format!("format: {name}"),
        value => format!("format: {}", yaml(&value)),
    }
}

/// The schema behind a reference.
fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let target = schema["$ref"]
        .as_str()
        .and_then(|it| it.strip_prefix("#/$defs/"));
    target.map_or(schema, |name| &root["$defs"][name])
}

/// The alternatives of a schema, NULL left out.
fn alternatives<'a>(schema: &'a Value, root: &'a Value) -> Vec<&'a Value> {
    let schema = resolved(schema, root);
    match schema["anyOf"]
        .as_array()
        .or_else(|| schema["oneOf"].as_array())
    {
        Some(all) => all
            .iter()
            .flat_map(|it| alternatives(it, root))
            .filter(|it| it["type"] != "null")
            .collect(),
        None => vec![schema],
    }
}

fn kind(schema: &Value, root: &Value) -> String {
    let kinds = alternatives(schema, root).into_iter().map(|schema| {
        let word = match &schema["type"] {
            Value::Array(kinds) => kinds[0].as_str(),
            kind => kind.as_str(),
        };
        match word {
            _ if schema["const"].is_string() => format!("`{}`", schema["const"].as_str().unwrap()),
            Some("string") if schema["maxLength"] == 1 => "a character".to_owned(),
            Some("string") => "text".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("array") => match kind(&schema["items"], root) {
                keys if keys.starts_with('`') => format!("list of {keys}"),
                items => format!("list of {items}s"),
            },
            // A map whose keys are the user's own.
            Some("object") if schema["properties"].is_null() => {
                match kind(&schema["additionalProperties"], root).as_str() {
                    "text" => "map of texts".to_owned(),
                    values => format!("map to {values}"),
                }
            }
            Some("object") => {
                let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
                let keys: Vec<String> = keys.iter().map(|key| format!("{key}: …")).collect();
                format!("`{{ {} }}`", keys.join(", "))
            }
            other => panic!("a type that the page has no word for: {other:?}"),
        }
    });
    kinds.collect::<Vec<_>>().join(" or ")
}

fn described(schema: &Value) -> String {
    schema["description"]
        .as_str()
        .unwrap_or_default()
        .replace('\n', " ")
}

/// What the values of an option, or the keys of its elements, mean.
fn meanings(schema: &Value, root: &Value) -> String {
    let mut text = String::new();
    for schema in alternatives(schema, root) {
        if let Some(value) = schema["const"].as_str()
            && schema["description"].is_string()
        {
            let _ = write!(text, " `{value}`: {}", described(schema));
        }
        if schema["items"]["$ref"].is_string() {
            let element = resolved(&schema["items"], root);
            for (key, schema) in element["properties"].as_object().unwrap() {
                let _ = write!(text, " `{key}`: {}", described(schema));
            }
        }
    }
    text
}

/// The sentence that says what an option left out means, and the others.
fn left_out(description: &str) -> (String, String) {
    let Some((before, rest)) = description.split_once("Left out: ") else {
        return ("none".to_owned(), description.to_owned());
    };
    let (default, after) = rest.split_once(". ").unwrap_or((rest, ""));
    let others = format!("{before}{after}").trim().to_owned();
    (default.trim_end_matches('.').to_owned(), others)
}

/// A table of a format's options.
fn options(properties: &Map<String, Value>, root: &Value) -> String {
    let mut table = "| option | type | what it says | left out |\n|---|---|---|---|\n".to_owned();
    for (option, schema) in properties {
        let (default, what) = left_out(&described(schema));
        let what = format!("{what}{}", meanings(schema, root));
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(
            table,
            "| `{option}` | {} | {} | {} |",
            kind(schema, root),
            cell(&what),
            cell(&default)
        );
    }
    table
}

fn formats() -> String {
    let root = schemars::schema_for!(FormatSpec).to_value();
    let mut page = String::new();
    let mut tables: Vec<(String, String)> = Vec::new();
    for schema in root["$defs"]["FormatOptions"]["oneOf"].as_array().unwrap() {
        let mut properties = schema["properties"].as_object().unwrap().clone();
        let name = properties.remove("name").unwrap();
        let name = name["const"].as_str().unwrap();
        let about = described(schema);
        let _ = write!(page, "\n### {name}\n\n{about}");
        let table = options(&properties, &root);
        let same = tables.iter().find(|(_, other)| *other == table);
        let (more, table) = match same {
            _ if properties.is_empty() => (" It has no options.".to_owned(), String::new()),
            Some((as_for, _)) => (format!(" Options as for `{as_for}`."), String::new()),
            None => {
                tables.push((name.to_owned(), table.clone()));
                (String::new(), format!("\n{table}"))
            }
        };
        let _ = write!(page, "{more}\n\n```yaml\n{}\n```\n{table}", example(name));
    }
    page
}

fn encodings() -> String {
    let mut own: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (label, name) in OWN_LABELS {
        own.entry(name).or_default().push(format!("`{label}`"));
    }
    let mut page = "\n### Labels of encodings\n\n| encoding | labels |\n|---|---|\n".to_owned();
    for (name, labels) in own {
        let _ = writeln!(page, "| {name} | {} |", labels.join(", "));
    }
    for (what, labels) in [
        ("a byte a letter", STANDARD),
        ("several bytes a letter", WIDE),
    ] {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(page, "| {what} | {} |", labels.join(", "));
    }
    page
}

#[test]
fn the_page_says_what_the_options_say() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let fresh = format!("{before}{START}{}{}\n{END}{after}", formats(), encodings());
    if std::env::var("SECTORLAKE_DOCS").is_ok_and(|it| it == "write") {
        std::fs::write(&path, fresh).unwrap();
        return;
    }
    assert!(
        text == fresh,
        "README.md is not what the formats say: SECTORLAKE_DOCS=write cargo test -p sectorlake-formats docs"
    );
}

#[test]
fn every_format_has_one_example() {
    let names: Vec<&str> = EXAMPLES
        .iter()
        .map(|text| serde_json::from_str::<FormatSpec>(text).unwrap().name())
        .collect();
    assert_eq!(names, NAMES);
}

#[test]
fn every_label_on_the_page_is_known() {
    let own = OWN_LABELS.iter().map(|(label, _)| label);
    for label in own.chain(STANDARD).chain(WIDE) {
        TextEncoding::find("stops.csv", Some(label), b"").unwrap();
    }
}
