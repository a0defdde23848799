//! `sectorlake tables` and `sectorlake snapshots`.

use crate::args::{ListArgs, OutputArgs, SnapshotsArgs};
use crate::at;
use crate::catalog::{self, Audience, Language};
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::output::Format;
use crate::prompt::ask;
use crate::session::Session;
use sectorlake_lake::At;

const EMPTY: &str = "The lake is empty: `sectorlake run --all` fills it.";

/// Lists the tables.
///
/// # Errors
/// The lake cannot be read, or the list not be written.
pub(crate) fn tables(context: &Context, args: &ListArgs) -> Result<Exit, Failure> {
    let at = at::parse(args.at.snapshot.as_deref())?;
    let reader = reader(context, &args.output);
    let sql = catalog::tables(None, Language::of_user(), reader);
    list(context, at, &args.output, &sql)
}

/// Lists the snapshots.
///
/// # Errors
/// As [`tables`].
pub(crate) fn snapshots(context: &Context, args: &SnapshotsArgs) -> Result<Exit, Failure> {
    let sql = catalog::snapshots(reader(context, &args.output));
    list(context, At::Latest, &args.output, &sql)
}

/// A drawn table is read by a person, all else by a program.
fn reader(context: &Context, output: &OutputArgs) -> Audience {
    match context.destination(output).format {
        Format::Table => Audience::Person,
        _ => Audience::Program,
    }
}

fn list(context: &Context, at: At, output: &OutputArgs, sql: &str) -> Result<Exit, Failure> {
    let mut destination = context.destination(output);
    destination.look.empty = Some(EMPTY);
    block_on(async {
        let session = or_interrupted(Session::open(context, at)).await?;
        ask(&session, sql, &destination, &context.terminal).await
    })?;
    Ok(Exit::Ok)
}
