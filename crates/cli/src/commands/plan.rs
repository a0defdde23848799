//! `sectorlake plan`.

use std::io::Write as _;
use std::path::Path;
use std::pin::pin;

use indicatif::MultiProgress;
use sectorlake_pipeline::{Outcome, Project, RunResult, TrialOptions, TryOut, try_out};

use crate::answer::say;
use crate::args::PlanArgs;
use crate::context::{Context, runtime};
use crate::exit::{Exit, Failure};
use crate::interrupt::terminated;
use crate::log::Verbosity;
use crate::summary::Failures;
use crate::{environment, fault, log, registry, report, summary, tape, trial};

/// Tries pipelines out: the very code of a run, over a lake that keeps every write apart and goes away.
///
/// # Errors
/// There is no project, something else than a lake is where it should be, or the user interrupted.
pub(crate) fn run(context: &Context, args: &PlanArgs) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    let screen = MultiProgress::new();
    log::start(
        context.global.log_format,
        Verbosity::Quiet,
        &context.terminal,
        &screen,
    );
    let registry = registry::all();
    let (project, _) = Project::load(&root, &registry);
    super::run::known(&args.pipelines, &project)?;
    let names = if args.pipelines.is_empty() {
        project.names()
    } else {
        args.pipelines.clone()
    };
    if names.is_empty() {
        let none = format!("{} has no pipelines yet", root.display());
        return Err(
            Failure::new(Exit::Usage, none).help("draft one: sectorlake new source URL-or-FILE")
        );
    }
    let tape = tape::of(None, args.replay.as_deref(), &names, (&project, &registry))?;
    let tried = TryOut {
        project,
        registry,
        lake: context.lake_location()?,
        env: environment::of_this_process(),
        environment: environment::variables_over(&tape),
        http: environment::http_over(tape)?,
        options: TrialOptions {
            rows: usize::from(args.rows),
        },
    };
    let runtime = runtime()?;
    let results = runtime.block_on(async {
        let mut signal = pin!(terminated());
        tokio::select! {
            ended = try_out(tried, &names) => ended.map_err(|failure| fault::of_run("plan", &failure, &root)),
            () = &mut signal => Err(Failure::new(Exit::Interrupted, "interrupted: nothing was written")),
        }
    });
    runtime.shutdown_background();
    tell(context, &results?, &root)
}

fn tell(context: &Context, results: &[RunResult], root: &Path) -> Result<Exit, Failure> {
    let failures: Failures = results
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Failed(failure) => Some((
                result.pipeline.clone(),
                fault::of_run(&result.pipeline, &as_planned(failure), root),
            )),
            _ => None,
        })
        .collect();
    let exit = super::run::exit(results.len(), &failures);
    if context.global.json {
        say(&format!(
            "{:#}\n",
            trial::document(results, &failures, exit)?
        ))?;
    } else {
        for result in results {
            trial::print(context, result)?;
        }
        say(&trial::ending(results))?;
    }
    let look = context.errors();
    let mut below = summary::notes(results, look);
    for failure in failures.values() {
        below.push_str(&report::render(failure, look));
    }
    let _ = std::io::stderr().lock().write_all(below.as_bytes());
    Ok(exit)
}

/// A failure of a run that left nothing behind to be asked for.
fn as_planned(failure: &sectorlake_pipeline::Failure) -> sectorlake_pipeline::Failure {
    let mut failure = failure.clone();
    let asks = |help: &String| help.starts_with("`sectorlake rejected");
    if failure.help.as_ref().is_some_and(asks) {
        failure.help = Some("the broken rules stand above, with samples".to_owned());
    }
    failure
}
