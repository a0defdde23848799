//! What one run of the binary said.

use std::fmt;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A run that has ended.
pub(crate) struct Done {
    /// The command line, without the binary's folder.
    pub(crate) line: String,
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl Done {
    /// Runs the command to its end.
    pub(crate) fn of(mut command: Command) -> Self {
        let line = line(&command);
        Self::from_output(line, command.stdin(Stdio::null()).output().unwrap())
    }

    /// From what a process left.
    pub(crate) fn from_output(line: String, output: Output) -> Self {
        Self {
            line,
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, if it ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.whole());
        self
    }

    /// The same, if all went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// The rows of an answer in NDJSON.
    #[track_caller]
    pub(crate) fn rows(self) -> Vec<Value> {
        let done = self.ok();
        done.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The answer in JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let done = self.ok();
        serde_json::from_str(&done.stdout)
            .unwrap_or_else(|error| unreachable!("{error}\n{}", done.whole()))
    }

    /// Whether either output says this.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }

    /// All of it, for a failing test.
    pub(crate) fn whole(&self) -> String {
        format!(
            "$ {}\nexit {:?}\n--- stdout\n{}--- stderr\n{}",
            self.line, self.code, self.stdout, self.stderr
        )
    }

    /// What is complained of: standard error without the lines that only tell of progress.
    fn complaints(&self) -> String {
        let is_progress =
            |line: &&str| line.contains(" INFO ") || line.contains("\"level\":\"INFO\"");
        self.stderr
            .lines()
            .filter(|line| !is_progress(line))
            .flat_map(|line| [line, "\n"])
            .collect()
    }
}

/// As snapshots show it.
impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}", self.line)?;
        match self.code {
            Some(code) => writeln!(f, "exit {code}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        for (name, text) in [
            ("stdout", self.stdout.as_str()),
            ("stderr", self.complaints().as_str()),
        ] {
            if !text.is_empty() {
                write!(f, "--- {name}\n{text}")?;
            }
        }
        Ok(())
    }
}

fn line(command: &Command) -> String {
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    std::iter::once("sectorlake".to_owned())
        .chain(words.map(|word| {
            if word.contains(' ') {
                format!("'{word}'")
            } else {
                word
            }
        }))
        .collect::<Vec<_>>()
        .join(" ")
}
