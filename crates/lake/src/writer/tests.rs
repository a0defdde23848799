//! What is written is what is read, and the log tells the truth about it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use datafusion::common::ScalarValue;
use datafusion::common::stats::Precision;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::writer::SerializedFileWriter;
use proptest::prelude::*;
use sectorlake_contract::Contract;

use super::row_group::RowGroup;
use super::statistics::from_delta;
use super::{TableWriter, Target};

/// Writes the batches as the row groups of one file, and reads them back as one batch.
fn round_trip(schema: &Arc<Schema>, groups: &[Vec<RecordBatch>]) -> RecordBatch {
    let columns = ArrowSchemaConverter::new().convert(schema).unwrap();
    let properties = Arc::new(super::properties::of(schema));
    let mut writer =
        SerializedFileWriter::new(Vec::new(), columns.root_schema_ptr(), properties).unwrap();
    let encoders = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema));
    for (number, batches) in groups.iter().enumerate() {
        let mut group = RowGroup::new(&encoders, number).unwrap();
        batches
            .iter()
            .for_each(|batch| group.write(schema, batch).unwrap());
        group
            .finish(writer.next_row_group().unwrap(), &columns)
            .unwrap();
    }
    writer.finish().unwrap();
    let bytes = Bytes::from(std::mem::take(writer.inner_mut()));
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

proptest! {
    #[test]
    fn columns_that_are_constant_for_a_while_come_back(
        groups in proptest::collection::vec(
            proptest::collection::vec((1..50usize, proptest::option::of(0..3i64), any::<bool>()), 1..5), 1..3),
    ) {
        let schema = Arc::new(Schema::new(vec![
            Field::new("text", DataType::Utf8, true),
            Field::new("number", DataType::Int64, true),
            Field::new("float", DataType::Float64, false),
            Field::new("time", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into())), false),
        ]));
        let batch = |(rows, value, varies): &(usize, Option<i64>, bool)| {
            let values: Vec<Option<i64>> =
                (0..*rows as i64).map(|row| value.map(|value| if *varies { value + row } else { value })).collect();
            let known = values.iter().map(|value| value.unwrap_or_default());
            let texts: ArrayRef = Arc::new(values.iter().map(|value| value.map(|value| value.to_string())).collect::<StringViewArray>());
            let columns: Vec<ArrayRef> = vec![
                texts,
                Arc::new(Int64Array::from(values.clone())),
                Arc::new(known.clone().map(|value| value as f64).collect::<Float64Array>()),
                Arc::new(TimestampMicrosecondArray::from_iter_values(known).with_timezone("UTC")),
            ];
            let fields: Vec<Field> = schema.fields().iter().zip(&columns)
                .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), field.is_nullable())).collect();
            RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
        };
        let groups: Vec<Vec<RecordBatch>> = groups.iter().map(|group| group.iter().map(batch).collect()).collect();
        let read = round_trip(&schema, &groups);
        for (index, column) in read.columns().iter().enumerate() {
            let written: Vec<ArrayRef> = groups.iter().flatten().map(|batch| cast(batch.column(index), column.data_type()).unwrap()).collect();
            let written: Vec<&dyn arrow::array::Array> = written.iter().map(AsRef::as_ref).collect();
            prop_assert_eq!(column, &concat(&written).unwrap());
        }
    }
}

const EVERY_TYPE: &str = r#"{ "fields": [
    { "name": "id", "type": "string", "constraints": { "required": true } },
    { "name": "name", "type": "string" },
    { "name": "share", "type": "number" },
    { "name": "price", "type": "number", "sectorlake": { "precision": 10, "scale": 2 } },
    { "name": "open", "type": "boolean" },
    { "name": "day", "type": "date" },
    { "name": "at", "type": "datetime" },
    { "name": "place", "type": "geopoint" }
] }"#;

fn target(text: &str, store: &Arc<dyn ObjectStore>, buffer_bytes_max: usize) -> Arc<Target> {
    let contract = Arc::new(Contract::parse("test.things".parse().unwrap(), text).unwrap());
    let schema = contract.table_schema();
    Arc::new(Target::new(
        contract,
        Arc::clone(store),
        ("r1", "bus", crate::Access::Open),
        (&schema, crate::stage::form::Fit::Exact),
        buffer_bytes_max,
    ))
}

fn origin(rows: usize) -> [(&'static str, ArrayRef); 3] {
    let texts = |text: &str| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(
            text, rows,
        )))
    };
    let numbers = Int64Array::from_iter_values(1..=rows as i64);
    [
        ("_run", texts("r1")),
        ("_part", texts("p1")),
        ("_row", Arc::new(numbers)),
    ]
}

#[tokio::test]
async fn the_log_bounds_every_type() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let target = target(EVERY_TYPE, &store, 1 << 20);
    let long = "ế".repeat(40);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringViewArray::from(vec!["a", "c", "b"]))),
        (
            "name",
            Arc::new(StringViewArray::from(vec![
                None,
                Some(long.as_str()),
                Some("Hà Nội"),
            ])),
        ),
        (
            "share",
            Arc::new(Float64Array::from(vec![Some(0.5), None, Some(-2.25)])),
        ),
        (
            "price",
            Arc::new(
                Decimal128Array::from(vec![1999, -5, 0])
                    .with_precision_and_scale(10, 2)
                    .unwrap(),
            ),
        ),
        (
            "open",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        ("day", Arc::new(Date32Array::from(vec![19_723, 0, -1]))),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![1_500_001, 1_700_000, 1_600_000])
                    .with_timezone("UTC"),
            ),
        ),
        (
            "place",
            Arc::new(BinaryArray::from_opt_vec(vec![None, Some(b"x"), None])),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns.into_iter().chain(origin(3))).unwrap();
    let mut writer = TableWriter::new(target.clone());
    writer.write(batch).await.unwrap();
    let written = writer.close().await.unwrap();
    let file = &written.files[0];
    assert_eq!(
        file.path.as_ref(),
        "tables/test/things/_source=bus/r1-00000.parquet"
    );
    assert_eq!(store.head(&file.path).await.unwrap().size, file.size);
    let parsed: serde_json::Value = serde_json::from_str(&file.statistics).unwrap();
    assert_eq!(parsed["numRecords"], 3);
    let least = &parsed["minValues"];
    assert_eq!(
        (least["id"].as_str(), least["name"].as_str()),
        (Some("a"), Some("Hà Nội"))
    );
    assert_eq!(
        (least["share"].as_f64(), least["day"].as_str()),
        (Some(-2.25), Some("1969-12-31"))
    );
    assert_eq!(least["at"], "1970-01-01T00:00:01.500Z");
    let greatest = &parsed["maxValues"];
    let name = greatest["name"].as_str().unwrap();
    assert!(name > long.as_str() && name.len() <= 64, "{name}");
    assert_eq!(
        (greatest["at"].as_str(), greatest["_row"].as_i64()),
        (Some("1970-01-01T00:00:01.700Z"), Some(3))
    );
    assert!(
        file.statistics.contains(r#""price":-0.05"#)
            && file.statistics.contains(r#""price":19.99"#)
    );
    assert!(least.get("open").is_none() && least.get("place").is_none());
    let nulls = &parsed["nullCount"];
    assert_eq!(
        (
            nulls["name"].as_u64(),
            nulls["open"].as_u64(),
            nulls["id"].as_u64()
        ),
        (Some(1), Some(1), Some(0))
    );
    let schema = target.contract.table_schema();
    let (rows, read) = from_delta(
        &schema,
        &file.partition_values,
        Some(&file.statistics),
        file.size,
    );
    assert_eq!(rows, 3);
    let of = |name: &str| &read.column_statistics[schema.index_of(name).unwrap()];
    assert_eq!(
        of("day").max_value,
        Precision::Exact(ScalarValue::Date32(Some(19_723)))
    );
    assert_eq!(
        of("_source").min_value,
        Precision::Exact(ScalarValue::from("bus"))
    );
    assert!(matches!(of("name").max_value, Precision::Inexact(_)));
}

#[tokio::test]
async fn what_exceeds_the_bound_is_written_as_more_files() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let text = r#"{ "fields": [ { "name": "day", "type": "date" }, { "name": "n", "type": "integer" } ],
        "sectorlake": { "partition_by": ["month(day)"] } }"#;
    let target = target(text, &store, 300_000);
    let mut writer = TableWriter::new(target);
    const ROWS: i64 = 2000;
    for round in 0..20i64 {
        let days = Date32Array::from_iter_values((0..ROWS).map(|row| (row % 360) as i32));
        let numbers = Int64Array::from_iter_values((0..ROWS).map(|row| row * 7919 + round));
        let columns: Vec<(&str, ArrayRef)> =
            vec![("day", Arc::new(days)), ("n", Arc::new(numbers))];
        let origin = origin(ROWS as usize);
        writer
            .write(RecordBatch::try_from_iter(columns.into_iter().chain(origin)).unwrap())
            .await
            .unwrap();
    }
    let written = writer.close().await.unwrap();
    assert_eq!(written.rows(), 20 * ROWS as u64);
    let months: std::collections::BTreeSet<_> = written
        .files
        .iter()
        .map(|file| file.partition_values["_day_month"].clone().unwrap())
        .collect();
    assert_eq!(months.len(), 12);
    assert!(written.files.len() > 12, "{} files", written.files.len());
}
