//! Delimited text (RFC 4180 and what people write instead).
//!
//! One scan cuts the part at record ends, quotes respected, and numbers the records; blocks decode in parallel. A block with anything
//! odd in it is decoded again record by record, so that only broken records are lost, each with its place.

mod decode;
mod dialect;
mod header;
mod index;
mod scan;
mod strict;
mod window;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::blocks::streams;
use crate::content::Content;
use crate::encoding::{TextEncoding, skip};
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::{CsvFormat, ShortRecords};
use decode::Decoder;
use dialect::Dialect;
pub(crate) use header::join_rows;
use scan::Cutter;

/// A part of delimited text whose header is read.
#[derive(Debug)]
pub(crate) struct Csv {
    content: Content,
    encoding: TextEncoding,
    dialect: Dialect,
    /// Bytes of the text before the first data record.
    data_start: usize,
    short_records: ShortRecords,
    schema: SchemaRef,
}

pub(crate) async fn open(content: Content, format: &CsvFormat) -> Result<Csv, FormatError> {
    let read = header::read(&content, format).await?;
    let fields: Vec<_> = read
        .names
        .iter()
        .map(|name| Field::new(name, DataType::Utf8View, false))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let header::Header {
        encoding,
        dialect,
        data_start,
        ..
    } = read;
    Ok(Csv {
        content,
        encoding,
        dialect,
        data_start,
        short_records: format.short_records,
        schema,
    })
}

impl Source for Csv {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partitions(&self) -> usize {
        self.content.options.partitions()
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let chunks = self.content.chunks(self.content.block_bytes());
        let text = self.encoding.text(chunks, self.partitions());
        let data = skip(text, self.data_start);
        let options = &self.content.options;
        let place = Place {
            encoding: self.encoding,
            start: self.data_start as u64,
        };
        let cutter = Cutter::new(self.dialect, options.record_bytes_max, place);
        let decoder = Decoder {
            name: self.content.name.clone(),
            dialect: self.dialect,
            fields: self.schema.fields().len(),
            projection: projection.to_vec(),
            schema: Arc::new(
                self.schema
                    .project(projection)
                    .unwrap_or_else(|_| Schema::empty()),
            ),
            batch_rows: options.batch_rows(),
            record_bytes_max: options.record_bytes_max,
            short_records: self.short_records,
            place,
        };
        streams(data, cutter, decoder, self.partitions())
    }
}

/// Where the data lie in the part, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    encoding: TextEncoding,
    /// Bytes of the text before the data.
    start: u64,
}

impl Place {
    /// Where a byte of the data lies in the part; none where it was transcoded.
    pub(crate) fn byte(&self, byte_of_data: u64) -> Option<u64> {
        self.encoding.byte_in_part(self.start + byte_of_data)
    }

    /// The encoding's name, where the part was transcoded.
    pub(crate) fn encoding(&self) -> Option<&'static str> {
        (!self.encoding.is_utf8()).then(|| self.encoding.name())
    }
}
