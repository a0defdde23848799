//! Sheets, rows and cells of an OpenDocument spreadsheet, one after the other.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::workbook::layout::Merged;
use crate::workbook::row::{Fault, Row};
use crate::workbook::value;
use crate::workbook::xlsx::{ROWS_MAX, attributes, skip};

/// Columns that a sheet may have.
const COLUMNS_MAX: u32 = 16_384;

/// What comes next.
pub(crate) enum Found<'a> {
    /// A sheet begins.
    Sheet {
        /// Its name.
        name: String,
        /// Its style's name.
        style: String,
    },
    /// A row that may be empty; it stands as often as `repeated` says, its number is the first's.
    Row {
        /// The sheet, from 0.
        sheet: usize,
        row: &'a mut Row,
        repeated: u32,
    },
    /// Cells that are one.
    Merged { sheet: usize, area: Merged },
}

/// Where the reading stands; it goes on from one piece of the document to the next.
#[derive(Debug, Default)]
pub(crate) struct Sheets {
    /// Sheets that have begun.
    begun: usize,
    /// Tables inside cells, which are no sheets.
    depth: usize,
    /// The next row's number.
    number: u32,
    merged: Vec<Merged>,
}

impl Sheets {
    /// None: this piece is read.
    pub(crate) fn next<'a>(
        &mut self,
        reader: &mut Reader<&[u8]>,
        row: &'a mut Row,
        bytes_max: usize,
    ) -> Result<Option<Found<'a>>, String> {
        if let (Some(area), Some(sheet)) = (self.merged.pop(), self.begun.checked_sub(1)) {
            return Ok(Some(Found::Merged { sheet, area }));
        }
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "table" => {
                        self.depth += 1;
                        if self.depth == 1 {
                            return self.begin(&start).map(Some);
                        }
                    }
                    "table-row" if self.depth == 1 => {
                        let repeated = self.row(&start, row)?;
                        self.cells(reader, row, bytes_max)?;
                        return self.found(row, repeated).map(Some);
                    }
                    _ => {}
                },
                Event::Empty(start) => match start.local_name().as_ref() {
                    "table" if self.depth == 0 => return self.begin(&start).map(Some),
                    "table-row" if self.depth == 1 => {
                        let repeated = self.row(&start, row)?;
                        self.number = self.number.saturating_add(repeated);
                    }
                    _ => {}
                },
                Event::End(end) if end.local_name().as_ref() == "table" => {
                    self.depth = self.depth.saturating_sub(1)
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    fn begin<'a>(&mut self, start: &BytesStart<'_>) -> Result<Found<'a>, String> {
        let mut attributes = attributes(start)?;
        self.begun += 1;
        self.number = 1;
        Ok(Found::Sheet {
            name: attributes.remove("table:name").unwrap_or_default(),
            style: attributes.remove("table:style-name").unwrap_or_default(),
        })
    }

    fn row(&self, start: &BytesStart<'_>, row: &mut Row) -> Result<u32, String> {
        row.clear(self.number);
        Ok(count(&attributes(start)?, "table:number-rows-repeated"))
    }

    fn found<'a>(&mut self, row: &'a mut Row, repeated: u32) -> Result<Found<'a>, String> {
        self.number = self.number.saturating_add(repeated);
        if !row.is_empty() && self.number > ROWS_MAX + 1 {
            return Err(format!(
                "row {} is repeated {repeated} times, beyond the last row of a sheet",
                row.number
            ));
        }
        let repeated = if row.is_empty() { 1 } else { repeated };
        Ok(Found::Row {
            sheet: self.begun.saturating_sub(1),
            row,
            repeated,
        })
    }

    fn cells(
        &mut self,
        reader: &mut Reader<&[u8]>,
        row: &mut Row,
        bytes_max: usize,
    ) -> Result<(), String> {
        let mut column = 0_u32;
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "table-cell" => column = self.cell(reader, &start, column, row, bytes_max)?,
                    "covered-table-cell" => {
                        column = column.saturating_add(count(
                            &attributes(&start)?,
                            "table:number-columns-repeated",
                        ));
                        skip(reader, "covered-table-cell")?;
                    }
                    _ => {}
                },
                Event::Empty(start)
                    if matches!(
                        start.local_name().as_ref(),
                        "table-cell" | "covered-table-cell"
                    ) =>
                {
                    let attributes = attributes(&start)?;
                    column = self.end(&attributes, String::new(), column, row);
                }
                Event::End(end) if end.local_name().as_ref() == "table-row" => return Ok(()),
                Event::Eof => return Err(format!("row {} does not end", row.number)),
                _ => {}
            }
        }
    }

    fn cell(
        &mut self,
        reader: &mut Reader<&[u8]>,
        start: &BytesStart<'_>,
        column: u32,
        row: &mut Row,
        bytes_max: usize,
    ) -> Result<u32, String> {
        let attributes = attributes(start)?;
        let text = paragraphs(reader, bytes_max)?;
        Ok(self.end(&attributes, text, column, row))
    }

    /// Puts a cell into the row as often as it is repeated; gives the column after it.
    fn end(
        &mut self,
        attributes: &HashMap<String, String>,
        text: String,
        column: u32,
        row: &mut Row,
    ) -> u32 {
        let repeated = count(attributes, "table:number-columns-repeated");
        let after = column.saturating_add(repeated);
        let spans = (
            count(attributes, "table:number-rows-spanned"),
            count(attributes, "table:number-columns-spanned"),
        );
        if spans != (1, 1) {
            self.merged.push(Merged {
                rows: (row.number, row.number.saturating_add(spans.0 - 1)),
                columns: (column, column.saturating_add(spans.1 - 1)),
            });
        }
        let mut shown = Shown::of(attributes, text);
        for column in column..after.min(COLUMNS_MAX) {
            if shown.is_empty() {
                break;
            }
            shown.push(column, row);
        }
        after
    }
}

/// A cell's value as text.
struct Shown {
    text: String,
    is_number: bool,
    fault: Option<Fault>,
}

impl Shown {
    fn of(attributes: &HashMap<String, String>, text: String) -> Self {
        let get = |key: &str| attributes.get(key).map(String::as_str);
        let of_text = |text: String| Self {
            text,
            is_number: false,
            fault: None,
        };
        if get("calcext:value-type") == Some("error") {
            return Self {
                fault: Some(Fault::Error),
                ..of_text(text)
            };
        }
        let number = |written: &str| {
            let mut short = String::new();
            let is_number = value::number(written, &mut short);
            Self {
                text: if is_number { short } else { written.to_owned() },
                is_number,
                fault: None,
            }
        };
        match (
            get("office:value-type"),
            get("office:value"),
            get("office:date-value"),
            get("office:time-value"),
        ) {
            (Some("float" | "percentage" | "currency"), Some(value), ..) => number(value),
            (Some("date"), _, Some(date), _) => Self {
                is_number: true,
                ..of_text(date.strip_suffix("T00:00:00").unwrap_or(date).to_owned())
            },
            (Some("time"), _, _, Some(time)) => Self {
                is_number: true,
                ..of_text(clock(time).unwrap_or_else(|| time.to_owned()))
            },
            (Some("boolean"), ..) => {
                of_text(get("office:boolean-value").unwrap_or(&text).to_owned())
            }
            (None, ..) if attributes.contains_key("table:formula") && text.is_empty() => Self {
                fault: Some(Fault::Uncomputed),
                ..of_text(text)
            },
            _ if text.is_empty() => {
                of_text(get("office:string-value").unwrap_or_default().to_owned())
            }
            _ => of_text(text),
        }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.fault.is_none()
    }

    fn push(&mut self, column: u32, row: &mut Row) {
        row.text().push_str(&self.text);
        row.end_cell(column, self.is_number);
        if let Some(fault) = self.fault {
            row.push_fault(column, fault);
        }
    }
}

/// A count of at least one.
fn count(attributes: &HashMap<String, String>, key: &str) -> u32 {
    attributes
        .get(key)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
        .max(1)
}

/// A duration such as `PT36H30M05.5S` as hours, minutes and seconds.
fn clock(duration: &str) -> Option<String> {
    let (sign, rest) = duration
        .strip_prefix('-')
        .map_or(("", duration), |rest| ("-", rest));
    let (hours, rest) = rest.strip_prefix("PT")?.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    let seconds = rest.strip_suffix('S')?.replace(',', ".");
    let (whole, fraction) = seconds.split_once('.').unwrap_or((&seconds, ""));
    let number = |text: &str| text.parse::<u32>().ok();
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!(
        "{sign}{:02}:{:02}:{:02}{point}{fraction}",
        number(hours)?,
        number(minutes)?,
        number(whole)?
    ))
}

/// The text of a cell up to its end: its paragraphs, one a line.
fn paragraphs(reader: &mut Reader<&[u8]>, bytes_max: usize) -> Result<String, String> {
    let (mut text, mut inside, mut paragraphs) = (String::new(), 0_usize, 0);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => match start.local_name().as_ref() {
                "p" => {
                    if paragraphs > 0 {
                        text.push('\n');
                    }
                    (inside, paragraphs) = (inside + 1, paragraphs + 1);
                }
                "annotation" => skip(reader, "annotation")?,
                // A table inside a cell is none of the sheet's.
                "table" => skip(reader, "table")?,
                _ => {}
            },
            Event::Empty(start) => match start.local_name().as_ref() {
                "p" => paragraphs += 1,
                "s" => {
                    let spaces = count(&attributes(&start)?, "text:c") as usize;
                    text.extend(std::iter::repeat_n(' ', spaces.min(bytes_max)));
                }
                "tab" => text.push('\t'),
                "line-break" => text.push('\n'),
                _ => {}
            },
            Event::Text(part) if inside > 0 => text.push_str(&part.xml10_content()),
            Event::CData(part) if inside > 0 => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) if inside > 0 => match reference
                .resolve_char_ref()
                .map_err(|error| error.to_string())?
            {
                Some(letter) => text.push(letter),
                None => text.push_str(
                    quick_xml::escape::resolve_xml_entity(&reference.xml10_content())
                        .unwrap_or_default(),
                ),
            },
            Event::End(end) => match end.local_name().as_ref() {
                "p" => inside = inside.saturating_sub(1),
                "table-cell" => return Ok(text),
                _ => {}
            },
            Event::Eof => return Err("a cell does not end".to_owned()),
            _ => {}
        }
        if text.len() > bytes_max {
            return Err(format!("a cell holds more than {bytes_max} bytes"));
        }
    }
}
