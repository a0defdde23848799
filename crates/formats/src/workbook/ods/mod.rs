//! An .ods (OpenDocument 1.3 part 3, 9): one XML member that holds all sheets. It is read from its start each time, as a stream.

mod cells;

use std::collections::HashMap;
use std::ops::ControlFlow;

use futures::TryStreamExt;
use futures::stream::BoxStream;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use tokio::runtime::Handle;

use crate::archive;
use crate::content::Content;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::thread;
use crate::workbook::HEAD_ROWS;
use crate::workbook::batch::{Building, Taken};
use crate::workbook::fill::Filling;
use crate::workbook::layout::{Declared, HeadRow, MERGED_MAX, Merged};
use crate::workbook::row::Row;
use crate::workbook::strings::Strings;
use crate::workbook::table::{SheetInfo, Table};
use crate::workbook::xlsx::{Pieces, attributes, head_row};
use cells::{Found, Sheets};

/// How messages name the format.
const FORMAT: &str = "ODS";
/// What the archive's first member says (OpenDocument 1.3 part 2, 3.3).
pub(crate) const MIME_TYPE: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet";
const CONTENT: &str = "content.xml";
const MANIFEST: &str = "META-INF/manifest.xml";
const CHUNK_BYTES: u64 = 1 << 20;

/// A workbook whose sheets are listed.
#[derive(Debug)]
pub(crate) struct Ods {
    content: Content,
    sheets: Vec<SheetInfo>,
    merged: Vec<Vec<Merged>>,
}

impl Ods {
    pub(crate) async fn open(content: &Content) -> Result<Self, FormatError> {
        let part = content.as_part(FORMAT).await?;
        let member = async |member: &str| {
            let mut found = Content::find(&part, Some(member), &content.options).await?;
            found.name.clone_from(&content.name);
            Ok::<_, FormatError>(found)
        };
        let members = archive::members(&part, &content.options).await?;
        if members.iter().any(|member| member.name == MANIFEST) {
            let manifest = member(MANIFEST).await?.whole(FORMAT).await?;
            if memchr::memmem::find(&manifest, b"encryption-data").is_some() {
                let reason = "it is encrypted: it needs a password".to_owned();
                return Err(FormatError::Workbook {
                    name: content.name.clone(),
                    reason,
                });
            }
        }
        let document = member(CONTENT).await?;
        let hidden = hidden_styles(&document).await?;
        let (sheets, merged) = list(&document, hidden).await?;
        Ok(Self {
            content: document,
            sheets,
            merged,
        })
    }

    /// Whether an archive holds what an .ods does.
    pub(crate) async fn is_one(content: &Content) -> Result<bool, FormatError> {
        let members = archive::members(&content.as_part(FORMAT).await?, &content.options).await?;
        Ok(members.iter().any(|member| member.name == CONTENT))
    }

    pub(crate) fn sheets(&self) -> Vec<SheetInfo> {
        self.sheets.clone()
    }

    pub(crate) fn merged(&self, sheet: usize) -> Vec<Merged> {
        self.merged[sheet].clone()
    }

    pub(crate) async fn head(
        &self,
        sheet: usize,
        declared: &Declared,
    ) -> Result<Vec<HeadRow>, FormatError> {
        let (content, last_row, handle) =
            (self.content.clone(), declared.last_row(), Handle::current());
        thread::run(&self.content.name, move || {
            let (mut rows, mut after) = (Vec::new(), 0);
            scan(&content, &handle, |found| {
                if let Found::Row { sheet: of, row, .. } = found {
                    if of > sheet {
                        return Ok(ControlFlow::Break(()));
                    }
                    if of == sheet {
                        let head = head_row(row, &Strings::default());
                        after += usize::from(row.number > last_row && head.is_some());
                        rows.extend(head);
                    }
                }
                Ok(if after < HEAD_ROWS {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            })?;
            Ok(rows)
        })
        .await
    }

    pub(crate) fn read(
        &self,
        sheet: usize,
        table: &Table,
        projection: &[usize],
    ) -> BoxStream<'static, Result<Decoded, FormatError>> {
        let (content, table, projection) =
            (self.content.clone(), table.clone(), projection.to_vec());
        thread::stream(self.content.name.clone(), move |sender| {
            let strings = Strings::default();
            let building = || Building::new(&table.layout, &projection, &strings);
            let (mut batch, mut filling) = (building(), Filling::default());
            let batch_rows = content.options.batch_rows();
            scan(&content, &Handle::current(), |found| {
                let Found::Row {
                    sheet: of,
                    row,
                    repeated,
                } = found
                else {
                    return Ok(ControlFlow::Continue(()));
                };
                if of != sheet {
                    return Ok(if of > sheet {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    });
                }
                for _ in 0..repeated {
                    if filling.push(&mut batch, row) == Taken::Ended {
                        return Ok(ControlFlow::Break(()));
                    }
                    if batch.is_full(batch_rows) {
                        let full = std::mem::replace(&mut batch, building())
                            .finish(&content.name, &table.schema)?;
                        if sender.send(full).is_err() {
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    row.number += 1;
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if batch.len() > 0 {
                // Nobody may be left to take it, which is no error.
                return sender
                    .send(batch.finish(&content.name, &table.schema)?)
                    .or(Ok(()));
            }
            Ok(())
        })
    }
}

/// Reads the document from its start, on a thread that may block, until `each` breaks off.
fn scan(
    content: &Content,
    handle: &Handle,
    mut each: impl FnMut(Found<'_>) -> Result<ControlFlow<()>, FormatError>,
) -> Result<(), FormatError> {
    let damaged = |reason: String| FormatError::Workbook {
        name: content.name.clone(),
        reason,
    };
    let bytes_max = content.options.record_bytes_max;
    let (mut pieces, mut sheets, mut row) = (
        Pieces::new("office:spreadsheet", "table:table-row", bytes_max),
        Sheets::default(),
        Row::default(),
    );
    let mut chunks = content.chunks(CHUNK_BYTES);
    while let Some(chunk) = handle.block_on(chunks.try_next())? {
        let Some(piece) = pieces.feed(&chunk).map_err(damaged)? else {
            continue;
        };
        let text =
            simdutf8::basic::from_utf8(&piece).map_err(|_| damaged("it is no UTF-8".to_owned()))?;
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        while let Some(found) = sheets
            .next(&mut reader, &mut row, bytes_max)
            .map_err(damaged)?
        {
            if each(found)?.is_break() {
                return Ok(());
            }
        }
    }
    pieces.finish().map_err(damaged)
}

/// All sheets, and what is merged in each.
async fn list(
    content: &Content,
    hidden: Vec<String>,
) -> Result<(Vec<SheetInfo>, Vec<Vec<Merged>>), FormatError> {
    let (owned, handle) = (content.clone(), Handle::current());
    thread::run(&content.name, move || {
        let (mut sheets, mut merged) = (Vec::new(), Vec::<Vec<Merged>>::new());
        scan(&owned, &handle, |found| {
            match found {
                Found::Sheet { name, style } => {
                    sheets.push(SheetInfo {
                        name,
                        hidden: hidden.contains(&style),
                    });
                    merged.push(Vec::new());
                }
                Found::Row { .. } => {}
                Found::Merged { sheet, area } => {
                    let all = merged.get_mut(sheet);
                    if let Some(all) = all.filter(|all| all.len() < MERGED_MAX) {
                        all.push(area);
                    }
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((sheets, merged))
    })
    .await
}

/// Names of styles that hide their sheet.
async fn hidden_styles(content: &Content) -> Result<Vec<String>, FormatError> {
    let damaged = |reason: String| FormatError::Workbook {
        name: content.name.clone(),
        reason,
    };
    let mut pieces = Pieces::new(
        "office:automatic-styles",
        "style:style",
        content.options.record_bytes_max,
    );
    let mut chunks = content.chunks(CHUNK_BYTES / 4);
    let (mut hidden, mut style) = (Vec::new(), String::new());
    while let Some(chunk) = chunks.try_next().await? {
        // A document without styles hides nothing.
        let Ok(piece) = pieces.feed(&chunk) else {
            break;
        };
        let Some(piece) = piece else {
            if memchr::memmem::find(&chunk, b"<office:spreadsheet").is_some() {
                break;
            }
            continue;
        };
        let text = std::str::from_utf8(&piece).map_err(|_| damaged("it is no UTF-8".to_owned()))?;
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = false;
        loop {
            match reader
                .read_event()
                .map_err(|error| damaged(error.to_string()))?
            {
                Event::Start(start) | Event::Empty(start) => {
                    let attributes: HashMap<String, String> =
                        attributes(&start).map_err(damaged)?;
                    match start.local_name().as_ref() {
                        "style" => {
                            style = attributes.get("style:name").cloned().unwrap_or_default()
                        }
                        "table-properties"
                            if attributes
                                .get("table:display")
                                .is_some_and(|display| display == "false") =>
                        {
                            hidden.push(style.clone())
                        }
                        _ => {}
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if pieces.has_ended() {
            break;
        }
    }
    Ok(hidden)
}
