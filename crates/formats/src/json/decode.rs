//! Records → batches.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::blocks::{Batches, Decode};
use crate::columns::TextColumn;
use crate::decoded::{BrokenRecord, Decoded};
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::geometry::geometry_to_wkb;
use crate::json::columns::{Column, Source};
use crate::json::fields::{fields, text};
use crate::json::{Block, Kind, Reading, Record};

/// What all blocks of one reading have in common.
#[derive(Debug)]
pub(crate) struct Decoder {
    name: String,
    encoding: TextEncoding,
    kind: Kind,
    columns: Vec<Column>,
    /// Key → the projected columns that it fills.
    keys: HashMap<String, Vec<usize>>,
    schema: SchemaRef,
    batch_rows: usize,
    record_bytes_max: usize,
    /// Whether whole records are read: those may be anything, not objects alone.
    reads_whole: bool,
}

impl Decoder {
    pub(crate) fn new(reading: &Reading, columns: Vec<Column>, schema: SchemaRef) -> Self {
        let mut keys: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, column) in columns.iter().enumerate() {
            if let Source::Key(key) = &column.source {
                keys.entry(key.clone()).or_default().push(index);
            }
        }
        let reads_whole = columns.iter().any(|column| column.source == Source::Record);
        Self {
            reads_whole,
            name: reading.content.name.clone(),
            encoding: reading.encoding,
            kind: reading.kind,
            columns,
            keys,
            schema,
            batch_rows: reading.content.options.batch_rows(),
            record_bytes_max: reading.content.options.record_bytes_max,
        }
    }

    fn batch(&self, records: &[Record], row: i64) -> Result<Decoded, FormatError> {
        let mut building: Vec<Building> = self
            .columns
            .iter()
            .map(|column| Building::new(&column.source))
            .collect();
        let mut rows = Vec::with_capacity(records.len());
        let mut broken = Vec::new();
        for (row, record) in (row..).zip(records) {
            match self.push(record, &mut building) {
                Ok(()) => rows.push(row),
                Err(reason) => {
                    broken.push(BrokenRecord::new(
                        row,
                        self.encoding.byte_in_part(record.byte),
                        reason,
                        &record.bytes,
                    ));
                }
            }
        }
        let columns = building
            .into_iter()
            .map(Building::finish)
            .collect::<Result<_, ArrowError>>();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = columns.and_then(|columns| {
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
        });
        let batch = batch.map_err(|source| FormatError::Arrow {
            name: self.name.clone(),
            source,
        })?;
        Ok(Decoded {
            batch,
            rows: Int64Array::from(rows),
            broken,
            dropped: Vec::new(),
        })
    }

    /// Adds one row, or says why there is none; nothing is added then.
    fn push(&self, record: &Record, building: &mut [Building]) -> Result<(), String> {
        if record.is_too_long {
            return Err(format!(
                "the record is longer than {} bytes",
                self.record_bytes_max
            ));
        }
        let whole =
            std::str::from_utf8(&record.bytes).map_err(|error| match self.encoding.is_utf8() {
                true => format!("its byte {} is no valid UTF-8", error.valid_up_to() + 1),
                false => format!("it holds bytes that {} does not have", self.encoding.name()),
            })?;
        let no_json = |error: serde_json::Error| format!("it is no valid JSON: {error}");
        let all = fields(whole).map_err(no_json)?;
        let mut feature = Feature::default();
        let properties;
        let named = match self.kind {
            Kind::Plain if self.reads_whole || whole.starts_with('{') => &all,
            // Read by its fields it would be a row of nothing.
            Kind::Plain => return Err(format!("it is {}, no JSON object", what(whole))),
            Kind::Feature => {
                feature = Feature::find(&all)?;
                properties = fields(feature.properties).map_err(no_json)?;
                &properties
            }
        };
        let mut values: Vec<Option<Cow<'_, str>>> = vec![None; building.len()];
        for (key, value) in named {
            let places = self.keys.get(key.as_ref()).map_or(&[][..], Vec::as_slice);
            for &place in places {
                values[place] = scalar(value).map_err(no_json)?;
            }
        }
        for ((column, value), building) in self.columns.iter().zip(values).zip(building) {
            match (building, &column.source) {
                (Building::Binary(builder), _) => builder.append_option(feature.shape.as_deref()),
                (Building::Text(column), Source::Record) => column.push_own(whole.as_bytes()),
                (Building::Text(column), Source::Id) => column.push_option(feature.id.as_deref()),
                (Building::Text(column), _) => column.push_option(value.as_deref()),
            }
        }
        Ok(())
    }
}

/// What a value that is no object is.
fn what(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

/// The text of a value: what a string says, anything else as it is written, nothing for null.
fn scalar(value: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    match value.as_bytes().first() {
        Some(b'"') => text(value).map(Some),
        Some(b'n') => Ok(None),
        _ => Ok(Some(Cow::Borrowed(value))),
    }
}

/// A GeoJSON feature (RFC 7946, section 3.2).
struct Feature<'a> {
    id: Option<Cow<'a, str>>,
    properties: &'a str,
    shape: Option<Vec<u8>>,
}

impl Default for Feature<'_> {
    fn default() -> Self {
        Self {
            id: None,
            properties: "null",
            shape: None,
        }
    }
}

impl<'a> Feature<'a> {
    fn find(all: &[(Cow<'a, str>, &'a str)]) -> Result<Self, String> {
        let mut feature = Self::default();
        let mut says = None;
        for (key, value) in all {
            match key.as_ref() {
                "type" => says = Some(*value),
                "id" => feature.id = scalar(value).map_err(|error| error.to_string())?,
                "properties" => feature.properties = value,
                "geometry" if *value != "null" => {
                    let shape = geometry_to_wkb(value).map_err(|error| error.to_string())?;
                    feature.shape = Some(shape);
                }
                _ => {}
            }
        }
        match says {
            Some("\"Feature\"") => Ok(feature),
            Some(other) => Err(format!("it is no GeoJSON feature: its type is {other}")),
            None => Err("it is no GeoJSON feature: it has no type".to_owned()),
        }
    }
}

/// A column being built.
enum Building {
    Text(TextColumn),
    Binary(BinaryBuilder),
}

impl Building {
    fn new(source: &Source) -> Self {
        match source {
            Source::Geometry => Self::Binary(BinaryBuilder::new()),
            Source::Key(_) | Source::Id | Source::Record => Self::Text(TextColumn::default()),
        }
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Text(column) => column.finish(&[]),
            Self::Binary(mut builder) => Ok(Arc::new(builder.finish())),
        }
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
