//! A 64-bit hash of each row's key, shared by those who look for equal keys (`normalise`) and those who settle them (`lake`).
//!
//! Equal keys hash alike whatever the encoding: texts as `Utf8`, `LargeUtf8`, `Utf8View` or in a dictionary; whole numbers
//! of any width; floats of either; instants of any unit. A null is a value of its own. Two different keys may hash alike
//! (among n keys about n^2 / 2^65 pairs do), so a hash only ever finds suspects: compare the keys before judging a row.
//!
//! The hash is for one process: it is no file format and may differ between versions and machines.

use std::hash::Hasher;

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

/// One bit pattern for each number: both zeros are equal, and so are all NaN.
#[inline]
fn float_word(value: f64) -> u64 {
    if value == 0.0 {
        0.0_f64.to_bits()
    } else if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        value.to_bits()
    }
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
#[expect(clippy::cast_sign_loss, reason = "the bits are hashed, not the number")]
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
        DataType::Decimal128(_, _) => {
            each!(Decimal128Type, |value| bytes_word(&value.to_le_bytes()))
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
