//! What a run looks at beside its work: the columns of its source, and in a trial the rows before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use sectorlake_contract::{Contract, Severity, TableName};
use sectorlake_formats::Part;
use sectorlake_lake::journal::RejectedRow;
use sectorlake_lake::{PipelineState, Run, SourceColumn};
use sectorlake_normalise::{MappingError, Normaliser, Profile};

use super::first_rows::{first_rows, source};
use super::job::Job;
use super::seen::Seen;
use crate::drift::{self, Drift, DriftKind};
use crate::file::OnDrift;
use crate::masks::{MASK, Masks};
use crate::pipeline::Pipeline;
use crate::plan::Feed;
use crate::result::{Failure, FailureKind};
use crate::trial::{Trial, TrialOptions, TrialPart, TrialSample, TrialTable};
use crate::values::shown;

/// Records of a new column that are looked at before it is loaded.
const NEW_ROWS: usize = 1000;
/// Records that a trial looks at, beside its load: it shows columns that nothing reads, too.
const TRIAL_ROWS: usize = 20_000;

/// See the module.
#[derive(Default)]
pub(super) struct Watch {
    before: Columns,
    pub(super) streams: BTreeMap<String, Seen>,
    /// Columns that became fields by themselves, with their streams.
    added: BTreeSet<(String, String)>,
    /// Whether the pipeline adds new columns by itself.
    on_add: bool,
    /// In a trial, the personal fields of each table.
    masks: BTreeMap<TableName, Masks>,
    trial: Option<(TrialOptions, Trial)>,
}

/// By stream, the columns that a source has.
pub(super) type Columns = BTreeMap<String, Vec<SourceColumn>>;

impl Watch {
    pub(super) fn new(
        before: &PipelineState,
        on_drift: OnDrift,
        trial: Option<TrialOptions>,
    ) -> Self {
        Self {
            before: before.columns.clone(),
            streams: BTreeMap::new(),
            added: BTreeSet::new(),
            on_add: on_drift == OnDrift::Add,
            masks: BTreeMap::new(),
            trial: trial.map(|options| (options, Trial::default())),
        }
    }

    /// In a trial: what there is to load, and what the contracts change of the tables that are there.
    pub(super) async fn begin(&mut self, run: &Run, job: &Job<'_>) -> Result<(), Failure> {
        let Some((_, trial)) = &mut self.trial else {
            return Ok(());
        };
        let parts = job.parts.by_unit.values().flatten();
        trial.parts = parts
            .map(|part| TrialPart {
                name: part.name.clone(),
                key: part.key.clone(),
                bytes: part.size,
                is_fetched: part.run == run.id(),
            })
            .collect();
        for plan in job.plans {
            let masks = Masks::of(&plan.contract);
            self.masks.insert(plan.contract.name.clone(), masks);
            let stored = run.table(&plan.contract.name).await?;
            let changes = stored.as_ref().map(|table| {
                sectorlake_contract::compare(&table.contract(), &plan.contract).changes
            });
            trial.tables.push(TrialTable {
                table: plan.contract.name.clone(),
                load: plan.load.word(),
                is_new: stored.is_none(),
                changes: changes.unwrap_or_default(),
                sources: Vec::new(),
                after: None,
                rejected: Vec::new(),
            });
        }
        Ok(())
    }

    /// What the trial saw.
    pub(super) fn trial(&mut self) -> Option<Box<Trial>> {
        let (_, mut trial) = self.trial.take()?;
        for table in &mut trial.tables {
            if let Some(masks) = self.masks.get(&table.table).filter(|it| !it.is_empty()) {
                table.mask(masks);
            }
        }
        Some(Box::new(trial))
    }

    /// Counts a broken rule of a trial.
    pub(super) fn reject(&mut self, row: &RejectedRow) {
        let Some((options, trial)) = &mut self.trial else {
            return;
        };
        let Some(table) = trial.table(&row.table) else {
            return;
        };
        let is_soft = row.severity == Severity::Warn.word();
        let rule = (row.field.as_deref(), row.rule.as_str(), is_soft);
        table.reject(rule, options.rows, || TrialSample {
            file: row.file.clone(),
            row: row.row,
            value: row.value.clone(),
            message: row.message.clone(),
        });
    }

    /// How many rows of each table are shown.
    pub(super) fn rows(&self) -> usize {
        self.trial.as_ref().map_or(0, |(options, _)| options.rows)
    }

    /// Looks at the columns of a piece by their names. Of a new one the first records are read, for it may stand for one that is
    /// gone; what stands in the others is seen as they are loaded. What cannot be read here is told by whoever loads it.
    pub(super) async fn look(&mut self, (contract, feed): (&Arc<Contract>, &Feed), part: &Part) {
        let stream = &feed.stream.name;
        let seen = self.streams.entry(stream.clone()).or_default();
        seen.feed(contract, feed);
        seen.names(part);
        if let Some(before) = self.before.get(stream).filter(|it| !it.is_empty()) {
            let is_known = |name: &str| before.iter().any(|column| column.name == name);
            let new = seen.unknown(part, is_known);
            let rows = first_rows(part, &new, NEW_ROWS).await;
            seen.sample(part, &new, &rows);
        }
        if self.wants_source(&contract.name, stream) {
            let shown = self.rows();
            let all: Vec<usize> = (0..part.schema().fields().len()).collect();
            let rows = first_rows(part, &all, TRIAL_ROWS.max(shown)).await;
            let source = source(feed, part, &rows, shown);
            let trial = self.trial.as_mut().map(|(_, trial)| trial);
            if let Some(table) = trial.and_then(|trial| trial.table(&contract.name)) {
                table.sources.push(source);
            }
        }
    }

    /// A piece is loaded next; its number among those of the stream.
    pub(super) fn file(&mut self, stream: &str, name: &str) -> u32 {
        let seen = self.streams.entry(stream.to_owned()).or_default();
        seen.file(name)
    }

    /// Takes in what a worker of a table saw in a piece.
    pub(super) fn loaded(&mut self, stream: &str, table: &TableName, file: u32, by: &Profile) {
        if let Some(seen) = self.streams.get_mut(stream) {
            seen.loaded(table, file, by);
        }
    }

    fn wants_source(&self, table: &TableName, stream: &str) -> bool {
        let Some((_, trial)) = self.trial.as_ref().filter(|(options, _)| options.rows > 0) else {
            return false;
        };
        let known = trial.tables.iter().find(|known| known.table == *table);
        known.is_some_and(|table| !table.sources.iter().any(|known| known.stream == stream))
    }

    /// Whether a trial tells of a column what it mixes.
    pub(super) fn shows_mixture(&self, stream: &str, column: &str) -> bool {
        let trial = self.trial.as_ref().map(|(_, trial)| trial);
        let tables = trial.into_iter().flat_map(|trial| &trial.tables);
        let mut sources = tables.flat_map(|table| &table.sources);
        sources.any(|source| {
            let mut mixed = source.columns.iter().filter(|it| it.mixture.is_some());
            source.stream == stream && mixed.any(|it| it.name == column)
        })
    }

    /// Notes which columns a mapping reads.
    pub(super) fn reads(
        &mut self,
        (contract, feed): (&Arc<Contract>, &Feed),
        part: &Part,
        by: &Normaliser,
    ) {
        let schema = part.schema();
        let names: Vec<&str> = by
            .projection()
            .into_iter()
            .map(|index| schema.field(index).name().as_str())
            .collect();
        if let Some(seen) = self.streams.get_mut(&feed.stream.name) {
            for column in &mut seen.columns {
                column.used |= names.contains(&column.name.as_str());
                let taken = by.taken().into_iter().enumerate();
                let of_column = taken.filter_map(|(field, taken)| {
                    let taken = taken.filter(|taken| taken.source == column.name)?;
                    Some((contract.name.clone(), field, taken))
                });
                let of_column: Vec<_> = of_column
                    .filter(|feeds| !column.feeds.contains(feeds))
                    .collect();
                column.feeds.extend(of_column);
            }
        }
        let trial = self.trial.as_mut().map(|(_, trial)| trial);
        let table = trial.and_then(|trial| trial.table(&contract.name));
        let source = table.and_then(|table| {
            let mut sources = table.sources.iter_mut();
            sources.find(|source| source.stream == feed.stream.name)
        });
        for column in source.into_iter().flat_map(|source| &mut source.columns) {
            column.used |= names.contains(&column.name.as_str());
            let taken = contract.fields.iter().zip(by.taken());
            let feeds = taken.filter(|(_, taken)| {
                let taken = taken.as_ref();
                taken.is_some_and(|taken| taken.source == column.name)
            });
            column.feeds = feeds.map(|(field, _)| field.name.clone()).collect();
        }
    }

    /// Keeps the first rows of a table as they would be loaded.
    pub(super) fn after(&mut self, table: &TableName, batches: Vec<RecordBatch>) {
        let rows = self.rows();
        let Some((_, trial)) = &mut self.trial else {
            return;
        };
        let Some(table) = trial.table(table) else {
            return;
        };
        for batch in batches {
            let known = table.after.as_ref().map_or(0, RecordBatch::num_rows);
            let batch = batch.slice(0, batch.num_rows().min(rows.saturating_sub(known)));
            table.after = match table.after.take() {
                Some(after) if batch.num_rows() > 0 => {
                    let whole = concat_batches(&after.schema(), [&after, &batch]);
                    Some(whole.unwrap_or(after))
                }
                Some(after) => Some(after),
                None => Some(batch),
            };
        }
    }

    /// The columns of a stream that are new, but for those that took another's place.
    pub(super) fn fresh(&self, stream: &str) -> Vec<String> {
        let changes = self.changes(stream).into_iter();
        changes
            .filter_map(|change| match change {
                drift::Change::New(column) => Some(column.name),
                _ => None,
            })
            .collect()
    }

    /// Notes that a column becomes a field.
    pub(super) fn adds(&mut self, stream: &str, column: &str) {
        self.added.insert((stream.to_owned(), column.to_owned()));
    }

    fn changes(&self, stream: &str) -> Vec<drift::Change> {
        let (Some(before), Some(seen)) = (self.before.get(stream), self.streams.get(stream)) else {
            return Vec::new();
        };
        let now = seen.now();
        // An answer without any record names no column: it says nothing of them.
        if now.is_empty() {
            return Vec::new();
        }
        let (melts, reads) = (|name: &str| seen.melts(name), |name: &str| seen.reads(name));
        drift::changes(before, &now, melts, reads)
    }

    /// A stream of which no column is known any more: most likely it is another file, or an answer that is no data.
    fn other_file(&self, stream: &str, seen: &Seen) -> Option<Drift> {
        let before = self.before.get(stream).filter(|before| before.len() > 1)?;
        let now = seen.now();
        let any = before
            .iter()
            .any(|old| now.iter().any(|column| column.name == old.name));
        let renames = self.changes(stream).into_iter();
        let renamed = renames.filter(|change| matches!(change, drift::Change::Renamed { .. }));
        if any || now.is_empty() || seen.melts(&now[0].name) || renamed.count() * 2 > before.len() {
            return None;
        }
        let fed = seen.feeds.first()?;
        // A file without a header begins with a row of values.
        let first = match seen.masks() {
            Some(_) => MASK.to_owned(),
            None => format!("{:?}", shown(&now[0].name)),
        };
        Some(Drift {
            table: fed.contract.name.clone(),
            stream: stream.to_owned(),
            kind: DriftKind::Missing,
            column: before[0].name.clone(),
            before: Some(before[0].name.clone()),
            now: None,
            used: true,
            message: format!(
                "none of the {} columns that {stream} had is there any more; its first column is now {first}",
                before.len()
            ),
            proposal: "look at what was fetched: it may be another file, a page that tells of an error, or of another format".to_owned(),
        })
    }

    /// What has changed since the pipeline last published.
    pub(super) fn drifts(&self) -> Vec<Drift> {
        let mut drifts = Vec::new();
        for (stream, seen) in &self.streams {
            if let Some(other) = self.other_file(stream, seen) {
                drifts.push(other);
                continue;
            }
            for change in self.changes(stream) {
                let adds = match &change {
                    drift::Change::New(column) => {
                        let key = (stream.clone(), column.name.clone());
                        self.added.contains(&key)
                    }
                    _ => false,
                };
                let told = seen.tell(stream, &change, (self.on_add, adds));
                drifts.extend(told.map(|drift| placed(drift, &change, seen)));
            }
        }
        drifts
    }

    /// The columns of all streams, for the pipeline's state; of those that nothing was read of, as they were known.
    pub(super) fn columns(&self) -> Columns {
        let mut columns = self.before.clone();
        for (stream, seen) in &self.streams {
            let before = columns.get(stream).map(Vec::as_slice).unwrap_or_default();
            let now = drift::remembered(&seen.now(), before);
            if !now.is_empty() {
                columns.insert(stream.clone(), now);
            }
        }
        columns
    }

    /// The drift behind a mapping that does not fit its source any more: a column that it names was renamed.
    pub(super) fn behind(&self, feed: &Feed, error: &MappingError) -> Option<Drift> {
        let missed = match error {
            MappingError::NoColumn { message, .. } => message.clone(),
            MappingError::MissingField { field, .. } => format!("`{field}`"),
            _ => return None,
        };
        let names = |drift: &Drift| {
            let quoted = [
                format!("`{}`", drift.column),
                format!("\"{}\"", drift.column),
            ];
            quoted.iter().any(|name| missed.contains(name.as_str()))
        };
        let stream = &feed.stream.name;
        let other = self.streams.get(stream);
        if let Some(other) = other.and_then(|seen| self.other_file(stream, seen)) {
            return Some(other);
        }
        let drifts = self.drifts().into_iter();
        let mut of_stream = drifts.filter(|drift| drift.stream == feed.stream.name);
        of_stream.find(|drift| drift.before.is_some() && names(drift))
    }
}

/// A changed type, with where the first value stands that is of another.
fn placed(mut drift: Drift, change: &drift::Change, seen: &Seen) -> Drift {
    if let drift::Change::Type { column, before } = change
        && let Some(place) = seen.first_beside(&column.name, *before)
    {
        drift.message.push_str(&format!(", first in {place}"));
    }
    drift
}

/// A run that fails because its source has changed.
pub(super) fn drifted(pipeline: &Pipeline, first: &Drift, others: usize) -> Failure {
    let more = match others {
        0 => String::new(),
        1 => " (and one more change)".to_owned(),
        many => format!(" (and {many} more changes)"),
    };
    let place = pipeline.problem_at_value(
        &["on_drift"],
        format!("the source has changed: {first}{more}; on_drift: fail publishes nothing"),
    );
    let proposal = first.proposal.lines().next().unwrap_or_default();
    let help = format!("{}; or set on_drift: warn", proposal.trim_end_matches(':'));
    Failure {
        kind: FailureKind::Data,
        ..Failure::from(place.help(help))
    }
}
