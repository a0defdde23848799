//! The verifiers.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use sha2::{Digest, Sha256};

use super::issuer::missing;
use super::pins::Pins;

/// Why a certificate is refused, and what it hashes to, so that whoever trusts it all the same can write that down.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(in super::super) struct Refused {
    pub(in super::super) reason: Error,
    /// `sha256:` and the digits.
    pub(in super::super) fingerprint: String,
}

impl Refused {
    fn of(reason: Error, certificate: &CertificateDer<'_>) -> Error {
        let refused = Self {
            reason,
            fingerprint: fingerprint(certificate),
        };
        Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
    }

    /// The refusal behind an error of ours.
    pub(in super::super) fn in_error(error: &Error) -> Option<&Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(other)) => other.0.downcast_ref(),
            _ => None,
        }
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate);
    let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{}", digits.concat())
}

/// Another verifier, which is also shown the intermediates that were found for the host. Where it lacks one, that is noted.
#[derive(Debug)]
pub(super) struct Completing {
    pub(super) inner: Arc<dyn ServerCertVerifier>,
    pub(super) pins: Arc<Pins>,
}

impl ServerCertVerifier for Completing {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let host = server_name.to_str();
        let pinned = self.pins.of(&host);
        let chain: Vec<CertificateDer<'_>> = intermediates.iter().cloned().chain(pinned).collect();
        let verified =
            self.inner
                .verify_server_cert(end_entity, &chain, server_name, ocsp_response, now);
        if let Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) = &verified {
            self.pins.want(&host, missing(end_entity, &chain));
        }
        verified.map_err(|reason| Refused::of(reason, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Trusts the certificate of one digest and no other. That the server holds its key is verified as ever.
#[derive(Debug)]
pub(super) struct OneCertificate {
    pub(super) digest: [u8; 32],
    pub(super) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OneCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = Sha256::digest(end_entity);
        if found[..] == self.digest {
            return Ok(ServerCertVerified::assertion());
        }
        let reason = Error::General(format!(
            "the server's certificate has the fingerprint {}, not the one that is written",
            fingerprint(end_entity)
        ));
        Err(Refused::of(reason, end_entity))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Trusts nobody, as the system's authorities could not be read.
#[derive(Debug)]
pub(super) struct Unusable {
    pub(super) reason: String,
    pub(super) provider: Arc<CryptoProvider>,
}

impl Unusable {
    fn error<T>(&self) -> Result<T, Error> {
        Err(Error::General(format!(
            "this machine's certificate authorities cannot be read: {}",
            self.reason
        )))
    }
}

impl ServerCertVerifier for Unusable {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.error()
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.error()
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.error()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
