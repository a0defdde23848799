//! Rows of a page as rows of a grid: a cell that spans stands in every column and row that it covers (HTML, 4.9.12.1 "Forming a table").

use std::collections::BTreeMap;

use crate::html::page::PageRow;
use crate::workbook::layout::Merged;
use crate::workbook::row::Row;

/// Columns of a grid.
const COLUMNS_MAX: u32 = 16_384;

/// What earlier rows leave to the ones below.
#[derive(Debug)]
pub(crate) struct Grid {
    number: u32,
    section: usize,
    /// Cells that reach down, by their first column.
    down: BTreeMap<u32, Down>,
    row_bytes_max: usize,
}

#[derive(Debug)]
struct Down {
    /// Rows that are left; none: all of the section.
    rows: Option<u32>,
    columns: u32,
    text: String,
}

impl Grid {
    pub(crate) fn new(row_bytes_max: usize) -> Self {
        Self {
            number: 0,
            section: 0,
            down: BTreeMap::new(),
            row_bytes_max,
        }
    }

    /// Fills `into` with the next row, and gives the areas that begin in it.
    pub(crate) fn spread(&mut self, row: &PageRow, into: &mut Row) -> Result<Vec<Merged>, String> {
        if row.section != self.section {
            self.down.clear();
            self.section = row.section;
        }
        self.number += 1;
        into.clear(self.number);
        let (mut merged, mut column, mut begun) = (Vec::new(), 0_u32, Vec::new());
        let above = std::mem::take(&mut self.down);
        let mut above = above.into_iter().peekable();
        let mut bytes = 0_usize;
        for cell in &row.cells {
            while let Some((at, down)) = above.next_if(|(at, _)| *at <= column) {
                column = column.max(at + down.columns);
                bytes += put(into, at, down.columns, &down.text);
                begun.push((at, down));
            }
            // A cell wider than the gap before one that reaches down overlaps it; the one from above stays, as browsers paint it.
            let columns = cell.columns.min(COLUMNS_MAX.saturating_sub(column));
            if columns == 0 {
                return Err(format!(
                    "row {} has more than {COLUMNS_MAX} columns",
                    self.number
                ));
            }
            bytes += put(into, column, columns, &cell.text);
            if bytes > self.row_bytes_max {
                return Err(format!(
                    "row {} is longer than {} bytes",
                    self.number, self.row_bytes_max
                ));
            }
            if cell.rows != 1 {
                begun.push((
                    column,
                    Down {
                        rows: (cell.rows > 0).then_some(cell.rows),
                        columns,
                        text: cell.text.clone(),
                    },
                ));
            }
            if cell.rows != 1 || columns > 1 {
                let last = self.number.saturating_add(cell.rows.max(1) - 1);
                merged.push(Merged {
                    rows: (self.number, last),
                    columns: (column, column + columns - 1),
                });
            }
            column += columns;
        }
        for (at, down) in above {
            put(into, at, down.columns, &down.text);
            begun.push((at, down));
        }
        self.carry(begun);
        Ok(merged)
    }

    /// Keeps what reaches into the next row.
    fn carry(&mut self, begun: Vec<(u32, Down)>) {
        for (at, mut down) in begun {
            down.rows = down.rows.map(|rows| rows - 1);
            if down.rows != Some(0) {
                self.down.insert(at, down);
            }
        }
    }
}

/// Puts a text into columns; gives the bytes that it takes in all of them.
fn put(into: &mut Row, column: u32, columns: u32, text: &str) -> usize {
    let is_number = text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b" .,-+%".contains(&byte));
    into.text().push_str(text);
    into.end_cell(column, is_number);
    if !text.is_empty() {
        for next in column + 1..column + columns {
            into.repeat(next);
        }
    }
    text.len() * columns as usize
}
