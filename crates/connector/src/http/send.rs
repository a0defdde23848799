//! One attempt: redirects followed with care.

use reqwest::Method;
use reqwest::header::{self, HeaderMap, HeaderValue};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::auth::Auth;
use super::judge::Opened;
use super::private::PrivateAddress;
use super::request::Request;
use super::transport::of_transport;
use super::{Http, Inner, USER_AGENT};
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::secret::Secret;

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
        let Inner { limits, shared, .. } = &*self.inner;
        self.guard(url.expose())
            .await
            .map_err(|error| self.is_private(&error, &request.url))?;
        let mut token = self.token(url, None).await?;
        loop {
            let host = url.expose().host_str().unwrap_or_default();
            let gap = request.gap.unwrap_or(limits.per_host_gap);
            let permit = shared
                .gates
                .enter(host, limits.per_host_max, gap, shared.pace.as_ref())
                .await;
            let answer = self.sent(request, url, token.as_ref()).await?;
            // A token may be taken back before its time; another one is asked for once.
            if answer.status().as_u16() == 401
                && let Some(refused) = token.take()
                && let Some(other) = self.token(url, Some(&refused)).await?
                && other != refused
            {
                let again = self.sent(request, url, Some(&other)).await?;
                return Ok((again, permit));
            }
            return Ok((answer, permit));
        }
    }

    async fn sent(
        &self,
        request: &Request,
        url: &SourceUrl,
        token: Option<&Secret>,
    ) -> Result<reqwest::Response, ConnectorError> {
        let (method, address) = match &self.inner.config.auth {
            Some(auth) if !url.is_foreign() => (method(request), auth.address(url.expose())),
            _ => (method(request), url.expose().clone()),
        };
        let mut sent = self
            .inner
            .client
            .request(method, address)
            .headers(self.headers(request, url, token)?);
        if let Some((body, _)) = &request.body {
            sent = sent.body(body.clone());
        }
        let sent = sent.send().await;
        sent.map_err(|error| of_transport(self, &error, &request.url))
    }

    /// The token that goes out to `url`, if one does.
    async fn token(
        &self,
        url: &SourceUrl,
        refused: Option<&Secret>,
    ) -> Result<Option<Secret>, ConnectorError> {
        match &self.inner.config.auth {
            Some(Auth::Token(client)) if !url.is_foreign() => {
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
            if let Some(Auth::Header(name, value)) = &self.inner.config.auth {
                insert(&mut headers, name, value.expose(), url)?;
            }
            for (name, value) in request.headers.iter().chain(&self.inner.config.headers) {
                insert(&mut headers, name, value.expose(), url)?;
            }
        }
        add_validators(&mut headers, request);
        Ok(headers)
    }

    /// Who we are.
    pub(super) fn introduction(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        headers
    }

    /// Whether the URL may be asked, as far as it can be said before its name is resolved.
    pub(super) async fn guard(&self, url: &Url) -> Result<(), PrivateAddress> {
        self.inner.allowed.check_url(url)
    }

    /// That `place` leads into a private network.
    pub(super) fn is_private(&self, found: &PrivateAddress, place: &SourceUrl) -> ConnectorError {
        let host = &found.host;
        let what = match place.expose().host_str() == Some(host.as_str()) {
            true => "is",
            false => "leads to",
        };
        let named = match *host == found.address.to_string() {
            true => host.clone(),
            false => format!("{host} ({})", found.address),
        };
        let message = format!("{what} {named}, which is in a private network");
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
            let message = format!("a redirect (HTTP {}) to nowhere", answer.status().as_u16());
            return Err(ConnectorError::new(ErrorKind::Redirect, message).at(&request.url));
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

fn method(request: &Request) -> Method {
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
    value.set_sensitive(header == header::AUTHORIZATION || header == header::COOKIE);
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
