//! Delimited text (RFC 4180 and what people write instead).
//!
//! One scan cuts the part at record ends, quotes respected, and numbers the records; blocks decode in parallel. A block with anything
//! odd in it is decoded again record by record, so that only broken records are lost, each with its place.

mod batch;
mod decode;
mod delimiter;
mod dialect;
mod footer;
mod header;
mod index;
mod numbers;
mod pieces;
mod scan;
mod strict;
mod titles;
mod window;

#[cfg(test)]
mod agency_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod ugly_tests;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::blocks::streams;
use crate::choice::Choice;
use crate::content::Content;
use crate::encoding::{TextEncoding, skip};
use crate::error::FormatError;
use crate::part::{Source, Streams};
use crate::spec::{CsvFormat, FormatSpec};
pub(crate) use batch::Batch;
use decode::Decoder;
pub(crate) use delimiter::certain_delimiter;
pub(crate) use dialect::Dialect;
pub(crate) use footer::{Footed, Footer};
use header::Header;
pub(crate) use header::{encoding, line_start};
pub(crate) use pieces::ReadPieces;
pub(crate) use scan::{Cutter, Piece};
pub(crate) use strict::{Records, next_record};
pub(crate) use titles::{is_number, is_year};
pub(crate) use window::is_line_end;

/// A part of delimited text whose header is read.
#[derive(Debug)]
pub(crate) struct Csv {
    content: Content,
    format: CsvFormat,
    header: Header,
    footer: Footer,
    schema: SchemaRef,
}

pub(crate) async fn open(content: Content, format: &CsvFormat) -> Result<Csv, FormatError> {
    let footer = Footer::new(&content.name, format.footer.as_deref(), format.skip_footer)?;
    let header = header::read(&content, format).await?;
    let fields: Vec<_> = header
        .names
        .iter()
        .map(|name| Field::new(name, DataType::Utf8View, false))
        .collect();
    Ok(Csv {
        content,
        format: format.clone(),
        header,
        footer,
        schema: Arc::new(Schema::new(fields)),
    })
}

impl Csv {
    /// Headers that are dropped where they are repeated. Of one column nothing tells a header from a value.
    fn repeated_headers(&self) -> Vec<Vec<String>> {
        let drops = self.format.drop_repeated_header.unwrap_or(true);
        let is_told = |row: &&Vec<String>| {
            row.len() == self.schema.fields().len()
                && row.iter().filter(|cell| !cell.is_empty()).count() > 1
        };
        match drops {
            true => self.header.rows.iter().filter(is_told).cloned().collect(),
            false => Vec::new(),
        }
    }
}

impl Source for Csv {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn choices(&self) -> &[Choice] {
        &self.header.choices
    }

    fn detected(&self, _declared: &FormatSpec) -> FormatSpec {
        let encoding = self.header.encoding.name().to_lowercase();
        FormatSpec::Csv(CsvFormat {
            delimiter: Some(char::from(self.header.dialect.delimiter)),
            encoding: self.format.encoding.clone().or(Some(encoding)),
            skip_rows: self.format.skip_rows.or(self.header.title_lines),
            ..self.format.clone()
        })
    }

    fn composes(&self) -> bool {
        true
    }

    fn partitions(&self) -> usize {
        self.content.options.partitions()
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let Header {
            encoding,
            dialect,
            data_start,
            ..
        } = self.header;
        let chunks = self.content.chunks(self.content.block_bytes());
        let data = skip(encoding.text(chunks, self.partitions()), data_start);
        let options = &self.content.options;
        let place = Place::new(encoding, data_start);
        let cutter = Cutter::new(dialect, options.record_bytes_max, place);
        let cutter = Footed::new(cutter, dialect, self.footer.clone());
        let decoder = Decoder {
            name: self.content.name.clone(),
            dialect,
            fields: self.schema.fields().len(),
            projection: projection.to_vec(),
            schema: Arc::new(
                self.schema
                    .project(projection)
                    .unwrap_or_else(|_| Schema::empty()),
            ),
            batch_rows: options.batch_rows(),
            record_bytes_max: options.record_bytes_max,
            short_records: self.format.short_records,
            headers: self.repeated_headers(),
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
    pub(crate) fn new(encoding: TextEncoding, start: usize) -> Self {
        Self {
            encoding,
            start: start as u64,
        }
    }

    /// Where a byte of the data lies in the part; none where it was transcoded.
    pub(crate) fn byte(&self, byte_of_data: u64) -> Option<u64> {
        self.encoding.byte_in_part(self.start + byte_of_data)
    }

    /// Why a record is broken whose text is valid up to a byte.
    pub(crate) fn invalid(&self, valid: usize) -> String {
        match self.encoding.is_utf8() {
            false => format!("it holds bytes that {} does not have", self.encoding.name()),
            true => format!(
                "its byte {} is no valid UTF-8; if all of the file is in another encoding, declare `encoding:`",
                valid + 1
            ),
        }
    }
}
