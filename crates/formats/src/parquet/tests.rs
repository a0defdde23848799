#![expect(clippy::unwrap_used, reason = "tests")]

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::*;
use crate::ReadOptions;
use crate::testing::{archive, block_on, options, part, read, read_bytes, read_columns};

/// Rows 1 to `rows`, in row groups of ten.
fn file(rows: i64) -> Vec<u8> {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(1..=rows));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(
        (1..=rows).map(|row| format!("name {row}")),
    ));
    let halves: ArrayRef = Arc::new(Float64Array::from_iter_values(
        (1..=rows).map(|row| row as f64 / 2.0),
    ));
    let batch =
        RecordBatch::try_from_iter([("number", numbers), ("name", names), ("half", halves)])
            .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(10))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn row_groups_are_shared_and_numbered() {
    let bytes = file(95);
    for (partitions, batch_rows) in [(1, 4), (3, 7), (20, 1000)] {
        block_on(async {
            let part = part("a.parquet", bytes.clone()).await;
            let opened = crate::open(&part, None, None, &options(1000, partitions, batch_rows))
                .await
                .unwrap();
            assert_eq!(opened.partitions(), partitions.min(10));
            let all = read_columns(&opened, &[2, 0]).await.unwrap();
            assert_eq!(all.rows.len(), 95);
            for (row, cells) in all.rows {
                assert_eq!(
                    cells,
                    [
                        Some(format!("{:?}", row as f64 / 2.0)),
                        Some(row.to_string())
                    ]
                );
            }
            assert_eq!(read_columns(&opened, &[]).await.unwrap().rows.len(), 95);
            assert_eq!(
                read_columns(&opened, &[1, 1]).await.unwrap().texts()[4],
                ["name 5", "name 5"]
            );
        });
    }
}

#[test]
fn in_an_archive() {
    let bytes = archive(&[("a.parquet", &file(25))]);
    block_on(async {
        let part = part("a.zip", bytes).await;
        let all = read(&part, Some("a.parquet"), None, &ReadOptions::default())
            .await
            .unwrap();
        assert_eq!(all.rows.len(), 25);
        let bounds = ReadOptions {
            memory_bytes_max: 100,
            ..ReadOptions::default()
        };
        let error = read(&part, Some("a.parquet"), None, &bounds)
            .await
            .unwrap_err();
        assert!(matches!(error, FormatError::TooLarge { .. }), "{error}");
    });
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let whole = [b"PAR1", bytes.as_slice(), &(bytes.len() as u32).to_le_bytes(), b"PAR1"].concat();
        drop(read_bytes(&whole, r#"{"name": "parquet"}"#, &ReadOptions::default()));
    }
}

#[test]
fn a_field_of_a_missing_struct_is_missing() {
    let latitudes: ArrayRef = Arc::new(Float64Array::from(vec![20.8, 0.0, 10.7]));
    let field = Arc::new(Field::new("lat", DataType::Float64, false));
    let nulls = NullBuffer::from(vec![true, false, true]);
    let places = StructArray::try_new(vec![field].into(), vec![latitudes], Some(nulls)).unwrap();
    let column: ArrayRef = Arc::new(places);
    let batch = RecordBatch::try_from_iter_with_nullable([("place", column, true)]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let bytes = writer.into_inner().unwrap();
    block_on(async {
        let part = part("a.parquet", bytes).await;
        let opened = crate::open(&part, None, None, &options(1000, 1, 10))
            .await
            .unwrap();
        let decoded: Vec<_> = opened.read(&[0]).remove(0).try_collect().await.unwrap();
        let places = decoded[0].batch.column(0).as_struct();
        assert_eq!((places.null_count(), places.column(0).null_count()), (1, 1));
    });
}
