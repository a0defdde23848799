//! Corrected records.

use chrono::{DateTime, Utc};

use super::Kind;
use super::schema::{Column, JournalRow};

/// One record that was corrected by hand.
#[derive(Debug, Clone, PartialEq)]
pub struct FixRow {
    /// The run that took in the correction, or found that it has lapsed.
    pub run: String,
    /// Its pipeline.
    pub pipeline: String,
    /// The stream that the record belongs to.
    pub stream: String,
    /// The raw part of the rejected record, as `_part` names it.
    pub part: String,
    /// The record's number in it.
    pub row: i64,
    /// The raw part that the correction is, as `_part` names it.
    pub fix_part: String,
    /// The corrected file's name.
    pub fix_file: String,
    /// The correction's record number in it.
    pub fix_row: i64,
    /// `loaded`, `rejected` (for it breaks a rule itself) or `lapsed` (for the source itself has changed).
    pub outcome: &'static str,
    /// Who corrected it.
    pub fixed_by: String,
    /// When the corrected file came.
    pub fixed_at: DateTime<Utc>,
}

impl JournalRow for FixRow {
    const KIND: Kind = Kind::Fixes;

    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::text("run", |row: &Self| Some(&row.run)).required(),
            Column::text("pipeline", |row: &Self| Some(&row.pipeline)).required(),
            Column::text("stream", |row: &Self| Some(&row.stream)).required(),
            Column::text("part", |row: &Self| Some(&row.part)).required(),
            Column::count("row", |row: &Self| Some(row.row)).required(),
            Column::text("fix_part", |row: &Self| Some(&row.fix_part)).required(),
            Column::text("fix_file", |row: &Self| Some(&row.fix_file)).required(),
            Column::count("fix_row", |row: &Self| Some(row.fix_row)).required(),
            Column::text("outcome", |row: &Self| Some(row.outcome)).required(),
            Column::text("fixed_by", |row: &Self| Some(&row.fixed_by)).required(),
            Column::instant("fixed_at", |row: &Self| Some(row.fixed_at)).required(),
        ]
    }
}
