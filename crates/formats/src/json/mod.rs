//! JSON in its three shapes: a document that holds a list of records, a value per line, and GeoJSON.
//!
//! A document is never held whole: a scan cuts it into records by brackets and strings, and each record is parsed alone. The columns
//! must be known before the first record, so a part is passed over once when it is opened, to collect its keys.

mod columns;
mod decode;
mod document;
mod fields;
mod lines;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;

use crate::blocks::{Cut, streams};
use crate::content::Content;
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::JsonFormat;
use columns::{Column, collect};
use decode::Decoder;
use document::DocumentCutter;
use lines::LineCutter;

/// Bytes that tell encoding and kind.
const HEAD_BYTES: usize = 64 << 10;

/// Where the records of a part are.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    /// In the list at a path of keys, or in the document itself.
    Document(Vec<String>),
    /// On each line.
    Lines,
    /// In `features`.
    Features,
}

impl Shape {
    pub(crate) fn document(format: &JsonFormat) -> Self {
        let path = format.record_path.as_deref().unwrap_or_default();
        Self::Document(
            path.split('.')
                .filter(|key| !key.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    pub(crate) fn lines() -> Self {
        Self::Lines
    }

    pub(crate) fn features() -> Self {
        Self::Features
    }
}

/// What the records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any JSON value; the keys of objects are columns.
    Plain,
    /// GeoJSON features.
    Feature,
}

/// Whole records, one after the other.
#[derive(Debug)]
pub(crate) struct Block {
    /// The number of the first.
    pub(crate) row: i64,
    pub(crate) records: Vec<Record>,
}

/// One record.
#[derive(Debug)]
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
}

impl Reading {
    pub(crate) fn cutter(&self) -> Cutter {
        let record_bytes_max = self.content.options.record_bytes_max;
        match &self.path {
            Some(path) => Cutter::Document(DocumentCutter::new(
                &self.content.name,
                path,
                record_bytes_max,
                self.encoding,
            )),
            None => Cutter::Lines(LineCutter::new(record_bytes_max)),
        }
    }

    pub(crate) fn text(&self) -> crate::content::Chunks {
        self.encoding
            .text(self.content.chunks(self.content.block_bytes()), self.content.options.partitions())
    }
}

pub(crate) async fn open(content: Content, shape: Shape) -> Result<Json, FormatError> {
    let head = content.head(HEAD_BYTES).await?;
    let encoding = TextEncoding::find(&content.name, None, &head)?;
    let (kind, path) = match shape {
        Shape::Document(path) => (Kind::Plain, Some(path)),
        Shape::Lines => (Kind::Plain, None),
        Shape::Features => {
            // A file may be one feature alone.
            let text = encoding.head(&head);
            let is_collection = [&b"\"features\""[..], b"\"FeatureCollection\""]
                .iter()
                .any(|key| memchr::memmem::find(&text, key).is_some());
            let alone = !is_collection && memchr::memmem::find(&text, b"\"Feature\"").is_some();
            (
                Kind::Feature,
                Some(if alone {
                    Vec::new()
                } else {
                    vec!["features".to_owned()]
                }),
            )
        }
    };
    let reading = Reading {
        content,
        encoding,
        kind,
        path,
    };
    let columns = collect(&reading).await?;
    let schema = Arc::new(Schema::new(
        columns.iter().map(Column::field).collect::<Vec<_>>(),
    ));
    Ok(Json {
        reading,
        columns,
        schema,
    })
}

impl Source for Json {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partitions(&self) -> usize {
        self.reading.content.options.partitions()
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
        let decoder = Decoder::new(&self.reading, columns, schema);
        streams(
            self.reading.text(),
            self.reading.cutter(),
            decoder,
            self.partitions(),
        )
    }
}
