//! The interactive prompt, and scripts on standard input.

mod command;
mod complete;
mod editor;
pub(crate) mod statement;

use std::io::Write as _;
use std::time::{Duration, Instant};

use rustyline::error::ReadlineError;
use tokio::runtime::Runtime;

use self::command::Command;
pub(crate) use self::complete::Names;
use self::editor::{Entry, Reader};
use crate::answer::{say, write_out};
use crate::catalog::{self, Audience, Language};
use crate::commands::describe;
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::output::Destination;
use crate::session::Session;
use crate::terminal::{Terminal, pipe_closed};

/// The prompt at work.
pub(crate) struct Prompt<'a> {
    /// What is asked.
    pub(crate) session: &'a Session,
    /// What runs the statements.
    pub(crate) runtime: &'a Runtime,
    /// Where it stands.
    pub(crate) terminal: Terminal,
    /// How answers look.
    pub(crate) destination: Destination,
    /// How errors look.
    pub(crate) errors: crate::report::Look,
    /// Whether each statement's time is told.
    pub(crate) timing: bool,
}

/// Told to whoever would leave in the middle of a statement.
const STATEMENT_IS_OPEN: &str =
    "A statement is open: end it with ; or drop it with Ctrl-C. \\q ends the prompt.\n";

/// Whether the prompt goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

impl Prompt<'_> {
    /// Reads and answers until Ctrl-D, `\q` or `exit`.
    ///
    /// # Errors
    /// The terminal fails. A statement that fails is told and the prompt goes on.
    pub(crate) fn run(&mut self) -> Result<(), Failure> {
        let names = self.runtime.block_on(self.session.names());
        let mut reader =
            Reader::open(names, self.terminal.color_out).map_err(|error| broken(&error))?;
        say(&greeting(self.session))?;
        let mut open = String::new();
        loop {
            let line = match reader.read(&open).map_err(|error| broken(&error))? {
                Entry::Line(line) => line,
                Entry::Cancelled => {
                    open.clear();
                    continue;
                }
                Entry::End => break,
            };
            if self.take(&mut reader, &mut open, &line)? == Next::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Adds a line to the open statement, and answers what it finishes.
    fn take(
        &mut self,
        reader: &mut Reader,
        open: &mut String,
        line: &str,
    ) -> Result<Next, Failure> {
        match command::bare(line) {
            Some(command) if open.is_empty() => return self.obey(command),
            // The word may be part of the statement, so it stays, as in psql.
            Some(_) => say(STATEMENT_IS_OPEN)?,
            None if !open.is_empty() && line.trim() == "\\q" => return Ok(Next::Stop),
            None => {}
        }
        if !open.is_empty() {
            open.push('\n');
        }
        open.push_str(line);
        if !statement::is_finished(open) {
            return Ok(Next::Go);
        }
        let text = std::mem::take(open);
        reader.remember(&text).map_err(|error| broken(&error))?;
        self.answer(&text)
    }

    fn answer(&mut self, text: &str) -> Result<Next, Failure> {
        if text.trim_start().starts_with('\\') {
            return match command::parse(text.trim()) {
                Ok(command) => self.obey(command),
                Err(message) => say(&format!("{message}\n")).map(|()| Next::Go),
            };
        }
        for statement in statement::split(text).all() {
            let started = Instant::now();
            let answered = self.runtime.block_on(ask(
                self.session,
                statement,
                &self.destination,
                &self.terminal,
            ));
            self.told(answered)?;
            if self.timing {
                say(&format!("Time: {}\n", spelled(started.elapsed())))?;
            }
        }
        Ok(Next::Go)
    }

    /// Prints a failure and goes on; only a reader that went away ends the prompt.
    fn told(&self, result: Result<u64, Failure>) -> Result<(), Failure> {
        match result {
            Ok(_) => Ok(()),
            Err(failure) if pipe_closed() => Err(failure),
            Err(failure) if failure.exit == Exit::Interrupted => say("Cancelled.\n"),
            Err(failure) => {
                let text = crate::report::render(&failure, self.errors);
                let _ = std::io::stderr().lock().write_all(text.as_bytes());
                Ok(())
            }
        }
    }

    fn obey(&mut self, command: Command) -> Result<Next, Failure> {
        let on = |switch: bool| if switch { "on" } else { "off" };
        match command {
            Command::Quit => return Ok(Next::Stop),
            Command::Help => say(command::HELP)?,
            Command::Timing(wanted) => {
                self.timing = wanted.unwrap_or(!self.timing);
                say(&format!("Timing is {}.\n", on(self.timing)))?;
            }
            Command::Expanded(wanted) => {
                let look = &mut self.destination.look;
                look.expanded = wanted.unwrap_or(!look.expanded);
                let state = on(look.expanded);
                say(&format!("Expanded display is {state}.\n"))?;
            }
            Command::Tables(word) => self.list(&catalog::tables(
                word.as_deref(),
                Language::of_user(),
                Audience::Person,
            ))?,
            Command::Schemas => self.list(&catalog::schemas())?,
            Command::Describe(table) => {
                let described = self.runtime.block_on(describe(
                    self.session,
                    &table,
                    &self.destination,
                    &self.terminal,
                ));
                self.told(described)?;
            }
        }
        Ok(Next::Go)
    }

    fn list(&self, sql: &str) -> Result<(), Failure> {
        let answered =
            self.runtime
                .block_on(ask(self.session, sql, &self.destination, &self.terminal));
        self.told(answered)
    }
}

/// Plans a statement and writes its answer; Ctrl-C cancels either.
pub(crate) async fn ask(
    session: &Session,
    sql: &str,
    destination: &Destination,
    terminal: &Terminal,
) -> Result<u64, Failure> {
    let stream = or_interrupted(session.sql(sql)).await?;
    write_out(stream, sql, destination, terminal).await
}

fn greeting(session: &Session) -> String {
    let state = match session.snapshot_number() {
        Some(number) => format!("snapshot {number}"),
        None => "an empty lake: `sectorlake run --all` fills it".to_owned(),
    };
    format!(
        "sectorlake {} · {state} · \\? for help\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn spelled(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

fn broken(error: &ReadlineError) -> Failure {
    Failure::from_error(Exit::Internal, error)
}
