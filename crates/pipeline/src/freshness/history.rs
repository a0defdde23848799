//! The past of one table of one pipeline, and what is out of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sectorlake_contract::TableName;
use serde::{Deserialize, Serialize};

use super::sight::STATIONS_MAX;
use super::{Judged, Seen, Stale, Staleness, instant, spoken};

/// Steps and volumes that are remembered; the past is thinned out beyond that, so that it reaches back ever further.
const REMEMBERED_MAX: usize = 64;
/// Steps before standing still is judged.
const STEPS_MIN: usize = 4;
/// Runs before volumes are judged, and over how long a time: days differ from nights.
const VOLUMES_MIN: usize = 8;
const VOLUMES_SECONDS_MIN: i64 = 2 * 86_400;
/// A volume within this share of the median is usual, however steady it was.
const SHARE: f64 = 0.3;
/// How many robust standard deviations from the median are usual.
const DEVIATIONS: f64 = 4.0;
/// A median absolute deviation of normal values times this is their standard deviation.
const MAD_TO_SIGMA: f64 = 1.4826;

/// What is remembered of one table; times and spans in seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    /// The newest observation.
    newest: Option<i64>,
    /// When a run first saw it.
    advanced_at: Option<i64>,
    /// How long it took from one newest observation to the next, by the clock of the runs.
    steps: Vec<i64>,
    /// The longest of all.
    longest: i64,
    /// When runs loaded, and how many rows of each part.
    volumes: Vec<(i64, u64)>,
    stations: BTreeMap<String, Station>,
}

/// What is remembered of a station.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Station {
    first: i64,
    newest: i64,
    /// The longest time between two observations of two runs.
    longest: i64,
    /// Runs in which it gave something newer.
    steps: u32,
    /// Runs in which it could have.
    runs: u32,
    silent: bool,
}

/// What one run loaded of the table.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) seen: Seen,
    pub(crate) rows: u64,
    /// Parts that these rows came from; none: nothing was loaded.
    pub(crate) parts: u64,
}

/// When it is judged, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) at: DateTime<Utc>,
    /// The age of the newest observation from which the pipeline's author takes it for stale, in seconds.
    pub(crate) stale_after: Option<i64>,
}

impl History {
    /// Judges what a run loaded beside what was before, and remembers it.
    pub(crate) fn after(&mut self, table: &TableName, load: &Load, now: Now) -> Judged {
        let mut stale = Vec::new();
        let mut recovered = Vec::new();
        if load.parts > 0 {
            stale.extend(self.volume(table, load, now));
            self.advance(load.seen.newest, now.at.timestamp());
            self.look_at_stations(&load.seen);
            (stale, recovered) = self.silent(table, stale, now);
        }
        let mut judged = self.still(table, now);
        judged.stale.extend(stale);
        judged.recovered = recovered;
        judged
    }

    /// Judges the table where nothing new came.
    pub(crate) fn still(&self, table: &TableName, now: Now) -> Judged {
        let usual = median(&self.steps);
        Judged {
            table: table.clone(),
            newest: self.newest.map(instant),
            usual_step_s: usual,
            is_known: self.steps.len() >= STEPS_MIN || now.stale_after.is_some(),
            stale: self.stands_still(table, usual, now).into_iter().collect(),
            recovered: Vec::new(),
        }
    }

    fn stands_still(&self, table: &TableName, usual: Option<i64>, now: Now) -> Option<Stale> {
        let (newest, since) = (self.newest?, self.advanced_at?);
        let now_s = now.at.timestamp();
        let is_stale = match now.stale_after {
            Some(after) => now_s - newest > after,
            None => {
                let bound = self.longest.max(3 * usual?);
                self.steps.len() >= STEPS_MIN && now_s - since > bound
            }
        };
        let usually = match usual {
            Some(usual) => format!("; usually a newer one comes after {}", spoken(usual)),
            None => String::new(),
        };
        is_stale.then(|| Stale {
            table: table.clone(),
            station: None,
            state: Staleness::StandsStill,
            newest: Some(instant(newest)),
            usual_step_s: usual,
            stale_since: instant(since),
            message: format!(
                "{table}: the newest observation is of {} and has stood still for {}{usually}",
                told(newest),
                spoken(now_s - since)
            ),
        })
    }

    fn advance(&mut self, newest: Option<i64>, now: i64) {
        let Some(newest) = newest.filter(|newest| self.newest.is_none_or(|known| *newest > known))
        else {
            return;
        };
        if let Some(before) = self.advanced_at {
            let step = (now - before).max(0);
            self.longest = self.longest.max(step);
            remember(&mut self.steps, step);
        }
        self.newest = Some(newest);
        self.advanced_at = Some(now);
    }

    fn volume(&mut self, table: &TableName, load: &Load, now: Now) -> Option<Stale> {
        let rows = load.rows / load.parts;
        let known: Vec<i64> = self
            .volumes
            .iter()
            .map(|(_, rows)| i64::try_from(*rows).unwrap_or(i64::MAX))
            .collect();
        let since = self.volumes.first().map(|(at, _)| *at);
        remember(&mut self.volumes, (now.at.timestamp(), rows));
        let usual = median(&known)?;
        let is_known =
            known.len() >= VOLUMES_MIN && now.at.timestamp() - since? >= VOLUMES_SECONDS_MIN;
        let off: Vec<i64> = known.iter().map(|rows| (rows - usual).abs()).collect();
        let bound = DEVIATIONS * MAD_TO_SIGMA * median(&off)? as f64;
        let bound = bound.max(SHARE * usual as f64);
        let is_odd = (rows as f64 - usual as f64).abs() > bound;
        (is_known && is_odd).then(|| Stale {
            table: table.clone(),
            station: None,
            state: Staleness::Volume,
            newest: load.seen.newest.map(instant),
            usual_step_s: median(&self.steps),
            stale_since: now.at,
            message: format!(
                "{table}: {rows} rows came, where {usual} are usual (the median of {} runs)",
                known.len()
            ),
        })
    }

    fn look_at_stations(&mut self, seen: &Seen) {
        if seen.too_many || self.stations.len() > STATIONS_MAX {
            self.stations.clear();
            return;
        }
        for station in self.stations.values_mut() {
            station.runs = station.runs.saturating_add(1);
        }
        for (name, time) in &seen.stations {
            let station = self.stations.entry(name.clone()).or_insert(Station {
                first: *time,
                newest: *time,
                ..Station::default()
            });
            if *time > station.newest {
                station.longest = station.longest.max(time - station.newest);
                station.steps = station.steps.saturating_add(1);
                station.newest = *time;
            }
        }
    }

    /// Stations that lag behind the others for longer than they ever did. One that is silent for good stays so until it is heard of.
    fn silent(
        &mut self,
        table: &TableName,
        mut stale: Vec<Stale>,
        now: Now,
    ) -> (Vec<Stale>, Vec<(String, i64)>) {
        let mut recovered = Vec::new();
        let Some(newest) = self.newest else {
            return (stale, recovered);
        };
        for (name, station) in &mut self.stations {
            let usual = station.usual();
            let lag = newest - station.newest;
            let silent = match now.stale_after {
                Some(after) => lag > after,
                None => usual.is_some_and(|usual| lag > station.longest.max(3 * usual)),
            };
            // Rarely heard of is no wonder; once it is silent it may well have been so in most runs.
            let reports =
                station.silent || station.steps.saturating_mul(2) >= station.runs.saturating_sub(4);
            let silent = silent && reports;
            if station.silent && !silent {
                recovered.push((name.clone(), station.newest));
            }
            station.silent = silent;
            if silent {
                let usually = match usual {
                    Some(usual) => format!("; usually it reported every {}", spoken(usual)),
                    None => String::new(),
                };
                stale.push(Stale {
                    table: table.clone(),
                    station: Some(name.clone()),
                    state: Staleness::Silent,
                    newest: Some(instant(station.newest)),
                    usual_step_s: usual,
                    stale_since: instant(station.newest),
                    message: format!(
                        "{table}: station {name} has given nothing new since {}, {} behind the others{usually}",
                        told(station.newest),
                        spoken(lag)
                    ),
                });
            }
        }
        (stale, recovered)
    }
}

impl Station {
    /// The mean time between its observations; none before enough of them are known.
    fn usual(&self) -> Option<i64> {
        let is_known = usize::try_from(self.steps).is_ok_and(|steps| steps >= STEPS_MIN);
        is_known.then(|| (self.newest - self.first) / i64::from(self.steps))
    }
}

/// Keeps a value, and thins out the past where there are too many.
fn remember<T: Clone>(values: &mut Vec<T>, value: T) {
    if values.len() >= REMEMBERED_MAX {
        let every_second = values.iter().step_by(2).cloned();
        *values = every_second.collect();
    }
    values.push(value);
}

fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

fn told(seconds: i64) -> String {
    instant(seconds).format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
