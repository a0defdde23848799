//! `sectorlake run`.

use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant};

use indicatif::MultiProgress;
use sectorlake_lake::Lake;
use sectorlake_pipeline::{FixRequest, Outcome, Progress, Project, RunContext, RunResult};

use crate::answer::{output_failure, say};
use crate::args::{LogFormat, RunArgs};
use crate::context::{Context, runtime};
use crate::exit::{Exit, Failure};
use crate::interrupt::terminated;
use crate::log::Verbosity;
use crate::output::{Destination, Format, Look, print_batch};
use crate::progress::{Bars, Lines};
use crate::suggest::nearest;
use crate::summary::{self, Failures};
use crate::{environment, fault, log, registry, report, tape};

/// How long tasks may take to notice that the run was interrupted.
const END_WAIT: Duration = Duration::from_secs(2);

/// Runs pipelines, each its own run and snapshot.
///
/// # Errors
/// There is no project, the lake cannot be opened, or the user interrupted. A pipeline that fails is told, and is the exit code.
pub(crate) fn run(context: &Context, args: &RunArgs) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    let screen = MultiProgress::new();
    let bars = context.terminal.stderr && log_format(context).is_none();
    let verbosity = if bars {
        Verbosity::Quiet
    } else {
        Verbosity::Facts
    };
    log::start(log_format(context), verbosity, &context.terminal, &screen);
    let registry = registry::all();
    // What is wrong with a pipeline's files comes back as that pipeline's failure.
    let (project, _) = Project::load(&root, &registry);
    let names = asked(args, &project, &root)?;
    let (record, replay) = (args.record.as_deref(), args.replay.as_deref());
    let tape = tape::of(record, replay, &names, (&project, &registry))?;
    let progress: Box<dyn Progress> = if bars {
        Box::new(Bars::new(screen, context.terminal.color_err, &names))
    } else {
        Box::new(Lines)
    };
    let started = Instant::now();
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let env = environment::of_this_process();
        let lake = Lake::open_or_create(&context.lake_location()?, env.clone())
            .await
            .map_err(|error| fault::of_lake(&error))?;
        let mut job = RunContext::new(
            project,
            registry,
            lake,
            env,
            environment::http_over(tape.clone())?,
            environment::variables_over(&tape),
        );
        job.fix = args.fix.clone().map(|path| FixRequest {
            path,
            by: args
                .by
                .clone()
                .unwrap_or_else(|| environment::user(&job.env)),
        });
        Ok::<_, Failure>(until_interrupted(&job, &names, progress.as_ref()).await)
    });
    drop(progress);
    // What was interrupted is dropped: nothing of it is published, and the next run takes up what was fetched.
    runtime.shutdown_timeout(END_WAIT);
    let (results, end) = ended?;
    let recorded = tape::end(&tape, record);
    let mut exit = Exit::Ok;
    if !results.is_empty() {
        exit = tell(context, &results, started.elapsed(), &root)?;
    }
    if let Some(recorded) = recorded? {
        let _ = writeln!(std::io::stderr().lock(), "{recorded}");
    }
    end.map(|()| exit)
}

/// The pipelines to run, one at least.
fn asked(args: &RunArgs, project: &Project, root: &Path) -> Result<Vec<String>, Failure> {
    let names = if args.all {
        project.names()
    } else {
        args.pipelines.clone()
    };
    known(&args.pipelines, project)?;
    if args.fix.is_some() && names.len() > 1 {
        return Err(
            Failure::new(Exit::Usage, "a corrected file belongs to one pipeline")
                .help("name the one that its rows were exported from"),
        );
    }
    if names.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            format!("{} has no pipelines yet", root.display()),
        )
        .help(
            "write one: pipelines/<sector>/<name>.yaml; `sectorlake init DIR` makes an example",
        ));
    }
    Ok(names)
}

/// A name that is none is most likely misspelt: nothing runs until it is mended.
pub(super) fn known(asked: &[String], project: &Project) -> Result<(), Failure> {
    let names = project.names();
    let Some(unknown) = asked.iter().find(|name| !names.contains(name)) else {
        return Ok(());
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let help = match nearest(unknown, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "the project has no pipelines yet".to_owned(),
        None => format!("pipelines are: {}", names.join(", ")),
    };
    Err(Failure::new(Exit::Usage, format!("there is no pipeline `{unknown}`")).help(help))
}

/// One pipeline after the other; what has ended before an interruption is kept.
async fn until_interrupted(
    job: &RunContext,
    names: &[String],
    progress: &dyn Progress,
) -> (Vec<RunResult>, Result<(), Failure>) {
    let mut results = Vec::with_capacity(names.len());
    let mut signal = pin!(terminated());
    for name in names {
        tokio::select! {
            ended = sectorlake_pipeline::run(job, std::slice::from_ref(name), progress) => results.extend(ended),
            () = &mut signal => return (results, Err(interrupted(name))),
        }
    }
    (results, Ok(()))
}

/// Whoever reads the answer as JSON reads what goes beside it as JSON too.
pub(super) fn log_format(context: &Context) -> Option<LogFormat> {
    context
        .global
        .log_format
        .or(context.global.json.then_some(LogFormat::Json))
}

fn interrupted(pipeline: &str) -> Failure {
    Failure::new(
        Exit::Interrupted,
        format!("interrupted: {pipeline} published nothing"),
    )
    .help("run it again: what was fetched is taken up")
}

fn tell(
    context: &Context,
    results: &[RunResult],
    took: Duration,
    root: &Path,
) -> Result<Exit, Failure> {
    let failures: Failures = results
        .iter()
        .filter_map(|result| match &result.outcome {
            Outcome::Failed(failure) => Some((
                result.pipeline.clone(),
                fault::of_run(&result.pipeline, failure, root),
            )),
            _ => None,
        })
        .collect();
    let exit = exit(results.len(), &failures);
    if context.global.json {
        say(&format!(
            "{:#}\n",
            summary::document(results, &failures, took, exit)
        ))?;
    } else {
        let table = summary::table(results, context.terminal.width)
            .map_err(|error| Failure::from_error(Exit::Internal, &error))?;
        let destination = Destination {
            format: Format::Table,
            file: None,
            look: Look::of(&context.terminal),
        };
        print_batch(&destination, &context.terminal, &table.batch).map_err(output_failure)?;
        say(&format!(
            "{}{}",
            summary::sentence(results, took),
            table.hint
        ))?;
    }
    let look = context.errors();
    let mut below = summary::notes(results, look);
    below.push_str(&summary::drifts(results, look));
    for failure in failures.values() {
        below.push_str(&report::render(failure, look));
    }
    let _ = std::io::stderr().lock().write_all(below.as_bytes());
    Ok(exit)
}

/// Where all failed for one reason, that reason's own code; else how many failed.
pub(super) fn exit(runs: usize, failures: &Failures) -> Exit {
    let mut codes = failures.values().map(|failure| failure.exit);
    match codes.next() {
        None => Exit::Ok,
        Some(_) if failures.len() < runs => Exit::SomeFailed,
        Some(first) if codes.all(|code| code == first) => first,
        Some(_) => Exit::AllFailed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_how_much_failed_and_why() {
        let check = |runs, codes: &[Exit], expected| {
            let failures = codes
                .iter()
                .enumerate()
                .map(|(at, code)| (at.to_string(), Failure::new(*code, "x")));
            assert_eq!(
                exit(runs, &failures.collect()),
                expected,
                "{codes:?} of {runs}"
            );
        };
        check(0, &[], Exit::Ok);
        check(2, &[], Exit::Ok);
        check(2, &[Exit::Locked], Exit::SomeFailed);
        check(1, &[Exit::Locked], Exit::Locked);
        check(1, &[Exit::Usage], Exit::Usage);
        check(2, &[Exit::AllFailed, Exit::AllFailed], Exit::AllFailed);
        check(2, &[Exit::Locked, Exit::Usage], Exit::AllFailed);
        check(1, &[Exit::Internal], Exit::Internal);
    }
}
