//! One attempt: redirects followed with care, the status judged, the first bytes looked at.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{self, HeaderMap, HeaderValue};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::private::{PrivateAddress, names_private};
use super::request::{Pages, Request};
use super::sniff::{has_table, page_title};
use super::{Http, Inner};
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::secret::Secret;

/// How much of a refusal's text is shown.
const REASON_CHARS_MAX: usize = 200;

/// An answer of status 2xx whose first bytes have come.
pub(super) struct Opened {
    pub(super) answer: reqwest::Response,
    pub(super) first: Bytes,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

impl Http {
    /// Asks once. `None`: unchanged.
    pub(super) async fn once(&self, request: &Request) -> Result<Option<Opened>, ConnectorError> {
        let mut url = request.url.clone();
        for _ in 0..=self.inner.limits.redirects_max {
            let (answer, permit) = self.hop(request, &url).await?;
            if !is_redirect(answer.status().as_u16()) {
                return self.judge(request, &url, answer, permit).await;
            }
            url = self.follow(request, &url, &answer)?;
        }
        let message = format!("more than {} redirects", self.inner.limits.redirects_max);
        Err(ConnectorError::new(ErrorKind::Redirect, message)
            .at(&request.url)
            .with_help("open the address in a browser and write the one it ends at"))
    }

    async fn hop(
        &self,
        request: &Request,
        url: &SourceUrl,
    ) -> Result<(reqwest::Response, Option<OwnedSemaphorePermit>), ConnectorError> {
        let Inner {
            open,
            guarded,
            limits,
            pace,
            gates,
        } = &*self.inner;
        let at_home = same_host(url.expose(), request.url.expose());
        let host = url.expose().host_str().unwrap_or_default();
        let gap = request.gap.unwrap_or(limits.per_host_gap);
        let permit = gates
            .enter(host, limits.per_host_max, gap, pace.as_ref())
            .await;
        let client = if at_home || request.allow_private {
            open
        } else {
            guarded
        };
        let mut headers = if at_home {
            header_map(&request.headers, url)?
        } else {
            HeaderMap::new()
        };
        add_validators(&mut headers, request);
        let sent = client
            .get(url.expose().clone())
            .headers(headers)
            .send()
            .await;
        Ok((
            sent.map_err(|error| of_transport(&error, request, url))?,
            permit,
        ))
    }

    /// Where a redirect leads, if we may go there.
    fn follow(
        &self,
        request: &Request,
        url: &SourceUrl,
        answer: &reqwest::Response,
    ) -> Result<SourceUrl, ConnectorError> {
        let location = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|value| value.to_str().ok());
        let Some(next) = location.and_then(|location| url.redirected(location)) else {
            let message = format!("a redirect (HTTP {}) to nowhere", answer.status().as_u16());
            return Err(ConnectorError::new(ErrorKind::Redirect, message).at(&request.url));
        };
        let at_home = same_host(next.expose(), request.url.expose());
        if !at_home && !request.allow_private && names_private(next.expose()) {
            return Err(into_private(request, &next));
        }
        if url.expose().scheme() == "https" && next.expose().scheme() == "http" {
            let message = format!("redirects from https to {next}, which is not encrypted");
            return Err(ConnectorError::new(ErrorKind::Redirect, message)
                .at(&request.url)
                .with_help("write the http:// address itself if you trust it"));
        }
        Ok(next)
    }

    async fn judge(
        &self,
        request: &Request,
        url: &SourceUrl,
        mut answer: reqwest::Response,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Option<Opened>, ConnectorError> {
        let status = answer.status().as_u16();
        if let Some(mut error) = ConnectorError::of_status(status) {
            error.wait = wait_asked(answer.headers(), self.inner.pace.now());
            if let Some(reason) = reason(&mut answer).await {
                error.message = format!("{}: {}", error.message, request.mask(&reason));
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
            .map_err(|error| of_transport(&error, request, url))?;
        let first = first.unwrap_or_default();
        if let Some(title) = page_title(&first)
            && !takes_page(request.pages, &first)
        {
            return Err(a_page(&title, request));
        }
        Ok(Some(Opened {
            answer,
            first,
            permit,
        }))
    }
}

fn takes_page(pages: Pages, first: &[u8]) -> bool {
    match pages {
        Pages::Refused => false,
        Pages::WithTable => has_table(first),
        Pages::Taken => true,
    }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn same_host(left: &Url, right: &Url) -> bool {
    left.host() == right.host()
}

fn header_map(headers: &[(String, Secret)], url: &SourceUrl) -> Result<HeaderMap, ConnectorError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let parsed = header::HeaderName::try_from(name.as_str())
            .ok()
            .zip(HeaderValue::from_str(value.expose()).ok());
        let Some((header, mut value)) = parsed else {
            let message = format!("the header {name:?} holds what HTTP does not allow");
            return Err(ConnectorError::new(ErrorKind::Invalid, message).at(url));
        };
        value.set_sensitive(true);
        map.insert(header, value);
    }
    Ok(map)
}

fn add_validators(headers: &mut HeaderMap, request: &Request) {
    let Some(validators) = &request.validators else {
        return;
    };
    let pairs = [
        (header::IF_NONE_MATCH, &validators.etag),
        (header::IF_MODIFIED_SINCE, &validators.last_modified),
    ];
    for (name, value) in pairs {
        if let Some(value) = value
            .as_ref()
            .and_then(|value| HeaderValue::from_str(value).ok())
        {
            headers.insert(name, value);
        }
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

fn a_page(title: &str, request: &Request) -> ConnectorError {
    let named = match title {
        "" => String::new(),
        title => format!(" {:?}", request.mask(title)),
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

fn into_private(request: &Request, next: &SourceUrl) -> ConnectorError {
    let message = format!("redirects to {next}, which is in a private network");
    ConnectorError::new(ErrorKind::PrivateNetwork, message)
        .at(&request.url)
        .with_help("set `allow_private: true` if that is meant, or write that address itself")
}

/// The kind of what went wrong on the wire.
pub(super) fn of_transport(
    error: &reqwest::Error,
    request: &Request,
    url: &SourceUrl,
) -> ConnectorError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    let mut last = None;
    while let Some(inner) = cause {
        if inner.is::<PrivateAddress>() {
            return into_private(request, url);
        }
        last = Some(inner.to_string());
        cause = inner.source();
    }
    let detail = request.mask(&last.unwrap_or_else(|| "no details".to_owned()));
    let found = if error.is_timeout() {
        ConnectorError::new(ErrorKind::Timeout, "no answer in time")
    } else if error.is_connect() {
        ConnectorError::new(ErrorKind::Unreachable, format!("no connection: {detail}"))
            .with_help("check the host's name and this machine's network")
    } else if error.is_body() || error.is_decode() {
        ConnectorError::new(
            ErrorKind::Truncated,
            format!("the answer broke off: {detail}"),
        )
    } else {
        ConnectorError::new(
            ErrorKind::Unreachable,
            format!("the connection broke: {detail}"),
        )
    };
    found.at(&request.url)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
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
