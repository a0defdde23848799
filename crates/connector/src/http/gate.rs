//! A host is asked by a few at a time, not too fast, and not before it wants to be.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::pace::Pace;

/// The gates of all hosts.
#[derive(Default)]
pub(crate) struct Gates(Mutex<HashMap<String, Arc<Gate>>>);

#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Default)]
struct State {
    /// Requests under way.
    inside: usize,
    /// When the last of them starts, or started.
    last_start: Option<DateTime<Utc>>,
    /// The host wants to be left alone until then.
    held_until: Option<DateTime<Utc>>,
}

/// A place at a host, held until it is dropped.
pub(crate) struct Permit(Arc<Gate>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.lock().inside -= 1;
        self.0.left.notify_waiters();
    }
}

impl Gates {
    /// A place at `host`: when fewer than `per_host_max` are inside, `gap` has passed since the last start, and the host
    /// does not want to be left alone.
    pub(crate) async fn enter(
        &self,
        host: &str,
        per_host_max: usize,
        gap: Duration,
        pace: &dyn Pace,
    ) -> Permit {
        let gate = self.gate(host);
        let permit = gate.admit(per_host_max).await;
        let mut start = gate.reserve(pace.now(), gap);
        while let Some(wait) = until(start, pace.now()) {
            pace.sleep(wait).await;
            // The host may have asked for a pause meanwhile.
            start = gate.lock().held_until.map_or(start, |held| held.max(start));
        }
        permit
    }

    /// Nobody asks `host` before `until`.
    pub(crate) fn hold(&self, host: &str, until: DateTime<Utc>) {
        let gate = self.gate(host);
        let mut state = gate.lock();
        state.held_until = Some(state.held_until.map_or(until, |held| held.max(until)));
    }

    fn gate(&self, host: &str) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(host.to_owned()).or_default())
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn admit(self: &Arc<Self>, per_host_max: usize) -> Permit {
        loop {
            let mut left = pin!(self.left.notified());
            // From here on no leaving is missed.
            left.as_mut().enable();
            {
                let mut state = self.lock();
                if state.inside < per_host_max.max(1) {
                    state.inside += 1;
                    return Permit(Arc::clone(self));
                }
            }
            left.await;
        }
    }

    /// Takes the next start.
    fn reserve(&self, now: DateTime<Utc>, gap: Duration) -> DateTime<Utc> {
        let mut state = self.lock();
        let gap = chrono::Duration::from_std(gap).unwrap_or_default();
        let after_last = state
            .last_start
            .map_or(now, |last| last.checked_add_signed(gap).unwrap_or(last));
        let start = [Some(now), Some(after_last), state.held_until];
        let start = start.into_iter().flatten().max().unwrap_or(now);
        state.last_start = Some(start);
        start
    }
}

fn until(start: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    (start - now).to_std().ok().filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::TestPace;

    const GAP: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn starts_keep_their_distance_and_places_are_few() {
        let gates = Gates::default();
        let pace = TestPace::default();
        let first = gates.enter("a", 2, GAP, &pace).await;
        let _second = gates.enter("a", 2, GAP, &pace).await;
        assert_eq!(pace.slept(), [GAP]);
        let _other = gates.enter("b", 2, GAP, &pace).await;
        assert_eq!(pace.slept(), [GAP]);
        let mut third = pin!(gates.enter("a", 2, GAP, &pace));
        assert!(futures::poll!(third.as_mut()).is_pending());
        // Whoever is content with more company gets in all the same.
        let fourth = gates.enter("a", 3, GAP, &pace).await;
        drop(fourth);
        assert!(futures::poll!(third.as_mut()).is_pending());
        drop(first);
        drop(third.await);
        assert_eq!(pace.slept(), [GAP, GAP, GAP]);
    }

    #[tokio::test]
    async fn a_host_that_wants_a_pause_gets_it_from_all() {
        let gates = Gates::default();
        let pace = TestPace::default();
        gates.hold("a", pace.now() + Duration::from_secs(7));
        gates.hold("a", pace.now() + Duration::from_secs(3));
        drop(gates.enter("a", 2, GAP, &pace).await);
        assert_eq!(pace.slept(), [Duration::from_secs(7)]);
        drop(gates.enter("a", 2, GAP, &pace).await);
        assert_eq!(pace.slept(), [Duration::from_secs(7), GAP]);
    }

    #[tokio::test]
    async fn a_thousand_starts_never_exceed_the_rate() {
        let gates = Gates::default();
        let pace = TestPace::default();
        let began = pace.now();
        for index in 0..1000 {
            drop(gates.enter("a", 1, Duration::from_millis(250), &pace).await);
            let passed = (pace.now() - began).num_milliseconds();
            assert!(passed >= index * 250, "start {index} after {passed} ms");
        }
    }
}
