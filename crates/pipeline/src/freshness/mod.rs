//! Sources that died: their bytes still come, but nothing newer is in them, a station is silent, or much less comes than usual.
//!
//! What is usual, each pipeline's own past says ([`History`], kept in its published state). Nothing is judged before enough of it is
//! known, but for `stale_after`, which says it outright.

mod history;
mod sight;

use chrono::{DateTime, TimeDelta, Utc};
use sectorlake_contract::TableName;

use crate::pipeline::Pipeline;
use crate::plan::TablePlan;
use crate::problem::Problem;

pub(crate) use history::{History, Load, Now};
pub(crate) use sight::{Seen, Sight};

/// What is wrong with the freshness of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staleness {
    /// Nothing newer has come for too long.
    StandsStill,
    /// A station gives nothing new, while others do.
    Silent,
    /// Far fewer or more rows came than usual.
    Volume,
}

impl Staleness {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::StandsStill => "stale",
            Self::Silent => "silent",
            Self::Volume => "volume",
        }
    }
}

/// A table, or one station in it, that is not as fresh as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// The table.
    pub table: TableName,
    /// The station; none where it is the whole table.
    pub station: Option<String>,
    /// What is wrong.
    pub state: Staleness,
    /// The newest observation.
    pub newest: Option<DateTime<Utc>>,
    /// How long it usually takes until a newer one comes, in seconds.
    pub usual_step_s: Option<i64>,
    /// Since when it is so.
    pub stale_since: DateTime<Utc>,
    /// The same as a sentence.
    pub message: String,
}

/// What is told of one table at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) table: TableName,
    pub(crate) newest: Option<DateTime<Utc>>,
    pub(crate) usual_step_s: Option<i64>,
    /// Whether enough of its past is known to judge it.
    pub(crate) is_known: bool,
    pub(crate) stale: Vec<Stale>,
    /// Stations that give something new again.
    pub(crate) recovered: Vec<(String, i64)>,
}

/// Stations that notes name.
const NAMED_MAX: usize = 5;

/// What is noted of the stale: each table, and some of its stations.
pub(crate) fn notes(stale: &[Stale]) -> Vec<String> {
    let is_station = |it: &&Stale| it.station.is_some();
    let stations = stale.iter().filter(is_station).count();
    let whole = stale.iter().filter(|it| it.station.is_none());
    let some = stale.iter().filter(is_station).take(NAMED_MAX);
    let mut notes: Vec<String> = whole.chain(some).map(|it| it.message.clone()).collect();
    if stations > NAMED_MAX {
        notes.push(format!(
            "{} more stations are silent: SELECT * FROM meta.freshness WHERE state = 'silent'",
            stations - NAMED_MAX
        ));
    }
    notes
}

/// A `stale_after` that can never be judged, for no table of the pipeline has a time of observation.
pub(crate) fn stale_after_nothing(pipeline: &Pipeline, plans: &[TablePlan]) -> Option<Problem> {
    let after = pipeline.file.stale_after.as_deref()?;
    let has_time = |plan: &TablePlan| Sight::of(&plan.contract).has_time();
    if plans.is_empty() || plans.iter().any(has_time) {
        return None;
    }
    let mut tables: Vec<String> = plans.iter().map(|plan| plan.table.to_string()).collect();
    tables.dedup();
    let (tables, verb) = match tables.as_slice() {
        [table] => (table.clone(), "has"),
        tables => (tables.join(", "), "have"),
    };
    let message = format!(
        "`stale_after: {after}` has no effect: it needs a table with a time of observation, and {tables} {verb} none"
    );
    let help = "mark the time's field in the contract by \"sectorlake\": { \"interval\": \"instant\" } or \"start\", or leave `stale_after` out";
    let problem = pipeline.problem_at_key(&["stale_after"], message);
    Some(problem.help(help).warning())
}

/// A span of time in its two greatest units.
fn spoken(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds.max(0);
    let mut words = Vec::new();
    for (unit, word) in UNITS {
        if left >= unit && words.len() < 2 {
            words.push(format!("{} {word}", left / unit));
            left %= unit;
        } else if !words.is_empty() {
            break;
        }
    }
    match words.is_empty() {
        true => "0 s".to_owned(),
        false => words.join(" "),
    }
}

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

/// Observations later than this are mistakes: forecasts look no further.
pub(crate) fn latest(now: DateTime<Utc>) -> i64 {
    (now + TimeDelta::days(366)).timestamp()
}
