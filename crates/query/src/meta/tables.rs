//! `meta.tables`: every table of the snapshot, with what stands beside it.

use std::collections::BTreeSet;
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
use crate::versions::rows_shown;

pub(super) fn provider(tables: Arc<Tables>, lake: Option<Lake>) -> Arc<dyn TableProvider> {
    Computed::table(schema(), AllTables { tables, lake })
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str, nullable| Field::new(name, DataType::Int64, nullable);
    let mut fields = vec![text("table_schema", false), text("table_name", false)];
    fields.extend(["title_vi", "title_en", "description"].map(|name| text(name, true)));
    fields.push(number("row_count", true));
    fields.extend(["size_bytes", "file_count"].map(|name| number(name, false)));
    fields.push(text("sources", false));
    fields.push(number("version", true));
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
    fields.push(text("table_type", false));
    fields.push(text("version_of", true));
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
            let published = publisher(&snapshots, &name, opened.version);
            out.push(&name, &Told::of_table(&opened), published);
        }
        for (name, versions) in self.tables.open_views().await? {
            let newest = versions.first().zip(self.tables.newest(&name));
            if let Some((opened, table)) = newest {
                let published = publisher(&snapshots, table, opened.version);
                out.push(&name, &Told::of_view(opened, table, &versions), published);
            }
        }
        out.finish()
    }
}

/// What a row tells beside what the contract says.
struct Told<'a> {
    /// The table; of a view the newest version, whose columns it has.
    opened: &'a Opened,
    table_type: &'static str,
    version_of: Option<String>,
    /// Rows, bytes and files: a view stores nothing, and may not know its rows.
    sizes: [Option<u64>; 3],
    sources: BTreeSet<&'a str>,
    version: Option<u64>,
}

impl<'a> Told<'a> {
    fn of_table(opened: &'a Opened) -> Self {
        Self {
            opened,
            table_type: "BASE TABLE",
            version_of: opened.version_of.as_ref().map(TableName::to_string),
            sizes: [opened.rows, opened.bytes, opened.files].map(Some),
            sources: opened.rows_by_source.keys().map(String::as_str).collect(),
            version: Some(opened.version),
        }
    }

    fn of_view(newest: &'a Opened, name: &TableName, versions: &'a [Arc<Opened>]) -> Self {
        let of = newest.version_of.as_ref().unwrap_or(name);
        let sources = versions
            .iter()
            .flat_map(|version| version.rows_by_source.keys());
        Self {
            opened: newest,
            table_type: "VIEW",
            version_of: Some(of.to_string()),
            sizes: [rows_shown(versions), Some(0), Some(0)],
            sources: sources.map(String::as_str).collect(),
            version: None,
        }
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
    table_type: StringBuilder,
    version_of: StringBuilder,
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Builders {
    fn push(&mut self, name: &TableName, told: &Told<'_>, publisher: Option<&Snapshot>) {
        let opened = told.opened;
        let word = |key: &str| opened.metadata.get(&format!("sectorlake.{key}")).cloned();
        self.names[0].append_value(name.schema());
        self.names[1].append_value(name.table());
        for (builder, key) in self.titles.iter_mut().zip(TITLES) {
            builder.append_option(word(key));
        }
        for (builder, size) in self.sizes.iter_mut().zip(told.sizes) {
            builder.append_option(size.map(count));
        }
        let sources: Vec<&str> = told.sources.iter().copied().collect();
        self.sources.append_value(sources.join(", "));
        self.version.append_option(told.version.map(count));
        self.updated_at
            .append_option(publisher.map(|snapshot| snapshot.published_at.timestamp_micros()));
        self.updated_snapshot
            .append_option(publisher.map(|snapshot| count(snapshot.number)));
        self.keys[0].append_option(opened.primary_key());
        self.keys[1].append_value(opened.partition_columns.join(", "));
        for (builder, key) in self.words.iter_mut().zip(WORDS) {
            builder.append_option(word(key));
        }
        self.contract.append_value(&opened.contract);
        self.table_type.append_value(told.table_type);
        self.version_of.append_option(told.version_of.as_ref());
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
        for mut last in [self.contract, self.table_type, self.version_of] {
            columns.push(Arc::new(last.finish()));
        }
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}
