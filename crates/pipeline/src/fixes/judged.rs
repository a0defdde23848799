//! The latest run that judged rows: what it rejected waits to be corrected, whether it was published or failed.

use std::collections::HashSet;

use futures::TryStreamExt;
use sectorlake_lake::{Kind, Lake, Manifest, PipelineState};

use super::rejections::{published, texts};
use super::{UNIT, hash_of};
use crate::result::Failure;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged {
    /// The run, where it failed after the last one that was published.
    pub(crate) failed: Option<String>,
    /// The parts that it read.
    pub(crate) parts: Vec<Manifest>,
}

/// Finds it. A run that failed as it took in a corrected file is passed over: that file is not kept in force, and what it corrects is
/// what the run before rejected.
///
/// # Errors
/// The journal cannot be read.
pub(crate) async fn judged(
    lake: &Lake,
    pipeline: &str,
    state: &PipelineState,
    manifests: &[Manifest],
) -> Result<Judged, Failure> {
    let last = published(&lake.snapshots().await?, pipeline).pop();
    let mut later: Vec<String> = run_names(lake).await?;
    // Ids of runs sort by time.
    later.retain(|run| last.as_ref().is_none_or(|last| run > last));
    for run in later.into_iter().rev() {
        if let Some(hashes) = hashes(lake, &run, pipeline, state).await? {
            return Ok(Judged {
                failed: Some(run),
                parts: of(manifests, &hashes),
            });
        }
    }
    Ok(Judged {
        failed: None,
        parts: of(manifests, &state.parts.iter().cloned().collect()),
    })
}

/// All runs that read parts, in order.
async fn run_names(lake: &Lake) -> Result<Vec<String>, Failure> {
    let files = lake.journal().files(Kind::RunParts).await?;
    let names = files.iter().filter_map(|file| file.location.filename());
    let mut runs: Vec<String> = names
        .filter_map(|name| Some(name.rsplit_once('-')?.0.to_owned()))
        .collect();
    runs.sort_unstable();
    runs.dedup();
    Ok(runs)
}

/// The parts that a run of the pipeline read; none where it is another's, or took in a file of corrections that is not in force.
async fn hashes(
    lake: &Lake,
    run: &str,
    pipeline: &str,
    state: &PipelineState,
) -> Result<Option<HashSet<String>>, Failure> {
    let mut hashes = HashSet::new();
    let mut batches = lake.journal().of_run(Kind::RunParts, run).await?;
    while let Some(batch) = batches.try_next().await? {
        let [pipelines, units, parts] = texts(&batch, ["pipeline", "unit", "part"])?;
        for row in 0..batch.num_rows() {
            let hash = hash_of(parts.value(row));
            let in_force = || state.fixes.iter().any(|fix| fix.part == hash);
            if pipelines.value(row) != pipeline || (units.value(row) == UNIT && !in_force()) {
                return Ok(None);
            }
            if units.value(row) != UNIT {
                hashes.insert(hash.to_owned());
            }
        }
    }
    Ok((!hashes.is_empty()).then_some(hashes))
}

fn of(manifests: &[Manifest], hashes: &HashSet<String>) -> Vec<Manifest> {
    let named = |manifest: &&Manifest| manifest.unit != UNIT && hashes.contains(&manifest.hash);
    manifests.iter().filter(named).cloned().collect()
}
