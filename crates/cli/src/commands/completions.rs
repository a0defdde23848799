//! `sectorlake completions`.

use clap::CommandFactory as _;

use crate::answer::say;
use crate::args::{Cli, CompletionsArgs};
use crate::exit::{Exit, Failure};

/// Prints the script.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sectorlake", &mut script);
    say(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
