//! Records → batches.

use std::collections::HashMap;
use std::sync::Arc;

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
            places,
            records,
            schema,
            batch_rows: reading.content.options.batch_rows(),
            record_bytes_max: reading.content.options.record_bytes_max,
        }
    }

    fn batch(&self, records: &[Record], row: i64) -> Result<Decoded, FormatError> {
        let fields = self.schema.fields().iter();
        let mut building: Vec<Building> = fields
            .map(|field| match field.data_type() {
                DataType::Binary => Building::Shape(BinaryBuilder::new()),
                _ => Building::Text(TextColumn::default()),
            })
            .collect();
        let (mut rows, mut broken) = (Vec::with_capacity(records.len()), Vec::new());
        for (row, record) in (row..).zip(records) {
            match self.values(record) {
                Ok(values) => {
                    rows.push(row);
                    for (column, value) in building.iter_mut().zip(values) {
                        column.push(value);
                    }
                }
                Err(reason) => {
                    let byte = self.encoding.byte_in_part(record.byte);
                    broken.push(BrokenRecord::new(row, byte, reason, &record.bytes));
                }
            }
        }
        let columns = building.into_iter().map(Building::finish);
        let columns = columns.collect::<Result<_, ArrowError>>();
        Ok(Decoded {
            broken,
            ..Decoded::of(&self.name, &self.schema, columns, rows)?
        })
    }

    /// The values of one row, or why there is none.
    fn values(&self, record: &Record) -> Result<Vec<Value>, String> {
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
        let element = read(text, self.shapes)?;
        let mut values = vec![Value::Null; self.columns];
        self.places.fill(&element, &mut values);
        if !self.records.is_empty() {
            let record = element.json().to_string();
            for &column in &self.records {
                values[column] = Value::Text(record.clone());
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
