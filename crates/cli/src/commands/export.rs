//! `sectorlake rejected --export`.

use std::path::Path;

use sectorlake_lake::Lake;
use sectorlake_pipeline::{ExportContext, ExportRequest, Language, Project, export};

use crate::answer::say;
use crate::args::{ReasonLanguage, RejectedArgs};
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::numbers::grouped;
use crate::{catalog, environment, fault, registry};

/// Writes the rejected rows of a pipeline as a spreadsheet in the source's own columns.
///
/// # Errors
/// There is no such pipeline, the lake cannot be read, or the file not be written.
pub(super) fn run(context: &Context, args: &RejectedArgs, file: &Path) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    let registry = registry::all();
    // What is wrong with a pipeline's files comes back as that pipeline's failure.
    let (project, _) = Project::load(&root, &registry);
    super::run::known(&args.pipelines, &project)?;
    let [pipeline] = args.pipelines.as_slice() else {
        let message = "--export is of one pipeline: its file has the columns of one source";
        let help = format!("name one of {}", args.pipelines.join(", "));
        return Err(Failure::new(Exit::Usage, message).help(help));
    };
    let request = ExportRequest {
        pipeline: pipeline.clone(),
        path: file.to_owned(),
        language: language(args.language),
    };
    let exported = block_on(async {
        let env = environment::of_this_process();
        let lake = Lake::open(&context.lake_location()?, env.clone()).await;
        let lake = lake.map_err(|error| fault::of_lake(&error))?;
        let of = ExportContext {
            project: &project,
            registry: &registry,
            lake: &lake,
            env: &env,
            http: &environment::http()?,
            environment: &environment::variables(),
        };
        let exporting = async {
            let exported = export(&of, &request).await;
            exported.map_err(|failure| fault::of_run(pipeline, &failure, &root))
        };
        or_interrupted(exporting).await
    })?;
    let rows = exported.rows;
    say(&match rows {
        0 => format!(
            "Nothing waits to be corrected: no row of {pipeline} is rejected in the latest run that judged rows.\n"
        ),
        _ => format!(
            "{} rejected {} written to {}{}\nOnce corrected: sectorlake run {pipeline} --fix {}\n",
            grouped(rows as u64),
            if rows == 1 { "row" } else { "rows" },
            file.display(),
            match exported.is_failed {
                true => ", of the latest run, which failed: with them corrected it is judged anew",
                false => "",
            },
            file.display()
        ),
    })?;
    Ok(Exit::Ok)
}

fn language(asked: Option<ReasonLanguage>) -> Language {
    match asked {
        Some(ReasonLanguage::Vi) => Language::Vi,
        Some(ReasonLanguage::En) => Language::En,
        None => match catalog::Language::of_user() {
            catalog::Language::Vi => Language::Vi,
            catalog::Language::En => Language::En,
        },
    }
}
