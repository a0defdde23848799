//! Tables whose first line is data.

use crate::csv::{Dialect, Records, certain_delimiter, is_number, is_year};

/// Records that are looked at, the first among them.
const RECORDS_MAX: usize = 64;
/// Records from which on a table that says nothing of its first line is taken to have a header, as nearly all have.
const RECORDS_SURE: usize = 4;

/// What the first record is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First {
    /// The columns' names.
    Header,
    /// A record like those below it, and why.
    Data(String),
    /// Nothing tells; why it may be data.
    Unsure(String),
}

/// What the first record of delimited text is.
pub(super) fn find(text: &[u8]) -> First {
    let delimiter = certain_delimiter(text, None);
    let dialect = Dialect {
        delimiter: delimiter.unwrap_or(b','),
        quote: Some(b'"'),
        comment: None,
    };
    let mut records = Records::new(dialect);
    let mut rows: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut at = 0;
    while rows.len() < RECORDS_MAX
        && let Some(range) = records.next(&text[at..])
    {
        rows.push(records.fields().map(<[u8]>::to_vec).collect());
        at += range.end;
    }
    let first = match rows.as_slice() {
        [first, below @ ..] => judge(first, below),
        [] => First::Header,
    };
    // Without a delimiter it is one column, or no table: only what is sure counts.
    let is_column = rows.iter().all(|row| row.len() == 1);
    match (delimiter, first) {
        (None, First::Data(why)) if is_column => First::Data(why),
        (None, _) => First::Header,
        (Some(_), first) => first,
    }
}

/// What the first row is, beside those below it.
pub(super) fn judge<C: AsRef<[u8]>>(first: &[C], below: &[Vec<C>]) -> First {
    let cells: Vec<&[u8]> = first
        .iter()
        .map(|cell| cell.as_ref().trim_ascii())
        .collect();
    let columns = cells.len();
    if columns == 0 || counts_on(&cells) {
        return First::Header;
    }
    if below.is_empty() {
        return alone(&cells);
    }
    let signs: Vec<Sign> = (0..columns).map(|at| Sign::of(&cells, at, below)).collect();
    let count = |wanted: Sign| signs.iter().filter(|sign| **sign == wanted).count();
    let (sure, alike) = (count(Sign::Shape), count(Sign::Shape) + count(Sign::Alike));
    if count(Sign::Named) > 0 {
        return First::Header;
    }
    let what = "the first record is like those below it";
    if sure > 0 {
        return First::Data(format!(
            "{what}: digits, dates or codes of the same shape stand in the same {sure} of its {columns} columns; not certain"
        ));
    }
    if alike * 2 >= columns {
        return First::Data(format!(
            "{what}: the same kinds of values stand in the same {alike} of its {columns} columns; not certain"
        ));
    }
    let mend = "if it is data, write header_rows: [] (the columns are then column_1, column_2, …)";
    if alike > 0 {
        return First::Unsure(format!(
            "the first record may be data: {alike} of its {columns} columns are like those below, the others say nothing; not certain: {mend}"
        ));
    }
    if below.len() + 1 < RECORDS_SURE {
        return First::Unsure(format!(
            "the first of {} records is taken for the header, though all is text and nothing tells; not certain: {mend}",
            below.len() + 1
        ));
    }
    First::Header
}

/// Of a table of one record.
fn alone(cells: &[&[u8]]) -> First {
    let values = cells
        .iter()
        .filter(|cell| Kind::of(cell).is_value())
        .count();
    let columns = cells.len();
    if values == 0 {
        First::Header
    } else if values * 2 >= columns {
        First::Data(format!(
            "there is one record, and {values} of its {columns} columns hold values; not certain"
        ))
    } else {
        First::Unsure(format!(
            "there is one record, and {values} of its {columns} columns hold values; not certain: if it is data, write header_rows: []"
        ))
    }
}

/// What one column says of its first cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// It names the column: there are values below it, and it is none of their kind.
    Named,
    /// It has the very shape of the values below it, as no name would have by chance.
    Shape,
    /// It is of the kind of the values below it, or one of them.
    Alike,
    /// Nothing.
    None,
}

impl Sign {
    fn of<C: AsRef<[u8]>>(cells: &[&[u8]], at: usize, below: &[Vec<C>]) -> Self {
        let (cell, kind) = (cells[at], Kind::of(cells[at]));
        let (mut filled, mut values, mut same, mut shaped, mut recurs) = (0, 0, 0, 0, false);
        for row in below {
            let found = row
                .get(at)
                .map_or(&b""[..], |cell| cell.as_ref().trim_ascii());
            if found.is_empty() {
                continue;
            }
            let theirs = Kind::of(found);
            filled += 1;
            // A year counts on neither side: it is a value below, and a name above.
            values += usize::from(theirs.is_value() || theirs == Kind::Year);
            same += usize::from(kind.is_value() && kind.is_like(theirs));
            shaped += usize::from(is_same_shape(cell, found));
            // A header that is repeated is repeated whole.
            let is_repeated = cells
                .iter()
                .zip(row)
                .all(|(cell, theirs)| *cell == theirs.as_ref().trim_ascii());
            recurs |= found == cell && !is_repeated;
        }
        let most = |count: usize| filled > 0 && count * 10 >= filled * 9;
        if (kind.tells() && most(shaped)) || (kind == Kind::Date && most(same)) {
            Self::Shape
        } else if most(same) || (recurs && !cell.is_empty()) {
            Self::Alike
        } else if values * 2 > below.len() && same * 2 <= values {
            Self::Named
        } else {
            Self::None
        }
    }
}

/// The kind of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Digits that begin with a zero.
    Padded,
    /// A date, perhaps with a time.
    Date,
    Number,
    /// It names columns as often as it is a value.
    Year,
    /// Letters and digits without a blank.
    Code,
    Text,
}

impl Kind {
    fn of(cell: &[u8]) -> Self {
        let is_digits = !cell.is_empty() && cell.iter().all(u8::is_ascii_digit);
        if is_year(cell) {
            Self::Year
        } else if is_digits && cell.len() > 1 && cell[0] == b'0' {
            Self::Padded
        } else if is_date(cell) {
            Self::Date
        } else if is_number(cell) {
            Self::Number
        } else if cell.len() > 3
            && cell.iter().filter(|byte| byte.is_ascii_digit()).count() > 1
            && cell
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(byte))
        {
            Self::Code
        } else {
            Self::Text
        }
    }

    fn is_value(self) -> bool {
        matches!(self, Self::Padded | Self::Date | Self::Number)
    }

    fn is_like(self, other: Self) -> bool {
        match self {
            Self::Padded | Self::Number => {
                matches!(other, Self::Padded | Self::Number | Self::Year)
            }
            _ => self == other,
        }
    }

    /// Whether its shape says that it is data, where those below have the same.
    fn tells(self) -> bool {
        matches!(self, Self::Padded | Self::Code)
    }
}

/// Whether digits and letters stand in the same places of both.
fn is_same_shape(left: &[u8], right: &[u8]) -> bool {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => b'0',
        b'A'..=b'Z' => b'A',
        b'a'..=b'z' => b'a',
        other => other,
    };
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| class(*left) == class(*right))
}

/// Whether it begins with three numbers as dates have them.
fn is_date(cell: &[u8]) -> bool {
    let date = cell
        .split(|byte| matches!(byte, b' ' | b'T'))
        .next()
        .unwrap_or_default();
    let Some(mark) = date.iter().find(|byte| b"-/.".contains(byte)) else {
        return false;
    };
    let numbers: Vec<&[u8]> = date.split(|byte| byte == mark).collect();
    let is_digits =
        |number: &&[u8]| matches!(number.len(), 1 | 2 | 4) && number.iter().all(u8::is_ascii_digit);
    numbers.len() == 3
        && numbers.iter().all(is_digits)
        && numbers.iter().filter(|number| number.len() == 4).count() < 2
        && numbers[1].len() < 4
}

/// Whether the numbers count on by one from column to column, as hours, months or ages name columns.
fn counts_on(cells: &[&[u8]]) -> bool {
    let number = |cell: &&[u8]| std::str::from_utf8(cell).ok()?.parse::<u64>().ok();
    let numbers: Vec<u64> = cells.iter().filter_map(number).collect();
    numbers.len() > 1
        && numbers
            .windows(2)
            .all(|pair| pair[1] == pair[0].wrapping_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match find(text.as_bytes()) {
            First::Header => "header",
            First::Data(_) => "data",
            First::Unsure(_) => "unsure",
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn a_handful_of_lines() {
        for text in [
            "001,Hồng Bàng,1200\n002,Lê Chân,3400\n003,Kiến An,560\n",
            "001,Hồng Bàng,1200\n002,Lê Chân,3400\n",
            "001,Hồng Bàng,1200\n",
            "001,a\n002,b\n",
            "HP-001;Hồng Bàng;x;y\nHP-002;Lê Chân;z;y\n",
            "a,03/04/2024,b,c\nd,13/04/2024,e,f\n",
            "001,a,b,c,d\n002,e,f,g,h\n003,i,j,k,l\n",
            "001\n002\n003\n",
            "12,a\n7,b\n9,c\n4,d\n",
        ] {
            check(text, "data");
        }
        for text in ["a,b\nc,d\n", "a,b\nc,d\ne,f\n", "12,a,b\n7,b,c\n9,d,e\n"] {
            check(text, "unsure");
        }
        for text in [
            "id,ten,n\n001,a,1\n",
            "id,ten,n\n",
            "mã,tên\n001,a\n002,b\n",
            "tỉnh,2022,2023\na,1,2\nb,3,4\n",
            "tỉnh,1,2\na,1,2\nb,3,4\nc,5,6\n",
            "ngày,giá\n2024-01-01,5\n",
            "a,b\nc,d\ne,f\ng,h\n",
            "trạm,2024-01-01,2024-01-02\na,5,6\nb,7,8\n",
            "PM2.5,PM10\n12,30\n15,31\n",
            "BÁO CÁO\nid;n\n1;2\n",
        ] {
            check(text, "header");
        }
    }

    #[test]
    fn dates_are_no_decimals() {
        for (cell, is) in [
            ("2024-01-01", true),
            ("3/4/2024", true),
            ("01.02.24 10:00", true),
            ("1.234.567", false),
            ("1-2", false),
            ("2024-2025-1", false),
        ] {
            assert_eq!(is_date(cell.as_bytes()), is, "{cell}");
        }
    }
}
