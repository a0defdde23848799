//! Rows whose value lies in the future: they come again with every read, and are known by their digests.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use sectorlake_connector::ConnectorError;

use super::{Digests, Key, internal};
use crate::cursor::{Mark, TIES_MAX};

/// Rows in the future.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Those that the reads before have brought, by digest, and how many of each are still to come.
    known: HashMap<u64, u64>,
    /// The digests of all that came; one more than can be remembered stands for many.
    pub(super) found: Vec<u64>,
    /// New ones since the last note, and the latest of them.
    pub(super) rows: usize,
    pub(super) latest: Option<Key>,
}

impl Ahead {
    pub(super) fn of(mark: Option<&Mark>) -> Self {
        let mut all = Self::default();
        for &digest in mark.iter().flat_map(|mark| &mark.ahead) {
            *all.known.entry(digest).or_default() += 1;
        }
        all
    }

    /// Rows of the present without those that came when they still lay in the future.
    pub(super) fn caught_up(&mut self, batch: RecordBatch) -> Result<RecordBatch, ConnectorError> {
        if self.known.is_empty() {
            return Ok(batch);
        }
        let rows = Digests::of(&batch)?;
        let keep: Vec<bool> = (0..batch.num_rows())
            .map(|row| self.is_unknown(rows.digest(row)))
            .collect();
        filter_record_batch(&batch, &keep.into()).map_err(|error| internal(&error))
    }

    pub(super) fn is_new(&mut self, digest: u64) -> bool {
        if self.found.len() <= TIES_MAX {
            self.found.push(digest);
        }
        self.is_unknown(digest)
    }

    fn is_unknown(&mut self, digest: u64) -> bool {
        match self.known.get_mut(&digest) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        }
    }

    /// What the next read must know: also of rows that are still to come in this one, should it break off before them.
    pub(super) fn digests(&self) -> Vec<u64> {
        if self.found.len() > TIES_MAX {
            return Vec::new();
        }
        let left = self.known.iter().flat_map(|(&digest, &count)| {
            std::iter::repeat_n(digest, usize::try_from(count).unwrap_or_default())
        });
        self.found.iter().copied().chain(left).collect()
    }
}
