//! How fresh tables are, and the stations in them.

use chrono::{DateTime, Utc};
use sectorlake_contract::TableName;

use super::Kind;
use super::schema::{Column, JournalRow};

/// How fresh a table was at the end of a run, or a station in it.
#[derive(Debug, Clone, PartialEq)]
pub struct FreshnessRow {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The table.
    pub table: TableName,
    /// The station; none where it is the whole table. Stations stand here while they are silent, and once when they are heard of again.
    pub station: Option<String>,
    /// The newest observation.
    pub newest: Option<DateTime<Utc>>,
    /// How long it usually takes until a newer one comes, in seconds.
    pub usual_step_s: Option<i64>,
    /// Since when it is not as it should be.
    pub stale_since: Option<DateTime<Utc>>,
    /// `fresh`, `new` (too little of its past is known), `unknown` (no time of observation was seen), `stale`, `silent` or `volume`.
    pub state: &'static str,
    /// What is wrong, as a sentence.
    pub message: Option<String>,
    /// When it was judged.
    pub checked_at: DateTime<Utc>,
}

impl JournalRow for FreshnessRow {
    const KIND: Kind = Kind::Freshness;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("table_schema", |row: &Self| Some(row.table.schema())).required(),
            Column::text("table_name", |row: &Self| Some(row.table.table())).required(),
            Column::text("station", |row: &Self| row.station.as_deref()),
            Column::instant("newest", |row: &Self| row.newest),
            Column::count("usual_step_s", |row: &Self| row.usual_step_s),
            Column::instant("stale_since", |row: &Self| row.stale_since),
            Column::text("state", |row: &Self| Some(row.state)).required(),
            Column::text("message", |row: &Self| row.message.as_deref()),
            Column::instant("checked_at", |row: &Self| Some(row.checked_at)).required(),
        ]
    }
}
