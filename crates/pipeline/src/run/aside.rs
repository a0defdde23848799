//! Parts at hand that do not load any more: a run before fetched them, and no mapping fits them.
//!
//! A run that fails over what it has just fetched tells so, and whoever reads it mends source or mapping. The next run must not
//! fail over the same part again, for the source may have long been right. So it is asked again from that part on, where it gives
//! from a cursor what it gave before. What it does not give again is left aside and told, and the rest loads: its bytes stay, it
//! counts as read, and a mapping that is written for it later takes it in with all other parts.

use std::collections::HashSet;
use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sectorlake_connector::Reads;
use sectorlake_lake::{Load, Manifest, PipelineState};

use super::fetch::Parts;
use crate::plan::{Feed, TablePlan};
use crate::result::{Failure, FailureKind};

/// What a run leaves aside.
#[derive(Debug, Default)]
pub(super) struct Aside(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Parts at hand that the source can be asked for again, by path.
    at_hand: HashSet<String>,
    /// Whether rows would be doubled if it were asked for more than what is left aside.
    appends: bool,
    /// Those left aside, with why.
    left: Vec<(Manifest, Failure)>,
    /// Parts that the source gives now, by path.
    given: HashSet<String>,
    /// Whether one of those failed.
    is_given: bool,
}

impl Aside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what was fetched, by this run and before it.
    pub(super) fn begin(&self, parts: &mut Parts, plans: &[TablePlan]) {
        *self.lock() = State {
            at_hand: take(&mut parts.at_hand),
            appends: plans.iter().any(|plan| plan.load == Load::Append),
            left: Vec::new(),
            given: take(&mut parts.given),
            is_given: false,
        };
    }

    /// Leaves a part aside of which nothing was loaded, if it may be.
    ///
    /// # Errors
    /// Its failure, where the source gives it so now, or the run needs it: what is replaced as a whole lacks no part, and what is
    /// published stays.
    pub(super) fn leave(
        &self,
        before: Option<&PipelineState>,
        (plan, feed): (&TablePlan, &Feed),
        manifest: &Manifest,
        failure: Failure,
    ) -> Result<(), Failure> {
        let mut state = self.lock();
        let is_given = state.given.contains(&manifest.path);
        state.is_given |= is_given;
        let goes_on = feed.stream.reads != Reads::Whole && plan.load != Load::Replace;
        let has_rows = before.is_some_and(|before| {
            before.parts.contains(&manifest.hash) && !before.aside.contains(&manifest.hash)
        });
        let is_needed = !goes_on || has_rows;
        if is_given || !is_of_data(&failure) || is_needed {
            return Err(failure);
        }
        if !state
            .left
            .iter()
            .any(|(left, _)| left.path == manifest.path)
        {
            state.left.push((manifest.clone(), failure));
        }
        Ok(())
    }

    /// Why the source should be asked again for what was left aside.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.asks()?;
        let state = self.lock();
        state.left.first().map(|(_, failure)| failure.clone())
    }

    /// From which parts on the source is asked again by a run that failed: those that do not load, or the only one at hand where
    /// its rows made the run fail. Where tables only grow, only if nothing that did load would come twice.
    pub(super) fn from(&self, failure: &Failure) -> Option<HashSet<String>> {
        let state = self.lock();
        let is_one = state.at_hand.len() == 1 && !state.appends && !state.is_given;
        let one = (is_one && is_of_data(failure)).then(|| state.at_hand.clone());
        drop(state);
        self.asks().or(one)
    }

    fn asks(&self) -> Option<HashSet<String>> {
        let state = self.lock();
        let left = state.left.iter().map(|(part, _)| &part.path);
        let left: HashSet<String> = left
            .filter(|it| state.at_hand.contains(*it))
            .cloned()
            .collect();
        let may = !state.appends || left.len() == state.at_hand.len();
        (may && !left.is_empty()).then_some(left)
    }

    /// The hashes of what was left aside.
    pub(super) fn hashes(&self) -> HashSet<String> {
        let state = self.lock();
        state
            .left
            .iter()
            .map(|(part, _)| part.hash.clone())
            .collect()
    }

    /// What is told of it.
    pub(super) fn note(&self) -> Option<String> {
        let state = self.lock();
        let (part, failure) = state.left.first()?;
        let count = match state.left.len() {
            1 => "1 part that a run before had fetched does".to_owned(),
            many => format!("{many} parts that runs before had fetched do"),
        };
        Some(format!(
            "{count} not load and is left aside: {} ({}); its bytes are kept in {}, and a mapping that takes them is applied to them as well",
            part.key, failure.message, part.path
        ))
    }
}

fn is_of_data(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Data | FailureKind::Usage)
}
