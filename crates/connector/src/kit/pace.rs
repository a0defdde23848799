//! A clock that moves when someone sleeps.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::pace::{Pace, spread};

/// Starts at the beginning of 2025, and remembers each sleep.
#[derive(Debug)]
pub struct TestPace {
    slept: Mutex<Vec<Duration>>,
    state: AtomicU64,
}

impl Default for TestPace {
    fn default() -> Self {
        Self {
            slept: Mutex::new(Vec::new()),
            state: AtomicU64::new(1),
        }
    }
}

impl TestPace {
    /// Every sleep so far.
    #[must_use]
    pub fn slept(&self) -> Vec<Duration> {
        self.slept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl Pace for TestPace {
    fn now(&self) -> DateTime<Utc> {
        const YEAR_2025: i64 = 1_735_689_600;
        let slept: Duration = self.slept().iter().sum();
        let slept = i64::try_from(slept.as_millis()).unwrap_or(i64::MAX);
        DateTime::from_timestamp_millis(YEAR_2025 * 1000 + slept).unwrap_or_default()
    }

    async fn sleep(&self, time: Duration) {
        self.slept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(time);
        // Others get their turn, as they would in a real sleep.
        tokio::task::yield_now().await;
    }

    fn jitter(&self) -> f64 {
        spread(&self.state)
    }
}
