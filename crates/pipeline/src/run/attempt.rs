//! One run of one pipeline: fetch, stage table after table, judge, publish.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use sectorlake_connector::{Connector, Io, Reads};
use sectorlake_formats::ReadOptions;
use sectorlake_lake::{Access, LakeError, Load, PipelineState, RawZone, Run, StageOptions};
use sectorlake_normalise::mapping_session_with;

use super::RunContext;
use super::added;
use super::aside::Aside;
use super::corrections::{Gathered, Gathering, account, published, taken_before};
use super::failure::{internal, of_problems, of_source};
use super::fetch::{Fetcher, Known, Parts};
use super::freshness::{Freshness, Loads};
use super::job::Job;
use super::journal::{self, Recorder};
use super::judge::{judge, only_the_place, told};
use super::keys::{Around, KnownTables};
use super::load::Loader;
use super::order::in_key_order;
use super::place::{evolves, placed};
use super::place_lookup;
use super::watch::{Columns, Watch, drifted};
use crate::event::{Event, Progress};
use crate::file::OnDrift;
use crate::pipeline::Pipeline;
use crate::plan::{TablePlan, plan};
use crate::result::{Failure, Outcome, RunResult};

/// Rows that are decoded, mapped and checked at once: enough to drown what each step costs, few enough for the caches.
const BATCH_ROWS: usize = 16 << 10;

/// What is told of parts that are at hand. Of a source that is polled it is nothing to tell.
pub(crate) const TAKEN_UP: &str =
    "that a run before had fetched, but not loaded, did not have to be fetched again";

/// A pipeline, ready to run.
pub(super) struct Attempt<'a> {
    pub(super) context: &'a RunContext,
    pub(super) pipeline: &'a Pipeline,
    pub(super) connector: Arc<dyn Connector>,
    /// The parts at hand from which on the source is asked again.
    pub(super) again: Option<HashSet<String>>,
    /// What is at hand and does not load.
    pub(super) aside: Aside,
}

/// How a run ended, as to whether to make it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// As its result says.
    Done,
    /// Another pipeline changed a table meanwhile, so that what was staged no longer fits: nothing is published, and the
    /// next run takes up what was fetched.
    Overtaken,
    /// It failed over data that runs before it had fetched, these parts, and that the source may have otherwise by now.
    Stuck(HashSet<String>),
}

/// What the work came to.
enum Work {
    Publish(Box<PipelineState>),
    Unchanged,
}

impl Attempt<'_> {
    /// Works, and ends the run in the one way or the other.
    pub(super) async fn finish(
        &self,
        run: Run,
        progress: &dyn Progress,
        result: &mut RunResult,
    ) -> Ended {
        let mut ended = Ended::Done;
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
                match run.publish(*state).await {
                    Ok(published) => Outcome::Published {
                        snapshot: published.snapshot,
                    },
                    Err(error) => {
                        if let LakeError::Conflict { .. } = &error {
                            ended = Ended::Overtaken;
                        }
                        Outcome::Failed(error.into())
                    }
                }
            }
            Ok(Work::Unchanged) => match run.finish_unchanged().await {
                Ok(()) => Outcome::Unchanged,
                Err(error) => Outcome::Failed(error.into()),
            },
            Err(failure) => {
                if let Some(from) = self.aside.from(&failure) {
                    ended = Ended::Stuck(from);
                }
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
        ended
    }

    /// What a failed run fetched is the next one's: its manifests must be there before the lease is given up.
    pub(super) async fn keep_fetched(&self) {
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
        let known = Known::of(&self.swept(run).await.manifests().await?);
        let io = Io::new(self.context.http.clone(), self.context.env.clock.now());
        let io = known.within(io, None);
        let state = run.state().cloned().unwrap_or_default();
        let plans = self.planned(run, &io, &state).await?;
        let evolves = evolves(run, &plans, &mut result.notes).await?;
        let access = access(&plans);
        let raw = self.context.lake.raw_behind(&self.pipeline.name, access);
        let gathering = Gathering {
            lake: &self.context.lake,
            pipeline: &self.pipeline.name,
            plans: &plans,
            raw: &raw,
            read: read_options(self.context),
        };
        let gathered = gathering.in_force(&state).await?;
        if let Some(note) = self.taken_before(&state, &gathered).await? {
            result.notes.push(note);
            return Ok(Work::Unchanged);
        }
        let gathered = self.with_fix(&gathering, gathered, run, &state).await?;
        let fetcher = self.fetcher((run, &plans), (io, known), raw.clone(), progress);
        let job = self.job(fetcher, &gathering, gathered, result).await?;
        let is_unchanged = job.is_unchanged() && !evolves;
        let freshness = Freshness {
            context: self.context,
            pipeline: self.pipeline,
            access,
        };
        // A trial shows what is there all the same.
        if is_unchanged && self.context.trial.is_none() {
            freshness.of_unchanged(run, &plans, &state, result).await?;
            return Ok(Work::Unchanged);
        }
        // Of runs side by side one loads at a time: each may hold all the memory there is.
        let _loads = self.context.loads.acquire().await;
        let state = self
            .loaded(run, &raw, job, &freshness, (progress, result))
            .await?;
        if let Some(failure) = self.aside.failure().filter(|_| self.again.is_none()) {
            return Err(failure);
        }
        result.notes.extend(self.aside.note());
        result.notes.extend(only_the_place(run, evolves, result));
        match is_unchanged {
            true => Ok(Work::Unchanged),
            false => Ok(Work::Publish(Box::new(state))),
        }
    }

    /// Fetches, and finds what there is to do.
    async fn job<'p>(
        &self,
        fetcher: Fetcher<'_>,
        gathering: &Gathering<'p>,
        gathered: Gathered,
        result: &mut RunResult,
    ) -> Result<Job<'p>, Failure> {
        let (run, plans) = (fetcher.run, gathering.plans);
        let state = run.state().cloned().unwrap_or_default();
        let parts = match self.context.fix {
            Some(_) if !gathered.mends_failed() => Ok(published(&gathered.manifests, &state)?),
            _ => fetcher.fetch(&units(plans)).await,
        };
        result.notes.extend(fetcher.io.take_notes());
        let mut parts = parts?;
        self.aside.begin(&mut parts, plans);
        let gathered = gathering.carried(gathered, &parts).await?;
        self.tell(&parts, fetcher.progress, result);
        let looked_up = place_lookup::versions(run, plans).await?;
        let job = Job::new(run, plans, (parts, gathered), looked_up);
        job.check_deletions(self.pipeline)?;
        result.notes.extend(job.doubles());
        Ok(job)
    }

    pub(super) fn fetcher<'f>(
        &'f self,
        (run, plans): (&'f Run, &[TablePlan]),
        (io, known): (Io, Arc<Known>),
        raw: RawZone,
        progress: &'f dyn Progress,
    ) -> Fetcher<'f> {
        Fetcher {
            pipeline: self.pipeline,
            connector: self.connector.as_ref(),
            again: self.again.as_ref(),
            repeatable: repeatable(plans),
            io,
            known,
            raw,
            run,
            progress,
            bytes: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }

    /// The tables to fill, in the order of their keys.
    pub(super) async fn planned(
        &self,
        run: &Run,
        io: &Io,
        state: &PipelineState,
    ) -> Result<Vec<TablePlan>, Failure> {
        let streams = self.connector.streams(io).await;
        let streams = streams.map_err(|error| of_source(self.pipeline, &error))?;
        let plans = plan(self.pipeline, self.context.project.contracts(), &streams);
        let plans = plans.map_err(of_problems)?;
        let plans = placed(run, in_key_order(plans)).await?;
        Ok(added::remembered(plans, state))
    }

    /// What was fetched.
    fn tell(&self, parts: &Parts, progress: &dyn Progress, result: &mut RunResult) {
        result.fetched = parts.fetched;
        result.notes.extend(parts.notes.iter().cloned());
        if parts.taken_up > 0 {
            let noun = if parts.taken_up == 1 { "part" } else { "parts" };
            result
                .notes
                .push(format!("{} {noun} {TAKEN_UP}", parts.taken_up));
        }
        progress.event(
            &self.pipeline.name,
            &Event::Fetched {
                parts: parts.fetched.parts + parts.fetched.unchanged,
                bytes: parts.fetched.bytes,
            },
        );
    }

    /// Does the work, with columns that drift adds; where the pipeline stands once it is published.
    async fn loaded(
        &self,
        run: &Run,
        raw: &RawZone,
        job: Job<'_>,
        freshness: &Freshness<'_>,
        (progress, result): (&dyn Progress, &mut RunResult),
    ) -> Result<PipelineState, Failure> {
        let on_drift = self.pipeline.file.on_drift;
        let mut watch = Watch::new(&job.before, on_drift, self.context.trial);
        let extended = match on_drift {
            OnDrift::Add => {
                added::extended(raw, &read_options(self.context), &job, &mut watch).await?
            }
            OnDrift::Warn | OnDrift::Fail => None,
        };
        let job = match &extended {
            Some(plans) => job.under(plans),
            None => job,
        };
        watch.begin(run, &job).await?;
        let (columns, loads) = self.load(run, (raw, watch), &job, progress, result).await?;
        let past = freshness.of_loaded(run, &job, loads, result).await?;
        Ok(job.state((columns, past), &self.aside.hashes()))
    }

    /// What is told where the file that came with this run is in force already.
    async fn taken_before(
        &self,
        state: &PipelineState,
        gathered: &Gathered,
    ) -> Result<Option<String>, Failure> {
        match &self.context.fix {
            Some(request) => taken_before(request, state, &gathered.manifests).await,
            None => Ok(None),
        }
    }

    /// The corrections in force, with the file that came with this run.
    async fn with_fix(
        &self,
        gathering: &Gathering<'_>,
        gathered: Gathered,
        run: &Run,
        state: &PipelineState,
    ) -> Result<Gathered, Failure> {
        let Some(request) = &self.context.fix else {
            return Ok(gathered);
        };
        let now = self.context.env.clock.now();
        gathering.with(gathered, (state, request), run, now).await
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
        (raw, watch): (&RawZone, Watch),
        job: &Job<'_>,
        progress: &dyn Progress,
        result: &mut RunResult,
    ) -> Result<(Columns, Loads), Failure> {
        let mut recorder = Recorder::new(
            &self.context.lake,
            run,
            &self.pipeline.name,
            (access(job.plans), watch),
        );
        let new = job.gathered.new.as_deref();
        let files = job.gathered.corrections.files.iter();
        for file in files.filter(|file| new == Some(&file.manifest.hash)) {
            let sheets = file.sheets.iter();
            sheets.for_each(|sheet| recorder.watch_fix(&sheet.id));
        }
        let contracts = job.plans.iter().map(|plan| &plan.contract);
        contracts.for_each(|contract| recorder.masked(contract));
        let loaded = self
            .load_tables(run, raw, job, progress, result, &mut recorder)
            .await;
        let on_drift = self.pipeline.file.on_drift;
        result.drift = recorder.watch.drifts();
        let notes = recorder.watch.mixtures(&result.drift, |table, field| {
            recorder.rules(table).of(&format!("{field}.type"))
        });
        result.notes.extend(notes);
        result.trial = recorder.watch.trial();
        let columns = recorder.watch.columns();
        let kept = recorder.drift(&result.drift, on_drift).await;
        if loaded.is_ok() {
            let notes = account(&job.gathered, &mut recorder);
            result.notes.extend(notes);
        }
        let closed = recorder.close().await;
        let loads = loaded.and_then(|loads| kept.map(|()| loads));
        let loads = loads.and_then(|loads| closed.map(|()| loads))?;
        match result.drift.as_slice() {
            [first, others @ ..] if on_drift == OnDrift::Fail => {
                Err(drifted(self.pipeline, first, others.len()))
            }
            _ => Ok((columns, loads)),
        }
    }

    async fn load_tables(
        &self,
        run: &Run,
        raw: &RawZone,
        job: &Job<'_>,
        progress: &dyn Progress,
        result: &mut RunResult,
        recorder: &mut Recorder,
    ) -> Result<Loads, Failure> {
        let places = place_lookup::of_mappings(&self.context.lake, job.plans).await?;
        let session =
            mapping_session_with(places).map_err(|error| internal(error.strip_backtrace()))?;
        let read = read_options(self.context);
        let loader = Loader {
            pipeline: self.pipeline,
            run,
            raw,
            session,
            started_at: self.context.env.clock.now(),
            read,
            progress,
            aside: &self.aside,
        };
        let mut known = KnownTables::default();
        let mut loads = Loads::new();
        for (index, table) in job.plans.iter().enumerate() {
            let parts = job.parts_of(table);
            let yet_to_come = job.plans[index + 1..]
                .iter()
                .map(|plan| plan.table.clone())
                .collect();
            let around = Around {
                run,
                contracts: self.context.project.contracts(),
                yet_to_come,
            };
            let mut checks = known.checks(&around, table).await?;
            checks.refused = job.refused(table);
            let notes = std::mem::take(&mut known.notes);
            let fixes = job.fixes_of(table);
            let options = StageOptions {
                slice: table.slice.clone(),
                mapped_again: job.mapped_again(table, &parts),
                ..stage_options(self.context)
            };
            let loading = loader.load(table, (parts, options), checks, &fixes, recorder);
            let Some(loaded) = loading.await? else {
                continue;
            };
            result.notes.extend(notes);
            loads.push((table.contract.name.clone(), told(table, &loaded, result)));
            let rules = recorder.rules(&table.contract.name);
            // A correction of what only grows is judged by nobody: its rows were rejected, and the others published, before.
            let is_judged = self.context.fix.is_none() || job.gathered.mends_failed();
            if is_judged || table.load == Load::Replace {
                judge(self.pipeline, table, &loaded, &rules)?;
            }
        }
        Ok(loads)
    }
}

/// How tables are staged.
fn stage_options(context: &RunContext) -> StageOptions {
    let memory = context.memory_bytes_max;
    StageOptions {
        buffer_bytes_max: (memory / 4) as usize,
        settle_bytes_max: (memory / 8) as usize,
        workers: context.partitions,
        ..StageOptions::default()
    }
}

/// How parts are read.
fn read_options(context: &RunContext) -> ReadOptions {
    ReadOptions {
        batch_rows: BATCH_ROWS,
        partitions: context.partitions,
        memory_bytes_max: context.memory_bytes_max / 8,
        ..ReadOptions::default()
    }
}

/// What feeds a table with personal fields lies behind the door of such tables, raw parts and journal too.
pub(super) fn access(plans: &[TablePlan]) -> Access {
    let doors = plans.iter().map(|plan| Access::of(&plan.contract));
    doors.max().unwrap_or(Access::Open)
}

/// The units that any table reads, each once.
pub(super) fn units(plans: &[TablePlan]) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    for feed in plans.iter().flat_map(|plan| &plan.feeds) {
        if !units.contains(&feed.stream.unit) {
            units.push(feed.stream.unit.clone());
        }
    }
    units
}

/// The units that can be asked again for what came after a cursor.
fn repeatable(plans: &[TablePlan]) -> HashSet<String> {
    let streams = || {
        let feeds = plans.iter().flat_map(|plan| &plan.feeds);
        feeds.map(|feed| &feed.stream)
    };
    let gives_again = |reads: Reads| matches!(reads, Reads::On | Reads::Overlapping);
    let (again, never): (Vec<_>, Vec<_>) = streams().partition(|it| gives_again(it.reads));
    let mut units: HashSet<String> = again.into_iter().map(|it| it.unit.clone()).collect();
    for stream in never {
        units.remove(&stream.unit);
    }
    units
}
