//! A table of a web page, which agencies also send under the name .xls. The page is read as a stream, once to choose the table and
//! once more for its rows; cells that span are spread over all they cover, as a browser shows them.

mod choose;
mod grid;
mod page;
mod text;

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use crate::choice::Choice;
use crate::content::Content;
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::{FormatSpec, HtmlFormat, HtmlTable, WorkbookFormat};
use crate::thread;
use crate::workbook::batch::{Building, Taken};
use crate::workbook::column;
use crate::workbook::fill::Filling;
use crate::workbook::layout::{Declared, HeadRow, Merged};
use crate::workbook::row::Row;
use crate::workbook::strings::Strings;
use crate::workbook::table::Table;
use crate::workbook::{HEAD_ROWS, head_row};
use choose::choose;
use grid::Grid;
use page::{Found, Page};
use text::Letters;

/// Bytes that tell the encoding.
const HEAD_BYTES: usize = 64 << 10;
const CHUNK_BYTES: u64 = 256 << 10;
/// Tables of one page.
const TABLES_MAX: usize = 10_000;

/// A table whose header is read.
#[derive(Debug)]
pub(crate) struct PageTable {
    reading: Reading,
    table: Table,
    choices: Vec<Choice>,
    detected: HtmlFormat,
}

/// What it takes to read the page.
#[derive(Debug, Clone)]
struct Reading {
    content: Content,
    encoding: TextEncoding,
    /// The table, from 0 in the order in which tables begin.
    table: usize,
}

/// A table as the page shows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    id: String,
    caption: String,
    rows: usize,
    /// Cells that hold something, in rows of two or more.
    cells: usize,
}

/// Whether these are the first bytes of a web page that may hold a table; `named` where the name says that it is one.
pub(crate) fn is_page(head: &[u8], named: bool) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let starts = |tag: &str| {
        text.get(..tag.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(tag))
    };
    let holds = |tag: &str| {
        memchr::memmem::find(text.to_ascii_lowercase().as_bytes(), tag.as_bytes()).is_some()
    };
    let is_html = [
        "<!doctype html",
        "<html",
        "<table",
        "<head",
        "<body",
        "<meta",
        "<style",
    ]
    .iter()
    .any(|tag| starts(tag));
    text.starts_with('<') && (is_html || holds("<html")) && (named || holds("<table"))
}

pub(crate) async fn open(content: Content, format: &HtmlFormat) -> Result<PageTable, FormatError> {
    let head = content.head(HEAD_BYTES).await?;
    let meta = text::declared_encoding(&head);
    let label = format.encoding.as_deref().or(meta.as_deref());
    let (encoding, chosen) =
        TextEncoding::detect(&content.name, label, &head, head.len() < HEAD_BYTES)?;
    let mut choices: Vec<Choice> = chosen.into_iter().collect();
    if let (None, Some(meta)) = (&format.encoding, &meta) {
        choices.push(Choice::new(Choice::ENCODING, meta, "the page declares it"));
    }
    let mut reading = Reading {
        content,
        encoding,
        table: 0,
    };
    let tables = reading.run(Reading::tables).await?;
    let name = reading.content.name.clone();
    let (table, choice) = choose(&name, &tables, format.table.as_ref())?;
    choices.extend(choice);
    reading.table = table;
    let beginning = reading.run(Reading::beginning).await?;
    let header = format
        .header_rows
        .clone()
        .unwrap_or_else(|| beginning.header.iter().map(|row| *row as usize).collect());
    if format.header_rows.is_none() {
        choices.push(Choice::new(
            Choice::HEADER_ROWS,
            format!("{header:?}"),
            beginning.why,
        ));
    }
    let declared = declared(&name, format, header.clone())?;
    let of = format!("table {}", table + 1);
    let plan = declared.plan(&name, &of, &beginning.rows, &[])?;
    let (layout, columns, chosen) =
        declared.layout(&name, &of, &plan, &beginning.rows, &beginning.merged)?;
    choices.extend(chosen);
    let schema = column::schema(&name, &columns, false)?;
    let detected = HtmlFormat {
        table: Some(HtmlTable::Number(table + 1)),
        encoding: Some(encoding.name().to_owned()),
        header_rows: Some(header),
        ..format.clone()
    };
    Ok(PageTable {
        reading,
        table: Table {
            layout: Arc::new(layout),
            schema,
        },
        choices,
        detected,
    })
}

/// The options as those of a workbook's sheet.
fn declared(name: &str, format: &HtmlFormat, header: Vec<usize>) -> Result<Declared, FormatError> {
    let format = WorkbookFormat {
        header_rows: Some(header),
        drop_rows: format.drop_rows.clone(),
        footer: format.footer.clone(),
        fill_down: format.fill_down.clone(),
        ..WorkbookFormat::default()
    };
    Declared::new(name, &format)
}

/// A table's first rows, and which of them are the header.
struct Beginning {
    rows: Vec<HeadRow>,
    merged: Vec<Merged>,
    header: Vec<u32>,
    why: String,
}

impl Reading {
    async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, FormatError> + Send + 'static,
    ) -> Result<T, FormatError> {
        let reading = self.clone();
        thread::run(&self.content.name, move || read(&reading)).await
    }

    /// Reads the page from its start, until `each` breaks off.
    fn scan(
        &self,
        mut each: impl FnMut(Found) -> Result<ControlFlow<()>, FormatError>,
    ) -> Result<(), FormatError> {
        let handle = Handle::current();
        // The encoding's decoders start tasks of their own.
        let _inside = handle.enter();
        let mut chunks = self.encoding.text(self.content.chunks(CHUNK_BYTES), 1);
        let (page, mut letters) = (
            Page::new(self.content.options.record_bytes_max),
            Letters::default(),
        );
        let too_long = |reason: String| FormatError::NoTable {
            name: self.content.name.clone(),
            reason,
        };
        loop {
            let chunk = handle.block_on(chunks.try_next())?;
            let is_last = chunk.is_none();
            page.feed(&letters.take(chunk.as_deref(), is_last), is_last);
            while let Some(found) = page.next().map_err(too_long)? {
                if each(found)?.is_break() {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn tables(&self) -> Result<Vec<Seen>, FormatError> {
        let mut tables: Vec<Seen> = Vec::new();
        self.scan(|found| {
            match found {
                Found::Table { id } => tables.push(Seen {
                    id,
                    ..Seen::default()
                }),
                Found::Caption { table, text } => {
                    if let Some(seen) = tables.get_mut(table) {
                        seen.caption = text;
                    }
                }
                Found::Row { table, row } => {
                    if let Some(seen) = tables.get_mut(table) {
                        seen.rows += 1;
                        let full = row
                            .cells
                            .iter()
                            .filter(|cell| !cell.text.is_empty())
                            .count();
                        seen.cells += if row.cells.len() > 1 { full } else { 0 };
                    }
                }
            }
            Ok(if tables.len() < TABLES_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        })?;
        Ok(tables)
    }

    /// Calls `each` with every row of the table, spread, until it breaks off.
    fn rows(
        &self,
        mut each: impl FnMut(
            &page::PageRow,
            &mut Row,
            &[Merged],
        ) -> Result<ControlFlow<()>, FormatError>,
    ) -> Result<(), FormatError> {
        let (mut grid, mut spread) = (
            Grid::new(self.content.options.record_bytes_max),
            Row::default(),
        );
        self.scan(|found| {
            let Found::Row { table, row } = found else {
                return Ok(ControlFlow::Continue(()));
            };
            if table != self.table {
                return Ok(ControlFlow::Continue(()));
            }
            let merged = grid
                .spread(&row, &mut spread)
                .map_err(|reason| FormatError::NoTable {
                    name: self.content.name.clone(),
                    reason,
                })?;
            each(&row, &mut spread, &merged)
        })
    }

    fn beginning(&self) -> Result<Beginning, FormatError> {
        let (mut rows, mut merged, mut marked, mut by_section) =
            (Vec::new(), Vec::new(), Vec::new(), false);
        let (mut ended, mut after) = (false, 0);
        self.rows(|row, spread, areas| {
            let in_head = row.in_head
                || (!by_section
                    && !row.cells.is_empty()
                    && row.cells.iter().all(|cell| cell.is_header));
            if !ended && in_head && (row.in_head || !by_section) {
                by_section |= row.in_head;
                merged.extend_from_slice(areas);
                // A single cell over all columns is a title, where names follow.
                marked.push((spread.number, row.cells.len()));
            } else if !spread.is_empty() {
                ended = true;
                after += 1;
            }
            rows.extend(head_row(spread, &Strings::default()));
            Ok(if after < HEAD_ROWS {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        })?;
        let holds = |number: &u32| rows.iter().any(|row: &HeadRow| row.number == *number);
        let mut header: Vec<u32> = marked
            .iter()
            .filter(|(_, cells)| *cells > 1 || marked.len() == 1)
            .map(|(number, _)| *number)
            .filter(holds)
            .collect();
        let mut why = if by_section {
            "the page marks them as header (`thead`)"
        } else {
            "all their cells are header cells (`th`)"
        };
        if header.is_empty() {
            header = rows.first().map(|row| vec![row.number]).unwrap_or_default();
            why = "the first row; the page marks none as header";
        }
        Ok(Beginning {
            rows,
            merged,
            header,
            why: why.to_owned(),
        })
    }
}

impl Source for PageTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.table.schema)
    }

    fn choices(&self) -> &[Choice] {
        &self.choices
    }

    fn detected(&self, _declared: &FormatSpec) -> FormatSpec {
        FormatSpec::Html(self.detected.clone())
    }

    fn numbers_have_gaps(&self) -> bool {
        true
    }

    fn partitions(&self) -> usize {
        1
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let (reading, table, projection) = (
            self.reading.clone(),
            self.table.clone(),
            projection.to_vec(),
        );
        vec![thread::stream(
            self.reading.content.name.clone(),
            move |sender| {
                let (strings, name) = (Strings::default(), &reading.content.name);
                let building = || Building::new(&table.layout, &projection, &strings);
                let (mut batch, mut filling) = (building(), Filling::default());
                let batch_rows = reading.content.options.batch_rows();
                reading.rows(|_, row, _| {
                    let taken = filling.push(&mut batch, row);
                    if batch.is_full(batch_rows) {
                        let full = std::mem::replace(&mut batch, building())
                            .finish(name, &table.schema)?;
                        if sender.send(full).is_err() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    Ok(if taken == Taken::Ended {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    })
                })?;
                if batch.len() > 0 {
                    // Nobody may be left to take it, which is no error.
                    return sender.send(batch.finish(name, &table.schema)?).or(Ok(()));
                }
                Ok(())
            },
        )]
    }
}

#[cfg(test)]
mod tests;
