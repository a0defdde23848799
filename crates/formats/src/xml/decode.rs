//! Records → batches.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{ArrayRef, BinaryBuilder};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use serde_json::Value as Json;

use crate::blocks::{Batches, Decode};
use crate::columns::TextColumn;
use crate::decoded::{BrokenRecord, Decoded};
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::gml::Shapes;
use crate::json::{Block, Record};
use crate::xml::Reading;
use crate::xml::columns::{Column, Source, read};
use crate::xml::tree::Element;

/// What a row has in one column.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Text(String),
    /// WKB.
    Shape(Vec<u8>),
}

/// A column being built.
enum Building {
    Text(TextColumn),
    Shape(BinaryBuilder),
}

impl Building {
    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Text(column), Value::Text(text)) => column.push_own(text.as_bytes()),
            (Self::Text(column), _) => column.push_null(),
            (Self::Shape(column), Value::Shape(shape)) => column.append_value(shape),
            (Self::Shape(column), _) => column.append_null(),
        }
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Text(column) => column.finish(&[]),
            Self::Shape(mut column) => Ok(Arc::new(column.finish())),
        }
    }
}

/// The projected columns at one place, and below it.
#[derive(Debug, Default)]
struct Place {
    text: Vec<usize>,
    shape: Vec<usize>,
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

    fn fill(&self, element: &Element, values: &mut [Value]) {
        for &column in &self.shape {
            let shape = element.shape.as_ref().filter(|it| !it.is_empty());
            values[column] = shape.cloned().map_or(Value::Null, Value::Shape);
        }
        let is_leaf = element.children.is_empty() && !element.is_nil;
        if is_leaf || !element.text.is_empty() {
            for &column in &self.text {
                values[column] = Value::Text(element.text.clone());
            }
        }
        for (name, value) in &element.attributes {
            for &column in self.attributes.get(name).into_iter().flatten() {
                values[column] = Value::Text(value.clone());
            }
        }
        let mut lists: HashMap<&str, Vec<Json>> = HashMap::new();
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
            let list = Json::Array(list).to_string();
            for &column in self.children.get(name).iter().flat_map(|place| &place.list) {
                values[column] = Value::Text(list.clone());
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
    shapes: Option<Shapes>,
    unnest: Vec<String>,
    /// The number of the next row, where elements are numbered: their one stream reads the blocks in order.
    next_row: AtomicI64,
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
                Source::Shape(path) => places.at(path).shape.push(index),
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
            shapes: reading.shapes,
            unnest: reading.unnest.clone(),
            next_row: AtomicI64::new(1),
            places,
            records,
            schema,
            batch_rows: reading.content.options.batch_rows(),
            record_bytes_max: reading.content.options.record_bytes_max,
        }
    }

    /// The rows of the next records, as many as fit into a batch; `row` is the number of the first.
    fn batch(
        &self,
        records: &mut std::vec::IntoIter<Record>,
        row: &mut i64,
    ) -> Result<Decoded, FormatError> {
        let fields = self.schema.fields().iter();
        let mut building: Vec<Building> = fields
            .map(|field| match field.data_type() {
                DataType::Binary => Building::Shape(BinaryBuilder::new()),
                _ => Building::Text(TextColumn::default()),
            })
            .collect();
        let (mut rows, mut broken, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        while rows.len() + broken.len() + dropped.len() < self.batch_rows {
            let Some(record) = records.next() else { break };
            let mut number = || match self.unnest.as_slice() {
                [] => std::mem::replace(row, *row + 1),
                _ => self.next_row.fetch_add(1, Ordering::Relaxed),
            };
            match self.elements(&record) {
                Ok(elements) if elements.is_empty() => dropped.push(number()),
                Ok(elements) => {
                    for element in &elements {
                        rows.push(number());
                        for (column, value) in building.iter_mut().zip(self.values(element)) {
                            column.push(value);
                        }
                    }
                }
                Err(reason) => {
                    let byte = self.encoding.byte_in_part(record.byte);
                    broken.push(BrokenRecord::new(number(), byte, reason, &record.bytes));
                }
            }
        }
        let columns = building.into_iter().map(Building::finish);
        let columns = columns.collect::<Result<_, ArrowError>>();
        Ok(Decoded {
            broken,
            dropped,
            ..Decoded::of(&self.name, &self.schema, columns, rows)?
        })
    }

    /// The rows of a record, or why there is none.
    fn elements(&self, record: &Record) -> Result<Vec<Element>, String> {
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
        read(text, self.shapes, &self.unnest)
    }

    fn values(&self, element: &Element) -> Vec<Value> {
        let mut values = vec![Value::Null; self.columns];
        self.places.fill(element, &mut values);
        if !self.records.is_empty() {
            let record = element.json().to_string();
            for &column in &self.records {
                values[column] = Value::Text(record.clone());
            }
        }
        values
    }
}

impl Decode<Block> for Decoder {
    fn decode(self: &Arc<Self>, block: Block) -> Batches {
        let decoder = Arc::clone(self);
        let (mut row, mut records) = (block.row, block.records.into_iter());
        Box::new(std::iter::from_fn(move || {
            let is_left = !records.as_slice().is_empty();
            is_left.then(|| decoder.batch(&mut records, &mut row))
        }))
    }
}
