//! Proxies: the one that the settings name, or those of the environment.

use std::net::IpAddr;
use std::sync::Arc;

use url::{Host, Url};

use super::private::Pattern;
use crate::address::SourceUrl;
use crate::registry::MakeContext;
use crate::secret::SecretSetting;
use crate::settings::SettingsError;

/// Which proxy an address is asked through.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    direct: Arc<[Direct]>,
}

/// Hosts that are asked without a proxy.
#[derive(Debug, Clone)]
enum Direct {
    All,
    /// The domain and what is below it.
    Domain(String),
    Network(Pattern),
}

impl Proxies {
    /// What the variables say: the small letters count more, as with curl.
    pub(super) fn of_environment(
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let text = |name: &str| {
            let both = [name.to_owned(), name.to_ascii_uppercase()];
            let mut found = both.iter().filter_map(|name| variable(name));
            found.find(|text| !text.trim().is_empty())
        };
        let proxy = |name: &str| {
            let Some(text) = text(name).or_else(|| text("all_proxy")) else {
                return Ok(None);
            };
            let url = parse(&text).ok_or_else(|| {
                format!("the variable {name} (or all_proxy) names no http or https proxy")
            });
            url.map(Some)
        };
        let direct = text("no_proxy").unwrap_or_default();
        Ok(Self {
            http: proxy("http_proxy")?,
            https: proxy("https_proxy")?,
            direct: direct.split(',').filter_map(Direct::parse).collect(),
        })
    }

    /// What the setting says: a proxy for everything, or `none`.
    pub(super) fn of_setting(
        setting: &SecretSetting,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let text = setting.resolve("proxy", context)?;
        if text.expose().trim() == "none" {
            return Ok(Self::default());
        }
        let url = parse(text.expose()).ok_or_else(|| {
            SettingsError::of_key("proxy", "is no http or https proxy")
                .with_help("write proxy: http://proxy.example:3128, or proxy: none")
        })?;
        Ok(Self {
            http: Some(url.clone()),
            https: Some(url),
            direct: Arc::default(),
        })
    }

    pub(super) fn of(&self, url: &Url) -> Option<&Url> {
        if self.direct.iter().any(|direct| direct.takes(url)) {
            return None;
        }
        match url.scheme() {
            "https" => self.https.as_ref(),
            _ => self.http.as_ref(),
        }
    }

    /// The names of the proxies' own hosts.
    pub(super) fn hosts(&self) -> Arc<[String]> {
        let both = self.http.iter().chain(&self.https);
        both.filter_map(|url| url.host_str().map(str::to_ascii_lowercase))
            .collect()
    }

    /// What must be shown nowhere.
    pub(super) fn secrets(&self) -> impl Iterator<Item = String> {
        let both = self.http.iter().chain(&self.https);
        both.filter_map(|url| url.password().map(str::to_owned))
            .collect::<Vec<_>>()
            .into_iter()
    }
}

impl std::fmt::Debug for Proxies {
    /// A proxy's address may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies")
            .field("hosts", &self.hosts())
            .finish_non_exhaustive()
    }
}

impl Direct {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "" => None,
            "*" => Some(Self::All),
            _ => Some(match Pattern::parse(text) {
                Some(network @ Pattern::Network(..)) => Self::Network(network),
                _ => Self::Domain(
                    text.trim_start_matches("*.")
                        .trim_start_matches('.')
                        .to_ascii_lowercase(),
                ),
            }),
        }
    }

    fn takes(&self, url: &Url) -> bool {
        let address: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        match (self, address) {
            (Self::All, _) => true,
            (Self::Network(pattern), Some(address)) => pattern.takes("", address),
            (Self::Domain(domain), None) => {
                let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
                host.strip_suffix(domain.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            _ => false,
        }
    }
}

/// A proxy may be written without its scheme.
fn parse(text: &str) -> Option<Url> {
    let text = text.trim();
    let full = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let url = Url::parse(&full).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

impl super::Http {
    /// Whether `url` is asked through a proxy, which then resolves its name.
    pub(super) fn is_behind_proxy(&self, url: &SourceUrl) -> bool {
        self.inner.proxies.of(url.expose()).is_some()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn proxy(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let find = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxies = Proxies::of_environment(&find).unwrap();
        let url = Url::parse(url).unwrap();
        proxies
            .of(&url)
            .map(|proxy| proxy.host_str().unwrap().to_owned())
    }

    #[test]
    fn the_environment_says_which() {
        let both = [
            ("HTTP_PROXY", "a:3128"),
            ("https_proxy", "http://b:1"),
            ("HTTPS_PROXY", "c"),
        ];
        assert_eq!(proxy(&both, "http://example.org/").as_deref(), Some("a"));
        assert_eq!(proxy(&both, "https://example.org/").as_deref(), Some("b"));
        assert_eq!(
            proxy(&[("ALL_PROXY", "d")], "https://e.org/").as_deref(),
            Some("d")
        );
        assert_eq!(proxy(&[("HTTP_PROXY", " ")], "http://example.org/"), None);
        assert!(Proxies::of_environment(&|_| Some("socks5://x".to_owned())).is_err());
    }

    #[test]
    fn some_hosts_are_asked_directly() {
        let variables = [
            ("http_proxy", "a"),
            (
                "no_proxy",
                "localhost, .city.internal,10.0.0.0/8, 192.168.1.1",
            ),
        ];
        for (url, is_direct) in [
            ("http://localhost/", true),
            ("http://city.internal/", true),
            ("http://gis.city.internal:81/", true),
            ("http://notcity.internal/", false),
            ("http://10.9.9.9/", true),
            ("http://192.168.1.1/", true),
            ("http://192.168.1.2/", false),
            ("http://example.org/", false),
        ] {
            assert_eq!(proxy(&variables, url).is_none(), is_direct, "{url}");
        }
        assert_eq!(
            proxy(&[("http_proxy", "a"), ("no_proxy", "*")], "http://e.org/"),
            None
        );
    }
}
