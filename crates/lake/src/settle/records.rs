//! The rows whose keys may collide, as sortable records.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, Int64Array, RecordBatch, UInt8Array, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use datafusion::error::DataFusionError;
use futures::StreamExt;
use sectorlake_contract::system;

use super::Positions;
use crate::error::LakeError;
use crate::keys::{KeyHashes, row_hashes};
use crate::stage::read::{FileRef, Reader};

/// Whose row it is, in the order in which rows of one key are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// Of another source, as published.
    Other,
    /// Of this source, as published.
    Own,
    /// Of this run.
    New,
}

/// A file among the candidates.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    /// What the verdicts call it.
    pub(crate) number: usize,
    pub(crate) file: FileRef,
    pub(crate) side: Side,
    /// Rows that are out already.
    pub(crate) dropped: Option<Arc<Positions>>,
}

/// The names of the columns of a record, in the order in which records are sorted.
pub(super) const SORTED_BY: [&str; 6] = ["key", "side", "part", "row", "file", "position"];

/// A record's schema: what it is sorted by, then what it is compared by.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Binary, false),
        Field::new("side", DataType::UInt8, false),
        Field::new("part", DataType::UInt32, false),
        Field::new("row", DataType::Int64, false),
        Field::new("file", DataType::UInt32, false),
        Field::new("position", DataType::UInt64, false),
        Field::new("content", DataType::Binary, false),
    ]))
}

/// Numbers the parts: those in the run's order first, any other after them as it comes.
#[derive(Debug)]
pub(crate) struct Parts(Mutex<(Vec<String>, HashMap<String, u32>)>);

impl Parts {
    pub(crate) fn new(order: &[String]) -> Self {
        let parts = Self(Mutex::default());
        for part in order {
            parts.number(part);
        }
        parts
    }

    fn number(&self, part: &str) -> u32 {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = inner.1.get(part) {
            return *number;
        }
        let number = u32::try_from(inner.0.len()).unwrap_or(u32::MAX);
        inner.0.push(part.to_owned());
        inner.1.insert(part.to_owned(), number);
        number
    }

    pub(super) fn name(&self, number: u32) -> String {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        usize::try_from(number)
            .ok()
            .and_then(|at| inner.0.get(at).cloned())
            .unwrap_or_default()
    }
}

/// Turns the rows of data files into records.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    pub(super) reader: Reader,
    pub(super) key: Vec<String>,
    /// The columns that tell whether two rows of a key are the same.
    pub(super) content: Vec<String>,
    pub(super) suspects: Arc<KeyHashes>,
    pub(super) parts: Arc<Parts>,
}

impl Recorder {
    /// The records of one file, as the engine's batches.
    pub(super) async fn records(
        self,
        candidate: Candidate,
    ) -> Result<
        impl futures::Stream<Item = Result<RecordBatch, DataFusionError>> + Send,
        DataFusionError,
    > {
        let mut columns = self.key.clone();
        columns.extend(self.content.iter().cloned());
        columns.extend([system::PART.to_owned(), system::ROW.to_owned()]);
        let batches = self
            .reader
            .read(&candidate.file, &columns)
            .await
            .map_err(wrap)?;
        let mut position = 0;
        let mut last = LastPart::default();
        Ok(batches.map(move |batch| {
            let batch = batch.map_err(wrap)?;
            let first = position;
            position += batch.num_rows() as u64;
            Ok(self.of_batch(&batch, &candidate, first, &mut last)?)
        }))
    }

    fn of_batch(
        &self,
        batch: &RecordBatch,
        candidate: &Candidate,
        first: u64,
        last: &mut LastPart,
    ) -> Result<RecordBatch, ArrowError> {
        let key = &batch.columns()[..self.key.len()];
        let content = &batch.columns()[self.key.len()..self.key.len() + self.content.len()];
        let parts = batch.column(batch.num_columns() - 2).as_string::<i32>();
        let rows = batch
            .column(batch.num_columns() - 1)
            .as_primitive::<Int64Type>();
        let dropped = |row: usize| {
            candidate
                .dropped
                .as_ref()
                .is_some_and(|dropped| dropped.contains(first + row as u64))
        };
        let chosen: Vec<usize> = row_hashes(key)?
            .enumerate()
            .filter(|(row, hash)| {
                hash.is_some_and(|hash| self.suspects.contains(&hash)) && !dropped(*row)
            })
            .map(|(row, _)| row)
            .collect();
        let file = u32::try_from(candidate.number).unwrap_or(u32::MAX);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(bytes_of(key, &chosen, false)?),
            Arc::new(UInt8Array::from_value(candidate.side as u8, chosen.len())),
            Arc::new(UInt32Array::from_iter_values(
                chosen
                    .iter()
                    .map(|row| last.number(&self.parts, parts.value(*row))),
            )),
            Arc::new(Int64Array::from_iter_values(
                chosen.iter().map(|row| rows.value(*row)),
            )),
            Arc::new(UInt32Array::from_value(file, chosen.len())),
            Arc::new(UInt64Array::from_iter_values(
                chosen.iter().map(|row| first + *row as u64),
            )),
            Arc::new(bytes_of(content, &chosen, true)?),
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// The part of the row before: neighbours mostly come from one.
#[derive(Debug, Default)]
struct LastPart(Option<(String, u32)>);

impl LastPart {
    fn number(&mut self, parts: &Parts, part: &str) -> u32 {
        match &self.0 {
            Some((last, number)) if last == part => *number,
            _ => {
                let number = parts.number(part);
                self.0 = Some((part.to_owned(), number));
                number
            }
        }
    }
}

/// What turns keys into bytes that are equal where the keys are, and back.
pub(super) fn converter(columns: &[ArrayRef]) -> Result<RowConverter, ArrowError> {
    let fields = columns
        .iter()
        .map(|column| SortField::new(column.data_type().clone()));
    RowConverter::new(fields.collect())
}

/// The chosen rows as bytes, or as the BLAKE3 hashes of those bytes where only equality is asked for.
fn bytes_of(
    columns: &[ArrayRef],
    chosen: &[usize],
    hashed: bool,
) -> Result<arrow::array::BinaryArray, ArrowError> {
    let mut bytes = BinaryBuilder::with_capacity(chosen.len(), chosen.len() * 32);
    if columns.is_empty() {
        chosen.iter().for_each(|_| bytes.append_value([]));
    } else if !chosen.is_empty() {
        let rows = converter(columns)?.convert_columns(columns)?;
        for row in chosen {
            let row = rows.row(*row);
            if hashed {
                bytes.append_value(&blake3::hash(row.as_ref()).as_bytes()[..16]);
            } else {
                bytes.append_value(row.as_ref());
            }
        }
    }
    Ok(bytes.finish())
}

/// Our error on its way through the engine.
pub(super) fn wrap(error: LakeError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
