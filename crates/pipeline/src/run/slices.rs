//! The partitions of a unit, fetched side by side: each goes on where it stopped, and one that fails leaves the others what
//! they have.

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt};
use sectorlake_connector::{Cursor, Slice};
use sectorlake_lake::{Manifest, PipelineState, Unfinished};

use super::failure::of_source;
use super::fetch::{Fetcher, Parts, Take};
use crate::result::{Failure, FailureKind};

/// Partitions of one unit, at most.
const PARTITIONS_MAX: usize = 100_000;
/// Partitions that may fail before the others are left for another time.
const FAILED_MAX: usize = 10;
/// Partitions that a message names.
const NAMED_MAX: usize = 5;

/// What is fetched of a unit: the unit as one, or each of its partitions.
pub(super) struct Slices(Vec<Option<String>>);

/// What there is of one slice.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// None: the unit as one.
    pub(super) partition: Option<String>,
    /// Its parts, in order.
    pub(super) parts: Vec<Manifest>,
    /// Where the next run goes on; none where it begins anew.
    pub(super) cursor: Option<Cursor>,
    /// Parts that are new.
    pub(super) fetched: u64,
    /// Parts that had not changed.
    pub(super) unchanged: u64,
    /// Parts that a run before had fetched.
    pub(super) taken_up: usize,
}

/// A partition that could not be read.
struct Refused {
    partition: String,
    failure: Failure,
}

impl Slices {
    /// As the connector lists them.
    pub(super) async fn of(fetcher: &Fetcher<'_>, unit: &str) -> Result<Self, Failure> {
        let listed = fetcher.connector.partitions(unit, &fetcher.io).await;
        let listed = listed.map_err(|error| of_source(fetcher.pipeline, &error))?;
        if listed.len() > PARTITIONS_MAX {
            let message = format!(
                "the source lists {} partitions of {unit}, and {PARTITIONS_MAX} are the most that is taken",
                listed.len()
            );
            return Err(Failure::new(FailureKind::Source, message)
                .help("narrow the source's settings, or split it into several pipelines"));
        }
        let before = fetcher
            .run
            .state()
            .and_then(|state| state.partitions.get(unit));
        if let Some(before) = before.filter(|_| listed.is_empty()) {
            let message = format!(
                "the source lists no partition of {unit} any more; the last run knew {}",
                named(before.keys())
            );
            return Err(Failure::new(FailureKind::Source, message).help(
                "look whether the source still offers them; what was published stays as it is",
            ));
        }
        let mut seen = HashSet::new();
        let mut slices: Vec<Option<String>> = listed
            .into_iter()
            // A catalogue that lists a station twice has it once.
            .filter(|partition| seen.insert(partition.clone()))
            .map(Some)
            .collect();
        if slices.is_empty() {
            slices.push(None);
        }
        Ok(Self(slices))
    }

    pub(super) fn all(&self) -> &[Option<String>] {
        &self.0
    }

    /// Reads them all, in their order. Where one fails for good the others go on, so that the next run has but that one to
    /// fetch; where the source itself is out of order, those on their way are given up.
    pub(super) async fn read(
        &self,
        fetcher: &Fetcher<'_>,
        unit: &str,
        mut unfinished: BTreeMap<Option<String>, Unfinished>,
        take: Take,
    ) -> Result<Vec<Read>, Failure> {
        let at_once = usize::from(fetcher.pipeline.file.partitions_at_once());
        let jobs: Vec<_> = self
            .0
            .iter()
            .map(|slice| (slice.as_deref(), unfinished.remove(slice)))
            .collect();
        let mut reading = stream::iter(jobs.into_iter().enumerate())
            .map(|(number, (partition, unfinished))| async move {
                let slice = Slice { unit, partition };
                (number, fetcher.slice(slice, unfinished, take).await)
            })
            .buffer_unordered(at_once);
        let mut reads = BTreeMap::new();
        let mut refused = BTreeMap::new();
        while let Some((number, read)) = reading.next().await {
            match (read, &self.0[number]) {
                (Ok(read), _) => drop(reads.insert(number, read)),
                (Err(failure), None) => return Err(failure),
                (Err(failure), Some(partition)) => {
                    let is_over = failure.kind != FailureKind::Source || failure.may_pass;
                    let partition = partition.clone();
                    refused.insert(number, Refused { partition, failure });
                    if is_over || refused.len() >= FAILED_MAX {
                        break;
                    }
                }
            }
        }
        drop(reading);
        match failed(unit, refused.into_values().collect()) {
            Some(failure) => Err(failure),
            None => Ok(reads.into_values().collect()),
        }
    }

    /// Keeps the place in partitions that the source lists no more: should they come back, they go on there.
    pub(super) fn keep_gone(&self, state: Option<&PipelineState>, unit: &str, parts: &mut Parts) {
        let Some(before) = state.and_then(|state| state.partitions.get(unit)) else {
            return;
        };
        let listed: HashSet<&str> = self.0.iter().flatten().map(String::as_str).collect();
        let gone: Vec<(&String, &serde_json::Value)> = before
            .iter()
            .filter(|(name, _)| !listed.contains(name.as_str()))
            .collect();
        if gone.is_empty() {
            return;
        }
        parts.notes.push(format!(
            "the source lists {} of {unit} no more: what was fetched of {} stays",
            named(gone.iter().map(|(name, _)| *name)),
            if gone.len() == 1 { "it" } else { "them" },
        ));
        let kept = parts.partitions.entry(unit.to_owned()).or_default();
        kept.extend(
            gone.into_iter()
                .map(|(name, cursor)| (name.clone(), cursor.clone())),
        );
    }
}

/// The failure of the first partition that failed, with the names of the others.
fn failed(unit: &str, refused: Vec<Refused>) -> Option<Failure> {
    let mut refused = refused.into_iter();
    let first = refused.next()?;
    let mut message = format!(
        "partition {} of {unit}: {}",
        first.partition, first.failure.message
    );
    let others: Vec<String> = refused.map(|other| other.partition).collect();
    if !others.is_empty() {
        message = format!("{message} (and so failed {})", named(others.iter()));
    }
    let kept = "what the other partitions brought is kept, and the next run goes on from there";
    Some(first.failure.saying(message).and_help(kept))
}

/// The first names, and how many more there are.
fn named<'n>(names: impl ExactSizeIterator<Item = &'n String>) -> String {
    let count = names.len();
    let mut said: Vec<String> = names.take(NAMED_MAX).cloned().collect();
    if count > NAMED_MAX {
        said.push(format!("{} more", count - NAMED_MAX));
    }
    match said.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => said.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_cut() {
        let names: Vec<String> = (1..=7).map(|number| format!("s{number}")).collect();
        assert_eq!(named(names[..1].iter()), "s1");
        assert_eq!(named(names[..2].iter()), "s1 and s2");
        assert_eq!(named(names.iter()), "s1, s2, s3, s4, s5 and 2 more");
    }
}
