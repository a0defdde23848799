//! Rows in a narrower form, made to have the table's: fields that are not there are empty, narrower types become wide.

use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use sectorlake_contract::{Contract, system};

use super::is_same_type;
use crate::widen::widened;

/// The columns of rows of the table: the contract's fields, and where each row is from.
pub(super) fn row_schema(contract: &Contract) -> SchemaRef {
    let mut fields: Vec<Field> = contract
        .arrow_schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_metadata(Default::default()))
        .collect();
    let origin = system::fields().into_iter();
    fields.extend(origin.filter(|field| field.name() != system::SOURCE));
    Arc::new(Schema::new(fields))
}

/// The batch with these columns.
///
/// # Errors
/// Where a column is missing that may not be empty, or of a type that does not widen, or a value is not held exactly.
pub(super) fn adapted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let column = |field: &FieldRef| -> Result<(FieldRef, ArrayRef), ArrowError> {
        let kind = field.data_type();
        let column = match batch.column_by_name(field.name()) {
            Some(column) if is_same_type(kind, column.data_type()) => Arc::clone(column),
            Some(column) => widened(column, kind)?,
            None if field.is_nullable() => new_null_array(kind, batch.num_rows()),
            None => {
                let message = format!("column {} is missing", field.name());
                return Err(ArrowError::SchemaError(message));
            }
        };
        let as_given: DataType = column.data_type().clone();
        Ok((
            Arc::new(field.as_ref().clone().with_data_type(as_given)),
            column,
        ))
    };
    let columns = schema.fields().iter().map(column);
    let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) =
        columns.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
