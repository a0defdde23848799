//! Two versions of one contract, change by change.
//!
//! The levels are about the rows that are stored already:
//!
//! | level | stored rows | files |
//! |---|---|---|
//! | compatible | keep the new contract | stay as they are |
//! | widening | keep the new contract | are rewritten by one run (a wider type, another layout) |
//! | breaking | may not keep it, or mean something else | the data must be loaded anew, or the table get another name |

use std::fmt;

use serde_json::Value;

use crate::contract::{Contract, KeyScope};
use crate::field::{Constraints, Field, FieldType};
use crate::parse::position;

/// How much a change asks for; the greatest of all changes counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Stored rows and files stay as they are.
    Compatible,
    /// Stored rows are rewritten, none is lost or changed.
    Widening,
    /// Stored rows may break the new contract.
    Breaking,
}

/// One difference between two contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field, `None` for the table itself.
    pub field: Option<String>,
    /// How much it asks for.
    pub level: Level,
    /// What is different, in words.
    pub what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Compatible => "compatible",
            Level::Widening => "widening",
            Level::Breaking => "breaking",
        };
        match &self.field {
            Some(field) => write!(f, "{level}: field {field}: {}", self.what),
            None => write!(f, "{level}: {}", self.what),
        }
    }
}

/// All differences between two contracts that touch rows, in the order of the new fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The differences; titles and descriptions are not among them.
    pub changes: Vec<Change>,
}

impl Comparison {
    /// The greatest level among the changes; compatible where there is none.
    #[must_use]
    pub fn level(&self) -> Level {
        self.changes
            .iter()
            .map(|change| change.level)
            .max()
            .unwrap_or(Level::Compatible)
    }

    fn add(&mut self, field: Option<&str>, level: Level, what: impl Into<String>) {
        self.changes.push(Change {
            field: field.map(str::to_owned),
            level,
            what: what.into(),
        });
    }

    fn add_if(
        &mut self,
        differs: bool,
        field: Option<&str>,
        level: Level,
        what: impl Into<String>,
    ) {
        if differs {
            self.add(field, level, what);
        }
    }
}

/// Compares a contract with its successor.
#[must_use]
pub fn compare(old: &Contract, new: &Contract) -> Comparison {
    let mut out = Comparison::default();
    for field in &new.fields {
        match old.field(&field.name) {
            Some(before) => compare_fields((old, before), (new, field), &mut out),
            None if new.is_required(field) => out.add(
                Some(&field.name),
                Level::Breaking,
                "is new and required: stored rows lack it",
            ),
            None => out.add(Some(&field.name), Level::Compatible, "is new"),
        }
    }
    for field in old
        .fields
        .iter()
        .filter(|field| new.field(&field.name).is_none())
    {
        out.add(Some(&field.name), Level::Breaking, "is gone");
    }
    let key = |contract: &Contract| format!("({})", contract.primary_key.join(", "));
    out.add_if(
        old.primary_key != new.primary_key,
        None,
        Level::Breaking,
        format!("primary key {} becomes {}", key(old), key(new)),
    );
    if old.key_scope != new.key_scope {
        let level = if new.key_scope == KeyScope::Lake {
            Level::Breaking
        } else {
            Level::Compatible
        };
        out.add(
            None,
            level,
            format!(
                "key scope {} becomes {}",
                old.key_scope.word(),
                new.key_scope.word()
            ),
        );
    }
    for key in new
        .foreign_keys
        .iter()
        .filter(|key| !old.foreign_keys.contains(key))
    {
        out.add(
            None,
            Level::Breaking,
            format!("foreign key ({}) is new", key.fields.join(", ")),
        );
    }
    for key in old
        .foreign_keys
        .iter()
        .filter(|key| !new.foreign_keys.contains(key))
    {
        out.add(
            None,
            Level::Compatible,
            format!("foreign key ({}) is gone", key.fields.join(", ")),
        );
    }
    out.add_if(
        old.partition_by != new.partition_by,
        None,
        Level::Widening,
        "partitions differ",
    );
    out.add_if(
        old.cluster_by != new.cluster_by,
        None,
        Level::Compatible,
        "order of rows differs",
    );
    out
}

fn compare_fields(
    (old, before): (&Contract, &Field),
    (new, after): (&Contract, &Field),
    out: &mut Comparison,
) {
    let name = Some(after.name.as_str());
    if before.arrow_type() != after.arrow_type() || before.kind.word() != after.kind.word() {
        let level = if widens(&before.kind, &after.kind) {
            Level::Widening
        } else {
            Level::Breaking
        };
        out.add(
            name,
            level,
            format!("{} becomes {}", shown(&before.kind), shown(&after.kind)),
        );
    }
    let unit = |field: &Field| field.unit.clone().unwrap_or_else(|| "none".to_owned());
    out.add_if(
        before.unit != after.unit,
        name,
        Level::Breaking,
        format!("unit {} becomes {}", unit(before), unit(after)),
    );
    match (old.is_required(before), new.is_required(after)) {
        (false, true) => out.add(name, Level::Breaking, "becomes required"),
        (true, false) => out.add(name, Level::Compatible, "is no longer required"),
        _ => {}
    }
    if before.classification != after.classification {
        let what = format!(
            "{} becomes {}",
            before.classification.word(),
            after.classification.word()
        );
        out.add(name, Level::Compatible, what);
    }
    compare_constraints(
        name,
        &after.kind,
        &before.constraints,
        &after.constraints,
        out,
    );
}

fn compare_constraints(
    name: Option<&str>,
    kind: &FieldType,
    before: &Constraints,
    after: &Constraints,
    out: &mut Comparison,
) {
    let mut note = |what: &str, tighter: Option<bool>| {
        if let Some(tighter) = tighter {
            let (level, how) = if tighter {
                (Level::Breaking, "tighter")
            } else {
                (Level::Compatible, "wider")
            };
            out.add(name, level, format!("{what} is {how}"));
        }
    };
    note(
        "unique",
        (before.unique != after.unique).then_some(after.unique),
    );
    note(
        "pattern",
        (before.pattern != after.pattern).then_some(after.pattern.is_some()),
    );
    let lower =
        |old: &Option<Value>, new: &Option<Value>| tighter(old, new, kind, |old, new| new > old);
    let upper =
        |old: &Option<Value>, new: &Option<Value>| tighter(old, new, kind, |old, new| new < old);
    note("minimum", lower(&before.minimum, &after.minimum));
    note("maximum", upper(&before.maximum, &after.maximum));
    note(
        "exclusiveMinimum",
        lower(&before.exclusive_minimum, &after.exclusive_minimum),
    );
    note(
        "exclusiveMaximum",
        upper(&before.exclusive_maximum, &after.exclusive_maximum),
    );
    let lengths = |length: Option<usize>, none: usize| length.unwrap_or(none);
    let (least, least_now) = (lengths(before.min_length, 0), lengths(after.min_length, 0));
    note(
        "minLength",
        (least != least_now).then_some(least_now > least),
    );
    let (most, most_now) = (
        lengths(before.max_length, usize::MAX),
        lengths(after.max_length, usize::MAX),
    );
    note("maxLength", (most != most_now).then_some(most_now < most));
    note(
        "enum",
        match (&before.enumeration, &after.enumeration) {
            (None, None) => None,
            (_, None) => Some(false),
            (None, Some(_)) => Some(true),
            (Some(old), Some(new)) if old.iter().all(|value| new.contains(value)) => {
                (old.len() != new.len()).then_some(false)
            }
            _ => Some(true),
        },
    );
}

/// Whether a limit became tighter (`Some(true)`), wider (`Some(false)`) or stayed.
fn tighter(
    old: &Option<Value>,
    new: &Option<Value>,
    kind: &FieldType,
    is_tighter: fn(f64, f64) -> bool,
) -> Option<bool> {
    match (old, new) {
        (None, None) => None,
        (Some(_), None) => Some(false),
        (None, Some(_)) => Some(true),
        (Some(old), Some(new)) => match (position(old, kind), position(new, kind)) {
            (Some(old), Some(new)) => (old != new).then(|| is_tighter(old, new)),
            _ => (old != new).then_some(true),
        },
    }
}

/// Whether the new type holds every value of the old one, with the same meaning.
///
/// Integer → number is exact up to 2^53; the run that rewrites must refuse a value beyond.
fn widens(old: &FieldType, new: &FieldType) -> bool {
    use FieldType::{Decimal, GeoJson, GeoPoint, Integer, Number, Year};
    match (old, new) {
        (Integer | Year, Number) | (Year, Integer) | (GeoPoint, GeoJson) => true,
        (Integer, Decimal { precision, scale }) => i16::from(*precision) - i16::from(*scale) >= 19,
        (Year, Decimal { precision, scale }) => i16::from(*precision) - i16::from(*scale) >= 10,
        (
            Decimal { precision, scale },
            Decimal {
                precision: wider,
                scale: finer,
            },
        ) => {
            finer >= scale
                && i16::from(*wider) - i16::from(*finer)
                    >= i16::from(*precision) - i16::from(*scale)
        }
        _ => false,
    }
}

fn shown(kind: &FieldType) -> String {
    match kind {
        FieldType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
        other => other.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{Contract, Level, compare};

    fn contract(text: &str) -> Contract {
        Contract::parse("x.y".parse().unwrap(), text).unwrap()
    }

    /// The changes from one single field to another.
    fn field(old: &str, new: &str) -> (Level, String) {
        let table =
            |field: &str| contract(&format!(r#"{{ "fields": [{{ "name": "a", {field} }}] }}"#));
        let comparison = compare(&table(old), &table(new));
        let shown: Vec<String> = comparison.changes.iter().map(ToString::to_string).collect();
        (comparison.level(), shown.join("; "))
    }

    #[test]
    fn fields_are_compatible_wider_or_broken() {
        let number = |digits: u8, scale: u8| {
            format!(
                r#""type": "number", "sectorlake": {{ "precision": {digits}, "scale": {scale} }}"#
            )
        };
        let within = |limits: &str| format!(r#""type": "integer", "constraints": {{ {limits} }}"#);
        let (integer, text) = (
            r#""type": "integer""#.to_owned(),
            r#""type": "string""#.to_owned(),
        );
        let cases = [
            (integer.clone(), integer.clone(), Level::Compatible),
            (
                r#""type": "year""#.to_owned(),
                integer.clone(),
                Level::Widening,
            ),
            (
                integer.clone(),
                r#""type": "number""#.to_owned(),
                Level::Widening,
            ),
            (integer.clone(), number(21, 2), Level::Widening),
            (integer.clone(), number(20, 2), Level::Breaking),
            (number(10, 2), number(12, 4), Level::Widening),
            (number(10, 2), number(10, 4), Level::Breaking),
            (integer.clone(), text.clone(), Level::Breaking),
            (
                text.clone(),
                r#""type": "object""#.to_owned(),
                Level::Breaking,
            ),
            (
                within(r#""minimum": 0"#),
                within(r#""minimum": -1"#),
                Level::Compatible,
            ),
            (
                within(r#""minimum": 0"#),
                within(r#""minimum": 1"#),
                Level::Breaking,
            ),
            (
                within(r#""maximum": 5"#),
                within(r#""maximum": "5""#),
                Level::Compatible,
            ),
            (
                within(r#""enum": [1]"#),
                within(r#""enum": [1, 2]"#),
                Level::Compatible,
            ),
            (
                within(r#""enum": [1, 2]"#),
                within(r#""enum": [1]"#),
                Level::Breaking,
            ),
            (
                within(r#""required": true"#),
                integer.clone(),
                Level::Compatible,
            ),
            (
                integer.clone(),
                within(r#""required": true"#),
                Level::Breaking,
            ),
            (
                text.clone(),
                format!(r#"{text}, "constraints": {{ "maxLength": 9 }}"#),
                Level::Breaking,
            ),
            (
                integer.clone(),
                format!(r#"{integer}, "sectorlake": {{ "unit": "km" }}"#),
                Level::Breaking,
            ),
            (
                integer.clone(),
                format!(r#"{integer}, "sectorlake": {{ "classification": "personal" }}"#),
                Level::Compatible,
            ),
        ];
        for (old, new, level) in cases {
            let (found, changes) = field(&old, &new);
            assert_eq!(found, level, "{old} to {new}: {changes}");
        }
    }

    #[test]
    fn tables_are_compared_change_by_change() {
        let old = contract(
            r#"{ "fields": [{ "name": "a", "type": "string" }, { "name": "gone", "type": "date" }], "primaryKey": "a",
                 "foreignKeys": [{ "fields": "a", "reference": { "resource": "x.z", "fields": "a" } }],
                 "sectorlake": { "key_scope": "lake" } }"#,
        );
        let new = contract(
            r#"{ "fields": [{ "name": "a", "type": "string" }, { "name": "b", "type": "string" }, { "name": "c", "type": "string" }],
                 "primaryKey": ["a", "b"], "sectorlake": { "partition_by": "a", "cluster_by": "b" } }"#,
        );
        let changes: Vec<String> = compare(&old, &new)
            .changes
            .iter()
            .map(ToString::to_string)
            .collect();
        insta::assert_snapshot!(changes.join("\n"), @r"
        breaking: field b: is new and required: stored rows lack it
        compatible: field c: is new
        breaking: field gone: is gone
        breaking: primary key (a) becomes (a, b)
        compatible: key scope lake becomes source
        compatible: foreign key (a) is gone
        widening: partitions differ
        compatible: order of rows differs
        ");
    }
}
