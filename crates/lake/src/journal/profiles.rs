//! What stood in a column.

use sectorlake_contract::TableName;

use super::Kind;
use super::rows::count;
use super::schema::{Column, JournalRow};

/// One column of what one run loaded into a table, or of what it read for it.
///
/// Rows, nulls, least, greatest and mean are exact; `distinct` is an estimate, quantiles and top values come from a sample where there
/// are many rows. Values of personal fields are not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileRow {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The table.
    pub table: TableName,
    /// `field`: a column of the table, over the rows that kept its rules; `source`: a column as the source gave it.
    pub side: &'static str,
    /// Its place among the columns of its side, from 1.
    pub position: u64,
    /// The column's name.
    pub column: String,
    /// The source column that a field was taken from as it stood.
    pub source_column: Option<String>,
    /// Rows.
    pub rows: u64,
    /// Rows without a value.
    pub nulls: u64,
    /// About how many different values.
    pub distinct: Option<u64>,
    /// The least value.
    pub min: Option<String>,
    /// The greatest value.
    pub max: Option<String>,
    /// The mean of numbers.
    pub mean: Option<f64>,
    /// The value that 5 % of numbers do not exceed; and so on.
    pub p05: Option<f64>,
    /// The first quartile.
    pub p25: Option<f64>,
    /// The median.
    pub p50: Option<f64>,
    /// The third quartile.
    pub p75: Option<f64>,
    /// 95 % do not exceed it.
    pub p95: Option<f64>,
    /// The most frequent values: a JSON array of `{"value", "rows"}`.
    pub top: Option<String>,
    /// What the texts of the source look like: a JSON array of `{"shape", "rows", "first_row", "file"}`.
    pub shapes: Option<String>,
    /// The same in words: `integer`, `integer and text`.
    pub source_type: Option<String>,
    /// The type that was chosen.
    pub chosen: Option<String>,
    /// Why.
    pub why: Option<String>,
}

impl JournalRow for ProfileRow {
    const KIND: Kind = Kind::Profiles;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("table_schema", |row: &Self| Some(row.table.schema())).required(),
            Column::text("table_name", |row: &Self| Some(row.table.table())).required(),
            Column::text("side", |row: &Self| Some(row.side)).required(),
            Column::count("position", |row: &Self| count(row.position)).required(),
            Column::text("column_name", |row: &Self| Some(&row.column)).required(),
            Column::text("source_column", |row: &Self| row.source_column.as_deref()),
            Column::count("rows", |row: &Self| count(row.rows)).required(),
            Column::count("nulls", |row: &Self| count(row.nulls)).required(),
            Column::count("distinct_about", |row: &Self| row.distinct.and_then(count)),
            Column::text("min", |row: &Self| row.min.as_deref()),
            Column::text("max", |row: &Self| row.max.as_deref()),
            Column::number("mean", |row: &Self| row.mean),
            Column::number("p05", |row: &Self| row.p05),
            Column::number("p25", |row: &Self| row.p25),
            Column::number("p50", |row: &Self| row.p50),
            Column::number("p75", |row: &Self| row.p75),
            Column::number("p95", |row: &Self| row.p95),
            Column::text("frequent", |row: &Self| row.top.as_deref()),
            Column::text("shapes", |row: &Self| row.shapes.as_deref()),
            Column::text("source_type", |row: &Self| row.source_type.as_deref()),
            Column::text("chosen", |row: &Self| row.chosen.as_deref()),
            Column::text("why", |row: &Self| row.why.as_deref()),
        ]
    }
}
