//! `meta.tables`: every table of the snapshot, with what stands beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::error::{DataFusionError, Result};
use sectorlake_contract::TableName;
use sectorlake_lake::{Lake, Snapshot};

use super::computed::{Computed, Rows};
use crate::catalog::{Opened, Tables};

pub(super) fn provider(tables: Arc<Tables>, lake: Option<Lake>) -> Arc<dyn TableProvider> {
    Computed::table(schema(), AllTables { tables, lake })
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str, nullable| Field::new(name, DataType::Int64, nullable);
    let mut fields = vec![text("table_schema", false), text("table_name", false)];
    fields.extend(["title_vi", "title_en", "description"].map(|name| text(name, true)));
    fields.extend(["row_count", "size_bytes", "file_count"].map(|name| number(name, false)));
    fields.push(text("sources", false));
    fields.push(number("version", false));
    fields.push(Field::new(
        "updated_at",
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        true,
    ));
    fields.push(number("updated_snapshot", true));
    fields.extend(
        [
            "primary_key",
            "partition_columns",
            "standard",
            "owner",
            "licence",
            "contract_version",
        ]
        .map(|name| text(name, true)),
    );
    fields.push(text("contract", false));
    Arc::new(Schema::new(fields))
}

struct AllTables {
    tables: Arc<Tables>,
    lake: Option<Lake>,
}

#[async_trait]
impl Rows for AllTables {
    async fn rows(&self) -> Result<RecordBatch> {
        let snapshots = match &self.lake {
            Some(lake) => lake
                .snapshots()
                .await
                .map_err(|error| DataFusionError::External(Box::new(error)))?,
            None => Vec::new(),
        };
        let mut out = Builders::default();
        for (name, opened) in self.tables.open_all().await? {
            out.push(&name, &opened, publisher(&snapshots, &name, opened.version));
        }
        out.finish()
    }
}

/// The first snapshot that holds this version of the table.
fn publisher<'a>(
    snapshots: &'a [Snapshot],
    name: &TableName,
    version: u64,
) -> Option<&'a Snapshot> {
    let holding = snapshots.iter().filter(|snapshot| {
        snapshot
            .tables
            .get(name)
            .is_some_and(|table| table.version == version)
    });
    holding.min_by_key(|snapshot| snapshot.number)
}

/// What the table's metadata says after `row_count` and the like, in the order of the columns.
const TITLES: [&str; 3] = ["title.vi", "title.en", "description"];
const WORDS: [&str; 4] = ["standard", "owner", "licence", "version"];

#[derive(Default)]
struct Builders {
    names: [StringBuilder; 2],
    titles: [StringBuilder; TITLES.len()],
    /// Rows, bytes, files.
    sizes: [Int64Builder; 3],
    sources: StringBuilder,
    version: Int64Builder,
    updated_at: TimestampMicrosecondBuilder,
    updated_snapshot: Int64Builder,
    keys: [StringBuilder; 2],
    words: [StringBuilder; WORDS.len()],
    contract: StringBuilder,
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Builders {
    fn push(&mut self, name: &TableName, opened: &Opened, publisher: Option<&Snapshot>) {
        let word = |metadata: &BTreeMap<String, String>, key: &str| {
            metadata.get(&format!("sectorlake.{key}")).cloned()
        };
        self.names[0].append_value(name.schema());
        self.names[1].append_value(name.table());
        for (builder, key) in self.titles.iter_mut().zip(TITLES) {
            builder.append_option(word(&opened.metadata, key));
        }
        for (builder, size) in self
            .sizes
            .iter_mut()
            .zip([opened.rows, opened.bytes, opened.files])
        {
            builder.append_value(count(size));
        }
        self.sources.append_value(
            opened
                .sources
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", "),
        );
        self.version.append_value(count(opened.version));
        self.updated_at
            .append_option(publisher.map(|snapshot| snapshot.published_at.timestamp_micros()));
        self.updated_snapshot
            .append_option(publisher.map(|snapshot| count(snapshot.number)));
        self.keys[0].append_option(opened.primary_key());
        self.keys[1].append_value(opened.partition_columns.join(", "));
        for (builder, key) in self.words.iter_mut().zip(WORDS) {
            builder.append_option(word(&opened.metadata, key));
        }
        self.contract.append_value(&opened.contract);
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        let texts = |builders: &mut [StringBuilder]| {
            builders
                .iter_mut()
                .map(|builder| Arc::new(builder.finish()) as ArrayRef)
                .collect::<Vec<_>>()
        };
        columns.extend(texts(&mut self.names));
        columns.extend(texts(&mut self.titles));
        columns.extend(
            self.sizes
                .iter_mut()
                .map(|builder| Arc::new(builder.finish()) as ArrayRef),
        );
        columns.push(Arc::new(self.sources.finish()));
        columns.push(Arc::new(self.version.finish()));
        columns.push(Arc::new(self.updated_at.finish().with_timezone("UTC")));
        columns.push(Arc::new(self.updated_snapshot.finish()));
        columns.extend(texts(&mut self.keys));
        columns.extend(texts(&mut self.words));
        columns.push(Arc::new(self.contract.finish()));
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}
