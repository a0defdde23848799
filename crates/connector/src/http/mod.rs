//! The polite client: it says who it is, waits when asked to, asks for changes only, and bounds what it takes.

mod auth;
mod body;
mod complaint;
mod complete;
mod config;
mod digest;
mod drip;
mod exchange;
mod gate;
mod judge;
mod limits;
mod oauth2;
mod private;
mod proxy;
mod range;
mod raw;
mod request;
mod response;
mod send;
mod settings;
mod sniff;
mod tape;
mod tls;
mod transport;
mod units;
mod visit;
mod wait;

use std::sync::Arc;

use reqwest::Client;

pub(crate) use config::{Config, merged, merged_some, taken};
pub use limits::Limits;
pub use raw::RawBody;
pub use request::{Answer, Pages, Request, Response};
pub use tape::Tape;
pub use visit::Contact;

use crate::error::{ConnectorError, ErrorKind};
use crate::forms;
use crate::pace::Pace;
use auth::Auth;
use gate::Gates;
use private::{Allowed, GuardedResolver};
use proxy::Proxies;
use tls::Trusts;
use visit::Visit;

/// How the client names itself.
pub const USER_AGENT: &str = concat!("sectorlake/", env!("CARGO_PKG_VERSION"));

/// The client. Clones, and what is made of it for a source's settings, share the places at each host.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
    visit: Arc<Visit>,
}

/// What all clients of a process share.
struct Shared {
    limits: Limits,
    pace: Arc<dyn Pace>,
    gates: Gates,
    trusts: Trusts,
    /// As the environment says.
    proxies: Proxies,
    tape: Tape,
}

/// A client for a source's settings.
struct Inner {
    shared: Arc<Shared>,
    config: Arc<Config>,
    limits: Limits,
    allowed: Allowed,
    proxies: Proxies,
    client: Client,
}

impl Http {
    /// A client within `limits`, over a clock and timer of the caller's; it asks through no proxy.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] when no client can be made on this machine.
    pub fn new(limits: Limits, pace: Arc<dyn Pace>) -> Result<Self, ConnectorError> {
        Self::with_environment(limits, pace, &|_| None)
    }

    /// The same, which asks through the proxies that the environment's variables name: `HTTPS_PROXY`, `HTTP_PROXY`,
    /// `ALL_PROXY`, `NO_PROXY`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when a variable names no proxy, [`ErrorKind::Unreachable`] when no client can be made on this
    /// machine.
    pub fn with_environment(
        limits: Limits,
        pace: Arc<dyn Pace>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectorError> {
        Self::over(Tape::Live, limits, pace, variable)
    }

    /// The same, whose answers are recorded, or come from a recording.
    ///
    /// # Errors
    /// As [`Self::with_environment`].
    pub fn over(
        tape: Tape,
        limits: Limits,
        pace: Arc<dyn Pace>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectorError> {
        let proxies = Proxies::of_environment(variable).map_err(|reason| {
            ConnectorError::new(ErrorKind::Invalid, reason).with_help(
                "write, for instance, https_proxy=http://proxy.example:3128, or unset it",
            )
        })?;
        let shared = Shared {
            limits,
            pace,
            gates: Gates::default(),
            trusts: Trusts::default(),
            proxies,
            tape,
        };
        Self::of(Arc::new(shared), Arc::default(), Arc::new(Visit::of(None)))
    }

    /// The same client for a source with settings of its own.
    pub(crate) fn configured(&self, config: &Arc<Config>) -> Result<Self, ConnectorError> {
        let shared = Arc::clone(&self.inner.shared);
        Self::of(shared, Arc::clone(config), Arc::clone(&self.visit))
    }

    /// The same client as `self`, configured as `other` is; none if they share nothing.
    pub(crate) fn like(&self, other: &Self) -> Option<Self> {
        let is_akin = Arc::ptr_eq(&self.inner.shared, &other.inner.shared);
        is_akin.then(|| Self {
            inner: Arc::clone(&other.inner),
            visit: Arc::clone(&self.visit),
        })
    }

    fn of(
        shared: Arc<Shared>,
        config: Arc<Config>,
        visit: Arc<Visit>,
    ) -> Result<Self, ConnectorError> {
        let limits = config.limits.of(&shared.limits);
        let allowed = match limits.allow_private {
            true => config.allowed.clone().and_this_machine(),
            false => config.allowed.clone(),
        };
        let proxies = config.proxies.as_ref().unwrap_or(&shared.proxies).clone();
        let guard = GuardedResolver {
            allowed: allowed.clone(),
            proxies: proxies.hosts(),
        };
        let through = proxies.clone();
        let client = Client::builder()
            .connect_timeout(limits.connect_timeout)
            .read_timeout(limits.idle_timeout)
            .timeout(limits.total_timeout)
            // Redirects are followed in `send`, which looks at each of them.
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(guard))
            // The environment is handed in; reqwest would read it by itself.
            .no_proxy()
            .proxy(reqwest::Proxy::custom(move |url| through.of(url).cloned()))
            .tls_backend_preconfigured(shared.trusts.client_config(&config.trust)?)
            .build()
            .map_err(|error| {
                let message = format!("no HTTP client can be made: {error}");
                ConnectorError::new(ErrorKind::Unreachable, message).lasting()
            })?;
        let inner = Inner {
            shared,
            config,
            limits,
            allowed,
            proxies,
            client,
        };
        Ok(Self {
            inner: Arc::new(inner),
            visit,
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

    /// Whether this key of a query is the user's secret, which the client adds by itself: a link that an answer gives may
    /// repeat it, and it must not be kept.
    #[must_use]
    pub fn sends_query(&self, name: &str) -> bool {
        matches!(&self.inner.config.auth, Some(Auth::Query(key, _)) if key == name)
    }

    /// Waits before the next attempt, or gives the error back when there is none.
    async fn pause_or_fail(
        &self,
        error: ConnectorError,
        attempt: u32,
    ) -> Result<(), ConnectorError> {
        let Inner { limits, shared, .. } = &*self.inner;
        let pace = &shared.pace;
        let error = error.or_help();
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

    /// `text` from outside without any secret of the request, in whatever form.
    fn mask(&self, text: &str, request: &Request) -> String {
        forms::masked(text, &self.secrets(request))
    }

    /// `text` from outside without any secret of the source's settings, in whatever form.
    fn mask_own(&self, text: &str) -> String {
        forms::masked(text, &self.own_secrets())
    }

    /// Every secret of the request.
    fn secrets(&self, request: &Request) -> Vec<String> {
        let mut secrets = self.own_secrets();
        secrets.extend(request.url.secrets());
        secrets.extend(request.headers.iter().flat_map(|(_, value)| value.hidden()));
        secrets
    }

    /// Every secret of the source's settings.
    fn own_secrets(&self) -> Vec<String> {
        let Config { headers, auth, .. } = &*self.inner.config;
        let headers = headers.iter().flat_map(|(_, value)| value.hidden());
        headers
            .chain(auth.iter().flat_map(Auth::secrets))
            .chain(self.inner.proxies.secrets())
            .collect()
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
