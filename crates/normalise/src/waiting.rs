//! Rows that point into their own table: a stop into its station, a district into its province.
//!
//! Whether the row they name is there is only known when all rows are seen, so they wait in a temporary file while the
//! others go on. Then those go whose target is missing, and those that point to them, and so on.
//! Memory: some 80 bytes a waiting row and reference, and a hash per row of the table.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use sectorlake_contract::{Contract, Severity, key_hashes, system};

use crate::error::{MappingError, NormaliseError};
use crate::keys::{KeySet, KnownKeys};
use crate::rejection::Rejection;
use crate::worker::{no_such_row, row_json, text_of};

/// One foreign key of a table into itself.
#[derive(Debug, Clone)]
pub struct SelfCheck {
    /// The referring fields, in the order of the referenced key.
    pub fields: Vec<String>,
    /// The referenced fields.
    pub referenced: Vec<String>,
    /// The target as written in messages.
    pub label: String,
    /// Whether a row whose target is missing is rejected, or only marked.
    pub severity: Severity,
    /// Rows of the table that are there already and stay.
    pub known: Arc<dyn KnownKeys>,
}

/// The rows that wait, and the keys of those that did not have to.
pub struct Waiting {
    checks: Vec<Check>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Check {
    fields: Vec<usize>,
    referenced: Vec<usize>,
    label: String,
    severity: Severity,
    name: String,
    known: Arc<dyn KnownKeys>,
}

#[derive(Default)]
struct State {
    /// Per check, the referenced keys of accepted rows.
    accepted: Vec<KeySet>,
    /// Per waiting row and check: its own key, and the one it needs.
    edges: Vec<(u64, Option<u64>)>,
    file: Option<StreamWriter<BufWriter<File>>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting")
            .field("checks", &self.checks)
            .finish_non_exhaustive()
    }
}

/// What became of the rows that waited.
#[derive(Debug, Default)]
pub struct Settled {
    /// Rows that may go on.
    pub batches: Vec<RecordBatch>,
    /// Rows that may not, with the part they came from.
    pub rejected: Vec<(String, Rejection)>,
}

impl Waiting {
    /// Nothing waits yet.
    ///
    /// # Errors
    /// [`MappingError::Contract`] when a check names a field that the contract does not have.
    pub fn new(contract: &Contract, checks: &[SelfCheck]) -> Result<Arc<Self>, MappingError> {
        let positions = |fields: &[String]| {
            fields
                .iter()
                .map(|field| position(contract, field))
                .collect::<Result<Vec<_>, _>>()
        };
        let checks = checks.iter().map(|check| {
            Ok(Check {
                fields: positions(&check.fields)?,
                referenced: positions(&check.referenced)?,
                label: check.label.clone(),
                severity: check.severity,
                name: check.fields.last().cloned().unwrap_or_default(),
                known: Arc::clone(&check.known),
            })
        });
        let checks = checks.collect::<Result<Vec<_>, MappingError>>()?;
        let state = State {
            accepted: vec![KeySet::default(); checks.len()],
            ..State::default()
        };
        Ok(Arc::new(Self {
            checks,
            state: Mutex::new(state),
        }))
    }

    /// Takes the rows out of `batch` that must wait.
    pub(crate) fn hold(&self, batch: RecordBatch) -> Result<RecordBatch, NormaliseError> {
        let keys = self
            .checks
            .iter()
            .map(|check| check.keys(&batch))
            .collect::<Result<Vec<_>, _>>()?;
        let waits: Vec<bool> = (0..batch.num_rows())
            .map(|row| keys.iter().any(|keys| keys.needs[row].is_some()))
            .collect();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (accepted, keys) in state.accepted.iter_mut().zip(&keys) {
            accepted.extend(
                keys.own
                    .iter()
                    .zip(&waits)
                    .filter(|(_, waits)| !**waits)
                    .map(|(own, _)| *own),
            );
        }
        if !waits.contains(&true) {
            return Ok(batch);
        }
        for row in (0..waits.len()).filter(|row| waits[*row]) {
            state
                .edges
                .extend(keys.iter().map(|keys| (keys.own[row], keys.needs[row])));
        }
        let waits = BooleanArray::from(waits);
        state.write(&filter_record_batch(&batch, &waits)?)?;
        Ok(filter_record_batch(&batch, &arrow::compute::not(&waits)?)?)
    }

    /// Judges all rows that wait, and hands them on batch by batch. To be called once, when every other row is seen.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`] when the temporary file cannot be read back; what `each` returns.
    pub fn settle<E: From<NormaliseError>>(
        &self,
        mut each: impl FnMut(Settled) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut state =
            std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(batches) = state.read().map_err(E::from)? else {
            return Ok(());
        };
        let passes = self.judge(&mut state);
        let mut from = 0;
        for batch in batches {
            let batch = batch.map_err(|error| E::from(error.into()))?;
            let to = from + batch.num_rows();
            each(
                self.split(
                    &batch,
                    &passes[from..to],
                    &state.edges[from * self.checks.len()..],
                    &state.accepted,
                )
                .map_err(E::from)?,
            )?;
            from = to;
        }
        Ok(())
    }

    /// Takes every row for sound and then away those whose target is missing, and those that pointed to them, and so on. Rows that point to
    /// each other stay, as SQL has it.
    fn judge(&self, state: &mut State) -> Vec<bool> {
        let width = self.checks.len().max(1);
        let edges = &state.edges;
        let rows = edges.len() / width;
        let mut passes = vec![true; rows];
        let mut held: Vec<Held> = (0..self.checks.len())
            .map(|check| Held::of(edges.iter().skip(check).step_by(width)))
            .collect();
        let lacks = |held: &[Held], row: usize| {
            let needs = edges[row * width..].iter().zip(held).zip(&state.accepted);
            needs
                .zip(&self.checks)
                .any(|((((_, needs), held), accepted), check)| {
                    check.severity == Severity::Reject
                        && needs.is_some_and(|key| !accepted.contains(&key) && !held.has(key))
                })
        };
        let mut fallen: Vec<usize> = (0..rows).filter(|row| lacks(&held, *row)).collect();
        fallen.iter().for_each(|row| passes[*row] = false);
        while let Some(row) = fallen.pop() {
            for (check, held) in held.iter_mut().enumerate() {
                let (own, _) = edges[row * width + check];
                let is_soft = self.checks[check].severity == Severity::Warn;
                if !held.drop_one(own) || is_soft || state.accepted[check].contains(&own) {
                    continue;
                }
                for &other in held.pointing_to(own) {
                    if std::mem::replace(&mut passes[other], false) {
                        fallen.push(other);
                    }
                }
            }
        }
        for row in (0..rows).filter(|row| passes[*row]) {
            for ((own, _), accepted) in edges[row * width..].iter().zip(&mut state.accepted) {
                accepted.insert(*own);
            }
        }
        passes
    }

    fn split(
        &self,
        batch: &RecordBatch,
        passes: &[bool],
        edges: &[(u64, Option<u64>)],
        accepted: &[KeySet],
    ) -> Result<Settled, NormaliseError> {
        let mut settled = Settled::default();
        let rows = batch_column(batch, system::ROW)?.as_primitive::<Int64Type>();
        let parts = batch_column(batch, system::PART)?.as_string_view();
        let has_soft = self
            .checks
            .iter()
            .any(|check| check.severity == Severity::Warn);
        for row in (0..passes.len()).filter(|row| has_soft || !passes[*row]) {
            let edges = &edges[row * self.checks.len()..];
            let mut record: Option<Arc<str>> = None;
            let mut reasons = Vec::new();
            for (check, ((_, needs), known)) in self.checks.iter().zip(edges.iter().zip(accepted)) {
                if needs.is_none_or(|key| known.contains(&key)) {
                    continue;
                }
                let column = check.fields.last().copied().unwrap_or_default();
                let record = record.get_or_insert_with(|| row_json(batch, row).into());
                reasons.push(Rejection {
                    row: rows.value(row),
                    field: Some(check.name.clone()),
                    rule: "foreignKey",
                    severity: check.severity,
                    value: text_of(batch.column(column), row),
                    message: no_such_row(&check.label),
                    record: Some(Arc::clone(record)),
                });
            }
            // Of a row's reasons those that reject it come first.
            reasons.sort_by_key(|reason| reason.severity == Severity::Warn);
            let part = parts.value(row);
            let told = reasons.into_iter().map(|reason| (part.to_owned(), reason));
            settled.rejected.extend(told);
        }
        let kept = filter_record_batch(batch, &BooleanArray::from(passes.to_vec()))?;
        if kept.num_rows() > 0 {
            settled.batches.push(kept);
        }
        Ok(settled)
    }
}

/// The keys that waiting rows have and need, for one check.
struct Held {
    /// How many rows that still pass have a key.
    rows: HashMap<u64, usize>,
    /// Needed keys and the rows that need them, sorted.
    needs: Vec<(u64, usize)>,
    /// The rows of `needs` alone.
    needing: Vec<usize>,
}

impl Held {
    fn of<'a>(edges: impl Iterator<Item = &'a (u64, Option<u64>)>) -> Self {
        let (mut rows, mut needs) = (HashMap::new(), Vec::new());
        for (row, (own, key)) in edges.enumerate() {
            *rows.entry(*own).or_default() += 1;
            needs.extend(key.map(|key| (key, row)));
        }
        needs.sort_unstable();
        let needing = needs.iter().map(|(_, row)| *row).collect();
        Self {
            rows,
            needs,
            needing,
        }
    }

    fn has(&self, key: u64) -> bool {
        self.rows.get(&key).is_some_and(|rows| *rows > 0)
    }

    /// One row of this key is gone; says whether it was the last.
    fn drop_one(&mut self, key: u64) -> bool {
        match self.rows.get_mut(&key) {
            Some(rows) => {
                *rows = rows.saturating_sub(1);
                *rows == 0
            }
            None => false,
        }
    }

    fn pointing_to(&self, key: u64) -> &[usize] {
        let from = self.needs.partition_point(|(needed, _)| *needed < key);
        let to = self.needs.partition_point(|(needed, _)| *needed <= key);
        &self.needing[from..to]
    }
}

/// The keys of one batch for one check.
struct Keys {
    own: Vec<u64>,
    /// What each row needs and is not known to be there.
    needs: Vec<Option<u64>>,
}

impl Check {
    fn keys(&self, batch: &RecordBatch) -> Result<Keys, NormaliseError> {
        let columns = |positions: &[usize]| {
            positions
                .iter()
                .map(|position| Arc::clone(batch.column(*position)))
                .collect::<Vec<ArrayRef>>()
        };
        let referring = columns(&self.fields);
        let own = key_hashes(&columns(&self.referenced))?;
        let needs = key_hashes(&referring)?
            .into_iter()
            .enumerate()
            .map(|(row, key)| {
                let refers = referring.iter().all(|column| column.is_valid(row));
                (refers && key != own[row] && !self.known.knows(key)).then_some(key)
            });
        Ok(Keys {
            needs: needs.collect(),
            own,
        })
    }
}

impl State {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), NormaliseError> {
        let batch = compacted(batch)?;
        let writer = match &mut self.file {
            Some(writer) => writer,
            None => {
                let file = tempfile::tempfile().map_err(spill_error)?;
                self.file.insert(StreamWriter::try_new(
                    BufWriter::new(file),
                    batch.schema_ref(),
                )?)
            }
        };
        Ok(writer.write(&batch)?)
    }

    fn read(&mut self) -> Result<Option<StreamReader<BufReader<File>>>, NormaliseError> {
        let Some(writer) = self.file.take() else {
            return Ok(None);
        };
        let mut buffered = writer.into_inner()?;
        buffered.flush().map_err(spill_error)?;
        let mut file = buffered
            .into_inner()
            .map_err(|error| spill_error(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(spill_error)?;
        Ok(Some(StreamReader::try_new(BufReader::new(file), None)?))
    }
}

/// A few rows of views would drag along the whole file's text.
fn compacted(batch: &RecordBatch) -> Result<RecordBatch, NormaliseError> {
    let columns = batch
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
            _ => Arc::clone(column),
        });
    let schema: SchemaRef = batch.schema();
    Ok(RecordBatch::try_new(schema, columns.collect())?)
}

fn batch_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, NormaliseError> {
    Ok(batch.column(batch.schema_ref().index_of(name)?))
}

fn position(contract: &Contract, field: &str) -> Result<usize, MappingError> {
    contract
        .fields
        .iter()
        .position(|known| known.name == field)
        .ok_or_else(|| MappingError::Contract {
            table: contract.name.clone(),
            field: field.to_owned(),
            message: "a key names it, but there is no such field".to_owned(),
        })
}

fn spill_error(source: std::io::Error) -> NormaliseError {
    NormaliseError::Spill {
        path: std::env::temp_dir().display().to_string(),
        source,
    }
}
