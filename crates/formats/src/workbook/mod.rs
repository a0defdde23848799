//! Sheets of workbooks: .xlsx and .xlsm, which stream; .xls and .ods, which are read whole. One set of options, whatever the kind.
//!
//! A cell becomes text: numbers as short as they can be, dates and times in ISO 8601 as the cell's format shows them, percentages as
//! the numbers they are, yes and no as `true` and `false`. Text stays as it is, leading zeros included. A record's number is its row's
//! in the sheet; where several sheets are read, each one's rows count on from a multiple of [`ROWS_PER_SHEET`].

pub(crate) mod batch;
mod choose;
pub(crate) mod column;
pub(crate) mod detect;
pub(crate) mod fill;
mod font;
mod header;
mod headings;
pub(crate) mod layout;
mod ods;
pub(crate) mod row;
pub(crate) mod strings;
pub(crate) mod table;
mod units;
pub(crate) mod value;
mod xls;
mod xlsx;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use futures::stream;

use crate::archive::Member;
use crate::choice::Choice;
use crate::content::Content;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::guess::is_zip;
use crate::part::{Source, Streams};
use crate::spec::{FormatSpec, SheetName, WorkbookFormat};
use choose::choose;
use column::Column;
use font::Font;
use layout::{Declared, HeadRow, Layout, Merged};
use ods::Ods;
use table::{SheetInfo, Table};
use xls::Xls;
use xlsx::Xlsx;
pub(crate) use xlsx::head_row;

/// Rows after the header that are looked at to tell which columns are in use.
pub(crate) const HEAD_ROWS: usize = 100;
/// What the row numbers of one sheet and the next lie apart, where several are read: the most that a sheet may have.
const ROWS_PER_SHEET: i64 = 1_048_576;
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
    name: String,
    book: Book,
    /// By the sheets' order in the workbook.
    tables: Vec<(usize, Option<Content>, Table)>,
    schema: SchemaRef,
    choices: Vec<Choice>,
    detected: WorkbookFormat,
    font: Option<Font>,
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

/// The kind of workbook that an archive with these members is. Where they lie in it is chance, and so is what its first bytes name.
pub(crate) fn of_members(members: &[Member]) -> Option<FormatSpec> {
    let has = |name: &str| {
        members.iter().any(|member| {
            member
                .name
                .trim_start_matches('/')
                .eq_ignore_ascii_case(name)
        })
    };
    if has("xl/workbook.xml") || has("xl/workbook.bin") {
        return Some(FormatSpec::Xlsx(WorkbookFormat::default()));
    }
    let is_ods = has("content.xml") && (has("mimetype") || has("META-INF/manifest.xml"));
    is_ods.then(|| FormatSpec::Ods(WorkbookFormat::default()))
}

/// The names of the visible sheets, in order.
pub(crate) async fn visible_sheets(content: &Content) -> Result<Vec<String>, FormatError> {
    let sheets = Book::open(content).await?.sheets();
    let visible = sheets.into_iter().filter(|sheet| !sheet.hidden);
    Ok(visible.map(|sheet| sheet.name).collect())
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
    let mut found = Laid {
        names_sheet,
        detected: format.clone(),
        ..Laid::default()
    };
    found.choices.extend(choice);
    for sheet in chosen {
        found.sheet(&name, &book, sheet, &declared).await?;
    }
    let schema = column::schema(&name, &found.columns, names_sheet)?;
    // What stands below a footer, or takes the value above, is only known in order.
    let in_order = (found.layouts.iter()).any(|(_, _, layout)| layout.is_in_order());
    let wanted = match in_order {
        true => 1,
        false => content.options.partitions(),
    };
    let table = |layout: Layout| Table {
        layout: Arc::new(layout),
        schema: Arc::clone(&schema),
    };
    Ok(Workbook {
        name,
        partitions: book.partitions(wanted),
        tables: (found.layouts.into_iter())
            .map(|(sheet, content, layout)| (sheet, content, table(layout)))
            .collect(),
        schema: Arc::clone(&schema),
        choices: found.choices,
        detected: found.detected,
        font: declared.font,
        book,
    })
}

/// What is known of the sheets that were looked at.
#[derive(Default)]
struct Laid {
    names_sheet: bool,
    /// Those of the first; the others have the same.
    columns: Vec<Column>,
    choices: Vec<Choice>,
    detected: WorkbookFormat,
    layouts: Vec<(usize, Option<Content>, Layout)>,
}

impl Laid {
    /// Finds the table of one more sheet.
    async fn sheet(
        &mut self,
        name: &str,
        book: &Book,
        sheet: usize,
        declared: &Declared,
    ) -> Result<(), FormatError> {
        let info = &book.sheets()[sheet];
        let mut rows = book.head(sheet, declared).await?;
        if let Some(font) = declared.font {
            for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
                cell.text = font.shown(&cell.text).into_owned();
            }
        }
        let merged = book.merged(sheet);
        let plan = declared.plan(name, &format!("sheet `{}`", info.name), &rows, &merged)?;
        let (mut layout, columns, choices) =
            declared.layout(name, &info.name, &plan, &rows, &merged)?;
        if self.names_sheet {
            layout.names_sheet = true;
            layout.number_base = sheet as i64 * ROWS_PER_SHEET;
        }
        if self.layouts.is_empty() {
            self.choices.extend(choices);
            self.columns = columns;
            if !self.names_sheet {
                self.detected.sheet = Some(SheetName::Name(info.name.clone()));
                let header = plan.header.iter().map(|row| *row as usize);
                self.detected.header_rows = Some(header.collect());
                self.detected.units_row = plan.units.map(|row| row as usize);
            }
        } else if let Some(difference) = column::difference(&self.columns, &columns) {
            return Err(FormatError::SheetsDiffer {
                name: name.to_owned(),
                sheet: info.name.clone(),
                difference,
            });
        }
        (self.layouts).push((sheet, book.prepare(sheet).await?, layout));
        Ok(())
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
        let Some(font) = self.font else { return all };
        let name = self.name.clone();
        let shown = move |decoded: Result<Decoded, FormatError>| {
            let decoded = decoded?;
            let error = |source| FormatError::Arrow {
                name: name.clone(),
                source,
            };
            let batch = font.batch(decoded.batch).map_err(error)?;
            Ok(Decoded { batch, ..decoded })
        };
        all.into_iter()
            .map(|stream| stream.map(shown.clone()).boxed())
            .collect()
    }
}

#[cfg(test)]
mod tests;
