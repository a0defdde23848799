//! Where a database server is and who asks: from a URL, or from single settings.

use schemars::JsonSchema;
use sectorlake_connector::{Claim, MakeContext, Secret, SecretSetting, SettingsError, Sight};
use serde::Deserialize;
use url::{Host, Url};

use crate::settings::wrong;
use crate::tls::TlsSetting;

/// The settings that say where the server is.
#[derive(Debug, Default)]
pub(crate) struct AddressSettings {
    pub(crate) url: Option<SecretSetting>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) database: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretSetting>,
}

/// What a kind of server takes for granted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults {
    /// Schemes of its URLs; the first one is shown.
    pub(crate) schemes: &'static [&'static str],
    pub(crate) port: u16,
}

impl Defaults {
    /// Whether someone points at a server of this kind, by its URL.
    pub(crate) fn claim(&self, sight: &Sight<'_>) -> Option<Claim> {
        let (scheme, _) = sight.location.split_once("://")?;
        self.schemes.contains(&scheme).then(|| {
            let settings = [("url", sight.location.into()), ("tables", "all".into())];
            Claim::open(settings, format!("its address begins with {scheme}://"))
        })
    }
}

/// Where the server is.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    scheme: &'static str,
}

impl Address {
    /// From what the settings say.
    ///
    /// # Errors
    /// [`SettingsError`] for a URL that is none of this kind, and for what is missing.
    pub(crate) fn of(
        settings: AddressSettings,
        defaults: Defaults,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let url = settings
            .url
            .map(|url| Self::of_url(&url, defaults, context))
            .transpose()?;
        let mut address = url.unwrap_or(Self {
            host: String::new(),
            port: defaults.port,
            database: String::new(),
            user: String::new(),
            password: None,
            scheme: defaults.schemes[0],
        });
        if let Some(host) = settings.host {
            address.host = host;
        }
        if let Some(port) = settings.port {
            address.port = port;
        }
        if let Some(database) = settings.database {
            address.database = database;
        }
        if let Some(user) = settings.user {
            address.user = user;
        }
        if let Some(password) = settings.password {
            address.password = Some(password.resolve("password", context)?);
        }
        let example = format!(
            "{}://user:${{env:PASSWORD}}@host:{}/database",
            defaults.schemes[0], defaults.port
        );
        for (key, value) in [
            ("host", &address.host),
            ("database", &address.database),
            ("user", &address.user),
        ] {
            if value.is_empty() {
                return Err(SettingsError::new(Vec::new(), format!("names no {key}"))
                    .with_help(format!("write `{key}`, or all in one as `url: {example}`")));
            }
        }
        Ok(address)
    }

    fn of_url(
        url: &SecretSetting,
        defaults: Defaults,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        // A secret may hold whatever characters: it is put in when the address is taken apart. A reference in place of the port, or of
        // all of it, is part of the address.
        let (text, words) = url.parted("url", context)?;
        let (text, words) = match Url::parse(&text) {
            Ok(parsed)
                if parsed.has_host() && words.iter().all(|(word, _)| word != parsed.scheme()) =>
            {
                (Secret::new(text), words)
            }
            _ => (url.resolve("url", context)?, Vec::new()),
        };
        let scheme = defaults.schemes[0];
        let help = format!(
            "write {scheme}://user:${{env:PASSWORD}}@host:{}/database; what a reference brings is taken as it is, in a password written out characters such as @ / : # ? % are written as %40 %2F %3A %23 %3F %25",
            defaults.port
        );
        // The URL is a secret as a whole: a message must not show what is wrong in it.
        let Ok(url) = Url::parse(text.expose()) else {
            return Err(wrong(&["url"], "is no address of a database", &help));
        };
        if !defaults.schemes.contains(&url.scheme()) {
            let message = format!("begins with {}://, not with {scheme}://", url.scheme());
            return Err(wrong(&["url"], &message, &help));
        }
        if url.query().is_some() {
            let help = "options such as TLS are settings of their own: `tls: { mode: verify }`";
            return Err(wrong(&["url"], "has a `?` with options behind it", help));
        }
        let decoded = |text: &str| {
            let text = percent_decoded(text)
                .ok_or_else(|| wrong(&["url"], "holds a % that is no %41", &help))?;
            let put = |text: String, (word, secret): &(String, Secret)| {
                text.replace(word, secret.expose())
            };
            Ok(words.iter().fold(text, put))
        };
        let host = match url.host() {
            Some(Host::Ipv6(ip)) => ip.to_string(),
            Some(host) => decoded(&host.to_string())?,
            None => String::new(),
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(defaults.port),
            database: decoded(url.path().trim_start_matches('/'))?,
            user: decoded(url.username())?,
            password: url.password().map(decoded).transpose()?.map(Secret::new),
            scheme,
        })
    }

    /// For messages and keys: no user, no password.
    pub(crate) fn place(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        format!("{}://{host}:{}/{}", self.scheme, self.port, self.database)
    }

    /// Whether nothing leaves the machine.
    pub(crate) fn is_local(&self) -> bool {
        let ip: Option<std::net::IpAddr> = self.host.parse().ok();
        self.host == "localhost"
            || self.host.starts_with('/')
            || ip.is_some_and(|ip| ip.is_loopback())
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'%' {
            let hex = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Settings of a server, the same for every kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerSettings {
    /// Where the server is and who asks: `postgres://user:${env:PASSWORD}@host:5432/database`, `mysql://…`, `sqlserver://…`.
    /// Secrets as `${env:NAME}` or `${file:PATH}`. The host is taken as written: databases live in private networks.
    #[serde(default)]
    pub(crate) url: Option<SecretSetting>,
    /// The host, a name or an address. Overrides the one in `url`.
    #[serde(default)]
    pub(crate) host: Option<String>,
    /// The port. Default: that of `url`, else the one that the kind of server usually has.
    #[serde(default)]
    pub(crate) port: Option<u16>,
    /// The database. Overrides the one in `url`.
    #[serde(default)]
    pub(crate) database: Option<String>,
    /// The user, who needs SELECT on what is read and nothing else. Overrides the one in `url`.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// The password, as `${env:NAME}` or `${file:PATH}`. Overrides the one in `url`.
    #[serde(default)]
    pub(crate) password: Option<SecretSetting>,
    /// How the connection is encrypted. Default: `mode: verify`, and on this machine itself (loopback) `mode: disable`.
    #[serde(default)]
    pub(crate) tls: TlsSetting,
    /// The tables to read, a stream each: `all`, a list of names, or names with options. Names are as the database has them;
    /// one in another schema as `schema.table`.
    #[serde(default)]
    pub(crate) tables: Option<crate::settings::TablesSetting>,
    /// Queries to read, a stream each: `{ open_stations: "SELECT … FROM …" }`, in the database's own SQL.
    #[serde(default)]
    pub(crate) queries: std::collections::BTreeMap<String, crate::settings::QuerySetting>,
}

impl ServerSettings {
    /// Where the server is, and how the connection to it is encrypted.
    ///
    /// # Errors
    /// [`SettingsError`] for what is missing or wrong.
    pub(crate) fn address(
        &self,
        defaults: Defaults,
        context: &MakeContext,
    ) -> Result<(Address, crate::tls::Tls), SettingsError> {
        let settings = AddressSettings {
            url: self.url.clone(),
            host: self.host.clone(),
            port: self.port,
            database: self.database.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
        };
        let address = Address::of(settings, defaults, context)?;
        let tls = self.tls.resolve(&address, context)?;
        Ok((address, tls))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    const DEFAULTS: Defaults = Defaults {
        schemes: &["postgres", "postgresql"],
        port: 5432,
    };

    fn address(settings: serde_json::Value) -> Result<Address, String> {
        let settings: ServerSettings = serde_json::from_value(settings).unwrap();
        let context = MakeContext::new(".", "demo", |name| {
            (name == "PASSWORD").then(|| "s3cr3t".to_owned())
        });
        let made = settings.address(DEFAULTS, &context);
        made.map(|(address, _)| address)
            .map_err(|error| format!("{error} / {}", error.help.as_deref().unwrap_or_default()))
    }

    fn password(address: &Address) -> Option<&str> {
        address.password.as_ref().map(Secret::expose)
    }

    #[test]
    fn a_url_says_all() {
        let url = "postgresql://ng%C6%B0%E1%BB%9Di:${env:PASSWORD}%40@db.example/th%C3%A0nh%20ph%E1%BB%91";
        let found = address(json!({"url": url})).unwrap();
        assert_eq!(
            (found.user.as_str(), found.database.as_str()),
            ("người", "thành phố")
        );
        assert_eq!((found.host.as_str(), found.port), ("db.example", 5432));
        assert_eq!(password(&found), Some("s3cr3t@"));
        assert_eq!(found.place(), "postgres://db.example:5432/thành phố");
        assert!(!format!("{found:?}").contains("s3cr3t"));
        let found =
            address(json!({"url": "postgres://u@[::1]:6000/d", "password": "${env:PASSWORD}"}))
                .unwrap();
        assert_eq!(
            (found.host.as_str(), found.port, found.is_local()),
            ("::1", 6000, true)
        );
        assert_eq!(
            (found.place().as_str(), password(&found)),
            ("postgres://[::1]:6000/d", Some("s3cr3t"))
        );
    }

    #[test]
    fn a_secret_is_taken_as_it_is() {
        for secret in ["p@ss:w/rd#1?", "100%41", "a b%", "ü€\\"] {
            let context = MakeContext::new(".", "demo", |name| match name {
                "PASSWORD" => Some(secret.to_owned()),
                "URL" => Some("postgres://u:p%40@db.example:99/d".to_owned()),
                "PORT" => Some("6000".to_owned()),
                _ => None,
            });
            let of = |url: &str| {
                let settings: ServerSettings =
                    serde_json::from_value(json!({ "url": url })).unwrap();
                settings.address(DEFAULTS, &context).unwrap().0
            };
            let found = of("postgres://u:${env:PASSWORD}@db.example/d");
            assert_eq!(password(&found), Some(secret));
            assert_eq!(
                (found.host.as_str(), found.user.as_str()),
                ("db.example", "u")
            );
            // Where a reference is more than a user, a password or a name, it is part of the address as written.
            let whole = of("${env:URL}");
            assert_eq!((password(&whole), whole.port), (Some("p@"), 99));
            assert_eq!(of("postgres://u@db.example:${env:PORT}/d").port, 6000);
        }
    }

    #[test]
    fn an_address_is_known_by_its_scheme() {
        let registry = sectorlake_connector::Registry::new(crate::registrations());
        let claimed = |location: &str| {
            let sight = Sight {
                location,
                members: &[],
                head: &[],
            };
            registry
                .claim(&sight)
                .map(|(registration, _)| registration.name().to_owned())
        };
        for (location, expected) in [
            ("postgresql://u@h/d", Some("postgres")),
            ("mariadb://u@h/d", Some("mysql")),
            ("sqlserver://u@h/d", Some("sqlserver")),
            ("data/Trạm.SQLITE", Some("sqlite")),
            ("ranh-gioi.gpkg", Some("sqlite")),
            ("https://example.org/a.sqlite", None),
            ("data/a.csv", None),
        ] {
            assert_eq!(claimed(location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn single_settings_override_the_url() {
        let found = address(
            json!({"url": "postgres://u@a/d", "host": "10.1.2.3", "port": 1, "user": "v", "database": "e"}),
        );
        let found = found.unwrap();
        assert_eq!(
            (
                found.host.as_str(),
                found.port,
                found.user.as_str(),
                found.database.as_str()
            ),
            ("10.1.2.3", 1, "v", "e")
        );
        assert!(!found.is_local());
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        let said = [
            json!({"url": "mysql://u:s3cr3t@h/d"}),
            json!({"url": "postgres://u:s3cr3t#1@h:5432/d"}),
            json!({"url": "s3cr3t"}),
            json!({"url": "postgres://u:%zz@h/d"}),
            json!({"url": "postgres://h/d"}),
            json!({"url": "postgres://u@h/d?sslmode=require"}),
            json!({"host": "h", "user": "u"}),
            json!({}),
        ];
        let said: Vec<String> = said
            .into_iter()
            .map(|it| address(it).unwrap_err())
            .collect();
        assert!(!said.join("\n").contains("s3cr3t"));
        insta::assert_snapshot!(said.join("\n"));
    }
}
