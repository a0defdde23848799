//! Any contract, for property tests.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Classification, Constraints, Contract, Field, FieldType, ForeignKey, Interval, KeyScope,
    KeyTarget, PartitionBy, Severity, Titles,
};

fn kind() -> impl Strategy<Value = FieldType> {
    let texts = || prop::collection::vec("[a-zÀ-ỹ0-9]{1,4}", 1..3);
    prop_oneof![
        Just(FieldType::String),
        Just(FieldType::Integer),
        Just(FieldType::Number),
        (1_u8..=38, 0_i8..=38).prop_map(|(precision, scale)| FieldType::Decimal {
            precision: precision.max(scale as u8),
            scale
        }),
        (texts(), texts()).prop_map(|(true_values, false_values)| FieldType::Boolean {
            true_values,
            false_values
        }),
        Just(FieldType::Date),
        Just(FieldType::Datetime),
        Just(FieldType::Time),
        Just(FieldType::Year),
        Just(FieldType::YearMonth),
        Just(FieldType::GeoPoint),
        Just(FieldType::GeoJson),
        Just(FieldType::List),
        Just(FieldType::Object),
    ]
}

/// A value or none, and always none where it would make no sense.
fn maybe<T: Clone + std::fmt::Debug + 'static>(
    sensible: bool,
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Option<T>> {
    prop::option::of(value)
        .prop_map(move |value| value.filter(|_| sensible))
        .boxed()
}

fn constraints(kind: &FieldType) -> impl Strategy<Value = Constraints> + use<> {
    let text = matches!(kind, FieldType::String);
    let limit: BoxedStrategy<Value> = match kind {
        FieldType::Integer | FieldType::Year => (1..9).prop_map(Value::from).boxed(),
        FieldType::Number | FieldType::Decimal { .. } => (1..9)
            .prop_map(|limit| json!(f64::from(limit) / 2.0))
            .boxed(),
        FieldType::Date => (1..9)
            .prop_map(|day| json!(format!("2025-07-0{day}")))
            .boxed(),
        FieldType::Datetime => (1..9)
            .prop_map(|day| json!(format!("2025-07-0{day}T00:00:00+07:00")))
            .boxed(),
        FieldType::Time => (1..9)
            .prop_map(|hour| json!(format!("0{hour}:00:00")))
            .boxed(),
        _ => (1..9)
            .prop_map(|month| json!(format!("2025-0{month}")))
            .boxed(),
    };
    let limit = maybe(kind.is_ordered(), limit);
    let length = maybe(text, 0_usize..5);
    let pattern = maybe(text, Just("[A-Z]{2}".to_owned()));
    let allowed = prop::option::of(prop::collection::vec("[0-9a-z\"\\\\]{0,3}", 0..3));
    (
        any::<bool>(),
        any::<bool>(),
        pattern,
        limit.clone(),
        limit,
        length,
        allowed,
    )
        .prop_map(
            |(required, unique, pattern, minimum, exclusive_maximum, min_length, enumeration)| {
                Constraints {
                    required,
                    unique,
                    pattern,
                    minimum,
                    exclusive_maximum,
                    min_length,
                    enumeration,
                    ..Constraints::default()
                }
            },
        )
}

fn titles() -> impl Strategy<Value = Titles> {
    prop::collection::btree_map("vi|en|km", "[A-Za-zÀ-ỹ \"]{0,9}", 0..3).prop_map(Titles::new)
}

pub(crate) fn field() -> impl Strategy<Value = Field> {
    kind().prop_flat_map(|kind| {
        let zone = maybe(
            kind == FieldType::Datetime,
            Just(chrono_tz::Asia::Ho_Chi_Minh),
        );
        let interval = prop::option::of(prop::sample::select(Interval::ALL.to_vec()));
        let missing = prop::option::of(prop::collection::vec("[.n/a -]{0,3}", 0..3));
        let class = prop::sample::select(Classification::ALL.to_vec());
        (
            constraints(&kind),
            interval,
            titles(),
            zone,
            missing,
            class,
            prop::option::of("ug/m3|%|Cel"),
        )
            .prop_map(
                move |(
                    constraints,
                    interval,
                    title,
                    time_zone,
                    missing_values,
                    classification,
                    unit,
                )| {
                    // A datetime without a zone cannot be the time of an observation.
                    let interval = interval
                        .filter(|interval| interval.applies_to(&kind))
                        .filter(|_| kind != FieldType::Datetime || time_zone.is_some());
                    let soft = [
                        ("minimum", constraints.minimum.is_some()),
                        ("future", interval.is_some()),
                    ];
                    Field {
                        kind: kind.clone(),
                        severity: soft
                            .iter()
                            .filter(|(_, there)| *there)
                            .map(|(rule, _)| ((*rule).to_owned(), Severity::Warn))
                            .collect(),
                        examples: constraints.minimum.iter().cloned().collect(),
                        interval,
                        constraints,
                        title,
                        time_zone,
                        missing_values,
                        classification,
                        unit,
                        ..Field::default()
                    }
                },
            )
    })
}

/// A contract whose fields are `f0` (a text), `f1` (a date) and any others.
pub(crate) fn contract() -> impl Strategy<Value = Contract> {
    let others = prop::collection::vec(field(), 0..6);
    (
        others,
        titles(),
        any::<[bool; 5]>(),
        prop::option::of("[a-z ]{1,9}"),
    )
        .prop_map(|(others, title, choices, text)| {
            let first = [FieldType::String, FieldType::Date].map(|kind| Field {
                kind,
                ..Field::default()
            });
            let mut fields: Vec<Field> = first.into_iter().chain(others).collect();
            for (position, field) in fields.iter_mut().enumerate() {
                field.name = format!("f{position}");
            }
            let [keyed, scoped, own, any, partitioned] = choices;
            let target = |table: &str| KeyTarget {
                table: table.parse().unwrap(),
                fields: vec!["f0".into()],
            };
            let mut foreign_keys = Vec::new();
            if own {
                foreign_keys.push(ForeignKey {
                    fields: vec!["f0".into()],
                    targets: vec![target("x.y")],
                });
            }
            if any {
                foreign_keys.push(ForeignKey {
                    fields: vec!["f0".into()],
                    targets: vec![target("x.a"), target("x.b")],
                });
            }
            Contract {
                name: "x.y".parse().unwrap(),
                title,
                description: text.clone(),
                primary_key: if keyed {
                    vec!["f0".into(), "f1".into()]
                } else {
                    Vec::new()
                },
                foreign_keys,
                missing_values: vec![String::new(), "..".into()],
                version: "3".into(),
                standard: text.clone(),
                owner: text,
                licence: None,
                partition_by: if partitioned {
                    vec![
                        PartitionBy::Year { field: "f1".into() },
                        PartitionBy::Field("f0".into()),
                    ]
                } else {
                    Vec::new()
                },
                cluster_by: if keyed { vec!["f1".into()] } else { Vec::new() },
                severity: if own && scoped {
                    [("foreignKey".to_owned(), Severity::Warn)].into()
                } else {
                    [].into()
                },
                key_scope: if scoped {
                    KeyScope::Lake
                } else {
                    KeyScope::Source
                },
                fields,
            }
        })
}
