//! SDMX-JSON data messages, versions 1.0 and 2.0: each observation is a row.
//!
//! Reference: <https://github.com/sdmx-twg/sdmx-json/blob/master/data-message/docs/1-sdmx-json-field-guide.md>. Observations are written
//! as places in lists of codes; here each dimension and attribute is a column of its code (`LOCATION`) and one of what that means
//! (`LOCATION_label`), whatever level it is attached to. What the codes mean may stand at the message's end, so that a message is read
//! whole, up to the memory bound; SDMX-CSV has no such bound.

mod rows;
mod structure;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde::de::IgnoredAny;

use crate::columns::TextColumn;
use crate::content::Content;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;
use crate::json::fields::{fields, items};
use crate::part::{Source, Streams};
use rows::{DataSet, Rows};
use structure::{Columns, Structure};

/// Bytes of text in one batch, about.
const BATCH_BYTES: usize = 4 << 20;

/// Whether the text begins as a data message does.
pub(crate) fn is_message(head: &[u8]) -> bool {
    let says = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    let has_data = says(b"\"dataSets\"") && (says(b"\"observations\"") || says(b"\"series\""));
    let describes = says(b"\"structure\"") || says(b"\"structures\"");
    has_data || (describes && says(b"\"dimensions\"") && says(b"\"keyPosition\""))
}

/// A message, read.
#[derive(Debug)]
pub(crate) struct Message {
    name: String,
    bytes: Bytes,
    structures: Vec<Structure>,
    sets: Vec<DataSet>,
    columns: usize,
    record_bytes_max: usize,
}

impl Message {
    fn text(&self) -> &str {
        // It was checked when the message was opened.
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }
}

/// A message whose structure is known.
#[derive(Debug)]
pub(crate) struct SdmxJson {
    message: Arc<Message>,
    schema: SchemaRef,
    batch_rows: usize,
}

pub(crate) async fn open(content: Content) -> Result<SdmxJson, FormatError> {
    let bytes = content.whole("SDMX-JSON").await?;
    let bytes = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => bytes.slice_ref(rest),
        None => bytes,
    };
    let document = |byte: u64, reason: String| FormatError::Document {
        name: content.name.clone(),
        byte,
        reason,
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        document(
            error.valid_up_to() as u64,
            "it is no valid UTF-8".to_owned(),
        )
    })?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| {
        let before = text
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1));
        let byte = before.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
        document(byte as u64, format!("it is no valid JSON: {error}"))
    })?;
    let (structures, sets) = parse(text).map_err(|reason| document(0, reason))?;
    let mut columns = Columns::default();
    let structures: Vec<Structure> = structures
        .into_iter()
        .map(|structure| structure.resolve(&mut columns))
        .collect();
    let names = columns.names(&content.name)?;
    let fields = names
        .into_iter()
        .map(|name| Field::new(name, DataType::Utf8View, true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    Ok(SdmxJson {
        batch_rows: content.options.batch_rows(),
        message: Arc::new(Message {
            columns: schema.fields().len(),
            record_bytes_max: content.options.record_bytes_max,
            name: content.name,
            bytes,
            structures,
            sets,
        }),
        schema: Arc::new(schema),
    })
}

/// The structures and data sets of a message that is valid JSON.
fn parse(text: &str) -> Result<(Vec<structure::Described>, Vec<DataSet>), String> {
    let no_json = |error: serde_json::Error| format!("it is no SDMX-JSON message: {error}");
    let top = fields(text).map_err(no_json)?;
    let inner;
    // Since version 1.0 the data stand in `data`; drafts before it, which servers still send, have them at the top.
    let members = match top
        .iter()
        .find(|(key, value)| key == "data" && value.starts_with('{'))
    {
        Some((_, data)) => {
            inner = fields(data).map_err(no_json)?;
            &inner
        }
        None => &top,
    };
    let of = |key: &str| {
        members
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    };
    let errors = top
        .iter()
        .find(|(key, _)| key == "errors")
        .map(|(_, value)| *value);
    let Some(sets) = of("dataSets") else {
        return Err(errors.and_then(refused).unwrap_or_else(|| {
            "it is no SDMX-JSON data message: it has no `dataSets`".to_owned()
        }));
    };
    let described = match (of("structures"), of("structure")) {
        (Some(list), _) => items(list),
        (None, Some(one)) => vec![one],
        (None, None) => Vec::new(),
    };
    let structures = described.into_iter().map(|it| {
        serde_json::from_str(it).map_err(|error| format!("its structure cannot be read: {error}"))
    });
    let structures: Vec<structure::Described> = structures.collect::<Result<_, _>>()?;
    let sets = items(sets).into_iter().map(|set| DataSet::of(text, set));
    let sets: Vec<DataSet> = sets.collect::<Result<_, _>>()?;
    match sets
        .iter()
        .find(|set| set.structure >= structures.len() && set.has_data())
    {
        Some(set) => Err(format!(
            "a data set names structure {}, of {}",
            set.structure,
            structures.len()
        )),
        None => Ok((structures, sets)),
    }
}

/// What a server says instead of data.
fn refused(errors: &str) -> Option<String> {
    let said = items(errors).into_iter().filter_map(|error| {
        let error: serde_json::Value = serde_json::from_str(error).ok()?;
        let text = |key: &str| {
            error
                .get(key)
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned)
        };
        text("title")
            .or_else(|| text("message"))
            .or_else(|| text("detail"))
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| format!("the server answered: {}", said.join("; ")))
}

impl Source for SdmxJson {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partitions(&self) -> usize {
        1
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let schema = self.schema.project(projection);
        let reading = Reading {
            rows: Rows::new(Arc::clone(&self.message)),
            projection: projection.to_vec(),
            schema: Arc::new(schema.unwrap_or_else(|_| Schema::empty())),
            batch_rows: self.batch_rows,
            row: 1,
            failed: false,
        };
        vec![stream::iter(reading).boxed()]
    }
}

/// One reading, which makes batch after batch.
struct Reading {
    rows: Rows,
    projection: Vec<usize>,
    schema: SchemaRef,
    batch_rows: usize,
    row: i64,
    failed: bool,
}

impl Iterator for Reading {
    type Item = Result<Decoded, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let decoded = self.batch().transpose()?;
        self.failed = decoded.is_err();
        Some(decoded)
    }
}

impl Reading {
    fn batch(&mut self) -> Result<Option<Decoded>, FormatError> {
        let mut building: Vec<TextColumn> = Vec::new();
        building.resize_with(self.projection.len(), TextColumn::default);
        let (mut rows, mut broken, mut bytes) = (Vec::new(), Vec::new(), 0);
        while rows.len() + broken.len() < self.batch_rows && bytes < BATCH_BYTES {
            let Some(row) = self.rows.next_row() else {
                break;
            };
            match row.values {
                Ok(values) => {
                    rows.push(self.row);
                    for (column, &index) in building.iter_mut().zip(&self.projection) {
                        let value = values[index].as_deref();
                        bytes += 16 + value.map_or(0, str::len);
                        column.push_option(value);
                    }
                }
                Err(reason) => {
                    let raw = &self.rows.message().bytes[row.place.clone()];
                    let byte = Some(row.place.start as u64);
                    broken.push(BrokenRecord::new(self.row, byte, reason, raw));
                }
            }
            self.row += 1;
        }
        if rows.is_empty() && broken.is_empty() {
            return Ok(None);
        }
        let columns = building.into_iter().map(|column| column.finish(&[]));
        let columns = columns.collect::<Result<Vec<ArrayRef>, ArrowError>>();
        let name = &self.rows.message().name;
        Ok(Some(Decoded {
            broken,
            ..Decoded::of(name, &self.schema, columns, rows)?
        }))
    }
}
