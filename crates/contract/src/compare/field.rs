//! One field before and after.

use serde_json::Value;

use super::{Comparison, Level};
use crate::contract::Contract;
use crate::field::{Constraints, Field, FieldType, Severity};
use crate::parse::position;

const RELOAD: &str = "load the data anew, or add a field of another name";

pub(super) fn compare(
    (old, before): (&Contract, &Field),
    (new, after): (&Contract, &Field),
    out: &mut Comparison,
) {
    let name = Some(after.name.as_str());
    types(before, after, out);
    if before.unit != after.unit {
        let unit = |field: &Field| field.unit.clone().unwrap_or_else(|| "none".to_owned());
        let what = format!("unit {} becomes {}", unit(before), unit(after));
        out.breaking(
            name,
            what,
            "keep the unit and convert in the mapping's SQL, or add a field of another name",
        );
    }
    match (old.is_required(before), new.is_required(after)) {
        (false, true) => out.breaking(
            name,
            "becomes required",
            "leave it optional: stored rows may lack it",
        ),
        (true, false) => out.compatible(name, "is no longer required"),
        _ => {}
    }
    if before.classification != after.classification {
        let what = format!(
            "{} becomes {}",
            before.classification.word(),
            after.classification.word()
        );
        let what = if after.classification < before.classification {
            format!("{what}: of rows loaded before, the stricter counts")
        } else {
            what
        };
        out.compatible(name, what);
    }
    times(before, after, out);
    constraints(before, after, out);
    severities(before, after, out);
    said(before, after, out);
}

/// What stands about the field, and in which form sources write it.
fn said(before: &Field, after: &Field, out: &mut Comparison) {
    let name = Some(after.name.as_str());
    let said = [
        ("title differs", before.title != after.title),
        (
            "description differs",
            before.description != after.description,
        ),
        ("examples differ", before.examples != after.examples),
        ("rdfType differs", before.rdf_type != after.rdf_type),
        (
            "missing values differ",
            before.missing_values != after.missing_values,
        ),
    ];
    if before.format != after.format {
        let shown = |field: &Field| field.format.clone().unwrap_or_else(|| "default".to_owned());
        let (old, new) = (shown(before), shown(after));
        let what = format!(
            "format {old} becomes {new}: sources are read otherwise, stored values stay what they are"
        );
        out.compatible(name, what);
    }
    for (what, _) in said.iter().filter(|(_, differs)| *differs) {
        out.compatible(name, *what);
    }
}

fn types(before: &Field, after: &Field, out: &mut Comparison) {
    let name = Some(after.name.as_str());
    let (old, new) = (&before.kind, &after.kind);
    if before.arrow_type() == after.arrow_type() && old.word() == new.word() {
        if old != new {
            out.compatible(name, "the texts that mean true or false differ");
        }
        return;
    }
    let what = format!("{} becomes {}", shown(old), shown(new));
    if widens(old, new) {
        out.add(name, Level::Widening, what, None);
    } else {
        out.breaking(name, what, RELOAD);
    }
}

/// Time zone and interval: what was unsaid may be said, but not said otherwise.
fn times(before: &Field, after: &Field, out: &mut Comparison) {
    let name = Some(after.name.as_str());
    let zone = |field: &Field| field.time_zone.unwrap_or(chrono_tz::UTC);
    if zone(before) != zone(after) {
        let what = format!("time zone {} becomes {}", zone(before), zone(after));
        out.breaking(
            name,
            what,
            "load the data anew: stored instants were read in the old zone",
        );
    } else if before.time_zone != after.time_zone {
        out.compatible(name, "says its time zone");
    }
    match (before.interval, after.interval) {
        (Some(old), Some(new)) if old != new => {
            let what = format!("interval {} becomes {}", old.word(), new.word());
            out.breaking(name, what, RELOAD);
        }
        (None, Some(new)) => {
            let what = format!(
                "is the time of an observation ({}): later values in the future are rejected",
                new.word()
            );
            out.compatible(name, what);
        }
        (Some(_), None) => out.compatible(name, "is no longer the time of an observation"),
        _ => {}
    }
}

fn constraints(before: &Field, after: &Field, out: &mut Comparison) {
    let name = Some(after.name.as_str());
    for (rule, change) in changed_rules(&before.constraints, &after.constraints, &after.kind) {
        match change {
            Some(Tightness::Wider) => out.compatible(name, format!("{rule} is wider")),
            Some(Tightness::Tighter) if after.severity_of(rule) == Severity::Warn => {
                out.compatible(name, format!("{rule} is tighter, but only warns"));
            }
            Some(Tightness::Tighter) => {
                let mend = match rule {
                    "unique" => "leave it out: stored rows may repeat a value".to_owned(),
                    rule => format!(
                        "add \"severity\": {{ \"{rule}\": \"warn\" }}: rows that break it are marked and stay"
                    ),
                };
                out.breaking(name, format!("{rule} is tighter"), mend);
            }
            None => {}
        }
    }
}

/// Severities of rules that both contracts have; those of new rules stand with the rules.
fn severities(before: &Field, after: &Field, out: &mut Comparison) {
    let name = Some(after.name.as_str());
    let rules = before.severity.keys().chain(after.severity.keys());
    let mut rules: Vec<&String> = rules.collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        let (old, new) = (before.severity_of(rule), after.severity_of(rule));
        if old == new || !has_rule(before, rule) || !has_rule(after, rule) {
            continue;
        }
        let what = format!("{rule}: severity {} becomes {}", old.word(), new.word());
        match new {
            Severity::Warn => out.compatible(name, what),
            Severity::Reject => out.breaking(
                name,
                what,
                "leave it at warn: stored rows may break the rule",
            ),
        }
    }
}

fn has_rule(field: &Field, rule: &str) -> bool {
    let none = Constraints::default();
    match rule {
        "future" => field.interval.is_some(),
        _ => changed_rules(&none, &field.constraints, &field.kind)
            .iter()
            .any(|(name, change)| *name == rule && change.is_some()),
    }
}

enum Tightness {
    Tighter,
    Wider,
}

/// For each rule, whether it became tighter or wider.
fn changed_rules(
    before: &Constraints,
    after: &Constraints,
    kind: &FieldType,
) -> [(&'static str, Option<Tightness>); 9] {
    let tightness = |tighter: bool| match tighter {
        true => Tightness::Tighter,
        false => Tightness::Wider,
    };
    let lower =
        |old: &Option<Value>, new: &Option<Value>| limit(old, new, kind, |old, new| new > old);
    let upper =
        |old: &Option<Value>, new: &Option<Value>| limit(old, new, kind, |old, new| new < old);
    let least = |constraints: &Constraints| constraints.min_length.unwrap_or(0);
    let most = |constraints: &Constraints| constraints.max_length.unwrap_or(usize::MAX);
    let changes = [
        (
            "unique",
            (before.unique != after.unique).then_some(after.unique),
        ),
        (
            "pattern",
            (before.pattern != after.pattern).then_some(after.pattern.is_some()),
        ),
        ("minimum", lower(&before.minimum, &after.minimum)),
        ("maximum", upper(&before.maximum, &after.maximum)),
        (
            "exclusiveMinimum",
            lower(&before.exclusive_minimum, &after.exclusive_minimum),
        ),
        (
            "exclusiveMaximum",
            upper(&before.exclusive_maximum, &after.exclusive_maximum),
        ),
        (
            "minLength",
            (least(before) != least(after)).then_some(least(after) > least(before)),
        ),
        (
            "maxLength",
            (most(before) != most(after)).then_some(most(after) < most(before)),
        ),
        ("enum", values(before, after)),
    ];
    changes.map(|(rule, tighter)| (rule, tighter.map(tightness)))
}

/// Whether `enum` became tighter; the order of its values does not matter.
fn values(before: &Constraints, after: &Constraints) -> Option<bool> {
    match (&before.enumeration, &after.enumeration) {
        (None, None) => None,
        (_, None) => Some(false),
        (None, Some(_)) => Some(true),
        (Some(old), Some(new)) => {
            let (keeps, adds) = (
                old.iter().all(|value| new.contains(value)),
                new.iter().any(|value| !old.contains(value)),
            );
            (!keeps || adds).then_some(!keeps)
        }
    }
}

/// Whether a limit became tighter (`Some(true)`), wider (`Some(false)`) or stayed.
fn limit(
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
