//! Whom a client trusts: the system's authorities, those of a file, or one certificate. Verification is never switched off.

mod issuer;
mod pins;
mod verify;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

pub(super) use issuer::certificates;
pub(super) use pins::{Pins, Wanted};
pub(super) use verify::Refused;

use super::config::Trust;
use crate::error::{ConnectorError, ErrorKind};
use verify::{Completing, OneCertificate, Unusable};

/// What the clients of a process share: the system's authorities, read once, and the intermediates found.
#[derive(Debug)]
pub(super) struct Trusts {
    provider: Arc<CryptoProvider>,
    system: OnceLock<Arc<dyn ServerCertVerifier>>,
    pub(super) pins: Arc<Pins>,
}

impl Default for Trusts {
    fn default() -> Self {
        Self {
            provider: Arc::new(rustls::crypto::aws_lc_rs::default_provider()),
            system: OnceLock::new(),
            pins: Arc::default(),
        }
    }
}

impl Trusts {
    /// How a client that trusts so sets up its connections.
    pub(super) fn client_config(&self, trust: &Trust) -> Result<ClientConfig, ConnectorError> {
        let verifier = self.verifier(trust)?;
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| {
                let message = format!("no TLS can be set up: {error}");
                ConnectorError::new(ErrorKind::Untrusted, message)
            })?;
        let mut config = config
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn verifier(&self, trust: &Trust) -> Result<Arc<dyn ServerCertVerifier>, ConnectorError> {
        let inner = match trust {
            Trust::System => Arc::clone(self.system.get_or_init(|| self.system())),
            Trust::Authorities(file) => self.authorities(file)?,
            Trust::Certificate(digest) => {
                let provider = Arc::clone(&self.provider);
                return Ok(Arc::new(OneCertificate {
                    digest: *digest,
                    provider,
                }));
            }
        };
        Ok(Arc::new(Completing {
            inner,
            pins: Arc::clone(&self.pins),
        }))
    }

    /// A machine without authorities still fetches over http, and over https what is pinned.
    fn system(&self) -> Arc<dyn ServerCertVerifier> {
        let provider = Arc::clone(&self.provider);
        match rustls_platform_verifier::Verifier::new(Arc::clone(&provider)) {
            Ok(verifier) => Arc::new(verifier),
            Err(error) => Arc::new(Unusable {
                reason: error.to_string(),
                provider,
            }),
        }
    }

    fn authorities(&self, file: &Path) -> Result<Arc<dyn ServerCertVerifier>, ConnectorError> {
        let wrong = |reason: String| {
            ConnectorError::new(ErrorKind::Local, reason)
                .at(file.display())
                .with_help(
                    "`tls: { ca: … }` names a PEM file with one or more BEGIN CERTIFICATE blocks",
                )
        };
        let certificates = CertificateDer::pem_file_iter(file)
            .map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            certificate
                .map_err(|error| wrong(format!("is no PEM: {error}")))
                .and_then(|certificate| {
                    roots
                        .add(certificate)
                        .map_err(|error| wrong(format!("holds a broken certificate: {error}")))
                })?;
        }
        let provider = Arc::clone(&self.provider);
        let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        match built {
            Ok(verifier) => Ok(verifier),
            Err(error) => Err(wrong(format!("holds no certificate: {error}"))),
        }
    }
}
