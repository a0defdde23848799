//! Rows of a grid become batches: what is no data is left out, what cannot be read is kept apart.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::columns::TextColumn;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;
use crate::spec::FormulaErrors;
use crate::workbook::layout::{Layout, NoData};
use crate::workbook::row::{Fault, Place, Row};
use crate::workbook::strings::Strings;
use crate::workbook::value::letters;

/// The buffer of shared texts, in every column.
const SHARED_BUFFER: u32 = 1;

/// Bytes of text that fill a batch, however few rows hold them.
const BATCH_BYTES: usize = 8 << 20;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was taken, or is no data.
    More,
    /// It is a footer: nothing from here on is data.
    Ended,
}

/// One batch being built.
pub(crate) struct Building<'a> {
    layout: &'a Layout,
    projection: &'a [usize],
    shared: &'a Strings,
    columns: Vec<TextColumn>,
    numbers: Vec<i64>,
    broken: Vec<BrokenRecord>,
    dropped: Vec<i64>,
    /// Bytes of text that are held.
    bytes: usize,
    /// The row's cell of each of the layout's columns.
    places: Vec<Option<Place>>,
}

impl<'a> Building<'a> {
    pub(crate) fn new(layout: &'a Layout, projection: &'a [usize], shared: &'a Strings) -> Self {
        Self {
            layout,
            projection,
            shared,
            columns: projection.iter().map(|_| TextColumn::default()).collect(),
            numbers: Vec::new(),
            broken: Vec::new(),
            dropped: Vec::new(),
            bytes: 0,
            places: vec![None; layout.width()],
        }
    }

    pub(crate) fn layout(&self) -> &'a Layout {
        self.layout
    }

    pub(crate) fn shared(&self) -> &'a Strings {
        self.shared
    }

    /// Records that it holds.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len() + self.broken.len() + self.dropped.len()
    }

    /// Whether it is to be sent: it has so many rows, or bytes enough.
    pub(crate) fn is_full(&self, rows: usize) -> bool {
        self.len() >= rows || self.bytes >= BATCH_BYTES
    }

    pub(crate) fn push(&mut self, row: &Row) -> Taken {
        let layout = self.layout;
        if row.number < layout.data_from || row.is_empty() {
            return Taken::More;
        }
        self.places.fill(None);
        let (mut outside, mut first) = (None, None);
        for cell in row.cells() {
            match layout.index(cell.column) {
                Some(index) => self.places[index] = Some(cell.place),
                None if layout.ignores_outside => continue,
                None => outside = outside.or(Some(cell.column)),
            }
            first = first.or(Some(cell.place));
        }
        let number = layout.number_base + i64::from(row.number);
        match first.and_then(|first| layout.no_data(row.text_of(first, self.shared))) {
            Some(NoData::Footer) => return Taken::Ended,
            Some(NoData::Dropped) => {
                self.dropped.push(number);
                return Taken::More;
            }
            None => {}
        }
        let fault = self.fault(row);
        if first.is_none() && fault.is_none() {
            return Taken::More;
        }
        let outside = outside.map(|column| {
            format!(
                "its cell {} stands under no header; `columns` says which columns are read",
                layout.address(column, row.number)
            )
        });
        if let Some(reason) = fault.or(outside) {
            let texts: Vec<&str> = row
                .cells()
                .iter()
                .map(|cell| row.text_of(cell.place, self.shared))
                .collect();
            self.broken.push(BrokenRecord::new(
                number,
                None,
                reason,
                texts.join("\t").as_bytes(),
            ));
            return Taken::More;
        }
        self.take(row);
        self.numbers.push(number);
        Taken::More
    }

    /// What is wrong with the first cell that is read and has no value.
    fn fault(&mut self, row: &Row) -> Option<String> {
        for &(column, fault) in row.faults() {
            let Some(index) = self.layout.index(column) else {
                continue;
            };
            match self.layout.formula_errors {
                FormulaErrors::Reject if self.projection.contains(&index) => {
                    let cell = self.layout.address(column, row.number);
                    let shown =
                        self.places[index].map_or("", |place| row.text_of(place, self.shared));
                    return Some(match fault {
                        Fault::Error => format!(
                            "cell {cell} holds the formula error {shown}; `formula_errors` says what becomes of such cells"
                        ),
                        Fault::Uncomputed => format!(
                            "cell {cell} holds a formula whose value was never stored; open the workbook in a spreadsheet program and save it"
                        ),
                    });
                }
                FormulaErrors::Empty => self.places[index] = None,
                FormulaErrors::Reject | FormulaErrors::Text => {}
            }
        }
        None
    }

    fn take(&mut self, row: &Row) {
        for (column, &index) in self.columns.iter_mut().zip(self.projection) {
            match self.places.get(index).copied().flatten() {
                Some(Place::Shared(text)) => {
                    let (start, end) = self.shared.place(text);
                    column.push(self.shared.buffer(), start, end, SHARED_BUFFER);
                }
                Some(place) => {
                    let text = row.text_of(place, self.shared).as_bytes();
                    self.bytes += text.len();
                    column.push_own(text);
                }
                // The last column names the sheet where several are read.
                None if index == self.places.len() => column.push_own(self.layout.sheet.as_bytes()),
                None => column.push_own(b""),
            }
        }
    }

    pub(crate) fn finish(self, name: &str, schema: &SchemaRef) -> Result<Decoded, FormatError> {
        let shared = [self.shared.buffer().clone()];
        let columns = self
            .columns
            .into_iter()
            .map(|column| column.finish(&shared))
            .collect::<Result<_, _>>();
        let schema = schema
            .project(self.projection)
            .map_err(|source| FormatError::Arrow {
                name: name.to_owned(),
                source,
            })?;
        Ok(Decoded {
            broken: self.broken,
            dropped: self.dropped,
            ..Decoded::of(name, &Arc::new(schema), columns, self.numbers)?
        })
    }
}

impl Layout {
    /// A cell's address, with its sheet where several are read.
    fn address(&self, column: u32, row: u32) -> String {
        match self.names_sheet {
            true => format!("{}!{}{row}", self.sheet, letters(column)),
            false => format!("{}{row}", letters(column)),
        }
    }
}
