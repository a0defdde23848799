//! `sectorlake new source`.

use std::fmt::Write as _;

use sectorlake_connector::Io;
use sectorlake_pipeline::{Draft, DraftError, DraftRequest, Project, Told, draft};
use serde_json::json;

use crate::answer::say;
use crate::args::NewSourceArgs;
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::{environment, registry};

/// Looks at a source and writes its pipeline.
///
/// # Errors
/// There is no project, the source cannot be read, or something of that name is there already.
pub(crate) fn run(context: &Context, args: &NewSourceArgs) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    let registry = registry::all();
    let (project, _) = Project::load(&root, &registry);
    let here = std::env::current_dir().map_err(|error| {
        Failure::new(
            Exit::Internal,
            format!("there is no working folder: {error}"),
        )
    })?;
    let env = environment::of_this_process();
    let http = project.introduced(environment::http()?);
    let drafted = block_on(async {
        let request = DraftRequest {
            project: &project,
            registry: &registry,
            io: Io::new(http, env.clock.now()),
            environment: environment::variables(),
            here: &here,
            location: &args.location,
            name: args.name.as_deref(),
            table: args.table.as_deref(),
            format: args.format.as_deref(),
            sector: args.sector.as_deref(),
            told: Told::default(),
        };
        draft(&request).await.map_err(|error| fault(&error))
    })?;
    drafted.write(&root).map_err(|error| fault(&error))?;
    if context.global.json {
        say(&format!("{:#}\n", document(&drafted)))?;
    } else {
        say(&told(&drafted))?;
    }
    Ok(Exit::Ok)
}

pub(super) fn fault(error: &DraftError) -> Failure {
    let exit = match error {
        DraftError::Source(_) => Exit::AllFailed,
        DraftError::File { .. } => Exit::Internal,
        _ => Exit::Usage,
    };
    Failure::from_error(exit, error).maybe_help(error.help())
}

pub(super) fn document(draft: &Draft) -> serde_json::Value {
    let files: Vec<_> = draft
        .files
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    json!({
        "pipeline": draft.name, "files": files, "decisions": draft.decisions, "questions": draft.questions,
        "next": [format!("sectorlake plan {}", draft.name), format!("sectorlake run {}", draft.name)],
    })
}

pub(super) fn told(draft: &Draft) -> String {
    let mut text = String::new();
    for decision in &draft.decisions {
        let _ = writeln!(text, "{decision}");
    }
    if !draft.questions.is_empty() {
        text.push_str("\nTo look at (the same stands in the file's comments):\n");
        for question in &draft.questions {
            let _ = writeln!(text, "  - {question}");
        }
    }
    text.push('\n');
    for (path, _) in &draft.files {
        let _ = writeln!(text, "wrote {}", path.display());
    }
    let _ = writeln!(
        text,
        "Next: `sectorlake plan {0}` shows rows before and after and what would be rejected, then `sectorlake run {0}`.",
        draft.name
    );
    text
}
