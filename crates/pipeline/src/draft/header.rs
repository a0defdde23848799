//! A header that is none: where the names of the columns look like values, the rows above and below are tried.

use sectorlake_formats::{FormatError, FormatSpec, PartBytes, ReadOptions, Sample, sample};

use super::columns::SourceColumn;
use crate::shape::{Value, look};

/// Rows that may hold the header, from the top.
const ROWS_MAX: usize = 10;
/// Records that are looked at for each.
const RECORDS_MAX: usize = 50;
/// Share of names that look like values, from which on a header is doubted.
const DOUBTED: f64 = 0.25;

/// Another header's rows, and why they were taken.
pub(super) struct Header {
    pub(super) format: FormatSpec,
    pub(super) why: String,
}

/// The rows that are a better header than those that were found; none where these will do.
pub(super) async fn better(
    part: &PartBytes,
    member: Option<&str>,
    found: &Sample,
    options: &ReadOptions,
) -> Result<Option<Header>, FormatError> {
    let names = || {
        found
            .schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
    };
    let odd = names().filter(|name| is_odd(name)).count();
    if (odd as f64) < DOUBTED * names().count() as f64 {
        return Ok(None);
    }
    let mut best = (quality(found), None);
    for first in 1..=ROWS_MAX {
        for rows in [vec![first], vec![first, first + 1]] {
            let Some(format) = with_rows(&found.format, &rows) else {
                return Ok(None);
            };
            // Rows that cannot be a header are told by an error.
            let Ok(tried) = sample(part, member, Some(&format), RECORDS_MAX, options).await else {
                continue;
            };
            let quality = quality(&tried) - 0.25 * rows.len() as f64 - 0.01 * first as f64;
            if quality > best.0 {
                best = (quality, Some((rows, format)));
            }
        }
    }
    let doubt = names()
        .find(|name| is_odd(name))
        .unwrap_or_default()
        .to_owned();
    Ok(best.1.map(|(rows, format)| Header {
        format,
        why: format!(
            "header_rows {rows:?}: there the columns have names, and values of one kind below; the row that was found first holds {doubt:?}, which looks like a value"
        ),
    }))
}

/// Whether a name looks like a value, or was given for want of one. A year may be a name.
fn is_odd(name: &str) -> bool {
    if name
        .strip_prefix("column_")
        .is_some_and(|rest| rest.parse::<usize>().is_ok())
    {
        return true;
    }
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
    let mixed = columns
        .iter()
        .filter(|column| column.profile.mixture().is_some())
        .count();
    if sample.rows.is_empty() {
        return f64::MIN;
    }
    (columns.len() - odd) as f64 - 2.0 * odd as f64 - 0.5 * mixed as f64
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
    use super::is_odd;

    #[test]
    fn names_that_look_like_values() {
        for name in [
            "1",
            "031001",
            "12 Mê Linh",
            "20,85",
            "05/09/1959",
            "column_3",
            "1 2",
        ] {
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
