//! Spreadsheets: every cell is text, so that leading zeros stay; what tells which row is which is grey and locked.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::csv::{QuoteStyle, Writer, WriterBuilder};
use rust_xlsxwriter::{Color, Format, ProtectionOptions, Workbook, Worksheet, XlsxError};

use sectorlake_lake::Access;

use super::Language;
use crate::fixes::{PART, RAW, REASONS, ROW, STREAM, guarded, guarded_in_workbook};
use crate::result::{Failure, FailureKind};

/// Characters that a cell of a workbook holds.
const CELL_CHARS_MAX: usize = 32_767;
/// Widths of columns, in characters.
const REASONS_WIDTH: f64 = 60.0;
const WIDTH: f64 = 18.0;

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Csv,
    Workbook,
}

impl Kind {
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("xlsx") => Ok(Self::Workbook),
            _ => Err(Failure::new(
                FailureKind::Usage,
                format!("{} is no .xlsx or .csv", path.display()),
            )
            .help("name the file so: rejected.xlsx")),
        }
    }
}

/// One rejected record.
pub(super) struct Row {
    pub(super) reasons: Vec<String>,
    pub(super) raw: Option<String>,
    /// In the sheet's columns.
    pub(super) cells: Vec<Option<String>>,
    pub(super) stream: String,
    pub(super) part: String,
    pub(super) row: i64,
}

impl Row {
    fn texts(self) -> Vec<Option<String>> {
        let mut texts = vec![Some(self.reasons.join("\n"))];
        texts.extend(self.cells);
        texts.push(self.raw);
        texts.push(Some(self.stream));
        texts.push(Some(self.part));
        texts.push(Some(self.row.to_string()));
        texts
    }
}

/// Writes sheets of rejected records.
pub(super) trait SheetWriter: Send {
    /// Begins the next sheet, with the source's columns.
    fn sheet(&mut self, name: &str, columns: &[String]) -> Result<(), Failure>;
    /// Adds a row to it.
    fn row(&mut self, row: Row) -> Result<(), Failure>;
    /// The file appears under its name.
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}

/// Begins a file. It has its name only once it is whole; one that holds personal values is its owner's alone.
pub(super) fn begin(
    kind: Kind,
    path: &Path,
    door: Access,
    language: Language,
) -> Result<Box<dyn SheetWriter>, Failure> {
    let target = Target {
        path: path.to_owned(),
        part: path.with_extension("part"),
        door,
    };
    Ok(match kind {
        Kind::Csv => Box::new(CsvFile {
            target,
            language,
            header: Vec::new(),
            writer: None,
            rows: Vec::new(),
        }),
        Kind::Workbook => Box::new(XlsxFile {
            target,
            language,
            workbook: Workbook::new(),
            columns: Vec::new(),
            next: 0,
        }),
    })
}

struct Target {
    path: PathBuf,
    part: PathBuf,
    door: Access,
}

impl Target {
    fn create(&self) -> Result<BufWriter<File>, Failure> {
        let file = match self.door {
            Access::Open => File::create(&self.part),
            Access::Restricted => create_closed(&self.part),
        };
        let file = file.map_err(|error| self.failed(&error.to_string()))?;
        Ok(BufWriter::new(file))
    }

    fn publish(&self) -> Result<(), Failure> {
        std::fs::rename(&self.part, &self.path).map_err(|error| self.failed(&error.to_string()))
    }

    fn failed(&self, error: &str) -> Failure {
        let message = format!("{} cannot be written: {error}", self.path.display());
        Failure::new(FailureKind::Usage, message)
    }
}

/// A file that its owner alone reads and writes.
#[cfg(unix)]
fn create_closed(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

    const OWNER: u32 = 0o600;
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(OWNER);
    let file = options.open(path)?;
    // One that was left there keeps its rights when it is opened.
    file.set_permissions(PermissionsExt::from_mode(OWNER))?;
    Ok(file)
}

#[cfg(not(unix))]
fn create_closed(path: &Path) -> io::Result<File> {
    File::create(path)
}

fn header(language: Language, columns: &[String]) -> Vec<String> {
    let reasons = match language {
        Language::Vi => REASONS[0],
        Language::En => REASONS[1],
    };
    let ours = [RAW, STREAM, PART, ROW].into_iter();
    let columns = columns.iter().map(String::as_str);
    let names = std::iter::once(reasons).chain(columns).chain(ours);
    names.map(str::to_owned).collect()
}

/// Rows that are written at once.
const ROWS: usize = 1024;

struct CsvFile {
    target: Target,
    language: Language,
    header: Vec<String>,
    writer: Option<Writer<BufWriter<File>>>,
    rows: Vec<Vec<Option<String>>>,
}

impl CsvFile {
    fn drain(&mut self) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self.header.iter().enumerate().map(|(index, name)| {
            let cells = rows.iter().map(|row| row.get(index).cloned().flatten());
            (name, Arc::new(cells.collect::<StringArray>()) as ArrayRef)
        });
        let batch = RecordBatch::try_from_iter(columns);
        let batch = batch.map_err(|error| self.target.failed(&error.to_string()))?;
        match &mut self.writer {
            Some(writer) => writer
                .write(&batch)
                .map_err(|error| self.target.failed(&error.to_string())),
            None => Ok(()),
        }
    }
}

impl SheetWriter for CsvFile {
    fn sheet(&mut self, _: &str, columns: &[String]) -> Result<(), Failure> {
        self.header = header(self.language, columns);
        let mut file = self.target.create()?;
        // Spreadsheets take a CSV without the mark for a text in the system's old encoding.
        file.write_all("\u{feff}".as_bytes())
            .map_err(|error| self.target.failed(&error.to_string()))?;
        let builder = WriterBuilder::new()
            .with_header(true)
            .with_quote_style(QuoteStyle::Necessary);
        self.writer = Some(builder.build(file));
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), Failure> {
        let guard = |text: Option<String>| text.map(guarded);
        self.rows.push(row.texts().into_iter().map(guard).collect());
        if self.rows.len() >= ROWS {
            self.drain()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        self.drain()?;
        if let Some(writer) = self.writer.take() {
            let flushed = writer.into_inner().flush();
            flushed.map_err(|error| self.target.failed(&error.to_string()))?;
        }
        self.target.publish()
    }
}

struct XlsxFile {
    target: Target,
    language: Language,
    workbook: Workbook,
    columns: Vec<String>,
    next: u32,
}

impl XlsxFile {
    fn failed(&self, error: &XlsxError) -> Failure {
        self.target.failed(&error.to_string())
    }

    fn begin(&mut self, name: &str) -> Result<(), XlsxError> {
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        sheet.set_freeze_panes(1, 1)?;
        for (index, column) in self.columns.iter().enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            let width = if index == 0 { REASONS_WIDTH } else { WIDTH };
            sheet.set_column_width(index, width)?;
            // New cells of a column look and behave as those that are there.
            sheet.set_column_format(index, &style(column))?;
            sheet.write_string_with_format(0, index, column, &title())?;
        }
        let allowed = ProtectionOptions {
            format_columns: true,
            format_rows: true,
            use_autofilter: true,
            sort: true,
            ..ProtectionOptions::default()
        };
        sheet.protect_with_options(&allowed);
        Ok(())
    }

    fn sheet(&mut self) -> Result<&mut Worksheet, XlsxError> {
        let last = self.workbook.worksheets().len().saturating_sub(1);
        self.workbook.worksheet_from_index(last)
    }

    fn write(&mut self, texts: &[Option<String>]) -> Result<(), XlsxError> {
        let next = self.next;
        let styles: Vec<Format> = self.columns.iter().map(|column| style(column)).collect();
        let sheet = self.sheet()?;
        for (index, (text, style)) in texts.iter().zip(&styles).enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            match text.as_deref().filter(|text| !text.is_empty()) {
                Some(text) => sheet.write_string_with_format(next, index, text, style)?,
                None => sheet.write_blank(next, index, style)?,
            };
        }
        self.next += 1;
        Ok(())
    }
}

/// The header.
fn title() -> Format {
    Format::new().set_bold().set_text_wrap()
}

/// A cell: text, and open to changes where it is the source's.
fn style(column: &str) -> Format {
    let text = Format::new().set_num_format("@");
    match column {
        _ if REASONS.contains(&column) => text
            .set_text_wrap()
            .set_font_color(Color::RGB(0x009C_0006))
            .set_background_color(Color::RGB(0x00F2_F2F2)),
        RAW | STREAM | PART | ROW | "_record" => text
            .set_font_color(Color::RGB(0x007F_7F7F))
            .set_background_color(Color::RGB(0x00D9_D9D9)),
        _ => text.set_unlocked(),
    }
}

impl SheetWriter for XlsxFile {
    fn sheet(&mut self, name: &str, columns: &[String]) -> Result<(), Failure> {
        self.columns = header(self.language, columns);
        self.next = 1;
        let begun = self.begin(name);
        begun.map_err(|error| self.failed(&error))
    }

    fn row(&mut self, row: Row) -> Result<(), Failure> {
        let number = row.row;
        let guard = |text: Option<String>| text.map(guarded_in_workbook);
        let texts: Vec<_> = row.texts().into_iter().map(guard).collect();
        let long = texts.iter().zip(&self.columns).find(|(text, _)| {
            let text = text.as_deref().unwrap_or_default();
            text.len() > CELL_CHARS_MAX && text.chars().count() > CELL_CHARS_MAX
        });
        if let Some((_, column)) = long {
            let message = format!(
                "row {number}, column {column}: no cell of a workbook holds more than {CELL_CHARS_MAX} characters"
            );
            return Err(Failure::new(FailureKind::Usage, message).help("export to a .csv"));
        }
        let written = self.write(&texts);
        written.map_err(|error| self.failed(&error))
    }

    fn finish(mut self: Box<Self>) -> Result<(), Failure> {
        let mut file = self.target.create()?;
        let saved = self.workbook.save_to_writer(&mut file);
        saved.map_err(|error| self.failed(&error))?;
        file.flush()
            .map_err(|error| self.target.failed(&error.to_string()))?;
        self.target.publish()
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_of_personal_values_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (kind, name) in [(Kind::Csv, "a.csv"), (Kind::Workbook, "a.xlsx")] {
            let path = folder.path().join(name);
            // What an earlier export left half written.
            std::fs::write(path.with_extension("part"), "").unwrap();
            let mut file = begin(kind, &path, Access::Restricted, Language::En).unwrap();
            file.sheet("s", &["name".to_owned()]).unwrap();
            file.finish().unwrap();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
