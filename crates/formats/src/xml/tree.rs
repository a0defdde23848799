//! One record, read: its elements, attributes and texts.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

/// Elements that nest in one record, at most.
const DEPTH_MAX: usize = 64;
/// Elements and attributes of one record, at most: each takes far more memory than its shortest text.
const NODES_MAX: usize = 100_000;
/// The same of all rows of one record together.
const REPEATS_MAX: usize = 2_000_000;

/// An element; names are local ones.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// As it is written; of an element with children, what stands between them.
    pub(crate) text: String,
    /// Said to be nil (XML Schema, part 1, section 2.6.2).
    pub(crate) is_nil: bool,
    /// The shape that stood in it, as WKB; no bytes for an empty one. Only GML has any.
    pub(crate) shape: Option<Vec<u8>>,
}

impl Element {
    /// The element that a text is.
    ///
    /// # Errors
    /// Why the text is no well-formed element, or one of too many parts.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_unmatched_ends = false;
        let mut open: Vec<Self> = Vec::new();
        let mut nodes = 0;
        loop {
            let event = reader.read_event();
            let at = reader.buffer_position();
            match event.map_err(|error| format!("{error} (byte {at} of the record)"))? {
                Event::Start(tag) => {
                    if open.len() >= DEPTH_MAX {
                        return Err(format!("its elements nest more than {DEPTH_MAX} deep"));
                    }
                    open.push(Self::of_tag(&tag, &mut nodes)?);
                }
                Event::Empty(tag) => {
                    let element = Self::of_tag(&tag, &mut nodes)?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Event::End(_) => {
                    let Some(mut element) = open.pop() else {
                        return Err("an end tag closes nothing".to_owned());
                    };
                    if !element.children.is_empty() {
                        element.text = element.text.trim().to_owned();
                    }
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                Event::Text(text) => add(&mut open, &text.xml10_content()),
                Event::CData(text) => add(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref();
                    match character.map_err(|error| error.to_string())? {
                        Some(character) => add(&mut open, character.encode_utf8(&mut [0; 4])),
                        None => add(&mut open, known_entity(&reference.xml10_content())?),
                    }
                }
                Event::Eof => return Err("its end tag is missing".to_owned()),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) | Event::DocType(_) => {}
            }
        }
    }

    fn of_tag(tag: &BytesStart<'_>, nodes: &mut usize) -> Result<Self, String> {
        let mut element = Self {
            name: tag.local_name().into_inner().to_owned(),
            ..Self::default()
        };
        if element.name.is_empty() {
            return Err("a `<` starts no tag; as text it is written `&lt;`".to_owned());
        }
        *nodes += 1;
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| format!("`{}`: {error}", element.name))?;
            // Declarations of namespaces are no data.
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let name = attribute.key.local_name().into_inner().to_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| format!("`{}`: {error}", element.name))?;
            element.is_nil |= name == "nil" && matches!(value.as_ref(), "true" | "1");
            element.attributes.push((name, value.into_owned()));
            *nodes += 1;
        }
        match *nodes > NODES_MAX {
            true => Err(format!(
                "it has more than {NODES_MAX} elements and attributes"
            )),
            false => Ok(element),
        }
    }

    /// One element for each of those at a path below it, with all else that it holds; none where there are none.
    ///
    /// # Errors
    /// Where they would each repeat too much.
    pub(crate) fn split(self, path: &[String]) -> Result<Vec<Self>, String> {
        let Some((name, rest)) = path.split_first() else {
            return Ok(vec![self]);
        };
        let (ours, others): (Vec<Self>, Vec<Self>) = self
            .children
            .into_iter()
            .partition(|child| child.name == *name);
        let around = Self {
            children: others,
            ..self
        };
        let mut inner = Vec::new();
        for child in ours {
            inner.extend(child.split(rest)?);
        }
        if around.nodes().saturating_mul(inner.len()) > REPEATS_MAX {
            return Err(format!(
                "its {} elements would each repeat all that is around them",
                inner.len()
            ));
        }
        let with = |child| {
            let mut whole = around.clone();
            whole.children.push(child);
            whole
        };
        Ok(inner.into_iter().map(with).collect())
    }

    fn nodes(&self) -> usize {
        let below: usize = self.children.iter().map(Self::nodes).sum();
        1 + self.attributes.len() + below
    }

    /// Whether it is a text and nothing else.
    pub(crate) fn is_plain(&self) -> bool {
        self.children.is_empty() && self.attributes.is_empty()
    }

    /// As JSON: a text, or an object of attributes (`@name`), children and the text (`#text`). A child that is repeated is a list.
    pub(crate) fn json(&self) -> Value {
        if self.is_nil && self.children.is_empty() && self.text.is_empty() {
            return Value::Null;
        }
        if self.is_plain() {
            return Value::String(self.text.clone());
        }
        let mut object = Map::new();
        for (name, value) in &self.attributes {
            object.insert(format!("@{name}"), Value::String(value.clone()));
        }
        let mut lists: Map<String, Value> = Map::new();
        for child in &self.children {
            let list = lists
                .entry(&child.name)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(child.json());
            }
        }
        for (name, list) in lists {
            let value = match list {
                Value::Array(mut list) if list.len() == 1 => list.remove(0),
                list => list,
            };
            object.insert(name, value);
        }
        if !self.text.trim().is_empty() {
            object.insert("#text".to_owned(), Value::String(self.text.clone()));
        }
        Value::Object(object)
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// The five entities that need no DTD. Others are not followed: they may stand for files, or for billions of characters.
fn known_entity(name: &str) -> Result<&'static str, String> {
    Ok(match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => {
            return Err(format!(
                "it uses the entity `&{name};`, which only a DTD can explain; DTDs are not followed"
            ));
        }
    })
}
