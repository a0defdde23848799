//! A sheet of an Excel workbook (.xlsx, .xlsm), its cells as text: numbers as short as they can be, dates and times in ISO 8601.

use std::io::{Cursor, Read};
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use zip::ZipArchive;

use crate::columns::{TextColumn, unique_names};
use crate::content::Content;
use crate::csv::join_rows;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::part::{Source, Streams};
use crate::spec::{SheetName, WorkbookFormat};
use crate::thread::{self, Sender};

/// How messages name the format.
const FORMAT: &str = "XLSX";

/// A sheet whose header is read. It streams, but its workbook and its shared texts are held in memory.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    name: String,
    bytes: Bytes,
    sheet: String,
    /// The columns that have a header: first and one past the last.
    columns: (usize, usize),
    /// The sheet's row, from 0, that data follow.
    header_row: u32,
    schema: SchemaRef,
    batch_rows: usize,
}

/// One row that is not empty: column and text of each cell.
type Row = (u32, Vec<(usize, String)>);

pub(crate) async fn open(content: Content, format: &WorkbookFormat) -> Result<Sheet, FormatError> {
    let bytes = content.whole(FORMAT).await?;
    let (name, options, format) = (
        content.name.clone(),
        content.options.clone(),
        format.clone(),
    );
    thread::run(&content.name, move || {
        check_bounds(&name, &bytes, &options)?;
        read_header(name, bytes, &format, options.batch_rows())
    })
    .await
}

/// Whether these are the first bytes of an OLE file, which .xls and encrypted .xlsx are.
pub(crate) fn is_old_workbook(head: &[u8]) -> bool {
    head.starts_with(b"\xD0\xCF\x11\xE0")
}

pub(crate) fn old_workbook(name: String) -> FormatError {
    FormatError::Workbook {
        name,
        reason: "it is an old binary workbook (.xls), or one with a password".to_owned(),
    }
}

/// Unpacks all once, in passing: the workbook's reader trusts what the archive declares.
fn check_bounds(name: &str, bytes: &Bytes, options: &ReadOptions) -> Result<(), FormatError> {
    let no_workbook = |reason: String| FormatError::Workbook {
        name: name.to_owned(),
        reason,
    };
    if is_old_workbook(bytes) {
        return Err(old_workbook(name.to_owned()));
    }
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|error| no_workbook(error.to_string()))?;
    let (mut held, mut streamed) = (0, 0);
    for index in 0..archive.len() {
        let member = archive
            .by_index(index)
            .map_err(|error| no_workbook(error.to_string()))?;
        let is_sheet = member
            .name()
            .is_ok_and(|name| name.starts_with("xl/worksheets/"));
        let (total, bound) = match is_sheet {
            true => (&mut streamed, options.unpacked_bytes_max),
            false => (&mut held, options.memory_bytes_max),
        };
        let left = bound.saturating_sub(*total) + 1;
        *total += std::io::copy(&mut member.take(left), &mut std::io::sink())
            .map_err(|error| no_workbook(error.to_string()))?;
        if *total > bound {
            return Err(FormatError::TooLarge {
                name: name.to_owned(),
                bytes: *total,
                format: FORMAT,
                bound,
            });
        }
    }
    Ok(())
}

fn read_header(
    name: String,
    bytes: Bytes,
    format: &WorkbookFormat,
    batch_rows: usize,
) -> Result<Sheet, FormatError> {
    let mut workbook = workbook(&name, &bytes)?;
    let sheets = workbook.sheet_names();
    let sheet = match &format.sheet {
        Some(SheetName::Name(sheet)) if sheets.contains(sheet) => sheet.clone(),
        Some(SheetName::Name(sheet) | SheetName::Pattern { pattern: sheet }) => {
            return Err(FormatError::UnknownSheet {
                name,
                sheet: sheet.clone(),
                sheets,
            });
        }
        None => sheets
            .first()
            .cloned()
            .ok_or_else(|| FormatError::Empty { name: name.clone() })?,
    };
    let rows = header_rows(&name, format)?;
    let mut headers: Vec<Row> = Vec::new();
    each_row(&name, &mut workbook, &sheet, |(number, cells)| {
        let is_header = match &rows {
            None => true,
            Some(rows) => rows.contains(&number),
        };
        if is_header {
            headers.push((number, cells));
        }
        let last = rows.as_ref().and_then(|rows| rows.last().copied());
        Ok(last.is_some_and(|last| number < last)
            || (rows.is_some() && headers.is_empty() && last.is_none()))
    })?;
    let wanted = rows.as_ref().map_or(1, Vec::len);
    if headers.len() < wanted {
        let reason = match rows.as_ref().and_then(|rows| {
            rows.iter()
                .find(|row| headers.iter().all(|(found, _)| found != *row))
        }) {
            Some(row) => format!("row {} of sheet `{sheet}` is empty", row + 1),
            None => format!("sheet `{sheet}` is empty"),
        };
        return Err(FormatError::NoHeader { name, reason });
    }
    let cells = || {
        headers
            .iter()
            .flat_map(|(_, cells)| cells.iter().map(|(column, _)| *column))
    };
    let columns = (
        cells().min().unwrap_or(0),
        cells().max().map_or(0, |last| last + 1),
    );
    let grid: Vec<Vec<String>> = headers
        .iter()
        .map(|(_, cells)| spread(cells, columns))
        .collect();
    let names = unique_names(&name, join_rows(&grid))?;
    let fields: Vec<_> = names
        .iter()
        .map(|name| Field::new(name, DataType::Utf8View, false))
        .collect();
    let header_row = headers.last().map_or(0, |(number, _)| *number);
    Ok(Sheet {
        name,
        bytes,
        sheet,
        columns,
        header_row,
        schema: Arc::new(Schema::new(fields)),
        batch_rows,
    })
}

/// The header's rows from 0; none: the first that is not empty.
fn header_rows(name: &str, format: &WorkbookFormat) -> Result<Option<Vec<u32>>, FormatError> {
    let Some(rows) = &format.header_rows else {
        return Ok(None);
    };
    let numbers: Option<Vec<u32>> = rows
        .iter()
        .map(|row| u32::try_from(row.checked_sub(1)?).ok())
        .collect();
    match numbers {
        Some(numbers)
            if !numbers.is_empty() && numbers.is_sorted_by(|left, right| left < right) =>
        {
            Ok(Some(numbers))
        }
        _ => Err(FormatError::Option {
            name: name.to_owned(),
            option: "header_rows",
            reason: "rows count from 1, and each is named once, in order".to_owned(),
        }),
    }
}

/// The cells of the header's columns, empty ones included.
fn spread(cells: &[(usize, String)], (first, end): (usize, usize)) -> Vec<String> {
    let mut row = vec![String::new(); end - first];
    for (column, text) in cells {
        row[column - first].clone_from(text);
    }
    row
}

fn workbook(name: &str, bytes: &Bytes) -> Result<Xlsx<Cursor<Bytes>>, FormatError> {
    Xlsx::new(Cursor::new(bytes.clone())).map_err(|error| failure(name, &error))
}

fn failure(name: &str, error: &XlsxError) -> FormatError {
    FormatError::Workbook {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

/// Calls `each` with every row that is not empty, until it says false.
fn each_row(
    name: &str,
    workbook: &mut Xlsx<Cursor<Bytes>>,
    sheet: &str,
    mut each: impl FnMut(Row) -> Result<bool, FormatError>,
) -> Result<(), FormatError> {
    let mut cells = workbook
        .worksheet_cells_reader(sheet)
        .map_err(|error| failure(name, &error))?;
    let mut row: Row = (0, Vec::new());
    while let Some(cell) = cells.next_cell().map_err(|error| failure(name, &error))? {
        let (number, column) = cell.get_position();
        if number != row.0 {
            let ended = std::mem::replace(&mut row, (number, Vec::new()));
            if !ended.1.is_empty() && !each(ended)? {
                return Ok(());
            }
        }
        let text = text(cell.get_value());
        if !text.is_empty() {
            row.1.push((column as usize, text));
        }
    }
    if !row.1.is_empty() {
        each(row)?;
    }
    Ok(())
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(value) => date_time(value),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A date without a time where there is none; a time without a date below day 1; durations may pass 24 hours.
fn date_time(value: &ExcelDateTime) -> String {
    let days = value.as_f64();
    if value.is_duration() || (0.0..1.0).contains(&days) {
        let seconds = (days * 86_400.0).round() as i64;
        let sign = if seconds < 0 { "-" } else { "" };
        let seconds = seconds.unsigned_abs();
        return format!(
            "{sign}{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
    }
    let (year, month, day, hour, minute, second, millisecond) = value.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second, millisecond) {
        (0, 0, 0, 0) => date,
        (_, _, _, 0) => format!("{date}T{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{date}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}"),
    }
}

impl Source for Sheet {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partitions(&self) -> usize {
        1
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let (sheet, projection) = (self.clone(), projection.to_vec());
        vec![thread::stream(self.name.clone(), move |sender| {
            sheet.send_rows(&projection, sender)
        })]
    }
}

impl Sheet {
    fn send_rows(&self, projection: &[usize], sender: &Sender<Decoded>) -> Result<(), FormatError> {
        let mut workbook = workbook(&self.name, &self.bytes)?;
        let mut batch = Batch::new(projection.len());
        let mut row = 0;
        each_row(&self.name, &mut workbook, &self.sheet, |(number, cells)| {
            if number <= self.header_row {
                return Ok(true);
            }
            row += 1;
            batch.push(row, &cells, self.columns, projection);
            if batch.rows.len() + batch.broken.len() < self.batch_rows {
                return Ok(true);
            }
            let full = std::mem::replace(&mut batch, Batch::new(projection.len()));
            Ok(sender.send(full.finish(self, projection)?).is_ok())
        })?;
        if batch.rows.len() + batch.broken.len() > 0 {
            // Nobody may be left to take it, which is no error.
            return sender.send(batch.finish(self, projection)?).or(Ok(()));
        }
        Ok(())
    }
}

/// One batch being built.
struct Batch {
    columns: Vec<TextColumn>,
    rows: Vec<i64>,
    broken: Vec<BrokenRecord>,
}

impl Batch {
    fn new(columns: usize) -> Self {
        Self {
            columns: (0..columns).map(|_| TextColumn::default()).collect(),
            rows: Vec::new(),
            broken: Vec::new(),
        }
    }

    fn push(
        &mut self,
        row: i64,
        cells: &[(usize, String)],
        columns: (usize, usize),
        projection: &[usize],
    ) {
        if let Some((column, _)) = cells
            .iter()
            .find(|(column, _)| !(columns.0..columns.1).contains(column))
        {
            let reason = format!(
                "its cell in column {} stands under no header",
                letters(*column)
            );
            let texts: Vec<&str> = cells.iter().map(|(_, text)| text.as_str()).collect();
            self.broken.push(BrokenRecord::new(
                row,
                None,
                reason,
                texts.join("\t").as_bytes(),
            ));
            return;
        }
        let texts = spread(cells, columns);
        for (column, &index) in self.columns.iter_mut().zip(projection) {
            column.push_own(texts[index].as_bytes());
        }
        self.rows.push(row);
    }

    fn finish(self, sheet: &Sheet, projection: &[usize]) -> Result<Decoded, FormatError> {
        let columns = self
            .columns
            .into_iter()
            .map(|column| column.finish(&[]))
            .collect::<Result<_, _>>();
        let schema = sheet.schema.project(projection);
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        let batch = columns.and_then(|columns| {
            RecordBatch::try_new_with_options(Arc::new(schema?), columns, &options)
        });
        let batch = batch.map_err(|source| FormatError::Arrow {
            name: sheet.name.clone(),
            source,
        })?;
        Ok(Decoded {
            batch,
            rows: Int64Array::from(self.rows),
            broken: self.broken,
            dropped: Vec::new(),
        })
    }
}

/// A column as Excel names it.
fn letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.insert(0, char::from(b'A' + (column % 26) as u8));
        match (column / 26).checked_sub(1) {
            Some(next) => column = next,
            None => return letters.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
