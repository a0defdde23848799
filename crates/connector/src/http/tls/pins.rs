//! The intermediates that servers leave out, found at the addresses that their certificates name, by host.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustls::pki_types::CertificateDer;

/// Hosts that are remembered: an answer can make us meet any number of them.
const HOSTS_MAX: usize = 4096;

/// A certificate that a chain lacks, and where it is said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Wanted {
    /// Its subject, as DER.
    pub(in super::super) subject: Vec<u8>,
    /// Its subject, to read.
    pub(in super::super) name: String,
    /// Addresses of `caIssuers` (RFC 5280, section 4.2.2.1), http alone: https would need what is being looked for.
    pub(in super::super) addresses: Vec<String>,
}

/// What is known of hosts with incomplete chains.
#[derive(Debug, Default)]
pub(in super::super) struct Pins {
    hosts: Mutex<HashMap<String, Host>>,
    /// Held while one is fetched, so that connections side by side fetch it once.
    pub(in super::super) fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Host {
    pinned: Vec<CertificateDer<'static>>,
    wanted: Option<Wanted>,
}

impl Pins {
    pub(super) fn of(&self, host: &str) -> Vec<CertificateDer<'static>> {
        let hosts = self.lock();
        hosts
            .get(host)
            .map(|host| host.pinned.clone())
            .unwrap_or_default()
    }

    pub(super) fn want(&self, host: &str, wanted: Option<Wanted>) {
        let mut hosts = self.lock();
        if hosts.len() < HOSTS_MAX || hosts.contains_key(host) {
            hosts.entry(host.to_owned()).or_default().wanted = wanted;
        }
    }

    /// What the last handshake with `host` lacked.
    pub(in super::super) fn wanted(&self, host: &str) -> Option<Wanted> {
        self.lock().get(host)?.wanted.clone()
    }

    /// How many are pinned for `host`.
    pub(in super::super) fn count(&self, host: &str) -> usize {
        self.lock().get(host).map_or(0, |host| host.pinned.len())
    }

    pub(in super::super) fn pin(&self, host: &str, found: Vec<CertificateDer<'static>>) {
        let mut hosts = self.lock();
        let host = hosts.entry(host.to_owned()).or_default();
        host.wanted = None;
        host.pinned.extend(found);
    }

    /// What was found did not help.
    pub(in super::super) fn forget(&self, host: &str) {
        self.lock().remove(host);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
