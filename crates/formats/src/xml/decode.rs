//! Records → batches.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use serde_json::Value;

use crate::blocks::{Batches, Decode};
use crate::columns::TextColumn;
use crate::decoded::{BrokenRecord, Decoded};
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::json::{Block, Record};
use crate::xml::Reading;
use crate::xml::columns::{Column, Source};
use crate::xml::tree::Element;

/// The projected columns at one place, and below it.
#[derive(Debug, Default)]
struct Place {
    text: Vec<usize>,
    list: Vec<usize>,
    attributes: HashMap<String, Vec<usize>>,
    children: HashMap<String, Place>,
}

impl Place {
    fn at(&mut self, path: &[String]) -> &mut Self {
        path.iter().fold(self, |place, name| {
            place.children.entry(name.clone()).or_default()
        })
    }

    fn fill(&self, element: &Element, values: &mut [Option<String>]) {
        let is_leaf = element.children.is_empty() && !element.is_nil;
        if is_leaf || !element.text.is_empty() {
            for &column in &self.text {
                values[column] = Some(element.text.clone());
            }
        }
        for (name, value) in &element.attributes {
            for &column in self.attributes.get(name).into_iter().flatten() {
                values[column] = Some(value.clone());
            }
        }
        let mut lists: HashMap<&str, Vec<Value>> = HashMap::new();
        for child in &element.children {
            let Some(place) = self.children.get(&child.name) else {
                continue;
            };
            if place.list.is_empty() {
                place.fill(child, values);
            } else {
                lists.entry(&child.name).or_default().push(child.json());
            }
        }
        for (name, list) in lists {
            let list = Value::Array(list).to_string();
            for &column in self.children.get(name).iter().flat_map(|place| &place.list) {
                values[column] = Some(list.clone());
            }
        }
    }
}

/// What all blocks of one reading have in common.
#[derive(Debug)]
pub(crate) struct Decoder {
    name: String,
    encoding: TextEncoding,
    columns: usize,
    places: Place,
    /// The columns of whole records.
    records: Vec<usize>,
    schema: SchemaRef,
    batch_rows: usize,
    record_bytes_max: usize,
}

impl Decoder {
    pub(crate) fn new(reading: &Reading, columns: &[Column], schema: SchemaRef) -> Self {
        let (mut places, mut records) = (Place::default(), Vec::new());
        for (index, column) in columns.iter().enumerate() {
            match &column.source {
                Source::Record => records.push(index),
                Source::List(path) => places.at(path).list.push(index),
                Source::Text(path) => match path.split_last() {
                    Some((name, way)) if name.starts_with('@') => {
                        let attributes = &mut places.at(way).attributes;
                        attributes
                            .entry(name[1..].to_owned())
                            .or_default()
                            .push(index);
                    }
                    _ => places.at(path).text.push(index),
                },
            }
        }
        Self {
            name: reading.content.name.clone(),
            encoding: reading.encoding,
            columns: columns.len(),
            places,
            records,
            schema,
            batch_rows: reading.content.options.batch_rows(),
            record_bytes_max: reading.content.options.record_bytes_max,
        }
    }

    fn batch(&self, records: &[Record], row: i64) -> Result<Decoded, FormatError> {
        let mut building: Vec<TextColumn> = Vec::new();
        building.resize_with(self.columns, TextColumn::default);
        let (mut rows, mut broken) = (Vec::with_capacity(records.len()), Vec::new());
        for (row, record) in (row..).zip(records) {
            match self.values(record) {
                Ok(values) => {
                    rows.push(row);
                    for (column, value) in building.iter_mut().zip(&values) {
                        column.push_option(value.as_deref());
                    }
                }
                Err(reason) => {
                    let byte = self.encoding.byte_in_part(record.byte);
                    broken.push(BrokenRecord::new(row, byte, reason, &record.bytes));
                }
            }
        }
        let columns = building.into_iter().map(|column| column.finish(&[]));
        let columns = columns.collect::<Result<_, ArrowError>>();
        Ok(Decoded {
            broken,
            ..Decoded::of(&self.name, &self.schema, columns, rows)?
        })
    }

    /// The values of one row, or why there is none.
    fn values(&self, record: &Record) -> Result<Vec<Option<String>>, String> {
        if record.is_too_long {
            return Err(format!(
                "the record is longer than {} bytes",
                self.record_bytes_max
            ));
        }
        let text =
            std::str::from_utf8(&record.bytes).map_err(|error| match self.encoding.is_utf8() {
                true => format!("its byte {} is no valid UTF-8", error.valid_up_to() + 1),
                false => format!("it holds bytes that {} does not have", self.encoding.name()),
            })?;
        let element =
            Element::parse(text).map_err(|reason| format!("it is no well-formed XML: {reason}"))?;
        let mut values = vec![None; self.columns];
        self.places.fill(&element, &mut values);
        if !self.records.is_empty() {
            let record = element.json().to_string();
            for &column in &self.records {
                values[column] = Some(record.clone());
            }
        }
        Ok(values)
    }
}

impl Decode<Block> for Decoder {
    fn decode(self: &Arc<Self>, block: Block) -> Batches {
        let decoder = Arc::clone(self);
        let Block { row, records } = block;
        let mut start = 0;
        Box::new(std::iter::from_fn(move || {
            if start >= records.len() {
                return None;
            }
            let end = records.len().min(start + decoder.batch_rows);
            let decoded = decoder.batch(&records[start..end], row + start as i64);
            start = end;
            Some(decoded)
        }))
    }
}
