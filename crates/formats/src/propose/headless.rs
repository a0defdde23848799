//! Tables without a header.

use crate::csv::{Dialect, Records, certain_delimiter, is_number, is_year};

/// Records that are looked at, and how many there must be.
const RECORDS: std::ops::RangeInclusive<usize> = 4..=64;

/// Why the first record is data; none where it is a header, or nothing says so.
pub(super) fn find(text: &[u8]) -> Option<String> {
    let dialect = Dialect {
        delimiter: certain_delimiter(text, None)?,
        quote: Some(b'"'),
        comment: None,
    };
    let mut records = Records::new(dialect);
    let first = records.next(text)?;
    let cells: Vec<Vec<u8>> = records.fields().map(<[u8]>::to_vec).collect();
    let (mut at, mut seen) = (first.end, 1);
    let mut numbers = vec![0; cells.len()];
    while seen < *RECORDS.end()
        && let Some(range) = records.next(&text[at..])
    {
        for (count, field) in numbers.iter_mut().zip(records.fields()) {
            *count += usize::from(is_number(field));
        }
        at += range.end;
        seen += 1;
    }
    let below = seen - 1;
    let columns = || cells.iter().zip(&numbers);
    let is_value = |cell: &[u8]| is_number(cell) && !is_year(cell);
    let alike = columns().filter(|(cell, count)| is_value(cell) && **count * 10 >= below * 9);
    let alike = alike.count();
    let is_named = columns().any(|(cell, count)| !is_value(cell) && *count * 2 > below);
    if !RECORDS.contains(&seen) || is_named || alike * 2 < cells.len() || counts_on(&cells) {
        return None;
    }
    Some(format!(
        "the first record is like those below it: numbers stand in the same {alike} of its {} columns; not certain",
        cells.len()
    ))
}

/// Whether the numbers count on by one from column to column, as hours, months or ages name columns.
fn counts_on(cells: &[Vec<u8>]) -> bool {
    let number = |cell: &Vec<u8>| std::str::from_utf8(cell).ok()?.trim().parse::<u64>().ok();
    let numbers: Vec<u64> = cells.iter().filter_map(number).collect();
    numbers.len() > 1
        && numbers
            .windows(2)
            .all(|pair| pair[1] == pair[0].wrapping_add(1))
}
