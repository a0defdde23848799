//! What is watched, and what would be but for a fault in its file or contract.

use std::path::Path;
use std::time::Duration;

use sectorlake_pipeline::{Problem, Project};

use super::super::run::known;
use crate::exit::{Exit, Failure};
use crate::fault;

/// What a watch is about.
pub(super) struct Choice {
    /// What is watched, and how often it is polled.
    pub(super) sources: Vec<(String, Duration)>,
    /// What cannot be: a fault in one keeps no other from being watched.
    pub(super) lost: Vec<String>,
}

/// The pipelines asked for, else all that are polled.
pub(super) fn choice(asked: &[String], project: &Project) -> Result<Choice, Failure> {
    known(asked, project)?;
    let mut sources = project.continuous();
    let mut lost = project.lost_continuous();
    if !asked.is_empty() {
        sources.retain(|(name, _)| asked.contains(name));
        lost = project.names();
        lost.retain(|name| asked.contains(name) && project.fault(name).is_some());
    }
    let is_met = |name: &String| lost.contains(name) || sources.iter().any(|it| it.0 == *name);
    if let Some(name) = asked.iter().find(|name| !is_met(name)) {
        let message = format!("`{name}` has no interval to poll at");
        return Err(Failure::new(Exit::Usage, message).help(
            "write `schedule: { every: 30s }` into its file, or load it with `sectorlake run`",
        ));
    }
    if sources.is_empty() && lost.is_empty() {
        return Err(Failure::new(Exit::Usage, "no pipeline is polled")
            .help("write `schedule: { every: 30s }` into the file of one"));
    }
    Ok(Choice { sources, lost })
}

/// What keeps each from being watched, as a run of it would tell; what they have in common, such as a contract's fault, once.
pub(super) fn faults(lost: &[String], project: &Project, root: &Path) -> Vec<Failure> {
    let mut told: Vec<(&Problem, Vec<&str>)> = Vec::new();
    for (name, problem) in lost.iter().filter_map(|it| Some((it, project.fault(it)?))) {
        match told.iter_mut().find(|(known, _)| *known == problem) {
            Some((_, names)) => names.push(name),
            None => told.push((problem, vec![name])),
        }
    }
    let faults = told.into_iter();
    faults
        .map(|(problem, names)| fault::of_run(&names.join(", "), &problem.clone().into(), root))
        .collect()
}

/// There is nothing to watch without what is lost.
pub(super) fn nothing_left(lost: &[String]) -> Failure {
    let message = format!("nothing is watched: {} cannot be used", lost.join(", "));
    Failure::new(Exit::Usage, message)
        .help("mend what is told above, and `sectorlake validate` tells the rest")
}
