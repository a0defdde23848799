//! Cells that take the value of the row above: where cells are merged downwards, and in columns that say so.

use std::collections::BTreeMap;

use crate::workbook::batch::{Building, Taken};
use crate::workbook::layout::Layout;
use crate::workbook::row::Row;
use crate::workbook::strings::Strings;

/// What columns held last. Rows must come in order.
#[derive(Debug, Default)]
pub(crate) struct Filling {
    /// By column of the sheet.
    last: BTreeMap<u32, String>,
    /// Columns that are merged downwards just now: up to which row, and what they hold.
    open: BTreeMap<u32, (u32, String)>,
    /// The next merged area.
    next: usize,
}

impl Filling {
    /// Fills a row and puts it into the batch.
    pub(crate) fn push(&mut self, batch: &mut Building<'_>, row: &mut Row) -> Taken {
        let layout = batch.layout();
        if layout.fills() && row.number >= layout.data_from && !row.is_empty() {
            self.fill(layout, row, batch.shared());
        }
        batch.push(row)
    }

    fn fill(&mut self, layout: &Layout, row: &mut Row, strings: &Strings) {
        let own: BTreeMap<u32, String> = row
            .cells()
            .iter()
            .filter(|cell| layout.is_filled(cell.column))
            .map(|cell| (cell.column, row.text_of(cell.place, strings).to_owned()))
            .collect();
        self.open.retain(|_, (until, _)| *until >= row.number);
        while let Some(area) = layout
            .merged
            .get(self.next)
            .filter(|area| area.rows.0 <= row.number)
        {
            self.next += 1;
            // A merged cell whose first row is empty has nothing to give.
            if area.rows.0 == row.number
                && let Some(text) = own.get(&area.columns.0)
            {
                self.open
                    .insert(area.columns.0, (area.rows.1, text.clone()));
            }
        }
        for (column, (_, text)) in &self.open {
            if !own.contains_key(column) {
                row.push_text(*column, text);
            }
        }
        for column in &layout.fill_down {
            match own.get(column) {
                Some(text) => drop(self.last.insert(*column, text.clone())),
                None if self.open.contains_key(column) => {}
                None => {
                    if let Some(text) = self.last.get(column) {
                        row.push_text(*column, text);
                    }
                }
            }
        }
    }
}
