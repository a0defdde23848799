//! Pipelines: YAML → plan → run; drafts of them from a look at a file, and what comes back corrected.
//!
//! Place: the only joiner of steps, from a connector's bytes to a published snapshot; used by `cli` and `server`.
//! Must not know: any connector by name, terminals, the real clock and environment: all are handed in.
//! Bounds: memory by [`RunContext::memory_bytes_max`], never by the size of a source.
//!
//! ```
//! use sectorlake_connector::Registry;
//! use sectorlake_pipeline::Project;
//!
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! std::fs::create_dir_all(dir.join("pipelines"))?;
//! std::fs::write(dir.join("pipelines/bus.yaml"), "source: { connector: gtfs }\ntabels: {}\n")?;
//! let (project, problems) = Project::load(dir, &Registry::default());
//! assert_eq!(project.names(), ["bus"]);
//! assert_eq!(problems[0].to_string(), "pipelines/bus.yaml:2:1: unknown key `tabels`\nhelp: did you mean `tables`?");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod continuous;
mod draft;
mod drift;
mod event;
mod export;
mod file;
mod fixes;
mod freshness;
mod json_schema;
mod masks;
mod members;
mod memory;
mod names;
mod on_reject;
mod pipeline;
mod places;
mod plan;
mod problem;
mod project;
mod reach;
mod result;
mod run;
mod trial;
mod unquoted;
mod validate;
mod values;
mod yaml;

#[cfg(test)]
mod tests;

pub use continuous::{Tick, watch};
pub use draft::{Draft, DraftError, DraftRequest, Told, draft, pipeline_name};
pub use drift::{Drift, DriftKind};
pub use event::{Event, Progress, Silent};
pub use export::{ExportContext, ExportRequest, Exported, Language, export};
pub use file::{Load, OnDrift, OnShrink, PipelineFile, ScheduleFile, TableFile, Title};
pub use fixes::FixRequest;
pub use freshness::{Stale, Staleness};
pub use json_schema::json_schema;
pub use memory::memory_bytes_max;
pub use on_reject::{OnReject, RuleLimit, Severity};
pub use problem::{Level, Problem};
pub use project::{Project, ProjectError};
pub use reach::{ReachContext, Reached, ReachedPart, ReachedStream, reach};
pub use result::{Failure, FailureKind, FetchResult, Outcome, PartResult, RunResult, TableResult};
pub use run::{RunContext, run};
pub use trial::{
    Trial, TrialColumn, TrialOptions, TrialPart, TrialRejection, TrialSample, TrialSource,
    TrialTable, TryOut, try_out,
};
pub use validate::validate;
