//! A wide table as indicators in long form, in the terms of SDMX: one value a row.

use sectorlake_normalise::{Shape, Value};

use super::aliases;
use super::columns::SourceColumn;
use super::mapping::{self, Line};
use super::wide::{Period, Wide};
use crate::names::{field_name, quoted};

/// The lines of a wide table's mapping, for a pipeline and a title.
pub(super) fn lines(
    (name, title): (&str, &str),
    wide: &Wide,
    columns: &[SourceColumn],
) -> Vec<Line> {
    let line = |sql: String, field: &str, notes: &[&str]| {
        Line::new(
            sql,
            field,
            notes.iter().map(|note| (*note).to_owned()).collect(),
        )
    };
    let area = area(wide, columns);
    let place = area.map_or_else(
        || text("VN"),
        |index| {
            let name = quoted(&columns[index].name);
            format!("regexp_replace(trim({name}), '\\s+', ' ', 'g')")
        },
    );
    let marks: Vec<String> = marks(wide, columns).iter().map(|mark| text(mark)).collect();
    let value = marks.iter().fold("value".to_owned(), |sql, mark| {
        format!("NULLIF({sql}, {mark})")
    });
    let (value, number) = number(wide, columns, value);
    let area_note: &[&str] = match area {
        Some(_) => &[
            "the place as published; better its code: the function place_code, once common.places is loaded",
        ],
        None => &["not sure: no column names a place, so the whole country is meant"],
    };
    let freq = match wide.period {
        Period::Year => "'A'",
        Period::Month { .. } => "'M'",
    };
    vec![
        line(text(&name.replace('-', ".")), "indicator_code", &[]),
        line(text(title), "indicator_name", &[]),
        line(place.clone(), "ref_area", area_note),
        line(place, "ref_area_name", &[]),
        line(wide.time_period(columns), "time_period", &[]),
        line(freq.to_owned(), "freq", &[]),
        line(dimensions(wide, columns, area), "dimensions", &[]),
        Line::new(value, "obs_value", number),
        line(
            text("1"),
            "unit_measure",
            &[
                "not sure: the source does not say its unit; a UCUM code is wanted, counted things in braces: {person}, t, mm, %",
            ],
        ),
        line(status(&marks), "obs_status", &[]),
    ]
}

/// A text in SQL.
fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a value is missing, by its marks in SQL.
fn status(marks: &[String]) -> String {
    match marks {
        [] => "CASE WHEN value = '' THEN 'M' ELSE 'A' END".to_owned(),
        marks => format!(
            "CASE WHEN value IN ('', {}) THEN 'M' ELSE 'A' END",
            marks.join(", ")
        ),
    }
}

/// The column of places among those that stay: by its name, else the first text.
fn area(wide: &Wide, columns: &[SourceColumn]) -> Option<usize> {
    let is_text = |index: &&usize| columns[**index].shape() == Shape::Text;
    let named = |index: &&usize| {
        let known = aliases::of_field("ref_area").iter();
        let mut names = known.chain(aliases::of_field("locality"));
        names.any(|name| aliases::holds(&columns[**index].folded, name))
    };
    let texts = || wide.keep.iter().filter(is_text);
    texts().find(named).or_else(|| texts().next()).copied()
}

/// Marks for "no value" in the columns that become rows.
fn marks(wide: &Wide, columns: &[SourceColumn]) -> Vec<String> {
    let all = wide
        .melt
        .iter()
        .flat_map(|index| columns[*index].profile.marks());
    all.cloned()
        .collect::<std::collections::BTreeSet<String>>()
        .into_iter()
        .collect()
}

/// The number in a cell of the columns that become rows.
fn number(wide: &Wide, columns: &[SourceColumn], value: String) -> (String, Vec<String>) {
    let has = |kind: Value| {
        wide.melt
            .iter()
            .any(|index| columns[*index].profile.count(kind) > 0)
    };
    let mixed = wide
        .melt
        .iter()
        .find_map(|index| mapping::mixed(&columns[*index]));
    let mut notes: Vec<String> = mixed.into_iter().collect();
    let comma = has(Value::Comma) || has(Value::ThousandsPoint);
    let point = has(Value::Point) || has(Value::ThousandsComma);
    let sql = match (comma, point) {
        (true, false) => format!("parse_number({value}, ',', '.')"),
        (false, true) if has(Value::ThousandsComma) => format!("parse_number({value}, '.', ',')"),
        (false, _)
            if wide
                .melt
                .iter()
                .any(|index| mapping::commas_mark_thousands(&columns[*index].profile)) =>
        {
            if !point {
                notes.push(mapping::COMMAS.to_owned());
            }
            format!("parse_number({value}, '.', ',')")
        }
        (false, false) if has(Value::PointOrThousands) => {
            notes.push("its numbers can be read both ways (1.234): thousands are marked by a point here, as Vietnam writes them".to_owned());
            format!("parse_number({value}, ',', '.')")
        }
        _ => value,
    };
    (sql, notes)
}

/// The other dimensions as one JSON object, its keys in order.
fn dimensions(wide: &Wide, columns: &[SourceColumn], area: Option<usize>) -> String {
    let year = match &wide.period {
        Period::Month { year, .. } => Some(*year),
        Period::Year => None,
    };
    let mut pairs: Vec<(String, String)> = wide
        .keep
        .iter()
        .filter(|index| Some(**index) != area && Some(**index) != year)
        // A number in front of a row is no dimension.
        .filter(|index| columns[**index].shape() == Shape::Text)
        .map(|index| {
            let name = &columns[*index].name;
            (
                field_name(name),
                format!("replace(trim({}), '\"', '')", quoted(name)),
            )
        })
        .collect();
    pairs.extend(
        wide.series()
            .map(|sql| ("series".to_owned(), sql.to_owned())),
    );
    pairs.sort();
    if pairs.is_empty() {
        return "'{}'".to_owned();
    }
    let parts: Vec<String> = pairs
        .iter()
        .enumerate()
        .map(|(index, (key, sql))| {
            let open = if index == 0 { "{" } else { "," };
            format!("'{open}\"{key}\":\"' || {sql} || '\"'")
        })
        .collect();
    format!("{} || '}}'", parts.join(" || "))
}
