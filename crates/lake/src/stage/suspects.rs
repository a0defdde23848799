//! Which keys of the new rows may collide: with each other, or with published rows.
//!
//! The hashes of the new keys are held a share at a time (a pass over the key columns for each share), so that memory
//! does not grow with the load. Published files whose keys lie elsewhere are not read: the log says their bounds.

use arrow::datatypes::SchemaRef;
use datafusion::common::{ColumnStatistics, ScalarValue};

use super::read::{FileRef, Reader};
use crate::error::LakeError;
use crate::keys::{KeyHashes, for_each_hash};
use crate::writer::statistics::from_delta;

/// Hashes held at a time: the table for them takes 36 MiB.
pub(super) const HASHES_MAX: u64 = 3_500_000;

/// Looks for suspects among the keys of files.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) reader: &'a Reader,
    pub(super) fields: &'a [String],
    pub(super) new: &'a [FileRef],
    pub(super) published: &'a [FileRef],
}

impl Search<'_> {
    /// How many passes it takes.
    pub(super) fn passes(&self) -> u64 {
        self.new
            .iter()
            .map(|file| file.rows)
            .sum::<u64>()
            .div_ceil(HASHES_MAX)
    }

    /// The suspects of one pass.
    pub(super) async fn pass(&self, pass: u64) -> Result<KeyHashes, LakeError> {
        let passes = self.passes();
        let is_ours = |hash: u64| hash % passes == pass;
        let mut seen = KeyHashes::default();
        let mut suspects = KeyHashes::default();
        for_each_hash(self.reader, self.new, self.fields, |hash| {
            if is_ours(hash) && !seen.insert(hash) {
                suspects.insert(hash);
            }
        })
        .await?;
        for_each_hash(self.reader, self.published, self.fields, |hash| {
            if seen.contains(&hash) {
                suspects.insert(hash);
            }
        })
        .await?;
        Ok(suspects)
    }
}

/// Whether a file may hold one of the keys of the new files.
pub(super) fn may_meet(
    schema: &SchemaRef,
    fields: &[String],
    published: &FileRef,
    new: &[FileRef],
) -> bool {
    let theirs = bounds(schema, fields, published);
    new.iter().any(|file| {
        let ours = bounds(schema, fields, file);
        theirs
            .iter()
            .zip(&ours)
            .all(|(theirs, ours)| overlap(theirs, ours))
    })
}

fn bounds(schema: &SchemaRef, fields: &[String], file: &FileRef) -> Vec<ColumnStatistics> {
    let text = file.statistics.as_deref();
    let (_, statistics) = from_delta(schema, &file.partition_values, text, file.size);
    let of = |field: &String| {
        let index = schema.index_of(field).ok()?;
        statistics.column_statistics.get(index).cloned()
    };
    fields
        .iter()
        .map(|field| of(field).unwrap_or_else(ColumnStatistics::new_unknown))
        .collect()
}

fn overlap(left: &ColumnStatistics, right: &ColumnStatistics) -> bool {
    let before =
        |greatest: Option<&ScalarValue>, least: Option<&ScalarValue>| match (greatest, least) {
            (Some(greatest), Some(least)) => greatest < least,
            _ => false,
        };
    !before(left.max_value.get_value(), right.min_value.get_value())
        && !before(right.max_value.get_value(), left.min_value.get_value())
}
