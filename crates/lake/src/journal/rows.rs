//! The rows of the journal, as the values that callers have.

use chrono::{DateTime, Utc};
use sectorlake_contract::TableName;

use super::Kind;
use super::schema::{Column, JournalRow};

/// That a run began, or how it ended: two rows a run, the later one counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// `started`, `published`, `unchanged` or `failed`.
    pub outcome: &'static str,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; none for `started`.
    pub finished_at: Option<DateTime<Utc>>,
    /// The host it ran on.
    pub host: String,
    /// The snapshot it published.
    pub snapshot: Option<u64>,
    /// How many raw parts it fetched anew.
    pub parts: Option<u64>,
    /// How many bytes it fetched.
    pub bytes: Option<u64>,
    /// Why it failed, and the mend.
    pub message: Option<String>,
}

/// What a run did to one table. `mapped = loaded + unchanged + superseded + rejected`.
#[derive(Debug, Clone, PartialEq)]
pub struct RunTableRow {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The table.
    pub table: TableName,
    /// `replace`, `append` or `merge`.
    pub load: &'static str,
    /// Rows that came out of the mapping.
    pub mapped: u64,
    /// Of those, rows now in the table by this run.
    pub loaded: u64,
    /// Rows that were there with the same values.
    pub unchanged: u64,
    /// Rows that a later record of the same key replaced within the run.
    pub superseded: u64,
    /// Rows that broke a rule.
    pub rejected: u64,
    /// Rows of this source that the run took away or replaced.
    pub removed: u64,
    /// Rows of this source before the run.
    pub previous_rows: u64,
    /// Of the removed rows, those whose key has a new row now; they are in `revisions`. NULL in older files.
    pub revised: Option<u64>,
    /// Of the removed rows, those that the source has removed (`deletions: follow`). NULL in older files.
    pub deleted: Option<u64>,
    /// The Delta version it published; none where it published none.
    pub version: Option<u64>,
}

/// What one raw part, or one member of it, gave to one table. `records = decoded + broken + fixed`; over all parts of a run and
/// table, the sum of `mapped` is the table's.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPartRow {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The unit that was fetched.
    pub unit: String,
    /// The stream of that unit.
    pub stream: String,
    /// The raw part's hash, as rows name it in `_part`.
    pub part: String,
    /// The file as people know it, with `!member` inside an archive.
    pub name: String,
    /// The URL or path it was fetched from.
    pub key: String,
    /// The part's size in bytes.
    pub bytes: u64,
    /// When it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// The table.
    pub table: TableName,
    /// Records in the source.
    pub records: u64,
    /// Records that were read.
    pub decoded: u64,
    /// Records that could not be read.
    pub broken: u64,
    /// Read records that gave this table no row.
    pub filtered: u64,
    /// Rows that the mapping made of the rest.
    pub mapped: u64,
    /// Of those, rows that the contract refused; duplicate keys, found later, count with the table only.
    pub rejected: u64,
    /// Records whose correction was loaded in their place; see `fixes`.
    pub fixed: u64,
}

/// One broken rule of one row that was not loaded; or, with `severity` `warn`, of one that was marked and loaded all the same.
///
/// A row that broke three rules is three of these, counted from 1 in `reason`; so rows are counted as
/// `count(*) FILTER (WHERE reason = 1 AND severity IS DISTINCT FROM 'warn')`, and those of a table's balance are the ones with `mapped`.
#[derive(Debug, Clone, PartialEq)]
pub struct RejectedRow {
    /// The run.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The table.
    pub table: TableName,
    /// The raw part's hash.
    pub part: String,
    /// The file as people know it, with `!member` inside an archive.
    pub file: String,
    /// The URL or path it was fetched from.
    pub key: String,
    /// The record's number in it, from 1.
    pub row: i64,
    /// The rule's number among those that this row broke, from 1.
    pub reason: u32,
    /// Whether it is a row of the mapping; else a record that could not be read.
    pub mapped: bool,
    /// The field; none for a whole record.
    pub field: Option<String>,
    /// The rule, in Table Schema's words, or `record`, `mapping`.
    pub rule: String,
    /// `reject`, or `warn` for a soft rule. Of a rejected row's reasons those that reject come first. NULL in older files: `reject`.
    pub severity: &'static str,
    /// The value that broke it.
    pub value: Option<String>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// The row as JSON, or the raw record.
    pub record: Option<String>,
}

/// A row whose values a later run changed.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisionRow {
    /// The run that changed it.
    pub run: String,
    /// Its pipeline: the row's `_source`.
    pub pipeline: String,
    /// The table.
    pub table: TableName,
    /// The row's key, as JSON.
    pub key: String,
    /// The run that had brought the old row.
    pub old_run: String,
    /// The old row, as JSON.
    pub old_row: String,
    /// The new row, as JSON; none where the row was taken away.
    pub new_row: Option<String>,
    /// When it was changed.
    pub at: DateTime<Utc>,
}

/// One change of a source's columns since the pipeline last published.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftRow {
    /// The run that saw it.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The stream.
    pub stream: String,
    /// The table that the stream feeds.
    pub table: TableName,
    /// `new`, `missing`, `renamed` or `type`.
    pub kind: &'static str,
    /// The column: as it is called now, or was where it is gone.
    pub column: String,
    /// What it was: a name or a kind of values.
    pub before: Option<String>,
    /// What it is now: a name or a kind of values.
    pub now: Option<String>,
    /// Whether the mapping reads it.
    pub used: bool,
    /// What the pipeline's `on_drift` made of it: `warn`, `fail` or `add`.
    pub action: &'static str,
    /// What has changed, as a sentence.
    pub message: String,
    /// The proposed change of the mapping or contract.
    pub proposal: String,
}

/// Arrow and SQL count with signs; no count here comes near the end.
pub(super) fn count(number: u64) -> Option<i64> {
    Some(i64::try_from(number).unwrap_or(i64::MAX))
}

impl JournalRow for RunRow {
    const KIND: Kind = Kind::Runs;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("outcome", |row: &Self| Some(row.outcome)).required(),
            Column::instant("started_at", |row: &Self| Some(row.started_at)).required(),
            Column::instant("finished_at", |row: &Self| row.finished_at),
            Column::text("host", |row: &Self| Some(&row.host)).required(),
            Column::count("snapshot", |row: &Self| row.snapshot.and_then(count)),
            Column::count("parts", |row: &Self| row.parts.and_then(count)),
            Column::count("bytes", |row: &Self| row.bytes.and_then(count)),
            Column::text("message", |row: &Self| row.message.as_deref()),
        ]
    }
}

impl JournalRow for RunTableRow {
    const KIND: Kind = Kind::RunTables;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("table_schema", |row: &Self| Some(row.table.schema())).required(),
            Column::text("table_name", |row: &Self| Some(row.table.table())).required(),
            Column::text("load", |row: &Self| Some(row.load)).required(),
            Column::count("mapped", |row: &Self| count(row.mapped)).required(),
            Column::count("loaded", |row: &Self| count(row.loaded)).required(),
            Column::count("unchanged", |row: &Self| count(row.unchanged)).required(),
            Column::count("superseded", |row: &Self| count(row.superseded)).required(),
            Column::count("rejected", |row: &Self| count(row.rejected)).required(),
            Column::count("removed", |row: &Self| count(row.removed)).required(),
            Column::count("previous_rows", |row: &Self| count(row.previous_rows)).required(),
            Column::count("revised", |row: &Self| row.revised.and_then(count)),
            Column::count("deleted", |row: &Self| row.deleted.and_then(count)),
            Column::count("version", |row: &Self| row.version.and_then(count)),
        ]
    }
}

impl JournalRow for RunPartRow {
    const KIND: Kind = Kind::RunParts;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("unit", |row: &Self| Some(&row.unit)).required(),
            Column::text("stream", |row: &Self| Some(&row.stream)).required(),
            Column::text("part", |row: &Self| Some(&row.part)).required(),
            Column::text("name", |row: &Self| Some(&row.name)).required(),
            Column::text("key", |row: &Self| Some(&row.key)).required(),
            Column::count("bytes", |row: &Self| count(row.bytes)).required(),
            Column::instant("fetched_at", |row: &Self| Some(row.fetched_at)).required(),
            Column::text("table_schema", |row: &Self| Some(row.table.schema())).required(),
            Column::text("table_name", |row: &Self| Some(row.table.table())).required(),
            Column::count("records", |row: &Self| count(row.records)).required(),
            Column::count("decoded", |row: &Self| count(row.decoded)).required(),
            Column::count("broken", |row: &Self| count(row.broken)).required(),
            Column::count("filtered", |row: &Self| count(row.filtered)).required(),
            Column::count("mapped", |row: &Self| count(row.mapped)).required(),
            Column::count("rejected", |row: &Self| count(row.rejected)).required(),
            Column::count("fixed", |row: &Self| count(row.fixed)),
        ]
    }
}

impl JournalRow for RejectedRow {
    const KIND: Kind = Kind::RejectedRows;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("table_schema", |row: &Self| Some(row.table.schema())).required(),
            Column::text("table_name", |row: &Self| Some(row.table.table())).required(),
            Column::text("part", |row: &Self| Some(&row.part)).required(),
            Column::text("file", |row: &Self| Some(&row.file)).required(),
            Column::text("key", |row: &Self| Some(&row.key)).required(),
            Column::count("row", |row: &Self| Some(row.row)).required(),
            Column::count("reason", |row: &Self| Some(i64::from(row.reason))).required(),
            Column::flag("mapped", |row: &Self| Some(row.mapped)).required(),
            Column::text("field", |row: &Self| row.field.as_deref()),
            Column::text("rule", |row: &Self| Some(&row.rule)).required(),
            Column::text("severity", |row: &Self| Some(row.severity)),
            Column::text("value", |row: &Self| row.value.as_deref()),
            Column::text("message", |row: &Self| Some(&row.message)).required(),
            Column::text("record", |row: &Self| row.record.as_deref()),
        ]
    }
}

impl JournalRow for RevisionRow {
    const KIND: Kind = Kind::Revisions;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("table_schema", |row: &Self| Some(row.table.schema())).required(),
            Column::text("table_name", |row: &Self| Some(row.table.table())).required(),
            Column::text("key", |row: &Self| Some(&row.key)).required(),
            Column::text("old_run", |row: &Self| Some(&row.old_run)).required(),
            Column::text("old_row", |row: &Self| Some(&row.old_row)).required(),
            Column::text("new_run", |row: &Self| Some(&row.run)).required(),
            Column::text("new_row", |row: &Self| row.new_row.as_deref()),
            Column::instant("at", |row: &Self| Some(row.at)).required(),
        ]
    }
}

impl JournalRow for DriftRow {
    const KIND: Kind = Kind::Drift;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("stream", |row: &Self| Some(&row.stream)).required(),
            Column::text("table_schema", |row: &Self| Some(row.table.schema())).required(),
            Column::text("table_name", |row: &Self| Some(row.table.table())).required(),
            Column::text("kind", |row: &Self| Some(row.kind)).required(),
            Column::text("column_name", |row: &Self| Some(&row.column)).required(),
            Column::text("before", |row: &Self| row.before.as_deref()),
            Column::text("now", |row: &Self| row.now.as_deref()),
            Column::flag("used", |row: &Self| Some(row.used)).required(),
            Column::text("action", |row: &Self| Some(row.action)).required(),
            Column::text("message", |row: &Self| Some(&row.message)).required(),
            Column::text("proposal", |row: &Self| Some(&row.proposal)).required(),
        ]
    }
}
