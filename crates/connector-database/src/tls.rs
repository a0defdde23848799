//! How the connection to a server is encrypted, and how the server proves who it is.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;
use schemars::JsonSchema;
use sectorlake_connector::{ConnectorError, ErrorKind, MakeContext, SettingsError};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::settings::wrong;

/// How the connection is encrypted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TlsSetting {
    /// `verify`: encrypted, and the server proves who it is. `require`: encrypted, but whoever answers is believed; prefer
    /// `ca` or `fingerprint`. `disable`: neither; all can be read on the way. Default: `verify`, on loopback `disable`.
    #[serde(default)]
    mode: Option<Mode>,
    /// A PEM file with the certificate of the authority that signed the server's, relative to the project. Left out: those
    /// that this machine trusts.
    #[serde(default)]
    ca: Option<String>,
    /// SHA-256 of the server's own certificate in hex, with or without colons: it alone is believed. PostgreSQL only.
    #[serde(default)]
    fingerprint: Option<String>,
}

/// What `mode:` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// Encrypted, and the server proves who it is.
    Verify,
    /// Encrypted; whoever answers is believed.
    Require,
    /// Not encrypted.
    Disable,
}

/// [`TlsSetting`], checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Plain.
    Off,
    /// Encrypted; whoever answers is believed.
    Blind,
    /// Encrypted; this machine's authorities are believed.
    Machine,
    /// Encrypted; the authorities in this PEM are believed.
    Authorities(Vec<u8>),
    /// Encrypted; this certificate alone is believed.
    Fingerprint([u8; 32]),
}

impl TlsSetting {
    /// What it means for a server at `address`.
    ///
    /// # Errors
    /// [`SettingsError`] for settings that contradict one another, and a file that holds no certificate.
    pub(crate) fn resolve(
        &self,
        address: &Address,
        context: &MakeContext,
    ) -> Result<Tls, SettingsError> {
        let proof = self.proof(context)?;
        match (self.mode, proof) {
            (Some(Mode::Disable | Mode::Require), Some(_)) => Err(wrong(
                &["tls", "mode"],
                "does not go with `ca` or `fingerprint`",
                "leave `mode` out: the server is verified by what you give",
            )),
            (_, Some(proof)) => Ok(proof),
            (Some(Mode::Disable), None) => Ok(Tls::Off),
            (Some(Mode::Require), None) => Ok(Tls::Blind),
            (Some(Mode::Verify), None) => Ok(Tls::Machine),
            (None, None) if address.is_local() => Ok(Tls::Off),
            (None, None) => Ok(Tls::Machine),
        }
    }

    fn proof(&self, context: &MakeContext) -> Result<Option<Tls>, SettingsError> {
        match (&self.ca, &self.fingerprint) {
            (Some(_), Some(_)) => Err(wrong(
                &["tls"],
                "has both `ca` and `fingerprint`",
                "keep one of them",
            )),
            (Some(file), None) => {
                let path = context.project_dir().join(file);
                let read = std::fs::read(&path).map_err(|error| {
                    let message = format!("the file {} cannot be read: {error}", path.display());
                    wrong(
                        &["tls", "ca"],
                        &message,
                        "check the path and its permissions",
                    )
                })?;
                match CertificateDer::pem_slice_iter(&read).next() {
                    Some(Ok(_)) => Ok(Some(Tls::Authorities(read))),
                    _ => Err(wrong(
                        &["tls", "ca"],
                        "holds no certificate",
                        "write a PEM file: -----BEGIN CERTIFICATE-----",
                    )),
                }
            }
            (None, Some(text)) => match fingerprint(text) {
                Some(fingerprint) => Ok(Some(Tls::Fingerprint(fingerprint))),
                None => Err(wrong(
                    &["tls", "fingerprint"],
                    "is no SHA-256 in hex",
                    "write 64 hex digits, as `openssl x509 -noout -fingerprint -sha256` prints them",
                )),
            },
            (None, None) => Ok(None),
        }
    }
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let hex: String = text.chars().filter(|&it| it != ':' && it != ' ').collect();
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

impl Tls {
    /// For rustls; `None` where nothing is encrypted.
    ///
    /// # Errors
    /// When the machine's authorities cannot be read.
    pub(crate) fn client(&self) -> Result<Option<ClientConfig>, ConnectorError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let unusable = |error: rustls::Error| {
            ConnectorError::new(ErrorKind::Invalid, format!("TLS cannot be set up: {error}"))
                .with_help("give the authority's certificate as `tls: { ca: file.pem }`")
        };
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let config = match self {
            Self::Off => return Ok(None),
            Self::Machine => builder
                .with_platform_verifier()
                .map_err(unusable)?
                .with_no_client_auth(),
            Self::Authorities(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(pem).flatten() {
                    roots.add(certificate).map_err(unusable)?;
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
            Self::Blind | Self::Fingerprint(_) => {
                let pinned = match self {
                    Self::Fingerprint(pinned) => Some(*pinned),
                    _ => None,
                };
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(Pinned { pinned, provider }))
                    .with_no_client_auth()
            }
        };
        Ok(Some(config))
    }
}

/// Believes one certificate, or, if the settings ask for it in so many words, any.
#[derive(Debug)]
struct Pinned {
    pinned: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found: [u8; 32] = Sha256::digest(end_entity).into();
        match self.pinned {
            Some(pinned) if pinned != found => {
                let hex: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
                Err(rustls::Error::General(format!(
                    "the server's certificate has the fingerprint {hex}, not the one in the settings"
                )))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
