//! Errors at the edge: miette's drawing on a terminal, plain lines that grep well elsewhere, JSON on request.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme};
use serde_json::json;

use crate::exit::Failure;

/// How errors are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Drawn, in colours or without.
    Fancy {
        /// With ANSI colours.
        color: bool,
        /// Columns to wrap at.
        width: u16,
    },
    /// `error: file:line:column: message`, one fact a line.
    Plain,
    /// One JSON object a line.
    Json,
}

/// The failure as text, ending with a line break.
pub(crate) fn render(failure: &Failure, look: Look) -> String {
    match look {
        Look::Fancy { color, width } => fancy(failure, color, width),
        Look::Plain => plain(failure),
        Look::Json => format!("{}\n", json(failure)),
    }
}

/// What a machine reads of a failure.
pub(crate) fn json(failure: &Failure) -> serde_json::Value {
    let mut value = json!({
        "level": "error",
        "message": failure.message,
        "exit_code": failure.exit as u8,
    });
    if !failure.causes.is_empty() {
        value["causes"] = json!(failure.causes);
    }
    if let Some(help) = &failure.help {
        value["help"] = json!(help);
    }
    if let Some(snippet) = &failure.snippet {
        let (line, column) = snippet.place();
        value["file"] = json!(snippet.name);
        value["line"] = json!(line);
        value["column"] = json!(column);
    }
    value
}

fn fancy(failure: &Failure, color: bool, width: u16) -> String {
    let theme = if color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(usize::from(width.max(40)));
    let mut text = String::new();
    if handler.render_report(&mut text, failure).is_err() {
        return plain(failure);
    }
    text
}

fn plain(failure: &Failure) -> String {
    let mut text = String::from("error: ");
    if let Some(snippet) = &failure.snippet {
        let (line, column) = snippet.place();
        let _ = write!(text, "{}:{line}:{column}: ", snippet.name);
    }
    let _ = writeln!(text, "{}", failure.message);
    for cause in &failure.causes {
        let _ = writeln!(text, "  caused by: {cause}");
    }
    if let Some(snippet) = &failure.snippet {
        let (line, column) = snippet.place();
        let shown = snippet.text.lines().nth(line - 1).unwrap_or_default();
        let end = (snippet.offset + snippet.length).min(snippet.text.len());
        let marked = snippet.text.get(snippet.offset..end).unwrap_or_default();
        let gutter = line.to_string();
        let _ = writeln!(text, "  {gutter} | {shown}");
        let _ = writeln!(
            text,
            "  {:gutter$} | {:column$}{}",
            "",
            "",
            "^".repeat(marked.chars().count().max(1)),
            gutter = gutter.len(),
            column = column - 1,
        );
    }
    if let Some(help) = &failure.help {
        let _ = writeln!(text, "  help: {help}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::exit::{Exit, Snippet};

    fn failure() -> Failure {
        let text = "source:\n  conector: gtfs\n";
        Failure::new(Exit::Usage, "unknown key `conector`")
            .help("did you mean `connector`?")
            .snippet(Some(
                Snippet::at("pipelines/transport/bus.yaml", text, 2, 3).unwrap(),
            ))
    }

    #[test]
    fn plain_names_file_line_column_and_mend() {
        insta::assert_snapshot!(render(&failure(), Look::Plain), @r"
        error: pipelines/transport/bus.yaml:2:3: unknown key `conector`
          2 |   conector: gtfs
            |   ^^^^^^^^
          help: did you mean `connector`?
        ");
    }

    #[test]
    fn fancy_draws_the_place() {
        let look = Look::Fancy {
            color: false,
            width: 80,
        };
        insta::assert_snapshot!(render(&failure(), look), @r#"
         × unknown key `conector`
          ╭─[pipelines/transport/bus.yaml:2:3]
        1 │ source:
        2 │   conector: gtfs
          ·   ────┬───
          ·       ╰── here
          ╰────
         help: did you mean `connector`?
        "#);
    }

    #[test]
    fn fancy_draws_where_a_text_ends() {
        let end = Snippet {
            name: "statement".to_owned(),
            text: "select\n1 +".to_owned(),
            offset: 10,
            length: 0,
        };
        let failure = Failure::new(Exit::Usage, "Expected: an expression").snippet(Some(end));
        let look = Look::Fancy {
            color: false,
            width: 80,
        };
        insta::assert_snapshot!(render(&failure, look), @"
         × Expected: an expression
          ╭─[statement:2:3]
        1 │ select
        2 │ 1 +
          ·   ┬
          ·   ╰── here it ends
          ╰────
        ");
    }

    #[test]
    fn json_is_one_line() {
        insta::assert_snapshot!(render(&failure(), Look::Json), @r#"{"column":3,"exit_code":2,"file":"pipelines/transport/bus.yaml","help":"did you mean `connector`?","level":"error","line":2,"message":"unknown key `conector`"}"#);
    }
}
