//! Private networks stay closed: neither a pipeline's file nor an answer from outside steers us to what only we can reach,
//! unless the settings allow that host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::settings::AllowPrivate;
use crate::settings::SettingsError;

/// What the guarded resolver says when a name leads inside; the client looks for it in an error's causes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host} is {address}, an address of a private network")]
pub(crate) struct PrivateAddress {
    pub(crate) host: String,
    pub(crate) address: IpAddr,
}

/// Which hosts in private networks may be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// None.
    #[default]
    Nowhere,
    /// All.
    Anywhere,
    /// Those.
    These(Arc<[Pattern]>),
}

/// Hosts that are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// The host of this name.
    Name(String),
    /// What has an address whose first so many bits are these.
    Network(IpAddr, u8),
}

impl Allowed {
    /// What the setting says.
    pub(crate) fn of(setting: &AllowPrivate) -> Result<Self, SettingsError> {
        let hosts = match setting {
            AllowPrivate::All(true) => return Ok(Self::Anywhere),
            AllowPrivate::All(false) => return Ok(Self::Nowhere),
            AllowPrivate::Hosts(hosts) => hosts,
        };
        let patterns = hosts.iter().enumerate().map(|(index, text)| {
            Pattern::parse(text).ok_or_else(|| {
                let path = vec!["allow_private".to_owned(), index.to_string()];
                SettingsError::new(path, format!("{text:?} is neither a host nor a network"))
                    .with_help("write a host's name without https://, an address, or a network such as 10.1.0.0/16")
            })
        });
        Ok(Self::These(patterns.collect::<Result<_, _>>()?))
    }

    /// The same, and this machine.
    pub(crate) fn and_this_machine(self) -> Self {
        let loopback = [
            Pattern::Network(Ipv4Addr::LOCALHOST.into(), 8),
            Pattern::Network(Ipv6Addr::LOCALHOST.into(), 128),
        ];
        match self {
            Self::Anywhere => Self::Anywhere,
            Self::Nowhere => Self::These(loopback.into()),
            Self::These(patterns) => {
                Self::These(patterns.iter().cloned().chain(loopback).collect())
            }
        }
    }

    /// Whether `host` may be reached at `address`.
    pub(crate) fn check(&self, host: &str, address: IpAddr) -> Result<(), PrivateAddress> {
        let allows = match self {
            Self::Anywhere => true,
            Self::Nowhere => false,
            Self::These(patterns) => patterns.iter().any(|pattern| pattern.takes(host, address)),
        };
        if allows || !is_private(address) {
            return Ok(());
        }
        Err(PrivateAddress {
            host: host.to_owned(),
            address,
        })
    }

    /// Whether the URL may be asked, as far as it names an address; names are looked at when they are resolved.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), PrivateAddress> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(&address.to_string(), address.into()),
            Some(Host::Ipv6(address)) => self.check(&address.to_string(), address.into()),
            _ => Ok(()),
        }
    }
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((address, bits)) = text.split_once('/') {
            let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
            let most = if address.is_ipv4() { 32 } else { 128 };
            return (bits <= most).then_some(Self::Network(address, bits));
        }
        let plain = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = plain.parse::<IpAddr>() {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            return Some(Self::Network(address, bits));
        }
        match Host::parse(text).ok()? {
            Host::Domain(name) => Some(Self::Name(plain_name(&name))),
            Host::Ipv4(address) => Some(Self::Network(address.into(), 32)),
            Host::Ipv6(address) => Some(Self::Network(address.into(), 128)),
        }
    }

    pub(super) fn takes(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Name(name) => *name == plain_name(host),
            Self::Network(network, bits) => match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => same_bits(
                    u32::from(*network).into(),
                    u32::from(address).into(),
                    32 - bits,
                ),
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    same_bits((*network).into(), address.into(), 128 - bits)
                }
                _ => false,
            },
        }
    }
}

/// Whether the numbers are the same but for their last so many bits.
fn same_bits(left: u128, right: u128, free: u8) -> bool {
    let shift = |number: u128| number.checked_shr(free.into()).unwrap_or_default();
    shift(left) == shift(right)
}

fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// A resolver that gives out no private address that is not allowed, and is asked at the moment of connecting: a name that
/// leads elsewhere the second time is caught as well.
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    pub(crate) allowed: Allowed,
    /// Names of proxies, which the user or the machine's owner has chosen.
    pub(crate) proxies: Arc<[String]>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = tokio::net::lookup_host((name, 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            if guard.proxies.contains(&plain_name(name)) {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            let (open, closed): (Vec<_>, Vec<_>) = found
                .into_iter()
                .map(|address| (address, guard.allowed.check(name, address.ip())))
                .partition(|(_, checked)| checked.is_ok());
            // Where some addresses are open, the others are as good as not there.
            match closed.into_iter().find_map(|(_, checked)| checked.err()) {
                Some(private) if open.is_empty() => Err(private.into()),
                _ => Ok(Box::new(open.into_iter().map(|(address, _)| address)) as Addrs),
            }
        })
    }
}

/// Loopback, private (RFC 1918, 4193), link-local (also the clouds' metadata service), shared (RFC 6598), unspecified,
/// multicast and reserved, also as IPv6 that carries an IPv4 address.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_broadcast()
        || first == 0
        || first >= 224
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (second == 18 || second == 19))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [high, low] = [segments[6], segments[7]];
    let embedded = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    let carries_v4 = matches!(segments, [0, 0, 0, 0, 0, 0xffff | 0, _, _])
        || matches!(segments, [0x64, 0xff9b, 0, 0, 0, 0, _, _]);
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (segments[0] & 0xfe00) == 0xfc00
        || matches!(segments[0] & 0xffc0, 0xfe80 | 0xfec0)
        || segments[..3] == [0x64, 0xff9b, 1]
        || (carries_v4 && is_private_v4(embedded))
        || (segments[0] == 0x2002 && {
            is_private_v4(Ipv4Addr::from(
                (u32::from(segments[1]) << 16) | u32::from(segments[2]),
            ))
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn inside_and_outside() {
        let inside = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "64:ff9b:1::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "198.18.0.1",
        ];
        for address in inside {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        let outside = [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
        ];
        for address in outside {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    fn allowed(setting: serde_json::Value) -> Result<Allowed, SettingsError> {
        Allowed::of(&serde_json::from_value(setting).unwrap())
    }

    #[test]
    fn urls_that_name_the_inside() {
        for (url, inside) in [
            ("http://127.1/", true),
            ("http://0x7f000001/", true),
            ("http://2130706433/", true),
            ("http://[::1]:80/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://169.254.169.254/latest/meta-data/", true),
            ("http://8.8.8.8/", false),
            ("https://example.org/", false),
        ] {
            let found = Allowed::Nowhere.check_url(&Url::parse(url).unwrap());
            assert_eq!(found.is_err(), inside, "{url}");
        }
    }

    #[test]
    fn hosts_and_networks_are_allowed_one_by_one() {
        let these = allowed(json!([
            "GIS.city.internal",
            "10.1.0.0/16",
            "fd00::/8",
            "127.0.0.1"
        ]));
        let these = these.unwrap();
        for (host, address, allows) in [
            ("gis.city.internal", "192.168.1.1", true),
            ("gis.city.internal.", "192.168.1.1", true),
            ("www.gis.city.internal", "192.168.1.1", false),
            ("other", "10.1.255.1", true),
            ("other", "10.2.0.1", false),
            ("other", "fd12::1", true),
            ("other", "fe80::1", false),
            ("other", "127.0.0.1", true),
            ("other", "127.0.0.2", false),
            ("other", "8.8.8.8", true),
        ] {
            let found = these.check(host, address.parse().unwrap());
            assert_eq!(found.is_ok(), allows, "{host} {address}");
        }
        assert!(
            allowed(json!(["0.0.0.0/0"]))
                .unwrap()
                .check("a", "10.0.0.1".parse().unwrap())
                .is_ok()
        );
        for wrong in ["https://a.b/", "10.0.0.0/33", "a b", ""] {
            let error = allowed(json!(["x", wrong])).unwrap_err();
            assert_eq!(error.key(), "allow_private[1]", "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        let guard = |allowed, proxies: &[&str]| GuardedResolver {
            allowed,
            proxies: proxies.iter().map(|&name| name.to_owned()).collect(),
        };
        let resolve = async |guard: GuardedResolver| {
            let found = guard.resolve("localhost".parse().unwrap()).await;
            found
                .map(drop)
                .map_err(|error| error.is::<PrivateAddress>())
        };
        assert_eq!(resolve(guard(Allowed::Nowhere, &[])).await, Err(true));
        assert_eq!(resolve(guard(Allowed::Anywhere, &[])).await, Ok(()));
        let named = allowed(json!(["localhost"])).unwrap();
        assert_eq!(resolve(guard(named, &[])).await, Ok(()));
        assert_eq!(
            resolve(guard(Allowed::Nowhere, &["localhost"])).await,
            Ok(())
        );
    }
}
