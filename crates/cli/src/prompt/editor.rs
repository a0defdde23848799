//! The line editor: rustyline with our names, a prompt that shows an open statement and a history file.

use std::path::PathBuf;

use rustyline::completion::{Completer, Pair};
use rustyline::config::Configurer as _;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, CompletionType, Config, Context, Editor, Helper};

use super::complete::Names;

/// Statements kept in the history file.
const HISTORY_MAX: usize = 2000;

/// Asks for a statement or a command.
const PROMPT: &str = "sectorlake> ";
/// Asks for the rest of a statement: as wide, so that its lines stand below each other.
const MORE: &str = "       ...> ";

/// What the user did at the prompt.
pub(super) enum Entry {
    /// What was typed, or pasted, up to Enter.
    Line(String),
    /// Ctrl-C: what was typed is thrown away, the lines before it too.
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
        editor.set_helper(Some(Sql {
            names,
            open: String::new(),
        }));
        let history = history_file();
        if let Some(path) = &history {
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Reads a line; `open` is what the statement has so far.
    pub(super) fn read(&mut self, open: &str) -> Result<Entry, ReadlineError> {
        if let Some(sql) = self.editor.helper_mut() {
            open.clone_into(&mut sql.open);
        }
        let prompt = if open.is_empty() { PROMPT } else { MORE };
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Entry::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Entry::Cancelled),
            Err(ReadlineError::Eof) => Ok(Entry::End),
            Err(error) => Err(error),
        }
    }

    /// Puts a whole statement into the history.
    pub(super) fn remember(&mut self, text: &str) -> Result<(), ReadlineError> {
        if !text.trim().is_empty() {
            self.editor.add_history_entry(text.trim_end())?;
            self.save();
        }
        Ok(())
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
    /// The lines of the open statement before this one: they name tables, too.
    open: String,
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
        let text = format!("{}\n{line}", self.open);
        let before = text.len() - line.len();
        let (start, found) = self.names.candidates(&text, before + pos);
        let start = start.saturating_sub(before);
        let pairs = found.into_iter().map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

impl Validator for Sql {}
