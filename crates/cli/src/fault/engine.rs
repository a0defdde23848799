//! The query engine's errors: whose matter they are, in words that name the place and the mend.

use std::error::Error;
use std::io::ErrorKind;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use sectorlake_lake::LakeError;

use super::{STATEMENT, filter, of_lake};
use crate::exit::{Exit, Failure, Snippet};

/// A failure of the statement `sql`, with its place where the engine tells one.
pub(crate) fn of_engine(error: &DataFusionError, sql: &str) -> Failure {
    let root = error.find_root();
    if let DataFusionError::External(inner) = root
        && let Some(error) = inner.downcast_ref::<LakeError>()
    {
        return of_lake(error);
    }
    if let Some(sentence) = filter::failed(&root.strip_backtrace()) {
        let help = filter::help(&sentence);
        return Failure::new(Exit::Usage, sentence).maybe_help(help);
    }
    let exit = match root {
        DataFusionError::ResourcesExhausted(_)
        | DataFusionError::ObjectStore(_)
        | DataFusionError::IoError(_)
        | DataFusionError::ParquetError(_)
        | DataFusionError::ExecutionJoin(_) => Exit::Internal,
        _ if comes_from_storage(root) => Exit::Internal,
        // The statement, or values that do not fit what it asks: a cast, a division by zero, a pattern, a geometry. The engine calls some of
        // these internal; another statement mends them all the same.
        _ => Exit::Usage,
    };
    let text = words(root);
    let help = match root {
        DataFusionError::ResourcesExhausted(_) => {
            Some("raise `memory:` in pipelines/sectorlake.yaml or ask for less at once".to_owned())
        }
        _ if exit == Exit::Internal => storage_help(root),
        _ if text == UNSUPPORTED_OUTER => {
            Some("write it as a join, with what it needs from outside in its ON".to_owned())
        }
        _ if text == TOO_DEEP => {
            Some("nest fewer parentheses or subqueries: WITH gives each a name".to_owned())
        }
        _ => suggestion(&text),
    };
    let place = place(error, &text, sql);
    let (text, help) = match arguments(&text) {
        Some((text, candidates)) => (text, help.or(candidates)),
        None => (without_place(&text), help),
    };
    Failure::new(exit, text).maybe_help(help).snippet(place)
}

/// Whether an error's chain ends at a disk, a network or a file that is not what it should be.
fn comes_from_storage(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // A value that is cut off or no geometry comes as one of these kinds.
        let by_value = [ErrorKind::InvalidData, ErrorKind::UnexpectedEof];
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|it| !by_value.contains(&it.kind()))
            || error.is::<object_store::Error>()
            || error.is::<LakeError>()
            || is_damaged(error)
        {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether a file of the lake is not the Parquet it was.
fn is_damaged(error: &(dyn Error + 'static)) -> bool {
    error.is::<parquet::errors::ParquetError>()
        || matches!(
            error.downcast_ref::<ArrowError>(),
            Some(ArrowError::ParquetError(_))
        )
}

/// What mends an error that is not the statement's.
fn storage_help(error: &DataFusionError) -> Option<String> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if is_damaged(error)
            || matches!(
                error.downcast_ref::<object_store::Error>(),
                Some(object_store::Error::NotFound { .. })
            )
        {
            return Some(
                "a file of the lake is damaged or gone: restore it from a backup".to_owned(),
            );
        }
        next = error.source();
    }
    matches!(error, DataFusionError::IoError(_)).then(|| {
        "what does not fit into memory goes to the temporary folder: set TMPDIR to one with room"
            .to_owned()
    })
}

/// Names of classes of errors that the engine and its libraries put in front of a sentence.
const CLASSES: [&str; 13] = [
    "sql parser error: ",
    "External error: ",
    "General error: ",
    "Execution error: ",
    "Arrow error: ",
    "Internal error: ",
    "Cast error: ",
    "Compute error: ",
    "Parser error: ",
    "Invalid argument error: ",
    "Parquet error: ",
    "Parquet argument error: ",
    "External: ",
];

/// The sentence without its classes, and without where the engine's makers want to hear of it: here the reader is nearer to the mend.
pub(crate) fn sentence(text: &str) -> String {
    let mut text = text;
    while let Some(rest) = CLASSES.iter().find_map(|class| text.strip_prefix(class)) {
        text = rest;
    }
    for end in ["\n\nbacktrace:", "\nThis issue was likely caused by a bug"] {
        text = text.split(end).next().unwrap_or(text);
    }
    if text.contains("ValueWithSpan") {
        // The statement's tree as the parser holds it follows: the statement itself is above.
        let dump = text.find(" { ").unwrap_or(text.len());
        text = text[..dump]
            .rsplit_once(' ')
            .map_or(text, |(before, _)| before);
    }
    pattern(text).unwrap_or_else(|| text.trim_end().to_owned())
}

/// A pattern's fault in one line; the library draws it over four.
fn pattern(text: &str) -> Option<String> {
    let drawn = text.strip_prefix("regex parse error:\n")?;
    let (pattern, fault) = drawn.rsplit_once("\nerror: ")?;
    let pattern = pattern.lines().next()?.trim();
    Some(format!("`{pattern}` is no regular expression: {fault}"))
}

/// The message without the engine's class of error in front.
fn words(error: &DataFusionError) -> String {
    let text = match error {
        DataFusionError::SQL(inner, _) => inner.to_string(),
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::Internal(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::Configuration(text)
        | DataFusionError::ResourcesExhausted(text) => text.clone(),
        DataFusionError::SchemaError(inner, _) => inner.to_string(),
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        DataFusionError::External(inner) => inner.to_string(),
        other => other.strip_backtrace(),
    };
    if text.contains("OuterReferenceColumn(") {
        return UNSUPPORTED_OUTER.to_owned();
    }
    match sentence(&text).as_str() {
        "recursion limit exceeded" => TOO_DEEP.to_owned(),
        text => text.to_owned(),
    }
}

/// What the engine tells as a dump of its plan.
const UNSUPPORTED_OUTER: &str =
    "a subquery or LATERAL join of this shape cannot use columns from outside it";

/// The parser's bound on nesting, which protects the stack.
const TOO_DEEP: &str = "the statement is nested too deeply";

/// How the parser calls the end of a statement.
const AT_END: &str = ", found: EOF";

/// The engine's own guess.
fn suggestion(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Did you mean '")?;
    let (name, _) = rest.split_once('\'')?;
    Some(format!("did you mean `{name}`?"))
}

/// A call whose arguments do not fit: the function's own sentence, or what it would take.
fn arguments(text: &str) -> Option<(String, Option<String>)> {
    let (reason, rest) =
        text.split_once("No function matches the given name and argument types '")?;
    let (call, rest) = rest.split_once("'. You might need to add explicit type casts.")?;
    let own = "user-defined coercion failed with: Error during planning: ";
    if let Some((_, sentence)) = reason.split_once(own) {
        return Some((sentence.trim_end().trim_end_matches('.').to_owned(), None));
    }
    let candidates = rest.lines().map(str::trim);
    let candidates: Vec<&str> = candidates
        .filter(|it| it.ends_with(')') && !it.contains("UserDefined"))
        .collect();
    let help = (!candidates.is_empty()).then(|| format!("there is {}", candidates.join(", ")));
    Some((format!("no function fits {call}"), help))
}

/// Where in the statement: from the engine's span, else from the parser's words `at Line: 1, Column: 8`.
fn place(error: &DataFusionError, text: &str, sql: &str) -> Option<Snippet> {
    if let Some(span) = error.diagnostic().and_then(|it| it.span) {
        let (line, column) = (span.start.line as usize, span.start.column as usize);
        if line > 0 {
            return Snippet::at(STATEMENT, sql, line, column);
        }
    }
    if text.ends_with(AT_END) {
        let end = sql.trim_end().len();
        return Some(Snippet {
            name: STATEMENT.to_owned(),
            text: sql.to_owned(),
            offset: end,
            length: 0,
        });
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
        .replace(AT_END, ", but the statement ends here")
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
        told(sql).await.1
    }

    async fn told(sql: &str) -> (Exit, String) {
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
                let answered = match frame.execute_stream().await {
                    Ok(stream) => stream.try_collect::<Vec<_>>().await,
                    Err(error) => Err(error),
                };
                answered.unwrap_err()
            }
        };
        let failure = of_engine(&error, sql);
        (failure.exit, render(&failure, Look::Plain))
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
        insta::assert_snapshot!(message("SELECT CAST(stop_name AS INT) FROM stops").await, @r#"error: Cannot cast string 'a' to value of Int32 type"#);
        insta::assert_snapshot!(message("SELECT 1 +\n").await, @"
        error: statement:1:11: Expected: an expression, but the statement ends here
          1 | SELECT 1 +
            |           ^
        ");
        insta::assert_snapshot!(message("SELECT 'a' ~ '(?<x>['").await, @"error: `(?<x>[` is no regular expression: unclosed character class");
        insta::assert_snapshot!(message("SELECT array_resize([1], -1)").await, @"error: array_resize: failed to convert size to usize");
    }

    #[tokio::test]
    async fn what_the_engine_dumps_is_told_in_words() {
        insta::assert_snapshot!(message("SELECT array_element([1], 'a')").await, @"
        error: no function fits array_element(List(Int64), Utf8)
          help: there is array_element(array, index)
        ");
        insta::assert_snapshot!(message("SELECT substr(1)").await, @"error: Substring without for/from is not valid");
        let own = "Function 'parse_number' user-defined coercion failed with: Error during planning: parse_number takes 2 to 3 arguments but got 1 arguments. No function matches the given name and argument types 'parse_number(Utf8)'. You might need to add explicit type casts.\n\tCandidate functions:\n\tparse_number(UserDefined)";
        let own = of_engine(&DataFusionError::Plan(own.to_owned()), "SELECT 1");
        insta::assert_snapshot!(own.message, @"parse_number takes 2 to 3 arguments but got 1 arguments");
        let nested = format!("SELECT {}1{}", "(".repeat(100), ")".repeat(100));
        insta::assert_snapshot!(message(&nested).await, @"
        error: the statement is nested too deeply
          help: nest fewer parentheses or subqueries: WITH gives each a name
        ");
        let lateral =
            "SELECT * FROM stops s LEFT JOIN LATERAL (SELECT s.stop_id AS other) l ON true";
        insta::assert_snapshot!(message(lateral).await, @"
        error: a subquery or LATERAL join of this shape cannot use columns from outside it
          help: write it as a join, with what it needs from outside in its ON
        ");
    }

    #[tokio::test]
    async fn values_are_the_statements_matter_and_storage_is_not() {
        for sql in [
            "SELECT array_resize([1], -1)",
            "SELECT 'a' ~ '('",
            "SELECT regexp_replace('a', '(', 'b')",
            "SELECT 1 / 0",
            "SELECT",
        ] {
            let (exit, text) = told(sql).await;
            assert_eq!(exit, Exit::Usage, "{sql}");
            assert!(
                !text.contains("DataFusion") && !text.contains("bug"),
                "{text}"
            );
        }
        let lost = std::io::Error::other("disk");
        let wrapped =
            DataFusionError::External(Box::new(ArrowError::from_external_error(Box::new(lost))));
        assert_eq!(of_engine(&wrapped, "SELECT 1").exit, Exit::Internal);
        let damaged = ArrowError::ParquetError("snappy: corrupt input".to_owned());
        let damaged = of_engine(
            &DataFusionError::ArrowError(Box::new(damaged), None),
            "SELECT 1",
        );
        assert_eq!(damaged.exit, Exit::Internal);
        assert!(damaged.help.is_some_and(|it| it.contains("backup")));
        let strange = DataFusionError::External("General error: Invalid byte order".into());
        let strange = of_engine(&strange, "SELECT 1");
        assert_eq!(
            (strange.exit, strange.message.as_str()),
            (Exit::Usage, "Invalid byte order")
        );
    }
}
