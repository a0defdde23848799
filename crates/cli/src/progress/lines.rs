//! Log lines for schedulers: one per fact, with fields a machine can read.

use sectorlake_pipeline::{Event, Outcome, Progress};

/// Turns events into log lines.
pub(crate) struct Lines;

impl Progress for Lines {
    fn event(&self, pipeline: &str, event: &Event) {
        match event {
            Event::Started { run } => tracing::info!(pipeline, run, "run started"),
            Event::Fetching { bytes, total } => tracing::debug!(pipeline, bytes, total, "fetching"),
            Event::Fetched { parts, bytes } => {
                tracing::info!(pipeline, parts, bytes, "parts fetched")
            }
            Event::Loading { table, part, rows } => {
                tracing::debug!(pipeline, %table, part, rows, "loading")
            }
            Event::Loaded {
                table,
                loaded,
                rejected,
            } => tracing::info!(pipeline, %table, loaded, rejected, "table loaded"),
            Event::Publishing => tracing::debug!(pipeline, "publishing"),
            Event::Finished(Outcome::Published { snapshot }) => {
                tracing::info!(pipeline, snapshot, "snapshot published")
            }
            Event::Finished(Outcome::Unchanged) => {
                tracing::info!(pipeline, "nothing changed, nothing published")
            }
            // Why, is told once, with place and mend, at the end.
            Event::Finished(Outcome::Failed(_)) => {
                tracing::info!(pipeline, "run failed, nothing published")
            }
        }
    }
}
