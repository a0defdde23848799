//! The rows of a piece of a sheet (ECMA-376 part 1, 18.3.1.73 `row` and 18.3.1.4 `c`).

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::workbook::row::{Fault, Row};
use crate::workbook::strings::Strings;
use crate::workbook::value::{self, DateSystem, Shown, letters};

/// Rows that a sheet may have.
pub(crate) const ROWS_MAX: u32 = 1_048_576;

/// What cells refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Book<'a> {
    pub(crate) strings: &'a Strings,
    pub(crate) styles: &'a [Shown],
    pub(crate) system: DateSystem,
}

/// Reads row after row.
pub(crate) struct Rows<'a> {
    reader: Reader<&'a [u8]>,
    book: Book<'a>,
    /// The next row's number, where it does not say its own.
    number: u32,
    value: String,
    text_bytes_max: usize,
}

/// What a cell's attributes say.
struct Head {
    column: u32,
    shown: Shown,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Shared,
    Inline,
    FormulaText,
    Bool,
    Error,
    Date,
}

/// What stands inside a cell.
#[derive(Default)]
struct Inside {
    has_value: bool,
    has_formula: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        piece: &'a [u8],
        first: u32,
        book: Book<'a>,
        text_bytes_max: usize,
    ) -> Result<Self, String> {
        let text =
            simdutf8::basic::from_utf8(piece).map_err(|_| "its sheet is no UTF-8".to_owned())?;
        let mut reader = Reader::from_str(text);
        // Pieces are cut at closing tags, and what does not nest is found by the cells themselves.
        reader.config_mut().check_end_names = false;
        Ok(Self {
            reader,
            book,
            number: first,
            value: String::new(),
            text_bytes_max,
        })
    }

    /// The next row, cells and all; false when there is none.
    pub(crate) fn next(&mut self, row: &mut Row) -> Result<bool, String> {
        loop {
            match self.event()? {
                Event::Start(start) if start.local_name().as_ref() == "row" => {
                    self.begin(&start, row)?;
                    self.cells(row)?;
                    return Ok(true);
                }
                Event::Empty(start) if start.local_name().as_ref() == "row" => {
                    self.begin(&start, row)?
                }
                Event::Eof => return Ok(false),
                _ => {}
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>, String> {
        self.reader.read_event().map_err(|error| error.to_string())
    }

    fn begin(&mut self, start: &BytesStart<'_>, row: &mut Row) -> Result<(), String> {
        let mut number = self.number;
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| error.to_string())?;
            if attribute.key.as_ref() == "r" {
                number = attribute
                    .value
                    .parse()
                    .map_err(|_| format!("a row's number is `{}`", attribute.value))?;
                break;
            }
        }
        if number == 0 || number > ROWS_MAX {
            return Err(format!("a row's number is {number}"));
        }
        // Spreadsheet programs refuse it too; a row that comes twice would be two records of one number.
        if number < self.number {
            return Err(format!("row {number} comes after row {}", self.number - 1));
        }
        self.number = number + 1;
        row.clear(number);
        Ok(())
    }

    fn cells(&mut self, row: &mut Row) -> Result<(), String> {
        let mut column = 0;
        loop {
            match self.event()? {
                Event::Start(start) if start.local_name().as_ref() == "c" => {
                    let head = self.head(&start, column)?;
                    column = head.column + 1;
                    let inside = self.inside(&head, row)?;
                    self.end(&head, &inside, row)?;
                }
                Event::Empty(start) if start.local_name().as_ref() == "c" => {
                    column = self.head(&start, column)?.column + 1
                }
                Event::End(end) if end.local_name().as_ref() == "row" => return Ok(()),
                Event::Eof => return Err(format!("row {} does not end", row.number)),
                _ => {}
            }
        }
    }

    fn head(&self, start: &BytesStart<'_>, column: u32) -> Result<Head, String> {
        let mut head = Head {
            column,
            shown: Shown::Number,
            kind: Kind::Number,
        };
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| error.to_string())?;
            match attribute.key.as_ref() {
                "r" => {
                    head.column = value::address(&attribute.value)
                        .ok_or_else(|| format!("a cell's place is `{}`", attribute.value))?
                        .0
                }
                "s" => {
                    let style = attribute.value.parse::<usize>().ok();
                    head.shown = style
                        .and_then(|style| self.book.styles.get(style))
                        .copied()
                        .unwrap_or_default();
                }
                "t" => {
                    head.kind = match &*attribute.value {
                        "n" => Kind::Number,
                        "s" => Kind::Shared,
                        "inlineStr" => Kind::Inline,
                        "str" => Kind::FormulaText,
                        "b" => Kind::Bool,
                        "e" => Kind::Error,
                        "d" => Kind::Date,
                        other => return Err(format!("a cell's type is `{other}`")),
                    };
                }
                _ => {}
            }
        }
        Ok(head)
    }

    /// Reads up to the cell's end: an inline text goes into the row, a value is kept.
    fn inside(&mut self, head: &Head, row: &mut Row) -> Result<Inside, String> {
        let mut inside = Inside::default();
        self.value.clear();
        loop {
            match self.event()? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "v" => {
                        inside.has_value = true;
                        let mut value = std::mem::take(&mut self.value);
                        text(&mut self.reader, "v", &mut value, self.text_bytes_max)?;
                        self.value = value;
                    }
                    "f" => {
                        inside.has_formula = true;
                        skip(&mut self.reader, "f")?;
                    }
                    "t" if head.kind == Kind::Inline => {
                        inside.has_value = true;
                        let bytes_max = self.text_bytes_max.saturating_sub(row.filled());
                        text(&mut self.reader, "t", row.text(), bytes_max)?;
                    }
                    "rPh" => skip(&mut self.reader, "rPh")?,
                    _ => {}
                },
                Event::Empty(start) => match start.local_name().as_ref() {
                    "v" => inside.has_value = true,
                    "f" => inside.has_formula = true,
                    _ => {}
                },
                Event::End(end) if end.local_name().as_ref() == "c" => return Ok(inside),
                Event::Eof => return Err(format!("a cell of row {} does not end", row.number)),
                _ => {}
            }
        }
    }

    fn end(&self, head: &Head, inside: &Inside, row: &mut Row) -> Result<(), String> {
        // Programs that cannot compute write an empty value. A text that a formula makes may be empty, a number never is.
        let is_blank = head.kind == Kind::Number && self.value.trim().is_empty();
        if inside.has_formula && (!inside.has_value || is_blank) {
            row.push_fault(head.column, Fault::Uncomputed);
        }
        match head.kind {
            Kind::Shared if self.value.is_empty() => {}
            Kind::Shared => {
                let index = self
                    .value
                    .trim()
                    .parse::<u32>()
                    .ok()
                    .filter(|index| (*index as usize) < self.book.strings.len());
                let index = index.ok_or_else(|| {
                    format!(
                        "cell {}{} refers to shared text {}, of which there are {}",
                        letters(head.column),
                        row.number,
                        self.value,
                        self.book.strings.len()
                    )
                })?;
                if !self.book.strings.get(index).is_empty() {
                    row.push_shared(head.column, index);
                }
            }
            Kind::Inline => {
                unescape(row);
                row.end_cell(head.column, false);
            }
            Kind::FormulaText => {
                row.text().push_str(&self.value);
                unescape(row);
                row.end_cell(head.column, false);
            }
            Kind::Error => {
                row.push_text(head.column, &self.value);
                row.push_fault(head.column, Fault::Error);
            }
            Kind::Bool => {
                let text = match self.value.trim() {
                    "1" => "true",
                    "0" => "false",
                    other => other,
                };
                row.push_text(head.column, text);
            }
            Kind::Date => {
                row.text().push_str(self.value.trim());
                row.end_cell(head.column, true);
            }
            Kind::Number => self.number(head, row),
        }
        Ok(())
    }

    fn number(&self, head: &Head, row: &mut Row) {
        let serial = match head.shown {
            Shown::Number => None,
            Shown::Date | Shown::Duration => value::finite(&self.value),
        };
        let is_number = match serial {
            Some(serial) => {
                value::push_serial(serial, head.shown, self.book.system, row.text());
                true
            }
            None => value::number(&self.value, row.text()),
        };
        if !is_number {
            row.text().push_str(&self.value);
        }
        row.end_cell(head.column, is_number);
    }
}

/// Text up to the closing tag.
pub(crate) fn text(
    reader: &mut Reader<&[u8]>,
    tag: &str,
    into: &mut String,
    bytes_max: usize,
) -> Result<(), String> {
    let start = into.len();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Text(text) => into.push_str(&text.xml10_content()),
            Event::CData(text) => into.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference
                .resolve_char_ref()
                .map_err(|error| error.to_string())?
            {
                Some(letter) => into.push(letter),
                None => {
                    let name = reference.xml10_content();
                    let entity = quick_xml::escape::resolve_xml_entity(&name)
                        .ok_or_else(|| format!("there is no entity `{name}`"))?;
                    into.push_str(entity);
                }
            },
            Event::End(end) if end.local_name().as_ref() == tag => return Ok(()),
            Event::Eof => return Err(format!("a `{tag}` does not end")),
            _ => {}
        }
        if into.len() - start > bytes_max {
            return Err(format!("a cell holds more than {bytes_max} bytes"));
        }
    }
}

/// Reads past the closing tag.
pub(crate) fn skip(reader: &mut Reader<&[u8]>, tag: &str) -> Result<(), String> {
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::End(end) if end.local_name().as_ref() == tag => return Ok(()),
            Event::Eof => return Err(format!("a `{tag}` does not end")),
            _ => {}
        }
    }
}

/// The cell being filled, with its escapes undone.
fn unescape(row: &mut Row) {
    let start = row.text().len() - row.filled();
    unescape_from(row.text(), start);
}

/// Excel writes what XML cannot hold as `_xHHHH_`, and an underscore that would look like it as `_x005F_` (ECMA-376 part 1, 22.9.2.19).
pub(crate) fn unescape_from(text: &mut String, start: usize) {
    if memchr::memmem::find(&text.as_bytes()[start..], b"_x").is_none() {
        return;
    }
    let escaped = text.split_off(start);
    let mut rest = escaped.as_str();
    while let Some(at) = rest.find("_x") {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let digits = rest
            .get(2..6)
            .filter(|_| rest.as_bytes().get(6) == Some(&b'_'));
        let letter = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        match letter {
            // Word's line end inside a cell is a carriage return before the line feed that is there already.
            Some('\r') if rest[7..].starts_with('\n') => {}
            Some(letter) => text.push(letter),
            None => text.push_str(&rest[..2]),
        }
        rest = &rest[if letter.is_some() { 7 } else { 2 }..];
    }
    text.push_str(rest);
}

/// An area such as `A1:C2`, of a `mergeCell`.
pub(crate) fn area(start: &BytesStart<'_>) -> Option<((u32, u32), (u32, u32))> {
    let area = start.try_get_attribute("ref").ok()??;
    let area = area.normalized_value(XmlVersion::Implicit1_0).ok()?;
    let (first, last) = area.split_once(':')?;
    Some((value::address(first)?, value::address(last)?))
}
