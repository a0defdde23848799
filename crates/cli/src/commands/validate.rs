//! `sectorlake validate`.

use std::io::Write as _;

use sectorlake_pipeline::Project;
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
    let exit = if failures.is_empty() {
        Exit::Ok
    } else {
        Exit::Usage
    };
    if context.global.json {
        let problems: Vec<_> = failures.iter().map(report::json).collect();
        say(&format!(
            "{:#}\n",
            json!({ "valid": problems.is_empty(), "problems": problems })
        ))?;
        return Ok(exit);
    }
    for failure in &failures {
        let text = report::render(failure, context.errors());
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
    say(&verdict(project.names().len(), failures.len()))?;
    Ok(exit)
}

fn verdict(pipelines: usize, problems: usize) -> String {
    let word = |count: usize, word: &str| {
        if count == 1 {
            format!("1 {word}")
        } else {
            format!("{count} {word}s")
        }
    };
    match problems {
        0 => format!("{}, no problems.\n", word(pipelines, "pipeline")),
        _ => format!("{}.\n", word(problems, "problem")),
    }
}

#[cfg(test)]
mod tests {
    use super::verdict;

    #[test]
    fn verdicts() {
        assert_eq!(verdict(1, 0), "1 pipeline, no problems.\n");
        assert_eq!(verdict(18, 0), "18 pipelines, no problems.\n");
        assert_eq!(verdict(18, 2), "2 problems.\n");
    }
}
