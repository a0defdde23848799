//! For libraries that speak a protocol of their own (buckets, WebDAV, SSH): the same guard, limits and pace, a call at a time.

use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use tokio::net::{TcpStream, lookup_host};
use url::Url;

use super::private::PrivateAddress;
use super::transport::{is_no_name, no_such_host, of_transport};
use super::{Http, Limits};
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};

/// The body of an [`Http::raw`], as it comes.
pub type RawBody = Pin<Box<dyn Stream<Item = Result<Bytes, ConnectorError>> + Send + Sync>>;

impl Http {
    /// Asks once and gives the answer as it is, whatever its status; no redirect is followed, nothing is asked again.
    ///
    /// # Errors
    /// [`ConnectorError`] where no answer came, or the host is in a private network that is not allowed.
    pub async fn raw(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<RawBody>, ConnectorError> {
        let (parts, body) = request.into_parts();
        let address = Url::parse(&parts.uri.to_string()).map_err(|error| {
            ConnectorError::new(ErrorKind::Invalid, format!("is no address: {error}"))
        })?;
        // A signature may stand in the query: it is nothing to be told.
        let mut shown = address.clone();
        shown.set_query(None);
        let shown = SourceUrl::plain(shown);
        self.asks().map_err(|error| error.at(&shown))?;
        self.guard(&shown)
            .await
            .map_err(|error| self.is_private(&error, &shown))?;
        let limits = &self.inner.limits;
        let shared = &self.inner.shared;
        let host = address.host_str().unwrap_or_default();
        let permit = shared
            .gates
            .enter(
                host,
                limits.per_host_max,
                limits.per_host_gap,
                shared.pace.as_ref(),
            )
            .await;
        let sent = self
            .inner
            .client
            .request(parts.method, address)
            .headers(self.introduction())
            .headers(parts.headers)
            .body(body)
            .send()
            .await;
        let mut answer = sent.map_err(|error| of_transport(self, &error.without_url(), &shown))?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            std::mem::swap(headers, answer.headers_mut());
        }
        let http = self.clone();
        let stream = answer.bytes_stream().map_err(move |error| {
            // The place at the host is held until the body ends.
            let _ = &permit;
            of_transport(&http, &error.without_url(), &shown)
        });
        let body: RawBody = Box::pin(stream);
        response
            .body(body)
            .map_err(|error| ConnectorError::new(ErrorKind::Invalid, error.to_string()))
    }

    /// Where `host` may be reached: its addresses but for those of private networks that are not allowed.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] for a name that nobody knows, [`ErrorKind::PrivateNetwork`] where no address is left.
    pub async fn addresses(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, ConnectorError> {
        self.asks()?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = lookup_host((host, port)).await.map_err(|error| {
            if is_no_name(&error) {
                return no_such_host(host);
            }
            ConnectorError::new(ErrorKind::Unreachable, format!("no address: {error}"))
                .with_help("check the host's name and this machine's network")
        })?;
        let (mut open, mut closed) = (Vec::new(), None);
        for address in found {
            match self.inner.allowed.check(host, address.ip()) {
                Ok(()) => open.push(address),
                Err(private) => closed = Some(private),
            }
        }
        match closed {
            Some(private) if open.is_empty() => Err(closed_network(&private)),
            _ => Ok(open),
        }
    }

    /// A connection to `host`, at an address that may be reached.
    ///
    /// # Errors
    /// As [`Self::addresses`], and where nobody listens.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, ConnectorError> {
        let addresses = self.addresses(host, port).await?;
        let connecting = TcpStream::connect(addresses.as_slice());
        match tokio::time::timeout(self.inner.limits.connect_timeout, connecting).await {
            Err(_) => Err(ConnectorError::new(
                ErrorKind::Timeout,
                "no connection in time",
            )),
            Ok(Err(error)) => {
                let message = format!("no connection: {error}");
                Err(ConnectorError::new(ErrorKind::Unreachable, message)
                    .with_help("check the host, the port and this machine's network"))
            }
            Ok(Ok(stream)) => Ok(stream),
        }
    }

    /// How far the client goes for this source.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Waits before what failed for the `attempt`-th time (from 1) is tried again.
    ///
    /// # Errors
    /// The error itself, where trying again does not help or was done often enough.
    pub async fn pause(&self, error: ConnectorError, attempt: u32) -> Result<(), ConnectorError> {
        self.pause_or_fail(error, attempt).await
    }
}

fn closed_network(private: &PrivateAddress) -> ConnectorError {
    let PrivateAddress { host, address } = private;
    let message = match *host == address.to_string() {
        true => "is in a private network".to_owned(),
        false => format!("leads to {address}, in a private network"),
    };
    ConnectorError::new(ErrorKind::PrivateNetwork, message).with_help(format!(
        "if that is meant, write `allow_private: [{host:?}]` under `source:`"
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use super::*;
    use crate::http::{Request, Tape};
    use crate::kit::{self, TestPace};

    #[tokio::test]
    async fn connections_of_other_protocols_are_guarded_too() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let pace = Arc::new(TestPace::default());
        let closed = Http::new(Limits::default(), pace.clone()).unwrap();
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            let error = closed.connect(host, port).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::PrivateNetwork, "{host}: {error}");
        }
        let ask = http::Request::get(format!("http://127.0.0.1:{port}/?sig=s3cr3t"));
        let refused = closed.raw(ask.body(Bytes::new()).unwrap()).await;
        let error = refused.map(drop).unwrap_err();
        assert_eq!(error.kind, ErrorKind::PrivateNetwork);
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
        let open = Http::new(kit::limits(), pace).unwrap();
        assert!(open.connect("127.0.0.1", port).await.is_ok());
    }

    #[tokio::test]
    async fn who_asks_nobody_opens_no_connection() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let pace = Arc::new(TestPace::default());
        let http = Http::over(Tape::Nowhere, kit::limits(), pace, &|_| None).unwrap();
        let address = Url::parse(&format!("http://127.0.0.1:{port}/a")).unwrap();
        let plain = Request::get(SourceUrl::plain(address.clone()));
        let ask = http::Request::get(address.as_str());
        let refused = [
            http.get(&plain).await.map(drop),
            http.raw(ask.body(Bytes::new()).unwrap()).await.map(drop),
            http.connect("127.0.0.1", port).await.map(drop),
        ];
        for refused in refused {
            let error = refused.unwrap_err();
            assert!(!error.retryable, "{error}");
            assert!(error.message.contains("is not asked"), "{error}");
        }
        let waiting = futures::FutureExt::now_or_never(listener.accept());
        assert!(waiting.is_none());
    }
}
