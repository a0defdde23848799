//! One run of one pipeline: fetch, stage table after table, judge, publish.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sectorlake_connector::{Connector, Io};
use sectorlake_contract::TableName;
use sectorlake_formats::ReadOptions;
use sectorlake_lake::{Access, Load, Manifest, PipelineState, RawZone, Run, StageOptions};
use sectorlake_normalise::mapping_session;

use super::RunContext;
use super::failure::{internal, of_source};
use super::fetch::{Fetcher, Parts, validators};
use super::fingerprint::fingerprint;
use super::journal::{self, Recorder};
use super::keys::{Around, KnownTables};
use super::load::{Loaded, Loader};
use super::order::in_key_order;
use crate::event::{Event, Progress};
use crate::file::OnShrink;
use crate::pipeline::Pipeline;
use crate::plan::{Feed, TablePlan, plan};
use crate::result::{Failure, FailureKind, Outcome, RunResult};

/// Rows that are decoded, mapped and checked at once: enough to drown what each step costs, few enough for the caches.
const BATCH_ROWS: usize = 16 << 10;

/// A pipeline, ready to run.
pub(super) struct Attempt<'a> {
    pub(super) context: &'a RunContext,
    pub(super) pipeline: &'a Pipeline,
    pub(super) connector: Arc<dyn Connector>,
}

/// What the work came to.
enum Work {
    Publish(PipelineState),
    Unchanged,
}

impl Attempt<'_> {
    /// Works, and ends the run in the one way or the other.
    pub(super) async fn finish(&self, run: Run, progress: &dyn Progress, result: &mut RunResult) {
        let started = journal::started(
            &self.context.lake,
            &self.context.env,
            &run,
            &self.pipeline.name,
        )
        .await;
        let (started, worked) = match started {
            Ok(started) => (Some(started), self.work(&run, progress, result).await),
            Err(failure) => (None, Err(failure)),
        };
        result.outcome = match worked {
            Ok(Work::Publish(state)) => {
                progress.event(&self.pipeline.name, &Event::Publishing);
                match run.publish(state).await {
                    Ok(published) => Outcome::Published {
                        snapshot: published.snapshot,
                    },
                    Err(error) => Outcome::Failed(error.into()),
                }
            }
            Ok(Work::Unchanged) => match run.finish_unchanged().await {
                Ok(()) => Outcome::Unchanged,
                Err(error) => Outcome::Failed(error.into()),
            },
            Err(failure) => {
                self.keep_fetched().await;
                if let Err(error) = run.abandon().await {
                    tracing::warn!(pipeline = self.pipeline.name, %error, "what the run wrote is left for the next one to clear away");
                }
                Outcome::Failed(failure)
            }
        };
        if let Some(started) = started {
            journal::finished(&self.context.lake, &self.context.env, started, result).await;
        }
    }

    /// What a failed run fetched is the next one's: its manifests must be there before the lease is given up.
    async fn keep_fetched(&self) {
        let raw = self.context.lake.raw(&self.pipeline.name);
        if let Err(error) = raw.flush().await {
            tracing::warn!(pipeline = self.pipeline.name, %error, "what was fetched may have to be fetched again");
        }
    }

    async fn work(
        &self,
        run: &Run,
        progress: &dyn Progress,
        result: &mut RunResult,
    ) -> Result<Work, Failure> {
        if !self.pipeline.file.checks.is_empty() {
            result.notes.push("`checks:` are not run yet".to_owned());
        }
        let known = validators(&self.swept(run).await.manifests().await?);
        let io = Io::new(self.context.http.clone(), self.context.env.clock.now())
            .with_validators(move |key| known.get(key).cloned());
        let streams = self
            .connector
            .streams(&io)
            .await
            .map_err(|error| of_source(self.pipeline, &error))?;
        let plans = plan(self.pipeline, self.context.project.contracts(), &streams).map_err(
            |problems| {
                problems
                    .into_iter()
                    .next()
                    .map_or_else(|| internal("no plan and no reason"), Failure::from)
            },
        )?;
        let plans = in_key_order(plans);
        let access = access(&plans);
        let raw = self.context.lake.raw_behind(&self.pipeline.name, access);
        let fetcher = Fetcher {
            pipeline: self.pipeline,
            connector: self.connector.as_ref(),
            io,
            raw: raw.clone(),
            run,
            progress,
            bytes: AtomicU64::new(0),
            total: AtomicU64::new(0),
        };
        let parts = fetcher.fetch(&units(&plans)).await?;
        result.fetched = parts.fetched;
        if parts.taken_up > 0 {
            let (count, parts) = (
                parts.taken_up,
                if parts.taken_up == 1 { "part" } else { "parts" },
            );
            result.notes.push(format!("{count} {parts} that a run before had fetched, but not loaded, were not fetched again"));
        }
        progress.event(
            &self.pipeline.name,
            &Event::Fetched {
                parts: parts.fetched.parts + parts.fetched.unchanged,
                bytes: parts.fetched.bytes,
            },
        );
        let job = Job::new(run, &plans, parts);
        result.notes.extend(job.doubles());
        if job.is_unchanged() {
            return Ok(Work::Unchanged);
        }
        self.load(run, &raw, &job, progress, result).await?;
        Ok(Work::Publish(job.state()))
    }

    /// The pipeline's raw zone, cleared of what killed runs left half-written.
    async fn swept(&self, run: &Run) -> RawZone {
        let raw = self.context.lake.raw(&self.pipeline.name);
        if let Err(error) = raw.remove_leftovers(run.id()).await {
            tracing::warn!(pipeline = self.pipeline.name, %error, "leftovers of killed runs could not be cleared away");
        }
        raw
    }

    async fn load(
        &self,
        run: &Run,
        raw: &RawZone,
        job: &Job<'_>,
        progress: &dyn Progress,
        result: &mut RunResult,
    ) -> Result<(), Failure> {
        let mut recorder = Recorder::new(
            &self.context.lake,
            run,
            &self.pipeline.name,
            access(job.plans),
        );
        let loaded = self
            .load_tables(run, raw, job, progress, result, &mut recorder)
            .await;
        let closed = recorder.close().await;
        loaded.and(closed)
    }

    async fn load_tables(
        &self,
        run: &Run,
        raw: &RawZone,
        job: &Job<'_>,
        progress: &dyn Progress,
        result: &mut RunResult,
        recorder: &mut Recorder,
    ) -> Result<(), Failure> {
        let session = mapping_session().map_err(|error| internal(error.strip_backtrace()))?;
        let memory = self.context.memory_bytes_max;
        let read = ReadOptions {
            batch_rows: BATCH_ROWS,
            partitions: self.context.partitions,
            memory_bytes_max: memory / 8,
            ..ReadOptions::default()
        };
        let stage = StageOptions {
            buffer_bytes_max: (memory / 4) as usize,
            settle_bytes_max: (memory / 8) as usize,
            ..StageOptions::default()
        };
        let loader = Loader {
            pipeline: self.pipeline,
            run,
            raw,
            session,
            read,
            stage,
            progress,
        };
        let mut known = KnownTables::default();
        for (index, table) in job.plans.iter().enumerate() {
            let parts = job.parts_of(table);
            let yet_to_come = job.plans[index + 1..]
                .iter()
                .map(|plan| plan.contract.name.clone())
                .collect();
            let around = Around {
                run,
                contracts: self.context.project.contracts(),
                yet_to_come,
            };
            let checks = known.checks(&around, table).await;
            result.notes.append(&mut known.notes);
            let Some(loaded) = loader.load(table, parts, checks?, recorder).await? else {
                continue;
            };
            result.parts.extend(loaded.parts.iter().cloned());
            result.tables.push(loaded.table.clone());
            self.judge(table, &loaded)?;
        }
        Ok(())
    }

    /// Whether too much was rejected, or too much would go.
    fn judge(&self, plan: &TablePlan, loaded: &Loaded) -> Result<(), Failure> {
        let table = &loaded.table;
        let (refused, all) = (table.rejected + table.broken, table.mapped + table.broken);
        if let Some(bound) = self
            .pipeline
            .file
            .on_reject
            .unwrap_or_default()
            .broken(refused, all)
        {
            let message = format!(
                "{}: {refused} of {all} rows were rejected, more than on_reject allows ({bound})",
                table.table
            );
            let help = format!(
                "`sectorlake rejected {}` tells why; nothing was published",
                self.pipeline.name
            );
            return Err(Failure::new(FailureKind::Data, message).help(help));
        }
        let stay = table.loaded + table.unchanged;
        let before = if plan.slice.is_some() {
            table.removed + table.unchanged
        } else {
            loaded.staged.previous_rows
        };
        if plan.load == Load::Replace
            && plan.on_shrink == OnShrink::Refuse
            && stay.saturating_mul(2) < before
        {
            let message = format!("{}: {stay} rows would replace {before}", table.table);
            let help = format!(
                "if the source has really shrunk, set on_shrink: allow in {}; nothing was published",
                self.pipeline.path.display()
            );
            return Err(Failure::new(FailureKind::Data, message).help(help));
        }
        Ok(())
    }
}

/// What feeds a table with personal fields lies behind the door of such tables, raw parts and journal too.
fn access(plans: &[TablePlan]) -> Access {
    let doors = plans.iter().map(|plan| Access::of(&plan.contract));
    doors.max().unwrap_or(Access::Open)
}

/// The units that any table reads, each once.
fn units(plans: &[TablePlan]) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    for feed in plans.iter().flat_map(|plan| &plan.feeds) {
        if !units.contains(&feed.stream.unit) {
            units.push(feed.stream.unit.clone());
        }
    }
    units
}

/// What there is to do, beside what was done before.
struct Job<'a> {
    plans: &'a [TablePlan],
    parts: Parts,
    fingerprint: String,
    before: PipelineState,
}

impl<'a> Job<'a> {
    fn new(run: &Run, plans: &'a [TablePlan], parts: Parts) -> Self {
        Self {
            plans,
            parts,
            fingerprint: fingerprint(plans),
            before: run.state().cloned().unwrap_or_default(),
        }
    }

    /// The same parts under the same rules give the same rows; a table that only grows has nothing to add.
    fn is_unchanged(&self) -> bool {
        let same =
            self.fingerprint == self.before.fingerprint && self.parts.hashes() == self.before.parts;
        let grows = self.plans.iter().all(|plan| plan.load == Load::Append);
        same || (grows
            && !self.before.fingerprint.is_empty()
            && self.plans.iter().all(|plan| self.parts_of(plan).is_empty()))
    }

    /// The parts that a table is loaded from.
    fn parts_of<'p>(&self, plan: &'p TablePlan) -> Vec<(&'p Feed, Manifest)> {
        let name = &plan.contract.name;
        let done: HashSet<&String> = match plan.load {
            Load::Replace => HashSet::new(),
            Load::Append => self
                .before
                .appended
                .get(name)
                .into_iter()
                .flatten()
                .collect(),
            // Under other rules, rows that were merged before may come out otherwise.
            Load::Merge if self.fingerprint == self.before.fingerprint => {
                self.before.parts.iter().collect()
            }
            Load::Merge => HashSet::new(),
        };
        let of_feed = |feed: &'p Feed| {
            let parts = self
                .parts
                .by_unit
                .get(&feed.stream.unit)
                .into_iter()
                .flatten();
            let mut seen = HashSet::new();
            parts
                .filter(|part| !done.contains(&part.hash))
                // What is appended is told apart by its bytes alone, in this run as over all runs.
                .filter(|part| plan.load != Load::Append || seen.insert(&part.hash))
                .map(|part| (feed, part.clone()))
                .collect::<Vec<_>>()
        };
        plan.feeds.iter().flat_map(of_feed).collect()
    }

    /// Parts that are left out of what is appended, since another has the same bytes.
    fn doubles(&self) -> impl Iterator<Item = String> {
        let appends = self.plans.iter().any(|plan| plan.load == Load::Append);
        let mut first: HashMap<&str, &str> = HashMap::new();
        let mut doubles = Vec::new();
        for part in self.parts.by_unit.values().flatten().filter(|_| appends) {
            let known = *first.entry(&part.hash).or_insert(&part.key);
            if known != part.key {
                doubles.push(format!(
                    "{} has the same content as {known}: `load: append` takes it once",
                    part.key
                ));
            }
        }
        doubles.into_iter()
    }

    /// Where the pipeline stands once this is published.
    fn state(&self) -> PipelineState {
        let mut appended: BTreeMap<TableName, Vec<String>> = self.before.appended.clone();
        for plan in self.plans.iter().filter(|plan| plan.load == Load::Append) {
            let new = self.parts_of(plan).into_iter().map(|(_, part)| part.hash);
            appended
                .entry(plan.contract.name.clone())
                .or_default()
                .extend(new);
        }
        PipelineState {
            cursor: self.parts.cursor.clone(),
            parts: self.parts.hashes(),
            appended,
            fingerprint: self.fingerprint.clone(),
        }
    }
}
