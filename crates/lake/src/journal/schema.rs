//! The fixed schema of each kind of journal, and how rows become its columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Utc};

use super::{
    DriftRow, FixRow, FreshnessRow, Kind, ProfileRow, RejectedRow, RevisionRow, RunPartRow, RunRow,
    RunTableRow,
};

const TIME_ZONE: &str = "UTC";

/// The Arrow schema of a kind: texts are Utf8, counts Int64, measures Float64, instants microseconds in UTC.
#[must_use]
pub fn schema(kind: Kind) -> SchemaRef {
    match kind {
        Kind::Runs => schema_of::<RunRow>(),
        Kind::RunTables => schema_of::<RunTableRow>(),
        Kind::RunParts => schema_of::<RunPartRow>(),
        Kind::RejectedRows => schema_of::<RejectedRow>(),
        Kind::Revisions => schema_of::<RevisionRow>(),
        Kind::Drift => schema_of::<DriftRow>(),
        Kind::Profiles => schema_of::<ProfileRow>(),
        Kind::Fixes => schema_of::<FixRow>(),
        Kind::Freshness => schema_of::<FreshnessRow>(),
    }
}

/// A row of the journal.
pub trait JournalRow: Send + Sync + Sized + 'static {
    /// Its kind.
    const KIND: Kind;

    /// Its columns, in order.
    fn columns() -> Vec<Column<Self>>;

    /// About how many bytes it holds beside its own size.
    fn text_bytes(&self) -> usize {
        Self::columns()
            .iter()
            .map(|column| match column.value {
                Value::Text(get) => get(self).map_or(0, str::len),
                Value::Count(_) | Value::Number(_) | Value::Instant(_) | Value::Flag(_) => 0,
            })
            .sum()
    }
}

/// A column: its name, and where its value stands in a row.
pub struct Column<R> {
    name: &'static str,
    required: bool,
    value: Value<R>,
}

/// How to take a column's value out of a row.
enum Value<R> {
    Text(fn(&R) -> Option<&str>),
    Count(fn(&R) -> Option<i64>),
    Number(fn(&R) -> Option<f64>),
    Instant(fn(&R) -> Option<DateTime<Utc>>),
    Flag(fn(&R) -> Option<bool>),
}

impl<R> Column<R> {
    pub(super) fn text(name: &'static str, get: fn(&R) -> Option<&str>) -> Self {
        Self {
            name,
            required: false,
            value: Value::Text(get),
        }
    }

    pub(super) fn count(name: &'static str, get: fn(&R) -> Option<i64>) -> Self {
        Self {
            name,
            required: false,
            value: Value::Count(get),
        }
    }

    pub(super) fn number(name: &'static str, get: fn(&R) -> Option<f64>) -> Self {
        Self {
            name,
            required: false,
            value: Value::Number(get),
        }
    }

    pub(super) fn instant(name: &'static str, get: fn(&R) -> Option<DateTime<Utc>>) -> Self {
        Self {
            name,
            required: false,
            value: Value::Instant(get),
        }
    }

    pub(super) fn flag(name: &'static str, get: fn(&R) -> Option<bool>) -> Self {
        Self {
            name,
            required: false,
            value: Value::Flag(get),
        }
    }

    /// The same column, where every row has a value.
    pub(super) fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    fn field(&self) -> Field {
        let data_type = match self.value {
            Value::Text(_) => DataType::Utf8,
            Value::Count(_) => DataType::Int64,
            Value::Number(_) => DataType::Float64,
            Value::Instant(_) => DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into())),
            Value::Flag(_) => DataType::Boolean,
        };
        Field::new(self.name, data_type, !self.required)
    }

    fn array(&self, rows: &[R]) -> ArrayRef {
        match self.value {
            Value::Text(get) => Arc::new(rows.iter().map(get).collect::<StringArray>()),
            Value::Count(get) => Arc::new(rows.iter().map(get).collect::<Int64Array>()),
            Value::Number(get) => Arc::new(rows.iter().map(get).collect::<Float64Array>()),
            Value::Instant(get) => {
                let micros = rows
                    .iter()
                    .map(|row| get(row).map(|at| at.timestamp_micros()));
                let array: TimestampMicrosecondArray = micros.collect();
                Arc::new(array.with_timezone(TIME_ZONE))
            }
            Value::Flag(get) => Arc::new(rows.iter().map(get).collect::<BooleanArray>()),
        }
    }
}

pub(super) fn schema_of<R: JournalRow>() -> SchemaRef {
    Arc::new(Schema::new(
        R::columns().iter().map(Column::field).collect::<Vec<_>>(),
    ))
}

/// Rows as a batch of their kind's schema.
pub(super) fn batch<R: JournalRow>(
    schema: &SchemaRef,
    rows: &[R],
) -> Result<RecordBatch, ArrowError> {
    let columns = R::columns()
        .iter()
        .map(|column| column.array(rows))
        .collect();
    RecordBatch::try_new(Arc::clone(schema), columns)
}
