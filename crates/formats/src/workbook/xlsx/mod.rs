//! An .xlsx or .xlsm: a zip archive of XML, whose sheets stream and are decoded by several at once. Only its shared texts and number
//! formats are held, within bounds.

mod cells;
mod decode;
mod package;
mod pieces;

use std::collections::HashMap;
use std::sync::Arc;

use futures::TryStreamExt;
use memchr::memmem;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use tokio::runtime::Handle;

use crate::blocks;
use crate::content::Content;
use crate::error::FormatError;
use crate::part::Streams;
use crate::thread;
use crate::workbook::HEAD_ROWS;
use crate::workbook::layout::{Declared, HeadCell, HeadRow, MERGED_MAX, Merged};
use crate::workbook::row::Row;
use crate::workbook::strings::{Gathered, Strings};
use crate::workbook::table::{SheetInfo, Table};
use cells::{Book, Rows};
pub(crate) use cells::{ROWS_MAX, skip};
use decode::{Cutter, Decoder};
pub(crate) use package::attributes;
use package::{FORMAT, Package};
pub(crate) use pieces::Pieces;

/// Bytes of a chunk where only the beginning of a sheet is wanted.
const HEAD_CHUNK_BYTES: u64 = 256 << 10;
/// Bytes of a sheet's beginning that may be looked at.
const HEAD_BYTES_MAX: usize = 32 << 20;
/// What rows end with, whatever the prefix.
const ROWS_END: &[u8] = b"sheetData>";

/// A workbook whose shared texts are read.
#[derive(Debug)]
pub(crate) struct Xlsx {
    package: Package,
    strings: Arc<Strings>,
    /// The merged cells of the sheets that are read.
    merged: HashMap<usize, Vec<Merged>>,
}

impl Xlsx {
    pub(crate) async fn open(content: &Content) -> Result<Self, FormatError> {
        let part = content.as_part(FORMAT).await?;
        let package = Package::open(&part, &content.options).await?;
        Ok(Self {
            package,
            strings: Arc::default(),
            merged: HashMap::new(),
        })
    }

    /// Reads what must be known before any row is: shared texts, and merged cells of the sheets that are wanted.
    pub(crate) async fn load(&mut self, sheets: &[usize]) -> Result<(), FormatError> {
        let all_merged = async {
            let mut merged = HashMap::new();
            for sheet in sheets {
                merged.insert(*sheet, self.read_merged(*sheet).await?);
            }
            Ok(merged)
        };
        let all_strings = async {
            match &self.package.strings {
                Some(member) => strings(&self.package, member).await,
                None => Ok(Strings::default()),
            }
        };
        let (merged, strings) = futures::try_join!(all_merged, all_strings)?;
        (self.merged, self.strings) = (merged, Arc::new(strings));
        Ok(())
    }

    pub(crate) fn merged(&self, sheet: usize) -> Vec<Merged> {
        self.merged.get(&sheet).cloned().unwrap_or_default()
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        self.package
            .sheets
            .iter()
            .map(|sheet| SheetInfo {
                name: sheet.name.clone(),
                hidden: sheet.hidden,
            })
            .collect()
    }

    /// A sheet's first rows, enough to find the header.
    pub(crate) async fn head(
        &self,
        sheet: usize,
        declared: &Declared,
    ) -> Result<Vec<HeadRow>, FormatError> {
        let mut chunks = self.sheet(sheet).await?.chunks(HEAD_CHUNK_BYTES);
        let mut cutter = Cutter::new(
            self.package.part.name.clone(),
            self.package.options.record_bytes_max,
        );
        let (mut rows, mut row, mut bytes) = (Vec::new(), Row::default(), 0);
        while let Some(chunk) = chunks.try_next().await? {
            bytes += chunk.len();
            let Some(piece) = cutter.piece(&chunk)? else {
                continue;
            };
            let damaged = |reason: String| self.package.damaged(&reason);
            let mut read = Rows::new(
                &piece.bytes,
                piece.first_row,
                self.book(),
                self.package.options.record_bytes_max,
            )
            .map_err(damaged)?;
            while read.next(&mut row).map_err(damaged)? {
                rows.extend(head_row(&row, &self.strings));
                let after = rows
                    .iter()
                    .rev()
                    .take_while(|row: &&HeadRow| row.number > declared.last_row())
                    .count();
                if after >= HEAD_ROWS {
                    return Ok(rows);
                }
            }
            if bytes > HEAD_BYTES_MAX {
                return Ok(rows);
            }
        }
        cutter.ended()?;
        Ok(rows)
    }

    /// The merged cells. They stand behind all rows, so the whole sheet is unpacked for them.
    async fn read_merged(&self, sheet: usize) -> Result<Vec<Merged>, FormatError> {
        let mut chunks = self.sheet(sheet).await?.chunks(HEAD_CHUNK_BYTES * 16);
        let (mut areas, mut merged) = (
            Pieces::new(
                "mergeCells",
                "mergeCell",
                self.package.options.record_bytes_max,
            ),
            Vec::new(),
        );
        let (mut tail, mut after_rows) = (Vec::new(), false);
        while let Some(chunk) = chunks.try_next().await? {
            let mut rest = &chunk[..];
            if !after_rows {
                tail.extend_from_slice(&chunk[..chunk.len().min(ROWS_END.len())]);
                after_rows = memmem::find(&tail, ROWS_END).is_some();
                if let Some(end) = memmem::find(&chunk, ROWS_END) {
                    (rest, after_rows) = (&chunk[end..], true);
                }
                tail = chunk[chunk.len() - chunk.len().min(ROWS_END.len())..].to_vec();
            }
            if !after_rows {
                continue;
            }
            // What follows the rows is no reason not to read them.
            let Ok(piece) = areas.feed(rest) else {
                return Ok(merged);
            };
            for area in piece.iter().flat_map(|piece| merge_cells(piece)) {
                if merged.len() == MERGED_MAX {
                    return Err(self
                        .package
                        .damaged(&format!("a sheet has more than {MERGED_MAX} merged cells")));
                }
                merged.push(area);
            }
            if areas.has_ended() {
                break;
            }
        }
        Ok(merged)
    }

    async fn sheet(&self, sheet: usize) -> Result<Content, FormatError> {
        self.package
            .content(&self.package.sheets[sheet].member)
            .await
    }

    fn book(&self) -> Book<'_> {
        Book {
            strings: &self.strings,
            styles: &self.package.styles,
            system: self.package.system,
        }
    }

    /// The streams of one sheet.
    pub(crate) async fn prepare(&self, sheet: usize) -> Result<Content, FormatError> {
        self.sheet(sheet).await
    }

    pub(crate) fn read(
        &self,
        content: &Content,
        table: &Table,
        projection: &[usize],
        partitions: usize,
    ) -> Streams {
        let cutter = Cutter::new(
            self.package.part.name.clone(),
            self.package.options.record_bytes_max,
        );
        let decoder = Decoder::new(self, table, projection);
        blocks::streams(
            content.chunks(content.block_bytes()),
            cutter,
            decoder,
            partitions,
        )
    }
}

fn merge_cells(piece: &[u8]) -> Vec<Merged> {
    let mut merged = Vec::new();
    let Ok(text) = std::str::from_utf8(piece) else {
        return merged;
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    while let Ok(event) = reader.read_event() {
        let area = match &event {
            Event::Eof => break,
            Event::Start(start) | Event::Empty(start) => cells::area(start),
            _ => None,
        };
        merged.extend(area.map(|(first, last)| Merged {
            rows: (first.1, last.1),
            columns: (first.0, last.0),
        }));
    }
    merged
}

/// A row of the beginning, if it holds anything.
pub(crate) fn head_row(row: &Row, strings: &Strings) -> Option<HeadRow> {
    let cells: Vec<HeadCell> = row
        .cells()
        .iter()
        .map(|cell| HeadCell {
            column: cell.column,
            text: row.text_of(cell.place, strings).to_owned(),
            is_number: cell.is_number,
        })
        .collect();
    (!cells.is_empty()).then_some(HeadRow {
        number: row.number,
        cells,
    })
}

/// Reads the shared texts, on a thread that may block: large workbooks have millions.
async fn strings(package: &Package, member: &str) -> Result<Strings, FormatError> {
    let content = package.content(member).await?;
    let (name, bound, bytes_max) = (
        package.part.name.clone(),
        package.options.memory_bytes_max,
        package.options.record_bytes_max,
    );
    let handle = Handle::current();
    thread::run(&package.part.name, move || {
        handle.block_on(async {
            let damaged = |reason: String| FormatError::Workbook {
                name: name.clone(),
                reason: format!("its shared texts: {reason}"),
            };
            let (mut gathered, mut pieces) =
                (Gathered::default(), Pieces::new("sst", "si", bytes_max));
            let mut chunks = content.chunks(HEAD_CHUNK_BYTES * 4);
            while let Some(chunk) = chunks.try_next().await? {
                if let Some(piece) = pieces.feed(&chunk).map_err(damaged)? {
                    gather(&piece, &mut gathered, bytes_max).map_err(damaged)?;
                }
                if gathered.bytes() > bound {
                    return Err(FormatError::TooLarge {
                        name: name.clone(),
                        bytes: gathered.bytes(),
                        format: "the shared text of a workbook",
                        bound,
                    });
                }
            }
            pieces.finish().map_err(damaged)?;
            Ok(gathered.finish())
        })
    })
    .await
}

fn gather(piece: &[u8], gathered: &mut Gathered, bytes_max: usize) -> Result<(), String> {
    let text = simdutf8::basic::from_utf8(piece).map_err(|_| "they are no UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut start = gathered.text().len();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => cells::text(&mut reader, "t", gathered.text(), bytes_max)?,
                // How a text is read aloud is no part of it.
                "rPh" => cells::skip(&mut reader, "rPh")?,
                _ => {}
            },
            Event::Empty(element) if element.local_name().as_ref() == "si" => gathered.end(),
            Event::End(element) if element.local_name().as_ref() == "si" => {
                cells::unescape_from(gathered.text(), start);
                gathered.end();
                start = gathered.text().len();
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}
