//! What stands at the other end: a terminal or a pipe, its width, whether it may be coloured.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::args::ColorWhen;

/// Facts about stdout and stderr, found once at the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Stdin is a terminal: a prompt makes sense.
    pub(crate) stdin: bool,
    /// Stdout is a terminal.
    pub(crate) stdout: bool,
    /// Stderr is a terminal.
    pub(crate) stderr: bool,
    /// Columns of the terminal behind stdout.
    pub(crate) width: Option<u16>,
    /// Colour what goes to stdout.
    pub(crate) color_out: bool,
    /// Colour what goes to stderr.
    pub(crate) color_err: bool,
}

impl Terminal {
    /// Looks at the process's own streams and environment.
    pub(crate) fn detect(when: ColorWhen) -> Self {
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let plain = std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty())
            || std::env::var_os("TERM").is_some_and(|it| it == "dumb");
        let color = |terminal: bool| match when {
            ColorWhen::Auto => terminal && !plain,
            ColorWhen::Always => true,
            ColorWhen::Never => false,
        };
        Self {
            stdin: io::stdin().is_terminal(),
            stdout,
            stderr,
            width: stdout.then(|| comfy_table::Table::new().width()).flatten(),
            color_out: color(stdout),
            color_err: color(stderr),
        }
    }
}

/// Set once a write to stdout or stderr met a closed pipe.
static PIPE_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether the reader of our output went away (`| head`): a quiet end, not an error.
pub(crate) fn pipe_closed() -> bool {
    PIPE_CLOSED.load(Ordering::Relaxed)
}

/// Remembers when `result` says that the reader went away, whatever library wraps the error later.
fn noting<T>(result: io::Result<T>) -> io::Result<T> {
    if let Err(error) = &result
        && error.kind() == io::ErrorKind::BrokenPipe
    {
        PIPE_CLOSED.store(true, Ordering::Relaxed);
    }
    result
}

/// The process's stdout, remembering a closed pipe. Wrap it in a `BufWriter`.
#[derive(Debug, Default)]
pub(crate) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        noting(io::stdout().lock().write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        noting(io::stdout().lock().flush())
    }
}
