//! Rows that did not make it, and the sums that prove none was lost.

use std::sync::Arc;

use sectorlake_contract::Severity;
use sectorlake_formats::BrokenRecord;

/// One broken rule of one row. A row with three broken fields has three of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The record's number in its part, from 1.
    pub row: i64,
    /// The contract's field; none for a record that could not be read or mapped.
    pub field: Option<String>,
    /// The rule, in Table Schema's words, or `record` (cannot be read) and `mapping` (an expression failed).
    pub rule: &'static str,
    /// Whether the row is rejected, or only marked and loaded all the same.
    pub severity: Severity,
    /// The value as it stood in the mapped row, cut where it is long.
    pub value: Option<String>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// The row as JSON, or the raw record.
    pub record: Option<Arc<str>>,
}

impl Rejection {
    pub(crate) fn broken(record: &BrokenRecord) -> Self {
        Self {
            row: record.row,
            field: None,
            rule: "record",
            severity: Severity::Reject,
            value: None,
            message: match record.byte {
                Some(byte) => format!("{} (at byte {byte})", record.reason),
                None => record.reason.clone(),
            },
            record: Some(record.raw.as_str().into()),
        }
    }

    pub(crate) fn mapping(row: i64, message: String, record: Option<Arc<str>>) -> Self {
        Self {
            row,
            field: None,
            rule: "mapping",
            severity: Severity::Reject,
            value: None,
            message,
            record,
        }
    }
}

/// How rows add up. Per part: source rows = `decoded + broken`. Per table: `mapped` = accepted + `rejected`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that were read.
    pub decoded: u64,
    /// Records that could not be read.
    pub broken: u64,
    /// Decoded records that the mapping gave no row for.
    pub filtered: u64,
    /// Rows out of the mapping, and records on which it failed.
    pub mapped: u64,
    /// Mapped rows that broke a rule.
    pub rejected: u64,
    /// Accepted rows that broke soft rules alone.
    pub marked: u64,
}

impl Counts {
    /// Mapped rows that kept the contract.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.mapped - self.rejected
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.decoded += other.decoded;
        self.broken += other.broken;
        self.filtered += other.filtered;
        self.mapped += other.mapped;
        self.rejected += other.rejected;
        self.marked += other.marked;
    }
}
