//! `meta.snapshots`: every published state of the lake.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::error::{DataFusionError, Result};
use sectorlake_lake::{Lake, Snapshot};

use super::computed::{Computed, Rows};

pub(super) fn provider(lake: Option<Lake>) -> Arc<dyn TableProvider> {
    Computed::table(schema(), Snapshots(lake))
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("snapshot", DataType::Int64, false),
        Field::new(
            "published_at",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            false,
        ),
        Field::new("pipeline", DataType::Utf8, false),
        Field::new("run", DataType::Utf8, false),
        Field::new("table_count", DataType::Int64, false),
        Field::new("changed_tables", DataType::Utf8, false),
    ]))
}

struct Snapshots(Option<Lake>);

#[async_trait]
impl Rows for Snapshots {
    async fn rows(&self) -> Result<RecordBatch> {
        let mut all = match &self.0 {
            Some(lake) => lake
                .snapshots()
                .await
                .map_err(|error| DataFusionError::External(Box::new(error)))?,
            None => Vec::new(),
        };
        all.sort_by_key(|snapshot| snapshot.number);
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let counts = all
            .iter()
            .map(|snapshot| number(snapshot.tables.len() as u64));
        let changes = all
            .iter()
            .enumerate()
            .map(|(at, snapshot)| changed(at.checked_sub(1).map(|before| &all[before]), snapshot));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(
                all.iter()
                    .map(|snapshot| number(snapshot.number))
                    .collect::<Int64Array>(),
            ),
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(
                    all.iter()
                        .map(|snapshot| snapshot.published_at.timestamp_micros()),
                )
                .with_timezone("UTC"),
            ),
            Arc::new(StringArray::from_iter_values(
                all.iter().map(|snapshot| &snapshot.pipeline),
            )),
            Arc::new(StringArray::from_iter_values(
                all.iter().map(|snapshot| &snapshot.run),
            )),
            Arc::new(Int64Array::from_iter_values(counts)),
            Arc::new(StringArray::from_iter_values(changes)),
        ];
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

/// The tables whose version differs from the snapshot before.
fn changed(before: Option<&Snapshot>, snapshot: &Snapshot) -> String {
    let version_before = |name| {
        before
            .and_then(|before| before.tables.get(name))
            .map(|table| table.version)
    };
    let changed = snapshot
        .tables
        .iter()
        .filter(|(name, table)| version_before(name) != Some(table.version));
    changed
        .map(|(name, _)| name.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
