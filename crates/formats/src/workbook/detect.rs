//! Which row is the header, where none is declared: only when it is certain.

use std::collections::BTreeMap;

use crate::workbook::headings;
use crate::workbook::layout::{HeadRow, Merged};

/// A header that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) rows: Vec<u32>,
    pub(crate) why: String,
}

/// Why no row is the header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsure {
    /// There is no table.
    Table(&'static str),
    /// There is one, whose header is not certain.
    Header(String),
}

/// How many rows hold something in each column.
#[derive(Debug)]
pub(crate) struct Used {
    columns: BTreeMap<u32, usize>,
    rows: usize,
}

impl Used {
    pub(crate) fn of(rows: &[&HeadRow]) -> Self {
        let mut columns = BTreeMap::new();
        for cell in rows.iter().flat_map(|row| &row.cells) {
            *columns.entry(cell.column).or_default() += 1;
        }
        Self {
            columns,
            rows: rows.len(),
        }
    }

    /// Columns that a `share`th of the rows or more hold something in.
    pub(crate) fn by(&self, share: usize) -> Vec<u32> {
        self.columns
            .iter()
            .filter(|(_, count)| **count * share >= self.rows)
            .map(|(column, _)| *column)
            .collect()
    }

    /// The columns from the first to one past the last that have a header, or that most rows of data fill.
    pub(crate) fn extent(&self, titles: &[&HeadRow], header: &[u32]) -> Option<(u32, u32)> {
        let named = titles
            .iter()
            .filter(|row| header.contains(&row.number))
            .flat_map(|row| &row.cells)
            .map(|cell| cell.column);
        let filled = self.by(2);
        let all = || named.clone().chain(filled.iter().copied());
        Some((all().min()?, all().max()? + 1))
    }
}

/// Columns of so many in use that a header may leave without a name.
pub(crate) fn missing_max(used: usize) -> usize {
    match used {
        0..3 => 0,
        used => (used / 10).max(1),
    }
}

/// The header: as merged cells tell it, else the first row that names the columns that are used (all but a tenth of them, and at least
/// all but one), mostly in words, with data right below it. A row of units below it is passed over.
///
/// # Errors
/// Why no row is certain to be it.
pub(crate) fn header(
    rows: &[HeadRow],
    units: Option<u32>,
    merged: &[Merged],
) -> Result<Found, Unsure> {
    if let Some(found) = headings::merged(rows, merged) {
        return Ok(found);
    }
    let all: Vec<&HeadRow> = rows.iter().collect();
    let used = Used::of(&all).by(4);
    let few = Used::of(&all).columns.len();
    let [first, ..] = rows else {
        return Err(Unsure::Table("it is empty"));
    };
    if few == 1 && all.len() == 1 {
        return Err(Unsure::Table("it holds a single cell"));
    }
    if few == 1 {
        return Ok(Found {
            rows: vec![first.number],
            why: "the first row that is not empty; there is one column".to_owned(),
        });
    }
    if used.len() < 2 {
        return Err(Unsure::Table("most of its rows hold a single cell"));
    }
    if let Some(found) = naming(rows, units, &used) {
        return Ok(found);
    }
    let likely = headings::likely(rows, merged)
        .map_or_else(String::new, |likely| format!("; likely is `{likely}`"));
    Err(Unsure::Header(format!(
        "no row is sure to be the header: none names the columns with data right below it; say `header_rows`{likely}"
    )))
}

/// The first row that names the columns that are used, where it is certain.
fn naming(rows: &[HeadRow], units: Option<u32>, used: &[u32]) -> Option<Found> {
    let missing = missing_max(used.len());
    for (index, row) in rows.iter().enumerate() {
        let named = row
            .cells
            .iter()
            .filter(|cell| used.contains(&cell.column))
            .count();
        // Nothing above it could be the header: most of the names are enough.
        let is_first = index == 0 && named * 3 >= used.len() * 2;
        if named + missing < used.len() && !is_first {
            continue;
        }
        let words = row.cells.iter().filter(|cell| !cell.is_number).count();
        let next = rows.get(index + 1).map(|next| next.number);
        let below = next.is_none_or(|next| next == row.number + 1 || Some(row.number + 1) == units);
        let is_certain = is_first || (words * 2 > row.cells.len() && below);
        let why = match is_first {
            true => "the first row that is not empty, and it names the columns".to_owned(),
            false => format!(
                "the first row that names {named} of {} used columns",
                used.len()
            ),
        };
        return is_certain.then(|| Found {
            rows: vec![row.number],
            why,
        });
    }
    None
}
