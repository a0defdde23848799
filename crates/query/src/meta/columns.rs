//! `meta.columns`: every column of every table.

use std::sync::Arc;

use arrow::array::{BooleanBuilder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use sectorlake_contract::TableName;
use sectorlake_lake::Lake;

use super::chosen::{Chosen, chosen};
use super::computed::{Computed, Rows};
use crate::catalog::{Opened, Tables};
use crate::versions::shown;

pub(super) fn provider(tables: Arc<Tables>, lake: Option<Lake>) -> Arc<dyn TableProvider> {
    Computed::table(schema(), Columns { tables, lake })
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("table_schema", false),
        text("table_name", false),
        Field::new("ordinal_position", DataType::Int64, false),
        text("column_name", false),
        text("data_type", false),
        Field::new("is_nullable", DataType::Boolean, false),
        Field::new("is_key", DataType::Boolean, true),
        Field::new("is_partition", DataType::Boolean, false),
        Field::new("is_system", DataType::Boolean, false),
        text("type", true),
        text("format", true),
        text("unit", true),
        text("classification", true),
        text("time_zone", true),
        text("interval", true),
        text("title_vi", true),
        text("title_en", true),
        text("description", true),
        text("source_type", true),
        text("chosen", true),
        text("why", true),
    ]))
}

struct Columns {
    tables: Arc<Tables>,
    lake: Option<Lake>,
}

#[async_trait]
impl Rows for Columns {
    async fn rows(&self) -> Result<RecordBatch> {
        let mut out = Builders {
            chosen: chosen(self.lake.as_ref()).await?,
            ..Builders::default()
        };
        for (name, opened) in self.tables.open_all().await? {
            for (at, field) in opened.schema.fields().iter().enumerate() {
                out.place(&name, at);
                out.push(&opened, field);
            }
        }
        let told = sectorlake_contract::system::fields();
        for (name, versions) in self.tables.open_views().await? {
            if let Some(opened) = versions.first() {
                for (at, field) in opened.schema.fields().iter().enumerate() {
                    out.place(&name, at);
                    // An older version may lack what the newest requires; each row tells where it came from.
                    let is_told = told.iter().any(|told| told.name() == field.name());
                    let field = shown(&versions, field);
                    out.push(opened, &field.with_nullable(!is_told));
                }
            }
        }
        out.finish()
    }
}

/// The contract's words about a field, in the order of the columns.
const WORDS: [&str; 9] = [
    "type",
    "format",
    "unit",
    "classification",
    "time_zone",
    "interval",
    "title.vi",
    "title.en",
    "description",
];

#[derive(Default)]
struct Builders {
    /// Schema, table, column and type.
    names: [StringBuilder; 4],
    position: Int64Builder,
    nullable: BooleanBuilder,
    key: BooleanBuilder,
    partition: BooleanBuilder,
    system: BooleanBuilder,
    words: [StringBuilder; WORDS.len()],
    /// What was chosen of each column, as the pipelines' last runs tell.
    chosen: Chosen,
    told: [StringBuilder; 3],
    table: String,
}

impl Builders {
    fn place(&mut self, table: &TableName, at: usize) {
        self.names[0].append_value(table.schema());
        self.names[1].append_value(table.table());
        self.table = table.to_string();
        self.position
            .append_value(i64::try_from(at + 1).unwrap_or(i64::MAX));
    }

    fn push(&mut self, opened: &Opened, field: &Field) {
        self.names[2].append_value(field.name());
        self.names[3].append_value(sql_type(field.data_type()));
        self.nullable.append_value(field.is_nullable());
        self.key.append_option(
            opened
                .primary_key()
                .map(|key| key.split(", ").any(|name| name == field.name())),
        );
        self.partition
            .append_value(opened.partition_columns.contains(field.name()));
        self.system
            .append_value(sectorlake_contract::system::is_reserved(field.name()));
        for (builder, word) in self.words.iter_mut().zip(WORDS) {
            builder.append_option(field.metadata().get(&format!("sectorlake.{word}")));
        }
        let told = self.chosen.of(&self.table, field.name());
        for (index, builder) in self.told.iter_mut().enumerate() {
            builder.append_option(told.and_then(|told| told[index].as_deref()));
        }
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let [table_schema, table_name, column, data_type] = &mut self.names;
        let mut columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(table_schema.finish()),
            Arc::new(table_name.finish()),
            Arc::new(self.position.finish()),
            Arc::new(column.finish()),
            Arc::new(data_type.finish()),
            Arc::new(self.nullable.finish()),
            Arc::new(self.key.finish()),
            Arc::new(self.partition.finish()),
            Arc::new(self.system.finish()),
        ];
        columns.extend(
            self.words
                .iter_mut()
                .map(|builder| Arc::new(builder.finish()) as arrow::array::ArrayRef),
        );
        let told = self.told.iter_mut();
        columns.extend(told.map(|builder| Arc::new(builder.finish()) as arrow::array::ArrayRef));
        Ok(RecordBatch::try_new(schema(), columns)?)
    }
}

/// The type as one writes it in a cast; Arrow's own name for the rest.
fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "VARCHAR".to_owned(),
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => "BYTEA".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        other => other.to_string(),
    }
}
