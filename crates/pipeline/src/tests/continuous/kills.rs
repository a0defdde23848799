//! Watches that die at any instant.

use std::pin::pin;

use futures::future::{Either, select};
use sectorlake_lake::At;

use super::{Watched, distinct, pipeline};

/// Lives that end before their time.
const KILLS: i64 = 9;
/// How much of its work a life may still do in the interval in which it ends, at most.
const STEPS_MAX: u32 = 60;

/// A process: when it is dropped, all that it left running ends, as it does when a process dies.
fn process() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap()
}

/// Ends a watch in the middle of whatever it does: so many steps of its work after so many seconds.
async fn killed(watched: &Watched, until: i64, (seconds, steps): (i64, u32)) -> bool {
    let mut left = steps;
    let end = std::future::poll_fn(|_| {
        if watched.seconds() >= seconds {
            left = left.saturating_sub(1);
        }
        match left {
            0 => std::task::Poll::Ready(()),
            _ => std::task::Poll::Pending,
        }
    });
    let work = watched.watch(until);
    matches!(select(pin!(work), pin!(end)).await, Either::Right(_))
}

fn is_soak() -> bool {
    std::env::var("SECTORLAKE_SOAK").is_ok_and(|it| it == "1")
}

#[test]
fn no_poll_is_lost_or_doubled_by_kills() {
    let vehicles = if is_soak() { 10_000 } else { 200 };
    let until = if is_soak() { 3600 } else { 1800 };
    let mut watched = Watched::new(
        &[("bus", pipeline("30s", vehicles, ", kept: true", "merge"))],
        (0, 0),
        0,
    );
    let mut seed = 7_u32;
    for kill in 0..KILLS {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let instant = (until * kill / (KILLS + 1), 1 + (seed >> 16) % STEPS_MAX);
        let died = process().block_on(killed(&watched, until, instant));
        assert!(died, "{instant:?}");
        watched.reborn();
    }
    process().block_on(async {
        let told = watched.watch(until).await.join("\n");
        comes_whole(&watched, (vehicles, until), &told).await;
    });
}

/// What is in the raw zone was answered and kept; only an answer that was on its way when the process died is not, and the next life,
/// which begins in the same second, asks for that again.
async fn comes_whole(watched: &Watched, (vehicles, until): (i64, i64), told: &str) {
    let lake = watched.folder.lake().await;
    let kept = lake.raw("bus").manifests().await.unwrap();
    let polls: Vec<i64> = kept
        .iter()
        .map(|part| part.key.trim_start_matches("fleet#").parse().unwrap())
        .collect();
    let mut asked = watched.asked("bus");
    asked.dedup();
    assert_eq!(polls, asked, "{told}");
    assert!(asked.last() >= Some(&(until - 60)), "{asked:?}: {told}");
    assert_eq!(watched.rows().await, distinct(vehicles, &polls), "{told}");
    assert!(lake.snapshot(At::Latest).await.unwrap().is_some());
}
