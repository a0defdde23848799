//! The columns of a table: their names and units, as a schema, and where those of two sheets differ.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::columns::UniqueNames;
use crate::error::FormatError;
use crate::workbook::value::letters;

/// The column that names the sheet where several are read.
const SHEET: &str = "_sheet";
/// A field's metadata that holds what the units row says of it.
pub(crate) const UNIT: &str = "unit";

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) unit: Option<String>,
}

impl std::fmt::Display for Column {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// The columns as a schema; `names_sheet` adds one for the sheet's name.
pub(crate) fn schema(
    name: &str,
    columns: &[Column],
    names_sheet: bool,
) -> Result<SchemaRef, FormatError> {
    let mut unique = UniqueNames::default();
    let mut fields = Vec::with_capacity(columns.len() + 1);
    for column in columns {
        let field = Field::new(unique.add(name, &column.name)?, DataType::Utf8View, false);
        fields.push(match &column.unit {
            Some(unit) => field.with_metadata(HashMap::from([(UNIT.to_owned(), unit.clone())])),
            None => field,
        });
    }
    if names_sheet {
        fields.push(Field::new(
            unique.add(name, SHEET)?,
            DataType::Utf8View,
            false,
        ));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// Two sheets whose columns differ: where, in words.
pub(crate) fn difference(first: &[Column], other: &[Column]) -> Option<String> {
    let place = first
        .iter()
        .zip(other)
        .position(|(left, right)| left.name != right.name);
    match place {
        Some(index) => Some(format!(
            "column {} is `{}` in the first and `{}` in this",
            letters(index as u32),
            first[index],
            other[index]
        )),
        None if first.len() != other.len() => Some(format!(
            "it has {} columns, the first has {}",
            other.len(),
            first.len()
        )),
        None => None,
    }
}
