//! Time and chance, handed in, so that a test waits for nothing and a seed replays a run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

/// How the client tells the time, waits, and spreads its retries.
#[async_trait]
pub trait Pace: Send + Sync {
    /// The time.
    fn now(&self) -> DateTime<Utc>;
    /// Waits.
    async fn sleep(&self, time: Duration);
    /// A number from 0 to 1, other at each call.
    fn jitter(&self) -> f64;
}

/// Waits on the runtime's timer; the clock and the seed are handed in.
pub struct TimerPace {
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    state: AtomicU64,
}

impl TimerPace {
    /// A pace over the given clock; `seed` decides how retries are spread.
    pub fn new(clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static, seed: u64) -> Self {
        Self {
            clock: Arc::new(clock),
            state: AtomicU64::new(seed),
        }
    }
}

#[async_trait]
impl Pace for TimerPace {
    fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn jitter(&self) -> f64 {
        spread(&self.state)
    }
}

/// Waits for nothing: where others sleep, its clock leaps ahead. For replays.
pub struct LeapPace {
    clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    leapt: Mutex<Duration>,
    state: AtomicU64,
}

impl LeapPace {
    /// A pace over the given clock.
    pub fn new(clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            leapt: Mutex::default(),
            state: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl Pace for LeapPace {
    fn now(&self) -> DateTime<Utc> {
        let leapt = *self.leapt.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        TimeDelta::from_std(leapt)
            .ok()
            .and_then(|leapt| now.checked_add_signed(leapt))
            .unwrap_or(now)
    }

    async fn sleep(&self, time: Duration) {
        {
            let mut leapt = self.leapt.lock().unwrap_or_else(PoisonError::into_inner);
            *leapt = leapt.saturating_add(time);
        }
        // Others get their turn, as they would in a real sleep.
        tokio::task::yield_now().await;
    }

    fn jitter(&self) -> f64 {
        spread(&self.state)
    }
}

/// SplitMix64: enough to keep clients from asking in step.
pub(crate) fn spread(state: &AtomicU64) -> f64 {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut mixed = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_stays_between_none_and_all() {
        let state = AtomicU64::new(7);
        let drawn: Vec<f64> = (0..1000).map(|_| spread(&state)).collect();
        assert!(drawn.iter().all(|number| (0.0..=1.0).contains(number)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
