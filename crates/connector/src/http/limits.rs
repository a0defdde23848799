//! Every bound of the client, named once.

use std::time::Duration;

/// How far the client goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Between two pieces of an answer.
    pub idle_timeout: Duration,
    /// For a whole answer, body and all.
    pub total_timeout: Duration,
    /// While waiting for so long, at least [`Self::progress_bytes_min`] must come of an answer.
    pub progress_window: Duration,
    /// See [`Self::progress_window`].
    pub progress_bytes_min: u64,
    /// How often one thing is asked for, the first time included.
    pub attempts_max: u32,
    /// Pause before the first retry; it doubles with each.
    pub pause_min: Duration,
    /// The longest pause of our own choice.
    pub pause_max: Duration,
    /// The longest pause that a source may ask for; beyond it the fetch fails and says so.
    pub retry_after_max: Duration,
    /// Redirects that are followed.
    pub redirects_max: usize,
    /// Size of a body.
    pub body_bytes_max: u64,
    /// Requests under way at one host.
    pub per_host_max: usize,
    /// Between the starts of two requests to one host.
    pub per_host_gap: Duration,
    /// Whether this machine may be reached whatever a source's settings say: for tests against it.
    pub allow_private: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(60),
            total_timeout: Duration::from_secs(3600),
            progress_window: Duration::from_secs(60),
            progress_bytes_min: 1 << 10,
            attempts_max: 5,
            pause_min: Duration::from_millis(500),
            pause_max: Duration::from_secs(60),
            retry_after_max: Duration::from_secs(600),
            redirects_max: 10,
            body_bytes_max: 64 << 30,
            per_host_max: 2,
            per_host_gap: Duration::from_millis(100),
            allow_private: false,
        }
    }
}

impl Limits {
    /// The pause after `attempt` failures (from 1): exponential, spread over its upper half by `jitter` in 0..=1.
    pub(crate) fn pause(&self, attempt: u32, jitter: f64) -> Duration {
        let doubled = self
            .pause_min
            .saturating_mul(1 << (attempt.saturating_sub(1)).min(16));
        doubled
            .min(self.pause_max)
            .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_bound() {
        let limits = Limits::default();
        let pauses: Vec<u128> = [1, 2, 3, 8, 40]
            .map(|attempt| limits.pause(attempt, 1.0).as_millis())
            .to_vec();
        assert_eq!(pauses, [500, 1000, 2000, 60_000, 60_000]);
        assert_eq!(limits.pause(1, 0.0).as_millis(), 250);
    }
}
