//! Continuous sources on a clock that leaps: polls on time, batches, failures, stops, and kills.

mod kills;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, Pace, PartBody, Registration, Slice,
    Stream,
};
use sectorlake_lake::{Clock as _, Env, ManualClock, OnlyThese, ProcessId};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Notify;

use super::Folder;
use crate::{Outcome, RunContext, Tick, watch};

/// What the connector does in one project, and what it was asked.
#[derive(Debug, Default)]
struct Fleet {
    clock: Arc<ManualClock>,
    start: DateTime<Utc>,
    /// Each second since the start at which it was asked, by pipeline.
    asked: Mutex<BTreeMap<String, Vec<i64>>>,
    /// From when to when it is out of order.
    ill: (i64, i64),
    /// Seconds that an answer takes.
    takes: i64,
}

static FLEETS: LazyLock<Mutex<HashMap<PathBuf, Arc<Fleet>>>> = LazyLock::new(Mutex::default);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// How many vehicles there are.
    vehicles: i64,
    /// Whether each answer is a part of its own.
    #[serde(default)]
    kept: bool,
    /// Whether it fails when the fleet is ill.
    #[serde(default)]
    frail: bool,
}

struct Polled {
    fleet: Arc<Fleet>,
    pipeline: String,
    settings: Settings,
}

/// Positions of vehicles at the moment of the run: a tenth of them stands still for five minutes.
pub(super) fn registration() -> Registration {
    Registration::of(
        "fleet",
        "Vehicles of the moment.",
        |settings: Settings, context| {
            let fleets = FLEETS.lock().unwrap();
            // A file is also checked where there is no project's folder.
            let fleet = fleets
                .get(context.project_dir())
                .cloned()
                .unwrap_or_default();
            let pipeline = context.pipeline().to_owned();
            Ok(Arc::new(Polled {
                fleet,
                pipeline,
                settings,
            }))
        },
    )
}

/// The rows of a moment.
fn positions(vehicles: i64, seconds: i64) -> impl Iterator<Item = (i64, i64)> {
    (0..vehicles).map(move |vehicle| {
        let at = match vehicle % 10 {
            0 => seconds - seconds.rem_euclid(300),
            _ => seconds,
        };
        (vehicle, at)
    })
}

#[async_trait]
impl Connector for Polled {
    async fn streams(&self, _: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(vec![Stream::new("positions", "positions")])
    }

    async fn fetch(
        &self,
        _: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let now = io.started_at().to_rfc3339();
        if cursor.is_some_and(|cursor| cursor.0 == json!(now)) {
            return Ok(None);
        }
        let fleet = &self.fleet;
        let seconds = (io.started_at() - fleet.start).num_seconds();
        let mut asked = fleet.asked.lock().unwrap();
        asked
            .entry(self.pipeline.clone())
            .or_default()
            .push(seconds);
        fleet.clock.advance(TimeDelta::seconds(fleet.takes));
        if self.settings.frail && (fleet.ill.0..fleet.ill.1).contains(&seconds) {
            return Err(ConnectorError::new(ErrorKind::Server, "out of order"));
        }
        let mut text = "vehicle,at\n".to_owned();
        for (vehicle, at) in positions(self.settings.vehicles, seconds) {
            let at = fleet.start + TimeDelta::seconds(at);
            writeln!(text, "{vehicle},{}", at.to_rfc3339()).unwrap();
        }
        let (key, next) = match self.settings.kept {
            true => (format!("fleet#{seconds}"), Some(Cursor(json!(now)))),
            false => ("fleet".to_owned(), None),
        };
        let part = PartBody::of_bytes(key, "positions.csv", Bytes::from(text));
        Ok(Some(Fetched::part(part, next)))
    }
}

const POSITIONS: (&str, &str) = (
    "schemas/city/positions.json",
    r#"{"fields": [{"name": "vehicle", "type": "integer"}, {"name": "at", "type": "datetime"}], "primaryKey": ["vehicle", "at"]}"#,
);

fn pipeline(every: &str, vehicles: i64, more: &str, load: &str) -> String {
    format!(
        "source: {{ connector: fleet, vehicles: {vehicles}{more} }}
tables:
  city.positions: {{ load: {load}, map: \"SELECT vehicle, at FROM source\" }}
schedule: {{ every: {every} }}
"
    )
}

/// Sleeps end when all sources sleep: then the clock leaps to where the first of them wakes.
struct Simulated {
    clock: Arc<ManualClock>,
    sources: usize,
    wakes: Mutex<Vec<DateTime<Utc>>>,
    leapt: Notify,
}

impl Simulated {
    fn of(clock: &Arc<ManualClock>, sources: usize) -> Self {
        Self {
            clock: Arc::clone(clock),
            sources,
            wakes: Mutex::default(),
            leapt: Notify::new(),
        }
    }

    fn leap(&self) {
        let mut wakes = self.wakes.lock().unwrap();
        if wakes.len() == self.sources {
            let first = wakes.iter().min().copied().unwrap();
            self.clock
                .advance((first - self.clock.now()).max(TimeDelta::zero()));
            wakes.retain(|wake| *wake > first);
            self.leapt.notify_waiters();
        }
    }

    async fn passed(&self, at: DateTime<Utc>) {
        let mut leapt = pin!(self.leapt.notified());
        leapt.as_mut().enable();
        while self.clock.now() < at {
            leapt.as_mut().await;
            leapt.set(self.leapt.notified());
            leapt.as_mut().enable();
        }
    }
}

#[async_trait]
impl Pace for Simulated {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn sleep(&self, time: Duration) {
        let wake = self.clock.now() + TimeDelta::from_std(time).unwrap();
        let mut leapt = pin!(self.leapt.notified());
        leapt.as_mut().enable();
        self.wakes.lock().unwrap().push(wake);
        self.leap();
        while self.clock.now() < wake {
            leapt.as_mut().await;
            leapt.set(self.leapt.notified());
            leapt.as_mut().enable();
        }
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

/// A project whose sources are watched.
struct Watched {
    folder: Folder,
    clock: Arc<ManualClock>,
    fleet: Arc<Fleet>,
    lives: u32,
}

impl Watched {
    fn new(pipelines: &[(&str, String)], ill: (i64, i64), takes: i64) -> Self {
        let clock = Arc::new(ManualClock::default());
        let mut folder = Folder::new(&[POSITIONS]);
        folder.env = Env::manual_with(Arc::clone(&clock));
        for (name, text) in pipelines {
            folder.write(&format!("pipelines/{name}.yaml"), text);
        }
        let fleet = Arc::new(Fleet {
            start: clock.now(),
            clock: Arc::clone(&clock),
            asked: Mutex::default(),
            ill,
            takes,
        });
        let mut fleets = FLEETS.lock().unwrap();
        fleets.insert(folder.path().to_owned(), Arc::clone(&fleet));
        Self {
            folder,
            clock,
            fleet,
            lives: 1,
        }
    }

    async fn context(&self) -> RunContext {
        self.folder.context().await
    }

    /// Seconds since the start.
    fn seconds(&self) -> i64 {
        (self.clock.now() - self.fleet.start).num_seconds()
    }

    /// Another process takes over: the one before is dead.
    fn reborn(&mut self) {
        self.lives += 1;
        let process = ProcessId {
            pid: self.lives,
            started: 1,
        };
        self.folder.env.process = process;
        self.folder.env.alive = Arc::new(OnlyThese(vec![process]));
    }

    /// Watches until so many seconds after the start; what was told.
    async fn watch(&self, seconds: i64) -> Vec<String> {
        let context = self.context().await;
        let sources = context.project.continuous();
        let pace = Simulated::of(&self.clock, sources.len());
        let told = Mutex::new(Vec::new());
        let hear = |pipeline: &str, tick: Tick| {
            let after = self.seconds();
            told.lock()
                .unwrap()
                .push(format!("{after} {pipeline}: {}", shown(&tick)));
        };
        let end = self.fleet.start + TimeDelta::seconds(seconds);
        watch(&context, &sources, &pace, pace.passed(end), &hear).await;
        told.into_inner().unwrap()
    }

    fn asked(&self, pipeline: &str) -> Vec<i64> {
        let asked = self.fleet.asked.lock().unwrap();
        asked.get(pipeline).cloned().unwrap_or_default()
    }

    async fn rows(&self) -> u64 {
        let rows = self.folder.rows("city.positions").await;
        rows.iter().map(|(_, rows)| rows).sum()
    }
}

fn shown(tick: &Tick) -> String {
    match tick {
        Tick::Ran(result) => {
            let loaded: u64 = result.tables.iter().map(|table| table.loaded).sum();
            let notes = result.notes.join("; ");
            match &result.outcome {
                Outcome::Published { .. } => format!("published {loaded}{notes}"),
                _ => format!("unchanged{notes}"),
            }
        }
        Tick::Failing(failure) => format!("failing: {}", failure.message),
        Tick::Recovered => "recovered".to_owned(),
        Tick::Behind { skipped, .. } => format!("behind by {skipped}"),
    }
}

fn steps(every: i64, until: i64) -> Vec<i64> {
    (0..=until / every).map(|turn| turn * every).collect()
}

/// Rows of polls: each vehicle and time once.
fn distinct(vehicles: i64, polls: &[i64]) -> u64 {
    let rows = polls.iter().flat_map(|poll| positions(vehicles, *poll));
    rows.collect::<std::collections::HashSet<_>>().len() as u64
}

#[tokio::test]
async fn each_source_is_polled_on_time_and_published_once_a_minute() {
    let watched = Watched::new(
        &[
            ("air", pipeline("5m", 3, "", "merge")),
            ("bus", pipeline("30s", 20, ", kept: true", "merge")),
            ("cars", pipeline("20s", 5, "", "replace")),
            ("dust", pipeline("30s", 4, "", "merge")),
        ],
        (0, 0),
        0,
    );
    let told = watched.watch(600).await;
    for (pipeline, every) in [("air", 300), ("bus", 30), ("cars", 20), ("dust", 30)] {
        let asked = watched.asked(pipeline);
        assert_eq!(asked, steps(every, 600)[..asked.len()], "{pipeline}");
        assert!(asked.len() as i64 >= 600 / every, "{pipeline}: {asked:?}");
    }
    let published = |pipeline: &str| -> Vec<i64> {
        let lines = told
            .iter()
            .filter(|line| line.contains(&format!(" {pipeline}: published")));
        let seconds = lines.map(|line| line.split(' ').next().unwrap().parse().unwrap());
        seconds.collect()
    };
    assert_eq!(published("bus")[..10], steps(60, 540));
    assert_eq!(published("cars")[..10], steps(60, 540));
    assert_eq!(published("air")[..2], steps(300, 300));
    assert_eq!(
        published("dust")[..20],
        steps(30, 570),
        "its next answer would take the place of this one"
    );
    let first = told.iter().find(|line| line.starts_with("60 bus"));
    assert_eq!(
        first.unwrap(),
        "60 bus: published 36",
        "two polls, of which two vehicles stand still"
    );
}

#[tokio::test]
async fn one_that_fails_is_told_once_asked_less_and_harms_no_other() {
    let watched = Watched::new(
        &[
            (
                "bus",
                pipeline("30s", 2, ", kept: true, frail: true", "merge"),
            ),
            ("tram", pipeline("60s", 2, ", kept: true", "merge")),
        ],
        (60, 500),
        0,
    );
    let told = watched.watch(1000).await;
    let (bus, tram): (Vec<String>, Vec<String>) =
        told.into_iter().partition(|line| line.contains(" bus:"));
    assert_eq!(watched.asked("bus")[..6], [0, 30, 60, 120, 240, 480]);
    assert_eq!(
        watched.asked("bus")[6],
        960,
        "twice as late after each failure"
    );
    let tram = tram.iter().filter(|line| line.contains("published"));
    assert!(tram.count() >= 15);
    insta::assert_snapshot!(bus.join("\n"));
}

#[tokio::test]
async fn slow_polls_are_left_out_and_told_once() {
    let watched = Watched::new(
        &[("bus", pipeline("30s", 2, ", kept: true", "merge"))],
        (0, 0),
        70,
    );
    let told = watched.watch(1000).await;
    assert_eq!(watched.asked("bus")[..4], [0, 90, 180, 270]);
    let behind = told.iter().filter(|line| line.contains("behind"));
    assert_eq!(behind.collect::<Vec<_>>(), ["70 bus: behind by 2"]);
}

#[tokio::test]
async fn a_stop_publishes_what_polls_brought_and_asks_for_no_more() {
    let watched = Watched::new(
        &[
            ("bus", pipeline("20s", 20, ", kept: true", "merge")),
            ("cars", pipeline("20s", 5, "", "replace")),
            ("tram", pipeline("20s", 20, ", kept: true", "merge")),
        ],
        (0, 0),
        0,
    );
    let told = watched.watch(100).await;
    for pipeline in ["bus", "cars", "tram"] {
        assert_eq!(watched.asked(pipeline), steps(20, 80), "{pipeline}");
    }
    // What is replaced stays as the last batch found it: the next run replaces it anyhow.
    let last = told.iter().filter(|line| line.starts_with("100 "));
    let last: BTreeSet<&String> = last.collect();
    let published = ["100 bus: published 18", "100 tram: published 18"];
    assert!(last.into_iter().eq(published), "{told:?}");
    let kept = distinct(20, &steps(20, 80));
    let expected = [("bus", kept), ("cars", 5), ("tram", kept)];
    let expected = expected.map(|(name, rows)| (name.to_owned(), rows));
    assert_eq!(watched.folder.rows("city.positions").await, expected);
}

#[tokio::test]
async fn intervals_come_from_the_pipelines_files() {
    let watched = Watched::new(
        &[
            ("bus", pipeline("30s", 2, "", "merge")),
            ("air", pipeline("2h", 2, "", "merge")),
            (
                "once",
                pipeline("1s", 2, "", "merge").replace("schedule: { every: 1s }", ""),
            ),
        ],
        (0, 0),
        0,
    );
    let sources = watched.context().await.project.continuous();
    let expected = [("air", 7200), ("bus", 30)];
    let expected = expected.map(|(name, seconds)| (name.to_owned(), Duration::from_secs(seconds)));
    assert_eq!(sources, expected);
}
