//! What the tests of all engines need: a run of a connector to its end, and what came.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sectorlake_connector::kit::TestPace;
use sectorlake_connector::{Connector, ConnectorError, Cursor, Fetched, Http, Io, Limits, Slice};

#[path = "../../../tests/servers/mod.rs"]
pub(crate) mod servers;

/// A run that began at this minute of 2025-06-01.
pub(crate) fn run_at(minute: u32) -> Io {
    let http = Http::new(Limits::default(), Arc::new(TestPace::default())).unwrap();
    let began: DateTime<Utc> = format!("2025-06-01T00:{minute:02}:00Z").parse().unwrap();
    Io::new(http, began)
}

/// A part as it came.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) key: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) rows: RecordBatch,
    /// What the raw zone keeps beside it.
    pub(crate) next: Option<Cursor>,
}

impl Part {
    pub(crate) async fn of(fetched: Fetched) -> Self {
        let part = fetched.part.unwrap();
        let bytes: Vec<Bytes> = part.body.try_collect().await.unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes.concat())).unwrap();
        let schema = Arc::clone(reader.schema());
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        let rows = concat_batches(&schema, &batches).unwrap();
        Self {
            key: part.key,
            headers: part.headers,
            rows,
            next: fetched.next,
        }
    }

    /// The values of one column.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let options = FormatOptions::new().with_null("NULL");
        let column = self.rows.column_by_name(name).unwrap();
        let formatter = ArrayFormatter::try_new(column, &options).unwrap();
        (0..self.rows.num_rows())
            .map(|row| formatter.value(row).to_string())
            .collect()
    }
}

/// The unit of a stream.
pub(crate) async fn unit(
    connector: &dyn Connector,
    stream: &str,
    io: &Io,
) -> Result<String, ConnectorError> {
    let streams = connector.streams(io).await?;
    let found = streams.iter().find(|it| it.name == stream);
    Ok(found.map_or(stream, |it| it.unit.as_str()).to_owned())
}

/// All parts of a stream from `cursor` on, and where the next run goes on.
pub(crate) async fn fetch(
    connector: &dyn Connector,
    stream: &str,
    cursor: Option<Cursor>,
    io: &Io,
) -> Result<(Vec<Part>, Option<Cursor>), ConnectorError> {
    let unit = unit(connector, stream, io).await?;
    let mut parts = Vec::new();
    let mut cursor = cursor;
    while let Some(fetched) = connector
        .fetch(Slice::whole(&unit), cursor.as_ref(), io)
        .await?
    {
        let part = Part::of(fetched).await;
        cursor = part.next.clone();
        parts.push(part);
        if cursor.is_none() {
            break;
        }
    }
    Ok((parts, cursor))
}

/// The values of one column of all parts.
pub(crate) fn column(parts: &[Part], name: &str) -> Vec<String> {
    parts.iter().flat_map(|part| part.column(name)).collect()
}

/// Columns with their types and values, one a line: what a round trip brought.
pub(crate) fn shown(parts: &[Part]) -> String {
    let mut lines = Vec::new();
    for field in parts[0].rows.schema().fields() {
        let values = column(parts, field.name()).join(" | ");
        lines.push(format!("{} {}: {values}", field.name(), field.data_type()));
    }
    lines.join("\n")
}

/// The message, the setting that is to blame, and the mend, with ports masked.
pub(crate) fn said(error: &ConnectorError, port: u16) -> String {
    let setting = error.setting.as_ref();
    let text = format!(
        "{error}\n  {:?}{} / {}",
        error.kind,
        setting.map_or_else(String::new, |keys| format!(" at {}", keys.join("."))),
        error.help.as_deref().unwrap_or_default()
    );
    text.replace(&format!(":{port}"), ":PORT")
}
