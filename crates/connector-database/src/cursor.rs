//! Where a stream is read to: what a published snapshot keeps, and what a broken run goes on from.

use chrono::{DateTime, Utc};
use sectorlake_connector::{ConnectorError, Cursor, ErrorKind};
use serde::{Deserialize, Serialize};

/// Rows with the highest value that are remembered one by one; of more, only their number and sum are.
pub(crate) const TIES_MAX: usize = 10_000;

/// What stands in a [`Cursor`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// When the run began that read this far: a read of another run is gone, and with it its snapshot.
    pub(crate) run: DateTime<Utc>,
    /// How many parts that run has.
    pub(crate) parts: u32,
    /// How many parts a broken read left behind, which a new read of the whole replaces.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) replaces: u32,
    /// Of an incremental stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<Mark>,
}

/// The highest value of the incremental column that was read, and which rows have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The column, so that another one begins anew.
    pub(crate) column: String,
    /// The value as the database reads it; `None`: there was no row yet.
    pub(crate) value: Option<String>,
    /// The rows that have it.
    pub(crate) ties: Ties,
    /// Digests of the rows whose value lies in the future: they do not move the mark, so that they come again with every read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ahead: Vec<u64>,
}

/// Rows with one value of the incremental column, so that a later one is not lost and an earlier one not doubled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Ties {
    /// How many.
    pub(crate) rows: u64,
    /// The wrapping sum of their digests, whatever their order.
    pub(crate) sum: u64,
    /// Their digests, where they are few.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) digests: Vec<u64>,
}

impl Ties {
    /// One row more.
    pub(crate) fn add(&mut self, digest: u64) {
        if self.digests.len() as u64 == self.rows && self.digests.len() < TIES_MAX {
            self.digests.push(digest);
        } else {
            self.digests = Vec::new();
        }
        self.rows += 1;
        self.sum = self.sum.wrapping_add(digest);
    }

    /// Whether each is known by itself.
    pub(crate) fn is_listed(&self) -> bool {
        self.digests.len() as u64 == self.rows
    }
}

impl Position {
    /// What `cursor` says; `None` for one that another kind of stream left.
    pub(crate) fn of(cursor: &Cursor) -> Result<Self, ConnectorError> {
        serde_json::from_value(cursor.0.clone()).map_err(|error| {
            ConnectorError::new(ErrorKind::Invalid, format!("the stored position cannot be read: {error}"))
                .with_help("was the pipeline's connector another one before? give the pipeline a new name to begin anew")
        })
    }

    /// As the run keeps it.
    pub(crate) fn into_cursor(self) -> Result<Cursor, ConnectorError> {
        serde_json::to_value(self)
            .map(Cursor)
            .map_err(|error| ConnectorError::new(ErrorKind::Invalid, error.to_string()).lasting())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_position_survives_its_cursor() {
        let mut ties = Ties::default();
        ties.add(3);
        ties.add(u64::MAX);
        assert_eq!((ties.rows, ties.sum, ties.is_listed()), (2, 2, true));
        let mark = Mark {
            column: "at".to_owned(),
            value: Some("2024-01-01".to_owned()),
            ties,
            ahead: vec![7],
        };
        let position = Position {
            run: DateTime::UNIX_EPOCH,
            parts: 3,
            replaces: 0,
            mark: Some(mark),
        };
        let cursor = position.clone().into_cursor().unwrap();
        assert_eq!(Position::of(&cursor).unwrap(), position);
        assert!(Position::of(&Cursor(serde_json::json!({"page": 3}))).is_err());
    }

    #[test]
    fn of_many_ties_only_number_and_sum_are_kept() {
        let mut ties = Ties::default();
        for digest in 0..TIES_MAX as u64 {
            ties.add(digest);
        }
        assert!(ties.is_listed());
        ties.add(1);
        assert_eq!(
            (ties.is_listed(), ties.digests.len(), ties.rows),
            (false, 0, TIES_MAX as u64 + 1)
        );
        ties.add(1);
        assert!(ties.digests.is_empty());
    }
}
