//! The pipeline's file as text.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::mapping::Line;

/// Characters of a comment's line.
const COMMENT_CHARS_MAX: usize = 110;

/// What a pipeline's file says.
#[derive(Debug, Default)]
pub(super) struct PipelineText {
    /// Lines of the comment at the top.
    pub(super) about: Vec<String>,
    pub(super) title: String,
    pub(super) licence: Option<String>,
    pub(super) connector: String,
    pub(super) settings: Map<String, Value>,
    /// The format, and what was chosen of it.
    pub(super) format: Option<Value>,
    /// None where the connector brings its own mapping.
    pub(super) table: Option<TableText>,
}

/// The table of a pipeline's file.
#[derive(Debug, Default)]
pub(super) struct TableText {
    pub(super) name: String,
    pub(super) from: Option<String>,
    /// Columns that stay where the others become rows.
    pub(super) keep: Option<Vec<String>>,
    pub(super) lines: Vec<Line>,
    /// What is said after the last line.
    pub(super) rest: Vec<String>,
}

/// The file.
pub(super) fn render(pipeline: &PipelineText) -> String {
    let mut text = String::new();
    for line in &pipeline.about {
        comment(&mut text, "", "#", line);
    }
    let title = json(&Value::from(pipeline.title.as_str()));
    let _ = writeln!(text, "title: {{ vi: {title}, en: {title} }}");
    if let Some(licence) = &pipeline.licence {
        let _ = writeln!(text, "licence: {}", json(&Value::from(licence.as_str())));
    }
    let _ = writeln!(text, "source:\n  connector: {}", pipeline.connector);
    for (key, value) in &pipeline.settings {
        let _ = writeln!(text, "  {key}: {}", json(value));
    }
    if let Some(format) = &pipeline.format {
        let _ = writeln!(text, "  format: {}", json(format));
    }
    if let Some(table) = &pipeline.table {
        let _ = writeln!(text, "tables:\n  {}:", table.name);
        if let Some(from) = &table.from {
            let _ = writeln!(text, "    from: {}", json(&Value::from(from.as_str())));
        }
        text.push_str("    load: replace\n");
        if let Some(keep) = &table.keep {
            let keep = json(&Value::from(keep.clone()));
            let _ = writeln!(
                text,
                "    unpivot: {{ keep: {keep}, name: period, value: value }}"
            );
        }
        text.push_str("    map: |\n");
        select(&mut text, table);
    }
    text
}

fn select(text: &mut String, table: &TableText) {
    const INDENT: &str = "      ";
    let _ = writeln!(text, "{INDENT}SELECT");
    let inner = format!("{INDENT}  ");
    for (index, line) in table.lines.iter().enumerate() {
        for note in &line.notes {
            comment(text, &inner, "--", note);
        }
        let comma = if index + 1 < table.lines.len() {
            ","
        } else {
            ""
        };
        // A name of a column may hold a line's end.
        let sql = line.sql.replace('\n', &format!("\n{INDENT}"));
        let field = crate::names::quoted(&line.field);
        let _ = match sql == field {
            true => writeln!(text, "{inner}{sql}{comma}"),
            false => writeln!(text, "{inner}{sql} AS {field}{comma}"),
        };
    }
    for rest in &table.rest {
        comment(text, &inner, "--", rest);
    }
    let _ = writeln!(text, "{INDENT}FROM source");
}

/// A comment, cut into lines at words.
fn comment(text: &mut String, indent: &str, mark: &str, said: &str) {
    let mut line = String::new();
    for word in said.split_whitespace() {
        let full = line.chars().count() + word.chars().count() >= COMMENT_CHARS_MAX;
        if full && !line.is_empty() {
            let _ = writeln!(text, "{indent}{mark} {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{indent}{mark} {line}");
}

/// JSON on one line is YAML too.
fn json(value: &Value) -> String {
    match value {
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            // A format's name comes before its options.
            let (names, others): (Vec<_>, Vec<_>) = map.iter().partition(|(key, _)| *key == "name");
            let pairs: Vec<String> = names
                .into_iter()
                .chain(others)
                .map(|(key, value)| format!("{}: {}", key_of(key), json(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

fn key_of(key: &str) -> String {
    if is_plain(key) {
        key.to_owned()
    } else {
        Value::from(key).to_string()
    }
}

/// Whether a text means itself in YAML without quotes.
fn is_plain(text: &str) -> bool {
    let mut letters = text.chars();
    let starts = letters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '/');
    let reads_otherwise = ["true", "false", "yes", "no", "null", "on", "off", "y", "n"]
        .contains(&text.to_lowercase().as_str());
    starts
        && !reads_otherwise
        && !text.ends_with(' ')
        && letters
            .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/' | ' '))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_quoted_where_yaml_would_read_them_otherwise() {
        for (value, expected) in [
            (json!("csv"), "csv"),
            (json!("data/Trường học.csv"), "data/Trường học.csv"),
            (json!("no"), "\"no\""),
            (json!("a: b"), "\"a: b\""),
            (json!("12"), "\"12\""),
            (json!(";"), "\";\""),
            (
                json!({"name": "csv", "header_rows": [1, 2]}),
                "{ name: csv, header_rows: [1, 2] }",
            ),
        ] {
            assert_eq!(json(&value), expected);
        }
    }

    #[test]
    fn comments_break_at_words() {
        let mut text = String::new();
        comment(&mut text, "  ", "--", &"word ".repeat(40));
        assert_eq!(text.lines().count(), 2);
        assert!(text.lines().all(|line| line.starts_with("  -- word")));
    }
}
