//! Redirects stay out of private networks: an answer from outside must not steer us to what only we can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// What the guarded resolver says when a name leads inside; the client looks for it in an error's causes.
#[derive(Debug, thiserror::Error)]
#[error("{0} is an address of a private network")]
pub(crate) struct PrivateAddress(pub(crate) String);

/// A resolver that answers no name with a private address, and is asked at the moment of connecting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if let Some(inside) = found.iter().find(|address| is_private(address.ip())) {
                return Err(PrivateAddress(inside.ip().to_string()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether the URL itself names a private address; names are left to [`GuardedResolver`].
pub(crate) fn names_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_private(address.into()),
        Some(Host::Ipv6(address)) => is_private(address.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
        None => true,
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
        || (segments[0] & 0xffc0) == 0xfe80
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

    #[test]
    fn urls_that_name_the_inside() {
        for (url, inside) in [
            ("http://127.1/", true),
            ("http://0x7f000001/", true),
            ("http://[::1]:80/", true),
            ("http://localhost/", true),
            ("http://a.LOCALHOST./", true),
            ("https://example.org/", false),
        ] {
            assert_eq!(names_private(&Url::parse(url).unwrap()), inside, "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        let found = GuardedResolver.resolve("localhost".parse().unwrap()).await;
        let Err(error) = found else {
            unreachable!("localhost is inside")
        };
        assert!(error.is::<PrivateAddress>());
    }
}
