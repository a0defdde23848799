//! The prompt's own commands, as psql users expect them.

/// What `\?` prints.
pub(super) const HELP: &str = "\
statements end with ; and may span lines
  \\dt [WORD]   tables (whose name contains WORD)
  \\dn          schemas
  \\d           tables; \\d TABLE: its columns
  \\x           one line per field instead of one per row: on, off
  \\timing      time of each statement: on, off
  \\?           this help (also help)
  \\q           end (also exit, quit, Ctrl-D)
Ctrl-C cancels the running statement, Tab completes names and keywords.
";

/// A command of the prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Tables(Option<String>),
    Schemas,
    Describe(String),
    Expanded(Option<bool>),
    Timing(Option<bool>),
    Help,
    Quit,
}

/// The commands, for completion.
pub(super) const NAMES: [&str; 7] = ["\\?", "\\d", "\\dn", "\\dt", "\\q", "\\timing", "\\x"];

/// The words that are commands without a backslash, where no statement is open.
pub(super) fn bare(line: &str) -> Option<Command> {
    let word = line.trim().trim_end_matches(';').trim_end();
    match word.to_ascii_lowercase().as_str() {
        "exit" | "quit" => Some(Command::Quit),
        "help" => Some(Command::Help),
        _ => None,
    }
}

/// Reads a line that starts with a backslash; the error says what is known.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let mut words = line.trim().trim_end_matches(';').split_whitespace();
    let name = words.next().unwrap_or_default();
    let argument = words.next().map(str::to_owned);
    let switch = || match argument.as_deref() {
        None => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(other) => Err(format!("{name} takes on or off, not {other}")),
    };
    Ok(match name {
        "\\d" | "\\d+" => match argument {
            Some(table) => Command::Describe(table),
            None => Command::Tables(None),
        },
        "\\dt" | "\\dt+" => Command::Tables(argument),
        "\\dn" => Command::Schemas,
        "\\x" => Command::Expanded(switch()?),
        "\\timing" => Command::Timing(switch()?),
        "\\?" | "\\h" | "\\help" => Command::Help,
        "\\q" | "\\quit" => Command::Quit,
        other => return Err(format!("unknown command {other}; \\? lists them")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_read_as_in_psql() {
        let check = |line, expected| assert_eq!(parse(line), expected, "{line}");
        check("\\d", Ok(Command::Tables(None)));
        check("\\dt stop ", Ok(Command::Tables(Some("stop".to_owned()))));
        check(
            "\\d transport.stops;",
            Ok(Command::Describe("transport.stops".to_owned())),
        );
        check("\\x on", Ok(Command::Expanded(Some(true))));
        check("\\timing", Ok(Command::Timing(None)));
        check("\\q", Ok(Command::Quit));
        check(
            "\\x maybe",
            Err("\\x takes on or off, not maybe".to_owned()),
        );
        check("\\w", Err("unknown command \\w; \\? lists them".to_owned()));
    }

    #[test]
    fn three_words_need_no_backslash() {
        for (line, expected) in [
            ("exit", Some(Command::Quit)),
            (" QUIT; ", Some(Command::Quit)),
            ("help", Some(Command::Help)),
            ("exits", None),
            ("", None),
            ("select help", None),
        ] {
            assert_eq!(bare(line), expected, "{line}");
        }
    }

    #[test]
    fn every_name_is_a_command() {
        for name in NAMES {
            assert!(parse(name).is_ok(), "{name}");
            assert!(HELP.contains(name), "{name}");
        }
    }
}
