//! Titles above the header, told only where reading the first line as the header would lose every record or name every column but one
//! by its number.

use crate::csv::delimiter::{CANDIDATES, Standing, without_notes};
use crate::csv::dialect::Dialect;
use crate::csv::strict::Records;

/// Records that are looked at.
const SAMPLE_RECORDS: usize = 64;
/// Records after a header that make it certain.
const RECORDS_MIN: usize = 3;

/// A header below titles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Titles {
    /// Where the header starts in the sample.
    pub(super) start: usize,
    pub(super) delimiter: u8,
    /// Fields of the header.
    fields: usize,
    /// Records after it that were looked at, and how many have as many fields.
    seen: usize,
    alike: usize,
}

impl Titles {
    pub(super) fn why(&self, lines: usize) -> String {
        let (what, verb) = match lines {
            1 => ("line".to_owned(), "is no record"),
            _ => (format!("{lines} lines"), "are no records"),
        };
        format!(
            "the first {what} {verb}: of the {} records after line {}, {} have {} fields",
            self.seen,
            lines + 1,
            self.alike,
            self.fields
        )
    }

    /// Why the delimiter is the one it is.
    pub(super) fn divides(&self) -> String {
        format!(
            "it divides {} of the {} records below the titles into {} fields",
            self.alike, self.seen, self.fields
        )
    }
}

/// One record of the sample.
#[derive(Debug, Clone, Copy)]
struct Shape {
    start: usize,
    fields: usize,
    filled: usize,
    /// Whether an empty line stands before it.
    is_apart: bool,
    /// Whether the first filled cell is a number, as in no header.
    is_numbered: bool,
}

impl Shape {
    /// Whether it may stand above a header of so many fields.
    fn is_title(&self, fields: usize) -> bool {
        self.filled <= 1 && (self.fields != fields || fields > 2)
    }
}

/// The header below titles; none where the first record is the header, or nothing is certain.
pub(super) fn find(
    sample: &[u8],
    is_whole: bool,
    dialect: Dialect,
    is_declared: bool,
) -> Option<Titles> {
    let declared = [dialect.delimiter];
    let delimiters = match is_declared {
        true => &declared[..],
        false => &CANDIDATES[..],
    };
    let found = delimiters.iter().filter_map(|&delimiter| {
        let dialect = Dialect {
            delimiter,
            ..dialect
        };
        let mut shapes = shapes(sample, dialect);
        if !is_whole {
            // The last record of a sample may be cut off.
            shapes.pop();
        }
        let (titles, header) = below_titles(&shapes, delimiter)?;
        // Where titles are filled up to the header's length, taking the first for the header loses no record: numbers must tell. Nor
        // are the commas in the texts or numbers of a single column fields.
        let is_padded = shapes.first()?.fields == titles.fields;
        let is_told = match (is_padded, delimiter) {
            (true, _) => false,
            (_, b',') => header.is_apart || has_bare_commas(&sample[titles.start..], dialect),
            _ => true,
        };
        (is_told || names_numbers(&sample[titles.start..], dialect)).then_some(titles)
    });
    // Of two that fit, the one that divides more; earlier ones win.
    found.reduce(
        |best, other| match (other.alike, other.fields) > (best.alike, best.fields) {
            true => other,
            false => best,
        },
    )
}

fn shapes(sample: &[u8], dialect: Dialect) -> Vec<Shape> {
    let mut records = Records::new(dialect);
    let mut shapes = Vec::new();
    let mut at = 0;
    while shapes.len() < SAMPLE_RECORDS
        && let Some(range) = records.next(&sample[at..])
    {
        let is_filled = |field: &&[u8]| !field.trim_ascii().is_empty();
        let first = records.fields().find(is_filled).unwrap_or_default();
        let gap = &sample[at..at + range.start];
        let is_new_line = sample[..at].ends_with(b"\r") && gap.starts_with(b"\n");
        shapes.push(Shape {
            start: at + range.start,
            is_apart: gap.len() > usize::from(is_new_line),
            fields: records.len(),
            filled: records.fields().filter(is_filled).count(),
            is_numbered: is_number(first),
        });
        at += range.end;
    }
    shapes
}

/// Whether a name, or a year, stands above numbers in some column.
fn names_numbers(sample: &[u8], dialect: Dialect) -> bool {
    let mut records = Records::new(dialect);
    let Some(header) = records.next(sample) else {
        return false;
    };
    let names: Vec<Vec<u8>> = records.fields().map(<[u8]>::to_vec).collect();
    let mut numbers = vec![0; names.len()];
    let (mut at, mut seen) = (header.end, 0);
    while seen < SAMPLE_RECORDS
        && let Some(range) = records.next(&sample[at..])
    {
        for (count, field) in numbers.iter_mut().zip(records.fields()) {
            *count += usize::from(is_number(field) && !is_year(field));
        }
        at += range.end;
        seen += 1;
    }
    let mut columns = names.iter().zip(numbers);
    columns.any(|(name, count)| (is_year(name) || !is_number(name)) && count * 2 > seen)
}

/// Whether commas stand in the records otherwise than in prose and numbers.
fn has_bare_commas(sample: &[u8], dialect: Dialect) -> bool {
    let mut records = Records::new(dialect);
    let mut standing = Standing::default();
    let (mut at, mut seen) = (0, 0);
    while seen < SAMPLE_RECORDS
        && let Some(range) = records.next(&sample[at..])
    {
        standing.add(&sample[at..][range.clone()], dialect);
        at += range.end;
        seen += 1;
    }
    standing.is_bare()
}

/// Whether a cell holds digits, and beside them only what numbers have.
pub(crate) fn is_number(field: &[u8]) -> bool {
    let mut letters = field.trim_ascii().iter();
    field.iter().any(u8::is_ascii_digit)
        && letters.all(|letter| letter.is_ascii_digit() || b" .,-+%".contains(letter))
}

/// Whether a cell may be a year.
pub(crate) fn is_year(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    field.len() == 4
        && field.iter().all(u8::is_ascii_digit)
        && (field.starts_with(b"19") || field.starts_with(b"20"))
}

/// Titles, and the header below them.
fn below_titles(shapes: &[Shape], delimiter: u8) -> Option<(Titles, Shape)> {
    let first = shapes.first()?;
    let header = shapes.iter().position(|shape| shape.filled > 1)?;
    let (shape, records) = (shapes[header], &shapes[header + 1..]);
    let records = without_notes(records, |record| record.fields == 1);
    let titles = &shapes[..header];
    let fields = shape.fields;
    if titles.is_empty() || !titles.iter().all(|title| title.is_title(fields)) {
        return None;
    }
    // A banner over several columns is no header, and neither is a record with gaps or one that begins with a number.
    if shape.filled + 1 < fields || shape.is_numbered || records.len() < RECORDS_MIN {
        return None;
    }
    let alike = records
        .iter()
        .filter(|record| record.fields == fields)
        .count();
    let as_first = records
        .iter()
        .filter(|record| record.fields == first.fields)
        .count();
    let is_certain = alike * 10 >= records.len() * 9 && (as_first == 0 || first.fields == fields);
    let titles = Titles {
        start: shape.start,
        delimiter,
        fields,
        seen: records.len(),
        alike,
    };
    is_certain.then_some((titles, shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sample: &str, expected: Option<&str>) {
        let dialect = Dialect {
            delimiter: b',',
            quote: Some(b'"'),
            comment: None,
        };
        let found = find(sample.as_bytes(), true, dialect, false);
        let header = found.map(|titles| sample[titles.start..].lines().next().unwrap_or_default());
        assert_eq!(header, expected, "{sample}");
    }

    #[test]
    fn titles_are_told_only_where_nothing_else_fits() {
        let data = "1,2,3\n4,5,6\n7,8,9\n";
        check(&format!("Title\n\nYear,a,b\n{data}"), Some("Year,a,b"));
        check(&format!("Title,,\n,,\nYear,a,b\n{data}"), Some("Year,a,b"));
        check(
            &format!("\"Title, long\"\nunit\n,a,b\n{data}"),
            Some(",a,b"),
        );
        check("Title\n\nx;y\n1,5;2\n3;4,5\n5;6\n", Some("x;y"));
        // The usual.
        check(&format!("Year,a,b\n{data}"), None);
        check("a\n1\n2\n3\n4\n", None);
        check("a,b\n1,\n2,\n3,4\n5,6\n", None);
        // Not certain: commas in the title, a banner, too few records, a title that records look like.
        check(&format!("Title, in 2024\nYear,a,b\n{data}"), None);
        check(&format!("Title\nYear,a,\n,x,y\n{data}"), Some("Year,a,"));
        check(&format!("Title\n,2023,,2024,\nYear,a,b,a,b\n{data}"), None);
        check("Title\nYear,a,b\n1,2,3\n", None);
        check("a\n1\n2\nx,y\n3\n4\n", None);
        check("name,,\nAn,x,y\nBình,z,u\nChi,v,w\nDu,r,s\n", None);
        check(",Hà Nội,,\n001,A,B,\n002,C,D,\n003,E,F,\n004,G,H,\n", None);
        check("", None);
        // The texts of a single column have commas too.
        check("ten\nHà Nội, VN\nHuế, VN\nVinh, VN\nĐà Lạt, VN\n", None);
        check("gia\nx 1,5\nx 2,5\nx 3,5\nx 4,5\n", None);
    }

    #[test]
    fn notes_below_are_no_doubt() {
        let text = "BÁO CÁO SỐ LIỆU\nNgày 1/1/2024\n\nid;ten;n\n1;a;1\n2;b;2\nid;ten;n\n3;c;3\nTổng;;6\nNguồn: Sở\n";
        check(text, Some("id;ten;n"));
        check(&text.replace('\n', "\r\n"), Some("id;ten;n"));
    }
}
