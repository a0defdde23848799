//! Errors at the edge: miette's drawing on a terminal, plain lines that grep well elsewhere, JSON on request.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme};
use serde_json::json;

use crate::exit::{Exit, Failure};

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
        "level": level(failure),
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

/// What goes on all the same is a warning.
fn level(failure: &Failure) -> &'static str {
    match failure.exit {
        Exit::Ok => "warning",
        _ => "error",
    }
}

fn fancy(failure: &Failure, color: bool, width: u16) -> String {
    // The drawing shows whole lines, whatever their length.
    let too_long = failure.snippet.as_ref().is_some_and(|snippet| {
        line_of(&snippet.text, snippet.place().0).chars().count() > LINE_CHARS_MAX
    });
    if too_long {
        return plain(failure);
    }
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

/// Characters of a line that is shown; of a longer one, a piece around the place.
const LINE_CHARS_MAX: usize = 160;

fn line_of(text: &str, line: usize) -> &str {
    text.lines().nth(line - 1).unwrap_or_default()
}

/// The piece of a line to show, and the column in it.
fn window(line: &str, column: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= LINE_CHARS_MAX {
        return (line.to_owned(), column);
    }
    let start = column.saturating_sub(LINE_CHARS_MAX / 2);
    let piece: String = line.chars().skip(start).take(LINE_CHARS_MAX).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + LINE_CHARS_MAX < length {
        "…"
    } else {
        ""
    };
    let column = column - start + before.chars().count();
    (format!("{before}{piece}{after}"), column)
}

fn plain(failure: &Failure) -> String {
    let mut text = format!("{}: ", level(failure));
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
        let (shown, column) = window(line_of(&snippet.text, line), column);
        let end = (snippet.offset + snippet.length).min(snippet.text.len());
        let marked = snippet.text.get(snippet.offset..end).unwrap_or_default();
        let gutter = line.to_string();
        let _ = writeln!(text, "  {gutter} | {shown}");
        let _ = writeln!(
            text,
            "  {:gutter$} | {:column$}{}",
            "",
            "",
            "^".repeat(marked.chars().count().clamp(1, LINE_CHARS_MAX / 2)),
            gutter = gutter.len(),
            column = column - 1,
        );
    }
    if let Some(help) = &failure.help {
        // Further lines stand below the first.
        let help = help.replace('\n', "\n        ");
        let _ = writeln!(text, "  help: {help}");
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::exit::Snippet;

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
    fn of_a_long_line_a_piece_is_shown() {
        let text = format!("select {}x", "1 + ".repeat(1000));
        let at = |column| {
            let snippet = Snippet::at("statement", &text, 1, column);
            Failure::new(Exit::Usage, "no").snippet(snippet)
        };
        let look = Look::Fancy {
            color: false,
            width: 80,
        };
        for column in [1, 8, 2000, 4008] {
            let drawn = render(&at(column), look);
            let lines: Vec<&str> = drawn.lines().collect();
            assert!(lines[1].chars().count() <= LINE_CHARS_MAX + 10, "{drawn}");
            let mark = lines[2].chars().position(|c| c == '^').unwrap();
            let shown = lines[1].chars().nth(mark);
            assert_eq!(shown, text.chars().nth(column - 1), "{drawn}");
        }
    }

    #[test]
    fn json_is_one_line() {
        insta::assert_snapshot!(render(&failure(), Look::Json), @r#"{"column":3,"exit_code":2,"file":"pipelines/transport/bus.yaml","help":"did you mean `connector`?","level":"error","line":2,"message":"unknown key `conector`"}"#);
    }
}
