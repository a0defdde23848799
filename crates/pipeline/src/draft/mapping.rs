//! The mapping's SQL: an expression for each field, and beside it why, where that is not certain.

use sectorlake_contract::{Classification, Contract, Field, FieldType};
use sectorlake_normalise::{DateOrder, Shape, Value};

use super::aliases;
use super::columns::SourceColumn;
use super::fill;
use super::score::{CERTAIN_MIN, Match, missing};
use crate::names::{folded, quoted};
use crate::values::Profile;

/// One line of the select list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// What is not certain about it.
    pub(super) notes: Vec<String>,
    /// The expression.
    pub(super) sql: String,
    /// The field.
    pub(super) field: String,
}

impl Line {
    pub(super) fn new(
        sql: impl Into<String>,
        field: impl Into<String>,
        notes: Vec<String>,
    ) -> Self {
        Self {
            notes,
            sql: sql.into(),
            field: field.into(),
        }
    }
}

/// The lines of a table's mapping, in the order of its fields; `name` is the pipeline's.
pub(super) fn lines(
    (contract, name): (&Contract, &str),
    columns: &[SourceColumn],
    matches: &[Match],
) -> Vec<Line> {
    let lacking: Vec<&str> = missing(contract, matches)
        .map(|field| field.name.as_str())
        .collect();
    let mut lines = Vec::new();
    for (index, field) in contract.fields.iter().enumerate() {
        if let Some(found) = matches.iter().find(|found| found.field == index) {
            let by_name = is_place_name(field, &columns[found.column].profile);
            if by_name && !contract.is_required(field) {
                // Proposed beside the mapping: it needs common.places in the lake.
                continue;
            }
            lines.push(line(field, columns, found));
        } else if let Some(point) = point(contract, field, columns, matches) {
            lines.push(point);
        } else if let Some((sql, note)) =
            fill::of(field, name).filter(|_| contract.is_required(field))
        {
            lines.push(Line::new(sql, &field.name, vec![note]));
        } else if lacking.contains(&field.name.as_str()) {
            lines.push(Line::new(
                "CAST(NULL AS VARCHAR)",
                &field.name,
                vec![format!(
                    "REQUIRED, and no column is found for it: {}; every row is rejected until one is named here",
                    titles(field)
                )],
            ));
        }
    }
    lines
}

fn titles(field: &Field) -> String {
    let titles: Vec<&str> = field.title.iter().map(|(_, title)| title).collect();
    titles.join(" / ")
}

/// Whether the header has a column's name more than once: the format numbers all but the first.
pub(super) fn repeated<'a>(
    column: &SourceColumn,
    columns: impl IntoIterator<Item = &'a SourceColumn>,
) -> Option<String> {
    let (name, number) = column.name.rsplit_once('_')?;
    let is_number = number.parse::<u32>().is_ok_and(|number| number > 1);
    (is_number && columns.into_iter().any(|other| other.name == name)).then(|| {
        format!("the header has {name:?} more than once: this is its column number {number}")
    })
}

fn line(field: &Field, columns: &[SourceColumn], found: &Match) -> Line {
    let column = &columns[found.column];
    let mut notes = Vec::new();
    if found.score < CERTAIN_MIN {
        notes.push(format!("not sure ({:.2}): {}", found.score, found.why));
    }
    if let Some(why) = column.personal.as_ref().filter(|_| {
        field.classification < Classification::Personal && field.constraints.enumeration.is_none()
    }) {
        notes.push(format!(
            "{why}, but the field is {}: leave it out unless it may be read by all who may read that",
            field.classification.word()
        ));
    }
    notes.extend(mixed(column));
    notes.extend(repeated(column, columns));
    let sql = value(field, column, &mut notes);
    Line::new(sql, &field.name, notes)
}

/// Where a column mixes kinds of values.
pub(super) fn mixed(column: &SourceColumn) -> Option<String> {
    let profile = &column.profile;
    let kinds = profile.mixture()?;
    // Names with numbers among them are plain text.
    let texts = kinds.iter().find(|(shape, ..)| *shape == Shape::Text);
    let is_text = texts.is_some_and(|(_, count, _)| count * 2 > profile.values());
    let told = if column.is_quotable {
        crate::run::mixture(&kinds)
    } else {
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(shape, count, _)| format!("{count} × {shape}"))
            .collect();
        kinds.join(", ")
    };
    (!is_text).then(|| format!("mixed values: {told}"))
}

/// A column's text as the value of a field.
pub(super) fn value(field: &Field, column: &SourceColumn, notes: &mut Vec<String>) -> String {
    let (text, profile) = (without_marks(field, column), &column.profile);
    if let Some(known) = &field.constraints.enumeration {
        return codes(field, known, column, text, notes);
    }
    match &field.kind {
        FieldType::GeoPoint if is_point_json(column) => {
            let list = format!("json_get_json({text}, 'coordinates')");
            format!("ST_Point(json_get_float({list}, 0), json_get_float({list}, 1))")
        }
        FieldType::Datetime if order(column).is_some() => {
            let order = order(column).unwrap_or_default();
            notes.push(format!("not sure: {order}, in the time of Vietnam"));
            format!("parse_timestamp({text}, '{order}', 'Asia/Ho_Chi_Minh')")
        }
        FieldType::Date | FieldType::Datetime => date(column.shape(), text, notes),
        FieldType::Integer | FieldType::Number | FieldType::Decimal { .. } => {
            number(field, profile, text, notes)
        }
        FieldType::Boolean {
            true_values,
            false_values,
        } => boolean(profile, (true_values, false_values), text),
        FieldType::String if is_place_name(field, profile) => {
            notes.push("names are looked up in common.places, which must be loaded first (pipelines/common)".to_owned());
            format!("place_code({text})")
        }
        _ => text,
    }
}

/// Whether a column holds points of GeoJSON (RFC 7946).
fn is_point_json(column: &SourceColumn) -> bool {
    let is_point = |value: &str| value.contains("\"coordinates\"") && value.contains("\"Point\"");
    column.profile.values() > 0 && column.profile.some().all(is_point)
}

/// The order of day, month and year in a column of dates with times, where it is not ISO 8601's.
fn order(column: &SourceColumn) -> Option<&'static str> {
    let all = |fits: &dyn Fn(&str) -> bool| {
        column.shape() == Shape::Datetime && column.profile.some().all(|value| fits(value.trim()))
    };
    let first = |value: &str| value.find(['-', '/', '.']).unwrap_or_default();
    if all(&|value| (1..3).contains(&first(value))) {
        return Some("dmy");
    }
    all(&|value| first(value) == 4 && value[4..].starts_with(['/', '.'])).then_some("ymd")
}

fn is_place_name(field: &Field, profile: &Profile) -> bool {
    field.name == "place_code" && profile.count(Value::Text) * 2 > profile.values()
}

/// The column without the marks for "no value" that the contract does not know.
pub(super) fn without_marks(field: &Field, column: &SourceColumn) -> String {
    let known = field.missing_values.clone().unwrap_or_default();
    let marks = column.profile.marks().iter();
    let unknown = marks.filter(|mark| !known.contains(mark));
    let text = match column.has_blanks {
        true => format!("NULLIF(trim({}), '')", quoted(&column.name)),
        false => quoted(&column.name),
    };
    unknown.fold(text, |sql, mark| {
        format!("NULLIF({sql}, '{}')", mark.replace('\'', "''"))
    })
}

pub(super) fn date(shape: Shape, text: String, notes: &mut Vec<String>) -> String {
    match shape {
        Shape::Date(DateOrder::DayFirst) => format!("parse_date({text}, 'dmy')"),
        Shape::Date(DateOrder::MonthFirst) => format!("parse_date({text}, 'mdy')"),
        Shape::Date(DateOrder::YearFirst) => format!("parse_date({text}, 'ymd')"),
        Shape::Date(DateOrder::Either) => {
            notes.push("every date can be read both ways (03/04/2024): 'dmy' is declared as Vietnam writes them; say 'mdy' if the month comes first".to_owned());
            format!("parse_date({text}, 'dmy')")
        }
        _ => text,
    }
}

/// What is said of numbers whose only mark is a comma before three digits.
pub(super) const COMMAS: &str = "its numbers can be read both ways (1,234): thousands are marked by a comma here, three digits follow each; say parse_number(…, ',', '.') if the comma marks decimals";

fn number(field: &Field, profile: &Profile, text: String, notes: &mut Vec<String>) -> String {
    let has = |kind: Value| profile.count(kind) > 0;
    match profile.shape() {
        Shape::NumberComma => format!("parse_number({text}, ',', '.')"),
        Shape::Number if has(Value::ThousandsComma) => format!("parse_number({text}, '.', ',')"),
        Shape::NumberEither if is_within(field, profile, '.') => text,
        Shape::NumberEither
            if commas_mark_thousands(profile) && !is_within(field, profile, ',') =>
        {
            notes.push(COMMAS.to_owned());
            format!("parse_number({text}, '.', ',')")
        }
        Shape::NumberEither => {
            notes.push("its numbers can be read both ways (1.234): thousands are marked by a point here, as Vietnam writes them; take the column as it is if the point marks decimals".to_owned());
            format!("parse_number({text}, ',', '.')")
        }
        // Some cells are no numbers: which mark they have cannot be told from the shape of all.
        Shape::Text if has(Value::Comma) || has(Value::ThousandsPoint) => {
            format!("parse_number({text}, ',', '.')")
        }
        _ => text,
    }
}

/// Whether the only marks are commas before three digits, and no number begins with a nought, as decimals would.
pub(super) fn commas_mark_thousands(profile: &Profile) -> bool {
    let is_decimal = |value: &str| value.trim_start_matches('-').starts_with("0,");
    profile.count(Value::CommaOrThousands) > 0
        && profile.count(Value::PointOrThousands) == 0
        && !profile.some().any(is_decimal)
}

/// Whether all numbers, read with this mark before decimals, keep to the field's bounds: degrees do, and thousands of them would not.
fn is_within(field: &Field, profile: &Profile, mark: char) -> bool {
    let limit = |value: &Option<serde_json::Value>| value.as_ref()?.as_f64();
    let (Some(least), Some(most)) = (
        limit(&field.constraints.minimum),
        limit(&field.constraints.maximum),
    ) else {
        return false;
    };
    let fits = |value: &str| {
        value
            .replace(mark, ".")
            .parse::<f64>()
            .is_ok_and(|number| (least..=most).contains(&number))
    };
    profile.some().all(fits)
}

fn boolean(profile: &Profile, (yes, no): (&[String], &[String]), text: String) -> String {
    let known = |value: &String| yes.contains(value) || no.contains(value);
    let Some(values) = profile.distinct() else {
        return text;
    };
    if values.iter().all(known) {
        return text;
    }
    let cases: Vec<String> = values
        .iter()
        .filter_map(|value| {
            let word = match folded(value).as_str() {
                "co" | "yes" | "x" | "dung" | "true" | "1" => "true",
                "khong" | "no" | "sai" | "false" | "0" => "false",
                _ => return None,
            };
            Some(format!(
                "WHEN '{}' THEN '{word}'",
                value.replace('\'', "''")
            ))
        })
        .collect();
    if cases.is_empty() {
        return text;
    }
    format!("CASE trim({text}) {} ELSE {text} END", cases.join(" "))
}

/// Words for codes.
fn codes(
    field: &Field,
    known: &[String],
    column: &SourceColumn,
    text: String,
    notes: &mut Vec<String>,
) -> String {
    let values: Vec<&str> = column.profile.some().collect();
    if values
        .iter()
        .all(|value| known.iter().any(|code| code == value))
    {
        return text;
    }
    let mut cases = Vec::new();
    for value in values {
        let code = aliases::code(&field.name, &folded(value)).map(str::to_owned);
        let code = code.or_else(|| {
            known
                .iter()
                .find(|code| folded(code) == folded(value))
                .cloned()
        });
        match code {
            Some(code) => cases.push(format!("WHEN '{}' THEN '{code}'", value.replace('\'', "''"))),
            None => notes.push(format!(
                "{} is none of the field's codes ({}): such rows are rejected until it is named here",
                column.quote(value),
                known.join(", ")
            )),
        }
    }
    if cases.is_empty() {
        return text;
    }
    format!("CASE trim({text}) {} ELSE {text} END", cases.join(" "))
}

/// A point from a column of latitudes and one of longitudes.
fn point(
    contract: &Contract,
    field: &Field,
    columns: &[SourceColumn],
    matches: &[Match],
) -> Option<Line> {
    if field.kind != FieldType::GeoPoint {
        return None;
    }
    let of = |name: &str| {
        let is_called = |column: &&SourceColumn| {
            column.folded == name
                || aliases::holds(&column.folded, name)
                || aliases::of_field(name).contains(&column.folded.as_str())
                || (name == "latitude" && aliases::holds(&column.folded, "vi do"))
                || (name == "longitude" && aliases::holds(&column.folded, "kinh do"))
        };
        let by_field = contract.fields.iter().position(|field| field.name == name);
        let matched = matches.iter().find(|found| Some(found.field) == by_field);
        matched
            .map(|found| &columns[found.column])
            .or_else(|| columns.iter().find(is_called))
    };
    let (lat, lon) = (of("latitude")?, of("longitude")?);
    let mut notes = Vec::new();
    let degrees = |column: &SourceColumn| {
        let name = quoted(&column.name);
        match column.shape() {
            Shape::NumberComma => format!("parse_number({name}, ',', '.')"),
            _ => name,
        }
    };
    let within = |column: &SourceColumn, least: f64, most: f64| {
        column.profile.some().all(|value| {
            let number = value.replace(',', ".").parse::<f64>();
            number.is_ok_and(|number| (least..=most).contains(&number))
        })
    };
    if !within(lat, -90.0, 90.0) || !within(lon, -180.0, 180.0) {
        notes.push("not sure: some values are no degrees; coordinates of VN-2000 are turned by a function of their own".to_owned());
    }
    let sql = format!("{} || ',' || {}", degrees(lon), degrees(lat));
    Some(Line::new(sql, &field.name, notes))
}

/// Levels of places by the words in the names of their columns, from below.
const LEVELS: [&[&str]; 3] = [
    &[
        "phuong xa",
        "xa phuong",
        "phuong",
        "xa",
        "thi tran",
        "ward",
        "commune",
    ],
    &["quan huyen", "quan", "huyen", "district"],
    &["tinh thanh", "tinh", "thanh pho", "province"],
];

/// How a place's code would be looked up by the names that the source has. It is proposed, not written: it needs
/// `common.places` in the lake.
pub(super) fn place_lookup(
    contract: &Contract,
    columns: &[SourceColumn],
    matches: &[Match],
) -> Option<String> {
    let field = contract
        .fields
        .iter()
        .position(|field| field.name == "place_code")?;
    let wanted = &contract.fields[field];
    let matched = matches.iter().find(|found| found.field == field);
    let by_name = |found: &Match| is_place_name(wanted, &columns[found.column].profile);
    if contract.is_required(wanted) || matched.is_some_and(|found| !by_name(found)) {
        return None;
    }
    let named = LEVELS.iter().filter_map(|words| {
        let is_level = |column: &&SourceColumn| {
            column.shape() == Shape::Text
                && !aliases::is_identifier(&column.folded)
                && words
                    .iter()
                    .any(|word| column.folded == *word || aliases::holds(&column.folded, word))
        };
        columns.iter().find(is_level)
    });
    let matched = matched.map(|found| &columns[found.column]);
    let mut names: Vec<String> = matched
        .into_iter()
        .chain(named)
        .map(|column| quoted(&column.name))
        .collect();
    names.dedup();
    names.truncate(2);
    (!names.is_empty()).then(|| {
        format!(
            "place_code({}) AS place_code, looks the name up in common.places and rejects one that is unknown, with the nearest; write it once common.places is loaded (pipelines/common)",
            names.join(", ")
        )
    })
}

/// Columns that no field takes.
pub(super) fn unmatched(columns: &[SourceColumn], used: impl Fn(usize) -> bool) -> Vec<String> {
    let rest = columns.iter().enumerate();
    rest.filter(|(index, _)| !used(*index))
        .map(|(_, column)| {
            let example = match column.profile.example() {
                Some(example) if column.is_quotable => format!(", such as {example:?}"),
                _ => String::new(),
            };
            format!(
                "not taken: {} ({}{example})",
                quoted(&column.name),
                column.shape()
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_before_three_digits_mark_thousands_unless_a_nought_stands_first() {
        let of = |values: &[&str]| {
            let mut profile = Profile::default();
            values.iter().for_each(|value| profile.add(Some(value)));
            number(&Field::default(), &profile, "x".to_owned(), &mut Vec::new())
        };
        assert_eq!(of(&["2,666", "12"]), "parse_number(x, '.', ',')");
        assert_eq!(of(&["2,666", "0,125"]), "parse_number(x, ',', '.')");
        assert_eq!(of(&["2.666", "12"]), "parse_number(x, ',', '.')");
        assert_eq!(of(&["2,5", "1.250"]), "parse_number(x, ',', '.')");
    }
}
