//! How a page is asked for, in a form that a cursor may keep: without the secrets of the source's own address.

use serde::{Deserialize, Serialize};

use super::Paging;
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};
use crate::secret::MASK;

/// How a page after the first is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// An offset or a page's number, as the parameter's value.
    Number(u64),
    /// A mark of the source's.
    Mark(String),
    /// An address: the path and query at the source's own host, or the whole at another. Secrets stand hidden in it.
    Link(String),
}

impl Place {
    /// The place that a link in the answer of `page` names. Query keys that the client adds by itself are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what is no address, or is at a host that nobody allowed.
    pub(super) fn of_link(
        link: &str,
        page: &SourceUrl,
        base: &SourceUrl,
        paging: &Paging,
        is_key: &dyn Fn(&str) -> bool,
    ) -> Result<Self, ConnectorError> {
        let followed = page.follow(link)?;
        let (own, mut url) = (base.expose(), followed.expose().clone());
        let are_standard = own.port().is_none() && url.port().is_none();
        let is_own = own.host() == url.host()
            && (are_standard || own.port_or_known_default() == url.port_or_known_default());
        if !is_own {
            let host = url.host_str().unwrap_or_default();
            if !paging
                .hosts
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(host))
            {
                return Err(elsewhere(host, page));
            }
            return Ok(Self::Link(base.hide(url.as_str())));
        }
        // What the source's address brings along anyway, and may be secret.
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(key, value)| !is_key(key) && !is_brought(base, key, value))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        if kept.len() < url.query_pairs().count() {
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
        // Behind a proxy many a server thinks that it is reached over http: the scheme stays as the user wrote it.
        let after_host = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Ok(Self::Link(base.hide(after_host)))
    }

    /// The address of this place; `first` is that of the first page.
    pub(super) fn url(
        &self,
        first: &SourceUrl,
        paging: &Paging,
    ) -> Result<SourceUrl, ConnectorError> {
        match self {
            Self::Number(number) => {
                Ok(first.with_query(&[(paging.parameter(), &number.to_string())]))
            }
            Self::Mark(mark) => Ok(first.with_query(&[(paging.parameter(), mark)])),
            Self::Link(link) if link.starts_with('/') => {
                let url = first.follow(&first.reveal(link))?;
                let own = first.expose().query_pairs();
                let lacking: Vec<(String, String)> = own
                    .filter(|(key, value)| is_secret(first, key, value))
                    .filter(|(key, _)| url.expose().query_pairs().all(|(found, _)| found != *key))
                    .map(|(key, value)| (key.into_owned(), value.into_owned()))
                    .collect();
                let lacking: Vec<(&str, &str)> = lacking
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str()))
                    .collect();
                Ok(match lacking.is_empty() {
                    true => url,
                    false => url.with_query(&lacking),
                })
            }
            // A foreign host learns none of our secrets.
            Self::Link(link) => first.follow(link),
        }
    }

    /// What tells it from other places.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Mark(text) | Self::Link(text) => text.clone(),
        }
    }
}

/// Whether a pair of the query must not be kept.
fn is_secret(base: &SourceUrl, key: &str, value: &str) -> bool {
    SourceUrl::is_secret_key(key) || base.mask(value) != value
}

/// Whether a pair stands in the source's own address and is secret there. A key that means something else here, such as a
/// `token` that counts pages, has another value.
fn is_brought(base: &SourceUrl, key: &str, value: &str) -> bool {
    let mut own = base.expose().query_pairs();
    own.any(|(name, own)| {
        name == key && is_secret(base, key, &own) && (own == value || value.contains(MASK))
    })
}

fn elsewhere(host: &str, page: &SourceUrl) -> ConnectorError {
    let message = format!("the next page is at {host}, another host than the source's own");
    ConnectorError::new(ErrorKind::Invalid, message)
        .at(page)
        .with_help(format!(
            "if that is meant, write `hosts: [{host}]` under `paging:`"
        ))
}
