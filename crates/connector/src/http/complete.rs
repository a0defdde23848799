//! Servers that leave out an intermediate certificate: it is fetched from the address that their own certificate names, and
//! the completed chain is verified as any other.

use reqwest::Method;
use reqwest::header::HeaderMap;

use super::Http;
use super::exchange::Letter;
use super::tls::{Wanted, certificates};
use crate::address::UrlSetting;
use crate::error::{ConnectorError, ErrorKind};
use crate::registry::MakeContext;

/// Size of an authority's answer.
const CERTIFICATE_BYTES_MAX: usize = 256 << 10;
/// Certificates that one chain may lack.
pub(super) const MISSING_MAX: usize = 4;

impl Http {
    /// Fetches what the last handshake with `host` lacked, so that another can be tried; `before` is how many were pinned when
    /// it began. What to tell if that succeeds, or `None` where there is nothing to try with.
    pub(super) async fn complete(
        &self,
        host: &str,
        before: usize,
    ) -> Result<Option<String>, ConnectorError> {
        let pins = &self.inner.shared.trusts.pins;
        let _one_at_a_time = pins.fetching.lock().await;
        // Another connection has fetched it meanwhile.
        if pins.count(host) > before {
            return Ok(Some(String::new()));
        }
        let Some(wanted) = pins.wanted(host) else {
            return Ok(None);
        };
        let mut reasons = Vec::new();
        for address in &wanted.addresses {
            match self.issuer(address, &wanted).await {
                Ok(found) => {
                    pins.pin(host, found);
                    let note = format!(
                        "{host} leaves out the certificate of its issuer ({}): taken from {address} and verified",
                        wanted.name
                    );
                    return Ok(Some(note));
                }
                Err(reason) => reasons.push(format!("{address}: {reason}")),
            }
        }
        let message = format!(
            "leaves out the certificate of its issuer ({}), and it is not to be had: {}",
            wanted.name,
            reasons.join("; ")
        );
        Err(ConnectorError::new(ErrorKind::Untrusted, message).with_help(
            "save the issuer's certificates as a PEM file and write `tls: { ca: FILE }` under `source:`",
        ))
    }

    async fn issuer(
        &self,
        address: &str,
        wanted: &Wanted,
    ) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>, String> {
        // A certificate is no settings file: what looks like a reference to a secret in it is none.
        let plain = address.replace("${", "$%7B");
        let url = UrlSetting::new(&plain).resolve(&["url"], &MakeContext::new(".", "", |_| None));
        let letter = Letter {
            method: Method::GET,
            url: url.map_err(|error| error.message)?,
            headers: HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        let reply = self.exchange(&letter, CERTIFICATE_BYTES_MAX).await;
        let reply = reply.map_err(|error| error.message)?;
        if reply.status != 200 {
            return Err(format!("HTTP {}", reply.status));
        }
        let found = certificates(&reply.body, &wanted.subject);
        match found.is_empty() {
            true => Err("holds another certificate, or none".to_owned()),
            false => Ok(found),
        }
    }
}
