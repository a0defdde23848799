//! Tables, rows and cells of a page, as its tags come: a small part of how browsers build a page (HTML, 13.2.6.4.9 "in table" and after),
//! so that cells and rows that are never closed end where the next begins.

use std::cell::RefCell;
use std::collections::VecDeque;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// Tables inside one another.
const DEPTH_MAX: usize = 256;
/// Cells of one row.
const CELLS_MAX: usize = 16_384;

/// What comes next.
pub(crate) enum Found {
    /// A table begins; tables are numbered as they begin.
    Table { id: String },
    /// A table's caption.
    Caption { table: usize, text: String },
    /// A row, whole.
    Row { table: usize, row: PageRow },
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PageRow {
    /// Whether it stands in a `thead`.
    pub(crate) in_head: bool,
    /// Which `thead`, `tbody` or `tfoot` of the table it stands in: spans end with it.
    pub(crate) section: usize,
    pub(crate) cells: Vec<PageCell>,
}

/// A cell of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PageCell {
    /// Its text, with single spaces for all that is white.
    pub(crate) text: String,
    pub(crate) is_header: bool,
    /// Columns that it covers.
    pub(crate) columns: u32,
    /// Rows that it covers; 0: all to the end of its section.
    pub(crate) rows: u32,
}

/// A page being read.
pub(crate) struct Page {
    tokenizer: Tokenizer<Sink>,
    input: BufferQueue,
}

struct Sink(RefCell<State>);

/// Where the reading stands.
#[derive(Default)]
struct State {
    found: VecDeque<Found>,
    begun: usize,
    open: Vec<OpenTable>,
    /// Inside an element whose text is not shown.
    silent: bool,
    text_bytes_max: usize,
    too_long: bool,
}

/// A table that has begun.
#[derive(Default)]
struct OpenTable {
    number: usize,
    in_head: bool,
    section: usize,
    row: Option<PageRow>,
    cell: Option<PageCell>,
    caption: Option<String>,
}

impl Page {
    pub(crate) fn new(text_bytes_max: usize) -> Self {
        let state = State {
            text_bytes_max,
            ..State::default()
        };
        Self {
            tokenizer: Tokenizer::new(Sink(RefCell::new(state)), TokenizerOpts::default()),
            input: BufferQueue::default(),
        }
    }

    pub(crate) fn feed(&self, text: &str, is_last: bool) {
        self.input.push_back(StrTendril::from_slice(text));
        // It stops early for scripts and encodings only, which the sink passes over.
        let _done = self.tokenizer.feed(&self.input);
        if is_last {
            self.tokenizer.end();
            self.tokenizer.sink.0.borrow_mut().end();
        }
    }

    /// What has been found since; an error where a cell is too long.
    pub(crate) fn next(&self) -> Result<Option<Found>, String> {
        let mut state = self.tokenizer.sink.0.borrow_mut();
        match state.too_long {
            true => Err(format!(
                "a cell or row is longer than {} bytes or {CELLS_MAX} cells",
                state.text_bytes_max
            )),
            false => Ok(state.found.pop_front()),
        }
    }
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => state.text(&text),
            Token::TagToken(tag) => return state.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn text(&mut self, text: &str) {
        if self.silent {
            return;
        }
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let into = match (&mut open.cell, &mut open.caption) {
            (Some(cell), _) => &mut cell.text,
            (None, Some(caption)) => caption,
            (None, None) => return,
        };
        push_collapsed(text, into);
        self.too_long |= into.len() > self.text_bytes_max;
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        if tag.kind == TagKind::StartTag {
            self.start(name, tag);
        } else {
            self.close(name);
        }
        // What stands in these is no markup (13.2.5.4 and after); the tokenizer is told, as a browser's would be.
        if tag.kind == TagKind::StartTag && !tag.self_closing {
            match name {
                "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                "style" | "xmp" | "iframe" | "noembed" | "noframes" => {
                    return TokenSinkResult::RawData(RawKind::Rawtext);
                }
                "textarea" | "title" => return TokenSinkResult::RawData(RawKind::Rcdata),
                "plaintext" => return TokenSinkResult::Plaintext,
                _ => {}
            }
        }
        TokenSinkResult::Continue
    }

    fn start(&mut self, name: &str, tag: &Tag) {
        match name {
            "table" => self.begin_table(attribute(tag, "id").unwrap_or_default().trim().to_owned()),
            "script" | "style" | "textarea" | "title" | "iframe" | "noembed" | "noframes" => {
                self.silent = true
            }
            "tr" => {
                self.end_row();
                self.with_open(|open| open.begin_row());
            }
            "td" | "th" => {
                self.end_cell();
                let cell = PageCell {
                    is_header: name == "th",
                    columns: span(tag, "colspan").clamp(1, 1000),
                    rows: span(tag, "rowspan").min(65_534),
                    ..PageCell::default()
                };
                self.with_open(|open| {
                    if open.row.is_none() {
                        open.begin_row();
                    }
                    open.cell = Some(cell);
                });
            }
            "thead" | "tbody" | "tfoot" => {
                self.end_row();
                self.with_open(|open| {
                    open.section += 1;
                    open.in_head = name == "thead";
                });
            }
            "caption" => {
                self.end_row();
                self.with_open(|open| open.caption = Some(String::new()));
            }
            // What begins a line of its own, or stands for white space.
            "br" | "p" | "div" | "li" | "ul" | "ol" | "dl" | "dt" | "dd" | "hr" | "h1" | "h2"
            | "h3" | "h4" | "h5" | "h6" | "pre" | "section" => self.text(" "),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "table" => self.end_table(),
            "script" | "style" | "textarea" | "title" | "iframe" | "noembed" | "noframes" => {
                self.silent = false
            }
            "td" | "th" => self.end_cell(),
            "tr" => self.end_row(),
            "thead" | "tbody" | "tfoot" => {
                self.end_row();
                self.with_open(|open| {
                    open.section += 1;
                    open.in_head = false;
                });
            }
            "caption" => self.end_caption(),
            "p" | "div" | "li" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.text(" ")
            }
            _ => {}
        }
    }

    fn with_open(&mut self, change: impl FnOnce(&mut OpenTable)) {
        if let Some(open) = self.open.last_mut() {
            change(open);
        }
    }

    /// A table inside a cell is one of its own; one that begins between cells ends the one before.
    fn begin_table(&mut self, id: String) {
        if self
            .open
            .last()
            .is_some_and(|open| open.cell.is_none() && open.caption.is_none())
        {
            self.end_table();
        }
        if self.open.len() >= DEPTH_MAX {
            return;
        }
        self.open.push(OpenTable {
            number: self.begun,
            ..OpenTable::default()
        });
        self.begun += 1;
        self.found.push_back(Found::Table { id });
    }

    fn end_table(&mut self) {
        self.end_row();
        self.open.pop();
    }

    fn end_row(&mut self) {
        self.end_cell();
        self.end_caption();
        let ended = self
            .open
            .last_mut()
            .and_then(|open| Some((open.number, open.row.take()?)));
        if let Some((table, row)) = ended {
            self.found.push_back(Found::Row { table, row });
        }
    }

    fn end_cell(&mut self) {
        let bytes_max = self.text_bytes_max;
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let (Some(mut cell), Some(row)) = (open.cell.take(), open.row.as_mut()) else {
            return;
        };
        cell.text.truncate(cell.text.trim_end().len());
        row.cells.push(cell);
        let bytes: usize = row.cells.iter().map(|cell| cell.text.len()).sum();
        self.too_long |= row.cells.len() > CELLS_MAX || bytes > bytes_max;
    }

    fn end_caption(&mut self) {
        let ended = self
            .open
            .last_mut()
            .and_then(|open| Some((open.number, open.caption.take()?)));
        if let Some((table, text)) = ended {
            self.found.push_back(Found::Caption {
                table,
                text: text.trim_end().to_owned(),
            });
        }
    }

    fn end(&mut self) {
        while !self.open.is_empty() {
            self.end_table();
        }
    }
}

impl OpenTable {
    fn begin_row(&mut self) {
        self.row = Some(PageRow {
            in_head: self.in_head,
            section: self.section,
            cells: Vec::new(),
        });
    }
}

/// Text with single spaces for all that is white, and none at the start.
fn push_collapsed(text: &str, into: &mut String) {
    for letter in text.chars() {
        if !letter.is_whitespace() {
            into.push(letter);
        } else if !into.is_empty() && !into.ends_with(' ') {
            into.push(' ');
        }
    }
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    tag.attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)
        .map(|attribute| attribute.value.to_string())
}

/// A span as browsers read it: the digits at its start, 1 if there are none.
fn span(tag: &Tag, name: &str) -> u32 {
    let Some(text) = attribute(tag, name) else {
        return 1;
    };
    let digits: String = text
        .trim()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or(1)
}
