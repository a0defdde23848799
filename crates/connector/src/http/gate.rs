//! A host is asked by a few at a time, and not too fast.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::pace::Pace;

/// The gates of all hosts.
#[derive(Default)]
pub(crate) struct Gates(Mutex<HashMap<String, Arc<Gate>>>);

struct Gate {
    places: Arc<Semaphore>,
    next_start: Mutex<Option<DateTime<Utc>>>,
}

impl Gates {
    /// A place at `host`, when there is one and `gap` has passed since the last start; it is held until dropped.
    pub(crate) async fn enter(
        &self,
        host: &str,
        per_host_max: usize,
        gap: Duration,
        pace: &dyn Pace,
    ) -> Option<OwnedSemaphorePermit> {
        let gate = self.gate(host, per_host_max);
        // The semaphore is never closed, so a permit always comes.
        let permit = Arc::clone(&gate.places).acquire_owned().await.ok();
        let wait = gate.reserve(pace.now(), gap);
        if !wait.is_zero() {
            pace.sleep(wait).await;
        }
        permit
    }

    fn gate(&self, host: &str, per_host_max: usize) -> Arc<Gate> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(host.to_owned()).or_insert_with(|| {
            Arc::new(Gate {
                places: Arc::new(Semaphore::new(per_host_max.max(1))),
                next_start: Mutex::new(None),
            })
        });
        Arc::clone(gate)
    }
}

impl Gate {
    /// Takes the next start and says how far off it is.
    fn reserve(&self, now: DateTime<Utc>, gap: Duration) -> Duration {
        let mut next = self
            .next_start
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let start = next.map_or(now, |next| next.max(now));
        let gap = chrono::Duration::from_std(gap).unwrap_or_default();
        *next = Some(start + gap);
        (start - now).to_std().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::TestPace;

    #[tokio::test]
    async fn starts_keep_their_distance_and_places_are_few() {
        let gates = Gates::default();
        let pace = TestPace::default();
        let gap = Duration::from_secs(1);
        let first = gates.enter("a", 2, gap, &pace).await;
        let second = gates.enter("a", 2, gap, &pace).await;
        assert_eq!(pace.slept(), [gap]);
        let other = gates.enter("b", 2, gap, &pace).await;
        assert!(first.is_some() && second.is_some() && other.is_some());
        assert_eq!(gates.gate("a", 2).places.available_permits(), 0);
        drop(first);
        assert_eq!(gates.gate("a", 2).places.available_permits(), 1);
    }
}
