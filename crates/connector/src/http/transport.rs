//! What goes wrong on the wire, as a kind of error.

use std::error::Error as StdError;

use rustls::CertificateError;

use super::Http;
use super::private::PrivateAddress;
use crate::address::SourceUrl;
use crate::error::{ConnectorError, ErrorKind};

/// Every cause behind an error, the error itself first. What is wrapped into an I/O error is no source of it, and yet a cause.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut found = Vec::new();
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        found.push(cause);
        let wrapped = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    found
}

fn of_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error)
        .into_iter()
        .find_map(|cause| cause.downcast_ref())
}

/// Whether a server's certificate was issued by someone who is not known.
pub(super) fn is_unknown_issuer(error: &reqwest::Error) -> bool {
    matches!(
        of_tls(error),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer
        ))
    )
}

/// The kind of what went wrong on the wire.
pub(super) fn of_transport(http: &Http, error: &reqwest::Error, url: &SourceUrl) -> ConnectorError {
    let causes = causes(error);
    let private = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<PrivateAddress>());
    if let Some(private) = private {
        return http.is_private(private, url);
    }
    if let Some(found) = of_tls(error).and_then(untrusted) {
        return found.at(url);
    }
    let last = causes.get(1..).and_then(<[_]>::last);
    let detail = last.map_or_else(|| "no details".to_owned(), ToString::to_string);
    let detail = http.mask_own(&url.mask(&detail));
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

/// A server that cannot show who it is. Asking again shows nothing else.
fn untrusted(error: &rustls::Error) -> Option<ConnectorError> {
    const PIN: &str = "ask the publisher; if the certificate is theirs all the same, write `tls: { ca: FILE }` with its issuer's \
        PEM file, or `tls: { fingerprint: \"sha256:…\" }`, under `source:`";
    const RENEW: &str = "ask the publisher to renew it; until then write `tls: { fingerprint: \"sha256:…\" }` under `source:`";
    let (message, help) = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ("the server's certificate has expired".to_owned(), RENEW)
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                "the server's certificate is not valid yet".to_owned(),
                "check this machine's clock",
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                (
                    "the server's certificate is for another host".to_owned(),
                    "check the host's name; the certificate may be for another spelling of it, with or without www.",
                )
            }
            CertificateError::UnknownIssuer => (
                "the server's certificate is issued by someone whom this machine does not trust"
                    .to_owned(),
                PIN,
            ),
            CertificateError::BadSignature => (
                "a certificate of the server's chain is not signed by whom it names".to_owned(),
                PIN,
            ),
            other => (
                format!("the server's certificate is not to be trusted: {other}"),
                PIN,
            ),
        },
        rustls::Error::General(reason) => (reason.clone(), PIN),
        _ => return None,
    };
    Some(ConnectorError::new(ErrorKind::Untrusted, message).with_help(help))
}
