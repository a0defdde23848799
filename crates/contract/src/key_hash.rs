//! A 64-bit hash of each row's key, shared by those who look for equal keys (`normalise`) and those who settle them (`lake`).
//!
//! Equal keys hash alike whatever the encoding: texts as `Utf8`, `LargeUtf8`, `Utf8View` or in a dictionary; whole numbers
//! of any width, and as floats or decimals; floats of either width; instants of any unit. A null is a value of its own. Two different keys may hash alike
//! (among n keys about n^2 / 2^65 pairs do), so a hash only ever finds suspects: compare the keys before judging a row.
//!
//! The hash is for one process: it is no file format and may differ between versions and machines.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, DictionaryArray, GenericByteArray,
    GenericByteViewArray, PrimitiveArray, downcast_dictionary_array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    ArrowDictionaryKeyType, ArrowNativeType, ByteArrayType, ByteViewType, DataType, Date32Type,
    Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

/// The hash's own seed: fixed, so that every part of the program agrees.
static SHARED: SharedSeed = SharedSeed::from_u64(0x7365_6374_6f72_6c6b);
/// The state each row starts from: any odd-looking constant does.
const START: u64 = 0x9e37_79b9_7f4a_7c15;
/// The word of a null; a value can only hash to it by chance.
const NULL: u64 = 0x5bd1_e995_c6a4_a793;

/// A set of key hashes.
pub type KeyHashes = HashSet<u64, BuildHasherDefault<PassThrough>>;

/// Passes a hash through: the keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub struct PassThrough(u64);

impl Hasher for PassThrough {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Hashes the rows of the key's `columns`, in the order of the key.
///
/// Linear in the bytes of the columns; allocates the answer and one scratch column (8 bytes a row each), nothing per row.
///
/// # Errors
/// [`ArrowError::InvalidArgumentError`] where columns differ in length, [`ArrowError::NotYetImplemented`] for nested types.
pub fn key_hashes(columns: &[ArrayRef]) -> Result<Vec<u64>, ArrowError> {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut hashes = vec![START; rows];
    let mut column_words = vec![0; rows];
    for column in columns {
        if column.len() != rows {
            let message = format!(
                "key columns differ in length: {rows} and {} rows",
                column.len()
            );
            return Err(ArrowError::InvalidArgumentError(message));
        }
        words(column.as_ref(), &mut column_words)?;
        for (hash, word) in hashes.iter_mut().zip(&column_words) {
            *hash = add_word(*hash, *word);
        }
    }
    Ok(hashes)
}

#[inline]
fn add_word(state: u64, word: u64) -> u64 {
    let mut hasher = FoldHasher::with_seed(state, &SHARED);
    hasher.write_u64(word);
    hasher.finish()
}

#[inline]
fn bytes_word(bytes: &[u8]) -> u64 {
    let mut hasher = FoldHasher::with_seed(START, &SHARED);
    hasher.write(bytes);
    hasher.finish()
}

/// One bit pattern for each number: a whole one as integers have it, so that both zeros are equal; and one for all NaN.
#[inline]
fn float_word(value: f64) -> u64 {
    // What is not held exactly comes back as another number.
    let whole = value as i64;
    if whole as f64 == value && whole != i64::MAX {
        whole as u64
    } else if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
}

/// A decimal's word: that of the integer, if it is one.
#[inline]
fn decimal_word(value: i128, scale: i8) -> u64 {
    let unit = u32::try_from(scale)
        .ok()
        .and_then(|scale| 10_i128.checked_pow(scale));
    let whole = unit
        .filter(|unit| value % unit == 0)
        .and_then(|unit| i64::try_from(value / unit).ok());
    whole.map_or_else(|| bytes_word(&value.to_le_bytes()), |whole| whole as u64)
}

/// Writes one word a row: a number's bits, the hash of a text's bytes, or [`NULL`].
fn words(column: &dyn Array, out: &mut [u64]) -> Result<(), ArrowError> {
    match column.data_type() {
        DataType::Utf8 => byte_words(column.as_string::<i32>(), out),
        DataType::LargeUtf8 => byte_words(column.as_string::<i64>(), out),
        DataType::Utf8View => view_words(column.as_string_view(), out),
        DataType::Binary => byte_words(column.as_binary::<i32>(), out),
        DataType::LargeBinary => byte_words(column.as_binary::<i64>(), out),
        DataType::BinaryView => view_words(column.as_binary_view(), out),
        DataType::Null => out.fill(NULL),
        DataType::Boolean => {
            let column = column.as_boolean();
            each(column.nulls(), out, |index| u64::from(column.value(index)));
        }
        DataType::Dictionary(_, _) => downcast_dictionary_array!(
            column => return dictionary_words(column, out),
            other => return Err(unsupported(other))
        ),
        other => return number_words(column, other, out),
    }
    Ok(())
}

/// Whole numbers by value, floats by their canonical bits, times in microseconds.
fn number_words(
    column: &dyn Array,
    data_type: &DataType,
    out: &mut [u64],
) -> Result<(), ArrowError> {
    macro_rules! each {
        ($type:ty, $word:expr) => {
            primitive_words::<$type>(column.as_primitive(), $word, out)
        };
    }
    match data_type {
        DataType::Int8 => each!(Int8Type, |value| i64::from(value) as u64),
        DataType::Int16 => each!(Int16Type, |value| i64::from(value) as u64),
        DataType::Int32 => each!(Int32Type, |value| i64::from(value) as u64),
        DataType::Int64 => each!(Int64Type, |value| value as u64),
        DataType::UInt8 => each!(UInt8Type, u64::from),
        DataType::UInt16 => each!(UInt16Type, u64::from),
        DataType::UInt32 => each!(UInt32Type, u64::from),
        DataType::UInt64 => each!(UInt64Type, |value| value),
        DataType::Float32 => each!(Float32Type, |value| float_word(f64::from(value))),
        DataType::Float64 => each!(Float64Type, float_word),
        DataType::Decimal128(_, scale) => {
            each!(Decimal128Type, |value| decimal_word(value, *scale))
        }
        DataType::Date32 => each!(Date32Type, |days| i64::from(days) as u64),
        DataType::Date64 => each!(Date64Type, |millis| millis.div_euclid(86_400_000) as u64),
        DataType::Timestamp(TimeUnit::Second, _) => each!(TimestampSecondType, |time| time
            .wrapping_mul(1_000_000)
            as u64),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            each!(TimestampMillisecondType, |time| time.wrapping_mul(1_000)
                as u64)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            each!(TimestampMicrosecondType, |time| time as u64)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => each!(TimestampNanosecondType, |time| time
            .div_euclid(1_000)
            as u64),
        other => return Err(unsupported(other)),
    }
    Ok(())
}

fn unsupported(data_type: &DataType) -> ArrowError {
    ArrowError::NotYetImplemented(format!("a key column of type {data_type}"))
}

#[inline]
fn each(nulls: Option<&NullBuffer>, out: &mut [u64], word: impl Fn(usize) -> u64) {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => {
            for (index, out) in out.iter_mut().enumerate() {
                *out = word(index);
            }
        }
        Some(nulls) => {
            for (index, out) in out.iter_mut().enumerate() {
                *out = if nulls.is_null(index) {
                    NULL
                } else {
                    word(index)
                };
            }
        }
    }
}

fn byte_words<T: ByteArrayType>(column: &GenericByteArray<T>, out: &mut [u64]) {
    let (bytes, ends) = (column.value_data(), column.value_offsets());
    let at = |index: usize| ArrowNativeType::as_usize(ends[index]);
    each(column.nulls(), out, |index| {
        bytes_word(&bytes[at(index)..at(index + 1)])
    });
}

fn view_words<T: ByteViewType + ?Sized>(column: &GenericByteViewArray<T>, out: &mut [u64]) {
    each(column.nulls(), out, |index| {
        bytes_word(column.value(index).as_ref())
    });
}

fn primitive_words<T: ArrowPrimitiveType>(
    column: &PrimitiveArray<T>,
    word: impl Fn(T::Native) -> u64,
    out: &mut [u64],
) {
    let values = column.values();
    each(column.nulls(), out, |index| word(values[index]));
}

/// Each value of the dictionary is hashed once, whatever the number of rows.
fn dictionary_words<K: ArrowDictionaryKeyType>(
    column: &DictionaryArray<K>,
    out: &mut [u64],
) -> Result<(), ArrowError> {
    let mut values = vec![0; column.values().len()];
    words(column.values().as_ref(), &mut values)?;
    let keys = column.keys().values();
    each(column.keys().nulls(), out, |index| {
        values[keys[index].as_usize()]
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::HashSet;
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray,
        NullArray, StringArray, TimestampMicrosecondArray,
    };
    use arrow::compute::cast;
    use arrow::datatypes::{DataType, Int32Type, TimeUnit};
    use proptest::prelude::*;

    use super::key_hashes;

    fn hashes(columns: &[ArrayRef]) -> Vec<u64> {
        key_hashes(columns).unwrap()
    }

    #[test]
    fn a_whole_number_hashes_alike_in_every_type_of_numbers() {
        let whole = [0, 1, -7, 1_i64 << 53];
        let integers: ArrayRef = Arc::new(Int64Array::from(whole.to_vec()));
        let expected = hashes(&[Arc::clone(&integers)]);
        for kind in [
            DataType::Float64,
            DataType::Decimal128(22, 2),
            DataType::Decimal128(30, 4),
        ] {
            let wider = cast(&integers, &kind).unwrap();
            assert_eq!(hashes(&[wider]), expected, "{kind}");
        }
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, 1.5, 1e300, f64::INFINITY]));
        let found = hashes(&[floats]);
        assert_eq!(found[0], expected[0]);
        assert!(found[1..].iter().all(|hash| !expected.contains(hash)));
    }

    #[test]
    fn equal_values_of_every_type_hash_alike_and_others_do_not() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![
                Some("a"),
                Some("a"),
                Some(""),
                None,
                None,
            ])),
            Arc::new(BinaryArray::from(vec![
                Some(b"a".as_ref()),
                Some(b"a"),
                Some(b""),
                None,
                None,
            ])),
            Arc::new(Int64Array::from(vec![
                Some(7),
                Some(7),
                Some(0),
                None,
                None,
            ])),
            Arc::new(Float64Array::from(vec![
                Some(-0.0),
                Some(0.0),
                Some(1.5),
                None,
                None,
            ])),
            Arc::new(Float64Array::from(vec![
                Some(f64::NAN),
                Some(-f64::NAN),
                Some(1.5),
                None,
                None,
            ])),
            Arc::new(BooleanArray::from(vec![
                Some(true),
                Some(true),
                Some(false),
                None,
                None,
            ])),
            Arc::new(Decimal128Array::from(vec![
                Some(1),
                Some(1),
                Some(-1),
                None,
                None,
            ])),
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(1),
                Some(1),
                Some(0),
                None,
                None,
            ])),
        ];
        for column in columns {
            let found = hashes(std::slice::from_ref(&column));
            assert_eq!(
                (found[0], found[3]),
                (found[1], found[4]),
                "{}",
                column.data_type()
            );
            assert_eq!(
                found.iter().collect::<HashSet<_>>().len(),
                3,
                "{}",
                column.data_type()
            );
        }
        let empty: ArrayRef = Arc::new(NullArray::new(2));
        assert_eq!(
            hashes(&[empty]),
            hashes(&[Arc::new(StringArray::from(vec![None::<&str>, None]))])
        );
    }

    #[test]
    fn numbers_and_instants_hash_alike_in_every_width_and_unit() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(0), Some(100), None]));
        for narrow in [
            DataType::Int8,
            DataType::Int16,
            DataType::Int32,
            DataType::UInt8,
            DataType::UInt16,
            DataType::UInt64,
        ] {
            assert_eq!(
                hashes(&[cast(&numbers, &narrow).unwrap()]),
                hashes(std::slice::from_ref(&numbers)),
                "{narrow}"
            );
        }
        let seconds = cast(&numbers, &DataType::Timestamp(TimeUnit::Second, None)).unwrap();
        for unit in [
            TimeUnit::Millisecond,
            TimeUnit::Microsecond,
            TimeUnit::Nanosecond,
        ] {
            let finer = cast(&seconds, &DataType::Timestamp(unit, None)).unwrap();
            assert_eq!(
                hashes(&[finer]),
                hashes(std::slice::from_ref(&seconds)),
                "{unit:?}"
            );
        }
    }

    #[test]
    fn nothing_and_nonsense() {
        assert!(hashes(&[]).is_empty());
        let (two, three): (ArrayRef, ArrayRef) =
            (Arc::new(NullArray::new(2)), Arc::new(NullArray::new(3)));
        insta::assert_snapshot!(key_hashes(&[two, three]).unwrap_err(), @"Invalid argument error: key columns differ in length: 2 and 3 rows");
        let nested: ArrayRef =
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some([
                Some(1),
            ])]));
        insta::assert_snapshot!(key_hashes(&[nested]).unwrap_err(), @"Not yet implemented: a key column of type List(Int32)");
    }

    #[test]
    fn a_million_neighbouring_keys_do_not_collide() {
        let trips: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..1_000_000).map(|row| format!("trip-{}", row / 20)),
        ));
        let order: ArrayRef = Arc::new(Int64Array::from_iter_values(
            (0..1_000_000).map(|row| row % 20),
        ));
        assert_eq!(
            hashes(&[trips, order])
                .into_iter()
                .collect::<HashSet<_>>()
                .len(),
            1_000_000
        );
    }

    fn texts() -> impl Strategy<Value = Vec<Option<String>>> {
        prop::collection::vec(prop::option::of("[a-cÀ-ỹ]{0,30}"), 0..40)
    }

    proptest! {
        #[test]
        fn encodings_and_splits_do_not_matter(values in texts(), cut in 0_usize..40) {
            let numbers: ArrayRef = Arc::new((0..values.len() as i64).map(|row| (row % 7 != 0).then_some(row % 5)).collect::<Int64Array>());
            let plain: ArrayRef = Arc::new(StringArray::from(values));
            let whole = hashes(&[plain.clone(), numbers.clone()]);
            let dictionary = DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8));
            for encoding in [DataType::LargeUtf8, DataType::Utf8View, DataType::Binary, DataType::BinaryView, dictionary] {
                let encoded = cast(&plain, &encoding).unwrap();
                prop_assert_eq!(&hashes(&[encoded.clone(), numbers.clone()]), &whole);
                let cut = cut.min(plain.len());
                let part = |array: &ArrayRef, at: usize, len: usize| array.slice(at, len);
                let mut parts = hashes(&[part(&encoded, 0, cut), part(&numbers, 0, cut)]);
                parts.extend(hashes(&[part(&encoded, cut, plain.len() - cut), part(&numbers, cut, plain.len() - cut)]));
                prop_assert_eq!(&parts, &whole);
            }
        }
    }
}
