//! `sectorlake profile`.

use sectorlake_lake::At;
use serde_json::{Map, Value};

use super::describe::resolved;
use super::rejected::known_run;
use crate::answer::say;
use crate::args::ProfileArgs;
use crate::catalog;
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::output::Format;
use crate::prompt::ask;
use crate::session::Session;

/// Profiles are of what pipelines load, and none loads a view.
fn view(name: &str, versions: &[Map<String, Value>]) -> Failure {
    let names = versions.iter().filter_map(|row| row.get("name")?.as_str());
    let names: Vec<&str> = names.collect();
    let message = format!("{name} is a view over {}", names.join(", "));
    Failure::new(Exit::Usage, message).help(format!(
        "profile those: sectorlake profile {}",
        names.first().copied().unwrap_or_default()
    ))
}

/// Shows what stands in a table's columns: drawn, the fields and what mixes types; in other formats, all that is known.
///
/// # Errors
/// There is no such table, the lake cannot be read, or the answer not be written.
pub(crate) fn run(context: &Context, args: &ProfileArgs) -> Result<Exit, Failure> {
    let mut destination = context.destination(&args.output);
    destination.look.empty =
        Some("No run has profiled it: it was loaded before profiles were kept.");
    let drawn = destination.format == Format::Table && destination.file.is_none();
    let run = args.run.as_deref();
    block_on(async {
        let session = or_interrupted(Session::open(context, At::Latest)).await?;
        let table = resolved(&session, &args.table).await?;
        if let Some(run) = run {
            known_run(&session, run, &[]).await?;
        }
        let versions = or_interrupted(session.rows(&catalog::versions_behind(&table))).await?;
        if !versions.is_empty() {
            return Err(view(&table, &versions));
        }
        if !drawn {
            let sql = catalog::profile_in_full(&table, run);
            return ask(&session, &sql, &destination, &context.terminal).await;
        }
        let sql = catalog::profile(&table, run);
        let rows = ask(&session, &sql, &destination, &context.terminal).await?;
        let mixed = or_interrupted(session.rows(&catalog::mixed(&table, run))).await?;
        let mut below = String::new();
        for column in &mixed {
            let word = |key: &str| column.get(key).and_then(Value::as_str).unwrap_or_default();
            below.push_str(&format!("{}: {}\n", word("column"), word("why")));
        }
        if rows > 0 {
            below.push_str("distinct is an estimate; median and frequent values come from a sample where there are many rows. All of it: meta.profiles, or --json.\n");
        }
        say(&below)?;
        Ok(rows)
    })?;
    Ok(Exit::Ok)
}
