//! `sectorlake sql`.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use sectorlake_lake::At;

use crate::args::SqlArgs;
use crate::at;
use crate::context::{Context, block_on, runtime};
use crate::exit::{Exit, Failure, Snippet};
use crate::fault;
use crate::interrupt::or_interrupted;
use crate::output::{Destination, Format};
use crate::prompt::{Prompt, ask, statement};
use crate::session::Session;

/// Statements, and what messages call the text they stand in.
struct Script {
    name: String,
    text: String,
}

/// Answers the statements, or opens a prompt.
///
/// # Errors
/// There is no statement, or one of them fails: those before it are answered.
pub(crate) fn run(context: &Context, args: &SqlArgs) -> Result<Exit, Failure> {
    let at = at::parse(args.at.snapshot.as_deref())?;
    let mut destination = context.destination(&args.output);
    destination.look.count = true;
    let script = script(context, args)?;
    if let Some(script) = &script {
        check(script, &destination)?;
    }
    match script {
        Some(script) => block_on(async {
            let session = or_interrupted(Session::open_or_empty(context, at)).await?;
            answer(context, &session, &script, &destination).await
        })?,
        None => prompt(context, at, destination)?,
    }
    Ok(Exit::Ok)
}

fn prompt(context: &Context, at: At, destination: Destination) -> Result<(), Failure> {
    let runtime = runtime()?;
    let session = runtime.block_on(or_interrupted(Session::open_or_empty(context, at)))?;
    let ended = Prompt {
        session: &session,
        runtime: &runtime,
        terminal: context.terminal,
        destination,
        errors: context.errors(),
        timing: false,
    }
    .run();
    runtime.shutdown_background();
    ended
}

/// What is asked without a prompt; `None` opens one.
fn script(context: &Context, args: &SqlArgs) -> Result<Option<Script>, Failure> {
    let script = match (&args.sql, &args.file) {
        (Some(sql), _) => Script {
            name: fault::STATEMENT.to_owned(),
            text: sql.clone(),
        },
        (None, Some(path)) if path != Path::new("-") => read(path)?,
        (None, None) if context.terminal.stdin => return Ok(None),
        (None, _) => standard_input()?,
    };
    Ok(Some(script))
}

fn read(path: &Path) -> Result<Script, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("cannot read {}: {error}", path.display()),
        )
        .help("name a file of SQL in UTF-8, or `-` for standard input")
    })?;
    Ok(Script {
        name: path.display().to_string(),
        text: without_mark(text),
    })
}

fn standard_input() -> Result<Script, Failure> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| {
            Failure::new(Exit::Usage, format!("cannot read standard input: {error}"))
                .help("give SQL in UTF-8")
        })?;
    Ok(Script {
        name: "standard input".to_owned(),
        text: without_mark(text),
    })
}

/// The text without the byte order mark that editors on Windows put in front.
fn without_mark(mut text: String) -> String {
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    text
}

/// Refuses, before anything is asked, what could not be written.
fn check(script: &Script, destination: &Destination) -> Result<(), Failure> {
    let count = statement::split(&script.text).all().len();
    if count == 0 {
        return Err(
            Failure::new(Exit::Usage, format!("{} holds no SQL", script.name))
                .help("give a statement, such as sectorlake sql \"SELECT * FROM meta.tables\""),
        );
    }
    let single =
        destination.file.is_some() || matches!(destination.format, Format::Arrow | Format::Parquet);
    if count > 1 && single {
        return Err(Failure::new(
            Exit::Usage,
            format!("{count} statements, but one file holds the answer of one"),
        )
        .help("ask them one by one"));
    }
    Ok(())
}

async fn answer(
    context: &Context,
    session: &Session,
    script: &Script,
    destination: &Destination,
) -> Result<(), Failure> {
    for statement in statement::split(&script.text).all() {
        ask(session, statement, destination, &context.terminal)
            .await
            .map_err(|failure| placed(failure, script, statement))?;
    }
    Ok(())
}

/// A place within one statement becomes a place within the whole text.
fn placed(mut failure: Failure, script: &Script, statement: &str) -> Failure {
    let Some(place) = failure.snippet.take() else {
        return failure;
    };
    let start = statement.as_ptr().addr() - script.text.as_ptr().addr();
    failure.snippet(Some(Snippet {
        name: script.name.clone(),
        text: script.text.clone(),
        offset: start + place.offset,
        length: place.length,
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::output::Look;

    #[test]
    fn a_place_is_told_in_the_whole_file() {
        let script = Script {
            name: "ask.sql".to_owned(),
            text: "-- đường\nselect 1;\n\nselect\n  x;\n".to_owned(),
        };
        let statement = statement::split(&script.text).all()[1];
        let inner = Failure::new(Exit::Usage, "No field named x").snippet(Snippet::at(
            fault::STATEMENT,
            statement,
            2,
            3,
        ));
        let snippet = placed(inner, &script, statement).snippet.unwrap();
        assert_eq!(
            (snippet.name.as_str(), snippet.place()),
            ("ask.sql", (5, 3))
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_sql() {
        assert_eq!(without_mark("\u{feff}select 1".to_owned()), "select 1");
        assert_eq!(
            without_mark("select '\u{feff}'".to_owned()),
            "select '\u{feff}'"
        );
    }

    #[test]
    fn one_file_holds_one_answer() {
        let refused = |text: &str, format, file: Option<&str>| {
            let script = Script {
                name: fault::STATEMENT.to_owned(),
                text: text.to_owned(),
            };
            let destination = Destination {
                format,
                file: file.map(Into::into),
                look: Look::default(),
            };
            check(&script, &destination).err().map(|it| it.message)
        };
        assert_eq!(refused("select 1; select 2", Format::Csv, None), None);
        assert_eq!(
            refused("select 1;", Format::Parquet, Some("a.parquet")),
            None
        );
        assert!(
            refused("select 1; select 2", Format::Csv, Some("a.csv"))
                .unwrap()
                .starts_with("2 statements")
        );
        assert!(refused("select 1; select 2", Format::Arrow, None).is_some());
        assert_eq!(
            refused(" -- nothing", Format::Table, None).unwrap(),
            "statement holds no SQL"
        );
    }
}
