//! What SIRI and NeTEx have in common: documents of Transmodel's elements, which stand at any depth and refer to one another.
//!
//! The elements that rows are made of are cut out wherever they stand, each is read alone, and the standard's module makes rows of it,
//! whose columns are fixed: mappings shipped with a connector must not depend on what else a document holds. A document is read in
//! order, by one stream, since elements before a record may speak for it. Rows are numbered in that order.

mod elements;
mod rows;
mod way;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde_json::Value;

use crate::part::Streams;
pub(crate) use elements::{Notation, elements};
pub(crate) use way::{all, at, attribute, child, reference, text};

use crate::content::Content;
use crate::error::FormatError;
use crate::xml::tree::Element;

/// The column of the element that a row stands for.
pub(crate) const RECORD: &str = "_record";

/// One value of a row; rows of one element share theirs.
pub(crate) type Cell = Option<Arc<str>>;

/// Makes rows of elements, in the document's order.
pub(crate) trait Entity: Clone + Send + 'static {
    /// The columns, without [`RECORD`].
    fn columns(&self) -> Vec<&'static str>;

    /// The elements that are wanted, wherever they stand.
    fn names(&self) -> &'static [&'static str];

    /// The rows of one, none where it only speaks for others: as many cells as columns, then the element of the row.
    ///
    /// # Errors
    /// Why it cannot be read, as a sentence.
    fn rows<'a>(&mut self, element: &'a Element) -> Result<Vec<(Vec<Cell>, &'a Element)>, String>;
}

/// A document that is about to be read.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) content: Content,
    pub(crate) notation: Notation,
    pub(crate) schema: SchemaRef,
}

impl Document {
    /// The document that `content` is, with the columns of `entity`.
    ///
    /// # Errors
    /// [`FormatError`] when it is neither XML nor JSON, or holds none of `marks` near its beginning.
    pub(crate) async fn open(
        content: Content,
        entity: &impl Entity,
        standard: &'static str,
        marks: &[&str],
    ) -> Result<Self, FormatError> {
        let notation = Notation::find(&content, standard, marks).await?;
        let names = entity.columns().into_iter().chain([RECORD]);
        let fields: Vec<Field> = names
            .map(|name| Field::new(name, DataType::Utf8View, true))
            .collect();
        Ok(Self {
            content,
            notation,
            schema: Arc::new(Schema::new(fields)),
        })
    }

    /// The one stream of its rows.
    pub(crate) fn read(&self, entity: impl Entity, projection: &[usize]) -> Streams {
        vec![rows::stream(self.clone(), entity, projection)]
    }
}

/// A text, if there is any.
pub(crate) fn cell(text: Option<&str>) -> Cell {
    text.map(Arc::from)
}

/// JSON as a value of a row; nothing for an empty list or object.
pub(crate) fn json(value: &Value) -> Cell {
    let is_empty = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Null => true,
        _ => false,
    };
    (!is_empty).then(|| value.to_string().into())
}
