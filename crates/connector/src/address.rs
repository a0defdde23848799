//! The URL of a source: followed as it is, printed masked.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use crate::error::{ConnectorError, ErrorKind};
use crate::forms::{self, GUESSED_BYTES_MIN};
use crate::registry::MakeContext;
use crate::secret::{MASK, expand};
use crate::settings::SettingsError;

/// An http or https URL. It may hold `${env:NAME}` and `${file:PATH}`.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct UrlSetting(String);

impl UrlSetting {
    /// A URL that a connector knows by itself.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The address as written, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.split(['?', '#']).next().unwrap_or_default()
    }

    /// The address itself; `path` leads to the setting, for the error.
    ///
    /// # Errors
    /// [`SettingsError`] for what is no http or https URL, or a secret that is missing.
    pub fn resolve(
        &self,
        path: &[&str],
        context: &MakeContext,
    ) -> Result<SourceUrl, SettingsError> {
        let path: Vec<String> = path.iter().map(|&step| step.to_owned()).collect();
        let (text, secrets) = expand(&self.0, &path, context)?;
        let wrong = |message: String, help: &str| {
            Err(SettingsError::new(path.clone(), message).with_help(help))
        };
        if let Some(sign) = swallowed(&text) {
            return wrong(
                format!("holds {sign}, which no address may"),
                "write it in one line without blanks; what a value really holds is written encoded, as %0A",
            );
        }
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
                Ok(SourceUrl {
                    url,
                    secrets,
                    is_foreign: false,
                })
            }
            Ok(url) if url.scheme().len() > 1 => wrong(
                format!("{}:// is not fetched here", url.scheme()),
                "write an http:// or https:// address; for files use `connector: file` with `path:`",
            ),
            _ => wrong(
                // A query may hold a key in plain.
                format!(
                    "{:?} is no address",
                    self.0.split('?').next().unwrap_or_default()
                ),
                "write an http:// or https:// address; for files use `connector: file` with `path:`",
            ),
        }
    }
}

impl std::fmt::Debug for UrlSetting {
    /// The text as written may hold a key in plain.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

/// A URL that prints masked: no user or password, no values of query keys that look secret, nothing that came out of a
/// reference.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceUrl {
    url: Url,
    secrets: Vec<String>,
    /// Whether an answer, not the settings, named its host.
    is_foreign: bool,
}

impl SourceUrl {
    /// A URL that a library asks, without secrets.
    pub(crate) fn plain(url: Url) -> Self {
        Self {
            url,
            secrets: Vec::new(),
            is_foreign: false,
        }
    }

    /// The address as it is, for the request alone.
    #[must_use]
    pub fn expose(&self) -> &Url {
        &self.url
    }

    /// Whether the value of a query key of this name must neither be shown nor kept.
    #[must_use]
    pub fn is_secret_key(key: &str) -> bool {
        looks_secret(key)
    }

    /// The same with `segments` behind its path; each is encoded.
    #[must_use]
    pub fn join(&self, segments: &[&str]) -> Self {
        let mut joined = self.clone();
        // A URL with a host always has a path to add to.
        if let Ok(mut path) = joined.url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        joined
    }

    /// The same with these in its query, in place of what it had under their names.
    #[must_use]
    pub fn with_query(&self, pairs: &[(&str, &str)]) -> Self {
        let mut changed = self.clone();
        let kept: Vec<(String, String)> = self
            .url
            .query_pairs()
            .filter(|(key, _)| pairs.iter().all(|(name, _)| name != key))
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        if kept.is_empty() && pairs.is_empty() {
            changed.url.set_query(None);
        } else {
            changed
                .url
                .query_pairs_mut()
                .clear()
                .extend_pairs(kept)
                .extend_pairs(pairs);
        }
        changed
    }

    /// `text` of a setting with its references to secrets replaced, and this URL, which hides them from now on too; `path` leads to
    /// the setting, for the error.
    ///
    /// # Errors
    /// [`SettingsError`] for a secret that is missing.
    pub fn expand(
        &self,
        text: &str,
        path: &[&str],
        context: &MakeContext,
    ) -> Result<(Self, String), SettingsError> {
        let path: Vec<String> = path.iter().map(|&step| step.to_owned()).collect();
        let (text, found) = expand(text, &path, context)?;
        let mut hiding = self.clone();
        hiding.secrets.extend(found);
        Ok((hiding, text))
    }

    /// Whether `{name}` stands in its path or query.
    #[must_use]
    pub fn has_place(&self, name: &str) -> bool {
        let text = self.url.as_str();
        places(name).iter().any(|place| text.contains(place))
    }

    /// The same with `value` where `{name}` stands in its path or query, encoded as it must be there.
    #[must_use]
    pub fn filled(&self, name: &str, value: &str) -> Self {
        let in_path = Url::parse("http://host/").ok().and_then(|mut url| {
            url.path_segments_mut().ok()?.push(value);
            Some(url.path().trim_start_matches('/').to_owned())
        });
        let in_query: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let fill = |text: &str, value: &str| {
            let fill = |text: String, place: &String| text.replace(place, value);
            places(name).iter().fold(text.to_owned(), fill)
        };
        let mut filled = self.clone();
        filled
            .url
            .set_path(&fill(self.url.path(), &in_path.unwrap_or_default()));
        let query = self.url.query().map(|query| fill(query, &in_query));
        filled.url.set_query(query.as_deref());
        filled
    }

    /// The last part of the path, for a file name.
    #[must_use]
    pub fn file_name(&self) -> String {
        let name = self
            .url
            .path_segments()
            .and_then(|mut segments| segments.next_back());
        let name = name
            .filter(|name| !name.is_empty())
            .unwrap_or(self.url.host_str().unwrap_or_default());
        self.mask(name)
    }

    /// Where a link in an answer leads: the next page, a file that a catalogue names. Relative links start from this URL. It is
    /// taken as it stands: nothing in it is a reference to a secret, for an answer must not read ours.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for what leads to no http or https address.
    pub fn follow(&self, link: &str) -> Result<Self, ConnectorError> {
        let wrong = |message: String| {
            let error = ConnectorError::new(ErrorKind::Invalid, message);
            Err(error
                .at(self)
                .with_help("ask the publisher: its answer links to what cannot be fetched"))
        };
        let Ok(url) = self.url.join(link.trim()) else {
            return wrong(format!("the link {:?} is no address", self.mask(link)));
        };
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return wrong(format!(
                "links to {}://, which is not fetched here",
                url.scheme()
            ));
        }
        let is_foreign = self.is_foreign || !is_at_home(&self.url, &url);
        Ok(Self {
            url,
            secrets: self.secrets.clone(),
            is_foreign,
        })
    }

    /// Whether an answer led to another scheme, host or port than the settings named: no header or key of theirs goes there.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Where a redirect of this leads.
    pub(crate) fn redirected(&self, location: &str) -> Option<Self> {
        let url = self.url.join(location).ok()?;
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        let is_foreign = self.is_foreign || !is_at_home(&self.url, &url);
        is_http.then(|| Self {
            url,
            secrets: self.secrets.clone(),
            is_foreign,
        })
    }

    /// What must be shown nowhere of what an answer echoes: its references, and what the text itself holds in plain.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let (user, password) = (self.url.username(), self.url.password());
        let mut secrets = self.secrets.clone();
        if password.is_some() || !user.is_empty() {
            let (user, password) = (decoded(user), decoded(password.unwrap_or_default()));
            // The client sends both as HTTP Basic.
            secrets.push(forms::basic(&user, &password));
            secrets.extend([password].into_iter().filter(|text| is_guessed(text)));
        }
        let signed = self.url.query_pairs().filter(|(key, _)| looks_secret(key));
        let signed = signed.map(|(_, value)| value.into_owned());
        secrets.extend(signed.filter(|value| is_guessed(value)));
        secrets
    }

    /// `text` without this URL's secrets.
    pub(crate) fn mask(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for secret in &self.secrets {
            for form in forms::in_address(secret) {
                masked = masked.replace(&form, MASK);
            }
        }
        masked
    }
}

impl SourceUrl {
    /// `text` with a mark in place of each secret of this URL, so that a cursor may keep it; [`Self::reveal`] puts them back.
    pub(crate) fn hide(&self, text: &str) -> String {
        // What comes from the source must not read as a mark.
        let mut hidden = text.replace('{', "%7B");
        for (index, secret) in self.secrets.iter().enumerate() {
            for (number, form) in forms::in_address(secret).iter().enumerate() {
                hidden = hidden.replace(form, &format!("{{{index}.{number}}}"));
            }
        }
        hidden
    }

    /// What [`Self::hide`] was given.
    pub(crate) fn reveal(&self, text: &str) -> String {
        let mut revealed = text.to_owned();
        for (index, secret) in self.secrets.iter().enumerate().rev() {
            for (number, form) in forms::in_address(secret).iter().enumerate().rev() {
                revealed = revealed.replace(&format!("{{{index}.{number}}}"), form);
            }
        }
        revealed
    }
}

impl std::fmt::Display for SourceUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut url = self.url.clone();
        if !url.username().is_empty() || url.password().is_some() {
            // Neither fails: the URL has a host.
            let _ = url.set_username(MASK);
            let _ = url.set_password(None);
        }
        if url.query_pairs().any(|(key, _)| looks_secret(&key)) {
            let pairs: Vec<(String, String)> = url
                .query_pairs()
                .map(|(key, value)| {
                    let value = if looks_secret(&key) {
                        MASK.into()
                    } else {
                        value
                    };
                    (key.into_owned(), value.into_owned())
                })
                .collect();
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        f.write_str(&self.mask(url.as_str()).replace("%2A%2A%2A", MASK))
    }
}

impl std::fmt::Debug for SourceUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// What a reader of URLs would drop out of the middle of an address without a word (URL Standard, section 4.4).
#[must_use]
pub fn swallowed(address: &str) -> Option<&'static str> {
    let within = address.trim();
    match within.contains(['\r', '\n']) {
        true => Some("a line break"),
        false => within.contains('\t').then_some("a tab"),
    }
}

/// Whether a link of `home` stays with the same service: its scheme, host and port, or the encrypted twin of it.
fn is_at_home(home: &Url, url: &Url) -> bool {
    let is_twin = (home.scheme(), url.scheme()) == ("http", "https")
        && home.host() == url.host()
        && home.port().is_none()
        && url.port().is_none();
    is_twin || home.origin() == url.origin()
}

/// A user or password of a URL as it is sent.
fn decoded(text: &str) -> String {
    // As the one value of a form, in which these two would mean something else.
    let form = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    let value = pairs.next().map(|(_, value)| value.into_owned());
    value.unwrap_or_default()
}

/// Whether a text that nobody called a secret is long enough to be hidden wherever it stands.
fn is_guessed(text: &str) -> bool {
    text.len() >= GUESSED_BYTES_MIN
}

/// How `{name}` may stand in a URL.
fn places(name: &str) -> [String; 2] {
    [format!("{{{name}}}"), format!("%7B{name}%7D")]
}

/// Whether a query key's value must not be shown.
pub(crate) fn looks_secret(key: &str) -> bool {
    const PARTS: [&str; 12] = [
        "token",
        "accesskey",
        "subscriptionkey",
        "jwt",
        "secret",
        "passw",
        "pwd",
        "signature",
        "credential",
        "apikey",
        "api_key",
        "api-key",
    ];
    const WHOLE: [&str; 8] = [
        "key",
        "sig",
        "auth",
        "authorization",
        "code",
        "appid",
        "app_id",
        "sid",
    ];
    let key = key.to_ascii_lowercase();
    PARTS.iter().any(|part| key.contains(part))
        || WHOLE.contains(&key.as_str())
        || key.ends_with("_key")
        || key.ends_with("-key")
}

#[cfg(test)]
mod tests;
