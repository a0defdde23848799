//! One partition of one part: decoded batches in, batches that keep the contract out, and every other row with its reasons.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;
use datafusion::scalar::ScalarValue;
use hashbrown::HashMap;
use sectorlake_contract::{Severity, key_hashes, system};
use sectorlake_formats::Decoded;

use crate::align::Slot;
use crate::cast::Failure;
use crate::direct::Constant;
use crate::error::{MappingError, NormaliseError};
use crate::keys::{KeyLog, KnownKeys};
use crate::mapping::MappingRunner;
use crate::normaliser::{Fill, Normaliser};
use crate::profile::Profile;
use crate::refused::RefusedKeys;
use crate::rejection::{Counts, Rejection};
use crate::shown::kept;
use crate::used::UsedRows;
use crate::waiting::Waiting;

/// Where the rows of one part come from; constant over the part.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The run.
    pub run: String,
    /// The part's hash.
    pub part: String,
    /// Its number among the parts of the table, from 0.
    pub number: u32,
}

/// Checks against other rows, shared by all workers of one table in one run.
#[derive(Debug, Clone, Default)]
pub struct KeyChecks {
    /// Field sets that must not repeat: the primary key first, then unique fields.
    pub unique: Vec<(Vec<String>, Arc<KeyLog>)>,
    /// Foreign keys that are enforced.
    pub foreign: Vec<ForeignCheck>,
    /// Rows that point into their own table wait here until all rows are seen.
    pub waiting: Option<Arc<Waiting>>,
    /// Where the keys of refused rows are wanted: the key's fields, and who gathers them.
    pub refused: Option<(Vec<String>, Arc<RefusedKeys>)>,
}

/// One enforced foreign key: the fields, and the keys of which one set must hold their hash.
#[derive(Debug, Clone)]
pub struct ForeignCheck {
    /// The referring fields, in the order of the referenced key.
    pub fields: Vec<String>,
    /// The referenced keys, one set per target.
    pub targets: Vec<Arc<dyn KnownKeys>>,
    /// The target as written in messages: `transport.trips (feed_id, trip_id)`.
    pub label: String,
}

/// Runs one partition of one part through mapping and contract.
#[derive(Debug)]
pub struct Worker {
    normaliser: Arc<Normaliser>,
    runner: MappingRunner,
    fills: Vec<Fill>,
    origin: [Constant; 2],
    unique: Vec<(Vec<usize>, Arc<KeyLog>)>,
    foreign: Vec<(Vec<usize>, ForeignCheck)>,
    waiting: Option<Arc<Waiting>>,
    refused: Option<(Vec<usize>, Arc<RefusedKeys>)>,
    profile: Profile,
}

/// What one decoded batch gave.
#[derive(Debug, Default)]
pub struct Normalised {
    /// Rows that keep the contract.
    pub batches: Vec<RecordBatch>,
    /// One entry per broken rule of a row.
    pub rejected: Vec<Rejection>,
    /// How the rows of this batch add up.
    pub counts: Counts,
}

impl Worker {
    pub(crate) fn new(
        normaliser: Arc<Normaliser>,
        runner: MappingRunner,
        origin: &Origin,
        keys: &KeyChecks,
    ) -> Result<Self, MappingError> {
        let constant = |text: &str| Constant::new(ScalarValue::Utf8View(Some(text.to_owned())));
        let unique = keys
            .unique
            .iter()
            .map(|(fields, log)| Ok((normaliser.positions(fields)?, Arc::clone(log))));
        let foreign = keys
            .foreign
            .iter()
            .map(|check| Ok((normaliser.positions(&check.fields)?, check.clone())));
        let refused = match &keys.refused {
            Some((fields, log)) => Some((normaliser.positions(fields)?, Arc::clone(log))),
            None => None,
        };
        Ok(Self {
            runner,
            fills: normaliser.fills(),
            origin: [constant(&origin.run), constant(&origin.part)],
            unique: unique.collect::<Result<_, MappingError>>()?,
            foreign: foreign.collect::<Result<_, MappingError>>()?,
            waiting: keys.waiting.clone(),
            refused,
            profile: normaliser.profile(origin.number),
            normaliser,
        })
    }

    /// Takes one decoded batch through mapping and contract.
    ///
    /// # Errors
    /// [`NormaliseError`] only for what no row can be blamed for.
    pub async fn process(&mut self, decoded: &Decoded) -> Result<Normalised, NormaliseError> {
        let mut result = Normalised::default();
        // What the format's own rules drop counts as filtered, as what the mapping's `where` leaves out does.
        result.counts.decoded = (decoded.batch.num_rows() + decoded.dropped.len()) as u64;
        result.counts.broken = decoded.broken.len() as u64;
        result
            .rejected
            .extend(decoded.broken.iter().map(Rejection::broken));
        self.unkeyed(result.counts.broken);
        let normaliser = Arc::clone(&self.normaliser);
        let pieces = match &normaliser.unpivot {
            Some(unpivot) => unpivot.apply(
                &decoded.batch,
                &decoded.rows,
                normaliser.mapping.projection(),
            )?,
            None => vec![(decoded.batch.clone(), decoded.rows.clone())],
        };
        let mut used = UsedRows::new(
            normaliser.unpivot.is_some() || normaliser.mapping.multiplies(),
            &decoded.rows,
        );
        self.profile.source(&decoded.batch, &decoded.rows);
        for (batch, rows) in pieces {
            let mapped = self.runner.map(&batch, &rows).await?;
            for failed in mapped.failed {
                let row = rows.value(failed.index);
                used.record(row);
                result.counts.mapped += 1;
                result.counts.rejected += 1;
                self.unkeyed(1);
                let record = row_json(&batch, failed.index).into();
                result
                    .rejected
                    .push(Rejection::mapping(row, failed.message, Some(record)));
            }
            for batch in mapped.batches {
                let rows = batch
                    .column(batch.num_columns() - 1)
                    .as_primitive::<Int64Type>()
                    .clone();
                used.batch(&rows);
                self.enforce(&batch, &rows, &mut result)?;
            }
        }
        result.counts.filtered = result.counts.decoded - used.count();
        Ok(result)
    }

    /// What was read and loaded so far.
    #[must_use]
    pub fn into_profile(self) -> Profile {
        self.profile
    }

    fn enforce(
        &mut self,
        mapped: &RecordBatch,
        rows: &Int64Array,
        result: &mut Normalised,
    ) -> Result<(), NormaliseError> {
        let normaliser = Arc::clone(&self.normaliser);
        let mut failures = Vec::new();
        let mut columns = normaliser.columns(mapped, &mut self.fills, &mut failures)?;
        self.check_foreign(&columns, &mut failures)?;
        result.counts.mapped += mapped.num_rows() as u64;
        for constant in &mut self.origin {
            columns.push(
                constant
                    .rows(rows.len())
                    .map_err(|error| MappingError::from_engine(error, &normaliser.schema))?,
            );
        }
        columns.push(Arc::new(rows.clone()));
        let mut batch = if failures.is_empty() {
            RecordBatch::try_new(Arc::clone(&normaliser.schema), columns)?
        } else {
            let all = RecordBatch::try_new(Arc::clone(&normaliser.relaxed), columns)?;
            let keep = self.kept(all.num_rows(), &failures, &mut result.counts);
            self.reject(mapped, rows, failures, &mut result.rejected);
            self.remember_refused(&all, &keep)?;
            let kept = filter_record_batch(&all, &BooleanArray::from(keep))?;
            RecordBatch::try_new(Arc::clone(&normaliser.schema), kept.columns().to_vec())?
        };
        self.profile.loaded(&batch);
        self.remember_keys(&batch)?;
        if let Some(waiting) = &self.waiting {
            batch = waiting.hold(batch)?;
        }
        if batch.num_rows() > 0 {
            result.batches.push(batch);
        }
        Ok(())
    }

    fn check_foreign(
        &self,
        columns: &[ArrayRef],
        failures: &mut Vec<Failure>,
    ) -> Result<(), NormaliseError> {
        for (positions, check) in &self.foreign {
            let key: Vec<ArrayRef> = positions
                .iter()
                .map(|position| Arc::clone(&columns[*position]))
                .collect();
            let hashes = key_hashes(&key)?;
            // Rows of one trip or station stand together: a verdict holds as long as the key stays the same.
            let mut last = None;
            for (index, hash) in hashes.iter().enumerate() {
                let known = match last {
                    Some((before, known)) if before == *hash => known,
                    _ => check.targets.iter().any(|target| target.knows(*hash)),
                };
                last = Some((*hash, known));
                // A key with a NULL in it refers to nothing.
                if !known && key.iter().all(|column| column.is_valid(index)) {
                    let field = positions.last().copied().unwrap_or_default();
                    failures.push(Failure {
                        index,
                        field,
                        rule: "foreignKey",
                        message: no_such_row(&check.label),
                    });
                }
            }
        }
        Ok(())
    }

    fn remember_keys(&self, batch: &RecordBatch) -> Result<(), NormaliseError> {
        for (positions, log) in &self.unique {
            let key: Vec<ArrayRef> = positions
                .iter()
                .map(|position| Arc::clone(batch.column(*position)))
                .collect();
            let mut hashes = key_hashes(&key)?;
            if key.iter().any(|column| column.null_count() > 0) {
                let mut index = 0;
                hashes.retain(|_| {
                    index += 1;
                    key.iter().all(|column| column.is_valid(index - 1))
                });
            }
            log.extend(&hashes)?;
        }
        Ok(())
    }

    fn unkeyed(&self, rows: u64) {
        if let Some((_, log)) = &self.refused {
            log.add_unkeyed(rows);
        }
    }

    /// The keys of rows that do not stay.
    fn remember_refused(&self, all: &RecordBatch, keep: &[bool]) -> Result<(), NormaliseError> {
        let Some((positions, log)) = &self.refused else {
            return Ok(());
        };
        let key: Vec<ArrayRef> = positions
            .iter()
            .map(|position| Arc::clone(all.column(*position)))
            .collect();
        let hashes = key_hashes(&key)?;
        for (index, hash) in hashes.into_iter().enumerate() {
            if !keep[index] {
                let is_key = key.iter().all(|column| column.is_valid(index));
                log.add(is_key.then_some(hash));
            }
        }
        Ok(())
    }

    /// Which rows stay: those that broke soft rules alone are marked, and stay.
    fn kept(&self, rows: usize, failures: &[Failure], counts: &mut Counts) -> Vec<bool> {
        let (mut keep, mut whole) = (vec![true; rows], vec![true; rows]);
        for failure in failures {
            whole[failure.index] = false;
            if self.normaliser.severities.of_failure(failure) == Severity::Reject {
                keep[failure.index] = false;
            }
        }
        let count = |holds: &[bool]| holds.iter().filter(|holds| **holds).count() as u64;
        counts.rejected += rows as u64 - count(&keep);
        counts.marked += count(&keep) - count(&whole);
        keep
    }

    fn reject(
        &self,
        mapped: &RecordBatch,
        rows: &Int64Array,
        mut failures: Vec<Failure>,
        rejected: &mut Vec<Rejection>,
    ) {
        let severities = &self.normaliser.severities;
        // Of a row's reasons those that reject it come first.
        failures.sort_by_key(|failure| {
            let soft = severities.of_failure(failure) == Severity::Warn;
            (failure.index, soft, failure.field)
        });
        let mut records: HashMap<usize, Arc<str>> = HashMap::new();
        for failure in failures {
            let record = records
                .entry(failure.index)
                .or_insert_with(|| row_json(mapped, failure.index).into());
            let value = match self.normaliser.alignment.slot(failure.field) {
                Slot::Mapped(column) => text_of(mapped.column(*column), failure.index),
                Slot::Constant(value) => Some(value.clone()),
                Slot::Absent => None,
            };
            rejected.push(Rejection {
                row: rows.value(failure.index),
                field: Some(self.normaliser.contract.fields[failure.field].name.clone()),
                rule: failure.rule,
                severity: severities.of_failure(&failure),
                value,
                message: failure.message,
                record: Some(Arc::clone(record)),
            });
        }
    }
}

pub(crate) fn no_such_row(label: &str) -> String {
    format!("there is no such row in {label}")
}

/// The value as people read it; `None` for NULL.
pub(crate) fn text_of(column: &ArrayRef, index: usize) -> Option<String> {
    let there = column.is_valid(index) && *column.data_type() != DataType::Null;
    there.then(|| kept(array_value_to_string(column, index).unwrap_or_default()))
}

/// One row as a JSON object, for people: columns without a value are left out.
pub(crate) fn row_json(batch: &RecordBatch, index: usize) -> String {
    let mut object = serde_json::Map::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let ours = matches!(
            field.name().as_str(),
            system::ROW | system::RUN | system::PART | "_record"
        );
        if let Some(value) = text_of(column, index).filter(|_| !ours) {
            object.insert(field.name().clone(), serde_json::Value::String(value));
        }
    }
    serde_json::Value::Object(object).to_string()
}
