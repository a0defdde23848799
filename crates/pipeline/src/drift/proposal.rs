//! A change in words, and the mend as a piece of YAML or JSON that can be pasted.

use std::collections::BTreeMap;

use sectorlake_contract::{Contract, Field, FieldType};
use sectorlake_normalise::{DateOrder, Shape};
use serde_json::json;

use super::{Change, Column, Drift, DriftKind};
use crate::draft::is_personal;
use crate::names::{field_name, folded, quoted};

/// What a change is told beside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The table that the stream feeds.
    pub(crate) contract: &'a Contract,
    /// The stream.
    pub(crate) stream: &'a str,
    /// The mapping's SQL, where there is one.
    pub(crate) sql: Option<&'a str>,
    /// Whether the pipeline's file holds it.
    pub(crate) is_own: bool,
    /// Fields that drift added, and the columns that they take.
    pub(crate) added: &'a BTreeMap<String, String>,
    /// Whether the pipeline adds new columns by itself.
    pub(crate) on_add: bool,
    /// Whether this very column becomes a field by itself.
    pub(crate) adds: bool,
}

impl Around<'_> {
    /// The change, told.
    pub(crate) fn tell(&self, change: &Change) -> Drift {
        match change {
            Change::New(column) => self.new_column(column),
            Change::Missing { column, shape } => self.missing(column, *shape),
            Change::Renamed { from, to, why } => self.renamed(from, to, why),
            Change::Type { column, before } => self.changed_type(column, *before),
        }
    }

    fn drift(&self, kind: DriftKind, column: &str, used: bool) -> Drift {
        Drift {
            table: self.contract.name.clone(),
            stream: self.stream.to_owned(),
            kind,
            column: column.to_owned(),
            before: None,
            now: None,
            used,
            message: String::new(),
            proposal: String::new(),
        }
    }

    fn new_column(&self, column: &Column) -> Drift {
        let (name, shape) = (&column.name, column.shape());
        let field = self.field_like(name);
        let used = column.used || self.adds || self.reads(name);
        let place = format!(
            "schemas/{}/{}.json",
            self.contract.name.schema(),
            self.contract.name.table()
        );
        let by_hand = format!(
            "add to {place}:\n  {}\nand to the mapping:\n  {} AS {}",
            contract_field(name, shape),
            expression(name, shape, None),
            field_name(name)
        );
        let proposal = match field {
            _ if self.adds => format!(
                "it is loaded as a text field; to keep it under a type of its own, add to {place}:\n  {}",
                contract_field(name, shape)
            ),
            _ if used => "the mapping reads it already".to_owned(),
            None if is_personal(&folded(name)) => format!(
                "it is not added by itself, for its name says something about a person; if it is wanted, {by_hand}"
            ),
            None if self.on_add => format!("it is not added by itself; if it is wanted, {by_hand}"),
            Some(field) if self.sql.is_some() => format!(
                "in the mapping onto {}, take it up:\n  {} AS {}",
                self.contract.name,
                expression(name, shape, Some(field)),
                quoted(&field.name)
            ),
            Some(field) => format!(
                "give {} a `map:` that takes it up: {} AS {}",
                self.contract.name,
                expression(name, shape, Some(field)),
                quoted(&field.name)
            ),
            None => {
                format!("if it is wanted, set `on_drift: add` in the pipeline's file; or {by_hand}")
            }
        };
        Drift {
            now: Some(name.clone()),
            message: format!(
                "column {name:?} of {} is new: it holds {shape}{}",
                self.stream,
                if used { "" } else { ", and nothing reads it" }
            ),
            proposal,
            ..self.drift(DriftKind::New, name, used)
        }
    }

    fn missing(&self, column: &str, shape: Option<Shape>) -> Drift {
        let added = self.added_from(column);
        let used = self.reads(column) || added.is_some();
        let held = shape.map_or_else(String::new, |shape| format!(": it held {shape}"));
        let ask = "ask the publisher".to_owned();
        let (effect, proposal) = match (used, self.sql) {
            (false, _) => (
                ", but nothing read it".to_owned(),
                "nothing has to be done".to_owned(),
            ),
            _ if let Some(field) = added => (
                format!(": the field `{field}`, which was added for it, is empty from now on"),
                ask,
            ),
            (true, Some(_)) => (
                ", and the mapping reads it".to_owned(),
                format!(
                    "ask the publisher; if it stays away, write in the mapping onto {}:\n  NULL  -- instead of {}",
                    self.contract.name,
                    quoted(column)
                ),
            ),
            (true, None) => (
                ": its field is empty from now on".to_owned(),
                format!(
                    "ask the publisher; if it has another name now, give {} a `map:` that names it AS {}",
                    self.contract.name,
                    quoted(column)
                ),
            ),
        };
        Drift {
            before: Some(column.to_owned()),
            message: format!(
                "column {column:?} of {} is missing{held}{effect}",
                self.stream
            ),
            proposal,
            ..self.drift(DriftKind::Missing, column, used)
        }
    }

    fn renamed(&self, from: &str, to: &Column, why: &str) -> Drift {
        let used = self.reads(from);
        let (old, new) = (quoted(from), quoted(&to.name));
        let proposal = match (used, self.sql, self.is_own) {
            (false, ..) if !to.used => "nothing reads it: nothing has to be done".to_owned(),
            (false, ..) => "the mapping reads it by its new name already".to_owned(),
            // A bare column is its field's name too, which has to stay.
            (true, Some(sql), true) => {
                let name = match mapped_to(sql, from) {
                    Some(_) => new.clone(),
                    None => format!("{new} AS {old}"),
                };
                format!(
                    "in the mapping onto {}, write {name} instead of {old}:\n  - {old}\n  + {name}",
                    self.contract.name
                )
            }
            (true, _, _) => format!(
                "give {} a `map:` of its own that says:\n  {new} AS {}",
                self.contract.name,
                quoted(
                    &self
                        .field_like(from)
                        .map_or_else(|| field_name(from), |field| field.name.clone())
                )
            ),
        };
        Drift {
            before: Some(from.to_owned()),
            now: Some(to.name.clone()),
            message: format!(
                "column {from:?} of {} is now called {:?}, it seems: {why}",
                self.stream, to.name
            ),
            proposal,
            ..self.drift(DriftKind::Renamed, from, used)
        }
    }

    fn changed_type(&self, column: &Column, before: Shape) -> Drift {
        let (name, now) = (&column.name, column.shape());
        let field = self.field_like(name);
        let added = self.added_from(name);
        let used = column.used || self.reads(name) || added.is_some();
        let proposal = match now {
            _ if let Some(added) = added => {
                format!("the field `{added}`, which was added for it, is text and takes all values")
            }
            Shape::Date(_) | Shape::NumberComma | Shape::NumberEither if used => format!(
                "in the mapping onto {}, write:\n  {} AS {}",
                self.contract.name,
                expression(name, now, field),
                quoted(&field.map_or_else(|| field_name(name), |field| field.name.clone()))
            ),
            _ if !used => "nothing reads it: nothing has to be done".to_owned(),
            Shape::Number if before == Shape::Integer => format!(
                "if parts of a whole are right, make the field wider in schemas/{}/{}.json; the next run migrates the table:\n  {{ \"name\": {}, \"type\": \"number\" }}",
                self.contract.name.schema(),
                self.contract.name.table(),
                json!(field.map_or_else(|| field_name(name), |field| field.name.clone())),
            ),
            Shape::Integer => "ask the publisher: leading zeros may have been lost on the way; to put them back, write in the mapping, for instance:\n  lpad(".to_owned() + &quoted(name) + ", 5, '0')  -- as many digits as before",
            _ => format!(
                "if the new values are right, say in the contract of {} (under a new major version):\n  {{ \"name\": {}, \"type\": {} }}",
                self.contract.name,
                json!(field.map_or_else(|| field_name(name), |field| field.name.clone())),
                json!(word(now))
            ),
        };
        Drift {
            before: Some(before.words().to_owned()),
            now: Some(now.words().to_owned()),
            message: format!(
                "column {name:?} of {} held {before}, and now holds {now}",
                self.stream
            ),
            proposal,
            ..self.drift(DriftKind::Type, name, used)
        }
    }

    /// Whether the mapping reads a column that is no longer there.
    fn reads(&self, column: &str) -> bool {
        match self.sql {
            Some(sql) => names(sql, column),
            None => self.contract.field(column).is_some(),
        }
    }

    /// The field that drift added for a column.
    fn added_from(&self, column: &str) -> Option<&str> {
        let mut added = self.added.iter();
        added.find_map(|(field, from)| (from == column).then_some(field.as_str()))
    }

    /// The field that the mapping makes of a column; else the one that is called like it.
    fn field_like(&self, column: &str) -> Option<&Field> {
        let mapped = self.sql.and_then(|sql| mapped_to(sql, column));
        if let Some(field) = mapped.and_then(|name| self.contract.field(&name)) {
            return Some(field);
        }
        let wanted = folded(column);
        let called = |field: &&Field| {
            let titles = field.title.iter().map(|(_, title)| folded(title));
            folded(&field.name) == wanted || titles.into_iter().any(|title| title == wanted)
        };
        self.contract.fields.iter().find(called)
    }
}

/// Whether a statement names a column, quoted or bare.
pub(crate) fn names(sql: &str, column: &str) -> bool {
    if sql.contains(&format!("\"{}\"", column.replace('"', "\"\""))) {
        return true;
    }
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let bare = column.to_lowercase();
    // Every other piece between quotes stands within them.
    let mut outside = sql.split(['"', '\'']).step_by(2);
    column.chars().all(is_part)
        && outside.any(|piece| {
            let mut words = piece.split(|letter| !is_part(letter));
            words.any(|word| word.to_lowercase() == bare)
        })
}

/// The name that a mapping gives to the expression that reads a column, where that is plain to see.
fn mapped_to(sql: &str, column: &str) -> Option<String> {
    let quoted = quoted(column);
    let item = sql.split([',', '\n']).find(|item| item.contains(&quoted))?;
    let upper = item.to_ascii_uppercase();
    let name = &item[upper.find(" AS ")? + 4..];
    let name = name.split_whitespace().next()?;
    Some(name.trim_matches('"').to_owned())
}

/// How a column's text becomes a value.
pub(super) fn expression(column: &str, shape: Shape, field: Option<&Field>) -> String {
    let name = quoted(column);
    if field.is_some_and(|field| field.kind == FieldType::String) {
        return name;
    }
    match shape {
        Shape::Date(DateOrder::DayFirst | DateOrder::Either) => {
            format!("parse_date({name}, 'dmy')")
        }
        Shape::Date(DateOrder::MonthFirst) => format!("parse_date({name}, 'mdy')"),
        Shape::Date(DateOrder::YearFirst) => format!("parse_date({name}, 'ymd')"),
        Shape::NumberComma | Shape::NumberEither => format!("parse_number({name}, ',', '.')"),
        _ => name,
    }
}

/// The Table Schema type for a shape.
fn word(shape: Shape) -> &'static str {
    match shape {
        Shape::Integer => "integer",
        Shape::Number | Shape::NumberComma => "number",
        Shape::Date(_) => "date",
        Shape::Datetime => "datetime",
        Shape::Boolean => "boolean",
        _ => "string",
    }
}

fn contract_field(column: &str, shape: Shape) -> String {
    let title = json!(column);
    let class = if is_personal(&folded(column)) {
        "personal"
    } else {
        "internal"
    };
    format!(
        "{{ \"name\": {}, \"type\": {}, \"title\": {title}, \"sectorlake\": {{ \"title\": {{ \"vi\": {title}, \"en\": {title} }}, \"classification\": \"{class}\" }} }}",
        json!(field_name(column)),
        json!(word(shape)),
    )
}

#[cfg(test)]
mod tests {
    use super::{mapped_to, names};

    #[test]
    fn the_field_that_a_column_becomes() {
        let sql = "SELECT \"Mã\" AS school_id, upper(\"Tên\") as name FROM source";
        assert_eq!(mapped_to(sql, "Mã").as_deref(), Some("school_id"));
        assert_eq!(mapped_to(sql, "Tên").as_deref(), Some("name"));
        assert_eq!(mapped_to(sql, "Xã"), None);
    }

    #[test]
    fn columns_are_found_in_statements() {
        let sql = "SELECT \"Mã trường\" AS school_id, pupils, upper(Name) FROM source";
        assert!(names(sql, "Mã trường"));
        assert!(names(sql, "pupils") && names(sql, "name"));
        assert!(!names(sql, "pupil") && !names(sql, "Mã"));
    }
}
