//! What a source asks us to wait.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;

use super::Http;
use super::body::text;
use crate::address::SourceUrl;

/// A number above this is an instant in seconds since 1970, not a time to wait.
const INSTANTS_FROM: u64 = 1_000_000_000;

impl Http {
    /// Leaves the host alone as long as it wants to be: every request to it waits, whoever makes it.
    pub(super) fn heed(&self, url: &SourceUrl, answer: &reqwest::Response) {
        let now = self.inner.shared.pace.now();
        let headers = answer.headers();
        let is_success = answer.status().is_success();
        let wait = match is_success {
            true => spent(headers, now),
            false => wait_asked(headers, now),
        };
        // What is too long to wait for fails where it is asked for.
        let wait = wait.filter(|wait| *wait <= self.inner.limits.retry_after_max);
        let until = wait
            .and_then(|wait| TimeDelta::from_std(wait).ok())
            .and_then(|wait| now.checked_add_signed(wait));
        if let (Some(until), Some(host)) = (until, url.expose().host_str()) {
            tracing::info!(host, %until, "the host wants to be left alone");
            self.inner.shared.gates.hold(host, until);
        }
    }
}

/// What the source asks us to wait: Retry-After in seconds or as a date (RFC 9110, 10.2.3), or until a rate limit is reset.
pub(super) fn wait_asked(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    if let Some(after) = text(headers, "retry-after") {
        if let Ok(seconds) = after.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(after).ok()?;
        return Some(
            (DateTime::<Utc>::from(date) - now)
                .to_std()
                .unwrap_or_default(),
        );
    }
    spent(headers, now)
}

/// The time until a spent rate limit is reset, as many APIs send it: in seconds, or as an instant.
fn spent(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let either = |name: &str| text(headers, &format!("x-{name}")).or_else(|| text(headers, name));
    if either("ratelimit-remaining") != Some("0") {
        return None;
    }
    let reset: u64 = either("ratelimit-reset")?.parse().ok()?;
    if reset < INSTANTS_FROM {
        return Some(Duration::from_secs(reset));
    }
    let instant = DateTime::from_timestamp(i64::try_from(reset).ok()?, 0)?;
    Some((instant - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn waits_are_seconds_or_dates() {
        let now = DateTime::parse_from_rfc3339("2025-01-01T00:00:00Z")
            .unwrap()
            .to_utc();
        let wait = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            wait_asked(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(&[("retry-after", " 7 ")]), Some(7));
        assert_eq!(
            wait(&[("retry-after", "Wed, 01 Jan 2025 00:02:00 GMT")]),
            Some(120)
        );
        assert_eq!(
            wait(&[("retry-after", "Tue, 31 Dec 2024 00:00:00 GMT")]),
            Some(0)
        );
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        for (remaining, reset, waited) in [
            ("0", "30", Some(30)),
            ("5", "30", None),
            ("0", "1735689660", Some(60)),
            ("0", "99999999999999999999", None),
        ] {
            let found = wait(&[
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-reset", reset),
            ]);
            assert_eq!(found, waited, "{remaining} {reset}");
        }
        let draft = [("ratelimit-remaining", "0"), ("ratelimit-reset", "9")];
        assert_eq!(wait(&draft), Some(9));
        assert_eq!(wait(&[]), None);
    }
}
