//! The settings of every source that is fetched over HTTP: their doc comments are the reference that users read.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::address::UrlSetting;
use crate::secret::{HeaderSettings, SecretSetting};

/// The keys that stand in `source:` of every connector that fetches over HTTP.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HttpSettings {
    /// Request headers, such as `accept: text/csv` or `x-api-key: ${env:KEY}`. They are sent to the source's own host alone.
    pub(crate) headers: HeaderSettings,
    /// How the source is told who asks: one of `bearer`, `basic`, `header`, `query` and `oauth2`. Sent to the source's own host
    /// alone. Default: nothing is told.
    pub(crate) auth: Option<AuthSettings>,
    /// Whether the source may be in a loopback, private or link-local network: `true`, or a list of host names and networks such
    /// as `[gis.city.internal, 10.1.0.0/16]`. Checked on the resolved address of every connection, redirects among them. Default:
    /// false.
    pub(crate) allow_private: AllowPrivate,
    /// How fast the source may be asked. A source's own wish (Retry-After) always counts.
    pub(crate) rate: RateSettings,
    /// How long to wait before it is called off.
    pub(crate) timeouts: TimeoutSettings,
    /// How often one thing is asked for before the run fails, the first time included. Where a file breaks off and the source gives
    /// the rest alone, attempts that bring some of it are not counted. Default: 5.
    #[schemars(range(min = 1, max = 100))]
    pub(crate) attempts: Option<u32>,
    /// The size that one answer may have, such as `500MB` or `2GiB`. Default: 64GiB. What is looked into as it comes may have 256MiB
    /// at most, whatever stands here: a page, and an answer that is asked for by a mark (`paging`, `incremental`).
    pub(crate) max_size: Option<String>,
    /// The proxy, such as `http://proxy.example:3128`, or `none`. Default: what the environment says (HTTPS_PROXY, HTTP_PROXY,
    /// ALL_PROXY, NO_PROXY).
    pub(crate) proxy: Option<SecretSetting>,
    /// Whom to trust instead of the system's certificate authorities.
    pub(crate) tls: Option<TlsSettings>,
    /// What the file must hash to: `sha256:` (or `sha512:`, `md5:`) and the digest in hex, as its publisher tells. For a source of
    /// one file.
    pub(crate) checksum: Option<String>,
}

/// How the source is told who asks: exactly one of these.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuthSettings {
    /// A token, sent as `Authorization: Bearer …`: `${env:TOKEN}`.
    pub(crate) bearer: Option<SecretSetting>,
    /// A user and a password.
    pub(crate) basic: Option<BasicSettings>,
    /// A key in a header of the source's own.
    pub(crate) header: Option<NamedSecret>,
    /// A key in the query of each URL.
    pub(crate) query: Option<NamedSecret>,
    /// OAuth 2.0 client credentials: a token is fetched, kept until it expires, and fetched anew once where it is refused.
    pub(crate) oauth2: Option<Oauth2Settings>,
}

/// A user and a password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BasicSettings {
    /// The user.
    pub(crate) user: SecretSetting,
    /// The password: `${env:PASSWORD}`.
    pub(crate) password: SecretSetting,
}

/// A key under a name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedSecret {
    /// The name of the header or of the query's key.
    pub(crate) name: String,
    /// The key: `${env:KEY}`.
    pub(crate) value: SecretSetting,
}

/// OAuth 2.0 client credentials (RFC 6749, section 4.4).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oauth2Settings {
    /// Where tokens are given out.
    pub(crate) token_url: UrlSetting,
    /// Who asks.
    pub(crate) client_id: SecretSetting,
    /// Its secret: `${env:CLIENT_SECRET}`.
    pub(crate) client_secret: SecretSetting,
    /// What is asked for. Default: what the source gives.
    #[serde(default)]
    pub(crate) scope: Option<String>,
    /// Whom the token is for, where the source wants to know.
    #[serde(default)]
    pub(crate) audience: Option<String>,
    /// Where id and secret are sent: `header` (HTTP Basic) or `body`. Default: `header`.
    #[serde(default)]
    pub(crate) credentials: Credentials,
}

/// Where the id and secret of an OAuth 2.0 client are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Credentials {
    /// As HTTP Basic.
    #[default]
    Header,
    /// In the form.
    Body,
}

/// Which hosts in private networks may be reached.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AllowPrivate {
    /// All or none.
    All(bool),
    /// Those: host names, addresses, networks (`10.1.0.0/16`).
    Hosts(Vec<String>),
}

impl Default for AllowPrivate {
    fn default() -> Self {
        Self::All(false)
    }
}

/// How fast the source may be asked.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RateSettings {
    /// Requests a second to one host: 0.5 is one every two seconds. Default: 10.
    #[schemars(range(min = 0.001, max = 1000))]
    pub(crate) per_second: Option<f64>,
    /// Requests under way at one host. Default: 2.
    #[schemars(range(min = 1, max = 64))]
    pub(crate) concurrent: Option<u32>,
}

/// How long to wait, as `500ms`, `30s`, `5m` or `1h`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TimeoutSettings {
    /// Until a connection stands. Default: 15s.
    #[schemars(extend("examples" = ["30s"]))]
    pub(crate) connect: Option<String>,
    /// Between two pieces of an answer. Default: 60s.
    #[schemars(extend("examples" = ["30s"]))]
    pub(crate) idle: Option<String>,
    /// For a whole answer. Default: 1h.
    #[schemars(extend("examples" = ["30s"]))]
    pub(crate) total: Option<String>,
}

/// Whom to trust instead of the system's certificate authorities: exactly one of these.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsSettings {
    /// A PEM file with the certificate authorities to trust, absolute or relative to the project's folder.
    pub(crate) ca: Option<String>,
    /// The one certificate to trust: `sha256:` and the digest of the certificate in hex, as `openssl x509 -noout -fingerprint
    /// -sha256` prints it. Neither its issuer nor its dates are looked at.
    pub(crate) fingerprint: Option<String>,
}
