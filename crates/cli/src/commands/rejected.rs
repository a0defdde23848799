//! `sectorlake rejected`.

use sectorlake_lake::At;

use crate::answer::say;
use crate::args::RejectedArgs;
use crate::catalog;
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::output::Format;
use crate::prompt::ask;
use crate::session::Session;
use crate::suggest::nearest;

/// Shows why rows were rejected, or lists them.
///
/// # Errors
/// The lake cannot be read, or the answer not be written.
pub(crate) fn run(context: &Context, args: &RejectedArgs) -> Result<Exit, Failure> {
    let mut destination = context.destination(&args.output);
    destination.look.empty = Some(match (&args.run, args.all_runs) {
        (Some(_), _) => "Nothing was rejected in that run.",
        (None, true) => "Nothing was ever rejected.",
        (None, false) => "Nothing was rejected in the latest run.",
    });
    // Whoever wants a file wants the rows: the summary is for the eye.
    let rows = args.rows || destination.file.is_some();
    let sql = if rows {
        catalog::rejected_rows(args)
    } else {
        catalog::rejected_summary(args)
    };
    let written = block_on(async {
        let session = or_interrupted(Session::open(context, At::Latest)).await?;
        if let Some(pipeline) = &args.pipeline {
            known(&session, pipeline).await?;
        }
        ask(&session, &sql, &destination, &context.terminal).await
    })?;
    match &destination.file {
        Some(file) => say(&format!(
            "{written} broken rules written to {}\n",
            file.display()
        ))?,
        None if !rows && written > 0 && destination.format == Format::Table => say(&hint(args))?,
        None => {}
    }
    Ok(Exit::Ok)
}

/// A pipeline that never ran is most likely misspelt.
async fn known(session: &Session, pipeline: &str) -> Result<(), Failure> {
    let rows = session.rows(&catalog::pipelines()).await?;
    let names: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.get("name")?.as_str())
        .collect();
    if names.contains(&pipeline) {
        return Ok(());
    }
    let failure = Failure::new(
        Exit::Usage,
        format!("pipeline {pipeline} has never run in this lake"),
    );
    Err(match nearest(pipeline, &names) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help(format!("`sectorlake run {pipeline}` runs it")),
    })
}

fn hint(args: &RejectedArgs) -> String {
    let pipeline = args.pipeline.as_deref().unwrap_or("PIPELINE");
    format!(
        "The rows themselves, for the data's owner: sectorlake rejected {pipeline} -o rejected.csv\n"
    )
}
