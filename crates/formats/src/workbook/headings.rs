//! Headers of several rows: certain where merged cells tell, else likely.

use std::collections::BTreeSet;

use crate::workbook::detect::{Found, Used, missing_max};
use crate::workbook::layout::{HeadCell, HeadRow, Merged};
use crate::workbook::units;

/// Rows that a header has, at most.
const HEADER_ROWS_MAX: u32 = 6;
/// Rows from the top that may be a likely header.
const LIKELY_ROWS: usize = 30;

/// The header as merged cells tell it: in its first row some are merged down to its last, beside others that are merged across several
/// names; its rows hold words, and name the columns that are used below them.
pub(super) fn merged(rows: &[HeadRow], merged: &[Merged]) -> Option<Found> {
    rows.iter()
        .find_map(|row| from_row(row.number, rows, merged))
}

fn from_row(first: u32, rows: &[HeadRow], merged: &[Merged]) -> Option<Found> {
    let last = merged_down(first, rows, merged)?;
    let has_names = |area: &&Merged| {
        let below = rows
            .iter()
            .filter(|row| row.number > area.rows.1 && row.number <= last);
        let within = |cell: &&HeadCell| (area.columns.0..=area.columns.1).contains(&cell.column);
        below.flat_map(|row| &row.cells).filter(within).count() > 1
    };
    let is_across = |area: &&Merged| {
        area.rows.0 >= first && area.rows.1 < last && area.columns.1 > area.columns.0
    };
    let across = merged.iter().filter(is_across).filter(has_names).count();
    let header: Vec<&HeadRow> = rows
        .iter()
        .filter(|row| (first..=last).contains(&row.number))
        .collect();
    let is_words = header.iter().flat_map(|row| &row.cells).all(is_name);
    if across == 0 || !is_words {
        return None;
    }
    let below: Vec<&HeadRow> = rows.iter().filter(|row| row.number > last).collect();
    let used = Used::of(&below).by(4);
    let named = named(&header, merged);
    let missing = used.iter().filter(|column| !named.contains(column)).count();
    (used.len() > 1 && missing <= missing_max(used.len())).then(|| Found {
        rows: header.iter().map(|row| row.number).collect(),
        why: "cells are merged over these rows, beside names that are merged over several columns"
            .to_owned(),
    })
}

/// The last row that cells with a text are merged down to from this one.
fn merged_down(first: u32, rows: &[HeadRow], merged: &[Merged]) -> Option<u32> {
    let row = rows.iter().find(|row| row.number == first)?;
    let has_text = |area: &&Merged| row.cells.iter().any(|cell| cell.column == area.columns.0);
    let down = merged.iter().filter(|area| {
        area.rows.0 == first && (1..HEADER_ROWS_MAX).contains(&(area.rows.1 - area.rows.0))
    });
    down.filter(has_text).map(|area| area.rows.1).max()
}

/// The columns that a header names.
fn named(header: &[&HeadRow], merged: &[Merged]) -> BTreeSet<u32> {
    let spread = |(row, cell): (u32, &HeadCell)| {
        let covers = |area: &&Merged| area.rows.0 == row && area.columns.0 == cell.column;
        let area = merged.iter().find(covers);
        cell.column..=area.map_or(cell.column, |area| area.columns.1)
    };
    let cells = header
        .iter()
        .flat_map(|row| row.cells.iter().map(|cell| (row.number, cell)));
    cells.flat_map(spread).collect()
}

/// Whether a cell may name a column: words, or a year.
fn is_name(cell: &HeadCell) -> bool {
    let year = cell.text.trim().parse::<u32>();
    !cell.is_number || year.is_ok_and(|year| (1900..2100).contains(&year))
}

/// What the header may be where none is certain, for a message: as options.
pub(super) fn likely(rows: &[HeadRow], merged: &[Merged]) -> Option<String> {
    let top = &rows[..rows.len().min(LIKELY_ROWS)];
    let words = |row: &HeadRow| row.cells.iter().filter(|cell| !cell.is_number).count();
    let most = top.iter().map(words).max().filter(|most| *most > 1)?;
    let first = top.iter().position(|row| words(row) == most)?;
    let is_all_words = |row: &HeadRow| row.cells.iter().all(is_name);
    // A row of banners above has merged cells, or fewer names.
    let by_merged = top[..=first]
        .iter()
        .find_map(|row| Some((row.number, merged_down(row.number, rows, merged)?)));
    let header: Vec<u32> = match by_merged {
        Some((from, to)) => top
            .iter()
            .map(|row| row.number)
            .filter(|row| (from..=to).contains(row))
            .collect(),
        None => {
            let fills_gaps = |row: &&HeadRow| {
                row.number == top[first].number + 1
                    && is_all_words(row)
                    && units::below(rows, top[first].number) != Some(row.number)
                    && row.cells.iter().any(|cell| {
                        top[first]
                            .cells
                            .iter()
                            .all(|above| above.column != cell.column)
                    })
            };
            let second = top.get(first + 1).filter(fills_gaps);
            [Some(&top[first]), second]
                .into_iter()
                .flatten()
                .map(|row| row.number)
                .collect()
        }
    };
    let units = units::below(rows, *header.last()?)
        .map_or_else(String::new, |row| format!(", units_row: {row}"));
    Some(format!("header_rows: {header:?}{units}"))
}
