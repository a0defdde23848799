//! How well a source's columns fit a table's fields: by name, then by values; each match says why.

use sectorlake_contract::{Contract, Contracts, Field, FieldType};
use sectorlake_normalise::{DateOrder, Shape};

use super::aliases;
use super::columns::SourceColumn;
use super::{fill, hints};
use crate::names::{folded, nearness};

/// A match below this is none.
const MATCH_MIN: f64 = 0.5;
/// A name below this is another name.
const NAME_MIN: f64 = 0.72;
/// A match from here on is certain.
pub(super) const CERTAIN_MIN: f64 = 0.9;
/// A match from here on tells of which table it is.
const TELLING_MIN: f64 = 0.65;

/// A column for a field.
#[derive(Debug, Clone)]
pub(super) struct Match {
    /// The column, as an index of the source.
    pub(super) column: usize,
    /// The field, as an index of the contract.
    pub(super) field: usize,
    /// 0 to 1.
    pub(super) score: f64,
    /// Why, as a sentence.
    pub(super) why: String,
    /// Whether it is taken only since it names the rows.
    pub(super) is_key: bool,
}

/// A table for a source.
#[derive(Debug, Clone)]
pub(super) struct TableMatch<'a> {
    pub(super) contract: &'a Contract,
    pub(super) matches: Vec<Match>,
    pub(super) score: f64,
    /// How far file and records are called as the table is, 0 to 1.
    pub(super) hint: f64,
}

/// All tables that anything of the source fits, the best first.
pub(super) fn tables<'a>(
    contracts: &'a Contracts,
    columns: &[SourceColumn],
    about: &str,
) -> Vec<TableMatch<'a>> {
    let mut found: Vec<TableMatch<'a>> = contracts
        .iter()
        .map(|contract| table(contract, contracts, columns, about))
        .filter(|found| !found.matches.is_empty())
        .collect();
    found.sort_by(|left, right| {
        let by_score = right.score.total_cmp(&left.score);
        by_score.then_with(|| left.contract.name.cmp(&right.contract.name))
    });
    found
}

/// How well one table fits; `about` is what file and sheet are called.
pub(super) fn table<'a>(
    contract: &'a Contract,
    contracts: &Contracts,
    columns: &[SourceColumn],
    about: &str,
) -> TableMatch<'a> {
    let matches = assign(contract, columns);
    let hint = hints::named(contract, about);
    let weight = |found: &Match| {
        let field = &contract.fields[found.field];
        let others = contracts
            .iter()
            .filter(|other| other.field(&field.name).is_some())
            .count();
        // What many tables have (a name, a place) tells little of which table it is; nor does a name that is only near.
        let telling = match hints::is_telling(&columns[found.column].folded) {
            true => 1.0,
            false => 0.4,
        };
        telling * found.score * found.score / (1.0 + (others.max(1) as f64).ln())
    };
    let covered: f64 = matches.iter().map(weight).sum();
    let missing = missing(contract, &matches).count();
    let score = covered - 0.35 * missing as f64 + 1.5 * hint;
    TableMatch {
        contract,
        matches,
        score,
        hint,
    }
}

/// Required fields that no column is for. A feed's id comes from the pipeline.
pub(super) fn missing<'a>(
    contract: &'a Contract,
    matches: &'a [Match],
) -> impl Iterator<Item = &'a Field> {
    let is_matched = |index: usize| matches.iter().any(|found| found.field == index);
    contract
        .fields
        .iter()
        .enumerate()
        .filter(move |(index, field)| {
            contract.is_required(field) && !is_given(field) && !is_matched(*index)
        })
        .map(|(_, field)| field)
}

impl TableMatch<'_> {
    /// Whether the table is the source's: enough of the source fits it, what fits tells of this table, and most of what it
    /// requires is there.
    pub(super) fn is_good(&self, columns: &[SourceColumn]) -> bool {
        let by_name: Vec<&Match> = self.matches.iter().filter(|found| !found.is_key).collect();
        // What the project itself drafted is no standard: only the same columns make the same table.
        if Contracts::builtin().get(&self.contract.name).is_none() {
            let most = |all: usize| by_name.len() * 5 >= all * 4;
            let same = by_name.iter().all(|found| found.score >= CERTAIN_MIN);
            return by_name.len() >= 3
                && most(columns.len())
                && most(self.contract.fields.len())
                && same;
        }
        let required = self.contract.fields.iter();
        let required =
            required.filter(|field| self.contract.is_required(field) && !is_given(field));
        let (required, missing) = (
            required.count(),
            missing(self.contract, &self.matches).count(),
        );
        let telling_from = |least: f64| {
            let is_one = |found: &&&Match| {
                hints::is_telling(&columns[found.column].folded) && found.score >= least
            };
            by_name.iter().filter(is_one).count()
        };
        let telling = telling_from(TELLING_MIN);
        let has_key = self.matches.iter().any(|found| found.is_key);
        let hinted = if self.hint > 0.0 { 2 } else { 0 };
        // An id and a name are in every table; the share of what is required says more than that of what the source has.
        let enough =
            by_name.len() * 3 >= columns.len() || (missing == 0 && telling_from(CERTAIN_MIN) >= 3);
        let place = if point(self.contract, columns) { 2 } else { 0 };
        let fitting = by_name.len() + place;
        let enough = enough || (self.hint > 0.0 && fitting * 3 >= columns.len());
        fitting + usize::from(has_key) >= 2
            && telling + hinted >= if has_key && hinted == 0 { 4 } else { 2 }
            && (telling > 0 || fitting >= 3)
            && enough
            && (required - missing.min(required)) * 10 >= required * 6
    }
}

/// Whether the table has a point that two columns of the source give.
fn point(contract: &Contract, columns: &[SourceColumn]) -> bool {
    let has = |field: &str| {
        let names = aliases::of_field(field);
        columns
            .iter()
            .any(|column| column.folded == field || names.contains(&column.folded.as_str()))
    };
    let is_point = |field: &Field| field.kind == FieldType::GeoPoint;
    contract.field("latitude").is_none()
        && contract.fields.iter().any(is_point)
        && has("latitude")
        && has("longitude")
}

/// Whether a field's value comes from the pipeline, not from a column.
fn is_given(field: &Field) -> bool {
    field.name == "feed_id" || fill::of(field, "").is_some()
}

/// The best column of each field; no column is for two.
fn assign(contract: &Contract, columns: &[SourceColumn]) -> Vec<Match> {
    let mut all: Vec<Match> = Vec::new();
    for (index, field) in contract.fields.iter().enumerate() {
        for (column, source) in columns.iter().enumerate() {
            all.extend(pair((index, field), (column, source)));
        }
    }
    all.sort_by(|left, right| {
        let by_score = right.score.total_cmp(&left.score);
        by_score.then((left.field, left.column).cmp(&(right.field, right.column)))
    });
    let mut taken: Vec<Match> = Vec::new();
    for found in all {
        let is_free = |known: &Match| known.column != found.column && known.field != found.field;
        if taken.iter().all(is_free) {
            taken.push(found);
        }
    }
    let key = key(contract, columns, &taken);
    taken.extend(key);
    taken.sort_by_key(|found| found.field);
    taken
}

fn pair(
    (index, field): (usize, &Field),
    (column, source): (usize, &SourceColumn),
) -> Option<Match> {
    if source.is_nested {
        return None;
    }
    let (name, by_name) = name(field, source)?;
    let (fit, by_value) = fit(field, source);
    let score = name * fit;
    (name >= NAME_MIN && score >= MATCH_MIN).then(|| Match {
        column,
        field: index,
        score,
        is_key: false,
        why: match by_value {
            Some(by_value) => format!("{by_name}; {by_value}"),
            None => by_name,
        },
    })
}

/// How well the names fit.
fn name(field: &Field, source: &SourceColumn) -> Option<(f64, String)> {
    let column = source.folded.as_str();
    let own = folded(&field.name);
    if column == own || column.replace(' ', "") == own.replace(' ', "") {
        return Some((1.0, "the names are the same".to_owned()));
    }
    let title = field
        .title
        .iter()
        .find(|(_, title)| folded(title) == column);
    if let Some((language, title)) = title {
        return Some((
            1.0,
            format!("it is the field's title ({language}: {title})"),
        ));
    }
    let others = aliases::of_field(&field.name);
    if others
        .iter()
        .any(|other| other.replace(' ', "") == column.replace(' ', ""))
    {
        return Some((0.95, "it is another name of the field".to_owned()));
    }
    let titles = field.title.iter().map(|(_, title)| folded(title));
    let known: Vec<String> = std::iter::once(own)
        .chain(titles)
        .chain(others.iter().map(|name| (*name).to_owned()))
        .collect();
    // A header of merged cells holds the group's name too: `Tọa độ Vĩ độ`. One word alone says too little.
    let held = known
        .iter()
        .find(|name| name.contains(' ') && aliases::holds(column, name));
    if let Some(held) = held {
        return Some((0.85, format!("its name holds {held:?}")));
    }
    let best = known
        .iter()
        .map(|name| (near(name, column), name))
        .max_by(|left, right| left.0.total_cmp(&right.0))?;
    Some((best.0 * 0.9, format!("its name is near to {:?}", best.1)))
}

/// Words that many names begin or end with: what is left of a name tells what it means.
const GENERIC: [&str; 16] = [
    "ma", "ten", "so", "ngay", "loai", "tong", "id", "code", "name", "number", "of", "type",
    "date", "don", "vi", "no",
];

/// Whether a folded name is one of an id or code.
fn is_id(name: &str) -> bool {
    ["id", "ma", "code"]
        .iter()
        .any(|word| aliases::holds(name, word))
}

/// How near two names are once the words that many names share are left out: a code of a city is none of a station.
fn near(left: &str, right: &str) -> f64 {
    let telling = |name: &str| {
        let words = name.split(' ').filter(|word| !GENERIC.contains(word));
        words.collect::<Vec<_>>().join(" ")
    };
    let (a, b) = (telling(left), telling(right));
    let whole = nearness(left, right);
    match (a.is_empty(), b.is_empty()) {
        (true, true) => whole,
        // What a thing is called by is not the thing: a location's id is no location.
        (false, false) if is_id(left) != is_id(right) => 0.0,
        (false, false) => whole.min(nearness(&a, &b)),
        _ => 0.0,
    }
}

/// A column that names every row is for the one field that does.
fn key(contract: &Contract, columns: &[SourceColumn], taken: &[Match]) -> Option<Match> {
    let own: Vec<&String> = contract
        .primary_key
        .iter()
        .filter(|name| !matches!(name.as_str(), "feed_id" | "system_id" | "valid_from"))
        .collect();
    let [name] = own.as_slice() else { return None };
    let field = contract
        .fields
        .iter()
        .position(|field| field.name == **name)?;
    let is_free = |column: &usize| taken.iter().all(|found| found.column != *column);
    let is_key = |column: &SourceColumn| {
        matches!(
            column.folded.as_str(),
            "id" | "ma" | "code" | "ma so" | "uuid" | "gid" | "fid" | "objectid"
        ) && column.is_unique
    };
    if taken.iter().any(|found| found.field == field) {
        return None;
    }
    let all = 0..columns.len();
    let column = all.filter(is_free).find(|index| is_key(&columns[*index]))?;
    Some(Match {
        column,
        field,
        score: 0.85,
        is_key: true,
        why: format!(
            "no value of {:?} is there twice, so it names the rows",
            columns[column].name
        ),
    })
}

/// How well the values fit, as a factor, and why not wholly.
fn fit(field: &Field, source: &SourceColumn) -> (f64, Option<String>) {
    let shape = source.profile.shape();
    let told = |fit: f64| (fit, Some(format!("it holds {shape}")));
    if shape == Shape::Empty {
        return (
            0.85,
            Some("all its values are empty, so only the name speaks for it".to_owned()),
        );
    }
    if let Some(known) = &field.constraints.enumeration {
        return enumeration(field, known, source);
    }
    match (&field.kind, shape) {
        (FieldType::String, Shape::Binary) => told(0.2),
        (FieldType::String, _) => pattern(field, source),
        (FieldType::Integer, Shape::Integer) => bounds(field, source),
        (FieldType::Integer, Shape::NumberEither | Shape::NumberComma) => told(0.95),
        (FieldType::Integer, Shape::Number) => told(0.6),
        (FieldType::Number | FieldType::Decimal { .. }, Shape::Integer | Shape::Number) => {
            bounds(field, source)
        }
        (
            FieldType::Number | FieldType::Decimal { .. },
            Shape::NumberComma | Shape::NumberEither,
        ) => told(0.95),
        (FieldType::Date, Shape::Date(DateOrder::Iso)) => (1.0, None),
        (FieldType::Date | FieldType::Datetime, Shape::Date(_)) => told(0.95),
        (FieldType::Date, Shape::Datetime) => told(0.7),
        (FieldType::Datetime, Shape::Datetime) => (1.0, None),
        (FieldType::Boolean { .. }, Shape::Boolean) => (1.0, None),
        (FieldType::Boolean { .. }, Shape::Integer) => told(0.7),
        (FieldType::Year, Shape::Integer) | (FieldType::YearMonth, Shape::Month) => (1.0, None),
        (FieldType::Time, Shape::Time) => (1.0, None),
        (FieldType::GeoPoint | FieldType::GeoJson, Shape::Binary) => (1.0, None),
        (FieldType::GeoPoint | FieldType::GeoJson, Shape::Json) => told(0.8),
        (FieldType::List, Shape::Json) => begins(source, '['),
        (FieldType::Object, Shape::Json) => begins(source, '{'),
        (FieldType::Integer | FieldType::Number, Shape::Text) if source.is_mostly_number() => {
            told(0.75)
        }
        _ => told(0.2),
    }
}

/// Whether the JSON in a column begins as a list or an object does.
fn begins(source: &SourceColumn, first: char) -> (f64, Option<String>) {
    let fits = source
        .profile
        .some()
        .all(|value| value.trim_start().starts_with(first));
    match fits {
        true => (1.0, None),
        false => (0.2, Some("it holds JSON of another form".to_owned())),
    }
}

fn enumeration(field: &Field, known: &[String], source: &SourceColumn) -> (f64, Option<String>) {
    let Some(values) = source.profile.distinct() else {
        return (0.3, Some("it has too many values for a code".to_owned()));
    };
    let is_code = |value: &String| {
        known.contains(value) || aliases::code(&field.name, &folded(value)).is_some()
    };
    match values.iter().find(|value| !is_code(value)) {
        None => (1.0, None),
        Some(other) => {
            let some = values.iter().any(is_code);
            // A required column stays where it is by its name: its line says which codes are wanted.
            let fit = match (some, field.constraints.required) {
                (true, _) => 0.7,
                (false, true) => 0.55,
                (false, false) => 0.4,
            };
            let other = source.quote(other);
            (fit, Some(format!("{other} is none of the field's codes")))
        }
    }
}

fn pattern(field: &Field, source: &SourceColumn) -> (f64, Option<String>) {
    let Ok(Some(regex)) = field.constraints.regex() else {
        return (1.0, None);
    };
    let others = || source.profile.some().filter(|value| !regex.is_match(value));
    // A few odd values are rejected and mended; where most are, it is another column.
    let is_other = others().count() * 2 > source.profile.some().count();
    match others().next() {
        None => (1.0, None),
        Some(value) => (
            if is_other { 0.2 } else { 0.6 },
            Some(format!(
                "{} is not of the form that the field wants",
                source.quote(value)
            )),
        ),
    }
}

fn bounds(field: &Field, source: &SourceColumn) -> (f64, Option<String>) {
    let limit =
        |value: &Option<serde_json::Value>| value.as_ref().and_then(serde_json::Value::as_f64);
    let (least, most) = (
        limit(&field.constraints.minimum),
        limit(&field.constraints.maximum),
    );
    let outside = |value: &&str| {
        value.trim().parse::<f64>().is_ok_and(|number| {
            least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most)
        })
    };
    match source.profile.some().find(outside) {
        None => (1.0, None),
        Some(value) => (
            0.5,
            Some(format!(
                "{} is out of the field's range",
                source.quote(value)
            )),
        ),
    }
}
