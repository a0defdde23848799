//! Sheets of workbooks: .xlsx and .xlsm, which stream; .xls and .ods, which are read whole. One set of options, whatever the kind.
//!
//! A cell becomes text: numbers as short as they can be, dates and times in ISO 8601 as the cell's format shows them, percentages as
//! the numbers they are, yes and no as `true` and `false`. Text stays as it is, leading zeros included. A record's number is its row's
//! in the sheet; where several sheets are read, each one's rows count on from a multiple of [`ROWS_PER_SHEET`].

pub(crate) mod batch;
pub(crate) mod detect;
pub(crate) mod fill;
mod header;
pub(crate) mod layout;
mod ods;
pub(crate) mod row;
pub(crate) mod strings;
pub(crate) mod table;
pub(crate) mod value;
mod xls;
mod xlsx;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use futures::stream;
use regex::Regex;

use crate::choice::Choice;
use crate::content::Content;
use crate::error::FormatError;
use crate::guess::is_zip;
use crate::part::{Source, Streams};
use crate::spec::{FormatSpec, SheetName, WorkbookFormat};
use layout::{Column, Declared, HeadRow, Layout, Merged};
use ods::Ods;
use table::{SheetInfo, Table};
use xls::Xls;
use xlsx::Xlsx;
pub(crate) use xlsx::head_row;

/// Rows after the header that are looked at to tell which columns are in use.
pub(crate) const HEAD_ROWS: usize = 100;
/// What the row numbers of one sheet and the next lie apart, where several are read: the most that a sheet may have.
const ROWS_PER_SHEET: i64 = 1_048_576;
/// Sheets that one part may read.
const SHEETS_MAX: usize = 1000;
/// The first bytes of an OLE file, which .xls and encrypted .xlsx are.
const OLE: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// A workbook of any kind.
#[derive(Debug)]
enum Book {
    Xlsx(Xlsx),
    Xls(Xls),
    Ods(Ods),
}

/// The tables of one part: of the sheet that was chosen, or of several that are read one after the other.
#[derive(Debug)]
pub(crate) struct Workbook {
    book: Book,
    /// By the sheets' order in the workbook.
    tables: Vec<(usize, Option<Content>, Table)>,
    schema: SchemaRef,
    choices: Vec<Choice>,
    detected: WorkbookFormat,
    partitions: usize,
}

/// Whether these are the first bytes of an OLE file.
pub(crate) fn is_ole(head: &[u8]) -> bool {
    head.starts_with(&OLE[..4])
}

/// Whether these are the first bytes of an OpenDocument spreadsheet.
pub(crate) fn is_ods(head: &[u8]) -> bool {
    memchr::memmem::find(&head[..head.len().min(512)], ods::MIME_TYPE).is_some()
}

pub(crate) async fn open(
    content: Content,
    format: &WorkbookFormat,
) -> Result<Workbook, FormatError> {
    let name = content.name.clone();
    let declared = Declared::new(&name, format)?;
    let mut book = Book::open(&content).await?;
    let (chosen, choice) = choose(&name, &book.sheets(), format)?;
    if let Book::Xlsx(book) = &mut book {
        book.load(&chosen).await?;
    }
    let names_sheet = matches!(format.sheet, Some(SheetName::Pattern { .. }));
    let mut choices: Vec<Choice> = choice.into_iter().collect();
    let mut detected = format.clone();
    let mut first: Option<Vec<Column>> = None;
    let mut layouts = Vec::new();
    for sheet in chosen {
        let info = &book.sheets()[sheet];
        let rows = book.head(sheet, &declared).await?;
        let plan = declared.plan(&name, &format!("sheet `{}`", info.name), &rows)?;
        let (mut layout, columns, chosen) =
            declared.layout(&name, &info.name, &plan, &rows, &book.merged(sheet))?;
        layout.names_sheet = names_sheet;
        layout.number_base = if names_sheet {
            sheet as i64 * ROWS_PER_SHEET
        } else {
            0
        };
        match &first {
            None => {
                choices.extend(chosen);
                detected.header_rows = Some(plan.header.iter().map(|row| *row as usize).collect());
                first = Some(columns);
            }
            Some(first) => {
                if let Some(difference) = layout::difference(first, &columns) {
                    return Err(FormatError::SheetsDiffer {
                        name,
                        sheet: info.name.clone(),
                        difference,
                    });
                }
            }
        }
        layouts.push((sheet, book.prepare(sheet).await?, layout));
    }
    let schema = layout::schema(&name, &first.unwrap_or_default(), names_sheet)?;
    if !names_sheet && let Some((_, _, layout)) = layouts.first() {
        detected.sheet = Some(SheetName::Name(layout.sheet.clone()));
    }
    // What stands below a footer, or takes the value above, is only known in order.
    let in_order = layouts.iter().any(|(_, _, layout)| layout.is_in_order());
    let table = |layout: Layout| Table {
        layout: Arc::new(layout),
        schema: Arc::clone(&schema),
    };
    Ok(Workbook {
        partitions: book.partitions(if in_order {
            1
        } else {
            content.options.partitions()
        }),
        tables: layouts
            .into_iter()
            .map(|(sheet, content, layout)| (sheet, content, table(layout)))
            .collect(),
        schema,
        choices,
        detected,
        book,
    })
}

/// The sheets to read, by their place in the workbook.
fn choose(
    name: &str,
    sheets: &[SheetInfo],
    format: &WorkbookFormat,
) -> Result<(Vec<usize>, Option<Choice>), FormatError> {
    let unknown = |sheet: String| FormatError::UnknownSheet {
        name: name.to_owned(),
        sheet,
        sheets: sheets.iter().map(|sheet| sheet.name.clone()).collect(),
    };
    match &format.sheet {
        Some(SheetName::Name(wanted)) => {
            let found = sheets.iter().position(|sheet| sheet.name == *wanted);
            let found = found.or_else(|| {
                sheets
                    .iter()
                    .position(|sheet| sheet.name.trim() == wanted.trim())
            });
            Ok((vec![found.ok_or_else(|| unknown(wanted.clone()))?], None))
        }
        Some(SheetName::Pattern { pattern }) => {
            let regex = Regex::new(pattern).map_err(|error| FormatError::Option {
                name: name.to_owned(),
                option: "sheet",
                reason: error.to_string(),
            })?;
            let found: Vec<usize> = (0..sheets.len())
                .filter(|index| !sheets[*index].hidden && regex.is_match(&sheets[*index].name))
                .take(SHEETS_MAX)
                .collect();
            if found.is_empty() {
                return Err(unknown(pattern.clone()));
            }
            let names: Vec<&str> = found
                .iter()
                .map(|index| sheets[*index].name.as_str())
                .collect();
            let choice = Choice::new(
                Choice::SHEET,
                names.join(", "),
                format!("the visible sheets that `{pattern}` is found in"),
            );
            Ok((found, Some(choice)))
        }
        None => {
            let visible = sheets.iter().position(|sheet| !sheet.hidden);
            let Some(found) = visible else {
                return Err(FormatError::Workbook {
                    name: name.to_owned(),
                    reason: "it has no visible sheet of cells".to_owned(),
                });
            };
            let others: Vec<&str> = sheets
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != found)
                .map(|(_, sheet)| sheet.name.as_str())
                .collect();
            let why = match others.as_slice() {
                [] => "its only sheet".to_owned(),
                others => format!("the first visible sheet; others: {}", others.join(", ")),
            };
            Ok((
                vec![found],
                Some(Choice::new(Choice::SHEET, &sheets[found].name, why)),
            ))
        }
    }
}

impl Book {
    /// By content: names lie.
    async fn open(content: &Content) -> Result<Self, FormatError> {
        let head = content.head(512).await?;
        if is_ole(&head) {
            return Ok(Self::Xls(Xls::open(content).await?));
        }
        if !is_zip(&head) {
            let text = head
                .strip_prefix(b"\xEF\xBB\xBF")
                .unwrap_or(&head)
                .trim_ascii_start();
            let reason = match text.first() {
                Some(b'<') => {
                    "it holds a web page or XML: say `format: html`, or leave `format:` out"
                }
                _ => "it is none: neither .xlsx nor .xls nor .ods begins like this",
            };
            return Err(FormatError::Workbook {
                name: content.name.clone(),
                reason: reason.to_owned(),
            });
        }
        if is_ods(&head) {
            return Ok(Self::Ods(Ods::open(content).await?));
        }
        let book = Xlsx::open(content).await;
        // Some programs pack what says that it is an .ods, or put it elsewhere.
        match book {
            Err(FormatError::Workbook { .. }) if Ods::is_one(content).await? => {
                Ok(Self::Ods(Ods::open(content).await?))
            }
            book => Ok(Self::Xlsx(book?)),
        }
    }

    fn sheets(&self) -> Vec<SheetInfo> {
        match self {
            Self::Xlsx(book) => book.sheets(),
            Self::Xls(book) => book.sheets(),
            Self::Ods(book) => book.sheets(),
        }
    }

    async fn head(&self, sheet: usize, declared: &Declared) -> Result<Vec<HeadRow>, FormatError> {
        match self {
            Self::Xlsx(book) => book.head(sheet, declared).await,
            Self::Xls(book) => Ok(book.head(sheet, declared)),
            Self::Ods(book) => book.head(sheet, declared).await,
        }
    }

    fn merged(&self, sheet: usize) -> Vec<Merged> {
        match self {
            Self::Xlsx(book) => book.merged(sheet),
            Self::Xls(book) => book.merged(sheet),
            Self::Ods(book) => book.merged(sheet),
        }
    }

    async fn prepare(&self, sheet: usize) -> Result<Option<Content>, FormatError> {
        Ok(match self {
            Self::Xlsx(book) => Some(book.prepare(sheet).await?),
            Self::Xls(_) | Self::Ods(_) => None,
        })
    }

    /// Only an .xlsx is read by several at once.
    fn partitions(&self, wanted: usize) -> usize {
        match self {
            Self::Xlsx(_) => wanted,
            Self::Xls(_) | Self::Ods(_) => 1,
        }
    }
}

impl Source for Workbook {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn choices(&self) -> &[Choice] {
        &self.choices
    }

    fn detected(&self, declared: &FormatSpec) -> FormatSpec {
        match (&self.book, declared) {
            (Book::Xlsx(_), _) => FormatSpec::Xlsx(self.detected.clone()),
            (Book::Xls(_), _) => FormatSpec::Xls(self.detected.clone()),
            (Book::Ods(_), _) => FormatSpec::Ods(self.detected.clone()),
        }
    }

    fn numbers_have_gaps(&self) -> bool {
        true
    }

    fn partitions(&self) -> usize {
        self.partitions
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let mut all: Streams = (0..self.partitions)
            .map(|_| stream::empty().boxed())
            .collect();
        for (sheet, content, table) in &self.tables {
            let streams = match (&self.book, content) {
                (Book::Xlsx(book), Some(content)) => {
                    book.read(content, table, projection, self.partitions)
                }
                (Book::Xlsx(_), None) => Vec::new(),
                (Book::Xls(book), _) => vec![book.read(*sheet, table, projection)],
                (Book::Ods(book), _) => vec![book.read(*sheet, table, projection)],
            };
            all = all
                .into_iter()
                .zip(streams)
                .map(|(before, next)| before.chain(next).boxed())
                .collect();
        }
        all
    }
}

#[cfg(test)]
mod tests;
