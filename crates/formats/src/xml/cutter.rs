//! Records in a document: found by their path, each cut out whole.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::blocks::Cut;
use crate::encoding::TextEncoding;
use crate::error::{FormatError, nearest};
use crate::json::{Block, Record};
use crate::xml::scan::{Edge, Scanner, local};

/// Elements around the records, at most.
const DEPTH_MAX: usize = 256;
/// Names that are remembered to suggest one.
const NAMES_MAX: usize = 64;

/// The record under way.
#[derive(Debug)]
struct Open {
    /// Its name, with the prefix.
    name: Vec<u8>,
    /// Elements of that name that are open.
    depth: usize,
    /// Elements open in it that have its parent's name.
    parents: usize,
    byte: u64,
    line: u64,
}

/// Cuts a document at the ends of its records. Inside a record it looks for nothing but the record's end, so that what is broken there
/// is this record's alone.
#[derive(Debug)]
pub(crate) struct RecordCutter {
    part: String,
    path: Vec<String>,
    /// Local names of elements that are records wherever they stand.
    anywhere: &'static [&'static str],
    record_bytes_max: usize,
    encoding: TextEncoding,
    scanner: Scanner,
    /// Names of the elements that are open around the records.
    stack: Vec<Vec<u8>>,
    /// How many of them are on the path.
    matched: usize,
    /// The longest way along the path so far, and the names of elements at its end.
    furthest: usize,
    names: Vec<String>,
    started: bool,
    open: Option<Open>,
    tail: Vec<u8>,
    is_too_long: bool,
    row: i64,
    /// Where the tag under way starts.
    tag_byte: u64,
    position: u64,
    line: u64,
}

/// One chunk being read.
struct Chunk<'a> {
    bytes: &'a Bytes,
    /// Where the record's bytes start in it, or the tag that may open one.
    start: usize,
    records: Vec<Record>,
}

impl RecordCutter {
    pub(crate) fn new(
        part: &str,
        path: &[String],
        record_bytes_max: usize,
        encoding: TextEncoding,
    ) -> Self {
        Self {
            part: part.to_owned(),
            path: path.to_vec(),
            anywhere: &[],
            record_bytes_max,
            encoding,
            scanner: Scanner::new(),
            stack: Vec::new(),
            matched: 0,
            furthest: 0,
            names: Vec::new(),
            started: false,
            open: None,
            tail: Vec::new(),
            is_too_long: false,
            row: 1,
            tag_byte: 0,
            position: 0,
            line: 1,
        }
    }

    /// Elements of these local names are records, at whatever depth; those inside a record are part of it.
    pub(crate) fn of_names(
        part: &str,
        names: &'static [&'static str],
        record_bytes_max: usize,
        encoding: TextEncoding,
    ) -> Self {
        Self {
            anywhere: names,
            ..Self::new(part, &[], record_bytes_max, encoding)
        }
    }

    fn error(&self, byte: u64, line: u64, reason: &str) -> FormatError {
        FormatError::Document {
            name: self.part.clone(),
            byte: self.encoding.byte_in_part(byte).unwrap_or(byte),
            reason: format!("line {line}: {reason}"),
        }
    }

    fn structure(&self, index: usize, chunk: &[u8], reason: &str) -> FormatError {
        let lines = memchr::memchr_iter(b'\n', &chunk[..index]).count() as u64;
        self.error(self.position + index as u64, self.line + lines, reason)
    }

    /// An edge whose last byte is at `index`.
    fn edge(&mut self, edge: Edge, index: usize, chunk: &mut Chunk<'_>) -> Result<(), FormatError> {
        match (self.open.is_some(), edge) {
            (true, _) => self.inside(edge, index, chunk),
            (false, Edge::Stray) => {
                Err(self.structure(index, chunk.bytes, "a `<` starts no tag, or cuts one off"))
            }
            (false, Edge::Opens | Edge::Empty) => self.opens(edge == Edge::Empty, index, chunk),
            (false, Edge::Closes) => self.closes(index, chunk),
        }
    }

    fn opens(
        &mut self,
        is_empty: bool,
        index: usize,
        chunk: &mut Chunk<'_>,
    ) -> Result<(), FormatError> {
        if self.stack.is_empty() && std::mem::replace(&mut self.started, true) {
            return Err(self.structure(
                index,
                chunk.bytes,
                "another element follows the document's root",
            ));
        }
        let name = local(self.scanner.name());
        let on_path = self.matched == self.stack.len();
        let next = self.path.get(self.matched).filter(|_| on_path);
        let matches = next.is_some_and(|next| next == "*" || next.as_bytes() == name);
        if on_path && self.matched >= self.furthest && !matches && self.names.len() < NAMES_MAX {
            self.names.push(String::from_utf8_lossy(name).into_owned());
        }
        let is_wanted = self.anywhere.iter().any(|wanted| wanted.as_bytes() == name);
        if is_wanted || (matches && self.matched + 1 == self.path.len()) {
            self.furthest = self.path.len();
            let lines = memchr::memchr_iter(b'\n', &chunk.bytes[..index]).count() as u64;
            self.open = Some(Open {
                name: self.scanner.name().to_vec(),
                depth: 1,
                parents: 0,
                byte: self.tag_byte,
                line: self.line + lines,
            });
            if is_empty {
                self.end(index + 1, usize::MAX, chunk);
            }
            return Ok(());
        }
        let matched = self.matched + usize::from(matches);
        if matched > self.furthest {
            self.furthest = matched;
            self.names.clear();
        }
        if is_empty {
            return Ok(());
        }
        if self.stack.len() >= DEPTH_MAX {
            let reason = format!("elements nest more than {DEPTH_MAX} deep");
            return Err(self.structure(index, chunk.bytes, &reason));
        }
        self.matched = matched;
        self.stack.push(self.scanner.name().to_vec());
        self.forget();
        Ok(())
    }

    fn closes(&mut self, index: usize, chunk: &mut Chunk<'_>) -> Result<(), FormatError> {
        let name = self.scanner.name();
        let expected = self.stack.last().map(Vec::as_slice);
        if expected != Some(name) {
            let reason = match expected {
                Some(expected) => format!(
                    "`</{}>` stands where `</{}>` is expected",
                    String::from_utf8_lossy(name),
                    String::from_utf8_lossy(expected)
                ),
                None => format!("`</{}>` closes nothing", String::from_utf8_lossy(name)),
            };
            return Err(self.structure(index, chunk.bytes, &reason));
        }
        self.stack.pop();
        self.matched = self.matched.min(self.stack.len());
        self.forget();
        Ok(())
    }

    /// The tag was no record's.
    fn forget(&mut self) {
        self.tail.clear();
        self.is_too_long = false;
    }

    fn inside(
        &mut self,
        edge: Edge,
        index: usize,
        chunk: &mut Chunk<'_>,
    ) -> Result<(), FormatError> {
        let parent = self.stack.last().map(Vec::as_slice);
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        let name = self.scanner.name();
        let (is_record, is_parent) = (name == open.name, parent == Some(name));
        match edge {
            Edge::Opens if is_record => open.depth += 1,
            Edge::Opens if is_parent => open.parents += 1,
            Edge::Closes if is_record => {
                open.depth -= 1;
                if open.depth == 0 {
                    self.end(index + 1, usize::MAX, chunk);
                }
            }
            Edge::Closes if is_parent && open.parents == 0 => {
                // The list ends before the record: its own end tag is missing.
                let bytes = usize::try_from(self.tag_byte - open.byte).unwrap_or(usize::MAX);
                self.end(index + 1, bytes, chunk);
                return self.closes(index, chunk);
            }
            Edge::Closes if is_parent => open.parents -= 1,
            _ => {}
        }
        Ok(())
    }

    /// The record ends before `end`, or after so many bytes: what follows them is no part of it.
    fn end(&mut self, end: usize, bytes_max: usize, chunk: &mut Chunk<'_>) {
        let Some(open) = self.open.take() else { return };
        let read = &chunk.bytes[chunk.start.min(end)..end];
        let mut bytes = if self.tail.is_empty() {
            chunk.bytes.slice_ref(read)
        } else {
            self.keep(read);
            Bytes::from(std::mem::take(&mut self.tail))
        };
        bytes.truncate(bytes_max);
        let is_too_long =
            std::mem::take(&mut self.is_too_long) || bytes.len() > self.record_bytes_max;
        chunk.records.push(Record {
            bytes: bytes.slice(..bytes.trim_ascii_end().len()),
            byte: open.byte,
            is_too_long,
        });
        chunk.start = end;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (self.record_bytes_max + 1).saturating_sub(self.tail.len());
        self.is_too_long |= bytes.len() > room;
        self.tail.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Cut for RecordCutter {
    type Block = Block;

    fn feed(&mut self, bytes: Bytes, blocks: &mut VecDeque<Block>) -> Result<(), FormatError> {
        let mut chunk = Chunk {
            bytes: &bytes,
            start: 0,
            records: Vec::new(),
        };
        let mut index = 0;
        while index < bytes.len() {
            let skipped = self.scanner.skip(&bytes[index..]);
            if self.stack.is_empty() && self.open.is_none() && self.scanner.is_text() {
                let text = &bytes[index..index + skipped];
                if let Some(odd) = text.iter().position(|byte| !byte.is_ascii_whitespace()) {
                    return Err(self.structure(
                        index + odd,
                        &bytes,
                        "text stands outside the document's root",
                    ));
                }
            }
            index += skipped;
            let Some(&byte) = bytes.get(index) else { break };
            if byte == b'<' && self.open.is_none() {
                self.forget();
                chunk.start = index;
            }
            if byte == b'<' {
                self.tag_byte = self.position + index as u64;
            }
            if let Some(edge) = self.scanner.step(byte) {
                self.edge(edge, index, &mut chunk)?;
            }
            index += 1;
        }
        let records = std::mem::take(&mut chunk.records);
        let start = chunk.start;
        // A tag that goes on in the next chunk may open a record.
        if self.open.is_some() || !self.scanner.is_text() {
            self.keep(&bytes[start..]);
        }
        self.position += bytes.len() as u64;
        self.line += memchr::memchr_iter(b'\n', &bytes).count() as u64;
        if !records.is_empty() {
            let row = self.row;
            self.row += records.len() as i64;
            blocks.push_back(Block { row, records });
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut VecDeque<Block>) -> Result<(), FormatError> {
        if let Some(open) = &self.open {
            let name = String::from_utf8_lossy(&open.name);
            let reason = format!("the document ends inside this record, before `</{name}>`");
            return Err(self.error(open.byte, open.line, &reason));
        }
        if let Some(name) = self.stack.last() {
            let reason = format!(
                "the document ends before `</{}>`",
                String::from_utf8_lossy(name)
            );
            return Err(self.error(self.position, self.line, &reason));
        }
        if !self.scanner.is_text() {
            return Err(self.error(self.tag_byte, self.line, "the document ends inside a tag"));
        }
        if !self.started {
            return Err(self.error(self.position, self.line, "there is no element in it"));
        }
        // A list of nothing is one; a list of something else is a mistake in the path.
        let is_empty_list = self.furthest + 1 == self.path.len() && self.names.is_empty();
        if self.furthest < self.path.len() && !is_empty_list {
            let missed = &self.path[self.furthest];
            let near = nearest(missed, self.names.iter().map(String::as_str));
            let whole = |near: String| {
                let known = self.path[..self.furthest].iter().cloned();
                known.chain([near]).collect::<Vec<_>>().join("/")
            };
            return Err(FormatError::RecordPath {
                name: self.part.clone(),
                path: self.path.join("/"),
                near: near.map(whole),
            });
        }
        Ok(())
    }
}
