//! What a run has to do, beside what was done before.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use sectorlake_contract::TableName;
use sectorlake_lake::{FixState, Load, Manifest, PipelineState, Run, SourceColumn};
use sectorlake_normalise::RefusedKeys;

use super::added::kept;
use super::corrections::Gathered;
use super::fetch::Parts;
use super::fingerprint::fingerprint;
use super::fix::{Fixes, Which};
use super::freshness::Past;
use super::unmerged::unmerged;
use crate::pipeline::Pipeline;
use crate::plan::{Feed, READ_WHOLE, TablePlan, needs_all};
use crate::result::Failure;

/// What there is to do, beside what was done before.
pub(super) struct Job<'a> {
    pub(super) plans: &'a [TablePlan],
    pub(super) parts: Parts,
    pub(super) gathered: Gathered,
    fingerprint: String,
    /// The state of the tables that mappings look into.
    looked_up: Vec<Option<u64>>,
    pub(super) before: PipelineState,
}

impl<'a> Job<'a> {
    pub(super) fn new(
        run: &Run,
        plans: &'a [TablePlan],
        (parts, gathered): (Parts, Gathered),
        looked_up: Vec<Option<u64>>,
    ) -> Self {
        Self {
            plans,
            parts,
            gathered,
            fingerprint: fingerprint(plans, &looked_up),
            looked_up,
            before: run.state().cloned().unwrap_or_default(),
        }
    }

    /// The same work under plans that take more of the source.
    pub(super) fn under(self, plans: &'a [TablePlan]) -> Self {
        Self {
            fingerprint: fingerprint(plans, &self.looked_up),
            plans,
            ..self
        }
    }

    /// The same parts under the same rules give the same rows; a table that only grows has nothing to add.
    pub(super) fn is_unchanged(&self) -> bool {
        if self.gathered.new.is_some() {
            return false;
        }
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
            Load::Merge => HashSet::new(),
        };
        // Under other rules, rows that were merged before may come out otherwise.
        // What the source has no more is known only beside all that it has.
        let goes_on = plan.load == Load::Merge
            && !self.follows(plan)
            && self.fingerprint == self.before.fingerprint;
        let fresh = goes_on.then(|| unmerged(&self.parts.by_unit, &self.before.parts));
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
                .filter(|part| fresh.as_ref().is_none_or(|it| it.contains(&part.sequence)))
                // What is appended is told apart by its bytes alone, in this run as over all runs.
                .filter(|part| plan.load != Load::Append || seen.insert(&part.hash))
                .map(|part| (feed, part.clone()))
                .collect::<Vec<_>>()
        };
        plan.feeds.iter().flat_map(of_feed).collect()
    }

    /// Whether rows of a table go in this run that the source has no more. A run that only takes in a correction asks nothing of
    /// the source.
    pub(super) fn follows(&self, plan: &TablePlan) -> bool {
        plan.follows_deletions && self.parts.whole.is_some()
    }

    /// Where rows go that did not come, the keys of those that came and were refused are gathered.
    pub(super) fn refused(&self, plan: &TablePlan) -> Option<(Vec<String>, Arc<RefusedKeys>)> {
        self.follows(plan)
            .then(|| (plan.contract.primary_key.clone(), Arc::default()))
    }

    /// Deletions are followed only where all came that the source has.
    pub(super) fn check_deletions(&self, pipeline: &Pipeline) -> Result<(), Failure> {
        for plan in self.plans.iter().filter(|plan| self.follows(plan)) {
            let is_whole = |unit: &String| {
                self.parts
                    .whole
                    .as_ref()
                    .is_some_and(|whole| whole.contains(unit))
            };
            let mut streams = plan.feeds.iter().map(|feed| &feed.stream);
            let Some(stream) = streams.find(|stream| !is_whole(&stream.unit)) else {
                continue;
            };
            let table = plan.table.to_string();
            let message = needs_all(&table, &stream.name);
            let problem = pipeline.problem_at_value(&["tables", &table, "deletions"], message);
            return Err(problem.help(READ_WHOLE).into());
        }
        Ok(())
    }

    /// Of a table that is merged under other rules than before: the hashes of the parts that it is made from again.
    pub(super) fn mapped_again(
        &self,
        plan: &TablePlan,
        parts: &[(&Feed, Manifest)],
    ) -> Option<Arc<HashSet<String>>> {
        let before = &self.before.fingerprint;
        let is_changed = !before.is_empty() && self.fingerprint != *before;
        (plan.load == Load::Merge && is_changed)
            .then(|| parts.iter().map(|(_, part)| part.hash.clone()).collect())
            .map(Arc::new)
    }

    /// The corrections that one table takes up.
    pub(super) fn fixes_of(&self, plan: &TablePlan) -> Fixes<'_> {
        let again = match plan.load {
            Load::Replace => true,
            // A table that it never added to, as that of a new major version, has none of them yet.
            Load::Append => !self.before.appended.contains_key(&plan.contract.name),
            Load::Merge => self.follows(plan) || self.fingerprint != self.before.fingerprint,
        };
        let which = if again {
            let parts = self.parts_of(plan).into_iter();
            Which::Of(parts.map(|(_, part)| part.hash.clone()).collect())
        } else {
            Which::New(self.gathered.new.clone())
        };
        Fixes {
            corrections: &self.gathered.corrections,
            manifests: &self.gathered.manifests,
            which,
        }
    }

    fn fixes_in_force(&self) -> Vec<FixState> {
        let files = self.gathered.corrections.files.iter();
        files
            .filter_map(|file| {
                let mut state = file.state.clone();
                let lapsed = self.gathered.lapsed.iter();
                for lapsed in lapsed.filter(|lapsed| lapsed.file == state.part) {
                    let rows = state.gone.entry(lapsed.sheet.clone()).or_default();
                    rows.push(lapsed.entry.at);
                }
                state
                    .gone
                    .values_mut()
                    .for_each(|rows| rows.sort_unstable());
                let is_in_force = file.sheets.iter().any(|sheet| !sheet.entries.is_empty());
                is_in_force.then_some(state)
            })
            .collect()
    }

    /// What is told of parts that are left out of what is appended, since others have the same bytes.
    pub(super) fn doubles(&self) -> Option<String> {
        let appends = self.plans.iter().any(|plan| plan.load == Load::Append);
        let mut first: HashMap<&str, &str> = HashMap::new();
        let mut doubles = Vec::new();
        for part in self.parts.by_unit.values().flatten().filter(|_| appends) {
            let known = *first.entry(&part.hash).or_insert(&part.key);
            if known != part.key {
                doubles.push((&part.key, known));
            }
        }
        let (key, known) = doubles.first()?;
        Some(match doubles.len() {
            1 => format!("{key} has the same content as {known}: `load: append` takes it once"),
            count => format!(
                "{count} parts have the same content as others, {key} that of {known}, for one: `load: append` takes each content once"
            ),
        })
    }

    /// Where the pipeline stands once this is published.
    pub(super) fn state(
        &self,
        (columns, freshness): (BTreeMap<String, Vec<SourceColumn>>, Past),
        aside: &HashSet<String>,
    ) -> PipelineState {
        let mut appended: BTreeMap<TableName, Vec<String>> = self.before.appended.clone();
        for plan in self.plans.iter().filter(|plan| plan.load == Load::Append) {
            let parts = self.parts_of(plan).into_iter();
            let loaded = parts.filter(|(_, part)| !aside.contains(&part.hash));
            let new = loaded.map(|(_, part)| part.hash.clone());
            appended
                .entry(plan.contract.name.clone())
                .or_default()
                .extend(new);
        }
        // Under the same rules nobody looked again at what was left aside before.
        let is_same = self.fingerprint == self.before.fingerprint;
        let before = self.before.aside.iter().filter(|_| is_same);
        let parts = self.parts.hashes();
        let aside: HashSet<&String> = aside.iter().chain(before).collect();
        PipelineState {
            aside: parts
                .iter()
                .filter(|it| aside.contains(it))
                .cloned()
                .collect(),
            cursor: self.parts.cursor.clone(),
            partitions: self.parts.partitions.clone(),
            parts,
            appended,
            fingerprint: self.fingerprint.clone(),
            fixes: self.fixes_in_force(),
            columns,
            added: kept(self.plans),
            freshness,
        }
    }
}
