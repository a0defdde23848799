//! Years of other reckonings: Buddhist, fiscal, of a school.

use arrow::datatypes::DataType;
use chrono::{Datelike, NaiveDate};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use super::calendar::BUDDHIST_YEARS;
use crate::function::{Body, Function, Kind};
use crate::row::{self, Row};

const FISCAL: &[Kind] = &[Kind::Date, Kind::Number, Kind::Text];
const FISCAL_BOUND: &[Kind] = &[Kind::Number, Kind::Number, Kind::Text];
/// Years of the Buddhist era that are told of today's things; others are of our era, or slips.
const BUDDHIST: [i32; 2] = [2300, 2743];
/// Years of our era that schools tell of.
const SCHOOL: std::ops::RangeInclusive<i32> = 1800..=2200;
const YEARS: [i32; 2] = [1, 9998];

pub(super) fn functions() -> Vec<ScalarUDF> {
    let mut all = vec![
        Function::new(
            "from_buddhist_year",
            &[Kind::Number],
            DataType::Int64,
            |args, rows| {
                row::integers(args, rows, |row| {
                    let year = row.whole(0, "a year of the Buddhist era", BUDDHIST)?;
                    Ok(Some(i64::from(year - BUDDHIST_YEARS)))
                })
            },
            "The year of our era of a year of the Buddhist era as Thailand counts it (543 more). Dates: parse_date(text, 'dmy-be').",
            "from_buddhist_year(2567) = 2024",
        )
        .into(),
    ];
    all.extend(fiscal());
    all.extend(school());
    all
}

fn fiscal() -> Vec<ScalarUDF> {
    let named = "Named by the calendar year it ends in, or with 'start' as third argument by the one it begins in.";
    let bound = |name, body: Body, about: &str, example| {
        let about = format!("{about} {named}");
        Function::new(name, FISCAL_BOUND, DataType::Date32, body, &about, example)
            .required(2)
            .into()
    };
    vec![
        Function::new(
            "fiscal_year",
            FISCAL,
            DataType::Int64,
            |args, rows| row::integers(args, rows, |row| fiscal_year(row).map(Some)),
            &format!("The fiscal year of a date, which begins on the first day of a month (1 to 12). {named}"),
            "fiscal_year(DATE '2024-10-01', 10) = 2025",
        )
        .required(2)
        .into(),
        bound(
            "fiscal_year_start",
            |args, rows| row::dates(args, rows, |row| first_day(row, 0).map(Some)),
            "The first day of a fiscal year that begins in a month (1 to 12).",
            "fiscal_year_start(2025, 10) = DATE '2024-10-01'",
        ),
        bound(
            "fiscal_year_end",
            |args, rows| row::dates(args, rows, |row| Ok(first_day(row, 1)?.pred_opt())),
            "The last day of a fiscal year that begins in a month (1 to 12).",
            "fiscal_year_end(2025, 10) = DATE '2025-09-30'",
        ),
    ]
}

fn school() -> Vec<ScalarUDF> {
    let read = "Read from text that names two years running: '2023-2024', '2023-24', 'Năm học 2023 – 2024'. One year alone does not say which of two it means and is an error. Blank text is NULL.";
    let function = |name, returns, body: Body, about: &str, example| {
        let about = format!("{about} {read}");
        Function::new(name, &[Kind::Text], returns, body, &about, example).into()
    };
    vec![
        function(
            "school_year",
            DataType::Utf8,
            |args, rows| {
                row::texts(args, rows, |row| {
                    let start = school_year(row)?;
                    Ok(start.map(|start| format!("{start}-{}", start + 1)))
                })
            },
            "A school year in the one form '2023-2024'.",
            "school_year('Năm học 2023-24') = '2023-2024'",
        ),
        function(
            "school_year_start",
            DataType::Int64,
            |args, rows| row::integers(args, rows, |row| Ok(school_year(row)?.map(i64::from))),
            "The calendar year in which a school year begins.",
            "school_year_start('2023-2024') = 2023",
        ),
        function(
            "school_year_end",
            DataType::Int64,
            |args, rows| {
                row::integers(args, rows, |row| {
                    Ok(school_year(row)?.map(|start| i64::from(start) + 1))
                })
            },
            "The calendar year in which a school year ends.",
            "school_year_end('2023-2024') = 2024",
        ),
    ]
}

/// How many calendar years the year's name lies behind its beginning: one, if it is named by its end and does not begin in January.
fn years_ahead(row: Row<'_>, first_month: i32) -> Result<i32> {
    let by_end = match row.optional_text(2) {
        None | Some("end") => true,
        Some("start") => false,
        Some(other) => {
            return exec_err!(
                "a fiscal year is named by its 'start' or its 'end', not by {other:?}"
            );
        }
    };
    Ok(i32::from(by_end && first_month > 1))
}

fn first_month(row: Row<'_>) -> Result<i32> {
    row.whole(1, "the month in which a fiscal year begins", [1, 12])
}

fn fiscal_year(row: Row<'_>) -> Result<i64> {
    let (date, month) = (row.date(0)?, first_month(row)?);
    let begins = date.year() - i32::from(date.month() < month.unsigned_abs());
    Ok(i64::from(begins + years_ahead(row, month)?))
}

/// The first day of the fiscal year, or of one so many years later.
fn first_day(row: Row<'_>, later: i32) -> Result<NaiveDate> {
    let (year, month) = (row.whole(0, "a fiscal year", YEARS)?, first_month(row)?);
    let begins = year - years_ahead(row, month)? + later;
    NaiveDate::from_ymd_opt(begins, month.unsigned_abs(), 1)
        .ok_or_else(|| exec_datafusion_err!("the fiscal year {year} has no first day"))
}

fn school_year(row: Row<'_>) -> Result<Option<i32>> {
    let text = row.text(0).trim();
    match school_year_of(text) {
        None if !text.is_empty() => exec_err!(
            "{text:?} names no two years running: write a school year as in '2023-2024' or '2023-24'"
        ),
        start => Ok(start),
    }
}

/// The first of the two years that the text names, if it names one such pair.
fn school_year_of(text: &str) -> Option<i32> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let together = words.iter().filter_map(|word| match word.len() {
        8 if word.is_ascii() => pair(&word[..4], &word[4..]),
        _ => None,
    });
    let apart = words.windows(2).filter_map(|two| pair(two[0], two[1]));
    let mut found = together.chain(apart);
    let start = found.next()?;
    found.next().is_none().then_some(start)
}

fn pair(first: &str, second: &str) -> Option<i32> {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if first.len() != 4 || !is_number(first) || !is_number(second) {
        return None;
    }
    let start: i32 = first.parse().ok()?;
    let next = (start + 1).to_string();
    let follows = second == next || (second.len() == 2 && next.ends_with(second));
    (follows && SCHOOL.contains(&start)).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn school_years_as_agencies_write_them() {
        let cases = [
            ("2023-2024", Some(2023)),
            ("2023-24", Some(2023)),
            ("1999/00", Some(1999)),
            ("Năm học 2023 - 2024", Some(2023)),
            ("NH: 2023–2024", Some(2023)),
            ("HK1 2023-2024", Some(2023)),
            ("HK 1, 2023-2024", Some(2023)),
            ("20232024", Some(2023)),
            ("2023", None),
            ("2023-2025", None),
            ("2024-2023", None),
            ("2566-2567", None),
            ("2023-2024, 2024-2025", None),
            ("23-24", None),
            ("năm học", None),
        ];
        for (text, expected) in cases {
            assert_eq!(school_year_of(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_school_year_reads_back(start in 1800i32..2200, short: bool, words in "[A-Za-zăọ ]{0,10}") {
            let end = if short { format!("{:02}", (start + 1) % 100) } else { (start + 1).to_string() };
            prop_assert_eq!(school_year_of(&format!("{words} {start}-{end}")), Some(start));
        }

        #[test]
        fn no_text_panics(text in ".{0,24}") {
            let _ = school_year_of(&text);
        }
    }
}
