//! Compaction: small published files of the pipeline, written together as one.
//!
//! A source that is polled brings a small file a minute, 1,440 a day, and whoever reads the table opens them all. So a run that
//! stages something writes small files of its own pipeline together, in the same commit: the rows stay, with their `_run`, `_part`
//! and `_row`; only the files are others, and those of before stay for the versions that name them.
//!
//! # Tiers
//! A file's tier is the logarithm of its rows to the base [`FACTOR`]. Files of one partition are written together once [`FACTOR`]
//! of them are in one tier, and with them all of lower tiers (which together count as one if they make one of that tier). Rows add
//! up exactly, as bytes do not, so what is written is in a higher tier than each file that went in:
//! - a row is written again at most once a tier: 1,000 rows a minute at 20 bytes come to 16 MiB in three to four times;
//! - of a tier at most `FACTOR - 1` files stay: a partition keeps some twenty small ones, however many came.
//!
//! With 16 in place of 8 a row would be written again a quarter less often, and twice as many files would stay for each reader
//! to open.
//!
//! # Bounds
//! A run takes in [`BYTES_A_RUN`] at most, of files that are smaller than a [`FACTOR`]th of those bytes, and [`FILES_A_RUN`] files or
//! twice as many as it brings: the next run goes on. Rows stream from file to file, and what is held is what any writer holds of one file.

#[cfg(test)]
mod runs;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::read::{FileRef, Reader};
use super::rewrite;
use crate::settle::Positions;
use crate::writer::{Target, WrittenFile};

/// How many files of a tier make one of the next.
const FACTOR: u64 = 8;
/// Bytes of files that one run writes together.
const BYTES_A_RUN: u64 = 128 << 20;
/// How many files that are, where a run brings few: each has to be opened.
const FILES_A_RUN: usize = 256;

/// A published file, and the rows of it that go with this run.
#[derive(Debug)]
pub(super) struct Small {
    pub(super) file: FileRef,
    pub(super) dropped: Positions,
}

impl Small {
    /// The rows that stay.
    fn rows(&self) -> u64 {
        self.file.rows.saturating_sub(self.dropped.len())
    }
}

/// How much may be written together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    bytes_max: u64,
    files_max: usize,
}

impl Bounds {
    /// Those of a run that brings so many files, and whose writers may hold so many bytes: what is held of a file is never more than
    /// the file has. Of files that come with each run, one in seven more than come have to go with each.
    pub(super) fn of_run(brings: usize, buffer_bytes_max: usize) -> Self {
        Self {
            bytes_max: BYTES_A_RUN.min(buffer_bytes_max as u64),
            files_max: FILES_A_RUN.max(2 * brings),
        }
    }

    /// Whether a file is one to be written with others.
    pub(super) fn is_small(self, file: &FileRef) -> bool {
        file.size < self.bytes_max / FACTOR
    }

    /// Takes a file into account; none where it is one too many.
    fn without(self, file: &FileRef) -> Option<Self> {
        Some(Self {
            bytes_max: self.bytes_max.checked_sub(file.size)?,
            files_max: self.files_max.checked_sub(1)?,
        })
    }
}

/// What is to become of small files.
#[derive(Debug, Default)]
struct Choice {
    /// Each is written as one file, of one partition, in this order.
    groups: Vec<Vec<Small>>,
    left: Vec<Small>,
}

/// What came of writing small files together.
#[derive(Debug, Default)]
pub(super) struct Compacted {
    /// Where the same rows stand in other files: those of before and those of now.
    pub(super) rearranged: Files,
    /// Where rows went on the way.
    pub(super) changed: Files,
    /// These stay by themselves, or lose their rows by themselves.
    pub(super) left: Vec<Small>,
}

/// Files that go, and files that come for them.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) removed: Vec<FileRef>,
    pub(super) added: Vec<WrittenFile>,
}

/// Writes small files together, as far as there are enough of them: those of one partition, and so of one source.
///
/// It is upkeep: a group that cannot be written, for want of room or for a damaged file, stays as it was, and the run goes on.
pub(super) async fn compact(
    reader: &Reader,
    target: &Target,
    files: Vec<Small>,
    bounds: Bounds,
) -> Compacted {
    let Choice { groups, left } = choose(files, bounds);
    let mut compacted = Compacted {
        left,
        ..Compacted::default()
    };
    for group in groups {
        let files: Vec<_> = group.iter().map(|it| (&it.file, &it.dropped)).collect();
        match rewrite::together(reader, target, &files).await {
            Ok(written) => {
                tracing::debug!(table = %reader.table, files = files.len(), "small files are written together");
                let into = if group.iter().all(|it| it.dropped.len() == 0) {
                    &mut compacted.rearranged
                } else {
                    &mut compacted.changed
                };
                into.removed.extend(group.into_iter().map(|it| it.file));
                into.added.extend(written);
            }
            Err(error) => {
                tracing::warn!(table = %reader.table, %error, "small files were not written together");
                compacted.left.extend(group);
            }
        }
    }
    compacted
}

/// Chooses which files are written together.
fn choose(files: Vec<Small>, mut bounds: Bounds) -> Choice {
    let mut partitions: BTreeMap<_, Vec<Small>> = BTreeMap::new();
    for file in files {
        let values = file.file.partition_values.clone();
        partitions.entry(values).or_default().push(file);
    }
    let mut choice = Choice::default();
    for mut files in partitions.into_values() {
        // What was written together before comes first, then what came since: paths begin with their run, which sorts by its time.
        files.sort_by(|left, right| {
            let by_tier = tier(right.rows()).cmp(&tier(left.rows()));
            by_tier.then_with(|| left.file.path.cmp(&right.file.path))
        });
        let Some((from, count, left)) = group(&files, bounds) else {
            choice.left.append(&mut files);
            continue;
        };
        bounds = left;
        let mut rest = files.split_off(from);
        choice.left.append(&mut files);
        choice.left.extend(rest.split_off(count));
        choice.groups.push(rest);
    }
    choice
}

/// The files of one partition, highest tier first, that are written together: the first of them, how many, and the bounds after
/// it. Of several tiers that have enough it is the highest, since all below it join in.
fn group(files: &[Small], bounds: Bounds) -> Option<(usize, usize, Bounds)> {
    let starts = (0..files.len()).filter(|&at| {
        let tier_at = |at: usize| tier(files[at].rows());
        at == 0 || tier_at(at) < tier_at(at - 1)
    });
    for from in starts {
        let (mut left, mut count) = (bounds, 0);
        for file in &files[from..] {
            let Some(after) = left.without(&file.file) else {
                break;
            };
            (left, count) = (after, count + 1);
        }
        if is_enough(&files[from..from + count]) {
            return Some((from, count, left));
        }
    }
    None
}

/// Whether files, highest tier first, are as many as make one of the next tier.
fn is_enough(files: &[Small]) -> bool {
    let Some(highest) = files.first().map(|file| tier(file.rows())) else {
        return false;
    };
    let of_tier = files.partition_point(|file| tier(file.rows()) == highest);
    let lower: u64 = files[of_tier..].iter().map(Small::rows).sum();
    let as_one = u64::from(lower > 0 && tier(lower) >= highest);
    of_tier as u64 + as_one >= FACTOR
}

fn tier(rows: u64) -> u32 {
    rows.max(1).ilog(FACTOR)
}
