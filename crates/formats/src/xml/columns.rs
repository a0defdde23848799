//! The columns of a part: what its records hold, in the order in which it first appears.
//!
//! A column is named by its path from the record: `@id` an attribute, `name` a child's text, `place.@code` and `place.name` what a
//! child holds. A child that any record of the part holds twice is one column of JSON lists, in every record.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use futures::future::try_join_all;
use tokio::sync::Mutex;

use crate::blocks::Scan;
use crate::columns::UniqueNames;
use crate::error::FormatError;
use crate::gml::{GEOMETRY, Shapes};
use crate::xml::Reading;
use crate::xml::cutter::RecordCutter;
use crate::xml::tree::Element;

/// The whole record's column.
const RECORD: &str = "_record";
/// The column of a record's own text.
const TEXT: &str = "#text";
/// Different elements and attributes of one part, at most.
const SHAPES_MAX: usize = 16_384;

/// Where something first appears: record, then place in it.
type First = (i64, usize);

/// What all elements at one place of a part hold.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    first: First,
    has_text: bool,
    is_list: bool,
    has_shape: bool,
    attributes: HashMap<String, First>,
    children: HashMap<String, Shape>,
}

impl Shape {
    fn new(first: First) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    fn add(&mut self, element: &Element, row: i64, place: &mut usize) {
        self.has_text |= !element.text.trim().is_empty();
        self.has_shape |= element.shape.is_some();
        for (name, _) in &element.attributes {
            *place += 1;
            let first = (row, *place);
            let known = self.attributes.entry(name.clone()).or_insert(first);
            *known = first.min(*known);
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for child in &element.children {
            *place += 1;
            let first = (row, *place);
            let shape = self.children.entry(child.name.clone());
            let shape = shape.or_insert_with(|| Self::new(first));
            shape.first = first.min(shape.first);
            let count = seen.entry(&child.name).or_default();
            *count += 1;
            shape.is_list |= *count > 1;
            shape.add(child, row, place);
        }
    }

    fn merge(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.has_text |= other.has_text;
        self.is_list |= other.is_list;
        self.has_shape |= other.has_shape;
        for (name, first) in other.attributes {
            let known = self.attributes.entry(name).or_insert(first);
            *known = first.min(*known);
        }
        for (name, shape) in other.children {
            match self.children.get_mut(&name) {
                Some(known) => known.merge(shape),
                None => drop(self.children.insert(name, shape)),
            }
        }
    }

    fn size(&self) -> usize {
        let children: usize = self.children.values().map(Self::size).sum();
        1 + self.attributes.len() + children
    }

    /// Adds the columns below it; those of the record itself have no prefix.
    fn columns(&self, prefix: &[String], found: &mut Vec<(First, Source)>) {
        let below = |name: String| [prefix, &[name]].concat();
        if self.is_list {
            found.push((self.first, Source::List(prefix.to_vec())));
            return;
        }
        if self.has_shape {
            found.push((self.first, Source::Shape(prefix.to_vec())));
            return;
        }
        let is_bare = self.children.is_empty() && self.attributes.is_empty();
        if self.has_text || (is_bare && !prefix.is_empty()) {
            found.push((self.first, Source::Text(prefix.to_vec())));
        }
        for (name, first) in &self.attributes {
            found.push((*first, Source::Text(below(format!("@{name}")))));
        }
        for (name, shape) in &self.children {
            shape.columns(&below(name.clone()), found);
        }
    }
}

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The names on the way from the record; an attribute's begins with `@`.
    Text(Vec<String>),
    /// The same, to elements that become a list.
    List(Vec<String>),
    /// The same, to a shape of GML.
    Shape(Vec<String>),
    /// The whole record.
    Record,
}

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) source: Source,
}

impl Column {
    pub(crate) fn field(&self) -> Field {
        match self.source {
            Source::Shape(_) => Field::new(&self.name, DataType::Binary, true),
            Source::Record => Field::new(&self.name, DataType::Utf8View, false),
            _ => Field::new(&self.name, DataType::Utf8View, true),
        }
    }
}

/// Passes over the part once.
pub(crate) async fn collect(reading: &Reading) -> Result<Vec<Column>, FormatError> {
    let name = &reading.content.name;
    let scan = Arc::new(Mutex::new(Scan::new(reading.text(), reading.cutter())));
    let workers = (0..reading.content.options.partitions()).map(|_| {
        let (scan, name) = (Arc::clone(&scan), name.clone());
        let (shapes, unnest) = (reading.shapes, reading.unnest.clone());
        let worker = tokio::spawn(async move { work(&scan, &name, shapes, &unnest).await });
        async {
            worker.await.unwrap_or_else(|_| {
                Err(FormatError::Stopped {
                    name: reading.content.name.clone(),
                })
            })
        }
    });
    let mut shape = Shape::default();
    for found in try_join_all(workers).await? {
        shape.merge(found);
    }
    name_columns(name, &shape, reading.shapes.is_some())
}

async fn work(
    scan: &Mutex<Scan<RecordCutter>>,
    name: &str,
    shapes: Option<Shapes>,
    unnest: &[String],
) -> Result<Shape, FormatError> {
    let mut shape = Shape::default();
    loop {
        let block = scan.lock().await.next().await?;
        let Some(block) = block else { return Ok(shape) };
        for (row, record) in (block.row..).zip(&block.records) {
            // Broken records are told of when they are decoded.
            let text = std::str::from_utf8(&record.bytes).ok();
            let text = text.filter(|_| !record.is_too_long);
            let elements = text.map(|text| read(text, shapes, unnest));
            for element in elements.into_iter().flatten().flatten() {
                shape.add(&element, row, &mut 0);
            }
        }
        if shape.size() > SHAPES_MAX {
            return Err(FormatError::TooManyColumns {
                name: name.to_owned(),
                bound: SHAPES_MAX,
            });
        }
    }
}

/// The rows of the record that a text is: one, unless its elements are rows; of GML, the feature in it.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(crate) fn read(
    text: &str,
    shapes: Option<Shapes>,
    unnest: &[String],
) -> Result<Vec<Element>, String> {
    let element =
        Element::parse(text).map_err(|reason| format!("it is no well-formed XML: {reason}"))?;
    match shapes {
        Some(shapes) => Ok(vec![shapes.place(element)?]),
        None => element.split(unnest),
    }
}

fn name_columns(part: &str, shape: &Shape, is_gml: bool) -> Result<Vec<Column>, FormatError> {
    let mut found = Vec::new();
    shape.columns(&[], &mut found);
    found.sort_unstable();
    let mut names = UniqueNames::default();
    names.reserve(RECORD);
    let mut columns = Vec::with_capacity(found.len() + 1);
    // The first shape and the id of a feature are named as GeoJSON names them.
    let is_shape = |source: &Source| matches!(source, Source::Shape(_));
    let first_shape = found.iter().position(|(_, source)| is_shape(source));
    if is_gml {
        names.reserve(GEOMETRY);
    }
    for (place, (_, source)) in found.into_iter().enumerate() {
        let path = match &source {
            Source::Text(path) | Source::List(path) | Source::Shape(path) => path.as_slice(),
            Source::Record => &[],
        };
        let name = match path {
            _ if first_shape == Some(place) => GEOMETRY.to_owned(),
            [] => names.add(part, TEXT)?,
            [id] if is_gml && (id == "@id" || id == "@fid") => names.add(part, "id")?,
            path => names.add(part, &path.join("."))?,
        };
        columns.push(Column { name, source });
    }
    columns.push(Column {
        name: RECORD.to_owned(),
        source: Source::Record,
    });
    Ok(columns)
}
