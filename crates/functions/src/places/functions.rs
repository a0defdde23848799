//! The functions.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use super::crosswalk::Successor;
use super::index::{PlaceIndex, Wanted};
use super::lookup::Meant;
use super::{Level, Places};
use crate::function::{Function, Kind};
use crate::names::threshold;
use crate::row::{self, Row};

/// Every function that needs the index; `try_place_code` holds the first name within it.
pub(super) const NAMES: [&str; 6] = [
    "place_code",
    "place_match",
    "place_name",
    "place_parent",
    "place_successors",
    "place_convert",
];

const LOOKUP: &[Kind] = &[Kind::Text, Kind::Text, Kind::Date];
const MATCH: &[Kind] = &[Kind::Text, Kind::Text, Kind::Number, Kind::Date];
const VERSION: &[Kind] = &[Kind::Text, Kind::Date];
const FOREBEAR: &[Kind] = &[Kind::Text, Kind::Text, Kind::Date];
const CHANGE: &[Kind] = &[Kind::Text, Kind::Date, Kind::Date];

/// A body with the index at hand.
type WithIndex = fn(&PlaceIndex, &[ArrayRef], usize) -> Result<ArrayRef>;

pub(crate) fn functions(places: &Places) -> Vec<ScalarUDF> {
    let mut all = lookups(places);
    all.extend(by_code(places));
    all.extend(changes(places));
    all
}

fn lookups(places: &Places) -> Vec<ScalarUDF> {
    let function =
        |name, kinds, body, about: &str, example| over(places, name, kinds, body, about, example);
    let how = "The code of a place by its code or its name, with or without diacritics and type (phường, Q., TP., …), in old and new orthography. A parent (code or name; '' for none) narrows to what belongs to it, at any level; several are written from the nearest on, between commas, as in an address ('Châu Thành, Bến Tre'). A date takes the versions valid on it; without one the versions still valid are looked at first, then all. Of several levels the widest is meant, but a name alone that a wider place bore before is ambiguous, and so is a bare number that may be a code whose zeros are gone (1: Hà Nội, or Quận 1).";
    vec![
        function(
            "place_code",
            LOOKUP,
            (|index, args, rows| each_once(args, rows, wanted, |wanted| index.code(wanted).map(Some))) as WithIndex,
            &format!("{how} An unknown or ambiguous name is an error that names the nearest places."),
            "place_code('P. Hồng Bàng', 'Hải Phòng')",
        )
        .required(1)
        .into(),
        function(
            "try_place_code",
            LOOKUP,
            |index, args, rows| {
                each_once(args, rows, wanted, |wanted| {
                    Ok(match index.meant(wanted) {
                        Meant::One(code) => Some(code),
                        _ => None,
                    })
                })
            },
            &format!("{how} An unknown or ambiguous name is NULL."),
            "try_place_code('Atlantis') IS NULL",
        )
        .required(1)
        .into(),
        function(
            "place_match",
            MATCH,
            |index, args, rows| {
                row::texts(args, rows, |row| {
                    let wanted = Wanted {
                        text: row.text(0),
                        parent: row.optional_text(1),
                        on: row.optional_date(3)?,
                    };
                    Ok(index.matching(wanted, threshold(row, 2)?))
                })
            },
            "The code of the place most alike by name_similarity to a misspelt name within a parent ('' for none), if it reaches the threshold (0 to 1) and no other is equally alike; else NULL.",
            "place_match('Hong Bang', 'Hải Phòng', 0.9)",
        )
        .required(3)
        .into(),
    ]
}

fn by_code(places: &Places) -> Vec<ScalarUDF> {
    let function =
        |name, kinds, body, about: &str, example| over(places, name, kinds, body, about, example);
    vec![
        function(
            "place_name",
            VERSION,
            |index, args, rows| {
                row::texts(args, rows, |row| {
                    let version = index.version_on(row.text(0), row.optional_date(1)?)?;
                    let place = &index.unit(version).row;
                    Ok(Some(place.full_name.as_ref().unwrap_or(&place.name).clone()))
                })
            },
            "The full name of a place by its code, on a date (left out: of the version still valid, else the latest).",
            "place_name('31') = 'Thành phố Hải Phòng'",
        )
        .required(1)
        .into(),
        function(
            "place_parent",
            FOREBEAR,
            |index, args, rows| {
                row::texts(args, rows, |row| {
                    let level: Level = row.text(1).parse()?;
                    index.forebear(row.text(0), level, row.optional_date(2)?)
                })
            },
            "The code of the place of a level (country, region, province, district) that a place belongs to, on a date; the place itself if it is of that level; NULL if there is none.",
            "place_parent('11407', 'province') = '31'",
        )
        .required(2)
        .into(),
    ]
}

fn changes(places: &Places) -> Vec<ScalarUDF> {
    let function =
        |name, body, about: &str, example| over(places, name, CHANGE, body, about, example);
    vec![
        function(
            "place_successors",
            (|index, args, rows| {
                row::texts(args, rows, |row| {
                    let (from, to) = (row.date(1)?, row.optional_date(2)?);
                    Ok(Some(json(&index.became(row.text(0), from, to)?)))
                })
            }) as WithIndex,
            "What a place of one date became by another (left out: by now), by common.place_crosswalk, as a JSON list of place_code, weight (its share, 0 to 1, NULL if unknown) and weight_kind. Shares multiply over several changes; of several kinds of weight `whole` is taken, then `area`, then the last by name. Of a place that ended and became no other itself, as a district whose level was abolished, the places that those within it became are listed, with the `event` that ended it and no weight.",
            "place_successors('11407', DATE '2025-06-30')",
        )
        .required(2)
        .into(),
        function(
            "place_convert",
            |index, args, rows| {
                row::texts(args, rows, |row| {
                    index.convert(row.text(0), row.date(1)?, row.date(2)?).map(Some)
                })
            },
            "The code on the second date of a place of the first: itself, or the one place that took it over whole. Forwards or backwards. A place that was parted, or is made of several, is an error that names them with their weights; so is one that was abolished, with where those within it went.",
            "place_convert('11407', DATE '2025-06-30', DATE '2025-07-01')",
        )
        .into(),
    ]
}

fn over(
    places: &Places,
    name: &'static str,
    kinds: &'static [Kind],
    body: WithIndex,
    about: &str,
    example: &str,
) -> Function {
    let places = places.clone();
    let body = move |args: &[ArrayRef], rows: usize| body(places.index(name)?, args, rows);
    Function::holding(name, kinds, DataType::Utf8, Arc::new(body), about, example)
}

/// A text's answer for each row, looked up once for rows that ask the same: sources name a place in many rows.
fn each_once<'a>(
    args: &'a [ArrayRef],
    rows: usize,
    wanted: impl Fn(Row<'a>) -> Result<Wanted<'a>>,
    answer: impl Fn(Wanted<'a>) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let mut known: HashMap<Wanted<'a>, Option<String>> = HashMap::new();
    row::texts(args, rows, |row| {
        let wanted = wanted(row)?;
        if let Some(code) = known.get(&wanted) {
            return Ok(code.clone());
        }
        let code = answer(wanted)?;
        known.insert(wanted, code.clone());
        Ok(code)
    })
}

fn wanted(row: Row<'_>) -> Result<Wanted<'_>> {
    Ok(Wanted {
        text: row.text(0),
        parent: row.has(1).then(|| row.optional_text(1)).flatten(),
        on: row.optional_date(2)?,
    })
}

fn json(successors: &[Successor]) -> String {
    let successors = successors.iter().map(|place| {
        let mut told = serde_json::json!({
            "place_code": place.place_code,
            "weight": place.weight,
            "weight_kind": place.weight_kind,
        });
        if let Some(event) = &place.event {
            told["event"] = event.as_str().into();
        }
        told
    });
    serde_json::Value::Array(successors.collect()).to_string()
}
