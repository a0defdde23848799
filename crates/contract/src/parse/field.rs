//! One field of a descriptor.

use chrono::format::{Item, StrftimeItems};
use serde_json::Value;

use crate::error::Fault;
use crate::field::{Classification, Field, FieldType, Interval};
use crate::parse::node::{Node, Unknown, nearest};
use crate::parse::table::{missing_values, titles};
use crate::parse::{limits, severity};
use crate::system;

/// Table Schema v2, "Field properties".
const KNOWN: &[&str] = &[
    "name",
    "type",
    "format",
    "title",
    "description",
    "example",
    "examples",
    "rdfType",
    "constraints",
    "missingValues",
    "categories",
    "categoriesOrdered",
    "decimalChar",
    "groupChar",
    "bareNumber",
    "trueValues",
    "falseValues",
    "delimiter",
    "itemType",
    "sectorlake",
];
/// The design page, "Table Schema, and what it adds".
const OURS: &[&str] = &[
    "unit",
    "classification",
    "title",
    "time_zone",
    "interval",
    "severity",
    "precision",
    "scale",
];
const TYPES: &[&str] = &[
    "string",
    "integer",
    "number",
    "boolean",
    "date",
    "datetime",
    "time",
    "year",
    "yearmonth",
    "geopoint",
    "geojson",
    "list",
    "array",
    "object",
    "duration",
    "any",
];
/// Properties that change how a text is read, and what to do instead: mappings know more ways than these.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("categories", "write the allowed values as constraints.enum"),
    (
        "decimalChar",
        "turn the text into a plain number in the mapping's SQL",
    ),
    (
        "groupChar",
        "turn the text into a plain number in the mapping's SQL",
    ),
    ("bareNumber", "cut the unit off in the mapping's SQL"),
    (
        "delimiter",
        "make the list a JSON text in the mapping's SQL",
    ),
    ("itemType", "leave it out: lists are stored as JSON text"),
];

/// Reads one field; `None` where it has no name or no type. Faults are reported to the node.
pub(crate) fn read(node: &Node<'_>) -> Option<Field> {
    node.map()?;
    node.known(KNOWN, Unknown::RefuseNearMiss);
    for (property, mend) in UNSUPPORTED {
        if let Some(node) = node.get(property) {
            node.report(Fault::Unsupported {
                what: (*property).to_owned(),
                mend,
            });
        }
    }
    let ours = node.get("sectorlake");
    if let Some(ours) = &ours {
        ours.map();
        ours.known(OURS, Unknown::Refuse);
    }
    let name = name(node)?;
    let kind = kind(node, ours.as_ref())?;
    let format = format(node, &kind);
    let constraints = node
        .get("constraints")
        .map(|node| limits::constraints(&node, &kind))
        .unwrap_or_default();
    let time_zone = ours
        .as_ref()
        .and_then(|ours| time_zone(&ours.get("time_zone")?, &kind));
    let interval = ours.as_ref().and_then(|ours| interval(ours, &kind));
    let severity = ours
        .as_ref()
        .and_then(|ours| ours.get("severity"))
        .map(|node| severity::of_field(&node, &constraints, interval.is_some()))
        .unwrap_or_default();
    Some(Field {
        title: titles(node, ours.as_ref()),
        description: node.owned("description"),
        missing_values: missing_values(node),
        unit: ours.as_ref().and_then(|ours| unit(&ours.get("unit")?)),
        classification: ours.as_ref().and_then(classification).unwrap_or_default(),
        time_zone,
        interval,
        severity,
        examples: examples(node),
        rdf_type: node.owned("rdfType"),
        added: false,
        name,
        kind,
        format,
        constraints,
    })
}

fn name(node: &Node<'_>) -> Option<String> {
    let Some(at) = node.get("name") else {
        node.report(Fault::Missing {
            property: "name",
            mend: "give the field the column's name",
        });
        return None;
    };
    let name = at.as_text()?;
    // Delta Lake's protocol refuses the same characters in column names.
    let reason = if name.is_empty() {
        Some("is empty")
    } else if system::is_reserved(name) {
        Some("begins with _, as only the lake's own columns may")
    } else if name.contains(|c: char| c.is_control() || " ,;{}()=.\"`".contains(c)) {
        Some("holds a space or one of ,;{}()=.\"`, which a lake's column must not")
    } else {
        None
    };
    if let Some(reason) = reason {
        at.report(Fault::FieldName {
            name: name.to_owned(),
            reason,
        });
    }
    Some(name.to_owned())
}

fn kind(node: &Node<'_>, ours: Option<&Node<'_>>) -> Option<FieldType> {
    let Some(at) = node.get("type") else {
        node.report(Fault::Missing {
            property: "type",
            mend: "say the type, such as \"string\", \"integer\" or \"number\"",
        });
        return None;
    };
    let word = at.word("type", TYPES)?;
    let decimal = ours.and_then(|ours| decimal(ours, word));
    Some(match word {
        "integer" => FieldType::Integer,
        "number" => decimal.unwrap_or(FieldType::Number),
        "boolean" => FieldType::Boolean {
            true_values: node
                .texts("trueValues")
                .unwrap_or_else(|| owned(&["true", "True", "TRUE", "1"])),
            false_values: node
                .texts("falseValues")
                .unwrap_or_else(|| owned(&["false", "False", "FALSE", "0"])),
        },
        "date" => FieldType::Date,
        "datetime" => FieldType::Datetime,
        "time" => FieldType::Time,
        "year" => FieldType::Year,
        "yearmonth" => FieldType::YearMonth,
        "geopoint" => FieldType::GeoPoint,
        "geojson" => FieldType::GeoJson,
        "list" | "array" => FieldType::List,
        "object" => FieldType::Object,
        "duration" | "any" => {
            at.report(Fault::Unsupported {
                what: format!("type {word:?}"),
                mend: "write \"string\"",
            });
            return None;
        }
        _ => FieldType::String,
    })
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A decimal number, where `precision` or `scale` is given.
fn decimal(ours: &Node<'_>, word: &'static str) -> Option<FieldType> {
    let at = ours.get("precision").or_else(|| ours.get("scale"))?;
    if word != "number" {
        at.report(Fault::NotApplicable {
            constraint: "precision and scale",
            kind: word,
            applies: "number",
        });
        return None;
    }
    let Some(precision) = ours.whole("precision") else {
        let mend = "say how many digits a value has in all: \"precision\": 18";
        ours.report(Fault::Missing {
            property: "precision",
            mend,
        });
        return None;
    };
    let scale = ours.whole("scale").unwrap_or_default();
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(digits), Ok(after)) if (1..=38).contains(&digits) && scale <= precision => {
            Some(FieldType::Decimal {
                precision: digits,
                scale: after,
            })
        }
        _ => {
            let found = format!("precision {precision} with scale {scale}");
            at.report(Fault::OutOfBounds {
                found,
                expected: "a precision from 1 to 38 and a scale up to it",
            });
            None
        }
    }
}

fn format(node: &Node<'_>, kind: &FieldType) -> Option<String> {
    let at = node.get("format")?;
    let format = at.as_text().filter(|format| *format != "default")?;
    match kind {
        FieldType::Date | FieldType::Datetime | FieldType::Time => {
            if format != "any"
                && (!format.contains('%')
                    || StrftimeItems::new(format).any(|item| item == Item::Error))
            {
                at.report(Fault::UnknownWord {
                    what: "date or time format",
                    found: format.to_owned(),
                    suggestion: None,
                    known: vec!["default", "any", "a strptime pattern such as %d/%m/%Y"],
                });
            }
        }
        _ => {
            let known: &[&'static str] = match kind {
                FieldType::String => &["default", "email", "uri", "uuid", "binary"],
                FieldType::GeoPoint => &["default", "array", "object"],
                _ => &["default"],
            };
            at.word("format of this type", known)?;
        }
    }
    Some(format.to_owned())
}

fn classification(ours: &Node<'_>) -> Option<Classification> {
    let known = Classification::ALL.map(Classification::word);
    let word = ours.get("classification")?.word("classification", &known)?;
    Classification::ALL
        .into_iter()
        .find(|class| class.word() == word)
}

fn time_zone(at: &Node<'_>, kind: &FieldType) -> Option<chrono_tz::Tz> {
    let text = at.as_text()?;
    if *kind != FieldType::Datetime {
        at.report(Fault::NotApplicable {
            constraint: "time_zone",
            kind: kind.word(),
            applies: "datetime",
        });
    }
    let zone = text.parse().ok();
    if zone.is_none() {
        let suggestion =
            nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())).map(str::to_owned);
        at.report(Fault::UnknownWord {
            what: "time zone of the IANA database",
            found: text.to_owned(),
            suggestion,
            known: vec![],
        });
    }
    zone
}

/// A time of an observation says which end of its interval it is, and in which zone the source's clock stands.
fn interval(ours: &Node<'_>, kind: &FieldType) -> Option<Interval> {
    let at = ours.get("interval")?;
    let known = Interval::ALL.map(Interval::word);
    let word = at.word("interval", &known)?;
    let interval = Interval::ALL
        .into_iter()
        .find(|interval| interval.word() == word)?;
    if !interval.applies_to(kind) {
        at.report(Fault::NotApplicable {
            constraint: interval.word(),
            kind: kind.word(),
            applies: match interval {
                Interval::Period => "string, year and yearmonth",
                _ => "date and datetime",
            },
        });
    } else if *kind == FieldType::Datetime && ours.get("time_zone").is_none() {
        ours.report(Fault::Missing {
            property: "time_zone",
            mend: "say in which zone the source's clock stands, such as \"Asia/Ho_Chi_Minh\" or \"UTC\"",
        });
    }
    Some(interval)
}

/// Values, as written; `null` is no value.
fn examples(node: &Node<'_>) -> Vec<Value> {
    let items = node.get("examples").and_then(|node| node.items());
    let value = |item: &Node<'_>| match item.value {
        Value::Null => item.expected("a value"),
        value => Some(value.clone()),
    };
    items.unwrap_or_default().iter().filter_map(value).collect()
}

/// UCUM codes are visible ASCII (UCUM, section 2.1 "Character Set and Lexical Rules").
fn unit(at: &Node<'_>) -> Option<String> {
    let unit = at.as_text()?;
    if unit.is_empty() || !unit.bytes().all(|byte| byte.is_ascii_graphic()) {
        // Both signs for micro are met: U+00B5 and the Greek letter U+03BC.
        let spelt = unit
            .replace(['µ', 'μ'], "u")
            .replace('²', "2")
            .replace('³', "3")
            .replace("°C", "Cel")
            .replace('°', "deg");
        let suggestion = (!spelt.is_empty() && spelt.bytes().all(|byte| byte.is_ascii_graphic()))
            .then_some(spelt);
        at.report(Fault::Unit {
            unit: unit.to_owned(),
            suggestion,
        });
    }
    Some(unit.to_owned())
}

/// The texts of `enum`; numbers and booleans as JSON writes them.
pub(crate) fn allowed_values(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.get("enum")?.items()?;
    let text = |item: &Node<'_>| match item.value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(item.value.to_string()),
        _ => item.expected("a text, a number or true or false"),
    };
    Some(items.iter().filter_map(text).collect())
}
