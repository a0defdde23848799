//! Rows of the elements of a list in each record.
//!
//! A column is named by its path from the record: `name` of the record itself, `data.name` of what is passed on the way, `wards.name`
//! of an element in `wards`, and `wards` for elements that are no objects. A name so never depends on what else a file holds. Rows are
//! numbered by elements; `_parent_row` is the number of the record. A record without elements is dropped, and counted so.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::blocks::Batches;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;
use crate::json::columns::Source;
use crate::json::decode::{Building, Decoder, fill, scalar, what};
use crate::json::fields::{fields, items};
use crate::json::{Block, Record};

/// Bytes of text in one batch, about: a record's own values stand in the row of each element.
const BATCH_BYTES: usize = 4 << 20;
/// What all rows of one record may repeat, in multiples of the longest record.
const REPEATS_MAX: usize = 64;

/// A record, divided.
pub(crate) struct Split<'a> {
    /// The record's own fields, by path.
    pub(crate) own: Vec<(Cow<'a, str>, &'a str)>,
    /// The elements of its list; none where there is no list.
    pub(crate) elements: Vec<&'a str>,
}

/// Divides a record at the list that a path leads to. An object where a list is expected is a list of one.
///
/// # Errors
/// When the record is no JSON, or the path leads through or to anything else.
pub(crate) fn split<'a>(record: &'a str, path: &[String]) -> Result<Split<'a>, String> {
    let mut split = Split {
        own: Vec::new(),
        elements: Vec::new(),
    };
    let mut object = record;
    let mut walked = String::new();
    for (step, key) in path.iter().enumerate() {
        let mut next = None;
        for (name, value) in fields(object).map_err(no_json)? {
            if name == *key {
                next = Some(value);
            } else if walked.is_empty() {
                split.own.push((name, value));
            } else {
                split
                    .own
                    .push((Cow::Owned(format!("{walked}.{name}")), value));
            }
        }
        let Some(value) = next.filter(|value| *value != "null") else {
            return Ok(split);
        };
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(key);
        let is_last = step + 1 == path.len();
        match value.as_bytes().first() {
            Some(b'[') if is_last => split.elements = items(value),
            Some(b'{') if is_last => split.elements = vec![value],
            Some(b'{') => object = value,
            _ => {
                let wanted = if is_last { "list" } else { "object" };
                return Err(format!("its `{walked}` is {}, no {wanted}", what(value)));
            }
        }
    }
    Ok(split)
}

pub(crate) fn no_json(error: serde_json::Error) -> String {
    format!("it is no valid JSON: {error}")
}

/// The rows of one block.
pub(crate) fn batches(decoder: Arc<Decoder>, path: Arc<[String]>, block: Block) -> Batches {
    let mut rows = Rows {
        decoder,
        path,
        records: block.records.into_iter(),
        parent_row: block.row,
        current: None,
    };
    Box::new(std::iter::from_fn(move || rows.batch().transpose()))
}

/// One record whose elements are being read.
struct Current {
    record: Record,
    parent_row: i64,
    /// The record's own value of each column.
    own: Vec<Option<String>>,
    elements: Vec<Range<usize>>,
    next: usize,
}

struct Rows {
    decoder: Arc<Decoder>,
    path: Arc<[String]>,
    records: std::vec::IntoIter<Record>,
    parent_row: i64,
    current: Option<Current>,
}

impl Rows {
    fn batch(&mut self) -> Result<Option<Decoded>, FormatError> {
        let mut building = self.decoder.building();
        let (mut rows, mut broken, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        let mut bytes = 0;
        while rows.len() + broken.len() + dropped.len() < self.decoder.batch_rows()
            && bytes < BATCH_BYTES
        {
            if let Some(current) = &mut self.current {
                bytes += push(&self.decoder, current, &mut building);
                rows.push(self.decoder.next_row());
                if current.next >= current.elements.len() {
                    self.current = None;
                }
                continue;
            }
            let Some(record) = self.records.next() else {
                break;
            };
            let parent_row = self.parent_row;
            self.parent_row += 1;
            match self.current(&record, parent_row) {
                Ok(Some(current)) => self.current = Some(current),
                Ok(None) => dropped.push(self.decoder.next_row()),
                Err(reason) => {
                    let byte = self.decoder.byte_in_part(record.byte);
                    let row = self.decoder.next_row();
                    broken.push(BrokenRecord::new(row, byte, reason, &record.bytes));
                }
            }
        }
        if rows.is_empty() && broken.is_empty() && dropped.is_empty() {
            return Ok(None);
        }
        self.decoder
            .decoded(building, rows, broken, dropped)
            .map(Some)
    }

    /// A record with elements, or none if it has none.
    fn current(&self, record: &Record, parent_row: i64) -> Result<Option<Current>, String> {
        let whole = self.decoder.text(record)?;
        if !whole.starts_with('{') {
            return Err(format!("it is {}, no JSON object", what(whole)));
        }
        let split = split(whole, &self.path)?;
        let Some(rest) = split.elements.len().checked_sub(1) else {
            return Ok(None);
        };
        let listed: usize = split.elements.iter().map(|element| element.len()).sum();
        let repeated = whole.len().saturating_sub(listed).saturating_mul(rest);
        if repeated > self.decoder.record_bytes_max().saturating_mul(REPEATS_MAX) {
            return Err(format!(
                "its {} elements would each repeat its long texts",
                rest + 1
            ));
        }
        let mut own = vec![None; self.decoder.columns().len()];
        for (key, value) in &split.own {
            for &place in self.decoder.places(key) {
                let value = scalar(value).map_err(no_json)?.map(Cow::into_owned);
                fill(&mut own[place], key, value)?;
            }
        }
        let start = whole.as_ptr() as usize;
        let place = |element: &&str| {
            let from = element.as_ptr() as usize - start;
            from..from + element.len()
        };
        let elements = split.elements.iter().map(place).collect();
        Ok(Some(Current {
            record: record.clone(),
            parent_row,
            own,
            elements,
            next: 0,
        }))
    }
}

/// Adds the row of the next element; gives its bytes.
fn push(decoder: &Decoder, current: &mut Current, building: &mut [Building]) -> usize {
    let range = current.elements[current.next].clone();
    current.next += 1;
    // Both were checked when the record was divided.
    let whole = std::str::from_utf8(&current.record.bytes).unwrap_or_default();
    let element = whole.get(range).unwrap_or_default();
    let mut values: Vec<Option<Cow<'_, str>>> = vec![None; building.len()];
    let named = fields(element).unwrap_or_default();
    for (key, value) in &named {
        for &place in decoder.element_places(key) {
            values[place] = scalar(value).unwrap_or_default();
        }
    }
    let item = match element.starts_with('{') {
        true => None,
        false => scalar(element).unwrap_or_default(),
    };
    let mut bytes = 0;
    for (place, (column, building)) in decoder.columns().iter().zip(building).enumerate() {
        let value = match &column.source {
            Source::Element(_) => values[place].as_deref(),
            Source::Item => item.as_deref(),
            Source::ElementText => Some(element),
            Source::Record => Some(whole),
            _ => current.own[place].as_deref(),
        };
        bytes += 16 + value.map_or(0, str::len);
        match building {
            Building::Integer(builder) => builder.append_value(current.parent_row),
            Building::Text(column) => column.push_option(value),
            Building::Binary(builder) => builder.append_null(),
        }
    }
    bytes
}
