//! Pipelines: YAML → plan → run.
//!
//! Place: the only joiner of steps, from a connector's bytes to a published snapshot; used by `cli` and `server`.
//! Must not know: any connector by name, terminals, the real clock and environment: all are handed in.
//! Bounds: memory by [`RunContext::memory_bytes_max`], never by the size of a source.

mod event;
mod file;
mod json_schema;
mod members;
mod memory;
mod pipeline;
mod places;
mod plan;
mod problem;
mod project;
mod result;
mod run;
mod validate;
mod yaml;

#[cfg(test)]
mod tests;

pub use event::{Event, Progress, Silent};
pub use file::{Load, OnReject, OnShrink, PipelineFile, ScheduleFile, TableFile, Title};
pub use json_schema::json_schema;
pub use memory::memory_bytes_max;
pub use problem::Problem;
pub use project::{Project, ProjectError};
pub use result::{Failure, FailureKind, FetchResult, Outcome, PartResult, RunResult, TableResult};
pub use run::{RunContext, run};
pub use validate::validate;
