//! Running pipelines: each its own run and its own snapshot; one that fails harms no other.

mod added;
mod aside;
mod at_rest;
mod attempt;
mod corrections;
mod failure;
mod fetch;
mod fingerprint;
mod first_rows;
mod fix;
mod freshness;
mod job;
mod journal;
mod judge;
mod keys;
mod load;
mod mixed;
mod order;
mod piece;
mod place;
pub(crate) mod place_lookup;
mod poll;
mod profile;
mod seen;
mod slices;
mod unmerged;
mod watch;
mod work;

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use sectorlake_connector::{Environment, Http, Registry};
use sectorlake_lake::{Env, Lake};
use tokio::sync::Semaphore;

use aside::Aside;
use at_rest::AtRest;
use attempt::Ended;
pub(crate) use attempt::TAKEN_UP;
pub(crate) use corrections::{Gathered, Gathering};
pub(crate) use failure::{internal, of_problems, of_source};
pub(crate) use first_rows::mixture;
pub(crate) use poll::{Polled, poll};

use crate::event::{Event, Progress};
use crate::fixes::FixRequest;
use crate::project::Project;
use crate::result::{Failure, FetchResult, Outcome, RunResult};
use crate::trial::TrialOptions;

/// How often a run is made again because another pipeline changed a table of both meanwhile.
const OVERTAKEN_MAX: usize = 4;

/// What runs are handed from outside.
#[derive(Clone)]
pub struct RunContext {
    /// The project.
    pub project: Project,
    /// The connectors.
    pub registry: Registry,
    /// The lake.
    pub lake: Lake,
    /// The clock and this host: the lake's own.
    pub env: Env,
    /// The polite client.
    pub http: Http,
    /// Environment variables, for secrets.
    pub environment: Environment,
    /// Bytes that one run may hold.
    pub memory_bytes_max: u64,
    /// Workers of one table.
    pub partitions: usize,
    /// Whether runs are tried out, over a lake that keeps every write apart, and what is shown of them.
    pub trial: Option<TrialOptions>,
    /// A corrected file to take in, instead of what the source has.
    pub fix: Option<FixRequest>,
    /// Which of the runs side by side loads: one at a time, so that the memory of one is that of all. Fetching waits for none.
    pub loads: Arc<Semaphore>,
}

impl RunContext {
    /// With the project's memory bound and a worker per core.
    #[must_use]
    pub fn new(
        project: Project,
        registry: Registry,
        lake: Lake,
        env: Env,
        http: Http,
        environment: Environment,
    ) -> Self {
        let memory_bytes_max = project.memory_bytes_max();
        let http = project.introduced(http);
        let partitions = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            project,
            registry,
            lake,
            env,
            http,
            environment,
            memory_bytes_max,
            partitions,
            trial: None,
            fix: None,
            loads: Arc::new(Semaphore::new(1)),
        }
    }
}

impl fmt::Debug for RunContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunContext")
            .field("project", &self.project.root())
            .field("lake", &self.lake.location())
            .finish_non_exhaustive()
    }
}

/// Runs pipelines one after the other, in the given order. Dropping the future ends them: nothing of an unfinished run is
/// ever seen, and the next run takes up what was fetched.
pub async fn run(
    context: &RunContext,
    pipelines: &[String],
    progress: &dyn Progress,
) -> Vec<RunResult> {
    let mut results = Vec::with_capacity(pipelines.len());
    for name in pipelines {
        let result = one(context, name, Source::Asked, progress).await;
        progress.event(name, &Event::Finished(result.outcome.clone()));
        results.push(result);
    }
    results
}

/// Loads what polls have brought, and does not ask the source for more.
pub(crate) async fn take_up(
    context: &RunContext,
    name: &str,
    progress: &dyn Progress,
) -> RunResult {
    one(context, name, Source::AtRest, progress).await
}

/// Whether a run asks its source.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// For what is new.
    Asked,
    /// From these parts on, which runs before had fetched and which do not load, anew.
    AskedAgain(HashSet<String>),
    /// Not where a fetch goes on from a cursor: what is at hand is all.
    AtRest,
}

/// One pipeline: a run that another pipeline overtook on a table of both is made again, on the table as it now is; and so is one
/// that what runs before it had fetched does not let load, with what the source has in its place now.
async fn one(
    context: &RunContext,
    name: &str,
    mut source: Source,
    progress: &dyn Progress,
) -> RunResult {
    let (mut overtaken, mut stuck) = (0, None);
    loop {
        let (mut result, ended) = once(context, name, &source, progress).await;
        match ended {
            Ended::Overtaken if overtaken < OVERTAKEN_MAX => {
                overtaken += 1;
                continue;
            }
            Ended::Stuck(from) if source == Source::Asked => {
                source = Source::AskedAgain(from);
                if let Outcome::Failed(failure) = result.outcome {
                    stuck = Some(failure.message);
                }
                continue;
            }
            _ => {}
        }
        if let Some(message) = stuck {
            result.notes.push(format!(
                "what runs before had fetched does not load ({message}), so the source was asked for it again"
            ));
        }
        if overtaken > 0 {
            let note = "another pipeline changed a table meanwhile, so the run was made again";
            result.notes.push(note.to_owned());
        }
        return result;
    }
}

async fn once(
    context: &RunContext,
    name: &str,
    source: &Source,
    progress: &dyn Progress,
) -> (RunResult, Ended) {
    let mut result = RunResult {
        pipeline: name.to_owned(),
        run: None,
        outcome: Outcome::Unchanged,
        fetched: FetchResult::default(),
        tables: Vec::new(),
        parts: Vec::new(),
        notes: Vec::new(),
        drift: Vec::new(),
        stale: Vec::new(),
        trial: None,
    };
    let begun = begin(context, name).await;
    let (mut attempt, run) = match begun {
        Ok(begun) => begun,
        Err(failure) => {
            result.outcome = Outcome::Failed(failure);
            return (result, Ended::Done);
        }
    };
    match source {
        Source::Asked => {}
        Source::AskedAgain(from) => attempt.again = Some(from.clone()),
        Source::AtRest => attempt.connector = Arc::new(AtRest(attempt.connector)),
    }
    result.run = Some(run.id().to_owned());
    progress.event(
        name,
        &Event::Started {
            run: run.id().to_owned(),
        },
    );
    let ended = attempt.finish(run, progress, &mut result).await;
    (result, ended)
}

async fn begin<'a>(
    context: &'a RunContext,
    name: &str,
) -> Result<(attempt::Attempt<'a>, sectorlake_lake::Run), Failure> {
    let pipeline = context.project.pipeline(name)?;
    let connector = pipeline.connector(
        context.project.root(),
        &context.registry,
        &context.environment,
    )?;
    let run = context.lake.begin(name).await?;
    Ok((
        attempt::Attempt {
            context,
            pipeline,
            connector,
            again: None,
            aside: Aside::default(),
        },
        run,
    ))
}
