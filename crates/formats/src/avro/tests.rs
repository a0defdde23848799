#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Read;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    ListArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use arrow_avro::compression::CompressionCodec;
use arrow_avro::writer::WriterBuilder;
use arrow_avro::writer::format::AvroOcfFormat;
use proptest::prelude::*;

use super::*;
use crate::testing::{archive, block_on, options, part, read, read_bytes, read_columns};
use crate::{ReadOptions, guess};

/// A file of blocks of `rows` records each.
fn file(blocks: &[i64], codec: Option<CompressionCodec>) -> Vec<u8> {
    let mut first = 1;
    let mut writer = None;
    for &rows in blocks {
        let batch = batch(first..first + rows);
        first += rows;
        let writer = writer.get_or_insert_with(|| {
            let schema = batch.schema().as_ref().clone();
            let builder = WriterBuilder::new(schema).with_compression(codec);
            builder.build::<_, AvroOcfFormat>(Vec::new()).unwrap()
        });
        writer.write(&batch).unwrap();
    }
    let mut writer = writer.unwrap();
    writer.finish().unwrap();
    writer.into_inner()
}

fn batch(numbers: std::ops::Range<i64>) -> RecordBatch {
    let rows: Vec<i64> = numbers.collect();
    let names: StringArray = rows
        .iter()
        .map(|row| (row % 3 != 0).then(|| format!("tên dài hơn mười hai {row}")))
        .collect();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(
        rows.iter()
            .map(|row| Some(vec![Some(*row as i32); (*row % 3) as usize])),
    );
    let inner: ArrayRef = Arc::new(Int32Array::from_iter_values(
        rows.iter().map(|row| *row as i32),
    ));
    let structs = StructArray::from(vec![(
        Arc::new(Field::new("inner", DataType::Int32, false)),
        inner,
    )]);
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("number", Arc::new(Int64Array::from(rows.clone())), false),
        ("name", Arc::new(names), true),
        (
            "half",
            Arc::new(Float64Array::from_iter_values(
                rows.iter().map(|row| *row as f64 / 2.0),
            )),
            false,
        ),
        (
            "even",
            Arc::new(
                rows.iter()
                    .map(|row| Some(row % 2 == 0))
                    .collect::<BooleanArray>(),
            ),
            false,
        ),
        (
            "day",
            Arc::new(Date32Array::from_iter_values(
                rows.iter().map(|row| *row as i32),
            )),
            false,
        ),
        (
            "moment",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row * 1_000_000))
                    .with_timezone("+00:00"),
            ),
            false,
        ),
        (
            "price",
            Arc::new(
                Decimal128Array::from_iter_values(rows.iter().map(|row| i128::from(*row) * 101))
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
            false,
        ),
        ("list", Arc::new(lists), true),
        ("place", Arc::new(structs), false),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

#[test]
fn blocks_are_shared_numbered_and_keep_their_types() {
    let codecs = [
        None,
        Some(CompressionCodec::Deflate),
        Some(CompressionCodec::Snappy),
        Some(CompressionCodec::ZStandard),
    ];
    for codec in codecs {
        let bytes = file(&[10, 1, 40, 44], codec);
        for (block, partitions, batch_rows) in [(7, 1, 4), (300, 3, 7), (100_000, 8, 1000)] {
            block_on(async {
                let part = part("a.avro", bytes.clone()).await;
                let bounds = options(block, partitions, batch_rows);
                let opened = crate::open(&part, None, None, &bounds).await.unwrap();
                let all = read(&part, None, None, &bounds).await.unwrap();
                assert_eq!(all.rows.len(), 95);
                insta::allow_duplicates! {
                    insta::assert_snapshot!(all.texts()[4].join(" | "), @"5 | tên dài hơn mười hai 5 | 2.5 | false | 1970-01-06 | 1970-01-01T00:00:05Z | 5.05 | [5, 5] | {inner: 5}");
                    let types: Vec<String> = opened.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
                    insta::assert_snapshot!(types.join(" | "), @r#"Int64 | Utf8View | Float64 | Boolean | Date32 | Timestamp(µs, "+00:00") | Decimal128(10, 2) | List(Int32) | Struct("inner": non-null Int32)"#);
                }
                let some = read_columns(&opened, &[2, 0, 2]).await.unwrap();
                assert_eq!(some.texts()[6], ["3.5", "7", "3.5"]);
                assert_eq!(read_columns(&opened, &[]).await.unwrap().rows.len(), 95);
            });
        }
    }
}

#[test]
fn files_that_are_broken() {
    let bytes = file(&[10, 20], Some(CompressionCodec::Deflate));
    let error = |bytes: &[u8]| {
        let read = read_bytes(bytes, "\"avro\"", &ReadOptions::default());
        read.map(|all| all.rows.len()).unwrap_err().to_string()
    };
    let marked = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        bytes
    };
    let length = bytes.len();
    let header = Header::read(&bytes.clone().into()).unwrap().unwrap();
    let cases = [
        error(&bytes[..length - 5]),
        error(&bytes[..40]),
        error(b"<html>404</html>"),
        error(&marked(length - 1, 7)),
        error(&marked(header.length + 10, 0xFF)),
        error(&marked(20, b'!')),
        // The first block says that it has 9 records, then 11, then -6.
        error(&marked(header.length, 18)),
        error(&marked(header.length, 22)),
        error(&marked(header.length, 11)),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r"
part: at byte 897: the file ends inside a block
part: the Avro file cannot be read: it ends inside its header
part: the Avro file cannot be read: it does not begin as an Avro object container file
part: at byte 897: a block does not end with the file's mark
part: at byte 637: a block cannot be unpacked: corrupt deflate stream
part: the Avro file cannot be read: its schema is no JSON: key must be a string at line 1 column 2
part: at byte 637: a block holds more than the 9 records that it says
part: at byte 637: Avro error: Parser error: bad varint
part: at byte 637: a block says it has -6 records
");
    let zeros = {
        let mut bytes = header.plain();
        put_long(1, &mut bytes);
        put_long(40 << 20, &mut bytes);
        bytes.resize(bytes.len() + (40 << 20), 0);
        bytes
    };
    assert!(
        error(&zeros).contains("a block is longer than"),
        "{}",
        error(&zeros)
    );
}

#[test]
fn blocks_unpack_within_bounds() {
    let zeros = vec![0_u8; 100_000];
    let mut deflated = Vec::new();
    flate2::read::DeflateEncoder::new(zeros.as_slice(), flate2::Compression::best())
        .read_to_end(&mut deflated)
        .unwrap();
    let zstandard = zstd::stream::encode_all(zeros.as_slice(), 3).unwrap();
    let mut snappy = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
    snappy.extend_from_slice(&crc32fast::hash(&zeros).to_be_bytes());
    for (codec, packed) in [
        (container::Codec::Deflate, deflated),
        (container::Codec::Zstandard, zstandard),
        (container::Codec::Snappy, snappy),
    ] {
        let packed = bytes::Bytes::from(packed);
        assert_eq!(codec.unpack(&packed, 100_000).unwrap(), zeros);
        assert_eq!(
            codec.unpack(&packed, 99_999).unwrap_err(),
            "a block unpacks to more than 99999 bytes"
        );
        assert!(codec.unpack(&packed.slice(..3), 100_000).is_err());
    }
}

#[test]
fn in_an_archive_and_guessed() {
    let bytes = file(&[25], None);
    assert_eq!(guess("a", &bytes).map(|format| format.name()), Some("avro"));
    block_on(async {
        let part = part("a.zip", archive(&[("a.avro", &bytes)])).await;
        let all = read(&part, Some("a.avro"), None, &ReadOptions::default())
            .await
            .unwrap();
        assert_eq!(all.rows.len(), 25);
    });
}

proptest! {
    #[test]
    fn no_bytes_panic(place in 0_usize..3000, byte: u8, cut in 0_usize..3000, codec in 0_usize..3, block in 1_u64..300) {
        let codec = [None, Some(CompressionCodec::Snappy), Some(CompressionCodec::ZStandard)][codec];
        let mut bytes = file(&[3, 5], codec);
        let length = bytes.len();
        bytes[place % length] = byte;
        bytes.truncate(length - cut % length / 2);
        drop(read_bytes(&bytes, "\"avro\"", &options(block, 2, 3)));
    }
}
