//! By what events places ended and began.
//!
//! They need only `common.place_crosswalk`: the mappings that fill `common.places` ask them, when that table is still empty.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use chrono::NaiveDate;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use super::Places;
use super::index::PlaceIndex;
use super::rows::ChangeRow;
use crate::function::{Function, Kind};
use crate::row;

pub(super) const NAMES: [&str; 2] = ["place_ended", "place_began"];

const CODE_AND_DAY: &[Kind] = &[Kind::Text, Kind::Date];

pub(super) fn functions(places: &Places) -> Vec<ScalarUDF> {
    let ended: fn(&PlaceIndex, &str, NaiveDate) -> Option<String> = |index, code, day| {
        event(index.changes.get(code)?, day, "split", |row| {
            &row.new_place_code
        })
    };
    let began: fn(&PlaceIndex, &str, NaiveDate) -> Option<String> = |index, code, day| {
        event(index.reverse_changes.get(code)?, day, "merge", |row| {
            &row.old_place_code
        })
    };
    vec![
        over(
            places,
            NAMES[0],
            ended,
            "By what event of common.place_crosswalk the place of a code ended on a day: split where it went into several, else the event told; NULL where none is. Needs no common.places.",
            "place_ended('11296', DATE '2025-07-01') = 'split'",
        ),
        over(
            places,
            NAMES[1],
            began,
            "By what event of common.place_crosswalk the place of a code began on a day: merge where several went into it, else the event told; NULL where none is. Needs no common.places.",
            "place_began('11311', DATE '2025-07-01') = 'merge'",
        ),
    ]
}

fn over(
    places: &Places,
    name: &'static str,
    find: fn(&PlaceIndex, &str, NaiveDate) -> Option<String>,
    about: &str,
    example: &str,
) -> ScalarUDF {
    let places = places.clone();
    let body = move |args: &[ArrayRef], rows: usize| -> Result<ArrayRef> {
        let index = places.0.get();
        row::texts(args, rows, |row| {
            let day = row.date(1)?;
            Ok(index.and_then(|index| find(index, row.text(0), day)))
        })
    };
    Function::holding(
        name,
        CODE_AND_DAY,
        DataType::Utf8,
        Arc::new(body),
        about,
        example,
    )
    .into()
}

/// The event of a day; `of_several` where more than one place stands on the other side.
fn event(
    changes: &[ChangeRow],
    day: NaiveDate,
    of_several: &str,
    other: fn(&ChangeRow) -> &str,
) -> Option<String> {
    let mut of_day = changes.iter().filter(|change| change.changed_on == day);
    let first = of_day.next()?;
    if of_day.any(|change| other(change) != other(first)) {
        return Some(of_several.to_owned());
    }
    first.event.clone()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 7, 1).unwrap()
    }

    fn change(old: &str, new: &str, event: &str) -> ChangeRow {
        ChangeRow {
            old_place_code: old.to_owned(),
            new_place_code: new.to_owned(),
            changed_on: day(),
            event: Some(event.to_owned()),
            weight: None,
            weight_kind: None,
        }
    }

    #[test]
    fn several_on_the_other_side_are_a_split_or_a_merger() {
        let rows = [
            change("1", "10", "merge"),
            change("1", "11", "merge"),
            change("2", "20", "rename"),
            // Two weights of one change are no two changes.
            change("2", "20", "rename"),
        ];
        let index = PlaceIndex::new(Vec::new(), rows.to_vec());
        let ended = |code| {
            let changes = index.changes.get(code)?;
            event(changes, day(), "split", |row| &row.new_place_code)
        };
        assert_eq!(ended("1").as_deref(), Some("split"));
        assert_eq!(ended("2").as_deref(), Some("rename"));
        assert_eq!(ended("3"), None);
        let next = day().succ_opt().unwrap();
        let changes = index.changes.get("1").unwrap();
        assert_eq!(
            event(changes, next, "split", |row| &row.new_place_code),
            None
        );
    }
}
