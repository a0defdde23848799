//! What the settings of a source come to: how its client asks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::auth::Auth;
use super::digest::Checksum;
use super::limits::Limits;
use super::private::Allowed;
use super::proxy::Proxies;
use super::settings::{HttpSettings, TlsSettings};
use super::units;
use crate::registry::MakeContext;
use crate::secret::Secret;
use crate::settings::SettingsError;

/// How a source's client asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) auth: Option<Auth>,
    pub(super) allowed: Allowed,
    pub(super) limits: LimitsChange,
    pub(super) trust: Trust,
    pub(super) checksum: Option<Checksum>,
    /// `None`: as the environment says.
    pub(super) proxies: Option<Proxies>,
}

/// Whom a source's client trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whom the system trusts.
    #[default]
    System,
    /// The authorities in a PEM file.
    Authorities(PathBuf),
    /// The certificate of this SHA-256 digest.
    Certificate([u8; 32]),
}

/// What a source has otherwise than all others.
#[derive(Debug, Clone, Default)]
pub(super) struct LimitsChange {
    gap: Option<Duration>,
    concurrent: Option<usize>,
    connect: Option<Duration>,
    idle: Option<Duration>,
    total: Option<Duration>,
    attempts: Option<u32>,
    size: Option<u64>,
}

impl LimitsChange {
    pub(super) fn of(&self, base: &Limits) -> Limits {
        Limits {
            connect_timeout: self.connect.unwrap_or(base.connect_timeout),
            idle_timeout: self.idle.unwrap_or(base.idle_timeout),
            total_timeout: self.total.unwrap_or(base.total_timeout),
            attempts_max: self.attempts.unwrap_or(base.attempts_max),
            body_bytes_max: self
                .size
                .map_or(base.body_bytes_max, |size| size.min(base.body_bytes_max)),
            per_host_max: self.concurrent.unwrap_or(base.per_host_max),
            per_host_gap: self.gap.unwrap_or(base.per_host_gap),
            ..base.clone()
        }
    }
}

impl Config {
    /// What `settings` come to.
    pub(crate) fn of(
        settings: &HttpSettings,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        let rate = &settings.rate;
        let timeouts = &settings.timeouts;
        Ok(Self {
            headers: settings.headers.resolve("headers", context)?,
            auth: match &settings.auth {
                Some(auth) => Some(Auth::of(auth, context)?),
                None => None,
            },
            allowed: Allowed::of(&settings.allow_private)?,
            limits: LimitsChange {
                gap: rate
                    .per_second
                    .map(|rate| Duration::from_secs_f64(1.0 / rate)),
                concurrent: rate.concurrent.map(|number| number as usize),
                connect: time("connect", timeouts.connect.as_deref())?,
                idle: time("idle", timeouts.idle.as_deref())?,
                total: time("total", timeouts.total.as_deref())?,
                attempts: settings.attempts,
                size: size(settings.max_size.as_deref())?,
            },
            trust: trust(settings.tls.as_ref(), context)?,
            checksum: checksum(settings.checksum.as_deref())?,
            proxies: match &settings.proxy {
                Some(proxy) => Some(Proxies::of_setting(proxy, context)?),
                None => None,
            },
        })
    }
}

fn time(key: &str, text: Option<&str>) -> Result<Option<Duration>, SettingsError> {
    let Some(text) = text else { return Ok(None) };
    units::duration(text).map(Some).ok_or_else(|| {
        let path = vec!["timeouts".to_owned(), key.to_owned()];
        SettingsError::new(path, format!("{text:?} is no time"))
            .with_help("write a number and ms, s, m or h, such as 30s")
    })
}

fn size(text: Option<&str>) -> Result<Option<u64>, SettingsError> {
    let Some(text) = text else { return Ok(None) };
    units::size(text).map(Some).ok_or_else(|| {
        SettingsError::of_key("max_size", format!("{text:?} is no size"))
            .with_help("write a number and a unit, such as 500MB or 2GiB")
    })
}

fn checksum(text: Option<&str>) -> Result<Option<Checksum>, SettingsError> {
    let Some(text) = text else { return Ok(None) };
    Checksum::of_setting(text).map(Some).ok_or_else(|| {
        SettingsError::of_key("checksum", format!("{text:?} is no checksum"))
            .with_help("write sha256: (or sha512:, md5:) and the digest in hexadecimal digits")
    })
}

fn trust(settings: Option<&TlsSettings>, context: &MakeContext) -> Result<Trust, SettingsError> {
    let Some(settings) = settings else {
        return Ok(Trust::System);
    };
    match (&settings.ca, &settings.fingerprint) {
        (Some(file), None) => Ok(Trust::Authorities(context.project_dir().join(file))),
        (None, Some(text)) => fingerprint(text).map(Trust::Certificate).ok_or_else(|| {
            let path = vec!["tls".to_owned(), "fingerprint".to_owned()];
            SettingsError::new(path, format!("{text:?} is no fingerprint"))
                .with_help("write sha256: and 64 hexadecimal digits; `openssl x509 -noout -fingerprint -sha256` prints them")
        }),
        _ => Err(SettingsError::of_key("tls", "takes exactly one of `ca` and `fingerprint`")
            .with_help("write tls: { ca: file.pem } or tls: { fingerprint: \"sha256:…\" }")),
    }
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits = text.trim().strip_prefix("sha256:")?.replace([':', ' '], "");
    from_hex(&digits)?.try_into().ok()
}

/// Bytes from hexadecimal digits.
pub(super) fn from_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// The settings of a connector that fetches over HTTP, with those of the client among them. A connector that has one of them
/// itself would never see it, which a debug build tells.
pub(crate) fn merged(schema: &mut Value) {
    merge(schema, schemars::schema_for!(HttpSettings).to_value());
}

/// The same with those of the client's settings alone.
pub(crate) fn merged_some(schema: &mut Value, keys: &[&str]) {
    let mut ours = schemars::schema_for!(HttpSettings).to_value();
    if let Some(properties) = ours.get_mut("properties").and_then(Value::as_object_mut) {
        properties.retain(|key, _| keys.contains(&key.as_str()));
        let text = Value::Object(properties.clone()).to_string();
        if let Some(types) = ours.get_mut("$defs").and_then(Value::as_object_mut) {
            types.retain(|name, _| text.contains(&format!("#/$defs/{name}\"")));
        }
    }
    merge(schema, ours);
}

fn merge(schema: &mut Value, mut ours: Value) {
    for part in ["properties", "$defs"] {
        let Some(Value::Object(ours)) = ours.get_mut(part).map(Value::take) else {
            continue;
        };
        let Some(schema) = schema.as_object_mut() else {
            return;
        };
        let theirs = schema
            .entry(part)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(theirs) = theirs {
            for (key, value) in ours {
                // Settings of the SDK, such as texts with secrets, are the same on both sides.
                let is_free = theirs.get(&key).is_none_or(|known| *known == value);
                debug_assert!(is_free, "{part}/{key} is the client's");
                theirs.insert(key, value);
            }
        }
    }
}

/// Takes the client's settings out of a connector's.
pub(crate) fn taken(
    settings: &mut Map<String, Value>,
    context: &MakeContext,
) -> Result<Config, SettingsError> {
    let ours = schemars::schema_for!(HttpSettings).to_value();
    let keys = ours.get("properties").and_then(Value::as_object);
    let found: BTreeMap<String, Value> = keys
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| settings.remove_entry(key))
        // `proxy:` with nothing behind it is as good as left out.
        .filter(|(_, value)| !value.is_null())
        .collect();
    let many = settings.get("url").and_then(Value::as_array);
    if found.contains_key("checksum") && many.is_some_and(|urls| urls.len() > 1) {
        return Err(
            SettingsError::of_key("checksum", "does not fit several files")
                .with_help("give each file that has a checksum a pipeline of its own"),
        );
    }
    let read = serde_json::from_value(Value::Object(found.into_iter().collect()));
    let read = read.map_err(|error| SettingsError::new(Vec::new(), error.to_string()))?;
    Config::of(&read, context)
}
