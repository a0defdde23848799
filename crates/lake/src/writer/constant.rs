//! A column chunk in which every row has one value: a dictionary of one, and one run.
//!
//! `_run`, `_part`, the feed's id and many a code are the same in every row. Parquet's writer hashes and compares each of
//! them all the same, which for 5 million stop_times is a quarter of all encoding; here the chunk is a few dozen bytes,
//! written by hand. Source: Apache Parquet format, "Dictionary Encoding" and "Run Length Encoding / Bit-Packing Hybrid".

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// Texts longer than this are not put into the statistics: they would have to be cut.
const STATISTICS_BYTES_MAX: usize = 64;
/// Bits of an index into the dictionary: one entry needs none, but not every reader knows of indices without bits.
const INDEX_BITS: u8 = 1;

/// Whether all rows of a column have the value of the first. Says no where that is not cheap to see.
pub(super) fn is_constant(column: &ArrayRef) -> bool {
    fn all_same<T: ArrowPrimitiveType>(column: &ArrayRef) -> bool {
        let values = column.as_primitive::<T>().values();
        values
            .first()
            .is_some_and(|first| values.iter().all(|value| value == first))
    }
    if column.is_empty() || column.null_count() > 0 {
        return false;
    }
    match column.data_type() {
        DataType::Int64 => all_same::<Int64Type>(column),
        DataType::Int32 => all_same::<Int32Type>(column),
        DataType::Date32 => all_same::<Date32Type>(column),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            all_same::<TimestampMicrosecondType>(column)
        }
        DataType::Float64 => {
            let values = column.as_primitive::<Float64Type>().values();
            let first = values.first().map(|first| first.to_bits());
            let is_number = values.first().is_some_and(|first| !first.is_nan());
            is_number && values.iter().all(|value| Some(value.to_bits()) == first)
        }
        DataType::Utf8View => {
            // One view many times over is one value; equal texts in several places are left to the encoder.
            let views = column.as_string_view().views();
            views
                .first()
                .is_some_and(|first| views.iter().all(|view| view == first))
        }
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            let first = texts.value(0);
            (1..texts.len()).all(|row| texts.value(row) == first)
        }
        _ => false,
    }
}

/// The value as Parquet writes it plain, and what the statistics say of it.
fn plain(value: &ArrayRef) -> Option<(Vec<u8>, Option<Statistics>)> {
    Some(match value.data_type() {
        DataType::Int64 => {
            let value = value.as_primitive::<Int64Type>().value(0);
            (value.to_le_bytes().to_vec(), Some(whole(value)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let value = value.as_primitive::<TimestampMicrosecondType>().value(0);
            (value.to_le_bytes().to_vec(), Some(whole(value)))
        }
        DataType::Int32 => {
            let value = value.as_primitive::<Int32Type>().value(0);
            (value.to_le_bytes().to_vec(), Some(half(value)))
        }
        DataType::Date32 => {
            let value = value.as_primitive::<Date32Type>().value(0);
            (value.to_le_bytes().to_vec(), Some(half(value)))
        }
        DataType::Float64 => {
            let value = value.as_primitive::<Float64Type>().value(0);
            // Zero has two signs, and statistics must cover both.
            let bounds = Statistics::double(Some(value), Some(value), None, Some(0), false);
            (
                value.to_le_bytes().to_vec(),
                (value != 0.0).then_some(bounds),
            )
        }
        DataType::Utf8View => text(value.as_string_view().value(0)),
        DataType::Utf8 => text(value.as_string::<i32>().value(0)),
        _ => return None,
    })
}

fn whole(value: i64) -> Statistics {
    Statistics::int64(Some(value), Some(value), None, Some(0), false)
}

fn half(value: i32) -> Statistics {
    Statistics::int32(Some(value), Some(value), None, Some(0), false)
}

fn text(value: &str) -> (Vec<u8>, Option<Statistics>) {
    let mut bytes = u32::try_from(value.len())
        .unwrap_or(u32::MAX)
        .to_le_bytes()
        .to_vec();
    bytes.extend_from_slice(value.as_bytes());
    let statistics = (value.len() <= STATISTICS_BYTES_MAX).then(|| {
        let value = ByteArray::from(value);
        Statistics::byte_array(Some(value.clone()), Some(value), None, Some(0), false)
    });
    (bytes, statistics)
}

/// The chunk of a column whose `rows` rows all have the value of the first row of `value`.
pub(super) fn chunk(
    column: &ColumnDescPtr,
    value: &ArrayRef,
    rows: usize,
) -> Result<(Bytes, ColumnCloseResult)> {
    let Some((dictionary, statistics)) = plain(value) else {
        return Err(ParquetError::General(format!(
            "{} is no constant",
            column.name()
        )));
    };
    let mut sink = TrackedWrite::new(Vec::new());
    let mut pages = SerializedPageWriter::new(&mut sink);
    pages.write_page(dictionary_page(dictionary))?;
    let data = pages.write_page(data_page(column, rows)?)?;
    let bytes = sink.into_inner()?;
    let (size, row_count) = (count::<i64>(bytes.len())?, count::<i64>(rows)?);
    let data_offset = count::<i64>(usize::try_from(data.offset).unwrap_or(usize::MAX))?;
    let mut metadata = ColumnChunkMetaData::builder(Arc::clone(column))
        .set_encodings(vec![
            Encoding::PLAIN,
            Encoding::RLE,
            Encoding::RLE_DICTIONARY,
        ])
        .set_num_values(row_count)
        .set_total_compressed_size(size)
        .set_total_uncompressed_size(size)
        .set_dictionary_page_offset(Some(0))
        .set_data_page_offset(data_offset);
    if let Some(statistics) = statistics {
        metadata = metadata.set_statistics(statistics);
    }
    let mut offsets = OffsetIndexBuilder::new();
    offsets.append_row_count(row_count);
    offsets.append_offset_and_size(data_offset, count::<i32>(data.compressed_size)?);
    let close = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: rows as u64,
        metadata: metadata.build()?,
        bloom_filter: None,
        column_index: None,
        offset_index: Some(offsets.build()),
    };
    Ok((bytes.into(), close))
}

fn dictionary_page(value: Vec<u8>) -> CompressedPage {
    let size = value.len();
    let page = Page::DictionaryPage {
        buf: value.into(),
        num_values: 1,
        encoding: Encoding::PLAIN,
        is_sorted: false,
    };
    CompressedPage::new(page, size)
}

/// All rows as one run of the dictionary's only entry; before it, where the column may be null, one run of "there".
fn data_page(column: &ColumnDescPtr, rows: usize) -> Result<CompressedPage> {
    let mut data = Vec::new();
    if column.max_def_level() > 0 {
        let mut levels = Vec::new();
        run(&mut levels, rows, 1);
        data.extend_from_slice(&count::<u32>(levels.len())?.to_le_bytes());
        data.extend_from_slice(&levels);
    }
    data.push(INDEX_BITS);
    run(&mut data, rows, 0);
    let size = data.len();
    let page = Page::DataPage {
        buf: data.into(),
        num_values: count::<u32>(rows)?,
        encoding: Encoding::RLE_DICTIONARY,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    Ok(CompressedPage::new(page, size))
}

/// A run of `rows` equal values of one bit.
fn run(bytes: &mut Vec<u8>, rows: usize, value: u8) {
    let mut header = (rows as u64) << 1;
    while header >= 0x80 {
        bytes.push((header & 0x7f) as u8 | 0x80);
        header >>= 7;
    }
    bytes.push((header & 0x7f) as u8);
    bytes.push(value);
}

fn count<T: TryFrom<usize>>(number: usize) -> Result<T> {
    T::try_from(number)
        .map_err(|_| ParquetError::General(format!("{number} is too large for a column chunk")))
}
