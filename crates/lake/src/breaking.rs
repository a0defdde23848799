//! Why a table does not take a contract, change by change.

use std::cmp::Reverse;
use std::fmt;

use sectorlake_contract::{Change, Level, TableName};

/// A contract that breaks what is stored, or what readers rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking {
    /// The table.
    pub table: TableName,
    /// The version it was written by.
    pub stored: String,
    /// The contract's version.
    pub given: String,
    /// The next major version.
    pub major: u64,
    /// Where that would be stored.
    pub next: String,
    /// Every change, those that break nothing among them.
    pub changes: Vec<Change>,
}

/// The changes that ask for something stand a line each, what breaks first.
impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, given, stored) = (&self.table, &self.given, &self.stored);
        write!(f, "table {table} cannot take its contract: ")?;
        if given == stored {
            write!(
                f,
                "version {given} breaks what is stored by the same version"
            )?;
        } else {
            write!(
                f,
                "version {given} breaks version {stored}, which is stored"
            )?;
        }
        let asks = |change: &&Change| change.level > Level::Compatible;
        let mut changes: Vec<&Change> = self.changes.iter().filter(asks).collect();
        let compatible = self.changes.len() - changes.len();
        changes.sort_by_key(|change| Reverse(change.level));
        for change in changes {
            write!(f, "\n  {change}")?;
            if let Some(mend) = &change.mend {
                write!(f, " ({mend})")?;
            }
        }
        match compatible {
            0 => Ok(()),
            1 => write!(f, "\n  and a compatible change"),
            many => write!(f, "\n  and {many} compatible changes"),
        }
    }
}

impl Breaking {
    pub(crate) fn help(&self) -> String {
        let (major, next) = (self.major, &self.next);
        format!(
            "take back what breaks, or raise the contract's version to {major}.0.0: its rows then go to {next}, beside what is stored"
        )
    }
}
