//! The real world: the one place of this binary that makes the clock, chance and the environment.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sectorlake_connector::{Environment, Http, LeapPace, Limits, Pace, Tape, TimerPace};
use sectorlake_lake::{Clock, Env};

use crate::exit::{Exit, Failure};

/// The system's clock.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the real clock is made here and handed on"
    )]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// This process on this host, with the real clock.
pub(crate) fn of_this_process() -> Env {
    Env::of_this_process(Arc::new(SystemClock))
}

/// Who works here: `user@host`.
pub(crate) fn user(env: &Env) -> String {
    let named = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty());
    format!("{}@{}", named.as_deref().unwrap_or("unknown"), env.host)
}

/// The polite client, on the real clock, its retries spread by chance.
///
/// # Errors
/// A variable names a proxy that is none.
pub(crate) fn http() -> Result<Http, Failure> {
    http_over(Tape::Live)
}

/// The client of a run: on the network, or over a recording that is made or replayed.
///
/// # Errors
/// A variable names a proxy that is none.
pub(crate) fn http_over(tape: Tape) -> Result<Http, Failure> {
    let pace: Arc<dyn Pace> = match &tape {
        Tape::Replay(_) => Arc::new(LeapPace::new(|| SystemClock.now())),
        _ => Arc::new(timer()),
    };
    Http::over(tape, Limits::default(), pace, &|name| {
        std::env::var(name).ok()
    })
    .map_err(|error| Failure::from_error(Exit::Internal, &error).maybe_help(error.help.clone()))
}

/// Waits on the real clock.
pub(crate) fn timer() -> TimerPace {
    let seed = RandomState::new().hash_one(std::process::id());
    TimerPace::new(|| SystemClock.now(), seed)
}

/// What stands for a secret that is not set, where only a recording is asked: it holds none. Part of a host's name, it still is one.
const NO_SECRET: &str = "sectorlake-replays-without-secrets";

/// The variables of a run over `tape`: whoever replays a recording need not know the secrets of who made it.
pub(crate) fn variables_over(tape: &Tape) -> Environment {
    let real = variables();
    match tape {
        Tape::Replay(_) => Arc::new(move |name| real(name).or_else(|| Some(NO_SECRET.to_owned()))),
        _ => real,
    }
}

/// The process's environment variables, which pipeline files name for secrets.
pub(crate) fn variables() -> Environment {
    Arc::new(|name| std::env::var(name).ok())
}
