//! A record per line.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::json::{Block, Record};

/// Cuts at line ends; empty lines are nothing.
#[derive(Debug)]
pub(crate) struct LineCutter {
    record_bytes_max: usize,
    row: i64,
    position: u64,
    /// A line's beginning; of one that is too long, its first bytes.
    tail: Vec<u8>,
    tail_byte: u64,
    is_too_long: bool,
}

impl LineCutter {
    pub(crate) fn new(record_bytes_max: usize) -> Self {
        Self {
            record_bytes_max,
            row: 1,
            position: 0,
            tail: Vec::new(),
            tail_byte: 0,
            is_too_long: false,
        }
    }

    pub(crate) fn feed(&mut self, chunk: &Bytes, blocks: &mut VecDeque<Block>) {
        let mut records = Vec::new();
        let mut start = 0;
        // No JSON string holds a bare line end, so a lone CR ends a line as well.
        for end in memchr::memchr2_iter(b'\n', b'\r', chunk) {
            if self.tail.is_empty() {
                let byte = self.position + start as u64;
                self.push(chunk.slice(start..end), byte, false, &mut records);
            } else {
                self.keep(&chunk[start..end], start);
                self.end_tail(&mut records);
            }
            start = end + 1;
        }
        self.keep(&chunk[start..], start);
        self.position += chunk.len() as u64;
        self.give(records, blocks);
    }

    pub(crate) fn finish(&mut self, blocks: &mut VecDeque<Block>) {
        let mut records = Vec::new();
        self.end_tail(&mut records);
        self.give(records, blocks);
    }

    fn keep(&mut self, bytes: &[u8], start: usize) {
        if self.tail.is_empty() {
            self.tail_byte = self.position + start as u64;
        }
        let room = (self.record_bytes_max + 1).saturating_sub(self.tail.len());
        self.is_too_long |= bytes.len() > room;
        self.tail.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_tail(&mut self, records: &mut Vec<Record>) {
        let tail = Bytes::from(std::mem::take(&mut self.tail));
        let is_too_long = std::mem::take(&mut self.is_too_long);
        self.push(tail, self.tail_byte, is_too_long, records);
    }

    fn push(&self, line: Bytes, byte: u64, is_too_long: bool, records: &mut Vec<Record>) {
        let record = line.trim_ascii();
        if !record.is_empty() {
            let is_too_long = is_too_long || record.len() > self.record_bytes_max;
            let before = line.len() - line.trim_ascii_start().len();
            records.push(Record {
                bytes: line.slice_ref(record),
                byte: byte + before as u64,
                is_too_long,
            });
        }
    }

    fn give(&mut self, records: Vec<Record>, blocks: &mut VecDeque<Block>) {
        if !records.is_empty() {
            let row = self.row;
            self.row += records.len() as i64;
            blocks.push_back(Block { row, records });
        }
    }
}
