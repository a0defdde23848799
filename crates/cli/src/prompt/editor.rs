//! The line editor: rustyline with our names, our notion of a finished statement and a history file.

use std::path::PathBuf;

use rustyline::completion::{Completer, Pair};
use rustyline::config::Configurer as _;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper};

use super::complete::Names;
use super::statement;

/// Statements kept in the history file.
const HISTORY_MAX: usize = 2000;

/// What the user did at the prompt.
pub(super) enum Entry {
    /// A line starting with `\`, or text whose last statement ends with `;`.
    Text(String),
    /// Ctrl-C: the text is thrown away.
    Cancelled,
    /// Ctrl-D.
    End,
}

/// The editor and where its history lives.
pub(super) struct Reader {
    editor: Editor<Sql, FileHistory>,
    history: Option<PathBuf>,
}

impl Reader {
    /// Opens the editor; a history that cannot be read is no reason to fail.
    pub(super) fn open(names: Names, color: bool) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .max_history_size(HISTORY_MAX)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .build();
        let mut editor = Editor::with_config(config)?;
        if !color {
            editor.set_color_mode(ColorMode::Disabled);
        }
        editor.set_helper(Some(Sql { names }));
        let history = history_file();
        if let Some(path) = &history {
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Reads until a statement is finished.
    pub(super) fn read(&mut self, prompt: &str) -> Result<Entry, ReadlineError> {
        match self.editor.readline(prompt) {
            Ok(text) => {
                if !text.trim().is_empty() {
                    self.editor.add_history_entry(text.trim_end())?;
                    self.save();
                }
                Ok(Entry::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Entry::Cancelled),
            Err(ReadlineError::Eof) => Ok(Entry::End),
            Err(error) => Err(error),
        }
    }

    /// Saved after each entry, so that a crash or a second prompt loses none; failing to is not worth a word.
    fn save(&mut self) {
        let Some(path) = &self.history else { return };
        if let Some(folder) = path.parent() {
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = self.editor.append_history(path);
    }
}

/// `sectorlake/history` in the user's state folder (XDG base directories; %LOCALAPPDATA% on Windows).
fn history_file() -> Option<PathBuf> {
    let folder = |name: &str| {
        let path = PathBuf::from(std::env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    let state = folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/state")))
        .or_else(|| folder("LOCALAPPDATA"))?;
    Some(state.join("sectorlake").join("history"))
}

/// Tells rustyline about SQL.
struct Sql {
    names: Names,
}

impl Helper for Sql {}
impl Highlighter for Sql {}

impl Hinter for Sql {
    type Hint = String;
}

impl Completer for Sql {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = self.names.candidates(line, pos);
        let pairs = found.into_iter().map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

impl Validator for Sql {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(if is_finished(context.input()) {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// Whether Enter sends the text instead of starting a new line.
fn is_finished(text: &str) -> bool {
    text.trim_start().starts_with('\\') || statement::split(text).rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_finished;

    #[test]
    fn enter_sends_finished_statements_and_commands() {
        for (text, finished) in [
            ("", true),
            ("\\dt", true),
            ("select 1", false),
            ("select 1;", true),
            ("select 1; select", false),
            ("select ';", false),
            ("select 1; -- done", true),
        ] {
            assert_eq!(is_finished(text), finished, "{text}");
        }
    }
}
