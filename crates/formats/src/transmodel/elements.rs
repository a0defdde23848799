//! The wanted elements of a document, one after the other: of XML, and of JSON that has the same names.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

use crate::blocks::Scan;
use crate::content::Content;
use crate::encoding::TextEncoding;
use crate::error::FormatError;
use crate::json::Record;
use crate::thread::{self, Sender, Unwanted};
use crate::xml::cutter::RecordCutter;
use crate::xml::tree::Element;
use crate::xml::{declared_encoding, is_xml};

/// Bytes within which a document shows what it is.
const HEAD_BYTES: usize = 64 << 10;
/// Elements and attributes that one element of JSON becomes, at most.
const NODES_MAX: usize = 100_000;

/// How a document is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Notation {
    /// With elements.
    Xml(TextEncoding),
    /// With objects whose keys are the elements' names.
    Json(TextEncoding),
}

/// An element, or why it cannot be read.
pub(crate) struct Found {
    /// Where it starts in the part, where that is known.
    pub(crate) byte: Option<u64>,
    pub(crate) raw: Bytes,
    pub(crate) element: Result<Element, String>,
}

pub(crate) type Elements = BoxStream<'static, Result<Found, FormatError>>;

impl Notation {
    pub(crate) async fn find(
        content: &Content,
        standard: &'static str,
        marks: &[&str],
    ) -> Result<Self, FormatError> {
        let head = content.head(HEAD_BYTES).await?;
        let declared = declared_encoding(&head);
        let encoding = TextEncoding::find(&content.name, declared.as_deref(), &head)?;
        let chunks = content.chunks(HEAD_BYTES as u64);
        let mut text = encoding.text(chunks, 1);
        let beginning = text.next().await.transpose()?.unwrap_or_default();
        let wrong = |reason: String| FormatError::Document {
            name: content.name.clone(),
            byte: 0,
            reason,
        };
        let notation = match beginning.trim_ascii_start().first() {
            Some(b'<') if is_xml(&beginning, true) => Self::Xml(encoding),
            Some(b'{' | b'[') => Self::Json(encoding),
            _ => {
                return Err(wrong(format!(
                    "this is no {standard}: it is neither XML nor JSON"
                )));
            }
        };
        let says = |mark: &&str| memchr::memmem::find(&beginning, mark.as_bytes()).is_some();
        match marks.iter().any(says) {
            true => Ok(notation),
            false => Err(wrong(format!(
                "this is no {standard}: its beginning holds no {}",
                marks.join(" and no ")
            ))),
        }
    }
}

/// The elements of these names, in the document's order.
pub(crate) fn elements(
    content: &Content,
    notation: Notation,
    names: &'static [&'static str],
) -> Elements {
    match notation {
        Notation::Xml(encoding) => of_xml(content, encoding, names),
        Notation::Json(encoding) => of_json(content.clone(), encoding, names),
    }
}

fn of_xml(content: &Content, encoding: TextEncoding, names: &'static [&'static str]) -> Elements {
    let options = &content.options;
    let chunks = content.chunks(content.block_bytes());
    let text = encoding.text(chunks, options.partitions());
    let bound = options.record_bytes_max;
    let cutter = RecordCutter::of_names(&content.name, names, bound, encoding);
    let state = Some((Scan::new(text, cutter), VecDeque::<Record>::new()));
    let next = move |state: Option<(Scan<RecordCutter>, VecDeque<Record>)>| async move {
        let (mut scan, mut records) = state?;
        loop {
            if let Some(record) = records.pop_front() {
                let found = read(record, encoding, bound);
                return Some((Ok(found), Some((scan, records))));
            }
            match scan.next().await {
                Ok(Some(block)) => records.extend(block.records),
                Ok(None) => return None,
                Err(error) => return Some((Err(error), None)),
            }
        }
    };
    stream::unfold(state, next).fuse().boxed()
}

/// A record of XML, read.
fn read(record: Record, encoding: TextEncoding, bound: usize) -> Found {
    let element = match std::str::from_utf8(&record.bytes) {
        _ if record.is_too_long => Err(format!("the element is longer than {bound} bytes")),
        Ok(text) => {
            Element::parse(text).map_err(|reason| format!("it is no well-formed XML: {reason}"))
        }
        Err(_) => Err(format!(
            "it holds bytes that {} does not have",
            encoding.name()
        )),
    };
    Found {
        byte: encoding.byte_in_part(record.byte),
        raw: record.bytes,
        element,
    }
}

/// JSON has no end tags to cut at: it is held whole, and walked on a thread of its own.
fn of_json(content: Content, encoding: TextEncoding, names: &'static [&'static str]) -> Elements {
    let whole = async move {
        let bytes = match whole(&content, encoding).await {
            Ok(bytes) => bytes,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let name = content.name.clone();
        thread::stream(content.name, move |sender| {
            let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
            let mut is_over = false;
            let walk = Walk {
                names,
                sender,
                is_over: &mut is_over,
            };
            let walked = walk.deserialize(&mut deserializer);
            match walked.and_then(|()| deserializer.end()) {
                Err(_) if is_over => Ok(()),
                Err(error) => Err(FormatError::Document {
                    name,
                    byte: 0,
                    reason: format!("it is no whole JSON document: {error}"),
                }),
                Ok(()) => Ok(()),
            }
        })
    };
    stream::once(whole).flatten().boxed()
}

async fn whole(content: &Content, encoding: TextEncoding) -> Result<Bytes, FormatError> {
    if encoding.is_utf8() {
        let bytes = content.whole("SIRI in JSON").await?;
        let marked = bytes.starts_with(b"\xEF\xBB\xBF");
        return Ok(bytes.slice(if marked { 3 } else { 0 }..));
    }
    Err(FormatError::Document {
        name: content.name.clone(),
        byte: 0,
        reason: format!("JSON is UTF-8 (RFC 8259), this is {}", encoding.name()),
    })
}

/// Goes through a document, and sends what stands under wanted keys.
struct Walk<'a> {
    names: &'static [&'static str],
    sender: &'a Sender<Found>,
    /// Nobody wants any more.
    is_over: &'a mut bool,
}

impl Walk<'_> {
    fn again(&mut self) -> Walk<'_> {
        Walk {
            names: self.names,
            sender: self.sender,
            is_over: self.is_over,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("objects and lists")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if !self.names.contains(&key.as_str()) {
                map.next_value_seed(self.again())?;
                continue;
            }
            let mut elements = Vec::new();
            map.next_value_seed(Tree {
                name: &key,
                nodes: &mut 0,
                into: &mut elements,
            })?;
            for element in elements {
                let found = Found {
                    byte: None,
                    raw: Bytes::new(),
                    element: Ok(element),
                };
                if let Err(Unwanted) = self.sender.send(found) {
                    *self.is_over = true;
                    return Err(A::Error::custom("nobody reads on"));
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.again())?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Makes an element of a value: a list is one each, an object's keys are its children. `{"value": …}` is a text, as SIRI Lite has it.
struct Tree<'a> {
    name: &'a str,
    nodes: &'a mut usize,
    into: &'a mut Vec<Element>,
}

impl Tree<'_> {
    fn text<E: Error>(self, text: String) -> Result<(), E> {
        self.push(Element {
            text,
            ..Element::default()
        })
    }

    fn push<E: Error>(self, mut element: Element) -> Result<(), E> {
        *self.nodes += 1;
        if *self.nodes > NODES_MAX {
            let reason = format!("`{}` holds more than {NODES_MAX} values", self.name);
            return Err(E::custom(reason));
        }
        element.name = self.name.to_owned();
        self.into.push(element);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut element = Element::default();
        while let Some(key) = map.next_key::<String>()? {
            let mut children = Vec::new();
            map.next_value_seed(Tree {
                name: &key,
                nodes: self.nodes,
                into: &mut children,
            })?;
            match children.as_mut_slice() {
                [only] if key == "value" && only.children.is_empty() => {
                    element.text = std::mem::take(&mut only.text);
                }
                [only] if matches!(key.as_str(), "lang" | "ref") && only.children.is_empty() => {
                    let value = std::mem::take(&mut only.text);
                    element.attributes.push((key, value));
                }
                _ => element.children.append(&mut children),
            }
        }
        self.push(element)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        loop {
            let item = Tree {
                name: self.name,
                nodes: self.nodes,
                into: self.into,
            };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.text(value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.text(value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.text(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.text(value.to_string())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.text(value.to_owned())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}
