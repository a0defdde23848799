//! Continuous sources: polled at their interval, published in small batches, until someone says stop.
//!
//! The n-th poll of a source is due at `start + n · every`, however long the polls before it took. What a poll brings goes into the
//! raw zone at once; a batch of them is published once a minute, or with each poll where these come no more often. What no batch took
//! up, a crash between two of them included, the next one does; whoever says stop gets what is left as a last batch.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{Either, Shared, join_all, select};
use futures::{Future, FutureExt};
use sectorlake_connector::Pace;

use crate::event::{Event, Progress, Silent};
use crate::result::{Failure, Outcome, RunResult};
use crate::run::{Polled, RunContext, TAKEN_UP, poll, run, take_up};

/// How often polls become a snapshot, at most.
const BATCH_EVERY: Duration = Duration::from_secs(60);
/// How long a source that fails is left alone, at most.
const BACK_OFF_MAX: Duration = Duration::from_secs(15 * 60);

/// What is told of a source that is watched.
#[derive(Debug, Clone)]
pub enum Tick {
    /// A run ended well: a batch was published, or there was nothing new.
    Ran(Box<RunResult>),
    /// A poll or a run failed, the first after one that went well. The source is asked less and less often until it recovers.
    Failing(Failure),
    /// The first that went well after that.
    Recovered,
    /// Polls take longer than the interval, so that some are left out. Told once.
    Behind {
        /// How many were left out.
        skipped: u64,
        /// The interval.
        every: Duration,
    },
}

/// Watches continuous sources, each at its own interval, until `stop` ends: then what polls brought is still published, and what is
/// being fetched is left for the next time. One that fails harms no other. `told` hears what comes of each, by pipeline.
pub async fn watch(
    context: &RunContext,
    sources: &[(String, Duration)],
    pace: &dyn Pace,
    stop: impl Future<Output = ()>,
    told: &(dyn Fn(&str, Tick) + Sync),
) {
    let stop = stop.shared();
    let watches = sources.iter().map(|(pipeline, every)| {
        let watch = Watch {
            context,
            pipeline,
            every: (*every).max(Duration::from_millis(1)),
            pace,
            stop: stop.clone(),
            told,
        };
        watch.go_on()
    });
    join_all(watches).await;
}

/// One source.
struct Watch<'a, S: Future<Output = ()>> {
    context: &'a RunContext,
    pipeline: &'a str,
    every: Duration,
    pace: &'a dyn Pace,
    stop: Shared<S>,
    told: &'a (dyn Fn(&str, Tick) + Sync),
}

/// How a source has behaved.
#[derive(Debug, Default)]
struct Past {
    /// When the last batch was due that was published.
    batch: Option<DateTime<Utc>>,
    /// Failures since the last success.
    failures: u32,
    /// Whether it was told that polls are left out.
    told_behind: bool,
    /// Whether polls may have brought what no batch has taken up.
    has_rest: bool,
}

impl<S: Future<Output = ()>> Watch<'_, S> {
    async fn go_on(self) {
        let mut past = Past::default();
        self.poll_on(&mut past).await;
        if past.has_rest {
            let rest = take_up(self.context, self.pipeline, &Silent).await;
            self.judge(ended(rest), self.pace.now(), &mut past);
        }
    }

    /// Polls until it is told to stop.
    async fn poll_on(&self, past: &mut Past) {
        let start = self.pace.now();
        let (mut number, mut wait) = (0, Duration::ZERO);
        loop {
            let due = start.checked_add_signed(self.span(number));
            let due = due.unwrap_or(DateTime::<Utc>::MAX_UTC);
            if !self.slept_until(due, wait).await {
                return;
            }
            let is_batch = past
                .batch
                .is_none_or(|last| due - last >= delta(BATCH_EVERY));
            let Some(ended) = self.turn(is_batch, past).await else {
                return;
            };
            self.judge(ended, due, past);
            let turns = self.turns_to_wait(past.failures);
            let next = number + turns;
            // The first that is not over yet.
            let late = (self.pace.now() - start)
                .num_milliseconds()
                .max(0)
                .cast_unsigned();
            let open = late.div_ceil(self.every_ms());
            if open > next && !past.told_behind {
                past.told_behind = true;
                let (skipped, every) = (open - next, self.every);
                (self.told)(self.pipeline, Tick::Behind { skipped, every });
            }
            number = next.max(open);
            wait = self
                .every
                .saturating_mul(u32::try_from(turns).unwrap_or(u32::MAX));
        }
    }

    /// One poll, as a run of its own or as a part of a later batch; whether it published. None where it was told to stop.
    async fn turn(
        &self,
        is_batch: bool,
        past: &mut Past,
    ) -> Option<Result<Option<RunResult>, Failure>> {
        let loading = Loading::default();
        if !is_batch {
            let polled = poll(self.context, self.pipeline, &loading);
            match self.unless_stopped(pin!(polled), &loading).await? {
                Ok(Polled::Kept { has_rest }) => {
                    past.has_rest |= has_rest;
                    return Some(Ok(None));
                }
                Ok(Polled::NeedsRun) => {}
                Err(failure) => return Some(Err(failure)),
            }
        }
        let pipelines = [self.pipeline.to_owned()];
        let ran = run(self.context, &pipelines, &loading);
        let result = self.unless_stopped(pin!(ran), &loading).await?.pop()?;
        Some(ended(result))
    }

    /// What `work` comes to, unless it is told to stop: then what is being loaded is brought to its end, and the rest is given up.
    async fn unless_stopped<F: Future + Unpin>(
        &self,
        work: F,
        loading: &Loading,
    ) -> Option<F::Output> {
        match select(work, pin!(self.stop.clone())).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(((), work)) if loading.0.load(Ordering::Relaxed) => Some(work.await),
            Either::Right(_) => None,
        }
    }

    fn judge(
        &self,
        ended: Result<Option<RunResult>, Failure>,
        due: DateTime<Utc>,
        past: &mut Past,
    ) {
        match ended {
            Err(failure) => {
                past.failures = past.failures.saturating_add(1);
                if past.failures == 1 {
                    (self.told)(self.pipeline, Tick::Failing(failure));
                }
            }
            Ok(result) => {
                if std::mem::take(&mut past.failures) > 0 {
                    (self.told)(self.pipeline, Tick::Recovered);
                }
                let Some(mut result) = result else { return };
                (past.batch, past.has_rest) = (Some(due), false);
                // What polls fetched before this batch is just what it is for.
                result.notes.retain(|note| !note.ends_with(TAKEN_UP));
                (self.told)(self.pipeline, Tick::Ran(Box::new(result)));
            }
        }
    }

    /// Sleeps until then, and no longer than `at_most`, whatever becomes of the clock; false where it was told to stop.
    async fn slept_until(&self, due: DateTime<Utc>, at_most: Duration) -> bool {
        let left = (due - self.pace.now()).to_std().unwrap_or_default();
        let stop = self.stop.clone();
        if stop.peek().is_some() {
            return false;
        }
        if left.is_zero() {
            return true;
        }
        let sleep: Pin<Box<dyn Future<Output = ()> + Send + '_>> =
            Box::pin(self.pace.sleep(left.min(at_most)));
        matches!(select(pin!(stop), sleep).await, Either::Right(_))
    }

    /// After how many turns a source is asked again: the next, or twice as late after each failure.
    fn turns_to_wait(&self, failures: u32) -> u64 {
        let most = (BACK_OFF_MAX.as_millis() / self.every.as_millis()).max(1);
        let turns = 1_u128 << failures.min(32);
        u64::try_from(turns.min(most)).unwrap_or(1)
    }

    fn every_ms(&self) -> u64 {
        u64::try_from(self.every.as_millis()).unwrap_or(u64::MAX)
    }

    fn span(&self, turns: u64) -> TimeDelta {
        let ms = self.every_ms().saturating_mul(turns);
        i64::try_from(ms)
            .ok()
            .and_then(TimeDelta::try_milliseconds)
            .unwrap_or(TimeDelta::MAX)
    }
}

/// A run's result, or why there is none.
fn ended(result: RunResult) -> Result<Option<RunResult>, Failure> {
    match result.outcome {
        Outcome::Failed(failure) => Err(failure),
        Outcome::Published { .. } | Outcome::Unchanged => Ok(Some(result)),
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// Knows whether a run has all that it fetches, and loads it.
#[derive(Debug, Default)]
struct Loading(AtomicBool);

impl Progress for Loading {
    fn event(&self, _: &str, event: &Event) {
        match event {
            Event::Fetched { .. } => self.0.store(true, Ordering::Relaxed),
            Event::Started { .. } | Event::Finished(_) => self.0.store(false, Ordering::Relaxed),
            _ => {}
        }
    }
}
