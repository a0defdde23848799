//! What every shared contract owes its readers: a standard, two languages, units, classes, examples that hold.

#![expect(clippy::unwrap_used, reason = "tests")]

use chrono::{DateTime, NaiveDate, NaiveTime};
use serde_json::Value;

use crate::{Contracts, Field, FieldType};

/// Numbers without a unit, and why.
const NO_UNIT: &[(&str, &[&str])] = &[
    (
        "a code of the standard, a number only by its spelling",
        &[
            "location_type",
            "wheelchair_boarding",
            "wheelchair_accessible",
            "bikes_allowed",
            "cars_allowed",
            "cemv_support",
            "stop_access",
            "route_type",
            "direction_id",
            "continuous_pickup",
            "continuous_drop_off",
            "pickup_type",
            "drop_off_type",
            "timepoint",
            "exact_times",
            "exception_type",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "transfer_type",
            "payment_method",
            "fare_media_type",
            "is_default_fare_category",
            "duration_limit_type",
            "fare_transfer_type",
            "pathway_mode",
            "is_bidirectional",
            "is_producer",
            "is_operator",
            "is_authority",
        ],
    ),
    (
        "an order",
        &[
            "stop_sequence",
            "shape_pt_sequence",
            "current_stop_sequence",
            "route_sort_order",
            "rule_priority",
            "level_index",
        ],
    ),
    (
        "a count of transfers or lanes",
        &["transfers", "transfer_count", "lane_count"],
    ),
    (
        "the unit stands in the column beside it",
        &["result", "obs_value", "price", "amount"],
    ),
    (
        "in the feed's own unit, which GTFS leaves open",
        &["shape_dist_traveled"],
    ),
];

fn builtin() -> impl Iterator<Item = (String, Field)> {
    let contracts = Contracts::builtin();
    let fields: Vec<(String, Field)> = contracts
        .iter()
        .flat_map(|contract| {
            contract
                .fields
                .iter()
                .map(|field| (format!("{}.{}", contract.name, field.name), field.clone()))
        })
        .collect();
    fields.into_iter()
}

#[test]
fn each_names_its_standard_with_version_and_place() {
    for contract in Contracts::builtin().iter() {
        let standard = contract.standard.as_deref().unwrap_or_default();
        assert!(
            standard.contains("https://"),
            "{}: {standard:?}",
            contract.name
        );
        let before = standard.split("https://").next().unwrap_or_default();
        assert!(
            before.contains(|c: char| c.is_ascii_digit()),
            "{}: {standard:?} has no version",
            contract.name
        );
        assert!(contract.description.is_some(), "{}", contract.name);
        assert_eq!(contract.major(), 1, "{}", contract.name);
    }
}

#[test]
fn each_field_is_described_and_its_class_is_written() {
    let contracts = Contracts::builtin();
    for contract in contracts.iter() {
        let text: Value = serde_json::from_str(contracts.text(&contract.name).unwrap()).unwrap();
        for field in text["fields"].as_array().unwrap() {
            let place = format!("{}.{}", contract.name, field["name"]);
            assert!(
                field["sectorlake"]["classification"].is_string(),
                "{place}: no classification"
            );
            assert!(field["description"].is_string(), "{place}: no description");
        }
    }
}

#[test]
fn each_number_has_a_unit_or_a_reason() {
    let mut reasons: Vec<&str> = NO_UNIT
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let reasons_given = reasons.clone();
    for (place, field) in builtin() {
        let is_number = matches!(
            field.kind,
            FieldType::Integer | FieldType::Number | FieldType::Decimal { .. }
        );
        let excused = reasons_given.contains(&field.name.as_str());
        if is_number {
            assert!(field.unit.is_some() || excused, "{place}: no unit");
        }
        if field.unit.is_none() {
            reasons.retain(|name| *name != field.name);
        }
    }
    assert_eq!(reasons, [""; 0], "reasons without a field");
}

#[test]
fn each_field_has_examples_that_keep_its_rules() {
    for (place, field) in builtin() {
        assert!(!field.examples.is_empty(), "{place}: no example");
        for example in &field.examples {
            if let Err(why) = holds(&field, example) {
                unreachable!("{place}: {example} {why}");
            }
        }
    }
}

#[test]
fn times_of_observations_say_their_interval_and_zone() {
    let times: Vec<String> = builtin()
        .filter_map(|(place, field)| {
            let zone = field
                .time_zone
                .map_or(field.kind.word(), chrono_tz::Tz::name);
            Some(format!("{place}: {} ({zone})", field.interval?.word()))
        })
        .collect();
    insta::assert_snapshot!(times.join("\n"));
}

#[test]
fn what_is_not_public_is_known() {
    let closed: Vec<String> = builtin()
        .filter(|(_, field)| field.classification > crate::Classification::Public)
        .map(|(place, field)| format!("{place}: {}", field.classification.word()))
        .collect();
    insta::assert_snapshot!(closed.join("\n"));
}

/// Whether a value is of the field's type and keeps its constraints; a small reader of its own, so that the two agree.
fn holds(field: &Field, example: &Value) -> Result<(), String> {
    let text = match example {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rules = &field.constraints;
    let number = || text.parse::<f64>().map_err(|error| error.to_string());
    let ordered = match &field.kind {
        FieldType::Integer | FieldType::Year => {
            text.parse::<i64>().map_err(|error| error.to_string())?;
            Some(number()?)
        }
        FieldType::Number => Some(number()?),
        FieldType::Decimal { scale, .. } => {
            let digits = text.split_once('.').map_or(0, |(_, after)| after.len());
            (digits <= usize::try_from(*scale).unwrap_or_default())
                .then_some(())
                .ok_or("has too many digits")?;
            Some(number()?)
        }
        FieldType::Date => {
            let format = field.format.as_deref().unwrap_or("%Y-%m-%d");
            NaiveDate::parse_from_str(&text, format).map_err(|error| error.to_string())?;
            None
        }
        FieldType::Datetime => {
            DateTime::parse_from_rfc3339(&text).map_err(|error| error.to_string())?;
            None
        }
        FieldType::Time => {
            NaiveTime::parse_from_str(&text, "%H:%M:%S").map_err(|error| error.to_string())?;
            None
        }
        FieldType::Boolean {
            true_values,
            false_values,
        } => {
            (true_values.contains(&text) || false_values.contains(&text))
                .then_some(())
                .ok_or("is neither true nor false")?;
            None
        }
        FieldType::GeoPoint => {
            let (lon, lat) = text.split_once(", ").ok_or("is no pair")?;
            let within = |text: &str, most: f64| {
                text.parse::<f64>().is_ok_and(|number| number.abs() <= most)
            };
            (within(lon, 180.0) && within(lat, 90.0))
                .then_some(())
                .ok_or("is no point")?;
            None
        }
        FieldType::GeoJson => {
            (example["coordinates"].is_array() && example["type"].is_string())
                .then_some(())
                .ok_or("is no geometry")?;
            None
        }
        FieldType::List | FieldType::Object => {
            let value: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            let fits = if field.kind == FieldType::List {
                value.is_array()
            } else {
                value.is_object()
            };
            fits.then_some(()).ok_or("is JSON of another kind")?;
            None
        }
        FieldType::String | FieldType::YearMonth => None,
    };
    let limit = |limit: &Option<Value>| limit.as_ref().and_then(Value::as_f64);
    let fits = ordered.is_none_or(|number| {
        limit(&rules.minimum).is_none_or(|least| number >= least)
            && limit(&rules.maximum).is_none_or(|most| number <= most)
            && limit(&rules.exclusive_minimum).is_none_or(|least| number > least)
            && limit(&rules.exclusive_maximum).is_none_or(|most| number < most)
    });
    fits.then_some(()).ok_or("is out of its limits")?;
    let allowed = rules
        .enumeration
        .as_ref()
        .is_none_or(|values| values.contains(&text));
    allowed.then_some(()).ok_or("is not in the enum")?;
    let matches = rules
        .matcher()
        .unwrap()
        .is_none_or(|matcher| matcher.is_match(&text));
    matches.then_some(()).ok_or("does not match the pattern")?;
    Ok(())
}

#[test]
fn the_readme_lists_every_table_with_its_standard() {
    let readme = include_str!("../../../schemas/README.md");
    for contract in Contracts::builtin().iter() {
        let row = format!("| `{}` |", contract.name);
        let line = readme.lines().find(|line| line.starts_with(&row));
        let standard = contract.standard.as_deref().unwrap_or_default();
        let links = standard
            .split_whitespace()
            .filter(|word| word.starts_with("https://"));
        for link in links {
            let link = link.trim_end_matches(';');
            assert!(
                line.is_some_and(|line| line.contains(link)),
                "{}: {link} in {line:?}",
                contract.name
            );
        }
    }
}
