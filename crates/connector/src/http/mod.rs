//! The polite client: it says who it is, waits when asked to, asks for changes only, and bounds what it takes.

mod body;
mod gate;
mod limits;
mod private;
mod request;
mod send;
mod sniff;

use std::sync::Arc;

use reqwest::Client;

pub use limits::Limits;
pub use request::{Answer, Pages, Request, Response};

use crate::error::{ConnectorError, ErrorKind};
use crate::pace::Pace;
use gate::Gates;
use private::GuardedResolver;

/// How the client names itself.
pub const USER_AGENT: &str = concat!("sectorlake/", env!("CARGO_PKG_VERSION"));

/// The client. Clones share connections and the places at each host.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    /// For hosts that the user has named.
    open: Client,
    /// For hosts that an answer has named.
    guarded: Client,
    limits: Limits,
    pace: Arc<dyn Pace>,
    gates: Gates,
}

impl Http {
    /// A client within `limits`, over a clock and timer of the caller's.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when the machine has no usable TLS roots or proxy settings.
    pub fn new(limits: Limits, pace: Arc<dyn Pace>) -> Result<Self, ConnectorError> {
        let builder = || {
            Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(limits.connect_timeout)
                .read_timeout(limits.idle_timeout)
                .timeout(limits.total_timeout)
                // Redirects are followed in `send`, which looks at each of them.
                .redirect(reqwest::redirect::Policy::none())
        };
        let fail = |error: reqwest::Error| {
            ConnectorError::new(
                ErrorKind::Unreachable,
                format!("no HTTP client can be made: {error}"),
            )
            .lasting()
            .with_help("check the machine's TLS roots and the variables HTTP_PROXY and HTTPS_PROXY")
        };
        let open = builder().build().map_err(fail)?;
        let guarded = builder()
            .dns_resolver(Arc::new(GuardedResolver))
            .build()
            .map_err(fail)?;
        let inner = Inner {
            open,
            guarded,
            limits,
            pace,
            gates: Gates::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Asks, again where that helps, and gives the answer with its body still to come. A body that breaks off is asked for
    /// again too, unseen by whoever reads it.
    ///
    /// # Errors
    /// [`ConnectorError`] with the masked URL, after the last attempt.
    pub async fn get(&self, request: &Request) -> Result<Answer, ConnectorError> {
        let mut attempt = 1;
        loop {
            match self.once(request).await {
                Ok(None) => return Ok(Answer::Unchanged),
                Ok(Some(opened)) => return Ok(Answer::Fresh(self.response(request, opened))),
                Err(error) => self.pause_or_fail(error, attempt).await?,
            }
            attempt += 1;
        }
    }

    /// Waits before the next attempt, or gives the error back when there is none.
    async fn pause_or_fail(
        &self,
        error: ConnectorError,
        attempt: u32,
    ) -> Result<(), ConnectorError> {
        let Inner { limits, pace, .. } = &*self.inner;
        if !error.retryable {
            return Err(error);
        }
        if attempt >= limits.attempts_max {
            let message = format!("{}; asked {attempt} times", error.message);
            return Err(ConnectorError { message, ..error });
        }
        let pause = match error.wait {
            Some(wait) if wait > limits.retry_after_max => {
                let message = format!("{}; it asks us to wait {} s", error.message, wait.as_secs());
                return Err(ConnectorError { message, ..error });
            }
            Some(wait) => wait.max(limits.pause(attempt, pace.jitter())),
            None => limits.pause(attempt, pace.jitter()),
        };
        tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "asking again after a pause");
        pace.sleep(pause).await;
        Ok(())
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http")
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
