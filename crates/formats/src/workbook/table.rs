//! One sheet's table, as a reader needs it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use crate::workbook::layout::Layout;

/// A sheet as its workbook lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetInfo {
    pub(crate) name: String,
    pub(crate) hidden: bool,
}

/// Where one sheet's table stands, and the columns of all.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) layout: Arc<Layout>,
    pub(crate) schema: SchemaRef,
}
