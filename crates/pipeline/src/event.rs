//! What a run tells while it works, for whoever draws it: bars, log lines, a server's page.

use sectorlake_contract::TableName;

use crate::result::Outcome;

/// One step of one pipeline's run. Counts are totals of the run so far, so that a listener may miss some.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run has its lease.
    Started {
        /// The run's id.
        run: String,
    },
    /// Bytes are coming in.
    Fetching {
        /// Bytes of this run so far.
        bytes: u64,
        /// Bytes of all parts that are known by now, where their sources say.
        total: Option<u64>,
    },
    /// Everything is in the raw zone.
    Fetched {
        /// Parts at hand.
        parts: u64,
        /// Bytes that came in.
        bytes: u64,
    },
    /// A table is being filled.
    Loading {
        /// The table.
        table: TableName,
        /// The part's name, with its member.
        part: String,
        /// Mapped rows of the table so far.
        rows: u64,
    },
    /// A table's rows are staged.
    Loaded {
        /// The table.
        table: TableName,
        /// Rows that the table gained or kept anew.
        loaded: u64,
        /// Rows that broke a rule.
        rejected: u64,
    },
    /// The snapshot is being published.
    Publishing,
    /// The end, whichever.
    Finished(Outcome),
}

/// Listens to runs. Called from several tasks at once, often; it must be quick.
pub trait Progress: Send + Sync {
    /// One event of one pipeline.
    fn event(&self, pipeline: &str, event: &Event);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn event(&self, _pipeline: &str, _event: &Event) {}
}
