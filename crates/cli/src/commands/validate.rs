//! `sectorlake validate`.

use std::io::Write as _;

use sectorlake_pipeline::{Level, Project};
use serde_json::json;

use crate::answer::say;
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::{fault, registry, report};

/// Checks every YAML, SQL and schema; each problem is told with its place and mend.
///
/// # Errors
/// There is no project, or stdout cannot be written.
pub(crate) fn run(context: &Context) -> Result<Exit, Failure> {
    let root = context.project_root()?;
    let registry = registry::all();
    let (project, mut problems) = Project::load(&root, &registry);
    problems.extend(block_on(or_interrupted(async {
        Ok(sectorlake_pipeline::validate(&project, &registry).await)
    }))?);
    problems.sort_by(|left, right| {
        (&left.file, left.line, left.column).cmp(&(&right.file, right.line, right.column))
    });
    problems.dedup();
    let failures: Vec<Failure> = problems
        .iter()
        .map(|problem| fault::of_problem(problem, &root))
        .collect();
    let errors = problems.iter().filter(|it| it.level == Level::Error);
    let errors = errors.count();
    let exit = match errors {
        0 => Exit::Ok,
        _ => Exit::Usage,
    };
    if context.global.json {
        let problems: Vec<_> = failures.iter().map(report::json).collect();
        say(&format!(
            "{:#}\n",
            json!({ "valid": errors == 0, "problems": problems })
        ))?;
        return Ok(exit);
    }
    for failure in &failures {
        let text = report::render(failure, context.errors());
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
    let warnings = failures.len() - errors;
    say(&verdict(project.names().len(), errors, warnings))?;
    Ok(exit)
}

fn verdict(pipelines: usize, problems: usize, warnings: usize) -> String {
    let word = |count: usize, word: &str| {
        if count == 1 {
            format!("1 {word}")
        } else {
            format!("{count} {word}s")
        }
    };
    match (problems, warnings) {
        (0, 0) => format!("{}, no problems.\n", word(pipelines, "pipeline")),
        (0, _) => format!(
            "{}, no problems, {}.\n",
            word(pipelines, "pipeline"),
            word(warnings, "warning")
        ),
        (_, 0) => format!("{}.\n", word(problems, "problem")),
        _ => format!(
            "{}, {}.\n",
            word(problems, "problem"),
            word(warnings, "warning")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn verdicts() {
        assert_eq!(verdict(1, 0, 0), "1 pipeline, no problems.\n");
        assert_eq!(verdict(18, 0, 0), "18 pipelines, no problems.\n");
        assert_eq!(verdict(18, 0, 1), "18 pipelines, no problems, 1 warning.\n");
        assert_eq!(verdict(18, 2, 0), "2 problems.\n");
        assert_eq!(verdict(18, 2, 1), "2 problems, 1 warning.\n");
    }
}
