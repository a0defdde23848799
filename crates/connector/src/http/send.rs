//! One attempt: redirects followed with care.

use std::borrow::Cow;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder};
use url::Host;

use super::auth::Auth;
use super::complete::MISSING_MAX;
use super::gate::Permit;
use super::judge::Opened;
use super::private::PrivateAddress;
use super::request::Request;
use super::transport::{is_unknown_issuer, of_transport};
use super::{Http, Inner};
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::secret::Secret;

/// How much of a redirect's target is shown.
const TARGET_CHARS_MAX: usize = 200;

impl Http {
    /// Asks once. `None`: unchanged.
    pub(super) async fn once(&self, request: &Request) -> Result<Option<Opened>, ConnectorError> {
        let mut url = request.url.clone();
        let mut moved = None;
        let mut is_for_good = true;
        let mut request = Cow::Borrowed(request);
        for _ in 0..=self.inner.limits.redirects_max {
            let (answer, permit) = self.hop(&request, &url).await?;
            let status = answer.status().as_u16();
            if !is_redirect(status) {
                let judged = self.judge(&request, &url, answer, permit).await?;
                if let Some(moved) = moved {
                    self.note(format!(
                        "{} has moved for good: write {moved} in its place",
                        request.url
                    ));
                }
                return Ok(judged);
            }
            url = self.follow(&request, &url, &answer)?;
            if matches!(status, 301..=303) && request.body.is_some() {
                // The answer to a question lies there, to be fetched (RFC 9110, section 15.4.4).
                request.to_mut().body = None;
            }
            // Only as far as it is for good may the new address be written down.
            is_for_good &= matches!(status, 301 | 308);
            if is_for_good {
                moved = Some(self.mask(&url.to_string(), &request));
            }
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
    ) -> Result<(reqwest::Response, Permit), ConnectorError> {
        self.asks().map_err(|error| error.at(&request.url))?;
        self.guard(url)
            .await
            .map_err(|error| self.is_private(&error, &request.url))?;
        let token = self.token(url, None).await?;
        let mut permit = self.admitted(request, url).await;
        let answer = self.sent(request, url, token.as_ref()).await?;
        // A token may be taken back before its time; another one is asked for once.
        if answer.status().as_u16() == 401
            && let Some(refused) = token
            && let Some(other) = self.token(url, Some(&refused)).await?
            && other != refused
        {
            drop((answer, permit));
            permit = self.admitted(request, url).await;
            let again = self.sent(request, url, Some(&other)).await?;
            return Ok((again, permit));
        }
        Ok((answer, permit))
    }

    /// A place at the host, when it may be asked.
    async fn admitted(&self, request: &Request, url: &SourceUrl) -> Permit {
        let Inner { limits, shared, .. } = &*self.inner;
        let host = url.expose().host_str().unwrap_or_default();
        let gap = request.gap.unwrap_or(limits.per_host_gap);
        let pace = shared.pace.as_ref();
        shared
            .gates
            .enter(host, limits.per_host_max, gap, pace)
            .await
    }

    async fn sent(
        &self,
        request: &Request,
        url: &SourceUrl,
        token: Option<&Secret>,
    ) -> Result<reqwest::Response, ConnectorError> {
        let host = url.expose().host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let pins = &self.inner.shared.trusts.pins;
        let mut found = Vec::new();
        loop {
            let before = pins.count(host);
            let error = match self.answered(request, url, token).await? {
                Ok(answer) => {
                    for note in found.into_iter().filter(|note: &String| !note.is_empty()) {
                        tracing::info!(host, "{note}");
                        self.note(note);
                    }
                    return Ok(answer);
                }
                Err(error) => error,
            };
            if is_unknown_issuer(&error) && found.len() < MISSING_MAX {
                let completed = self.complete(host, before).await;
                if let Some(note) = completed.map_err(|error| error.at(&request.url))? {
                    found.push(note);
                    continue;
                }
            }
            if !found.is_empty() {
                pins.forget(host);
            }
            return Err(of_transport(self, &error, &request.url));
        }
    }

    pub(super) fn built(
        &self,
        request: &Request,
        url: &SourceUrl,
        token: Option<&Secret>,
    ) -> Result<RequestBuilder, ConnectorError> {
        let (method, address) = match &self.inner.config.auth {
            Some(auth) if !url.is_foreign() => (method(request), auth.address(url.expose())),
            _ => (method(request), url.expose().clone()),
        };
        let headers = self.headers(request, url, token)?;
        let built = self.inner.client.request(method, address).headers(headers);
        Ok(match &request.body {
            Some((body, _)) => built.body(body.clone()),
            None => built,
        })
    }

    /// The token that goes out to `url`, if one does.
    async fn token(
        &self,
        url: &SourceUrl,
        refused: Option<&Secret>,
    ) -> Result<Option<Secret>, ConnectorError> {
        match &self.inner.config.auth {
            Some(Auth::Token(client)) if !url.is_foreign() && !self.is_replay() => {
                client.token(self, refused).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    fn headers(
        &self,
        request: &Request,
        url: &SourceUrl,
        token: Option<&Secret>,
    ) -> Result<HeaderMap, ConnectorError> {
        let mut headers = self.introduction();
        if let Some(wanted) = &request.accept {
            insert(&mut headers, "accept", wanted, url)?;
        }
        if let Some((_, kind)) = &request.body {
            insert(&mut headers, "content-type", kind, url)?;
        }
        // What the user or the connector adds is for the source's own host.
        if !url.is_foreign() {
            let bearer = token.map(|token| format!("Bearer {}", token.expose()));
            if let Some(bearer) = &bearer {
                insert(&mut headers, "authorization", bearer, url)?;
            }
            let auth = self.inner.config.auth.as_ref();
            if let Some((name, value)) = auth.and_then(Auth::header) {
                insert(&mut headers, name, value.expose(), url)?;
            }
            for (name, value) in request.headers.iter().chain(&self.inner.config.headers) {
                insert(&mut headers, name, value.expose(), url)?;
            }
        }
        add_validators(&mut headers, request);
        if let Some(rest) = &request.rest {
            insert(&mut headers, "range", &format!("bytes={}-", rest.from), url)?;
            insert(&mut headers, "if-range", &rest.validator, url)?;
        }
        Ok(headers)
    }

    /// Whether the URL may be asked, as far as it can be said before its name is resolved. A proxy resolves names itself, so
    /// there the name is looked up beforehand too; what only the proxy can resolve is left to it.
    pub(super) async fn guard(&self, url: &SourceUrl) -> Result<(), PrivateAddress> {
        let allowed = &self.inner.allowed;
        allowed.check_url(url.expose())?;
        if let Some(Host::Domain(name)) = url.expose().host()
            && self.is_behind_proxy(url)
            && !self.is_replay()
            && let Ok(found) = tokio::net::lookup_host((name, 0)).await
        {
            for address in found {
                allowed.check(name, address.ip())?;
            }
        }
        Ok(())
    }

    /// Whether an address lies in a private network that is closed, as far as its name can be resolved now. Nothing is asked of it.
    pub async fn is_closed(&self, url: &SourceUrl) -> bool {
        let allowed = &self.inner.allowed;
        if allowed.check_url(url.expose()).is_err() {
            return true;
        }
        let Some(Host::Domain(name)) = url.expose().host() else {
            return false;
        };
        let found = tokio::net::lookup_host((name, 0)).await;
        let mut addresses = found.into_iter().flatten();
        addresses.any(|address| allowed.check(name, address.ip()).is_err())
    }

    /// That `place` leads into a private network.
    pub(super) fn is_private(&self, found: &PrivateAddress, place: &SourceUrl) -> ConnectorError {
        let PrivateAddress { host, address } = found;
        let is_own = place.expose().host_str() == Some(host.as_str());
        let message = match (is_own, *host == address.to_string()) {
            (true, true) => "is in a private network".to_owned(),
            (true, false) | (false, true) => format!("leads to {address}, in a private network"),
            (false, false) => format!("leads to {host} ({address}), in a private network"),
        };
        ConnectorError::new(ErrorKind::PrivateNetwork, message)
            .at(place)
            .with_help(format!(
                "if that is meant, write `allow_private: [{host:?}]` under `source:`"
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
            let status = answer.status().as_u16();
            let to = location.map(|location| self.mask(location, request));
            return Err(to_nowhere(status, to.as_deref()).at(&request.url));
        };
        if url.expose().scheme() == "https" && next.expose().scheme() == "http" {
            let next = self.mask(&next.to_string(), request);
            let message = format!("redirects from https to {next}, which is not encrypted");
            return Err(ConnectorError::new(ErrorKind::Redirect, message)
                .at(&request.url)
                .with_help("write the http:// address itself if you trust it"));
        }
        Ok(next)
    }
}

/// A redirect that cannot be followed.
fn to_nowhere(status: u16, to: Option<&str>) -> ConnectorError {
    let error = |message| ConnectorError::new(ErrorKind::Redirect, message);
    let Some(to) = to.map(str::trim).filter(|to| !to.is_empty()) else {
        return error(format!("a redirect (HTTP {status}) to nowhere"));
    };
    let to: String = to.chars().take(TARGET_CHARS_MAX).collect();
    // What it leads to may be a trap: nobody should open it.
    error(format!(
        "a redirect (HTTP {status}) leads to {to:?}, which is no http or https address"
    ))
    .with_help("ask the publisher where the file is now; nothing was fetched")
}

pub(super) fn method(request: &Request) -> Method {
    match request.body {
        Some(_) => Method::POST,
        None => Method::GET,
    }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

fn insert(
    headers: &mut HeaderMap,
    name: &str,
    value: &str,
    url: &SourceUrl,
) -> Result<(), ConnectorError> {
    let parsed = header::HeaderName::try_from(name)
        .ok()
        .zip(HeaderValue::from_str(value).ok());
    let Some((header, mut value)) = parsed else {
        let message = format!("the header {name:?} holds what HTTP does not allow");
        return Err(ConnectorError::new(ErrorKind::Invalid, message).at(url));
    };
    // Any other may hold a key: it is hidden from whatever logs what is sent.
    let is_plain = [
        header::ACCEPT,
        header::CONTENT_TYPE,
        header::RANGE,
        header::IF_RANGE,
    ];
    value.set_sensitive(!is_plain.contains(&header));
    headers.insert(header, value);
    Ok(())
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
