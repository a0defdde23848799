//! An .xls (BIFF): read whole, by calamine, once it is sure that this takes no more memory than there may be.

mod guard;

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use calamine::{Data, Range, Reader, SheetType, SheetVisible};
use futures::stream::BoxStream;
use memchr::memmem;

use crate::content::Content;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::thread;
use crate::workbook::HEAD_ROWS;
use crate::workbook::batch::{Building, Taken};
use crate::workbook::fill::Filling;
use crate::workbook::layout::{Declared, HeadRow, MERGED_MAX, Merged};
use crate::workbook::row::{Fault, Row};
use crate::workbook::strings::Strings;
use crate::workbook::table::{SheetInfo, Table};
use crate::workbook::value::{self, DateSystem, Shown};
use crate::workbook::xlsx::head_row;
use guard::Refusal;

/// How messages name the format.
const FORMAT: &str = "XLS";
/// What an OLE file holds that is an encrypted .xlsx, in UTF-16.
const ENCRYPTED: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
/// A workbook, whole.
#[derive(Debug)]
pub(crate) struct Xls {
    name: String,
    sheets: Vec<Arc<Sheet>>,
    batch_rows: usize,
}

#[derive(Debug)]
struct Sheet {
    info: SheetInfo,
    cells: Range<Data>,
    merged: Vec<Merged>,
    system: DateSystem,
}

impl Xls {
    pub(crate) async fn open(content: &Content) -> Result<Self, FormatError> {
        let bytes = content.whole(FORMAT).await?;
        let name = content.name.clone();
        let damaged = move |reason: String| FormatError::Workbook {
            name: name.clone(),
            reason,
        };
        if memmem::find(&bytes, ENCRYPTED).is_some() {
            return Err(damaged("it is encrypted: it needs a password".to_owned()));
        }
        let (name, bound) = (content.name.clone(), content.options.memory_bytes_max);
        let sheets = thread::run(&content.name, move || {
            let mut bytes = Vec::from(bytes);
            guard::check(&mut bytes, bound).map_err(|refusal| match refusal {
                Refusal::Damaged(reason) => damaged(reason.to_owned()),
                Refusal::TooLarge(bytes) => FormatError::TooLarge {
                    name,
                    bytes,
                    format: "a grid of its sheets",
                    bound,
                },
            })?;
            // The reader trusts offsets and counts that damaged files have wrong.
            let read = catch_unwind(AssertUnwindSafe(|| sheets(&bytes)));
            read.unwrap_or_else(|_| {
                Err("its records contradict one another; it is damaged".to_owned())
            })
            .map_err(damaged)
        })
        .await?;
        Ok(Self {
            name: content.name.clone(),
            sheets,
            batch_rows: content.options.batch_rows(),
        })
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        self.sheets.iter().map(|sheet| sheet.info.clone()).collect()
    }

    pub(crate) fn head(&self, sheet: usize, declared: &Declared) -> Vec<HeadRow> {
        let (mut rows, mut after) = (Vec::new(), 0);
        self.sheets[sheet].each_row(|row| {
            rows.extend(head_row(row, &Strings::default()));
            after += usize::from(row.number > declared.last_row() && !row.cells().is_empty());
            after < HEAD_ROWS
        });
        rows
    }

    pub(crate) fn merged(&self, sheet: usize) -> Vec<Merged> {
        self.sheets[sheet].merged.clone()
    }

    pub(crate) fn read(
        &self,
        sheet: usize,
        table: &Table,
        projection: &[usize],
    ) -> BoxStream<'static, Result<Decoded, FormatError>> {
        let (sheet, table, projection) = (
            Arc::clone(&self.sheets[sheet]),
            table.clone(),
            projection.to_vec(),
        );
        let (name, batch_rows) = (self.name.clone(), self.batch_rows);
        thread::stream(self.name.clone(), move |sender| {
            let strings = Strings::default();
            let building = || Building::new(&table.layout, &projection, &strings);
            let (mut batch, mut filling, mut failed) = (building(), Filling::default(), None);
            sheet.each_row(|row| {
                let taken = filling.push(&mut batch, row);
                if batch.is_full(batch_rows) {
                    let full =
                        std::mem::replace(&mut batch, building()).finish(&name, &table.schema);
                    match full.map(|full| sender.send(full)) {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return false,
                        Err(error) => {
                            failed = Some(error);
                            return false;
                        }
                    }
                }
                taken == Taken::More
            });
            if let Some(error) = failed {
                return Err(error);
            }
            if batch.len() > 0 {
                // Nobody may be left to take it, which is no error.
                return sender.send(batch.finish(&name, &table.schema)?).or(Ok(()));
            }
            Ok(())
        })
    }
}

fn sheets(bytes: &[u8]) -> Result<Vec<Arc<Sheet>>, String> {
    let mut workbook = calamine::Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        calamine::XlsError::Password => "it is encrypted: it needs a password".to_owned(),
        other => other.to_string(),
    })?;
    let system = match workbook.has_1904_epoch() {
        true => DateSystem::From1904,
        false => DateSystem::From1900,
    };
    let mut sheets = Vec::new();
    for sheet in workbook.sheets_metadata().to_vec() {
        if sheet.typ != SheetType::WorkSheet {
            continue;
        }
        let cells = workbook
            .worksheet_range(&sheet.name)
            .map_err(|error| error.to_string())?;
        let areas = workbook
            .merge_cells_by_sheet_name(&sheet.name)
            .map_err(|error| error.to_string())?;
        let merged = areas
            .into_iter()
            .take(MERGED_MAX)
            .map(|area| Merged {
                rows: (area.start.0.saturating_add(1), area.end.0.saturating_add(1)),
                columns: (area.start.1, area.end.1),
            })
            .collect();
        let info = SheetInfo {
            name: sheet.name,
            hidden: sheet.visible != SheetVisible::Visible,
        };
        sheets.push(Arc::new(Sheet {
            info,
            cells,
            merged,
            system,
        }));
    }
    Ok(sheets)
}

impl Sheet {
    /// Calls `each` with every row that holds something, until it says false.
    fn each_row(&self, mut each: impl FnMut(&mut Row) -> bool) {
        let (top, left) = self.cells.start().unwrap_or_default();
        let mut row = Row::default();
        for (number, cells) in (top + 1..).zip(self.cells.rows()) {
            row.clear(number);
            for (column, cell) in (left..).zip(cells) {
                self.push(column, cell, &mut row);
            }
            if !row.is_empty() && !each(&mut row) {
                return;
            }
        }
    }

    fn push(&self, column: u32, cell: &Data, row: &mut Row) {
        match cell {
            Data::Empty => {}
            Data::Int(number) => {
                value::push_number(*number as f64, row.text());
                row.end_cell(column, true);
            }
            Data::Float(number) => {
                value::push_number(*number, row.text());
                row.end_cell(column, true);
            }
            Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
                row.push_text(column, text)
            }
            Data::Bool(value) => row.push_text(column, if *value { "true" } else { "false" }),
            Data::DateTime(serial) => {
                let shown = if serial.is_duration() {
                    Shown::Duration
                } else {
                    Shown::Date
                };
                value::push_serial(serial.as_f64(), shown, self.system, row.text());
                row.end_cell(column, true);
            }
            Data::Error(error) => {
                row.push_text(column, &error.to_string());
                row.push_fault(column, Fault::Error);
            }
        }
    }
}
