//! `sectorlake check`.

use std::fmt::Write as _;
use std::io::Write as _;

use sectorlake_connector::readable;
use sectorlake_lake::{Lake, LakeError};
use sectorlake_pipeline::{Project, ReachContext, Reached, ReachedPart, ReachedStream, reach};
use serde_json::{Value, json};

use crate::answer::say;
use crate::args::CheckArgs;
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::summary::Failures;
use crate::{environment, fault, numbers, registry, report};

/// Names of streams that nothing is fed from, before it is said how many more there are.
const UNUSED_SHOWN: usize = 8;

/// Asks each pipeline's source for its streams and the first part of each that is used; nothing is loaded or written.
///
/// # Errors
/// There is no project, a pipeline of that name, or something else than a lake is where it should be.
pub(crate) fn run(context: &Context, args: &CheckArgs) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    let registry = registry::all();
    let (project, _) = Project::load(&root, &registry);
    super::run::known(&args.pipelines, &project)?;
    let env = environment::of_this_process();
    let http = project.introduced(environment::http()?);
    let location = context.lake_location()?;
    let mut reached = Vec::new();
    let mut failures = Failures::new();
    block_on(or_interrupted(async {
        let lake = match Lake::open(&location, env.clone()).await {
            Ok(lake) => Some(lake),
            Err(LakeError::Missing { .. }) => None,
            Err(error) => return Err(fault::of_lake(&error)),
        };
        let context = ReachContext {
            project: &project,
            registry: &registry,
            lake: lake.as_ref(),
            env: &env,
            http: &http,
        };
        for name in &args.pipelines {
            match reach(&context, &environment::variables(), name).await {
                Ok(found) => reached.push(found),
                Err(failure) => {
                    failures.insert(name.clone(), fault::of_run(name, &failure, &root));
                }
            }
        }
        Ok(())
    }))?;
    tell(context, &reached, &failures)?;
    Ok(super::run::exit(args.pipelines.len(), &failures))
}

fn tell(context: &Context, reached: &[Reached], failures: &Failures) -> Result<(), Failure> {
    if context.global.json {
        let sources: Vec<Value> = reached.iter().map(to_json).collect();
        let failed: serde_json::Map<String, Value> = failures
            .iter()
            .map(|(name, failure)| (name.clone(), report::json(failure)))
            .collect();
        return say(&format!(
            "{:#}\n",
            json!({ "reached": sources, "failed": failed })
        ));
    }
    let text: String = reached.iter().map(told).collect();
    say(&text)?;
    for failure in failures.values() {
        let text = report::render(failure, context.errors());
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
    Ok(())
}

fn told(reached: &Reached) -> String {
    let mut text = format!("{}: its source answers\n", reached.pipeline);
    for stream in &reached.streams {
        let _ = writeln!(text, "  {} → {}", stream.name, stream.tables.join(", "));
        let _ = writeln!(text, "    {}", would_come(stream));
    }
    if !reached.unused.is_empty() {
        let shown: Vec<&str> = reached.unused.iter().map(String::as_str).collect();
        let more = shown.len().saturating_sub(UNUSED_SHOWN);
        let mut names = shown[..shown.len() - more].join(", ");
        if more > 0 {
            let _ = write!(names, " and {more} more");
        }
        let _ = writeln!(text, "  not used: {names}");
    }
    for note in &reached.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

fn would_come(stream: &ReachedStream) -> String {
    let partitions = match stream.partitions {
        0 => String::new(),
        1 => "1 partition; ".to_owned(),
        many => format!("{} partitions; ", numbers::grouped(many as u64)),
    };
    match &stream.first {
        Some(part) => format!("{partitions}would fetch {}", described(part)),
        None => format!("{partitions}nothing new"),
    }
}

fn described(part: &ReachedPart) -> String {
    let mut facts = Vec::new();
    facts.extend(part.partition.as_ref().map(|name| format!("of {name}")));
    facts.extend(part.status.map(|status| format!("HTTP {status}")));
    facts.extend(part.bytes.map(numbers::bytes));
    facts.extend(
        part.last_modified
            .as_ref()
            .map(|at| format!("changed {at}")),
    );
    facts.extend(part.more.then(|| "more follow".to_owned()));
    let address = readable(&part.key);
    match facts.is_empty() {
        true => address,
        false => format!("{address} ({})", facts.join(", ")),
    }
}

fn to_json(reached: &Reached) -> Value {
    let streams: Vec<Value> = reached
        .streams
        .iter()
        .map(|stream| {
            let first = stream.first.as_ref().map(|part| {
                json!({
                    "key": part.key, "partition": part.partition, "status": part.status, "bytes": part.bytes,
                    "last_modified": part.last_modified, "more": part.more,
                })
            });
            json!({
                "stream": stream.name, "tables": stream.tables, "partitions": stream.partitions, "first": first,
            })
        })
        .collect();
    json!({
        "pipeline": reached.pipeline, "streams": streams, "unused": reached.unused, "notes": reached.notes,
    })
}
