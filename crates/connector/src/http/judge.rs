//! What an answer is: a refusal, no change, a page that is no data, or the thing.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{self, HeaderMap};
use tokio::sync::OwnedSemaphorePermit;

use super::Http;
use super::request::{Pages, Request};
use super::sniff::{has_table, page_title};
use super::transport::of_transport;
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};

/// How much of a refusal's text is shown.
const REASON_CHARS_MAX: usize = 200;

/// An answer of status 2xx whose first bytes have come.
pub(super) struct Opened {
    pub(super) answer: reqwest::Response,
    pub(super) first: Bytes,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

impl Http {
    pub(super) async fn judge(
        &self,
        request: &Request,
        url: &SourceUrl,
        mut answer: reqwest::Response,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Option<Opened>, ConnectorError> {
        let status = answer.status().as_u16();
        if let Some(mut error) = ConnectorError::of_status(status) {
            error.wait = wait_asked(answer.headers(), self.inner.shared.pace.now());
            if let Some(reason) = reason(&mut answer).await {
                error.message = format!("{}: {}", error.message, self.mask(&reason, request));
            }
            return Err(error.at(&request.url));
        }
        if status == 304 {
            return match &request.validators {
                Some(_) => Ok(None),
                None => Err(ConnectorError::new(
                    ErrorKind::Invalid,
                    "the source says that nothing changed, but was not asked (HTTP 304)",
                )
                .at(&request.url)),
            };
        }
        let bytes_max = self.inner.limits.body_bytes_max;
        if answer
            .content_length()
            .is_some_and(|length| length > bytes_max)
        {
            let message = format!("the answer is larger than {bytes_max} bytes");
            return Err(ConnectorError::new(ErrorKind::TooLarge, message).at(&request.url));
        }
        let first = answer
            .chunk()
            .await
            .map_err(|error| of_transport(self, &error, url))?;
        let first = first.unwrap_or_default();
        if let Some(title) = page_title(&first)
            && !takes_page(request.pages, &first)
        {
            return Err(self.a_page(&title, request));
        }
        Ok(Some(Opened {
            answer,
            first,
            permit,
        }))
    }

    fn a_page(&self, title: &str, request: &Request) -> ConnectorError {
        let named = match title {
            "" => String::new(),
            title => format!(" {:?}", self.mask(title, request)),
        };
        ConnectorError::new(
            ErrorKind::NotData,
            format!("a web page{named} came where data is expected"),
        )
        .at(&request.url)
        .with_help(
            "open the address in a browser: it may ask for a sign-in, or the file may have moved",
        )
    }
}

fn takes_page(pages: Pages, first: &[u8]) -> bool {
    match pages {
        Pages::Refused => false,
        Pages::WithTable => has_table(first),
        Pages::Taken => true,
    }
}

/// What the source asks us to wait: Retry-After in seconds or as a date (RFC 9110, 10.2.3), or the seconds until a rate
/// limit is reset, as many APIs send them.
fn wait_asked(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    if let Some(after) = text("retry-after") {
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
    let is_spent = text("x-ratelimit-remaining") == Some("0");
    let reset = text("x-ratelimit-reset").filter(|_| is_spent)?;
    reset.parse().ok().map(Duration::from_secs)
}

/// The first words of a refusal, if it speaks in text.
async fn reason(answer: &mut reqwest::Response) -> Option<String> {
    let kind = answer
        .headers()
        .get(header::CONTENT_TYPE)?
        .to_str()
        .ok()?
        .to_ascii_lowercase();
    if !(kind.contains("json") || kind.starts_with("text/plain")) {
        return None;
    }
    let chunk = answer.chunk().await.ok()??;
    let text = String::from_utf8_lossy(&chunk[..chunk.len().min(4 * REASON_CHARS_MAX)]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(REASON_CHARS_MAX).collect();
    (!cut.is_empty()).then_some(cut)
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
        assert_eq!(
            wait(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "30")]),
            Some(30)
        );
        assert_eq!(
            wait(&[("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "30")]),
            None
        );
        assert_eq!(wait(&[]), None);
    }
}
