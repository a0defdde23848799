//! Other crates' errors as failures: which exit code, which place, which words.

mod engine;
mod filter;

use std::path::{Path, PathBuf};

use sectorlake_lake::LakeError;
use sectorlake_pipeline::{FailureKind, Level, Problem, ProjectError};
use sectorlake_query::QueryError;

use crate::exit::{Exit, Failure, Snippet};

pub(crate) use self::engine::{of_engine, sentence};

/// The name a statement goes by in messages.
pub(crate) const STATEMENT: &str = "statement";

/// A lake that cannot be read or written.
pub(crate) fn of_lake(error: &LakeError) -> Failure {
    let exit = match error {
        LakeError::Locked { .. } => Exit::Locked,
        LakeError::Missing { .. }
        | LakeError::NotALake { .. }
        | LakeError::Newer { .. }
        | LakeError::Location { .. }
        | LakeError::NotCompiledIn { .. }
        | LakeError::NoSnapshot { .. }
        | LakeError::NoSnapshotAsOf { .. } => Exit::Usage,
        _ => Exit::Internal,
    };
    Failure::from_error(exit, error).maybe_help(error.help())
}

/// A session that cannot be opened.
pub(crate) fn of_session(error: &QueryError) -> Failure {
    match error {
        QueryError::Lake(error) => of_lake(error),
        QueryError::Engine(_) => Failure::from_error(Exit::Internal, error),
    }
}

/// A project that is not there.
pub(crate) fn of_project(error: &ProjectError) -> Failure {
    Failure::from_error(Exit::Usage, error).maybe_help(error.help())
}

/// A problem in one of the project's files, with the place in the file's text.
pub(crate) fn of_problem(problem: &Problem, root: &Path) -> Failure {
    let (name, snippet) = place_in_file(problem, root);
    let message = match snippet {
        Some(_) => problem.message.clone(),
        None => format!("{name}: {}", problem.message),
    };
    let (exit, snippet) = match problem.level {
        Level::Error => (Exit::Usage, snippet),
        Level::Warning => (Exit::Ok, snippet),
        Level::Secret => (Exit::Ok, snippet.map(veiled)),
    };
    Failure::new(exit, message)
        .maybe_help(problem.help.clone())
        .snippet(snippet)
}

/// The same place, and nothing of what stands there or around it: what is warned of may be a secret.
fn veiled(snippet: Snippet) -> Snippet {
    const VEIL: &str = "***";
    let (line, column) = snippet.place();
    let before = "\n".repeat(line - 1) + &" ".repeat(column - 1);
    Snippet {
        offset: before.len(),
        length: VEIL.len(),
        text: before + VEIL,
        ..snippet
    }
}

/// A run that failed.
pub(crate) fn of_run(
    pipeline: &str,
    failure: &sectorlake_pipeline::Failure,
    root: &Path,
) -> Failure {
    let exit = match failure.kind {
        FailureKind::Usage => Exit::Usage,
        FailureKind::Data | FailureKind::Source => Exit::AllFailed,
        FailureKind::Storage => Exit::Internal,
        FailureKind::Locked => Exit::Locked,
    };
    let snippet = failure
        .place
        .as_deref()
        .and_then(|place| place_in_file(place, root).1);
    Failure::new(exit, format!("{pipeline}: {}", failure.message))
        .maybe_help(failure.help.clone())
        .snippet(snippet)
}

/// The file as one would type it from here, and the place in it where one is known and the file can be read.
fn place_in_file(problem: &Problem, root: &Path) -> (String, Option<Snippet>) {
    let path = root.join(&problem.file);
    let name = from_here(&path).display().to_string();
    if problem.line == 0 {
        return (name, None);
    }
    let snippet = std::fs::read_to_string(&path)
        .ok()
        .and_then(|text| Snippet::at(&name, &text, problem.line, problem.column.max(1)));
    match snippet {
        Some(snippet) => (name, Some(snippet)),
        None => (
            format!("{name}:{}:{}", problem.line, problem.column.max(1)),
            None,
        ),
    }
}

fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(here).unwrap_or(path);
    short.strip_prefix(".").unwrap_or(short).to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::report::{Look, render};

    #[test]
    fn a_problem_is_shown_in_its_file() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("bus.yaml"), "source:\n  conector: gtfs\n").unwrap();
        let problem = |file: &str, line| Problem {
            level: Level::Error,
            file: file.into(),
            line,
            column: 3,
            message: "unknown key `conector`".to_owned(),
            help: Some("did you mean `connector`?".to_owned()),
        };
        let shown = |problem: &Problem| {
            let text = render(&of_problem(problem, root.path()), Look::Plain);
            text.replace(&root.path().display().to_string(), "ROOT")
        };
        insta::assert_snapshot!(shown(&problem("bus.yaml", 2)), @r"
        error: ROOT/bus.yaml:2:3: unknown key `conector`
          2 |   conector: gtfs
            |   ^^^^^^^^
          help: did you mean `connector`?
        ");
        let warning = |level| Problem {
            level,
            ..problem("bus.yaml", 2)
        };
        insta::assert_snapshot!(shown(&warning(Level::Warning)), @r"
        warning: ROOT/bus.yaml:2:3: unknown key `conector`
          2 |   conector: gtfs
            |   ^^^^^^^^
          help: did you mean `connector`?
        ");
        insta::assert_snapshot!(shown(&warning(Level::Secret)), @r"
        warning: ROOT/bus.yaml:2:3: unknown key `conector`
          2 |   ***
            |   ^^^
          help: did you mean `connector`?
        ");
        insta::assert_snapshot!(shown(&problem("bus.yaml", 0)), @r"
        error: ROOT/bus.yaml: unknown key `conector`
          help: did you mean `connector`?
        ");
        insta::assert_snapshot!(shown(&problem("gone.yaml", 7)), @r"
        error: ROOT/gone.yaml:7:3: unknown key `conector`
          help: did you mean `connector`?
        ");
    }
}
