//! What every command stands on: the global flags, the terminal, where project and lake are.

use std::path::PathBuf;
use std::time::Duration;

use sectorlake_pipeline::Project;
use sectorlake_query::SessionOptions;
use tokio::runtime::{Builder, Runtime};

use crate::args::{GlobalArgs, OutputArgs};
use crate::exit::{Exit, Failure};
use crate::output::{Destination, Format, Look};
use crate::terminal::Terminal;
use crate::{fault, report};

/// Columns of a drawn error where the terminal does not tell its own.
const ERROR_WIDTH: u16 = 100;
/// Bytes of a worker's stack: deep expressions are planned by recursion, and the dev build's frames are wide.
const STACK_BYTES: usize = 8 << 20;
/// How long a thread that reads or writes files waits for more to do. What it had allocated is others' to use once it is gone.
const IDLE: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Flags every command takes.
    pub(crate) global: GlobalArgs,
    /// What stands at the other end.
    pub(crate) terminal: Terminal,
}

impl Context {
    /// Looks at the process's streams.
    pub(crate) fn new(global: GlobalArgs) -> Self {
        let terminal = Terminal::detect(global.color);
        Self { global, terminal }
    }

    /// How errors are written.
    pub(crate) fn errors(&self) -> report::Look {
        if self.global.json || self.global.log_format == Some(crate::args::LogFormat::Json) {
            report::Look::Json
        } else if self.terminal.stderr {
            report::Look::Fancy {
                color: self.terminal.color_err,
                width: self.terminal.width.unwrap_or(ERROR_WIDTH),
            }
        } else {
            report::Look::Plain
        }
    }

    /// The project's folder.
    ///
    /// # Errors
    /// There is none here or above.
    pub(crate) fn project_root(&self) -> Result<PathBuf, Failure> {
        Project::find(self.global.project.as_deref()).map_err(|error| fault::of_project(&error))
    }

    /// Where the lake is. A lake that is named needs no project.
    ///
    /// # Errors
    /// None is named, and there is no project whose lake it could be.
    pub(crate) fn lake_location(&self) -> Result<String, Failure> {
        match &self.global.lake {
            Some(location) if !location.is_empty() => Ok(location.clone()),
            _ => {
                let root = self.project_root().map_err(|failure| {
                    failure.help("go into a project's folder, or name the project with --project DIR or the lake with --lake URL")
                })?;
                Ok(root.join("lake").to_string_lossy().into_owned())
            }
        }
    }

    /// What a session may hold in memory: half of what the project grants a process, the other half is for reading and writing.
    ///
    /// # Errors
    /// The project's settings cannot be read.
    pub(crate) fn session_bytes_max(&self) -> Result<usize, Failure> {
        // A lake that is named may stand alone: then the default holds.
        let Ok(root) = self.project_root() else {
            return Ok(SessionOptions::default().memory_bytes_max);
        };
        let granted = sectorlake_pipeline::memory_bytes_max(&root)
            .map_err(|problem| fault::of_problem(&problem, &root))?;
        Ok(usize::try_from(granted / 2).unwrap_or(usize::MAX))
    }

    /// Where an answer goes, and how it looks.
    pub(crate) fn destination(&self, output: &OutputArgs) -> Destination {
        let by_name = output.output.as_deref().and_then(Format::of_path);
        let format = match (output.format, by_name) {
            (Some(format), _) | (None, Some(format)) => format,
            (None, None) if self.global.json => Format::Json,
            // A file is read by programs; an unknown ending is most often a CSV for someone.
            (None, None) if output.output.is_some() => Format::Csv,
            (None, None) => Format::Table,
        };
        Destination {
            format,
            file: output.output.clone(),
            look: Look::of(&self.terminal),
        }
    }
}

/// The runtime of whatever asks or loads: as many workers as cores.
///
/// # Errors
/// The system gives no threads.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .thread_keep_alive(IDLE)
        .build()
        .map_err(|error| Failure::new(Exit::Internal, format!("cannot start threads: {error}")))
}

/// Does what needs a runtime once. A statement that was cut short may still compute: nobody waits for it.
///
/// # Errors
/// As `work`.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    fn format(line: &str) -> Format {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Tables(args) = &cli.command else {
            unreachable!("{line}");
        };
        Context::new(cli.global.clone())
            .destination(&args.output)
            .format
    }

    #[test]
    fn the_plainest_wish_decides_the_format() {
        for (line, expected) in [
            ("sectorlake tables", Format::Table),
            ("sectorlake tables --json", Format::Json),
            ("sectorlake tables --json -o t.csv", Format::Csv),
            (
                "sectorlake tables -o t.parquet --format ndjson",
                Format::Ndjson,
            ),
            ("sectorlake tables -o t.dat", Format::Csv),
        ] {
            assert_eq!(format(line), expected, "{line}");
        }
    }

    #[test]
    fn a_named_lake_needs_no_project() {
        let cli = Cli::try_parse_from([
            "sectorlake",
            "tables",
            "--lake",
            "s3://bucket/lake",
            "--project",
            "/nowhere",
        ])
        .unwrap();
        assert_eq!(
            Context::new(cli.global).lake_location().unwrap(),
            "s3://bucket/lake"
        );
    }
}
