//! Names in SQL: cleaned, brought to a key, compared.

pub(crate) mod similarity;
pub(crate) mod spelling;
mod text;
pub(crate) mod types;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Function, Kind};
use crate::row::{self, Row};

const TEXT_2: &[Kind] = &[Kind::Text, Kind::Text];
const BEST: &[Kind] = &[Kind::Text, Kind::Texts, Kind::Number];

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let about = "A name in the form names are compared in: small letters without diacritics, words between single spaces, the place's type (tỉnh, TP., quận, phường, …; in other countries theirs) taken off. An optional country (ISO 3166-1) takes off that country's types alone.";
    let name_key = Function::new(
        "name_key",
        TEXT_2,
        DataType::Utf8,
        name_key,
        about,
        "name_key('TP. Thuỷ  Nguyên') = 'thuy nguyen'",
    );
    let about = "How alike two names are, from 0 to 1: Jaro-Winkler over their name_key, as written or with the words in alphabetical order, whichever is more. Names whose numbers differ (Phường 1, Phường 11) are 0.";
    let name_similarity = Function::new(
        "name_similarity",
        TEXT_2,
        DataType::Float64,
        name_similarity,
        about,
        "name_similarity('Quận Hồng Bàng', 'hong bang') = 1.0",
    );
    let mut all: Vec<ScalarUDF> = vec![
        name_key.required(1).into(),
        name_similarity.into(),
        best_match(
            "best_match",
            "name_similarity",
            "best_match('Hong Bang', ['Hồng Bàng', 'Lê Chân'], 0.9) = 'Hồng Bàng'",
            |args, rows| best_of(args, rows, of_names),
        ),
    ];
    all.extend(schools());
    all.extend(text::functions());
    all
}

fn schools() -> Vec<ScalarUDF> {
    let about = "A school's name in small letters without diacritics, its abbreviations (THPT, THCS, TH, MN, PTDTNT, GDTX, …) written out and the word trường taken off.";
    let school_key = Function::new(
        "school_key",
        &[Kind::Text],
        DataType::Utf8,
        |args, rows| {
            row::texts(args, rows, |row| {
                Ok(Some(similarity::school_key(row.text(0))))
            })
        },
        about,
        "school_key('Trường THPT Trần Phú') = 'trung hoc pho thong tran phu'",
    );
    let about = "How alike two schools' names are, from 0 to 1: as name_similarity over their school_key without the level; 0 where both say their level and it differs (THPT and THCS of one name are two schools).";
    let school_similarity = Function::new(
        "school_similarity",
        TEXT_2,
        DataType::Float64,
        |args, rows| {
            row::numbers(args, rows, |row| {
                Ok(Some(similarity::of_schools(row.text(0), row.text(1))))
            })
        },
        about,
        "school_similarity('THPT Trần Phú', 'Trường Trung học phổ thông Trần Phú') = 1.0",
    );
    vec![
        school_key.into(),
        school_similarity.into(),
        best_match(
            "best_school_match",
            "school_similarity",
            "best_school_match('TH Lê Lợi', ['Trường tiểu học Lê Lợi', 'Trường THCS Lê Lợi'], 0.9)",
            |args, rows| best_of(args, rows, similarity::of_schools),
        ),
    ]
}

fn best_match(
    name: &'static str,
    by: &str,
    example: &str,
    body: crate::function::Body,
) -> ScalarUDF {
    let about = format!(
        "The text of a list that is most alike to a name by {by}; NULL if none reaches the threshold (0 to 1), or if two are equally alike."
    );
    Function::new(name, BEST, DataType::Utf8, body, &about, example).into()
}

fn name_key(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    row::texts(args, rows, |row| {
        Ok(Some(key(row.text(0), row.optional_text(1))))
    })
}

fn name_similarity(args: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
    row::numbers(args, rows, |row| {
        Ok(Some(of_names(row.text(0), row.text(1))))
    })
}

fn of_names(left: &str, right: &str) -> f64 {
    similarity::of_plain(&key(left, None), &key(right, None))
}

/// The plain form without the type.
fn key(name: &str, country: Option<&str>) -> String {
    let plain = spelling::plain(name);
    match types::typed(&plain, country) {
        Some(typed) => typed.rest.to_owned(),
        None => plain,
    }
}

/// A share from 0 to 1.
pub(crate) fn threshold(row: Row<'_>, argument: usize) -> Result<f64> {
    let threshold = row.number(argument);
    if !(0.0..=1.0).contains(&threshold) {
        return exec_err!(
            "{threshold} is no threshold: write a number from 0 (anything goes) to 1 (only equal names)"
        );
    }
    Ok(threshold)
}

fn best_of(args: &[ArrayRef], rows: usize, alike: fn(&str, &str) -> f64) -> Result<ArrayRef> {
    row::texts(args, rows, |row| {
        let (name, threshold) = (row.text(0), threshold(row, 2)?);
        let candidates = row.texts(1).into_iter().map(|text| {
            let alike = alike(name, &text);
            (text, alike)
        });
        Ok(similarity::best(candidates, threshold).map(|(text, _)| text))
    })
}
