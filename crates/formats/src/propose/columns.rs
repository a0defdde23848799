//! Columns that are padded with blanks: text of fixed width that nobody declared.
//!
//! A column ends where every line has a blank. Two such places side by side are no chance; a single one is none where values begin
//! right after it in nearly all of many lines.

use super::headless::{self, First};
use crate::spec::{FixedColumn, FixedFormat};

/// Lines that are looked at.
const LINES_MAX: usize = 10_000;
/// Lines of a table, the header among them, at least.
const LINES_MIN: usize = 4;
/// Lines from which on one blank alone may end a column.
const LINES_OF_ONE_BLANK: usize = 8;
/// Lines that may stand above the header.
const TITLES_MAX: usize = 5;
/// Characters that are looked at in a line.
const WIDTH_MAX: usize = 4096;
/// Characters that the last column gets beyond what was seen, where not all was.
const BEYOND: usize = 100;

/// What the blanks of a text say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Padded {
    /// It has columns of fixed width.
    Columns {
        format: FixedFormat,
        why: String,
        /// Why the first line may be otherwise than it was taken.
        first: Option<String>,
    },
    /// It looks so, but no columns were found.
    Perhaps(String),
}

/// What the blanks of a text say; none where they say nothing. `is_whole` where the text does not go on.
pub(super) fn find(text: &[u8], is_whole: bool) -> Option<Padded> {
    let text = std::str::from_utf8(text).ok().or_else(|| {
        let valid = std::str::from_utf8(text).err()?.valid_up_to();
        std::str::from_utf8(text.get(..valid)?).ok()
    })?;
    let lines = lines(text, is_whole);
    if lines.len() < LINES_MIN || !is_padded(&lines) {
        return None;
    }
    for first in 0..=TITLES_MAX.min(lines.len() - LINES_MIN) {
        if let Some(found) = table(&lines[first..], is_whole && lines.len() < LINES_MAX) {
            return Some(found);
        }
    }
    Some(Padded::Perhaps(
        "most lines are padded with blanks inside, as text of fixed width is, but no columns were found that all lines keep to; not \
         certain: if it is, declare format: { name: fixed, columns: [{ name: …, start: 1, width: … }] }"
            .to_owned(),
    ))
}

/// A line that is not empty, and how many lines stand before it.
struct Line {
    letters: Vec<char>,
    before: usize,
}

impl Line {
    /// Whether there is a blank, or nothing any more.
    fn is_blank(&self, at: usize) -> bool {
        self.letters.get(at).is_none_or(|letter| *letter == ' ')
    }

    fn cell(&self, from: usize, to: usize) -> String {
        let end = to.min(self.letters.len());
        let letters = self.letters.get(from.min(end)..end).unwrap_or_default();
        letters.iter().collect::<String>().trim().to_owned()
    }

    /// Whether it underlines the header.
    fn is_rule(&self) -> bool {
        self.letters.iter().all(|letter| "-=_ ".contains(*letter))
    }
}

fn lines(text: &str, is_whole: bool) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut all: Vec<&str> = text.split('\n').collect();
    // The last line is empty, or perhaps cut off.
    let last = all.pop().filter(|last| is_whole && !last.is_empty());
    all.extend(last);
    let numbered = all.into_iter().enumerate().map(|(before, line)| Line {
        letters: line.trim_end().chars().take(WIDTH_MAX).collect(),
        before,
    });
    let filled = numbered.filter(|line| !line.letters.is_empty());
    filled.take(LINES_MAX).collect()
}

/// Whether four of five lines hold blanks side by side between other letters, and no tab.
fn is_padded(lines: &[Line]) -> bool {
    let is_padded = |line: &&Line| {
        let text = &line.letters;
        let start = text
            .iter()
            .position(|letter| *letter != ' ')
            .unwrap_or_default();
        text[start..].windows(2).any(|pair| pair == [' ', ' '])
    };
    let has_tab = lines.iter().any(|line| line.letters.contains(&'\t'));
    !has_tab && lines.iter().filter(is_padded).count() * 5 >= lines.len() * 4
}

/// The table whose header, or first record, is the first of the lines.
fn table(lines: &[Line], is_whole: bool) -> Option<Padded> {
    let rules = lines[1..].iter().take_while(|line| line.is_rule()).count();
    let records: Vec<&Line> = lines.iter().filter(|line| !line.is_rule()).collect();
    if records.len() < LINES_MIN - 1 {
        return None;
    }
    let spans = spans(&records)?;
    let rows: Vec<Vec<String>> = records
        .iter()
        .map(|line| {
            spans
                .iter()
                .map(|(from, to)| line.cell(*from, *to))
                .collect()
        })
        .collect();
    // A note or prose fills no columns, and a title not each of them.
    let filled = |row: &[String]| row.iter().filter(|cell| !cell.is_empty()).count();
    let (first, below) = rows.split_first()?;
    if rows.iter().any(|row| filled(row) * 2 < row.len()) {
        return None;
    }
    let (names, told) = match headless::judge(first, below) {
        _ if rules > 0 => (Some(first), None),
        First::Header => (Some(first), None),
        First::Unsure(why) => (Some(first), Some(why)),
        First::Data(why) => (None, Some(why)),
    };
    if names.is_some_and(|names| filled(names) < names.len()) {
        return None;
    }
    let start = match names {
        Some(_) => lines[rules].before + 1,
        None => lines[0].before,
    };
    let count = spans.len();
    let columns = columns(&spans, names, is_whole);
    Some(Padded::Columns {
        format: FixedFormat {
            columns,
            skip_rows: (start > 0).then_some(start),
            ..FixedFormat::default()
        },
        why: format!(
            "no delimiter divides it, and blanks stand in the same places of all of the {} lines that were looked at, between {count} columns; not certain",
            records.len()
        ),
        first: told,
    })
}

/// A column for each span; the last one takes what is longer in lines that were not seen.
fn columns(
    spans: &[(usize, usize)],
    names: Option<&Vec<String>>,
    is_whole: bool,
) -> Vec<FixedColumn> {
    let columns = spans.iter().enumerate().map(|(at, (from, to))| {
        let name = names.map_or("", |names| names[at].as_str());
        let beyond = if at + 1 == spans.len() && !is_whole {
            BEYOND
        } else {
            0
        };
        FixedColumn {
            name: name.to_owned(),
            start: from + 1,
            width: to - from + beyond,
        }
    });
    let mut columns: Vec<FixedColumn> = columns.collect();
    name(&mut columns);
    columns
}

/// Names for columns that have none, or another's.
fn name(columns: &mut [FixedColumn]) {
    for at in 0..columns.len() {
        let is_taken = columns[..at]
            .iter()
            .any(|other| other.name == columns[at].name);
        if columns[at].name.is_empty() {
            columns[at].name = format!("column_{}", at + 1);
        } else if is_taken {
            columns[at].name = format!("{}_{}", columns[at].name, at + 1);
        }
    }
}

/// Where the columns begin and end, counted from 0; none where there is only one. What lies between two belongs to the one on the left,
/// unless the one on the right is filled from its end, as numbers are.
fn spans(lines: &[&Line]) -> Option<Vec<(usize, usize)>> {
    let width = lines.iter().map(|line| line.letters.len()).max()?;
    let mut filled = vec![0_usize; width];
    for line in lines {
        for (at, count) in filled.iter_mut().enumerate() {
            *count += usize::from(!line.is_blank(at));
        }
    }
    let mut inner: Vec<(usize, usize)> = Vec::new();
    let (mut has_wide_gap, mut at) = (false, 0);
    while at < width {
        let gap = filled[at..].iter().take_while(|count| **count == 0).count();
        let start = at + gap;
        let length = filled[start..]
            .iter()
            .take_while(|count| **count > 0)
            .count();
        let end = start + length;
        let begins_here = || filled[start] * 10 >= lines.len() * 8;
        let is_end = gap > 1 || (lines.len() >= LINES_OF_ONE_BLANK && begins_here());
        match inner.last_mut() {
            Some(last) if !is_end => last.1 = end,
            before => {
                has_wide_gap |= before.is_some() && gap > 1;
                inner.push((start, end));
            }
        }
        at = end;
    }
    if inner.len() < 2 || !has_wide_gap {
        return None;
    }
    let ends_alike = |(_, end): (usize, usize)| filled[end - 1] * 10 >= lines.len() * 8;
    let begins_alike = |(start, _): (usize, usize)| filled[start] * 10 >= lines.len() * 8;
    let mut spans = inner.clone();
    for at in 1..inner.len() {
        let (left, right) = (inner[at - 1], inner[at]);
        if ends_alike(right) && !begins_alike(right) && begins_alike(left) {
            spans[at].0 = left.1;
        } else {
            spans[at - 1].1 = right.0;
        }
    }
    spans[0].0 = 0;
    Some(spans)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn found(text: &str) -> Option<(Vec<(String, usize, usize)>, usize)> {
        match find(text.as_bytes(), true)? {
            Padded::Columns { format, .. } => {
                let columns = format.columns.into_iter();
                let columns = columns.map(|column| (column.name, column.start, column.width));
                Some((columns.collect(), format.skip_rows.unwrap_or_default()))
            }
            Padded::Perhaps(_) => None,
        }
    }

    fn check(text: &str, columns: &[(&str, usize, usize)], skipped: usize) {
        let columns = columns.iter();
        let columns = columns.map(|(name, start, width)| ((*name).to_owned(), *start, *width));
        assert_eq!(found(text).unwrap(), (columns.collect(), skipped), "{text}");
    }

    const TABLE: &str = "\
MA   TEN                 SO
001  Hồng Bàng         1200
002  Lê Chân            340
003  Kiến An             56
";

    #[test]
    fn columns_are_found_between_blanks() {
        let columns = [("MA", 1, 5), ("TEN", 6, 9), ("SO", 15, 13)];
        check(TABLE, &columns, 1);
        check(&format!("BẢNG SỐ LIỆU\n\n{TABLE}"), &columns, 3);
        let ruled = TABLE.replacen('\n', "\n---  ------------------  --\n", 1);
        check(&ruled, &columns, 2);
        let below = TABLE.split_once('\n').unwrap().1;
        let more = format!("{below}004  An Lão               7\n");
        let columns = [("column_1", 1, 5), ("column_2", 6, 9), ("column_3", 15, 13)];
        check(&more, &columns, 0);
        assert!(matches!(
            find(more.as_bytes(), true).unwrap(),
            Padded::Columns { first: Some(_), .. }
        ));
    }

    #[test]
    fn one_blank_ends_a_column_where_many_values_begin_after_it() {
        let mut text = "ID NAME       NOTE\n".to_owned();
        for (id, name) in (10..).zip([
            "Vinh Bao",
            "Hai An",
            "Do Son",
            "Kien Thuy",
            "An Duong",
            "Le",
            "Cat Hai",
            "Ngo Quyen",
        ]) {
            text += &format!("{id} {name:<10} x\n");
        }
        check(&text, &[("ID", 1, 3), ("NAME", 4, 11), ("NOTE", 15, 4)], 1);
    }

    #[test]
    fn prose_and_delimited_text_have_none() {
        for text in [
            "a b c\nd e f\ng h i\nj k l\n",
            "Some words  here.\nOther  words that go on\nand on  and on\nto the  end of the page\n",
            "id\tname  x\n1\ta  b\n2\tc  d\n3\te  f\n",
            "",
            "  \n   \n   \n  \n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
        let prose =
            "Some words  here.\nOther  words that go on\nand on  and on\nto the  end of the page\n";
        assert!(matches!(
            find(prose.as_bytes(), true),
            Some(Padded::Perhaps(_))
        ));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(bytes in proptest::collection::vec(proptest::sample::select(b"ab 01-\n\t\xC3\xA9".to_vec()), 0..300), is_whole in proptest::bool::ANY) {
            drop(find(&bytes, is_whole));
        }
    }
}
