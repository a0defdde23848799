//! Changes and their levels.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::compare;
use crate::arbitrary::{contract as any_contract, field as any_field};
use crate::{Contract, Level};

fn contract(text: &str) -> Contract {
    Contract::parse("x.y".parse().unwrap(), text).unwrap()
}

/// The changes from one single field to another.
fn field(old: &str, new: &str) -> (Level, String) {
    let table = |field: &str| contract(&format!(r#"{{ "fields": [{{ "name": "a", {field} }}] }}"#));
    let comparison = compare(&table(old), &table(new));
    let shown: Vec<String> = comparison.changes.iter().map(ToString::to_string).collect();
    (comparison.level(), shown.join("; "))
}

#[test]
fn fields_are_compatible_wider_or_broken() {
    let number = |digits: u8, scale: u8| {
        format!(r#""type": "number", "sectorlake": {{ "precision": {digits}, "scale": {scale} }}"#)
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
    widening: field c: is new
    breaking: field gone: is gone
    breaking: primary key (a) becomes (a, b)
    compatible: key scope lake becomes source
    compatible: foreign key (a) into x.z is gone
    widening: partitions differ
    compatible: order of rows differs
    ");
}

#[test]
fn breaking_changes_come_with_a_mend() {
    let old = contract(
        r#"{ "fields": [
            { "name": "station", "type": "string", "title": "Station" },
            { "name": "obs_time", "type": "datetime", "sectorlake": { "interval": "start", "time_zone": "UTC" } },
            { "name": "level", "type": "number", "constraints": { "minimum": 0 },
              "sectorlake": { "unit": "cm", "severity": { "minimum": "warn" } } },
            { "name": "note", "type": "string" }
        ] }"#,
    );
    let new = contract(
        r#"{ "fields": [
            { "name": "station_code", "type": "string", "title": "Station" },
            { "name": "obs_time", "type": "datetime", "sectorlake": { "interval": "end", "time_zone": "Asia/Ho_Chi_Minh" } },
            { "name": "level", "type": "number", "constraints": { "minimum": 0, "maximum": 9 },
              "examples": [1.5], "sectorlake": { "unit": "m" } },
            { "name": "depth", "type": "number", "constraints": { "maximum": 9 }, "sectorlake": { "severity": { "maximum": "warn" } } },
            { "name": "note", "type": "string", "constraints": { "maxLength": 9 }, "sectorlake": { "severity": { "maxLength": "warn" } } }
        ], "sectorlake": { "version": "2.0.0" } }"#,
    );
    let changes: Vec<String> = compare(&old, &new)
        .changes
        .iter()
        .map(|change| match &change.mend {
            Some(mend) => format!("{change}\n  mend: {mend}"),
            None => change.to_string(),
        })
        .collect();
    insta::assert_snapshot!(changes.join("\n"));
}

#[test]
fn saying_the_interval_and_the_zone_breaks_nothing() {
    let (level, changes) = field(
        r#""type": "datetime""#,
        r#""type": "datetime", "sectorlake": { "interval": "start", "time_zone": "UTC" }"#,
    );
    assert_eq!(level, Level::Compatible, "{changes}");
}

/// Whether a whole number keeps the constraints that the generator below writes.
fn keeps(value: i64, constraints: &crate::Constraints) -> bool {
    let number =
        |limit: &Option<serde_json::Value>| limit.as_ref().and_then(serde_json::Value::as_i64);
    number(&constraints.minimum).is_none_or(|limit| value >= limit)
        && number(&constraints.maximum).is_none_or(|limit| value <= limit)
        && number(&constraints.exclusive_minimum).is_none_or(|limit| value > limit)
        && number(&constraints.exclusive_maximum).is_none_or(|limit| value < limit)
        && constraints
            .enumeration
            .as_ref()
            .is_none_or(|values| values.contains(&value.to_string()))
}

fn whole_number_rules() -> impl Strategy<Value = crate::Constraints> {
    let limit = || prop::option::of((0_i64..6).prop_map(serde_json::Value::from));
    let values = prop::collection::vec((0_i64..8).prop_map(|value| value.to_string()), 1..5);
    (limit(), limit(), limit(), limit(), prop::option::of(values)).prop_map(
        |(minimum, maximum, exclusive_minimum, exclusive_maximum, enumeration)| {
            crate::Constraints {
                minimum,
                maximum,
                exclusive_minimum,
                exclusive_maximum,
                enumeration,
                ..crate::Constraints::default()
            }
        },
    )
}

proptest! {
    #[test]
    fn nothing_changes_against_itself(contract in any_contract()) {
        prop_assert_eq!(compare(&contract, &contract).changes, []);
    }

    #[test]
    fn an_optional_field_more_is_widening_and_one_less_is_breaking(old in any_contract(), mut field in any_field()) {
        field.name = "another".to_owned();
        field.constraints.required = false;
        let mut new = old.clone();
        new.fields.push(field);
        prop_assert_eq!(compare(&old, &new).level(), Level::Widening);
        prop_assert_eq!(compare(&new, &old).level(), Level::Breaking);
    }

    #[test]
    fn what_is_not_breaking_accepts_every_stored_value(
        before in whole_number_rules(),
        after in whole_number_rules(),
        soft in any::<bool>(),
    ) {
        let mut old = contract(r#"{ "fields": [{ "name": "a", "type": "integer" }] }"#);
        let mut new = old.clone();
        old.fields[0].constraints = before;
        new.fields[0].constraints = after;
        if soft {
            new.fields[0].severity.insert("minimum".to_owned(), crate::Severity::Warn);
        }
        if compare(&old, &new).level() != Level::Breaking {
            let mut hard = new.fields[0].constraints.clone();
            if soft {
                hard.minimum = None;
            }
            for value in -1..9 {
                prop_assert!(!keeps(value, &old.fields[0].constraints) || keeps(value, &hard), "{}", value);
            }
        }
    }
}
