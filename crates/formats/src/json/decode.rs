//! Records → batches.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{ArrayRef, BinaryBuilder, Int64Builder};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;

use crate::blocks::{Batches, Decode};
use crate::columns::TextColumn;
use crate::decoded::{BrokenRecord, Decoded};
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::esri::{self, Layer};
use crate::geometry::geometry_to_wkb;
use crate::json::columns::{Column, Source};
use crate::json::fields::{fields, items, text};
use crate::json::unnest::{batches, no_json};
use crate::json::{Block, Kind, Reading, Record};
use crate::ngsi_ld;

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
    /// Key of an element → the projected columns that it fills.
    element_keys: HashMap<String, Vec<usize>>,
    unnest: Option<Arc<[String]>>,
    /// The number of the next row, where elements are numbered: their one stream reads the blocks in order.
    next_row: AtomicI64,
    /// How many values the first record names, where records are lists.
    header: Option<usize>,
    layer: Arc<Layer>,
}

impl Decoder {
    pub(crate) fn new(
        reading: &Reading,
        columns: Vec<Column>,
        schema: SchemaRef,
        header: Option<usize>,
    ) -> Self {
        let mut keys: HashMap<String, Vec<usize>> = HashMap::new();
        let mut element_keys: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, column) in columns.iter().enumerate() {
            match &column.source {
                Source::Key(key) => keys.entry(key.clone()).or_default().push(index),
                Source::Element(key) => element_keys.entry(key.clone()).or_default().push(index),
                _ => {}
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
            element_keys,
            unnest: reading.unnest.clone(),
            next_row: AtomicI64::new(1),
            header,
            layer: Arc::clone(&reading.layer),
        }
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    pub(crate) fn record_bytes_max(&self) -> usize {
        self.record_bytes_max
    }

    /// The projected columns that a record's key fills.
    pub(crate) fn places(&self, key: &str) -> &[usize] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// The projected columns that an element's key fills.
    pub(crate) fn element_places(&self, key: &str) -> &[usize] {
        self.element_keys.get(key).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn next_row(&self) -> i64 {
        self.next_row.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn byte_in_part(&self, byte: u64) -> Option<u64> {
        self.encoding.byte_in_part(byte)
    }

    /// The columns, empty.
    pub(crate) fn building(&self) -> Vec<Building> {
        let columns = self.columns.iter();
        columns
            .map(|column| Building::new(&column.source))
            .collect()
    }

    /// What was built.
    pub(crate) fn decoded(
        &self,
        building: Vec<Building>,
        rows: Vec<i64>,
        broken: Vec<BrokenRecord>,
        dropped: Vec<i64>,
    ) -> Result<Decoded, FormatError> {
        let columns = building
            .into_iter()
            .map(Building::finish)
            .collect::<Result<_, ArrowError>>();
        Ok(Decoded {
            broken,
            dropped,
            ..Decoded::of(&self.name, &self.schema, columns, rows)?
        })
    }

    /// A record's text, or why there is none.
    pub(crate) fn text<'a>(&self, record: &'a Record) -> Result<&'a str, String> {
        if record.is_too_long {
            return Err(format!(
                "the record is longer than {} bytes",
                self.record_bytes_max
            ));
        }
        std::str::from_utf8(&record.bytes).map_err(|error| match self.encoding.is_utf8() {
            true => format!("its byte {} is no valid UTF-8", error.valid_up_to() + 1),
            false => format!("it holds bytes that {} does not have", self.encoding.name()),
        })
    }

    fn batch(&self, records: &[Record], row: i64) -> Result<Decoded, FormatError> {
        let mut building = self.building();
        let mut rows = Vec::with_capacity(records.len());
        let mut broken = Vec::new();
        for (row, record) in (row..).zip(records) {
            match self.push(record, &mut building) {
                Ok(()) => rows.push(row),
                Err(reason) => {
                    let byte = self.byte_in_part(record.byte);
                    broken.push(BrokenRecord::new(row, byte, reason, &record.bytes));
                }
            }
        }
        self.decoded(building, rows, broken, Vec::new())
    }

    /// Adds one row, or says why there is none; nothing is added then.
    fn push(&self, record: &Record, building: &mut [Building]) -> Result<(), String> {
        let whole = self.text(record)?;
        let all = fields(whole).map_err(no_json)?;
        if let Some(names) = self.header {
            return self.push_list(whole, names, building);
        }
        let mut feature = Feature::default();
        let mut values: Vec<Option<Cow<'_, str>>> = vec![None; building.len()];
        let named = match self.kind {
            Kind::Plain if self.reads_whole || whole.starts_with('{') => all,
            // Read by its fields it would be a row of nothing.
            Kind::Plain | Kind::Entity if !whole.starts_with('{') => {
                return Err(format!("it is {}, no JSON object", what(whole)));
            }
            Kind::Plain => all,
            Kind::Entity => ngsi_ld::pairs(&all),
            Kind::Feature => {
                feature = Feature::find(&all)?;
                fields(feature.properties).map_err(no_json)?
            }
            Kind::Esri => {
                let row = esri::row(&all, &self.layer)?;
                feature.shape = row.shape;
                for (key, value) in row.values {
                    for &place in self.places(&key) {
                        values[place].clone_from(&value);
                    }
                }
                Vec::new()
            }
        };
        for (key, value) in &named {
            for &place in self.places(key) {
                fill(&mut values[place], key, scalar(value).map_err(no_json)?)?;
            }
        }
        for ((column, value), building) in self.columns.iter().zip(values).zip(building) {
            match (building, &column.source) {
                (Building::Integer(builder), _) => builder.append_null(),
                (Building::Binary(builder), _) => builder.append_option(feature.shape.as_deref()),
                (Building::Text(column), Source::Record) => column.push_own(whole.as_bytes()),
                (Building::Text(column), Source::Id) => column.push_option(feature.id.as_deref()),
                (Building::Text(column), _) => column.push_option(value.as_deref()),
            }
        }
        Ok(())
    }

    /// Adds a row of a record that is a list.
    fn push_list(
        &self,
        whole: &str,
        names: usize,
        building: &mut [Building],
    ) -> Result<(), String> {
        if !whole.starts_with('[') {
            return Err(format!(
                "it is {}, no list as the first record",
                what(whole)
            ));
        }
        let values = items(whole);
        if values.len() != names {
            return Err(format!("it has {} values for {names} names", values.len()));
        }
        let texts: Vec<_> = values
            .into_iter()
            .map(scalar)
            .collect::<Result<_, _>>()
            .map_err(no_json)?;
        for (column, building) in self.columns.iter().zip(building) {
            let value = match column.source {
                Source::Index(index) => texts[index].as_deref(),
                _ => Some(whole),
            };
            if let Building::Text(column) = building {
                column.push_option(value);
            }
        }
        Ok(())
    }
}

/// Puts a key's value in its place. A key that stands twice with different values (RFC 8259, section 4) leaves open which is meant.
pub(crate) fn fill<T: PartialEq>(
    place: &mut Option<T>,
    key: &str,
    value: Option<T>,
) -> Result<(), String> {
    if place.is_some() && *place != value {
        return Err(format!(
            "its key `{key}` stands twice, with different values"
        ));
    }
    *place = value;
    Ok(())
}

/// What a value that is no object is.
pub(crate) fn what(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b'n') => "null",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}

/// The text of a value: what a string says, anything else as it is written, nothing for null.
pub(crate) fn scalar(value: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
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
pub(crate) enum Building {
    Text(TextColumn),
    Binary(BinaryBuilder),
    Integer(Int64Builder),
}

impl Building {
    fn new(source: &Source) -> Self {
        match source {
            Source::Geometry => Self::Binary(BinaryBuilder::new()),
            Source::ParentRow => Self::Integer(Int64Builder::new()),
            _ => Self::Text(TextColumn::default()),
        }
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Text(column) => column.finish(&[]),
            Self::Binary(mut builder) => Ok(Arc::new(builder.finish())),
            Self::Integer(mut builder) => Ok(Arc::new(builder.finish())),
        }
    }
}

impl Decode<Block> for Decoder {
    fn decode(self: &Arc<Self>, mut block: Block) -> Batches {
        let decoder = Arc::clone(self);
        if let Some(path) = &self.unnest {
            return batches(decoder, Arc::clone(path), block);
        }
        if self.header.is_some() {
            // The header is no record: the one after it is the first.
            if block.row == 1 {
                block.records.remove(0);
                block.row += 1;
            }
            block.row -= 1;
        }
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
