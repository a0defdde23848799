//! Fetching alone: what a source has now goes into the raw zone, and the next run loads it.

use sectorlake_connector::Io;
use sectorlake_lake::{Load, PipelineState, Run};

use super::attempt::{Attempt, access, units};
use super::fetch::Known;
use super::{RunContext, begin};
use crate::event::Progress;
use crate::plan::TablePlan;
use crate::result::Failure;

/// What a poll came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polled {
    /// What there was is in the raw zone.
    Kept {
        /// Whether something came that a batch has to take up. What is replaced as a whole is none: the newest answer counts.
        has_rest: bool,
    },
    /// Nothing was asked: the next answer would take the place of this one before it is loaded, or nothing is published yet. Each
    /// poll has to be a whole run.
    NeedsRun,
}

/// Fetches what a pipeline's source has, and loads nothing. Dropping the future loses nothing either.
///
/// # Errors
/// As a run's fetch.
pub(crate) async fn poll(
    context: &RunContext,
    name: &str,
    progress: &dyn Progress,
) -> Result<Polled, Failure> {
    let (attempt, run) = begin(context, name).await?;
    let polled = attempt.polled(&run, progress).await;
    attempt.keep_fetched().await;
    run.abandon().await?;
    polled
}

impl Attempt<'_> {
    async fn polled(&self, run: &Run, progress: &dyn Progress) -> Result<Polled, Failure> {
        let Some(state) = run.state() else {
            return Ok(Polled::NeedsRun);
        };
        let raw = self.context.lake.raw(&self.pipeline.name);
        let known = Known::of(&raw.manifests().await?);
        let io = Io::new(self.context.http.clone(), self.context.env.clock.now());
        let io = known.within(io, None);
        let plans = self.planned(run, &io, state).await?;
        if !plans.iter().all(|plan| waits(plan, state)) {
            return Ok(Polled::NeedsRun);
        }
        let door = access(&plans);
        let raw = self.context.lake.raw_behind(&self.pipeline.name, door);
        let fetcher = self.fetcher((run, &plans), (io, known), raw, progress);
        let fetched = fetcher.poll(&units(&plans)).await?;
        let has_rest = fetched.parts > 0 && plans.iter().any(|plan| goes_on(plan, state));
        Ok(Polled::Kept { has_rest })
    }
}

/// Whether what is fetched for a table may wait for a later answer: of what is replaced the newest counts, and where a fetch goes on
/// from a cursor every answer is a part of its own.
fn waits(plan: &TablePlan, state: &PipelineState) -> bool {
    plan.load == Load::Replace || goes_on(plan, state)
}

/// Whether every fetch for a table goes on from a cursor.
fn goes_on(plan: &TablePlan, state: &PipelineState) -> bool {
    let has_cursor = |unit: &String| {
        let partitions = state.partitions.get(unit);
        state.cursor.contains_key(unit) || partitions.is_some_and(|it| !it.is_empty())
    };
    let mut feeds = plan.feeds.iter();
    feeds.all(|feed| has_cursor(&feed.stream.unit))
}
