//! What is seen of a source before there is a pipeline: enough for a connector to know its own.

use serde_json::{Map, Value};
use url::Url;

/// A source as someone points at it.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// The path or URL, as it is written.
    pub location: &'a str,
    /// The names of the members, where it is an archive.
    pub members: &'a [String],
    /// Its first bytes; empty as long as nothing was fetched.
    pub head: &'a [u8],
}

/// A connector's claim to a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The settings to write beside `connector:`.
    pub settings: Map<String, Value>,
    /// Why it is one of its own, as a sentence.
    pub why: String,
    /// Whether the connector is made for this very kind of source; else it just fetches what is there.
    pub is_own: bool,
    /// Whether its records are of the publisher's own shape: no default mapping knows them, and one must look at some to know
    /// what they are.
    pub is_open: bool,
}

impl<'a> Sight<'a> {
    /// The address, where the source is behind http or https.
    #[must_use]
    pub fn url(&self) -> Option<Url> {
        let url = Url::parse(self.location).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    }

    /// The host of the address.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        self.url()?.host_str().map(str::to_owned)
    }

    /// The steps of an address's path; empty ones, as a last `/` leaves behind, are none.
    #[must_use]
    pub fn steps(url: &Url) -> Vec<&str> {
        url.path_segments()
            .into_iter()
            .flatten()
            .filter(|step| !step.is_empty())
            .collect()
    }

    /// The setting that says where the source is: `url` or `path`.
    #[must_use]
    pub fn place(&self) -> (&'static str, &'a str) {
        match self.url() {
            Some(_) => ("url", self.location),
            None => ("path", self.location),
        }
    }

    /// Whether a member of that name is in the archive, in whatever folder.
    #[must_use]
    pub fn has_member(&self, name: &str) -> bool {
        self.members
            .iter()
            .any(|member| member.rsplit('/').next() == Some(name))
    }
}

impl Claim {
    /// A claim of a connector made for such sources.
    #[must_use]
    pub fn own(
        settings: impl IntoIterator<Item = (&'static str, Value)>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            settings: settings
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
            why: why.into(),
            is_own: true,
            is_open: false,
        }
    }

    /// A claim of a connector made for such portals, whose records are of the publisher's own shape.
    #[must_use]
    pub fn open(
        settings: impl IntoIterator<Item = (&'static str, Value)>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            is_open: true,
            ..Self::own(settings, why)
        }
    }

    /// A claim of a connector that fetches whatever is there.
    #[must_use]
    pub fn plain(
        settings: impl IntoIterator<Item = (&'static str, Value)>,
        why: impl Into<String>,
    ) -> Self {
        Self {
            is_own: false,
            ..Self::own(settings, why)
        }
    }
}
