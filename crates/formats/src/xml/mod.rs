//! XML: the elements at a path are records.
//!
//! A document is never held whole: a scan cuts it into records by tags alone, and each record is read alone by a pull parser. Names are
//! local ones, whatever their namespace. Entities that need a DTD are not followed. The columns must be known before the first record,
//! so a part is passed over once when it is opened, and once before where the path is not declared.
//!
//! A record that is broken inside is kept apart, and the rest goes on after its end tag; around the records the document must be well
//! formed.

mod columns;
pub(crate) mod cutter;
mod decode;
mod paths;
mod scan;
pub(crate) mod tree;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use crate::blocks::streams;
use crate::choice::Choice;
use crate::content::{Chunks, Content};
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::gml::{self, Shapes};
use crate::part::{Source, Streams};
use crate::spec::{FormatSpec, GmlFormat, XmlFormat};
use columns::{Column, collect};
use cutter::RecordCutter;
use decode::Decoder;

/// Bytes that tell the encoding.
const HEAD_BYTES: usize = 4096;

/// Bytes that tell what GML holds.
const GML_HEAD_BYTES: usize = 64 << 10;

/// Whether the bytes, without a byte order mark, begin as an XML document that is no web page: with its declaration, or with an element
/// that declares a namespace; `is_named_so`: any element will do.
pub(crate) fn is_xml(head: &[u8], is_named_so: bool) -> bool {
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let text = text.trim_ascii_start();
    let says_html = || {
        let begins = text[..text.len().min(1024)].to_ascii_lowercase();
        memchr::memmem::find(&begins, b"<html").is_some()
            || memchr::memmem::find(&begins, b"<!doctype html").is_some()
    };
    let is_element = || {
        let end = memchr::memchr(b'>', text).unwrap_or(text.len());
        let declares = || memchr::memmem::find(&text[..end], b" xmlns").is_some();
        text.get(1).is_some_and(u8::is_ascii_alphabetic) && (is_named_so || declares())
    };
    text.starts_with(b"<") && (text.starts_with(b"<?xml") || is_element()) && !says_html()
}

/// A part of XML whose columns are known.
#[derive(Debug)]
pub(crate) struct Xml {
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
    path: Vec<String>,
    /// Names of elements that are records wherever they stand; the path says nothing then.
    anywhere: &'static [&'static str],
    /// The way from a record to the elements that are rows; nothing where the record is one.
    pub(crate) unnest: Vec<String>,
    /// Of GML: how shapes are read.
    pub(crate) shapes: Option<Shapes>,
}

impl Reading {
    pub(crate) fn cutter(&self) -> RecordCutter {
        let bound = self.content.options.record_bytes_max;
        let name = &self.content.name;
        match self.anywhere {
            [] => RecordCutter::new(name, &self.path, bound, self.encoding),
            names => RecordCutter::of_names(name, names, bound, self.encoding),
        }
    }

    pub(crate) fn text(&self) -> Chunks {
        let chunks = self.content.chunks(self.content.block_bytes());
        self.encoding
            .text(chunks, self.content.options.partitions())
    }
}

pub(crate) async fn open(content: Content, format: &XmlFormat) -> Result<Xml, FormatError> {
    let head = content.head(HEAD_BYTES).await?;
    let declared = declared_encoding(&head);
    let encoding = TextEncoding::find(&content.name, declared.as_deref(), &head)?;
    let mut choices = Vec::new();
    if let Some(declared) = declared {
        let why = "the document's first line declares it";
        choices.push(Choice::new(Choice::ENCODING, declared, why));
    }
    let mut reading = Reading {
        content,
        encoding,
        path: Vec::new(),
        anywhere: &[],
        unnest: format.unnest.as_deref().map(keys).unwrap_or_default(),
        shapes: None,
    };
    reading.path = match &format.record_path {
        Some(path) => keys(path),
        None => {
            let (path, count) = paths::guess(reading.text()).await?.unwrap_or_default();
            let why = match count {
                0 | 1 => "no element is repeated, so the whole document is one record".to_owned(),
                _ => format!("of what is repeated in it there are {count}"),
            };
            choices.push(Choice::new(Choice::RECORD_PATH, path.join("/"), why));
            path
        }
    };
    if format.record_path.is_some() && reading.path.is_empty() {
        return Err(FormatError::Option {
            name: reading.content.name,
            option: "record_path",
            reason: "it names no element".to_owned(),
        });
    }
    Xml::of(reading, choices).await
}

/// The features of a Web Feature Service.
pub(crate) async fn open_gml(content: Content, format: &GmlFormat) -> Result<Xml, FormatError> {
    let head = content.head(GML_HEAD_BYTES).await?;
    let declared = declared_encoding(&head);
    let encoding = TextEncoding::find(&content.name, declared.as_deref(), &head)?;
    let text = encoding.head(&head);
    if let Some(refused) = gml::refused(&text) {
        return Err(FormatError::Document {
            name: content.name,
            byte: 0,
            reason: format!("the server answered: {refused}"),
        });
    }
    let mut choices = Vec::new();
    if let Some(name) = gml::first_name(&text).filter(|name| gml::code(name) != Some(4326)) {
        let why = "so the first shape says: coordinates stay as they are, ST_Transform(geometry, code, 4326) makes them longitude and latitude";
        choices.push(Choice::new("spatial reference", name, why));
    }
    let lists_all = memchr::memmem::find(&text, gml::ALL_MEMBERS).is_some();
    let (path, anywhere): (&[&str], _) = match lists_all {
        true => (&["*", "featureMembers", "*"], &[][..]),
        false => (&[], gml::MEMBERS),
    };
    let reading = Reading {
        content,
        encoding,
        path: path.iter().copied().map(str::to_owned).collect(),
        anywhere,
        unnest: Vec::new(),
        shapes: Some(gml::Shapes {
            order: format.axis_order,
        }),
    };
    Xml::of(reading, choices).await
}

impl Xml {
    async fn of(reading: Reading, choices: Vec<Choice>) -> Result<Self, FormatError> {
        let columns = collect(&reading).await?;
        let fields: Vec<_> = columns.iter().map(Column::field).collect();
        Ok(Self {
            reading,
            columns,
            choices,
            schema: Arc::new(Schema::new(fields)),
        })
    }
}

/// The names of a path such as `response/items/item`.
fn keys(path: &str) -> Vec<String> {
    let names = path.split('/').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What `<?xml … encoding="…"?>` says.
pub(crate) fn declared_encoding(head: &[u8]) -> Option<String> {
    let end = memchr::memmem::find(head, b"?>")?;
    let line = head[..end].trim_ascii_start();
    let rest = line.strip_prefix(b"<?xml")?;
    let at = memchr::memmem::find(rest, b"encoding")?;
    let value = rest[at + 8..].trim_ascii_start().strip_prefix(b"=")?;
    let value = value.trim_ascii_start();
    let quote = *value.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let value = &value[1..];
    let value = &value[..memchr::memchr(quote, value)?];
    std::str::from_utf8(value).ok().map(str::to_owned)
}

impl Source for Xml {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn choices(&self) -> &[Choice] {
        &self.choices
    }

    fn detected(&self, declared: &FormatSpec) -> FormatSpec {
        if self.reading.shapes.is_some() {
            return declared.clone();
        }
        FormatSpec::Xml(XmlFormat {
            record_path: Some(self.reading.path.join("/")),
            unnest: (!self.reading.unnest.is_empty()).then(|| self.reading.unnest.join("/")),
        })
    }

    fn partitions(&self) -> usize {
        match self.reading.unnest.as_slice() {
            [] => self.reading.content.options.partitions(),
            // How many elements come before a record is known only to who has read them.
            _ => 1,
        }
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let columns: Vec<Column> = projection
            .iter()
            .map(|&index| self.columns[index].clone())
            .collect();
        let schema = self.schema.project(projection);
        let schema = Arc::new(schema.unwrap_or_else(|_| Schema::empty()));
        let decoder = Decoder::new(&self.reading, &columns, schema);
        let (text, cutter) = (self.reading.text(), self.reading.cutter());
        streams(text, cutter, decoder, self.partitions())
    }
}
