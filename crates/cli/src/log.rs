//! Log lines on stderr: text or JSON, never torn apart by progress bars.

use std::io::{self, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::args::LogFormat;
use crate::terminal::Terminal;

/// Which events reach stderr unless `SECTORLAKE_LOG` says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// Warnings and errors: bars or a plain answer tell the rest.
    Quiet,
    /// One line per fact, for schedulers.
    Facts,
}

impl Verbosity {
    fn directives(self) -> &'static str {
        match self {
            Self::Quiet => "warn",
            Self::Facts => "warn,sectorlake=info",
        }
    }
}

/// Starts logging for the whole process. `SECTORLAKE_LOG` takes tracing's filter directives (`debug`, `sectorlake_lake=trace`).
pub(crate) fn start(
    format: Option<LogFormat>,
    verbosity: Verbosity,
    terminal: &Terminal,
    bars: &MultiProgress,
) {
    let filter = EnvFilter::try_from_env("SECTORLAKE_LOG")
        .unwrap_or_else(|_| EnvFilter::new(verbosity.directives()));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(AroundBars(bars.clone()))
        // It would say so by `eprintln!`, which panics where stderr cannot be written.
        .log_internal_errors(false)
        .with_ansi(terminal.color_err);
    // A second start (in tests) is refused by tracing: the first one stands.
    let _ = match format {
        Some(LogFormat::Json) => builder.json().flatten_event(true).try_init(),
        _ => builder.with_target(false).try_init(),
    };
}

/// Writes to stderr while the bars step aside.
struct AroundBars(MultiProgress);

impl Write for AroundBars {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        // A line that cannot be written (a full disk behind stderr) is lost; the work it tells of goes on.
        let _ = self.0.suspend(|| io::stderr().lock().write_all(buf));
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = io::stderr().lock().flush();
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for AroundBars {
    type Writer = AroundBars;

    fn make_writer(&'a self) -> Self::Writer {
        Self(self.0.clone())
    }
}
