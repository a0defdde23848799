//! One row of a grid of cells: what every reader of sheets and tables fills, and every table is built of.

use crate::workbook::strings::Strings;

/// The cells of one row that hold something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// Its number in the sheet, from 1.
    pub(crate) number: u32,
    cells: Vec<Cell>,
    /// The text of all cells that is not shared.
    text: String,
    /// Where the cell begins that is being filled.
    start: usize,
    /// Cells without a value of their own, which formulas leave.
    faults: Vec<(u32, Fault)>,
}

/// A cell that holds something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// Its column, from 0.
    pub(crate) column: u32,
    /// Whether it holds a number or a date, which a header rarely does.
    pub(crate) is_number: bool,
    pub(crate) place: Place,
}

/// Where a cell's text stands.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// In the row's own text.
    Own(usize, usize),
    /// Among the workbook's shared texts.
    Shared(u32),
}

/// Why a cell has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its formula failed; the cell's text names the error.
    Error,
    /// Its formula was never computed.
    Uncomputed,
}

impl Row {
    /// Begins anew.
    pub(crate) fn clear(&mut self, number: u32) {
        self.number = number;
        self.cells.clear();
        self.text.clear();
        self.start = 0;
        self.faults.clear();
    }

    /// The text of the cell that is being filled.
    pub(crate) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Bytes of the cell that is being filled.
    pub(crate) fn filled(&self) -> usize {
        self.text.len() - self.start
    }

    /// The cell is whole; an empty one is none.
    pub(crate) fn end_cell(&mut self, column: u32, is_number: bool) {
        let end = self.text.len();
        if end > self.start {
            self.cells.push(Cell {
                column,
                is_number,
                place: Place::Own(self.start, end),
            });
        }
        self.start = end;
    }

    /// The last cell once more, in another column.
    pub(crate) fn repeat(&mut self, column: u32) {
        if let Some(cell) = self.cells.last().copied() {
            self.cells.push(Cell { column, ..cell });
        }
    }

    /// A cell whose text is shared.
    pub(crate) fn push_shared(&mut self, column: u32, index: u32) {
        self.cells.push(Cell {
            column,
            is_number: false,
            place: Place::Shared(index),
        });
    }

    pub(crate) fn push_text(&mut self, column: u32, text: &str) {
        self.text.push_str(text);
        self.end_cell(column, false);
    }

    pub(crate) fn push_fault(&mut self, column: u32, fault: Fault) {
        self.faults.push((column, fault));
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn faults(&self) -> &[(u32, Fault)] {
        &self.faults
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.faults.is_empty()
    }

    /// A cell's text.
    pub(crate) fn text_of<'a>(&'a self, place: Place, shared: &'a Strings) -> &'a str {
        match place {
            Place::Own(start, end) => &self.text[start..end],
            Place::Shared(index) => shared.get(index),
        }
    }
}
