//! A contract of its own, for a source that no shared table fits.

use sectorlake_contract::{Field, FieldType};
use sectorlake_normalise::Shape;
use serde_json::json;

use super::aliases;
use super::columns::SourceColumn;
use super::digits;
use super::mapping::{Line, mixed, repeated, value};
use crate::names::field_name;
use crate::values::shown;

/// Examples of a field.
const EXAMPLES_MAX: usize = 2;

/// A drafted contract, and the lines of its mapping.
#[derive(Debug, Clone)]
pub(super) struct Drafted {
    pub(super) text: String,
    pub(super) lines: Vec<Line>,
    /// What its author should look at.
    pub(super) notes: Vec<String>,
}

/// Drafts the contract of a table from the columns of a source.
pub(super) fn draft(title: &str, columns: &[SourceColumn], is_whole: bool) -> Drafted {
    let mut names: Vec<String> = Vec::new();
    let (mut fields, mut lines, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    let (nested, columns): (Vec<_>, Vec<_>) = columns.iter().partition(|column| column.is_nested);
    notes.extend(nested.iter().map(|column| {
        format!(
            "{:?} holds records of its own, which no field takes: name parts of it in the mapping, as in {}['…']",
            column.name,
            crate::names::quoted(&column.name)
        )
    }));
    for column in &columns {
        let name = free(field_name(&column.name), &names);
        names.push(name.clone());
        let (kind, why) = kind(column);
        if let Some(why) = &column.personal {
            notes.push(format!("`{name}` is classified personal: {why}"));
        }
        let mut line_notes: Vec<String> = why
            .into_iter()
            .chain(mixed(column))
            .chain(repeated(column, columns.iter().copied()))
            .collect();
        let field = field_of(&name, &kind);
        let sql = value(&field, column, &mut line_notes);
        lines.push(Line::new(sql, &name, line_notes));
        fields.push(descriptor(&name, &kind, column));
    }
    let key = columns.iter().position(|column| {
        column.is_unique && aliases::is_identifier(&column.folded) && column.folded != "stt"
    });
    let primary_key = match key {
        Some(index) => {
            if !is_whole {
                notes.push(format!("the key ({}) is unique in the first records; whether it is in all, `sectorlake plan` tells", names[index]));
            }
            format!("  \"primaryKey\": {},\n", json!([names[index]]))
        }
        None => {
            notes.push("no column names a row: the contract has no primaryKey".to_owned());
            String::new()
        }
    };
    let (fields, title) = (fields.join(",\n"), json!(title));
    let text = format!(
        "{{\n  \"$schema\": \"https://datapackage.org/profiles/2.0/tableschema.json\",\n  \"title\": {title},\n  \
         \"fields\": [\n{fields}\n  ],\n  \"missingValues\": [\"\"],\n{primary_key}  \
         \"sectorlake\": {{ \"version\": \"1.0.0\", \"title\": {{ \"vi\": {title}, \"en\": {title} }} }}\n}}\n"
    );
    Drafted { text, lines, notes }
}

fn free(name: String, taken: &[String]) -> String {
    if !taken.contains(&name) {
        return name;
    }
    let mut number = 2;
    while taken.contains(&format!("{name}_{number}")) {
        number += 1;
    }
    format!("{name}_{number}")
}

/// The Table Schema type of a column, and why, where its values alone would say otherwise.
fn kind(column: &SourceColumn) -> (FieldType, Option<String>) {
    let shape = column.shape();
    if aliases::is_identifier(&column.folded) && matches!(shape, Shape::Integer | Shape::Number) {
        let why = "text, though all its values are digits: its name says that it is an identifier";
        return (FieldType::String, Some(why.to_owned()));
    }
    if let Some((kind, why)) = digits::exact(column) {
        return (kind, Some(why));
    }
    let kind = match shape {
        Shape::Integer => FieldType::Integer,
        Shape::Number | Shape::NumberComma | Shape::NumberEither => FieldType::Number,
        Shape::Date(_) => FieldType::Date,
        Shape::Boolean if is_plain_boolean(column) => FieldType::Boolean {
            true_values: Vec::new(),
            false_values: Vec::new(),
        },
        Shape::Binary => FieldType::GeoJson,
        _ => FieldType::String,
    };
    (kind, None)
}

/// Whether the words for true and false are those that Table Schema knows.
fn is_plain_boolean(column: &SourceColumn) -> bool {
    const KNOWN: [&str; 8] = ["true", "True", "TRUE", "1", "false", "False", "FALSE", "0"];
    column.profile.some().all(|value| KNOWN.contains(&value))
}

/// The field that a mapping is drafted for.
fn field_of(name: &str, kind: &FieldType) -> Field {
    Field {
        name: name.to_owned(),
        kind: match kind {
            // Such values are taken as they are.
            FieldType::Boolean { .. } | FieldType::GeoJson => FieldType::String,
            other => other.clone(),
        },
        ..Field::default()
    }
}

/// A field as people write it: what it is first.
fn descriptor(name: &str, kind: &FieldType, column: &SourceColumn) -> String {
    let title = json!(shown(&column.name));
    let class = if column.personal.is_some() {
        "personal"
    } else {
        "internal"
    };
    // What persons wrote about persons is no example; a number's or date's text is not its value.
    let wants_examples =
        *kind == FieldType::String && column.is_quotable && column.shape() != Shape::Json;
    let examples: Vec<String> = column
        .profile
        .some()
        .take(if wants_examples { EXAMPLES_MAX } else { 0 })
        .map(shown)
        .collect();
    let examples = match examples.as_slice() {
        [] => String::new(),
        some => format!("      \"examples\": {},\n", json!(some)),
    };
    let decimal = match kind {
        FieldType::Decimal { precision, scale } => {
            format!(", \"precision\": {precision}, \"scale\": {scale}")
        }
        _ => String::new(),
    };
    let kind = kind.word();
    format!(
        "    {{\n      \"name\": {}, \"type\": \"{kind}\", \"title\": {title},\n{examples}      \
         \"sectorlake\": {{ \"title\": {{ \"vi\": {title}, \"en\": {title} }}, \"classification\": \"{class}\"{decimal} }}\n    }}",
        json!(name)
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use sectorlake_contract::Contract;

    use super::*;
    use crate::values::Profile;

    #[test]
    fn what_is_drafted_is_a_sound_contract() {
        let column = |(name, values): &(&str, &[&str])| {
            let mut profile = Profile::default();
            values.iter().for_each(|value| profile.add(Some(value)));
            SourceColumn::of(name, profile)
        };
        let columns: Vec<SourceColumn> = [
            ("Mã sổ", &["1001", "1002"][..]),
            ("Họ và tên", &["An", "Bình"]),
            ("Ngày", &["31/12/2020", "01/02/2021"]),
            ("Cân nặng", &["12,5", "11"]),
            ("2024", &["1", ""]),
            ("2024 ", &["true", "false"]),
        ]
        .iter()
        .map(column)
        .collect();
        let drafted = draft("Sổ", &columns, false);
        let contract = Contract::parse("health.books".parse().unwrap(), &drafted.text).unwrap();
        let fields: Vec<String> = contract
            .fields
            .iter()
            .map(|field| {
                format!(
                    "{} {} {}",
                    field.name,
                    field.kind.word(),
                    field.classification.word()
                )
            })
            .collect();
        let expected = [
            "ma_so string internal",
            "ho_va_ten string personal",
            "ngay date internal",
            "can_nang number internal",
            "column_2024 integer internal",
            "column_2024_2 boolean internal",
        ];
        assert_eq!(fields, expected);
        let count = SourceColumn {
            data_type: Some(arrow::datatypes::DataType::Decimal128(20, 4)),
            ..columns[3].clone()
        };
        let exact = draft("Sổ", &[count], false).text;
        let exact = Contract::parse("health.books".parse().unwrap(), &exact).unwrap();
        let decimal = FieldType::Decimal {
            precision: 20,
            scale: 4,
        };
        assert_eq!(exact.fields[0].kind, decimal);
        assert_eq!(contract.primary_key, ["ma_so"]);
    }
}
