//! JSON in its shapes: a document that holds a list of records, a value per line, GeoJSON, Esri JSON and NGSI-LD.
//!
//! Records that are lists become rows where the first of them is a list of texts: it names the values of the others. A comma after the
//! last record, which some writers leave there, is reported and loses nothing.
//!
//! A document is never held whole: a scan cuts it into records by brackets and strings, and each record is parsed alone. The columns
//! must be known before the first record, so a part is passed over once when it is opened, to collect its keys.

mod answer;
mod columns;
mod decode;
mod document;
pub(crate) mod fields;
mod lines;
mod only;
mod unnest;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;

use crate::blocks::{Cut, streams};
use crate::choice::Choice;
use crate::content::Content;
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::esri::Layer;
use crate::part::{Source, Streams};
use crate::spec::{EsriJsonFormat, JsonFormat, NdjsonFormat};
use columns::{Collected, Column, Source as ColumnSource, collect};
use decode::Decoder;
use document::DocumentCutter;
use lines::LineCutter;
pub(crate) use unnest::no_json;

/// Bytes that tell encoding and kind.
const HEAD_BYTES: usize = 64 << 10;

/// Where the records of a part are.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// In the list at a path of keys, or in the document itself; with the path to a list in each record.
    Document(Vec<String>, Option<Vec<String>>),
    /// On each line; with the path to a list in each record.
    Lines(Option<Vec<String>>),
    /// In `features`.
    Features,
    /// In `features`, as an ArcGIS server writes them.
    Esri(EsriJsonFormat),
    /// The entities of a context broker: a list of them, or one.
    Entities,
}

/// The keys of a path such as `data.items`.
fn keys(path: &str) -> Vec<String> {
    path.split('.')
        .filter(|key| !key.is_empty())
        .map(str::to_owned)
        .collect()
}

impl Shape {
    pub(crate) fn document(format: &JsonFormat) -> Self {
        Self::Document(
            keys(format.record_path.as_deref().unwrap_or_default()),
            format.unnest.as_deref().map(keys),
        )
    }

    pub(crate) fn lines(format: &NdjsonFormat) -> Self {
        Self::Lines(format.unnest.as_deref().map(keys))
    }
}

/// What records are, the path to their list, and that from each to a list in it.
type Records = (Kind, Option<Vec<String>>, Option<Vec<String>>);

impl Shape {
    /// Where the records of a text that begins so are.
    fn records(self, head: &[u8]) -> Records {
        let features = || vec!["features".to_owned()];
        match self {
            Self::Document(path, unnest) => (Kind::Plain, Some(path), unnest),
            Self::Lines(unnest) => (Kind::Plain, None, unnest),
            Self::Esri(_) => (Kind::Esri, Some(features()), None),
            Self::Entities => (Kind::Entity, Some(Vec::new()), None),
            Self::Features => {
                // A file may be one feature alone.
                let says = |key: &[u8]| memchr::memmem::find(head, key).is_some();
                let is_collection = says(b"\"features\"") || says(b"\"FeatureCollection\"");
                let alone = !is_collection && says(b"\"Feature\"");
                let path = if alone { Vec::new() } else { features() };
                (Kind::Feature, Some(path), None)
            }
        }
    }
}

/// What the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any JSON value; the keys of objects are columns.
    Plain,
    /// GeoJSON features.
    Feature,
    /// Features of an ArcGIS server.
    Esri,
    /// Entities of a context broker.
    Entity,
}

/// Whole records, one after the other.
#[derive(Debug)]
pub(crate) struct Block {
    /// The number of the first.
    pub(crate) row: i64,
    pub(crate) records: Vec<Record>,
}

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its text; cut to a bound where it is too long.
    pub(crate) bytes: Bytes,
    /// Where it starts in the text.
    pub(crate) byte: u64,
    pub(crate) is_too_long: bool,
}

/// Either way to find records.
#[derive(Debug)]
pub(crate) enum Cutter {
    Document(DocumentCutter),
    Lines(LineCutter),
}

impl Cut for Cutter {
    type Block = Block;

    fn feed(&mut self, chunk: Bytes, blocks: &mut VecDeque<Block>) -> Result<(), FormatError> {
        match self {
            Self::Document(cutter) => cutter.feed(&chunk, blocks),
            Self::Lines(cutter) => {
                cutter.feed(&chunk, blocks);
                Ok(())
            }
        }
    }

    fn finish(&mut self, blocks: &mut VecDeque<Block>) -> Result<(), FormatError> {
        match self {
            Self::Document(cutter) => cutter.finish(),
            Self::Lines(cutter) => {
                cutter.finish(blocks);
                Ok(())
            }
        }
    }
}

/// A part of JSON whose columns are known.
#[derive(Debug)]
pub(crate) struct Json {
    reading: Reading,
    columns: Vec<Column>,
    choices: Vec<Choice>,
    schema: SchemaRef,
}

/// How the records of a part are read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) content: Content,
    pub(crate) encoding: TextEncoding,
    pub(crate) kind: Kind,
    /// The path of keys to the list; none where each line is a record.
    path: Option<Vec<String>>,
    /// The path of keys from a record to the list whose elements are rows.
    pub(crate) unnest: Option<Arc<[String]>>,
    /// The first record names the values of the others.
    pub(crate) has_header: bool,
    /// What an ArcGIS server says of its records.
    pub(crate) layer: Arc<Layer>,
}

impl Reading {
    pub(crate) fn cutter(&self) -> Cutter {
        match &self.path {
            Some(path) => Cutter::Document(self.document(path)),
            None => Cutter::Lines(LineCutter::new(self.content.options.record_bytes_max)),
        }
    }

    /// What cuts out the list, or the object, at a path.
    pub(crate) fn document(&self, path: &[String]) -> DocumentCutter {
        let bound = self.content.options.record_bytes_max;
        DocumentCutter::new(&self.content.name, path, bound, self.encoding)
    }

    pub(crate) fn text(&self) -> crate::content::Chunks {
        self.encoding.text(
            self.content.chunks(self.content.block_bytes()),
            self.content.options.partitions(),
        )
    }
}

pub(crate) async fn open(content: Content, shape: Shape) -> Result<Json, FormatError> {
    let head = content.head(HEAD_BYTES).await?;
    let encoding = TextEncoding::find(&content.name, None, &head)?;
    let domains = match &shape {
        Shape::Esri(format) => format.domains.clone(),
        _ => BTreeMap::default(),
    };
    let (kind, path, unnest) = shape.records(&encoding.head(&head));
    if unnest.as_ref().is_some_and(Vec::is_empty) {
        return Err(FormatError::Option {
            name: content.name,
            option: "unnest",
            reason: "it names no key".to_owned(),
        });
    }
    let mut reading = Reading {
        content,
        encoding,
        kind,
        path,
        unnest: unnest.map(Into::into),
        has_header: false,
        layer: Arc::default(),
    };
    if kind == Kind::Esri {
        reading.layer = Arc::new(answer::layer(&reading, &head, &domains).await?);
    }
    let mut told = Vec::new();
    if reading
        .path
        .as_deref()
        .is_some_and(|path| path == [only::ONLY])
    {
        let (path, choices) = only::path(&reading).await?;
        reading.path = Some(path);
        told = choices;
    }
    let Collected {
        columns,
        mut choices,
        has_header,
    } = collect(&reading).await?;
    choices.splice(0..0, told);
    choices.extend(reading.layer.choices());
    reading.has_header = has_header;
    let schema = Arc::new(Schema::new(
        columns.iter().map(Column::field).collect::<Vec<_>>(),
    ));
    Ok(Json {
        reading,
        columns,
        choices,
        schema,
    })
}

impl Source for Json {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn choices(&self) -> &[Choice] {
        &self.choices
    }

    fn partitions(&self) -> usize {
        match self.reading.unnest {
            // How many elements come before a record is known only to who has read them.
            Some(_) => 1,
            None => self.reading.content.options.partitions(),
        }
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let columns = projection
            .iter()
            .map(|&index| self.columns[index].clone())
            .collect();
        let schema = Arc::new(
            self.schema
                .project(projection)
                .unwrap_or_else(|_| Schema::empty()),
        );
        let named = |column: &&Column| matches!(column.source, ColumnSource::Index(_));
        let header = self.columns.iter().filter(named).count();
        let header = self.reading.has_header.then_some(header);
        let decoder = Decoder::new(&self.reading, columns, schema, header);
        streams(
            self.reading.text(),
            self.reading.cutter(),
            decoder,
            self.partitions(),
        )
    }
}
