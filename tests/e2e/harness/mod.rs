//! What every test needs: a project in a temporary folder, a run of the binary, what it said.

use std::io::Write as _;

mod binary;
mod done;
mod filters;
mod project;
mod random;

pub(crate) use binary::{command, ours, repository};
pub(crate) use done::Done;
pub(crate) use filters::settings;
pub(crate) use project::Project;
pub(crate) use random::Random;

/// Snapshots what was run and what came of it, with temporary paths, times and ids masked.
macro_rules! assert_said {
    ($done:expr) => {
        $crate::harness::settings().bind(|| insta::assert_snapshot!($done.to_string()))
    };
}
pub(crate) use assert_said;

/// Whether a check that cannot be made here is a failure.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|it| !it.is_empty() && it != "false" && it != "0")
}

/// Whether the long forms are asked for (`make soak`).
pub(crate) fn is_soak() -> bool {
    std::env::var("SECTORLAKE_SOAK").is_ok_and(|it| it == "1")
}

/// Says loudly that a check could not be made; where continuous integration runs, that fails.
pub(crate) fn skip(what: &str, why: &str) {
    assert!(!is_ci(), "{what} could not be checked: {why}");
    // Past the test's own capture: a test that passes shows nothing else.
    let _ = writeln!(std::io::stderr(), "!! SKIPPED: {what}: {why}");
}
