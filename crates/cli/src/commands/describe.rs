//! `sectorlake describe`, and the prompt's `\d TABLE`.

use serde_json::{Map, Value};

use crate::answer::{say, write_text};
use crate::args::DescribeArgs;
use crate::at;
use crate::catalog::{self, Language, Titles};
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::numbers::{bytes, grouped};
use crate::output::{Destination, Format};
use crate::prompt::ask;
use crate::session::Session;
use crate::suggest::nearest;
use crate::terminal::Terminal;

/// Columns of a terminal that has room for the titles in every language.
const TITLES_WIDTH: u16 = 110;

/// Shows a table.
///
/// # Errors
/// There is no such table, the lake cannot be read, or the answer not be written.
pub(crate) fn run(context: &Context, args: &DescribeArgs) -> Result<Exit, Failure> {
    let at = at::parse(args.at.snapshot.as_deref())?;
    let destination = context.destination(&args.output);
    block_on(async {
        let session = or_interrupted(Session::open(context, at)).await?;
        describe(&session, &args.table, &destination, &context.terminal).await
    })?;
    Ok(Exit::Ok)
}

/// Writes what is known of a table: drawn, a card and its columns; as JSON, one object; in other formats, the columns.
///
/// # Errors
/// As [`run`].
pub(crate) async fn describe(
    session: &Session,
    table: &str,
    destination: &Destination,
    terminal: &Terminal,
) -> Result<u64, Failure> {
    let mut found = or_interrupted(session.rows(&catalog::table(table))).await?;
    let facts = match found.len() {
        0 => return Err(unknown(session, table).await),
        1 => found.remove(0),
        _ => return Err(ambiguous(table, &found)),
    };
    let name = full_name(&facts);
    match destination.format {
        Format::Json => {
            let columns = session.rows(&catalog::columns_in_full(&name)).await?;
            let count = columns.len() as u64;
            let mut document = facts;
            document.insert(
                "columns".to_owned(),
                columns.into_iter().map(Value::Object).collect(),
            );
            write_text(&format!("{:#}\n", Value::Object(document)), destination)?;
            Ok(count)
        }
        Format::Table if destination.file.is_none() => {
            say(&card(&name, &facts))?;
            let titles = match destination.look.width {
                Some(width) if width < TITLES_WIDTH => Titles::In(Language::of_user()),
                _ => Titles::All,
            };
            let sql = catalog::columns(&name, titles);
            ask(session, &sql, destination, terminal).await
        }
        _ => {
            let sql = catalog::columns(&name, Titles::All);
            ask(session, &sql, destination, terminal).await
        }
    }
}

/// The full name of a table that is asked for by any name.
///
/// # Errors
/// There is none of that name, or several.
pub(super) async fn resolved(session: &Session, table: &str) -> Result<String, Failure> {
    let found = or_interrupted(session.rows(&catalog::table(table))).await?;
    match found.as_slice() {
        [] => Err(unknown(session, table).await),
        [one] => Ok(full_name(one)),
        _ => Err(ambiguous(table, &found)),
    }
}

fn text<'a>(facts: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    facts.get(key)?.as_str().filter(|it| !it.is_empty())
}

fn full_name(facts: &Map<String, Value>) -> String {
    let part = |key| text(facts, key).unwrap_or_default();
    format!("{}.{}", part("table_schema"), part("table_name"))
}

/// What stands above the columns.
fn card(name: &str, facts: &Map<String, Value>) -> String {
    let number = |key: &str| facts.get(key).and_then(Value::as_u64);
    let mut titles: Vec<&str> = ["title_en", "title_vi"]
        .iter()
        .filter_map(|key| text(facts, key))
        .collect();
    titles.dedup();
    let mut card = match titles.as_slice() {
        [] => format!("{name}\n"),
        titles => format!("{name}: {}\n", titles.join(" · ")),
    };
    if let Some(description) = text(facts, "description") {
        card.push_str(&format!("{description}\n"));
    }
    let mut line = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            card.push_str(&format!("  {label:<9} {value}\n"));
        }
    };
    let size = |rows: u64| match (number("file_count"), number("size_bytes")) {
        (Some(files), Some(size)) => {
            let word = if files == 1 { "file" } else { "files" };
            format!(
                "{} in {} {word}, {}",
                grouped(rows),
                grouped(files),
                bytes(size)
            )
        }
        _ => grouped(rows),
    };
    let of = text(facts, "version_of");
    let is_view = text(facts, "table_type").is_some_and(|kind| kind == "VIEW");
    if is_view {
        line("view", of.map(|of| format!("all versions of {of}")));
        line("rows", number("row_count").map(grouped));
    } else {
        line("version", of.map(|of| format!("of {of}")));
        line("rows", number("row_count").map(size));
    }
    for (label, key) in [
        ("key", "primary_key"),
        ("sources", "sources"),
        ("updated", "updated_at"),
        ("standard", "standard"),
        ("owner", "owner"),
        ("licence", "licence"),
        ("contract", "contract_version"),
    ] {
        line(label, text(facts, key).map(whole_seconds));
    }
    card
}

/// An instant without its fraction; any other text as it is.
fn whole_seconds(text: &str) -> String {
    match text.split_once('.') {
        Some((instant, fraction)) if instant.contains('T') && fraction.ends_with('Z') => {
            format!("{instant}Z")
        }
        _ => text.to_owned(),
    }
}

async fn unknown(session: &Session, table: &str) -> Failure {
    let failure = Failure::new(Exit::Usage, format!("there is no table {table}"));
    let known = match session.rows(&catalog::table_names()).await {
        Ok(rows) => rows,
        Err(failure) => return failure,
    };
    let known: Vec<&str> = known.iter().filter_map(|row| text(row, "name")).collect();
    match nearest(table, &known) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None if known.is_empty() => {
            failure.help("the lake is empty: `sectorlake run --all` fills it")
        }
        None => failure.help("`sectorlake tables` lists them"),
    }
}

fn ambiguous(table: &str, found: &[Map<String, Value>]) -> Failure {
    let names: Vec<String> = found.iter().map(full_name).collect();
    Failure::new(Exit::Usage, format!("several tables are called {table}"))
        .help(format!("name one: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn the_card_says_what_is_known_and_nothing_else() {
        let facts = json!({
            "table_schema": "transport", "table_name": "stops", "title_vi": "Điểm dừng", "title_en": "Stops",
            "description": null, "row_count": 12345, "file_count": 3, "size_bytes": 54321,
            "sources": "cairns-bus, frioul-ferry", "updated_at": "2026-01-01T00:00:00.123456Z",
            "primary_key": "feed_id, stop_id", "licence": "", "owner": null, "standard": "GTFS", "contract_version": "1.0.0",
        });
        insta::assert_snapshot!(card("transport.stops", facts.as_object().unwrap()), @"
        transport.stops: Stops · Điểm dừng
          rows      12,345 in 3 files, 53.0 KiB
          key       feed_id, stop_id
          sources   cairns-bus, frioul-ferry
          updated   2026-01-01T00:00:00Z
          standard  GTFS
          contract  1.0.0
        ");
    }
}
