//! Other crates' errors as failures: which exit code, which place, which words.

use std::path::{Path, PathBuf};

use datafusion::error::DataFusionError;
use sectorlake_lake::LakeError;
use sectorlake_pipeline::{FailureKind, Problem, ProjectError};
use sectorlake_query::QueryError;

use crate::exit::{Exit, Failure, Snippet};

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
    Failure::new(Exit::Usage, message)
        .maybe_help(problem.help.clone())
        .snippet(snippet)
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

/// A failure of the statement `sql`, with its place where the engine tells one.
pub(crate) fn of_engine(error: &DataFusionError, sql: &str) -> Failure {
    let root = error.find_root();
    if let DataFusionError::External(inner) = root
        && let Some(error) = inner.downcast_ref::<LakeError>()
    {
        return of_lake(error);
    }
    let exit = match root {
        DataFusionError::SQL(..)
        | DataFusionError::Plan(_)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Configuration(_) => Exit::Usage,
        // Values that do not fit what the statement asks: a cast, a division by zero, an overflow.
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => Exit::Usage,
        _ => Exit::Internal,
    };
    let text = words(root);
    let help = match root {
        DataFusionError::ResourcesExhausted(_) => {
            Some("raise `memory:` in pipelines/sectorlake.yaml or ask for less at once".to_owned())
        }
        _ => suggestion(&text),
    };
    let place = place(error, &text, sql);
    Failure::new(exit, without_place(&text))
        .maybe_help(help)
        .snippet(place)
}

/// The message without the engine's class of error in front.
fn words(error: &DataFusionError) -> String {
    let text = match error {
        DataFusionError::SQL(inner, _) => inner.to_string(),
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::Configuration(text)
        | DataFusionError::ResourcesExhausted(text) => text.clone(),
        DataFusionError::SchemaError(inner, _) => inner.to_string(),
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        DataFusionError::External(inner) => inner.to_string(),
        other => other.strip_backtrace(),
    };
    let text = text.strip_prefix("sql parser error: ").unwrap_or(&text);
    let text = text.split("\n\nbacktrace:").next().unwrap_or(text);
    text.trim_end().to_owned()
}

/// The engine's own guess.
fn suggestion(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Did you mean '")?;
    let (name, _) = rest.split_once('\'')?;
    Some(format!("did you mean `{name}`?"))
}

/// Where in the statement: from the engine's span, else from the parser's words `at Line: 1, Column: 8`.
fn place(error: &DataFusionError, text: &str, sql: &str) -> Option<Snippet> {
    if let Some(span) = error.diagnostic().and_then(|it| it.span) {
        let (line, column) = (span.start.line as usize, span.start.column as usize);
        if line > 0 {
            return Snippet::at(STATEMENT, sql, line, column);
        }
    }
    let (_, rest) = text.rsplit_once("at Line: ")?;
    let (line, rest) = rest.split_once(", Column: ")?;
    let column: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Snippet::at(STATEMENT, sql, line.parse().ok()?, column.parse().ok()?)
}

/// The sentence alone: the place is shown beside the statement, the guess as help, and the list of all valid fields is a `\d` away.
fn without_place(text: &str) -> String {
    let ends = [
        " at Line: ",
        " Did you mean '",
        "\nDid you mean '",
        " Valid fields are ",
        "\nValid fields are ",
    ];
    let end = ends.iter().filter_map(|it| text.find(it)).min();
    text[..end.unwrap_or(text.len())]
        .trim_end_matches('.')
        .replace("datafusion.public.", "")
        .replace("'datafusion.", "'")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use datafusion::prelude::{SessionConfig, SessionContext};
    use futures::TryStreamExt as _;

    use super::*;
    use crate::report::{Look, render};

    async fn message(sql: &str) -> String {
        let mut config = SessionConfig::new();
        config.options_mut().sql_parser.collect_spans = true;
        let session = SessionContext::new_with_config(config);
        session
            .sql("CREATE TABLE stops (stop_id INT, stop_name TEXT) AS VALUES (1, 'a')")
            .await
            .unwrap();
        let error = match session.sql(sql).await {
            Err(error) => error,
            Ok(frame) => {
                let stream = frame.execute_stream().await.unwrap();
                stream.try_collect::<Vec<_>>().await.unwrap_err()
            }
        };
        render(&of_engine(&error, sql), Look::Plain)
    }

    #[tokio::test]
    async fn messages_name_the_place_and_the_mend() {
        insta::assert_snapshot!(message("SELECT 1\nFORM stops").await, @r#"
        error: statement:2:6: Expected: end of statement, found: stops
          2 | FORM stops
            |      ^^^^^
        "#);
        insta::assert_snapshot!(message("SELECT 1 +\n FROM stops").await, @r#"
        error: statement:2:2: No field named from
          2 |  FROM stops
            |  ^^^^
        "#);
        insta::assert_snapshot!(message("SELECT stop_nam FROM stops").await, @r#"
        error: statement:1:8: No field named stop_nam
          1 | SELECT stop_nam FROM stops
            |        ^^^^^^^^
          help: did you mean `stops.stop_name`?
        "#);
        insta::assert_snapshot!(message("SELECT xyzzy FROM stops").await, @r#"
        error: statement:1:8: No field named xyzzy
          1 | SELECT xyzzy FROM stops
            |        ^^^^^
        "#);
        insta::assert_snapshot!(message("SELECT * FROM stopps").await, @r#"
        error: statement:1:15: table 'stopps' not found
          1 | SELECT * FROM stopps
            |               ^^^^^^
        "#);
        insta::assert_snapshot!(message("SELECT lenght(stop_name) FROM stops").await, @r#"
        error: statement:1:8: Invalid function 'lenght'
          1 | SELECT lenght(stop_name) FROM stops
            |        ^^^^^^
          help: did you mean `length`?
        "#);
        insta::assert_snapshot!(message("SELECT stop_id / (stop_id - 1) FROM stops").await, @r#"error: Divide by zero error"#);
        insta::assert_snapshot!(message("SELECT CAST(stop_name AS INT) FROM stops").await, @r#"error: Cast error: Cannot cast string 'a' to value of Int32 type"#);
    }

    #[test]
    fn a_problem_is_shown_in_its_file() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("bus.yaml"), "source:\n  conector: gtfs\n").unwrap();
        let problem = |file: &str, line| Problem {
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
