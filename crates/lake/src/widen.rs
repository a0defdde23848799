//! Values in a wider type: exact, or not at all.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The column as `wider`: a wider type of numbers, or that of the values that its texts are.
///
/// # Errors
/// [`ArrowError::CastError`] for a value that the wider type does not hold exactly, such as 2^53 + 1 as a number, and for
/// a text that is no value of the type.
pub(crate) fn widened(column: &ArrayRef, wider: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == wider {
        return Ok(ArrayRef::clone(column));
    }
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let cast = cast_with_options(column, wider, &strict)?;
    if let (DataType::Int64, DataType::Float64) = (column.data_type(), wider) {
        exact_floats(column, &cast)?;
    }
    if let (DataType::Utf8, DataType::Decimal128(_, scale)) = (column.data_type(), wider) {
        exact_decimals(column.as_string(), *scale)?;
    }
    Ok(cast)
}

/// A text with more decimals than the type has would be rounded.
fn exact_decimals(texts: &StringArray, scale: i8) -> Result<(), ArrowError> {
    let decimals = |text: &str| {
        let (_, fraction) = text.trim().split_once('.')?;
        Some(fraction.trim_end_matches('0').len())
    };
    let most = usize::try_from(scale).unwrap_or_default();
    let finer = |text: &&str| decimals(text).is_some_and(|count| count > most);
    match texts.iter().flatten().find(finer) {
        None => Ok(()),
        Some(text) => Err(ArrowError::CastError(format!(
            "{text:?} has more decimals than {scale}"
        ))),
    }
}

/// A number of 64 bits holds whole numbers up to 2^53 exactly, and some beyond.
fn exact_floats(whole: &ArrayRef, floats: &ArrayRef) -> Result<(), ArrowError> {
    let (values, cast) = (
        whole.as_primitive::<Int64Type>().values(),
        floats.as_primitive::<Float64Type>().values(),
    );
    let is_exact = |row: usize| whole.is_null(row) || cast[row] as i128 == i128::from(values[row]);
    match (0..whole.len()).find(|row| !is_exact(*row)) {
        None => Ok(()),
        Some(row) => {
            let options = FormatOptions::default();
            let value = ArrayFormatter::try_new(whole, &options)?;
            Err(ArrowError::CastError(format!(
                "{} is not held exactly by a number",
                value.value(row)
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int32Array, Int64Array};
    use proptest::prelude::*;

    use super::*;

    fn whole(values: Vec<Option<i64>>) -> ArrayRef {
        Arc::new(Int64Array::from(values))
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        let edge = 1_i64 << 53;
        let cast = widened(&whole(vec![Some(edge), None, Some(-7)]), &DataType::Float64).unwrap();
        assert_eq!(cast.as_primitive::<Float64Type>().value(2), -7.0);
        assert!(cast.is_null(1));
        for beyond in [edge + 1, i64::MAX] {
            let error = widened(&whole(vec![Some(beyond)]), &DataType::Float64).unwrap_err();
            assert!(error.to_string().contains(&beyond.to_string()), "{error}");
        }
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("1.50"), None]));
        assert!(widened(&texts, &DataType::Decimal128(4, 1)).is_ok());
        for text in ["1.55", "many", ""] {
            let texts: ArrayRef = Arc::new(StringArray::from(vec![text]));
            assert!(
                widened(&texts, &DataType::Decimal128(4, 1)).is_err(),
                "{text}"
            );
        }
        let narrow = widened(&whole(vec![Some(1000)]), &DataType::Decimal128(4, 2));
        assert!(narrow.is_err());
    }

    proptest! {
        #[test]
        fn wider_types_keep_every_value(values in prop::collection::vec(any::<Option<i32>>(), 0..40)) {
            let years: ArrayRef = Arc::new(Int32Array::from(values.clone()));
            let wide = widened(&years, &DataType::Int64).unwrap();
            let expected: Vec<Option<i64>> = values.iter().map(|value| value.map(i64::from)).collect();
            prop_assert_eq!(&wide, &whole(expected.clone()));
            let floats = widened(&wide, &DataType::Float64).unwrap();
            let floats: Vec<_> = floats.as_primitive::<Float64Type>().iter().collect();
            prop_assert_eq!(floats, values.iter().map(|value| value.map(f64::from)).collect::<Vec<_>>());
            let decimals = widened(&wide, &DataType::Decimal128(21, 2)).unwrap();
            let hundredfold = Decimal128Array::from_iter(expected.iter().map(|value| value.map(|value| i128::from(value) * 100)));
            let hundredfold: ArrayRef = Arc::new(hundredfold.with_precision_and_scale(21, 2).unwrap());
            prop_assert_eq!(&decimals, &hundredfold);
            let finer = widened(&decimals, &DataType::Decimal128(38, 6)).unwrap();
            prop_assert_eq!(&widened(&finer, &DataType::Decimal128(21, 2)).unwrap(), &decimals);
        }
    }
}
