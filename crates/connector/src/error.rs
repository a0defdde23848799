//! What can go wrong between a source and the raw zone, sorted by what code decides on.

use std::borrow::Cow;
use std::time::Duration;

use crate::drawable::drawable;
use crate::readable::readable;

/// The kind of a [`ConnectorError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Nothing is there: 404, 410, no such file, no match of a glob.
    NotFound,
    /// Not for us: 401, 403, a file without permission.
    Forbidden,
    /// Too fast for the source: 429.
    TooManyRequests,
    /// The source does not take the request: other 4xx.
    Refused,
    /// The source is ill: 5xx.
    Server,
    /// No connection: name, route.
    Unreachable,
    /// The server cannot show that it is who it says: its certificate.
    Untrusted,
    /// Took too long.
    Timeout,
    /// The body ended before its announced length, or the connection broke within it.
    Truncated,
    /// The bytes are not those that their publisher's checksum tells.
    Corrupt,
    /// More bytes than the bound.
    TooLarge,
    /// Redirects without end, or to nowhere.
    Redirect,
    /// A host in a private network that nobody allowed.
    PrivateNetwork,
    /// A web page where data is expected.
    NotData,
    /// An answer that breaks the source's own rules, or an address that is none.
    Invalid,
    /// The thing changed while it was read.
    Changed,
    /// A local file that cannot be read.
    Local,
}

/// What failed, where, and the mend. Never holds a secret: URLs in it are masked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
pub struct ConnectorError {
    /// What code decides on.
    pub kind: ErrorKind,
    /// Whether the same may work later.
    pub retryable: bool,
    /// The URL, masked, or the path.
    pub place: Option<String>,
    /// What is wrong there.
    pub message: String,
    /// The mend.
    pub help: Option<String>,
    /// How long the source asks us to wait.
    pub wait: Option<Duration>,
    /// The setting that is at fault, where one is: the keys that lead to it.
    pub setting: Option<Vec<String>>,
}

impl ConnectorError {
    /// An error of a kind; whether it is retryable follows from the kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retryable = matches!(
            kind,
            ErrorKind::TooManyRequests
                | ErrorKind::Server
                | ErrorKind::Unreachable
                | ErrorKind::Timeout
                | ErrorKind::Truncated
                | ErrorKind::Corrupt
                | ErrorKind::Changed
        );
        Self {
            kind,
            retryable,
            place: None,
            // A source's own words may stand in it.
            message: safe(message.into()),
            help: None,
            wait: None,
            setting: None,
        }
    }

    /// At a URL, masked, or a path.
    #[must_use]
    pub fn at(mut self, place: impl ToString) -> Self {
        let place = safe(place.to_string());
        // A path may hold what only looks encoded.
        self.place = Some(match place.contains("://") {
            true => readable(&place),
            false => place,
        });
        self
    }

    /// With the mend.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(safe(help.into()));
        self
    }

    /// By the fault of a setting: the keys that lead to it.
    #[must_use]
    pub fn of_setting(mut self, keys: &[&str]) -> Self {
        self.setting = Some(keys.iter().map(|&key| key.to_owned()).collect());
        self
    }

    /// With the mend that fits an answer over HTTP of this kind, where none is told yet.
    #[must_use]
    pub fn or_help(self) -> Self {
        let help = match self.kind {
            _ if self.help.is_some() => return self,
            ErrorKind::Truncated => {
                "run the pipeline again later; if it stays, the publisher should hear of it"
            }
            ErrorKind::Timeout => {
                "run the pipeline again later; if the source needs longer, write `timeouts:` under `source:`"
            }
            ErrorKind::Unreachable => {
                "check the address: what answers there may be something else than a web server"
            }
            ErrorKind::Redirect => "open the address in a browser and write the one it ends at",
            ErrorKind::Invalid | ErrorKind::NotData => {
                "open the address and compare with the publisher's documentation: the source may have changed"
            }
            ErrorKind::TooLarge => {
                "ask for less at once: a smaller page, a shorter time, a part of the area"
            }
            _ => return self,
        };
        self.with_help(help)
    }

    /// Not to be tried again, whatever its kind.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.retryable = false;
        self
    }

    /// The error that an HTTP status is, the one place that decides it; `None` for an answer to be read (2xx) or already
    /// known (304).
    #[must_use]
    pub fn of_status(status: u16) -> Option<Self> {
        let error = |kind, message: &str, help: &str| {
            Some(Self::new(kind, format!("{message} (HTTP {status})")).with_help(help))
        };
        match status {
            200 | 203 | 204 | 304 => None,
            // 498 and 499 are ArcGIS's: a token is invalid, or missing.
            401 | 498 | 499 => error(
                ErrorKind::Forbidden,
                "the source wants to know who asks",
                "give the key or header that the publisher hands out, as ${env:NAME}",
            ),
            403 => error(
                ErrorKind::Forbidden,
                "the source does not let us in",
                "check the key, and that the publisher allows automatic fetching",
            ),
            404 | 410 => error(
                ErrorKind::NotFound,
                "there is nothing at this address",
                "look at the publisher's page; the file may have moved",
            ),
            408 | 504 => error(
                ErrorKind::Timeout,
                "the source took too long",
                "run the pipeline again later",
            ),
            425 | 429 => error(
                ErrorKind::TooManyRequests,
                "the source says we ask too often",
                "run the pipeline less often, or ask the publisher for a higher limit",
            ),
            501 | 505 => error(
                ErrorKind::Server,
                "the source cannot do this",
                "check the address against the publisher's documentation",
            )
            .map(Self::lasting),
            400..=499 => error(
                ErrorKind::Refused,
                "the source does not take this request",
                "check the address and its parameters against the publisher's documentation",
            ),
            500..=599 => error(
                ErrorKind::Server,
                "the source is out of order",
                "run the pipeline again later",
            ),
            _ => error(
                ErrorKind::Invalid,
                "the source gave an answer we have no use for",
                "check the address against the publisher's documentation",
            ),
        }
    }
}

fn safe(text: String) -> String {
    match drawable(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(drawn) => drawn,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_status_has_a_kind() {
        use ErrorKind::*;
        let cases = [
            (200, None),
            (203, None),
            (204, None),
            (206, Some((Invalid, false))),
            (300, Some((Invalid, false))),
            (304, None),
            (400, Some((Refused, false))),
            (401, Some((Forbidden, false))),
            (402, Some((Refused, false))),
            (403, Some((Forbidden, false))),
            (404, Some((NotFound, false))),
            (405, Some((Refused, false))),
            (406, Some((Refused, false))),
            (408, Some((Timeout, true))),
            (410, Some((NotFound, false))),
            (422, Some((Refused, false))),
            (425, Some((TooManyRequests, true))),
            (429, Some((TooManyRequests, true))),
            (451, Some((Refused, false))),
            (499, Some((Forbidden, false))),
            (500, Some((Server, true))),
            (501, Some((Server, false))),
            (502, Some((Server, true))),
            (503, Some((Server, true))),
            (504, Some((Timeout, true))),
            (505, Some((Server, false))),
            (520, Some((Server, true))),
            (999, Some((Invalid, false))),
        ];
        for (status, expected) in cases {
            let found = ConnectorError::of_status(status);
            assert_eq!(
                found.map(|error| (error.kind, error.retryable)),
                expected,
                "{status}"
            );
        }
    }

    #[test]
    fn an_address_is_told_as_people_read_it() {
        let said = |place: &str| {
            ConnectorError::new(ErrorKind::NotFound, "x")
                .at(place)
                .to_string()
        };
        assert_eq!(
            said("https://a.example/q?where=1%3D1&%24top=1"),
            "https://a.example/q?where=1=1&$top=1: x"
        );
        assert_eq!(said("data/100%25%3D.csv"), "data/100%25%3D.csv: x");
    }

    #[test]
    fn the_place_comes_first() {
        let error = ConnectorError::of_status(404)
            .unwrap()
            .at("https://example.org/a.csv");
        assert_eq!(
            error.to_string(),
            "https://example.org/a.csv: there is nothing at this address (HTTP 404)"
        );
    }
}
