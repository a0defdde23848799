//! An hour of a city's fleet over the real `gtfs_realtime`, against a server on this machine, on a clock that leaps: watched by
//! processes that die at any instant, and compared row by row with what the messages said. `make soak` plays it at full size;
//! `SECTORLAKE_SEED` names other instants.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../../../../../tests/servers/fleet.rs"]
mod fleet;
mod mortal;
mod publisher;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{Either, select};
use futures::{TryStreamExt as _, future};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use sectorlake_connector::{Http, Limits, Pace};
use sectorlake_lake::{At, Clock as _, Env, Lake, Manifest, ManualClock, OnlyThese, ProcessId};
use sectorlake_pipeline::{Outcome, Project, RunContext, Tick, watch};
use sectorlake_query::{Session, SessionOptions};

use self::fleet::{Fix, Key, Rows};
use self::mortal::{Death, Mortal};
use self::publisher::Publisher;
use crate::registry;

/// How big the hour is.
struct Size {
    vehicles: i64,
    seconds: i64,
    kills: i64,
}

const SMALL: Size = Size {
    vehicles: 1000,
    seconds: 900,
    kills: 9,
};
const FULL: Size = Size {
    vehicles: 10_000,
    seconds: 3600,
    kills: 24,
};

/// A poll is due every half a minute.
const EVERY: i64 = 30;
/// Files of the table, at most: small ones are written together behind the batches.
const FILES_MAX: usize = 24;
/// How long a process that died is not there, now and then.
const OUTAGE: TimeDelta = TimeDelta::seconds(100);

/// Whoever sleeps moves the clock, while it lives.
struct Leaping {
    clock: Arc<ManualClock>,
    life: Arc<Mortal>,
}

#[async_trait]
impl Pace for Leaping {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    async fn sleep(&self, time: Duration) {
        if self.life.is_dead() {
            return future::pending().await;
        }
        self.clock.advance(TimeDelta::from_std(time).unwrap());
        tokio::task::yield_now().await;
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

/// How a life ends, from so many seconds after the start on.
#[derive(Debug, Clone, Copy)]
enum End {
    /// After so many steps of whatever it does.
    Steps(u32),
    /// At one of its writes.
    Write(i64, Death),
    /// At the end of the hour, in order.
    Natural,
}

struct World {
    folder: tempfile::TempDir,
    store: Arc<dyn ObjectStore>,
    clock: Arc<ManualClock>,
    env: Env,
    publisher: Publisher,
    start: DateTime<Utc>,
    told: Mutex<Vec<String>>,
}

impl World {
    fn new(size: &Size) -> Self {
        let clock = Arc::new(ManualClock::default());
        let publisher = Publisher::start(size.vehicles, Arc::clone(&clock));
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pipelines")).unwrap();
        let pipeline = format!(
            "source:\n  connector: gtfs_realtime\n  url: {}\n  allow_private: true\n  entities: [vehicle_positions]\nschedule: {{ every: {EVERY}s }}\n",
            publisher.url
        );
        std::fs::write(folder.path().join("pipelines/bus.yaml"), pipeline).unwrap();
        Self {
            folder,
            store: Arc::new(InMemory::new()),
            env: Env::manual_with(Arc::clone(&clock)),
            start: clock.now(),
            clock,
            publisher,
            told: Mutex::default(),
        }
    }

    /// Another process: those before it are dead.
    fn be_born(&mut self, life: u32) {
        let process = ProcessId {
            pid: life,
            started: u64::from(life),
        };
        self.env.process = process;
        self.env.alive = Arc::new(OnlyThese(vec![process]));
    }

    fn after(&self, seconds: i64) -> DateTime<Utc> {
        self.start + TimeDelta::seconds(seconds)
    }

    /// Watches until the end of the hour, or dies from so many seconds on; whether it died.
    async fn live(&self, seconds: i64, (from, end): (i64, End)) -> bool {
        let from = self.after(from);
        let store = Mortal::new(Arc::clone(&self.store));
        let is_due = || self.clock.now() >= from;
        let mut steps_left = match end {
            End::Steps(steps) => steps,
            End::Write(..) | End::Natural => u32::MAX,
        };
        let dies = future::poll_fn(|_| {
            if is_due() {
                steps_left = steps_left.saturating_sub(1);
                if let End::Write(writes, death) = end {
                    store.dies_after(writes, death);
                }
            }
            match store.is_dead() || steps_left == 0 {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        });
        let watched = self.watched(seconds, &store);
        let is_cut_off = matches!(select(pin!(watched), pin!(dies)).await, Either::Right(_));
        let has_died = is_cut_off || store.is_dead();
        // What the process left running writes no more.
        store.die();
        has_died
    }

    async fn watched(&self, seconds: i64, store: &Arc<Mortal>) {
        let objects = Arc::clone(store) as _;
        let Ok(lake) = Lake::on_store("memory", objects, self.env.clone()).await else {
            // It died before it was there.
            return future::pending().await;
        };
        let registry = registry::all();
        let (project, problems) = Project::load(self.folder.path(), &registry);
        assert!(problems.is_empty(), "{problems:?}");
        let http = Http::new(Limits::default(), Arc::new(self.pace(store))).unwrap();
        let env = self.env.clone();
        let context = RunContext::new(project, registry, lake, env, http, Arc::new(|_| None));
        let sources = context.project.continuous();
        let end = self.after(seconds);
        let stop = future::poll_fn(|_| match self.clock.now() >= end {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        let hear = |_: &str, tick: Tick| self.hear(&tick);
        watch(&context, &sources, &self.pace(store), stop, &hear).await;
    }

    fn pace(&self, life: &Arc<Mortal>) -> Leaping {
        Leaping {
            clock: Arc::clone(&self.clock),
            life: Arc::clone(life),
        }
    }

    fn hear(&self, tick: &Tick) {
        let after = (self.clock.now() - self.start).num_seconds();
        let said = match tick {
            Tick::Ran(result) => {
                for table in &result.tables {
                    assert!(table.balances(), "{table:?}");
                    assert_eq!((table.rejected, table.broken), (0, 0), "{table:?}");
                }
                let loaded: u64 = result.tables.iter().map(|table| table.loaded).sum();
                match &result.outcome {
                    Outcome::Published { snapshot } => format!("snapshot {snapshot}, +{loaded}"),
                    _ => "unchanged".to_owned(),
                }
            }
            Tick::Failing(failure) => format!("failing: {}", failure.message),
            Tick::Recovered => "recovered".to_owned(),
            Tick::Behind { skipped, .. } => format!("behind by {skipped}"),
        };
        self.told.lock().unwrap().push(format!("{after}: {said}"));
    }

    async fn lake(&self) -> Lake {
        let store = Arc::clone(&self.store);
        Lake::on_store("memory", store, self.env.clone())
            .await
            .unwrap()
    }
}

/// The table as whoever asks sees it.
async fn table(lake: &Lake) -> Vec<(Key, Fix, String)> {
    let session = Session::open(Some(lake), At::Latest, SessionOptions::default())
        .await
        .unwrap();
    let statement = "SELECT arrow_cast(entity_id, 'Utf8'), CAST(date_part('epoch', \"timestamp\") AS BIGINT), arrow_cast(trip_id, 'Utf8'), \
        CAST(current_stop_sequence AS BIGINT), CAST(odometer AS DOUBLE), CAST(latitude AS DOUBLE), arrow_cast(_part, 'Utf8') \
        FROM transport.vehicle_positions ORDER BY 1, 2";
    let answer = session.sql(statement).await.unwrap();
    let batches: Vec<RecordBatch> = answer.try_collect().await.unwrap();
    batches.iter().flat_map(rows_of).collect()
}

fn rows_of(batch: &RecordBatch) -> Vec<(Key, Fix, String)> {
    let text = |column: usize, row: usize| {
        let column = batch.column(column).as_string::<i32>();
        column.value(row).to_owned()
    };
    let number =
        |column: usize, row: usize| batch.column(column).as_primitive::<Int64Type>().value(row);
    let real = |column: usize, row: usize| {
        batch
            .column(column)
            .as_primitive::<Float64Type>()
            .value(row)
    };
    let row = |row: usize| {
        let fix = Fix {
            trip: text(2, row),
            stop: number(3, row),
            odometer: real(4, row),
            latitude: real(5, row),
        };
        ((text(0, row), number(1, row)), fix, text(6, row))
    };
    (0..batch.num_rows()).map(row).collect()
}

/// When a kept message was made, as its key says.
fn made(part: &Manifest) -> i64 {
    let (_, stamp) = part.key.rsplit_once("#timestamp=").unwrap();
    stamp.parse().unwrap()
}

fn is_soak() -> bool {
    std::env::var("SECTORLAKE_SOAK").is_ok_and(|it| it == "1")
}

#[tokio::test]
async fn an_hour_of_a_fleet_comes_whole_and_once_whenever_its_watch_dies() {
    let size = if is_soak() { FULL } else { SMALL };
    let mut world = World::new(&size);
    let mut seed: u32 = std::env::var("SECTORLAKE_SEED").map_or(11, |it| it.parse().unwrap());
    let mut unlucky = BTreeSet::<i64>::new();
    for kill in 0..size.kills {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let end = match kill % 3 {
            0 => End::Steps(1 + (seed >> 16) % 60),
            1 => End::Write(i64::from((seed >> 16) % 12), Death::Before),
            _ => End::Write(i64::from((seed >> 16) % 12), Death::After),
        };
        world.be_born(u32::try_from(kill).unwrap() + 1);
        let instant = (size.seconds * kill / (size.kills + 1), end);
        assert!(world.live(size.seconds, instant).await, "{instant:?}");
        if kill % 8 == 3 {
            // What was on its way, no later life is given again.
            unlucky.extend(world.publisher.given().await.last());
            world.clock.advance(OUTAGE);
        }
    }
    world.be_born(1000);
    assert!(!world.live(size.seconds, (0, End::Natural)).await);

    let lake = world.lake().await;
    let kept = lake.raw("bus").manifests().await.unwrap();
    let polls: Vec<i64> = kept.iter().map(made).collect();
    let distinct: BTreeSet<i64> = polls.iter().copied().collect();
    let told = world.told.lock().unwrap().join("\n");
    assert_eq!(
        polls.len(),
        distinct.len(),
        "a message was kept twice\n{told}"
    );
    let given: BTreeSet<i64> = world.publisher.given().await.into_iter().collect();
    let lost: Vec<&i64> = given.difference(&distinct).collect();
    assert!(
        lost.iter().all(|it| unlucky.contains(it)),
        "lost: {lost:?}\n{told}"
    );
    let last = world.after(size.seconds - 3 * EVERY).timestamp();
    assert!(polls.last() >= Some(&last), "{told}");

    let mut expected = Rows::new();
    for made in &polls {
        fleet::fold(size.vehicles, *made, &mut expected);
    }
    is_the_table(&lake, &kept, expected).await;
    eprintln!(
        "{} polls kept, {} killed, {} given and lost",
        polls.len(),
        size.kills,
        lost.len()
    );
}

/// Fails unless the table holds these rows and no other, each from a message that was kept.
async fn is_the_table(lake: &Lake, kept: &[Manifest], expected: Rows) {
    let hashes: BTreeSet<&str> = kept.iter().map(|part| part.hash.as_str()).collect();
    let found = table(lake).await;
    let count = found.len();
    let mut expected: BTreeMap<Key, Fix> = expected;
    for (key, fix, part) in found {
        assert_eq!(Some(&fix), expected.remove(&key).as_ref(), "{key:?}");
        assert!(hashes.contains(part.as_str()), "{key:?} is of no part");
    }
    let missing: Vec<_> = expected.iter().take(5).collect();
    assert!(
        missing.is_empty(),
        "{} rows are missing: {missing:?}",
        expected.len()
    );
    let snapshot = lake.snapshot(At::Latest).await.unwrap().unwrap();
    let name = "transport.vehicle_positions".parse().unwrap();
    let files = lake.table(&snapshot, &name).await.unwrap().files.len();
    assert!(files <= FILES_MAX, "{files} files");
    eprintln!("{count} rows in {files} files");
}
