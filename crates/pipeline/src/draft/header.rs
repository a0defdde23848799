//! A header that is none: where the names of the columns look like values, the rows above and below are tried.

use sectorlake_formats::{Choice, FormatSpec, PartBytes, ReadOptions, Sample, sample};
use sectorlake_normalise::{Value, look};

use super::columns::SourceColumn;
use super::personal;
use super::refine::Better;

/// Rows that may hold the header, from the top.
const ROWS_MAX: usize = 10;
/// Records that are looked at for each.
const RECORDS_MAX: usize = 50;
/// Share of names that look like values, from which on a header is doubted.
const DOUBTED: f64 = 0.25;

/// The rows that are a better header than those that were found; none where these will do.
pub(super) async fn better(
    part: &PartBytes,
    member: Option<&str>,
    found: &Sample,
) -> Option<Better> {
    let names: Vec<&str> = found
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    // A person's number or address is no name of a column, and must not become one.
    if names.iter().any(|name| personal::is_value(name))
        && let Some(format) = with_rows(&found.format, &[])
    {
        let why = "header_rows []: the first row holds what tells of a person, so it is data, and the columns have no names";
        return Some(Better {
            format,
            why: why.to_owned(),
        });
    }
    // Whoever read it saw that the first line is data, or told that nothing tells.
    let is_told = matches!(found.format, FormatSpec::Csv(_))
        && found
            .choices
            .iter()
            .any(|choice| choice.what == Choice::HEADER_ROWS);
    if is_told || !is_doubted(&names) {
        return None;
    }
    let (rows, format) = best_rows(part, member, found).await?;
    let why = format!(
        "header_rows {rows:?}: there the columns have names, and values of one kind below; in the row that was found first, names look like values or are missing"
    );
    Some(Better { format, why })
}

/// The rows that make the best header of those near the top, and the format that has it there; none where what was found is best.
async fn best_rows(
    part: &PartBytes,
    member: Option<&str>,
    found: &Sample,
) -> Option<(Vec<usize>, FormatSpec)> {
    let options = &ReadOptions::default();
    let mut best = (quality(found), None);
    // Whether each row by itself may be a header: a row of data is none of a header's two either.
    let mut sound = [false; ROWS_MAX + 2];
    let singles = (1..=ROWS_MAX + 1).map(|row| vec![row]);
    let pairs = (1..=ROWS_MAX).map(|row| vec![row, row + 1]);
    for rows in singles.chain(pairs) {
        if rows.len() > 1 && !rows.iter().all(|row| sound[*row]) {
            continue;
        }
        let format = with_rows(&found.format, &rows)?;
        // Rows that cannot be a header are told by an error.
        let Ok(tried) = sample(part, member, Some(&format), RECORDS_MAX, options).await else {
            continue;
        };
        if rows.len() == 1 {
            let names = tried.schema.fields().iter().map(|field| field.name());
            let odd = names.clone().filter(|name| is_odd(name)).count();
            sound[rows[0]] = (odd as f64) < DOUBTED * names.count() as f64;
        }
        let quality = quality(&tried) - 0.25 * rows.len() as f64 - 0.01 * rows[0] as f64;
        if quality > best.0 {
            best = (quality, Some((rows, format)));
        }
    }
    best.1
}

/// Whether these names are those of no header: too many look like values, or most were given for want of one.
fn is_doubted(names: &[&str]) -> bool {
    let odd = names.iter().filter(|name| is_odd(name)).count();
    let blank = names.iter().filter(|name| is_blank(name)).count();
    blank * 2 > names.len() || (odd > 0 && odd as f64 >= DOUBTED * names.len() as f64)
}

/// Whether a column was named for want of a name.
fn is_blank(name: &str) -> bool {
    name.strip_prefix("column_")
        .is_some_and(|rest| rest.parse::<usize>().is_ok())
}

/// Whether a name looks like a value. A year may be a name.
fn is_odd(name: &str) -> bool {
    // Rows of data that were joined begin with a value too.
    let first = name.split_whitespace().next().unwrap_or_default();
    match look(first) {
        Value::Integer => !first
            .parse::<u32>()
            .is_ok_and(|year| (1900..2100).contains(&year)),
        kind => !matches!(
            kind,
            Value::Text | Value::SchoolYear | Value::Month | Value::Boolean
        ),
    }
}

/// Columns with a name, less those whose name is odd or whose values are mixed.
fn quality(sample: &Sample) -> f64 {
    let columns = SourceColumn::all(sample);
    let odd = columns.iter().filter(|column| is_odd(&column.name)).count();
    let blank = columns
        .iter()
        .filter(|column| is_blank(&column.name))
        .count();
    let mixed = columns
        .iter()
        .filter(|column| column.profile.mixture().is_some())
        .count();
    if sample.rows.is_empty() {
        return f64::MIN;
    }
    (columns.len() - odd - blank) as f64 - 2.0 * odd as f64 - 0.5 * mixed as f64
}

/// The format with its header in these rows; none where it has no such option.
fn with_rows(format: &FormatSpec, rows: &[usize]) -> Option<FormatSpec> {
    let mut value = serde_json::to_value(format).ok()?;
    let options = value.as_object_mut()?;
    options.remove("skip_rows");
    options.insert("header_rows".to_owned(), rows.into());
    serde_json::from_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::{is_doubted, is_odd};

    #[test]
    fn a_header_with_a_gap_is_one_and_a_title_is_none() {
        assert!(
            !is_doubted(&["id", "a", "b", "column_4"]),
            "a comma at the line's end"
        );
        assert!(is_doubted(&["BÁO CÁO", "column_2", "column_3"]));
        assert!(is_doubted(&["031001", "Trần Phú", "Lê Chân"]));
    }

    #[test]
    fn names_that_look_like_values() {
        for name in ["1", "031001", "12 Mê Linh", "20,85", "05/09/1959", "1 2"] {
            assert!(is_odd(name), "{name}");
        }
        for name in [
            "2002 Total",
            "2024",
            "X2002",
            "Mã trường",
            "Lớp 10",
            "2015-2016",
            "column_x",
        ] {
            assert!(!is_odd(name), "{name}");
        }
    }
}
