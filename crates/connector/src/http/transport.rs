//! What goes wrong on the wire, as a kind of error.

use std::error::Error as StdError;

use rustls::{CertificateError, InvalidMessage};

use super::Http;
use super::private::PrivateAddress;
use super::tls::Refused;
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
    let refused = of_tls(error).and_then(Refused::in_error);
    matches!(
        refused.map(|refused| &refused.reason),
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
    if let Some(found) = of_tls(error).and_then(not_secure) {
        return found.at(url);
    }
    // Of a proxy's name the address says nothing.
    if causes.iter().any(|cause| is_no_name(*cause)) && !http.is_behind_proxy(url) {
        let asked = error.url().unwrap_or(url.expose()).host_str();
        let host = asked.unwrap_or_default();
        return match asked == url.expose().host_str() {
            true => no_such_host(host).at(url),
            false => led_to_no_host(host).at(url),
        };
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

/// Whether a name is known to nobody, which another question does not change; a resolver that does not answer is something else.
/// The system's library tells it in words alone: glibc's, musl's and macOS's.
pub(super) fn is_no_name(cause: &(dyn StdError + 'static)) -> bool {
    const WORDS: [&str; 3] = [
        "Name or service not known",
        "Name does not resolve",
        "nodename nor servname provided",
    ];
    let is_of_system = cause.is::<std::io::Error>();
    is_of_system && {
        let said = cause.to_string();
        WORDS.iter().any(|words| said.contains(words))
    }
}

pub(super) fn no_such_host(host: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Unreachable, format!("there is no host {host}"))
        .lasting()
        .with_help("check how the host's name is spelled")
}

fn led_to_no_host(host: &str) -> ConnectorError {
    let message = format!("redirects to {host}, and there is no host {host}");
    ConnectorError::new(ErrorKind::Unreachable, message)
        .lasting()
        .with_help("ask the publisher where the file is now")
}

/// A server that speaks no TLS, or cannot show who it is. Asking again shows nothing else.
fn not_secure(error: &rustls::Error) -> Option<ConnectorError> {
    if let rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) = error {
        let message =
            "the server does not speak TLS here, which https needs: it may speak plain HTTP";
        return Some(
            ConnectorError::new(ErrorKind::Unreachable, message)
                .lasting()
                .with_help("write http:// in place of https://, or the port at which the server speaks https"),
        );
    }
    match Refused::in_error(error) {
        Some(refused) => untrusted(&refused.reason, &refused.fingerprint),
        None => untrusted(error, "sha256:…"),
    }
}

/// A certificate that is not to be trusted; it has this fingerprint.
fn untrusted(reason: &rustls::Error, fingerprint: &str) -> Option<ConnectorError> {
    let pin = format!("`tls: {{ fingerprint: \"{fingerprint}\" }}`");
    let either = || {
        format!(
            "ask the publisher; if the certificate is theirs all the same, write `tls: {{ ca: FILE }}` with its issuer's PEM file, \
             or {pin}, under `source:`"
        )
    };
    let alone = |message: &str| {
        let help = format!(
            "ask the publisher whether the certificate with this fingerprint is theirs; if so, write {pin} under `source:`"
        );
        (message.to_owned(), help)
    };
    let (message, help) = match reason {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "the server's certificate has expired".to_owned(),
                format!("ask the publisher to renew it; until then write {pin} under `source:`"),
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
                "the server's certificate is not valid yet".to_owned(),
                "check this machine's clock".to_owned(),
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                (
                    "the server's certificate is for another host".to_owned(),
                    "check the host's name; the certificate may be for another spelling of it, with or without www."
                        .to_owned(),
                )
            }
            CertificateError::UnknownIssuer => (
                "the server's certificate is issued by someone whom this machine does not trust"
                    .to_owned(),
                either(),
            ),
            CertificateError::BadSignature => (
                "a certificate of the server's chain is not signed by whom it names".to_owned(),
                either(),
            ),
            // The library hands its verifier's reason on as text.
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => alone(
                "the server's certificate is that of an authority (CA:TRUE), as self-signed ones often are, and such a one shows no \
                 server",
            ),
            other => (
                format!("the server's certificate is not to be trusted: {other}"),
                either(),
            ),
        },
        rustls::Error::General(reason) => (reason.clone(), either()),
        _ => return None,
    };
    Some(ConnectorError::new(ErrorKind::Untrusted, message).with_help(help))
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::*;

    #[test]
    fn a_name_that_nobody_knows_is_told_from_a_resolver_that_does_not_answer() {
        let of_system =
            |said: &str| Error::other(format!("failed to lookup address information: {said}"));
        assert!(is_no_name(&of_system("Name or service not known")));
        assert!(is_no_name(&of_system("Name does not resolve")));
        assert!(!is_no_name(&of_system(
            "Temporary failure in name resolution"
        )));
        let error = no_such_host("nowhere.example");
        assert_eq!(
            (error.kind, error.retryable),
            (ErrorKind::Unreachable, false)
        );
    }
}
