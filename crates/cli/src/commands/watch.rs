//! `sectorlake watch`.

mod choice;
#[cfg(test)]
mod hour;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::{Either, select};
use indicatif::MultiProgress;
use sectorlake_connector::Tape;
use sectorlake_lake::{Env, Lake};
use sectorlake_pipeline::{Outcome, Project, RunContext, RunResult, Tick, watch};
use serde_json::json;

use self::choice::{Choice, choice};
use super::run::log_format;
use crate::answer::say;
use crate::args::WatchArgs;
use crate::context::{Context, runtime};
use crate::exit::{Exit, Failure};
use crate::interrupt::terminated;
use crate::log::Verbosity;
use crate::numbers::grouped;
use crate::report::Look;
use crate::{environment, fault, log, registry, report, summary};

/// How long tasks may take to notice that the watch is over.
const END_WAIT: Duration = Duration::from_secs(2);
/// Notes that are remembered as told; beyond that they are told anew.
const NOTES_MAX: usize = 10_000;

/// Watches continuous sources until Ctrl-C or SIGTERM: what polls brought is still published. A second signal ends at once.
///
/// # Errors
/// There is no project, or nothing to watch; the lake cannot be opened.
pub(crate) fn run(context: &Context, args: &WatchArgs) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    log::start(
        log_format(context),
        Verbosity::Quiet,
        &context.terminal,
        &MultiProgress::new(),
    );
    let registry = registry::all();
    let (project, _) = Project::load(&root, &registry);
    let Choice { sources, lost } = choice(&args.pipelines, &project)?;
    for fault in choice::faults(&lost, &project, &root) {
        beside(&report::render(&fault, context.errors()));
    }
    if sources.is_empty() {
        return Err(choice::nothing_left(&lost));
    }
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let env = environment::of_this_process();
        let lake = Lake::open_or_create(&context.lake_location()?, env.clone())
            .await
            .map_err(|error| fault::of_lake(&error))?;
        let http = environment::http_over(Tape::Live)?;
        let told = Told::new(context, &root, env.clone());
        let variables = environment::variables();
        let job = RunContext::new(project, registry, lake, env, http, variables);
        // Heard from before it is said that they are.
        let (stop, twice) = (terminated(), second_signal());
        told.begins(&sources, &lost);
        let pace = environment::timer();
        let tick = |pipeline: &str, tick: Tick| told.tick(pipeline, tick);
        let watched = watch(&job, &sources, &pace, stop, &tick);
        // Dropped is safe: nothing of what was under way is seen, and the next run takes up what was fetched.
        match select(pin!(watched), pin!(twice)).await {
            Either::Left(_) => Ok(Exit::Ok),
            Either::Right(_) => Ok(Exit::Interrupted),
        }
    });
    runtime.shutdown_timeout(END_WAIT);
    ended
}

/// Ends at the second signal after this call.
fn second_signal() -> impl Future<Output = ()> {
    let first = terminated();
    async move {
        first.await;
        terminated().await;
    }
}

/// Whoever reads along beside stdout may have gone; the data comes all the same.
fn beside(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Tells what comes of each source: batches on stdout, a line each; the rest beside them.
struct Told<'a> {
    context: &'a Context,
    root: &'a Path,
    env: Env,
    /// By pipeline, what was told already.
    told: Mutex<HashMap<String, Already>>,
}

/// What was told of a source.
#[derive(Debug, Default)]
struct Already {
    notes: HashSet<String>,
    /// What is stale: the table, the station, and how.
    stale: BTreeSet<(String, Option<String>, &'static str)>,
}

impl<'a> Told<'a> {
    fn new(context: &'a Context, root: &'a Path, env: Env) -> Self {
        Self {
            context,
            root,
            env,
            told: Mutex::default(),
        }
    }

    fn begins(&self, sources: &[(String, Duration)], lost: &[String]) {
        let each = sources
            .iter()
            .map(|(name, every)| format!("{name} every {}", spoken(*every)));
        let each = each.collect::<Vec<_>>().join(", ");
        let but = match lost {
            [] => String::new(),
            lost => format!(", but not {}", lost.join(", ")),
        };
        let message = format!("watching {each}{but}; Ctrl-C ends it");
        self.beside("watching", None, &message);
    }

    fn tick(&self, pipeline: &str, tick: Tick) {
        match tick {
            Tick::Ran(result) => {
                if let Outcome::Published { snapshot } = &result.outcome {
                    // Whoever reads along may have gone; the data comes all the same.
                    let _ = say(&self.line(&result, *snapshot));
                }
                self.notes(pipeline, &result);
            }
            Tick::Failing(failure) => {
                let failure = fault::of_run(pipeline, &failure, self.root);
                beside(&report::render(&failure, self.context.errors()));
            }
            Tick::Recovered => self.beside("recovered", Some(pipeline), "it works again"),
            Tick::Behind { skipped, every } => {
                let noun = if skipped == 1 {
                    "poll was"
                } else {
                    "polls were"
                };
                let message = format!(
                    "a poll takes longer than {}, so that {skipped} {noun} left out; choose a longer `every`",
                    spoken(every)
                );
                self.beside("behind", Some(pipeline), &message);
            }
        }
    }

    /// The line of a batch.
    fn line(&self, result: &RunResult, snapshot: u64) -> String {
        let at = self.env.clock.now();
        if self.context.global.json {
            let mut document = summary::pipeline(result, None);
            document["at"] = json!(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
            return format!("{document}\n");
        }
        let tables = result.tables.iter().map(|table| {
            let rejected = match table.rejected + table.broken {
                0 => String::new(),
                count => format!(", {} rejected", grouped(count)),
            };
            format!("{} +{}{rejected}", table.table, grouped(table.loaded))
        });
        let tables = tables.collect::<Vec<_>>().join(" · ");
        let at = at.format("%Y-%m-%dT%H:%M:%SZ");
        format!("{at} {}: {tables} · snapshot {snapshot}\n", result.pipeline)
    }

    /// Notes and what is stale, each when it is new: most come with every batch.
    fn notes(&self, pipeline: &str, result: &RunResult) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = told.entry(pipeline.to_owned()).or_default();
        if told.notes.len() > NOTES_MAX {
            told.notes.clear();
        }
        let is_stale = |note: &String| result.stale.iter().any(|stale| stale.message == *note);
        for note in result.notes.iter().filter(|note| !is_stale(note)) {
            if told.notes.insert(note.clone()) {
                self.beside("note", Some(pipeline), note);
            }
        }
        let before = std::mem::take(&mut told.stale);
        for stale in &result.stale {
            let station = stale.station.clone();
            let what = (stale.table.to_string(), station, stale.state.word());
            if !before.contains(&what) {
                self.beside("stale", Some(pipeline), &stale.message);
            }
            told.stale.insert(what);
        }
        for (table, station, state) in before.difference(&told.stale) {
            let station = station.iter().map(|station| format!(": station {station}"));
            let station = station.collect::<String>();
            self.beside(
                "fresh",
                Some(pipeline),
                &format!("{table}{station} is not {state} any more"),
            );
        }
    }

    fn beside(&self, level: &str, pipeline: Option<&str>, message: &str) {
        let line = match (self.context.errors(), pipeline) {
            (Look::Json, _) => {
                json!({ "level": level, "pipeline": pipeline, "message": message }).to_string()
            }
            (_, Some(pipeline)) => format!("{level}: {pipeline}: {message}"),
            (_, None) => message.to_owned(),
        };
        beside(&format!("{line}\n"));
    }
}

/// An interval as pipeline files write it.
fn spoken(every: Duration) -> String {
    let seconds = every.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m")];
    let fits = units.iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    match fits {
        Some((unit, word)) => format!("{}{word}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_told_as_they_are_written() {
        for (seconds, expected) in [
            (30, "30s"),
            (90, "90s"),
            (900, "15m"),
            (21_600, "6h"),
            (86_400, "1d"),
        ] {
            assert_eq!(spoken(Duration::from_secs(seconds)), expected);
        }
    }
}
