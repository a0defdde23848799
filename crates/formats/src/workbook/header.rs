//! What the rows of a header say of each column.

use crate::composed::composed;
use crate::workbook::layout::{HeadRow, Merged, Plan};

/// The header's names: what its rows say of each column, joined with spaces. A merged cell speaks for every column it covers, and
/// once for all rows it covers.
pub(crate) fn names(plan: &Plan, rows: &[HeadRow], merged: &[Merged]) -> Vec<String> {
    let mut names: Vec<Vec<String>> = (plan.columns.0..plan.columns.1)
        .map(|_| Vec::new())
        .collect();
    for &row in &plan.header {
        for (column, (text, name)) in (plan.columns.0..).zip(
            spread(row, plan.columns, rows, merged)
                .into_iter()
                .zip(&mut names),
        ) {
            let said = covering(row, column, merged).is_some_and(|area| {
                plan.header
                    .iter()
                    .any(|above| *above < row && (area.rows.0..row).contains(above))
            });
            if !text.is_empty() && !said {
                name.push(text);
            }
        }
    }
    names.into_iter().map(|parts| parts.join(" ")).collect()
}

/// What a row says of each column, with merged cells spread over all they cover.
pub(crate) fn spread(
    row: u32,
    columns: (u32, u32),
    rows: &[HeadRow],
    merged: &[Merged],
) -> Vec<String> {
    let cell = |row: u32, column: u32| {
        let row = rows.iter().find(|found| found.number == row)?;
        row.cells.iter().find(|cell| cell.column == column)
    };
    let text = |column: u32| {
        let (row, column) = covering(row, column, merged)
            .map_or((row, column), |area| (area.rows.0, area.columns.0));
        cell(row, column)
            .map(|cell| {
                let words: Vec<&str> = cell.text.split_whitespace().collect();
                composed(&words.join(" ")).into_owned()
            })
            .unwrap_or_default()
    };
    (columns.0..columns.1).map(text).collect()
}

fn covering(row: u32, column: u32, merged: &[Merged]) -> Option<Merged> {
    let covers = |area: &&Merged| {
        (area.rows.0..=area.rows.1).contains(&row)
            && (area.columns.0..=area.columns.1).contains(&column)
    };
    merged.iter().find(covers).copied()
}
