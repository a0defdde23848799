//! What a lake is handed from outside: the time, new ids, and who else is alive on this host.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use uuid::{ContextV7, Timestamp, Uuid};

/// How far two readings of one process's start may lie apart: the kernel counts it from boot, and boot is known to the
/// second only.
const START_SECONDS_APART_MAX: u64 = 2;

/// Tells the time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The instant it is.
    fn now(&self) -> DateTime<Utc>;
}

/// Makes ids that nobody else makes.
pub trait Ids: fmt::Debug + Send + Sync {
    /// A new id: short, fit for a file name, later ones sorting after earlier ones.
    fn next(&self) -> String;
}

/// Knows the processes of this host.
pub trait Alive: fmt::Debug + Send + Sync {
    /// Whether that very process (not a later one with its number) still runs.
    fn is_alive(&self, process: ProcessId) -> bool;
}

/// A process of one host, told apart from a later one that got its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The number the system gave it.
    pub pid: u32,
    /// When it started, in seconds since 1970.
    pub started: u64,
}

/// What a lake needs of the world beside its storage.
#[derive(Debug, Clone)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// This host's name.
    pub host: String,
    /// This process.
    pub process: ProcessId,
    /// The other processes.
    pub alive: Arc<dyn Alive>,
}

impl Env {
    /// This host and this process as the system tells them, with the clock that is handed in.
    #[must_use]
    pub fn of_this_process(clock: Arc<dyn Clock>) -> Self {
        let pid = std::process::id();
        Self {
            ids: Arc::new(RandomIds::new(Arc::clone(&clock))),
            clock,
            host: System::host_name().unwrap_or_else(|| "localhost".to_owned()),
            process: ProcessId {
                pid,
                started: started(pid).unwrap_or_default(),
            },
            alive: Arc::new(HostProcesses),
        }
    }

    /// An environment that stands still until it is moved, for tests: a clock at 2026-01-01, ids that count, and no
    /// other process alive.
    #[must_use]
    pub fn manual() -> Self {
        Self::manual_with(Arc::new(ManualClock::default()))
    }

    /// The same with a clock that the test keeps a hand on.
    #[must_use]
    pub fn manual_with(clock: Arc<ManualClock>) -> Self {
        Self {
            clock,
            ids: Arc::new(CountedIds::default()),
            host: "host-a".to_owned(),
            process: ProcessId { pid: 1, started: 1 },
            alive: Arc::new(OnlyThese(vec![ProcessId { pid: 1, started: 1 }])),
        }
    }
}

/// Ids as UUIDs of version 7: they sort by the clock's time, and within it in the order they were made.
#[derive(Debug)]
pub struct RandomIds {
    clock: Arc<dyn Clock>,
    context: Mutex<ContextV7>,
}

impl RandomIds {
    /// Ids stamped with this clock's time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            context: Mutex::new(ContextV7::new()),
        }
    }
}

impl Ids for RandomIds {
    fn next(&self) -> String {
        let now = self.clock.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        // A poisoned context has only counted: it stays good.
        let context = self.context.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos());
        Uuid::new_v7(stamp).to_string()
    }
}

/// The processes of this host, asked of the system.
#[derive(Debug, Clone, Copy)]
pub struct HostProcesses;

impl Alive for HostProcesses {
    fn is_alive(&self, process: ProcessId) -> bool {
        started(process.pid)
            .is_some_and(|started| started.abs_diff(process.started) <= START_SECONDS_APART_MAX)
    }
}

/// When the process with this number started, if there is one.
fn started(pid: u32) -> Option<u64> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new();
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        true,
        ProcessRefreshKind::nothing(),
    );
    system.process(pid).map(sysinfo::Process::start_time)
}

/// A clock that stands until it is moved; for tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves it.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Default for ManualClock {
    /// Stands at 2026-01-01, midnight.
    fn default() -> Self {
        const NEW_YEAR_2026_SECONDS: i64 = 1_767_225_600;
        Self::at(DateTime::from_timestamp(NEW_YEAR_2026_SECONDS, 0).unwrap_or_default())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids that count up; for tests.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn next(&self) -> String {
        format!("id-{:06}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Only these processes are alive; for tests.
#[derive(Debug, Default)]
pub struct OnlyThese(pub Vec<ProcessId>);

impl Alive for OnlyThese {
    fn is_alive(&self, process: ProcessId) -> bool {
        self.0.contains(&process)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_alive_and_an_earlier_one_with_its_number_is_not() {
        let env = Env::of_this_process(Arc::new(ManualClock::default()));
        assert!(env.alive.is_alive(env.process));
        let earlier = ProcessId {
            started: env.process.started - 100,
            ..env.process
        };
        assert!(!env.alive.is_alive(earlier));
    }

    #[test]
    fn ids_sort_as_they_are_made_though_the_clock_stands() {
        let ids = RandomIds::new(Arc::new(ManualClock::default()));
        let made: Vec<String> = (0..1000).map(|_| ids.next()).collect();
        let mut sorted = made.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(made, sorted);
    }
}
