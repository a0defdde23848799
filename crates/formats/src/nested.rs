//! Structs whose values say themselves that they are not there.
//!
//! Arrow lets the child of a null struct hold any value where the child's own type forbids null, and engines that take a field of a
//! struct look at the child alone: a place that is missing would have the latitude 0.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;

/// The schema, with nullable fields in nullable structs.
pub(crate) fn schema(schema: &Schema) -> SchemaRef {
    let fields: Fields = schema
        .fields()
        .iter()
        .map(|field| child(field, false))
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn child(field: &FieldRef, is_within_null: bool) -> FieldRef {
    let is_nullable = field.is_nullable() || is_within_null;
    let DataType::Struct(children) = field.data_type() else {
        if is_nullable == field.is_nullable() {
            return Arc::clone(field);
        }
        return Arc::new(field.as_ref().clone().with_nullable(true));
    };
    let children: Fields = children
        .iter()
        .map(|field| child(field, is_nullable))
        .collect();
    let field: Field = field.as_ref().clone();
    Arc::new(
        field
            .with_data_type(DataType::Struct(children))
            .with_nullable(is_nullable),
    )
}

/// A column of [`schema`].
pub(crate) fn column(array: &ArrayRef, is_nullable: bool) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Struct(_) => masked(array, None, is_nullable),
        _ => Ok(Arc::clone(array)),
    }
}

/// The array, null where its struct is; `is_nullable`: the field may be null, or lies within one that may.
fn masked(
    array: &ArrayRef,
    outer: Option<&NullBuffer>,
    is_nullable: bool,
) -> Result<ArrayRef, ArrowError> {
    let nulls = NullBuffer::union(outer, array.nulls());
    match array.data_type() {
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().zip(fields);
            let columns = columns.map(|(column, field)| {
                masked(column, nulls.as_ref(), is_nullable || field.is_nullable())
            });
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let fields: Fields = fields
                .iter()
                .map(|field| child(field, is_nullable))
                .collect();
            Ok(Arc::new(StructArray::try_new(fields, columns, nulls)?))
        }
        // These have no nulls of their own.
        DataType::Null | DataType::Union(..) | DataType::RunEndEncoded(..) => Ok(Arc::clone(array)),
        _ if outer.is_none() => Ok(Arc::clone(array)),
        _ => Ok(make_array(
            array.to_data().into_builder().nulls(nulls).build()?,
        )),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use arrow::array::Float64Array;

    use super::*;

    #[test]
    fn a_value_in_a_null_struct_is_null() {
        let inner = Arc::new(Field::new("lat", DataType::Float64, false));
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 0.0, 3.0]));
        let nulls = NullBuffer::from(vec![true, false, true]);
        let inner = StructArray::try_new(vec![inner].into(), vec![values], Some(nulls)).unwrap();
        let place = Arc::new(Field::new("place", inner.data_type().clone(), true));
        let outer = StructArray::from(vec![(Arc::clone(&place), Arc::new(inner) as ArrayRef)]);
        let outer_field = Field::new("outer", outer.data_type().clone(), true);
        let found = column(&(Arc::new(outer) as ArrayRef), true).unwrap();
        let expected = schema(&Schema::new(vec![outer_field]));
        assert_eq!(found.data_type(), expected.field(0).data_type());
        let place = Arc::clone(found.as_struct().column(0));
        let latitudes = place.as_struct().column(0);
        assert_eq!((latitudes.null_count(), latitudes.is_null(1)), (1, true));
    }
}
