//! The `sectorlake` binary: arguments, progress, printing, the prompt. It holds no data logic.
//!
//! Place: the last in the flow; it alone makes the real clock, environment and randomness, and knows every connector.
//! Must not know: how a part is decoded, a contract enforced, a snapshot published or a query planned.
//! Bounds: an answer is printed as it streams, whatever its size.

mod answer;
mod args;
mod at;
mod catalog;
mod commands;
mod context;
mod environment;
mod exit;
mod fault;
mod interrupt;
mod log;
mod numbers;
mod output;
mod progress;
mod prompt;
mod registry;
mod report;
mod session;
mod suggest;
mod summary;
mod tape;
mod terminal;
mod trial;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

use crate::args::Cli;
use crate::context::Context;
use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked_or_wrong) => {
            // Help and version go to stdout, the rest to stderr; a reader that went away is no news.
            let _ = asked_or_wrong.print();
            let exit = if asked_or_wrong.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            };
            return exit.into();
        }
    };
    let context = Context::new(cli.global);
    let dispatched = catch_unwind(AssertUnwindSafe(|| {
        commands::dispatch(&context, &cli.command)
    }));
    match dispatched.unwrap_or_else(|_| Err(answer::broken_down())) {
        Ok(exit) => exit.into(),
        Err(_) if terminal::pipe_closed() => Exit::Ok.into(),
        Err(failure) => {
            let text = report::render(&failure, context.errors());
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            failure.exit.into()
        }
    }
}
