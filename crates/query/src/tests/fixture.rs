//! The lake of `tests/slt/data`: CSV files with the types of `tables.json`, written as the lake writes tables.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, BinaryArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::csv::ReaderBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::error::Result;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::ArrowWriter;
use sectorlake_contract::TableName;
use sectorlake_functions::SessionOptions;

use crate::catalog::{Opened, Source, Tables};
use crate::scan::{File, ParquetTable};
use crate::session::{Session, lake_url};

/// Rows of a data file, so that tables have several.
const FILE_ROWS: usize = 60;

/// A session over the fixed lake, and what it opened.
pub(super) struct Fixture {
    pub(super) session: Session,
    pub(super) tables: Arc<Tables>,
}

pub(super) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

pub(super) async fn open() -> Fixture {
    open_with(&SessionOptions {
        target_partitions: 2,
        ..SessionOptions::default()
    })
    .await
}

pub(super) async fn open_with(options: &SessionOptions) -> Fixture {
    let store = Arc::new(InMemory::new());
    let text = std::fs::read_to_string(folder().join("data/tables.json")).unwrap();
    let types: BTreeMap<TableName, BTreeMap<String, String>> = serde_json::from_str(&text).unwrap();
    let names: Vec<TableName> = types.keys().cloned().collect();
    let source = FixedLake {
        types,
        store: Arc::clone(&store) as Arc<dyn ObjectStore>,
    };
    let tables = Arc::new(Tables::new(Arc::new(source), names));
    let meta = crate::meta::schema(&tables, None).unwrap();
    let session = Session::over(&tables, meta, Some(7), options).unwrap();
    session.register(store).unwrap();
    Fixture { session, tables }
}

#[derive(Debug)]
struct FixedLake {
    types: BTreeMap<TableName, BTreeMap<String, String>>,
    store: Arc<dyn ObjectStore>,
}

#[async_trait]
impl Source for FixedLake {
    async fn open(&self, name: &TableName) -> Result<Opened> {
        let batch = read(name, &self.types[name]);
        let partition_columns: Vec<String> = batch
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .filter(|name| name.starts_with('_'))
            .collect();
        let mut files = Vec::new();
        for (values, rows) in split(&batch, &partition_columns) {
            for from in (0..rows.num_rows()).step_by(FILE_ROWS) {
                let rows = rows.slice(from, FILE_ROWS.min(rows.num_rows() - from));
                let path = Path::from(format!(
                    "tables/{}/{}/{}.parquet",
                    name.schema(),
                    name.table(),
                    files.len()
                ));
                files.push(self.write(path, &rows, values.clone()).await);
            }
        }
        let schema = batch.schema();
        let source = |file: &File| file.partition_values.first().map(ToString::to_string);
        let mut rows_by_source = BTreeMap::new();
        for file in &files {
            let rows = file.statistics.num_rows.get_value().copied();
            let of_source = rows_by_source.entry(source(file).unwrap_or_default());
            *of_source.or_insert(0) += rows.unwrap_or_default() as u64;
        }
        Ok(Opened {
            version: 3,
            contract: "a hash".to_owned(),
            rows: batch.num_rows() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
            files: files.len() as u64,
            rows_by_source,
            version_of: None,
            adding: BTreeSet::new(),
            metadata: BTreeMap::from([
                (
                    "sectorlake.title.vi".to_owned(),
                    format!("Bảng {}", name.table()),
                ),
                (
                    "sectorlake.primary_key".to_owned(),
                    schema.field(0).name().clone(),
                ),
            ]),
            table: Arc::new(ParquetTable::try_new(
                lake_url()?,
                &schema,
                &partition_columns,
                files,
            )?),
            partition_columns,
            schema,
        })
    }
}

impl FixedLake {
    async fn write(
        &self,
        path: Path,
        rows: &RecordBatch,
        partition_values: Vec<ScalarValue>,
    ) -> File {
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
        writer.write(rows).unwrap();
        writer.close().unwrap();
        let size = bytes.len() as u64;
        self.store.put(&path, bytes.into()).await.unwrap();
        File {
            path,
            size,
            partition_values,
            statistics: statistics(rows),
        }
    }
}

fn statistics(rows: &RecordBatch) -> Statistics {
    let mut statistics = Statistics::default().with_num_rows(Precision::Exact(rows.num_rows()));
    for column in rows.columns() {
        let values: Vec<ScalarValue> = (0..column.len())
            .map(|row| ScalarValue::try_from_array(column, row).unwrap())
            .collect();
        let mut bounds =
            ColumnStatistics::new_unknown().with_null_count(Precision::Exact(column.null_count()));
        let mut known: Vec<&ScalarValue> = values.iter().filter(|value| !value.is_null()).collect();
        known.sort_by(|a, b| a.partial_cmp(b).unwrap());
        if let (Some(min), Some(max)) = (known.first(), known.last()) {
            bounds = bounds
                .with_min_value(Precision::Exact((*min).clone()))
                .with_max_value(Precision::Exact((*max).clone()));
        }
        statistics = statistics.add_column_statistics(bounds);
    }
    statistics
}

/// The rows by their partition values, without the partition columns.
fn split(
    batch: &RecordBatch,
    partition_columns: &[String],
) -> Vec<(Vec<ScalarValue>, RecordBatch)> {
    let Some(column) = partition_columns.first() else {
        return vec![(Vec::new(), batch.clone())];
    };
    assert_eq!(
        partition_columns.len(),
        1,
        "the fixture has one partition column a table"
    );
    let values = batch.column_by_name(column).unwrap();
    let distinct: BTreeSet<&str> = values.as_string::<i32>().iter().flatten().collect();
    let kept: Vec<usize> = (0..batch.num_columns())
        .filter(|at| batch.schema().field(*at).name() != column)
        .collect();
    let of = |value: &str| {
        let mask = values
            .as_string::<i32>()
            .iter()
            .map(|it| Some(it == Some(value)))
            .collect();
        (
            vec![ScalarValue::from(value)],
            filter_record_batch(&batch.project(&kept).unwrap(), &mask).unwrap(),
        )
    };
    distinct.into_iter().map(of).collect()
}

fn read(name: &TableName, types: &BTreeMap<String, String>) -> RecordBatch {
    let text = std::fs::read_to_string(folder().join(format!("data/{name}.csv"))).unwrap();
    let header = text.lines().next().unwrap().split(',');
    let fields: Vec<Field> = header
        .map(|column| {
            let kind = &types[column];
            let word = if kind == "WKB" {
                "geojson".to_owned()
            } else {
                kind.to_lowercase()
            };
            let metadata = HashMap::from([("sectorlake.type".to_owned(), word)]);
            Field::new(column, in_csv(kind), true).with_metadata(metadata)
        })
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let reader = ReaderBuilder::new(Arc::clone(&schema))
        .with_header(true)
        .build(text.as_bytes())
        .unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    bytes_of_hex(&concat_batches(&schema, &batches).unwrap(), types)
}

fn in_csv(sql_type: &str) -> DataType {
    match sql_type {
        "BIGINT" => DataType::Int64,
        "INTEGER" => DataType::Int32,
        "DOUBLE" => DataType::Float64,
        "BOOLEAN" => DataType::Boolean,
        "DATE" => DataType::Date32,
        "DECIMAL(4,2)" => DataType::Decimal128(4, 2),
        "TIMESTAMPTZ" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "VARCHAR" | "WKB" => DataType::Utf8,
        other => panic!("tables.json: no such type: {other}"),
    }
}

fn bytes_of_hex(batch: &RecordBatch, types: &BTreeMap<String, String>) -> RecordBatch {
    let mut fields: Vec<Field> = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if types[field.name()] == "WKB" {
            let bytes = column.as_string::<i32>().iter().map(|hex| hex.map(of_hex));
            fields.push(field.as_ref().clone().with_data_type(DataType::Binary));
            columns.push(Arc::new(bytes.collect::<BinaryArray>()));
        } else {
            fields.push(field.as_ref().clone());
            columns.push(Arc::clone(column));
        }
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns).unwrap()
}

fn of_hex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}
