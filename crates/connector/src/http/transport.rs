//! What goes wrong on the wire, as a kind of error.

use std::error::Error as _;

use super::Http;
use super::private::PrivateAddress;
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};

/// The kind of what went wrong on the wire.
pub(super) fn of_transport(http: &Http, error: &reqwest::Error, url: &SourceUrl) -> ConnectorError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    let mut last = None;
    while let Some(inner) = cause {
        if let Some(private) = inner.downcast_ref::<PrivateAddress>() {
            return http.is_private(private, url);
        }
        last = Some(inner.to_string());
        cause = inner.source();
    }
    let detail = http.mask_own(&url.mask(&last.unwrap_or_else(|| "no details".to_owned())));
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
    found.at(url)
}
