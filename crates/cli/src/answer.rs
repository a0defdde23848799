//! An answer from its stream to its destination, cancellable between any two batches.

use std::io::{BufWriter, Write as _};

use arrow::error::ArrowError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::exit::{Exit, Failure};
use crate::fault;
use crate::interrupt::or_interrupted;
use crate::output::{self, Destination, OutputError};
use crate::terminal::{Stdout, Terminal};

/// Batches computed ahead of the writer.
const BATCHES_AHEAD: usize = 2;

/// Stops its task when dropped, so that a cancelled query does not run on behind the prompt.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Writes text to stdout.
///
/// # Errors
/// Stdout cannot be written, or its reader went away.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let mut out = BufWriter::new(Stdout);
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| output_failure(OutputError::Write(error)))
}

/// Writes a text to the destination's file, or to stdout.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write_text(text: &str, destination: &Destination) -> Result<(), Failure> {
    match &destination.file {
        Some(path) => output::write_file(path, text.as_bytes()).map_err(output_failure),
        None => say(text),
    }
}

/// Writes every batch as it comes; returns the number of rows. The query runs on a task of its own, so that Ctrl-C is heard however long
/// the next batch takes.
///
/// # Errors
/// The query fails, the destination cannot be written, or Ctrl-C was pressed: an unfinished file is removed.
pub(crate) async fn write_out(
    mut stream: SendableRecordBatchStream,
    sql: &str,
    destination: &Destination,
    terminal: &Terminal,
) -> Result<u64, Failure> {
    let mut output = destination
        .open(&stream.schema(), terminal)
        .map_err(output_failure)?;
    let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
    let mut query = AbortOnDrop(tokio::spawn(async move {
        while let Some(batch) = stream.next().await {
            if sender.send(batch).await.is_err() {
                break;
            }
        }
    }));
    or_interrupted(async {
        while let Some(batch) = batches.recv().await {
            let batch = batch.map_err(|error| fault::of_engine(&error, sql))?;
            output.write(&batch).map_err(output_failure)?;
        }
        // No more batches: the query is done, or it broke down and what was written is not the whole answer.
        (&mut query.0).await.map_err(|_| broken_down())
    })
    .await?;
    output.finish().map_err(output_failure)
}

/// A fault of ours, told on stderr where it happened.
pub(crate) fn broken_down() -> Failure {
    Failure::new(
        Exit::Internal,
        "sectorlake itself broke down; the lake is unharmed",
    )
    .help("please report it, with the lines above and the command")
}

/// A destination the user named wrongly is a matter of usage; a disk that fails is not.
pub(crate) fn output_failure(error: OutputError) -> Failure {
    let (exit, help) = match &error {
        OutputError::BinaryToTerminal(_) => (
            Exit::Usage,
            Some("write it to a file with -o FILE, or into a pipe"),
        ),
        OutputError::File { source, .. }
            if matches!(
                source.kind(),
                std::io::ErrorKind::NotFound
                    | std::io::ErrorKind::PermissionDenied
                    | std::io::ErrorKind::IsADirectory
                    | std::io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            (
                Exit::Usage,
                Some("name a file in a folder that exists and may be written"),
            )
        }
        OutputError::Arrow(inner) if !matches!(inner, ArrowError::IoError(..)) => {
            let message = format!(
                "an answer cannot be written: {}",
                fault::sentence(&inner.to_string())
            );
            return Failure::new(Exit::Usage, message)
                .help("a date or an instant may lie beyond what a calendar holds: filter it out, or ask for it as a number");
        }
        _ => (Exit::Internal, None),
    };
    Failure::from_error(exit, &error).maybe_help(help)
}
