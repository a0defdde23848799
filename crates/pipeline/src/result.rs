//! How a run ended, and the two balances that prove no row was lost.

use std::fmt;

use sectorlake_contract::TableName;

use crate::drift::Drift;
use crate::freshness::Stale;
use crate::problem::Problem;
use crate::trial::Trial;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A snapshot names the run.
    Published {
        /// The snapshot's number.
        snapshot: u64,
    },
    /// The same bytes, mapping and contract as in the snapshot that stands: nothing was published.
    Unchanged,
    /// Nothing was published, and this is why.
    Failed(Failure),
}

/// What kind of failure it is; decides exit codes and whether trying again helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A pipeline file, a contract, a mapping.
    Usage,
    /// The data: too many rows rejected, a file that is none, a table that would shrink.
    Data,
    /// The source does not answer, or not as it should.
    Source,
    /// The lake's storage, or a fault of ours.
    Storage,
    /// Another run of the same pipeline is under way.
    Locked,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// What failed, in a sentence.
    pub message: String,
    /// The mend.
    pub help: Option<String>,
    /// The place in a project file; `message` and `help` there are those of this failure.
    pub place: Option<Box<Problem>>,
    /// Whether the same may work later: the source was out of order, or slow.
    pub may_pass: bool,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            help: None,
            place: None,
            may_pass: false,
        }
    }

    /// Told with the file whose reading failed.
    pub(crate) fn in_file(self, file: &str) -> Self {
        let message = format!("{file}: {}", self.message);
        self.saying(message)
    }

    /// In other words.
    pub(crate) fn saying(mut self, message: String) -> Self {
        if let Some(place) = &mut self.place {
            place.message.clone_from(&message);
        }
        self.message = message;
        self
    }

    /// With something behind its mend.
    pub(crate) fn and_help(mut self, more: &str) -> Self {
        let help = match self.help {
            Some(help) => format!("{help}; {more}"),
            None => more.to_owned(),
        };
        if let Some(place) = &mut self.place {
            place.help = Some(help.clone());
        }
        self.help = Some(help);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            kind: FailureKind::Usage,
            message: problem.message.clone(),
            help: problem.help.clone(),
            place: Some(Box::new(problem)),
            may_pass: false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            return write!(f, "{place}");
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// One run of one pipeline.
#[derive(Debug, Clone)]
pub struct RunResult {
    /// The pipeline.
    pub pipeline: String,
    /// The run's id; none where it never got its lease.
    pub run: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What came from the source.
    pub fetched: FetchResult,
    /// The tables, in the order in which they were filled.
    pub tables: Vec<TableResult>,
    /// The parts, one entry per part and table it fed.
    pub parts: Vec<PartResult>,
    /// What the author should know though the run went well, such as a foreign key that cannot be checked yet.
    pub notes: Vec<String>,
    /// How the source's columns changed since the pipeline last published.
    pub drift: Vec<Drift>,
    /// Tables and stations that are not as fresh as they should be, by their own past; also of a run that found nothing new.
    pub stale: Vec<Stale>,
    /// What a trial saw.
    pub trial: Option<Box<Trial>>,
}

/// What came from the source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchResult {
    /// Parts that were fetched.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Parts that had not changed since they were last fetched.
    pub unchanged: u64,
}

/// The balance of one table: `mapped = loaded + unchanged + superseded + rejected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableResult {
    /// The table.
    pub table: TableName,
    /// Rows out of the mapping, and records on which it failed.
    pub mapped: u64,
    /// Rows that are in the table by this run.
    pub loaded: u64,
    /// Rows that the table held already.
    pub unchanged: u64,
    /// Rows that a later row of the same key replaced.
    pub superseded: u64,
    /// Rows that broke a rule.
    pub rejected: u64,
    /// Records that could not be read; they are no mapped rows, but rejected all the same.
    pub broken: u64,
    /// The pipeline's rows that left the table.
    pub removed: u64,
    /// Of the removed rows, those whose key has a new row now that says otherwise: the source has revised it, or the mapping has
    /// changed. A replace of more than a quarter of a million rows is not compared, and tells none.
    pub revised: u64,
    /// Of the removed rows, those that the source has removed (`deletions: follow`).
    pub deleted: u64,
    /// Of the loaded rows, those that broke soft rules.
    pub marked: u64,
}

impl TableResult {
    /// Whether every mapped row is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.mapped == self.loaded + self.unchanged + self.superseded + self.rejected
    }
}

/// The balance of one part for one table: `records = decoded + broken + fixed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartResult {
    /// The table it fed.
    pub table: TableName,
    /// The stream.
    pub stream: String,
    /// The part's hash.
    pub part: String,
    /// The part's name, with its member.
    pub name: String,
    /// Source rows, as counted by their numbers.
    pub records: u64,
    /// Records that were read.
    pub decoded: u64,
    /// Records that could not be read.
    pub broken: u64,
    /// Decoded records that gave no row.
    pub filtered: u64,
    /// Rows out of the mapping.
    pub mapped: u64,
    /// Mapped rows that broke a rule of the field or the mapping.
    pub rejected: u64,
    /// Records whose correction was loaded in their place.
    pub fixed: u64,
    /// Whether the part is a file of corrections: its records stand for others of the source.
    pub is_fix: bool,
}

impl PartResult {
    /// Nothing was read yet.
    pub(crate) fn new(table: &TableName, stream: &str, part: &str, name: &str) -> Self {
        Self {
            table: table.clone(),
            stream: stream.to_owned(),
            part: part.to_owned(),
            name: name.to_owned(),
            records: 0,
            decoded: 0,
            broken: 0,
            filtered: 0,
            mapped: 0,
            rejected: 0,
            fixed: 0,
            is_fix: false,
        }
    }
}
