//! `--record` and `--replay`: where the answers of a run's sources go, or come from.

use std::path::Path;

use sectorlake_connector::recording::{Recorder, Recording};
use sectorlake_connector::{ConnectorError, Registry, Tape};
use sectorlake_pipeline::Project;

use crate::environment;
use crate::exit::{Exit, Failure};

/// Where the answers for these pipelines come from.
///
/// # Errors
/// The folder to record into holds a recording already, or the one to replay holds none; or a pipeline's source would go past a
/// recording: it is neither a file nor asked over HTTP.
pub(crate) fn of(
    record: Option<&Path>,
    replay: Option<&Path>,
    names: &[String],
    (project, registry): (&Project, &Registry),
) -> Result<Tape, Failure> {
    if record.is_some() || replay.is_some() {
        check(names, project, registry)?;
    }
    match (record, replay) {
        (Some(dir), _) => {
            let now = environment::of_this_process().clock.now();
            Recorder::start(dir, now).map(Tape::Record)
        }
        (None, Some(dir)) => Recording::open(dir).map(Tape::Replay),
        (None, None) => Ok(Tape::Live),
    }
    .map_err(|error| of_recording(&error))
}

fn check(names: &[String], project: &Project, registry: &Registry) -> Result<(), Failure> {
    for name in names {
        let file = project.file(name);
        let connector = file.and_then(|file| file.source.get("connector")?.as_str());
        let found = connector.and_then(|connector| registry.get(connector));
        // What is wrong with a pipeline's file is told when it runs.
        let Some(found) = found.filter(|found| !found.is_over_http() && found.name() != "file")
        else {
            continue;
        };
        let message = format!(
            "{name} cannot be recorded or replayed: its connector `{}` does not speak HTTP",
            found.name()
        );
        return Err(Failure::new(Exit::Usage, message)
            .help("record and replay pipelines whose sources are asked over HTTP, or are files"));
    }
    Ok(())
}

/// Ends a recording; a sentence about it, or nothing where none was made.
///
/// # Errors
/// It could not be written whole.
pub(crate) fn end(tape: &Tape, dir: Option<&Path>) -> Result<Option<String>, Failure> {
    let (Tape::Record(recorder), Some(dir)) = (tape, dir) else {
        return Ok(None);
    };
    let told = recorder.finish().map_err(|error| of_recording(&error))?;
    let plural = if told.exchanges == 1 { "" } else { "s" };
    Ok(Some(format!(
        "recorded {} exchange{plural} ({} bytes) in {}",
        told.exchanges,
        told.bytes,
        dir.display()
    )))
}

fn of_recording(error: &ConnectorError) -> Failure {
    Failure::from_error(Exit::Usage, error).maybe_help(error.help.clone())
}
