//! What a run has to do, beside what was done before.

use std::collections::{BTreeMap, HashMap, HashSet};

use sectorlake_contract::TableName;
use sectorlake_lake::{Load, Manifest, PipelineState, Run};

use super::fetch::Parts;
use super::fingerprint::fingerprint;
use crate::plan::{Feed, TablePlan};

/// What there is to do, beside what was done before.
pub(super) struct Job<'a> {
    pub(super) plans: &'a [TablePlan],
    pub(super) parts: Parts,
    fingerprint: String,
    before: PipelineState,
}

impl<'a> Job<'a> {
    pub(super) fn new(run: &Run, plans: &'a [TablePlan], parts: Parts) -> Self {
        Self {
            plans,
            parts,
            fingerprint: fingerprint(plans),
            before: run.state().cloned().unwrap_or_default(),
        }
    }

    /// The same parts under the same rules give the same rows; a table that only grows has nothing to add.
    pub(super) fn is_unchanged(&self) -> bool {
        let same =
            self.fingerprint == self.before.fingerprint && self.parts.hashes() == self.before.parts;
        let grows = self.plans.iter().all(|plan| plan.load == Load::Append);
        same || (grows
            && !self.before.fingerprint.is_empty()
            && self.plans.iter().all(|plan| self.parts_of(plan).is_empty()))
    }

    /// The parts that a table is loaded from.
    pub(super) fn parts_of<'p>(&self, plan: &'p TablePlan) -> Vec<(&'p Feed, Manifest)> {
        let name = &plan.contract.name;
        let done: HashSet<&String> = match plan.load {
            Load::Replace => HashSet::new(),
            Load::Append => self
                .before
                .appended
                .get(name)
                .into_iter()
                .flatten()
                .collect(),
            // Under other rules, rows that were merged before may come out otherwise.
            Load::Merge if self.fingerprint == self.before.fingerprint => {
                self.before.parts.iter().collect()
            }
            Load::Merge => HashSet::new(),
        };
        let of_feed = |feed: &'p Feed| {
            let parts = self
                .parts
                .by_unit
                .get(&feed.stream.unit)
                .into_iter()
                .flatten();
            let mut seen = HashSet::new();
            parts
                .filter(|part| !done.contains(&part.hash))
                // What is appended is told apart by its bytes alone, in this run as over all runs.
                .filter(|part| plan.load != Load::Append || seen.insert(&part.hash))
                .map(|part| (feed, part.clone()))
                .collect::<Vec<_>>()
        };
        plan.feeds.iter().flat_map(of_feed).collect()
    }

    /// Parts that are left out of what is appended, since another has the same bytes.
    pub(super) fn doubles(&self) -> impl Iterator<Item = String> {
        let appends = self.plans.iter().any(|plan| plan.load == Load::Append);
        let mut first: HashMap<&str, &str> = HashMap::new();
        let mut doubles = Vec::new();
        for part in self.parts.by_unit.values().flatten().filter(|_| appends) {
            let known = *first.entry(&part.hash).or_insert(&part.key);
            if known != part.key {
                doubles.push(format!(
                    "{} has the same content as {known}: `load: append` takes it once",
                    part.key
                ));
            }
        }
        doubles.into_iter()
    }

    /// Where the pipeline stands once this is published.
    pub(super) fn state(&self) -> PipelineState {
        let mut appended: BTreeMap<TableName, Vec<String>> = self.before.appended.clone();
        for plan in self.plans.iter().filter(|plan| plan.load == Load::Append) {
            let new = self.parts_of(plan).into_iter().map(|(_, part)| part.hash);
            appended
                .entry(plan.contract.name.clone())
                .or_default()
                .extend(new);
        }
        PipelineState {
            cursor: self.parts.cursor.clone(),
            parts: self.parts.hashes(),
            appended,
            fingerprint: self.fingerprint.clone(),
            fixes: self.before.fixes.clone(),
            columns: self.before.columns.clone(),
            added: self.before.added.clone(),
        }
    }
}
