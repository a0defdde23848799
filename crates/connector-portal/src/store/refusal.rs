//! What a store says when it says no, as the SDK's error with its mend.

use std::error::Error as _;

use opendal::{Error, ErrorKind as Kind};
use sectorlake_connector::{ConnectorError, ErrorKind, Secret};

use super::carrier::OfWire;
use super::place::Service;

/// What an error is told with.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) service: Service,
    /// Bucket, container or host.
    pub(crate) host: String,
    pub(crate) has_key: bool,
    /// What must not be told.
    pub(crate) secrets: Vec<Secret>,
}

/// Codes of the services, what they mean, and the mend.
const CODES: [(&[&str], ErrorKind, &str, &str); 7] = [
    (
        &["InvalidAccessKeyId", "InvalidAuthenticationInfo"],
        ErrorKind::Forbidden,
        "the store does not know this access key",
        "check the name of the key (`access_key:`, `account:`) and that it was not taken back",
    ),
    (
        &[
            "SignatureDoesNotMatch",
            "AuthenticationFailed",
            "invalid_grant",
        ],
        ErrorKind::Forbidden,
        "the secret does not belong to the key",
        "check the secret behind `${env:…}` or `${file:…}`, and `region:`",
    ),
    (
        &["ExpiredToken", "InvalidToken", "TokenRefreshRequired"],
        ErrorKind::Forbidden,
        "the session token has expired or is none",
        "get a new one, or use a key without `session_token:`",
    ),
    (
        &["RequestTimeTooSkewed"],
        ErrorKind::Forbidden,
        "the store's clock and this machine's differ",
        "set this machine's clock",
    ),
    (
        &["NoSuchBucket", "ContainerNotFound", "InvalidBucketName"],
        ErrorKind::NotFound,
        "there is no such bucket",
        "check the name behind `://`, and `endpoint:`; names are as the store has them",
    ),
    (
        &[
            "PermanentRedirect",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraint",
        ],
        ErrorKind::Refused,
        "the bucket is in another region",
        "write `region:` as the store's console shows it, and its `endpoint:` where it has one",
    ),
    (
        &["InvalidObjectState", "BlobArchived"],
        ErrorKind::Refused,
        "the file is archived",
        "bring it back in the store's console first",
    ),
];

impl Told {
    /// The error as the SDK tells it.
    pub(crate) fn of(&self, error: &Error) -> ConnectorError {
        if let Some(of_wire) = of_wire(error) {
            return of_wire;
        }
        let text = format!("{} {}", error.message(), deepest(error));
        let known = CODES
            .iter()
            .find(|(codes, ..)| codes.iter().any(|code| text.contains(code)));
        if let Some((_, kind, message, help)) = known {
            let message = match *kind {
                ErrorKind::NotFound => format!("{message}: {}", self.host),
                _ => (*message).to_owned(),
            };
            return ConnectorError::new(*kind, message).with_help(*help);
        }
        // FTP: not logged in (RFC 959, section 4.2).
        if matches!(self.service, Service::Ftp { .. }) && text.contains("[530]") {
            return self.forbidden();
        }
        match (error.kind(), status(error)) {
            (Kind::NotFound, _) => self.of_kind(ErrorKind::NotFound, "there is no such file"),
            (Kind::PermissionDenied, _) | (_, Some(401)) => self.forbidden(),
            (Kind::ConditionNotMatch, _) => {
                self.of_kind(ErrorKind::Changed, "changed while it was read")
            }
            (Kind::RateLimited, _) => ConnectorError::of_status(429)
                .unwrap_or_else(|| self.of_kind(ErrorKind::TooManyRequests, "too many requests")),
            (_, Some(status)) if (300..400).contains(&status) => self
                .of_kind(ErrorKind::Redirect, "what is there has moved")
                .with_help("open the address in a browser and write the one it ends at"),
            (_, Some(status)) if ConnectorError::of_status(status).is_some() => {
                ConnectorError::of_status(status)
                    .unwrap_or_else(|| self.other(error))
                    .with_help("run the pipeline again later; if it stays, ask who runs the store")
            }
            _ => self.other(error),
        }
    }

    /// That whoever asks may not.
    pub(crate) fn forbidden(&self) -> ConnectorError {
        let (message, help) = match (self.has_key, self.service.has_buckets()) {
            (true, true) => (
                "the key may not do this",
                "give the key the right to list the bucket and to read its files, nothing else",
            ),
            (true, false) => (
                "the store does not let this user in",
                "check `user:` and `password:`, and that the user may list the folder and read its files",
            ),
            (false, true) => (
                "the bucket is not public",
                "write its key under `source:`, the secret as ${env:NAME} or ${file:PATH}",
            ),
            (false, false) => (
                "the store wants to know who asks",
                "write `user:` and `password: ${env:PASSWORD}` under `source:`",
            ),
        };
        ConnectorError::new(ErrorKind::Forbidden, message).with_help(help)
    }

    fn of_kind(&self, kind: ErrorKind, message: &str) -> ConnectorError {
        ConnectorError::new(kind, message)
    }

    fn other(&self, error: &Error) -> ConnectorError {
        let kind = match error.is_temporary() {
            true => ErrorKind::Server,
            false => ErrorKind::Refused,
        };
        let cause = self.masked(&deepest(error));
        let detail = match cause.is_empty() {
            true => self.masked(error.message()),
            false => cause,
        };
        let short: String = detail.chars().take(DETAIL_CHARS).collect();
        ConnectorError::new(kind, format!("the store refuses: {}", short.trim()))
            .with_help("check the address and the settings against the store's documentation")
    }

    fn masked(&self, text: &str) -> String {
        let secrets = self.secrets.iter().map(Secret::expose);
        secrets
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// A store's own words that are told.
const DETAIL_CHARS: usize = 300;

fn of_wire(error: &Error) -> Option<ConnectorError> {
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(OfWire(error)) = found.downcast_ref() {
            return Some(error.clone());
        }
        cause = match found.downcast_ref::<std::io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &dyn std::error::Error),
            None => found.source(),
        };
    }
    None
}

/// The innermost cause, in its own words.
fn deepest(error: &Error) -> String {
    let mut cause = error.source();
    let mut said = String::new();
    while let Some(found) = cause {
        said = found.to_string();
        cause = found.source();
    }
    said
}

/// The status of the answer, which opendal keeps as text alone.
fn status(error: &Error) -> Option<u16> {
    let text = error.to_string();
    let (_, rest) = text.split_once("Parts { status: ")?;
    rest.get(..3)?.parse().ok()
}
