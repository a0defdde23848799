//! Columns that already have a type: Parquet sources and SQL functions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Builder};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use sectorlake_contract::{Field, FieldType};

use super::Failure;
use crate::shown::quoted;

/// Casts a typed column to the field's type.
pub(super) fn from_typed(
    column: &ArrayRef,
    field: &Field,
    position: usize,
    failures: &mut Vec<Failure>,
) -> Result<ArrayRef, ArrowError> {
    let target = match (&field.kind, column.data_type()) {
        (FieldType::Time, DataType::Time32(_) | DataType::Time64(_)) => DataType::Utf8,
        (FieldType::Datetime, DataType::Timestamp(_, None)) => {
            return local_time(column, field, position, failures);
        }
        _ => field.arrow_type(),
    };
    if column.data_type() == &target {
        return Ok(finite(column, position, failures));
    }
    if let (DataType::Int64, DataType::Float64 | DataType::Float32) = (&target, column.data_type())
    {
        return whole(column, position, failures);
    }
    let safe = cast_with_options(
        column,
        &target,
        &CastOptions {
            safe: true,
            ..CastOptions::default()
        },
    )?;
    let word = field.kind.word();
    lost(column, &safe, position, failures, |value| {
        format!("value {} does not fit the type {word}", quoted(value))
    })?;
    Ok(finite(&safe, position, failures))
}

/// Infinity and NaN are not numbers of Table Schema's `number`.
fn finite(column: &ArrayRef, position: usize, failures: &mut Vec<Failure>) -> ArrayRef {
    let Some(numbers) = column.as_primitive_opt::<Float64Type>() else {
        return Arc::clone(column);
    };
    if numbers.iter().flatten().all(f64::is_finite) {
        return Arc::clone(column);
    }
    for (index, value) in numbers.iter().enumerate() {
        if let Some(value) = value.filter(|value| !value.is_finite()) {
            failures.push(Failure {
                index,
                field: position,
                rule: "type",
                message: format!("value {value} is not a finite number"),
            });
        }
    }
    Arc::new(Float64Array::from_iter(
        numbers
            .iter()
            .map(|value| value.filter(|value| value.is_finite())),
    ))
}

/// A fraction is never cut off in silence.
fn whole(
    column: &ArrayRef,
    position: usize,
    failures: &mut Vec<Failure>,
) -> Result<ArrayRef, ArrowError> {
    let wide = cast(column, &DataType::Float64)?;
    let numbers = wide.as_primitive::<Float64Type>();
    let mut builder = Int64Builder::with_capacity(numbers.len());
    for (index, value) in numbers.iter().enumerate() {
        match value {
            Some(value) if value.fract() == 0.0 && value.abs() < 9.007_199_254_740_992e15 => {
                builder.append_value(value as i64)
            }
            Some(value) => {
                builder.append_null();
                failures.push(Failure {
                    index,
                    field: position,
                    rule: "type",
                    message: format!("value {value} is not a whole number"),
                });
            }
            None => builder.append_null(),
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// A timestamp without a zone is read in the field's declared zone.
fn local_time(
    column: &ArrayRef,
    field: &Field,
    position: usize,
    failures: &mut Vec<Failure>,
) -> Result<ArrayRef, ArrowError> {
    let zone = field.time_zone.map_or("UTC", |zone| zone.name());
    let micros = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
    let zoned = cast_with_options(
        &micros,
        &DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into())),
        &CastOptions {
            safe: true,
            ..CastOptions::default()
        },
    )?;
    lost(column, &zoned, position, failures, |value| {
        format!("value {} does not exist in {zone}", quoted(value))
    })?;
    cast(
        &zoned,
        &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    )
}

/// Tells each value that a cast turned into NULL.
fn lost(
    column: &ArrayRef,
    cast: &ArrayRef,
    position: usize,
    failures: &mut Vec<Failure>,
    message: impl Fn(&str) -> String,
) -> Result<(), ArrowError> {
    if cast.null_count() == column.null_count() {
        return Ok(());
    }
    for index in (0..column.len()).filter(|index| column.is_valid(*index) && cast.is_null(*index)) {
        let message = message(&array_value_to_string(column, index)?);
        failures.push(Failure {
            index,
            field: position,
            rule: "type",
            message,
        });
    }
    Ok(())
}
