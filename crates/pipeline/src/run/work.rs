//! One worker of one table: a partition of a piece, from bytes to written rows.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{BooleanArray, Int64Array};
use arrow::compute::{filter, filter_record_batch};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use futures::StreamExt;
use futures::stream::BoxStream;
use sectorlake_formats::{Decoded, FormatError};
use sectorlake_lake::TableWriter;
use sectorlake_normalise::{Counts, NormaliseError, Profile, Rejection, Worker};
use tokio::sync::mpsc;

use crate::freshness::{Seen, Sight};
use crate::result::{Failure, PartResult};

/// Records as they are read.
pub(super) type Records = BoxStream<'static, Result<Decoded, FormatError>>;

/// One partition of one piece.
pub(super) struct Partition {
    pub(super) records: Records,
    pub(super) worker: Worker,
    /// Records that corrections stand for.
    pub(super) omitted: Option<Arc<HashSet<i64>>>,
    /// How many rows that keep the contract are to be shown.
    pub(super) shown_max: usize,
    /// Where time and station stand, and the latest time that is no mistake.
    pub(super) sight: (Sight, i64),
}

/// What a worker gives back: the writer, and what it saw.
pub(super) type Worked = (TableWriter, Profile, Seen);

/// What a worker tells of one batch.
pub(super) struct Report {
    pub(super) counts: Counts,
    pub(super) rejected: Vec<Rejection>,
    last_record: i64,
    fixed: u64,
    /// The first rows that keep the contract, where they are to be shown.
    pub(super) shown: Vec<RecordBatch>,
}

/// One partition of one piece, from bytes to written rows; gives the writer back, and what it saw.
pub(super) async fn work(
    mut partition: Partition,
    mut writer: TableWriter,
    reports: mpsc::Sender<Report>,
) -> Result<Worked, Failure> {
    let mut seen = Seen::default();
    let shown_max = &mut partition.shown_max;
    while let Some(decoded) = partition.records.next().await {
        let mut decoded = decoded?;
        let last_record = last_record(&decoded);
        let mut fixed = 0;
        if let Some(omitted) = &partition.omitted {
            (decoded, fixed) = without(decoded, omitted).map_err(NormaliseError::from)?;
        }
        let normalised = partition.worker.process(&decoded).await?;
        let mut shown = Vec::new();
        for batch in normalised.batches {
            let rows = batch.num_rows().min(*shown_max);
            if rows > 0 {
                *shown_max -= rows;
                shown.push(batch.slice(0, rows));
            }
            let (sight, latest) = &partition.sight;
            seen.look(sight, &batch, *latest)
                .map_err(NormaliseError::from)?;
            writer.write(batch).await?;
        }
        let report = Report {
            counts: normalised.counts,
            rejected: normalised.rejected,
            last_record,
            fixed,
            shown,
        };
        if reports.send(report).await.is_err() {
            // Nobody receives any more: another worker failed.
            break;
        }
    }
    Ok((writer, partition.worker.into_profile(), seen))
}

/// Leaves out the records that corrections stand for, and counts them.
fn without(mut decoded: Decoded, omitted: &HashSet<i64>) -> Result<(Decoded, u64), ArrowError> {
    let all = decoded.batch.num_rows() + decoded.broken.len();
    let rows = decoded.rows.values().iter();
    let keep: BooleanArray = rows.map(|row| Some(!omitted.contains(row))).collect();
    if keep.false_count() > 0 {
        decoded.batch = filter_record_batch(&decoded.batch, &keep)?;
        decoded.rows = Int64Array::from(filter(&decoded.rows, &keep)?.to_data());
    }
    decoded
        .broken
        .retain(|broken| !omitted.contains(&broken.row));
    let left = decoded.batch.num_rows() + decoded.broken.len();
    Ok((decoded, (all - left) as u64))
}

/// The greatest record number of a batch: records are numbered from 1, so the greatest of all is how many there are.
fn last_record(decoded: &Decoded) -> i64 {
    let read = decoded.rows.values().iter().copied();
    read.chain(decoded.broken.iter().map(|broken| broken.row))
        .chain(decoded.dropped.iter().copied())
        .max()
        .unwrap_or_default()
}

/// Adds what a batch gave to its part.
pub(super) fn add(result: &mut PartResult, report: &Report) {
    result.records = result
        .records
        .max(u64::try_from(report.last_record).unwrap_or_default());
    result.decoded += report.counts.decoded;
    result.broken += report.counts.broken;
    result.filtered += report.counts.filtered;
    result.mapped += report.counts.mapped;
    result.rejected += report.counts.rejected;
    result.fixed += report.fixed;
}
