//! Batches of rows into raw parts: Parquet files of bounded size.
//!
//! A part is whole in memory before it is handed on, because where the next one begins stands beside it in the raw zone.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use sectorlake_connector::{ConnectorError, ErrorKind};

use crate::cursor::Mark;
use crate::engine::Replaced;
use crate::ties::Tracker;

/// Rows of a part, at most.
const PART_ROWS_MAX: usize = 1_000_000;
/// Bytes of a part beyond which it takes no more rows.
const PART_BYTES: usize = 32 << 20;
/// Rows of a row group: they are decoded beside one another.
const ROW_GROUP_ROWS: usize = 128 * 1024;

/// A part that is ready.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    /// Whether no other follows.
    pub(crate) is_last: bool,
    /// How far it reads, of an incremental stream.
    pub(crate) mark: Option<Mark>,
    /// What the run should hear of its rows.
    pub(crate) note: Option<String>,
    /// Values that were read as NULL.
    pub(crate) replaced: Replaced,
}

/// How large parts become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) rows_max: usize,
    pub(crate) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            rows_max: PART_ROWS_MAX,
            bytes: PART_BYTES,
        }
    }
}

/// Cuts a read into parts.
pub(crate) struct Cutter {
    schema: SchemaRef,
    bounds: Bounds,
    tracker: Option<Tracker>,
    writer: Option<ArrowWriter<Vec<u8>>>,
    rows: usize,
    replaced: Replaced,
    /// Parts that the read has to have at least, whatever there is in it.
    parts_least: u32,
    parts: u32,
}

impl Cutter {
    /// For rows of `schema`; `parts_least` are there even if there are no rows.
    pub(crate) fn new(
        schema: SchemaRef,
        bounds: Bounds,
        tracker: Option<Tracker>,
        parts_least: u32,
    ) -> Self {
        Self {
            schema,
            bounds,
            tracker,
            writer: None,
            rows: 0,
            replaced: Replaced::new(),
            parts_least,
            parts: 0,
        }
    }

    /// Takes rows; gives the part before them if it is full.
    ///
    /// # Errors
    /// What [`Tracker::take`] says, and rows that Parquet cannot hold.
    pub(crate) fn push(
        &mut self,
        batch: RecordBatch,
        replaced: Replaced,
    ) -> Result<Vec<Piece>, ConnectorError> {
        let mut pieces = Vec::new();
        let mut offset = 0;
        let batch_rows = batch.num_rows();
        while offset < batch_rows {
            if self.is_full() {
                pieces.push(self.cut(false)?);
            }
            let rows = (batch_rows - offset).min(self.bounds.rows_max - self.rows);
            self.write(batch.slice(offset, rows))?;
            offset += rows;
        }
        for (kind, count) in replaced {
            *self.replaced.entry(kind).or_default() += count;
        }
        Ok(pieces)
    }

    /// The parts that are left when all rows are there.
    ///
    /// # Errors
    /// As [`Cutter::push`].
    pub(crate) fn end(mut self) -> Result<Vec<Piece>, ConnectorError> {
        if let Some(tracker) = &mut self.tracker {
            tracker.end()?;
        }
        let mut pieces = Vec::new();
        if self.writer.is_some() || (self.tracker.is_none() && self.parts == 0) {
            let is_last = self.parts + 1 >= self.parts_least;
            pieces.push(self.cut(is_last)?);
        }
        while self.parts < self.parts_least {
            let is_last = self.parts + 1 == self.parts_least;
            pieces.push(self.cut(is_last)?);
        }
        Ok(pieces)
    }

    fn is_full(&self) -> bool {
        let written =
            |writer: &ArrowWriter<Vec<u8>>| writer.bytes_written() + writer.in_progress_size();
        let bytes = self.writer.as_ref().map(written).unwrap_or_default();
        self.rows >= self.bounds.rows_max || bytes >= self.bounds.bytes
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), ConnectorError> {
        let batch = match &mut self.tracker {
            Some(tracker) => tracker.take(batch)?,
            None => batch,
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open()?,
        };
        writer.write(&batch).map_err(|error| unwritable(&error))?;
        self.rows += batch.num_rows();
        self.writer = Some(writer);
        Ok(())
    }

    fn cut(&mut self, is_last: bool) -> Result<Piece, ConnectorError> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open()?,
        };
        let bytes = writer.into_inner().map_err(|error| unwritable(&error))?;
        self.parts += 1;
        self.rows = 0;
        Ok(Piece {
            bytes: bytes.into(),
            is_last,
            mark: self.tracker.as_ref().map(Tracker::mark),
            note: self.tracker.as_mut().and_then(Tracker::take_note),
            replaced: std::mem::take(&mut self.replaced),
        })
    }

    fn open(&self) -> Result<ArrowWriter<Vec<u8>>, ConnectorError> {
        // A raw part is read once or twice, whole: page indexes, bloom filters and statistics would not pay.
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by("sectorlake".to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        ArrowWriter::try_new(Vec::new(), Arc::clone(&self.schema), Some(properties))
            .map_err(|error| unwritable(&error))
    }
}

fn unwritable(error: &ParquetError) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Invalid,
        format!("the rows cannot be written as Parquet: {error}"),
    )
    .with_help("read the columns it can hold with `queries:`, others cast to text")
}
