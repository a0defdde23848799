//! Records in the list that a document is, or holds at a path: found by brackets and strings alone.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::encoding::TextEncoding;
use crate::error::{FormatError, nearest};
use crate::json::{Block, Record};

/// Bytes of a key that are compared with the path.
const KEY_BYTES_MAX: usize = 1024;
/// Keys that are remembered to suggest one.
const KEYS_MAX: usize = 64;

/// Where the cutter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// On the way to the records.
    Seek,
    /// In the list of records.
    List,
    /// In the one record there is.
    Single,
    /// Past the records.
    Past,
}

/// Cuts a document at the ends of its records.
#[derive(Debug)]
pub(crate) struct DocumentCutter {
    name: String,
    path: Vec<String>,
    record_bytes_max: usize,
    encoding: TextEncoding,
    phase: Phase,
    /// Open brackets around the records, and around the byte outside them.
    depth: usize,
    /// Keys of the path that lead to where the cutter stands.
    matched: usize,
    in_string: bool,
    escaped: bool,
    /// The string being read, or the last one, where it may be a key of the path.
    key: Vec<u8>,
    /// The value that comes is the path's next step.
    enters: bool,
    /// The number of the element of the document's own list, where the path begins with one.
    element: Option<u64>,
    keys: Vec<String>,
    started: bool,
    /// Open brackets in the record.
    record_depth: usize,
    in_record: bool,
    after_comma: bool,
    position: u64,
    row: i64,
    tail: Vec<u8>,
    record_byte: u64,
    is_too_long: bool,
    /// The byte of the text where the list ends after a comma.
    trailing_comma: Option<u64>,
}

impl DocumentCutter {
    pub(crate) fn new(
        name: &str,
        path: &[String],
        record_bytes_max: usize,
        encoding: TextEncoding,
    ) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_vec(),
            record_bytes_max,
            encoding,
            phase: Phase::Seek,
            depth: 0,
            matched: 0,
            in_string: false,
            escaped: false,
            key: Vec::new(),
            enters: path.is_empty(),
            element: None,
            keys: Vec::new(),
            started: false,
            record_depth: 0,
            in_record: false,
            after_comma: false,
            position: 0,
            row: 1,
            tail: Vec::new(),
            record_byte: 0,
            is_too_long: false,
            trailing_comma: None,
        }
    }

    /// The byte of the text where the list ends after a comma, which JSON does not allow and which loses nothing.
    pub(crate) fn trailing_comma(&self) -> Option<u64> {
        self.trailing_comma
    }

    pub(crate) fn feed(
        &mut self,
        chunk: &Bytes,
        blocks: &mut VecDeque<Block>,
    ) -> Result<(), FormatError> {
        let mut records = Vec::new();
        let (mut index, mut start) = (0, 0);
        while index < chunk.len() {
            index = match self.phase {
                Phase::Seek | Phase::Past => self.around(chunk, index)?,
                Phase::List | Phase::Single => {
                    self.inside(chunk, index, &mut start, &mut records)?
                }
            };
        }
        if self.in_record {
            self.keep(&chunk[start..]);
        }
        self.position += chunk.len() as u64;
        if !records.is_empty() {
            let row = self.row;
            self.row += records.len() as i64;
            blocks.push_back(Block { row, records });
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> Result<(), FormatError> {
        if self.in_record || self.phase == Phase::List {
            return Err(self.document(0, "the document ends inside the list of records"));
        }
        if self.depth > 0 || self.in_string {
            return Err(self.document(0, "the document ends before its brackets are closed"));
        }
        if !self.started {
            return Err(self.document(0, "there is no JSON in it"));
        }
        if self.phase == Phase::Seek {
            let missed = self.path.get(self.matched).map_or("", String::as_str);
            let near = nearest(missed, self.keys.iter().map(String::as_str));
            let near = near.map(|near| {
                self.path[..self.matched]
                    .iter()
                    .cloned()
                    .chain([near])
                    .collect::<Vec<_>>()
                    .join(".")
            });
            return Err(FormatError::RecordPath {
                name: self.name.clone(),
                path: self.path.join("."),
                near,
            });
        }
        Ok(())
    }

    fn document(&self, index: usize, reason: &str) -> FormatError {
        let byte = self.position + index as u64;
        let byte = self.encoding.byte_in_part(byte).unwrap_or(byte);
        FormatError::Document {
            name: self.name.clone(),
            byte,
            reason: reason.to_owned(),
        }
    }

    /// Bytes around the records, until they begin.
    fn around(&mut self, chunk: &[u8], mut index: usize) -> Result<usize, FormatError> {
        while index < chunk.len() {
            let byte = chunk[index];
            if self.in_string {
                index += self.string(&chunk[index..]);
                continue;
            }
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                b'{' | b'[' => {
                    if self.started && self.depth == 0 {
                        return Err(self.document(index, "another value follows the document; is there one per line (`format: ndjson`)?"));
                    }
                    self.started = true;
                    if self.opens(byte == b'[') {
                        // The record's own bracket is its first byte.
                        return Ok(if self.phase == Phase::List {
                            index + 1
                        } else {
                            index
                        });
                    }
                }
                b'}' | b']' => self.closes(index)?,
                _ if self.depth == 0 => {
                    return Err(self.document(index, "a list or an object is expected here"));
                }
                b'"' => {
                    self.in_string = true;
                    self.enters = false;
                    self.key.clear();
                }
                b':' => self.enters = self.is_next_key(),
                b',' => self.enters = self.is_next_element(),
                b'n' if self.enters && self.matched + 1 == self.path.len() => {
                    // A list that is null is an empty one.
                    self.phase = Phase::Past;
                    self.enters = false;
                }
                _ => self.enters = false,
            }
            index += 1;
        }
        Ok(index)
    }

    /// Inside a string; gives how many bytes were read.
    fn string(&mut self, rest: &[u8]) -> usize {
        let mut read = 0;
        if self.escaped {
            self.escaped = false;
            self.note_key(&rest[..1]);
            read = 1;
        }
        let Some(end) = memchr::memchr2(b'"', b'\\', &rest[read..]) else {
            self.note_key(&rest[read..]);
            return rest.len();
        };
        self.note_key(&rest[read..read + end]);
        match rest[read + end] {
            b'\\' => {
                self.note_key(b"\\");
                self.escaped = true;
            }
            _ => self.in_string = false,
        }
        read + end + 1
    }

    fn note_key(&mut self, bytes: &[u8]) {
        if self.phase == Phase::Seek
            && self.depth == self.matched + 1
            && self.key.len() < KEY_BYTES_MAX
        {
            self.key
                .extend_from_slice(&bytes[..bytes.len().min(KEY_BYTES_MAX)]);
        }
    }

    /// After a colon: whether the key before it is the path's next.
    fn is_next_key(&mut self) -> bool {
        if self.phase != Phase::Seek || self.depth != self.matched + 1 {
            return false;
        }
        let mut quoted = Vec::with_capacity(self.key.len() + 2);
        quoted.push(b'"');
        quoted.extend_from_slice(&self.key);
        quoted.push(b'"');
        let Ok(key) = serde_json::from_slice::<String>(&quoted) else {
            return false;
        };
        let is_next = self.path.get(self.matched).is_some_and(|next| *next == key);
        if self.keys.len() < KEYS_MAX && !is_next {
            self.keys.push(key);
        }
        is_next
    }

    /// After a comma: whether the element behind it is the path's first step.
    fn is_next_element(&mut self) -> bool {
        let Some(element) = self.element.as_mut().filter(|_| self.depth == 1) else {
            return false;
        };
        *element += 1;
        self.phase == Phase::Seek && self.path.first() == Some(&element.to_string())
    }

    /// An opening bracket; true where the records begin.
    fn opens(&mut self, is_list: bool) -> bool {
        let enters = std::mem::take(&mut self.enters) && self.phase == Phase::Seek;
        let is_target = enters && (self.path.is_empty() || self.matched + 1 == self.path.len());
        if is_target {
            self.phase = if is_list { Phase::List } else { Phase::Single };
            self.depth += usize::from(is_list);
            return true;
        }
        if enters && !is_list {
            self.matched += 1;
            self.keys.clear();
        }
        self.depth += 1;
        // Some services answer with a list of two: what is said of the answer, and its records.
        let is_number = |step: &String| step.bytes().all(|byte| byte.is_ascii_digit());
        if is_list && self.depth == 1 && self.path.first().is_some_and(is_number) {
            self.element = Some(0);
            self.enters = self.path[0] == "0";
        }
        false
    }

    fn closes(&mut self, index: usize) -> Result<(), FormatError> {
        self.enters = false;
        match self.depth.checked_sub(1) {
            Some(depth) => self.depth = depth,
            None => return Err(self.document(index, "a bracket is closed that was not opened")),
        }
        // What the path led into is left.
        if self.phase == Phase::Seek && self.depth <= self.matched {
            self.matched = self.depth.saturating_sub(1);
        }
        Ok(())
    }

    /// Bytes of the records, until they end.
    fn inside(
        &mut self,
        chunk: &Bytes,
        mut index: usize,
        start: &mut usize,
        records: &mut Vec<Record>,
    ) -> Result<usize, FormatError> {
        while index < chunk.len() {
            if self.in_string {
                index += self.string(&chunk[index..]);
                continue;
            }
            match chunk[index] {
                b' ' | b'\t' | b'\n' | b'\r' => {}
                b'{' | b'[' => {
                    self.begin(index, start);
                    self.record_depth += 1;
                }
                b'}' | b']' if self.record_depth > 0 => {
                    self.record_depth -= 1;
                    if self.phase == Phase::Single && self.record_depth == 0 {
                        self.end(chunk, *start, index + 1, records);
                        self.phase = Phase::Past;
                        return Ok(index + 1);
                    }
                }
                b']' => {
                    if self.in_record {
                        self.end(chunk, *start, index, records);
                    } else if self.after_comma {
                        self.trailing_comma = Some(self.position + index as u64);
                    }
                    self.phase = Phase::Past;
                    self.depth -= 1;
                    return Ok(index + 1);
                }
                b'}' => return Err(self.document(index, "a bracket is closed that was not opened")),
                b',' if self.record_depth == 0 => {
                    if !self.in_record {
                        return Err(self.document(index, "there is no value before this comma"));
                    }
                    self.end(chunk, *start, index, records);
                    self.after_comma = true;
                }
                byte => {
                    self.begin(index, start);
                    self.in_string = byte == b'"';
                }
            }
            index += 1;
        }
        Ok(index)
    }

    fn begin(&mut self, index: usize, start: &mut usize) {
        if !self.in_record {
            self.in_record = true;
            self.after_comma = false;
            self.record_byte = self.position + index as u64;
            *start = index;
        }
    }

    /// The record ends before `end`; what comes next in this chunk starts there.
    fn end(&mut self, chunk: &Bytes, start: usize, end: usize, records: &mut Vec<Record>) {
        let bytes = if self.tail.is_empty() {
            chunk.slice(start..end)
        } else {
            self.keep(&chunk[..end]);
            Bytes::from(std::mem::take(&mut self.tail))
        };
        let text = bytes.trim_ascii_end().len();
        let is_too_long = std::mem::take(&mut self.is_too_long) || text > self.record_bytes_max;
        records.push(Record {
            bytes: bytes.slice(..text),
            byte: self.record_byte,
            is_too_long,
        });
        self.in_record = false;
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (self.record_bytes_max + 1).saturating_sub(self.tail.len());
        self.is_too_long |= bytes.len() > room;
        self.tail.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}
