//! Who issued a certificate, and where that issuer's own certificate lies.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::asn1_rs::Any;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::pins::Wanted;

/// Certificates of one answer that are looked at.
const CERTIFICATES_MAX: usize = 16;
/// Addresses of one certificate that are tried.
const ADDRESSES_MAX: usize = 4;

/// What the chain from `end_entity` over `others` lacks, if the last certificate of it says where that lies.
pub(super) fn missing(
    end_entity: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
) -> Option<Wanted> {
    let (_, mut last) = X509Certificate::from_der(end_entity).ok()?;
    let parsed = others
        .iter()
        .filter_map(|other| X509Certificate::from_der(other).ok());
    let mut others: Vec<X509Certificate<'_>> = parsed.map(|(_, other)| other).collect();
    while let Some(at) = others
        .iter()
        .position(|other| other.subject().as_raw() == last.issuer().as_raw())
    {
        last = others.swap_remove(at);
    }
    if last.subject().as_raw() == last.issuer().as_raw() {
        return None;
    }
    let addresses = addresses(&last);
    (!addresses.is_empty()).then(|| Wanted {
        subject: last.issuer().as_raw().to_vec(),
        name: last.issuer().to_string(),
        addresses,
    })
}

fn addresses(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut addresses = Vec::new();
    for extension in certificate.extensions() {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else {
            continue;
        };
        for description in access.iter() {
            if description.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS
                && let GeneralName::URI(address) = &description.access_location
                && address.starts_with("http://")
            {
                addresses.push((*address).to_owned());
            }
        }
    }
    addresses.truncate(ADDRESSES_MAX);
    addresses
}

/// The certificates in an answer: one as DER, some as PEM, or a PKCS #7 bundle (RFC 5652) as authorities also publish. The one
/// with that subject comes first; none if it is not there.
pub(in super::super) fn certificates(bytes: &[u8], subject: &[u8]) -> Vec<CertificateDer<'static>> {
    let found = match bytes.starts_with(b"-----BEGIN") {
        true => CertificateDer::pem_slice_iter(bytes)
            .take(CERTIFICATES_MAX)
            .filter_map(Result::ok)
            .collect(),
        false => bundle(bytes).unwrap_or_else(|| vec![CertificateDer::from(bytes.to_vec())]),
    };
    let is_wanted = |certificate: &CertificateDer<'_>| {
        X509Certificate::from_der(certificate)
            .is_ok_and(|(_, parsed)| parsed.subject().as_raw() == subject)
    };
    let (mut wanted, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_wanted);
    if !wanted.is_empty() {
        wanted.extend(others);
        wanted.truncate(CERTIFICATES_MAX);
    }
    wanted
}

/// The certificates of `SignedData`: they stand behind its version, its algorithms and its content, under the tag 0.
fn bundle(bytes: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let (_, outer) = Any::from_der(bytes).ok()?;
    let (content, kind) = Any::from_der(outer.data).ok()?;
    if kind.data != SIGNED_DATA {
        return None;
    }
    let (_, explicit) = Any::from_der(content).ok()?;
    let (_, signed) = Any::from_der(explicit.data).ok()?;
    let mut rest = signed.data;
    while !rest.is_empty() {
        let (after, field) = Any::from_der(rest).ok()?;
        if field.header.is_contextspecific() && field.header.tag().0 == 0 {
            return Some(each(field.data));
        }
        rest = after;
    }
    None
}

fn each(mut rest: &[u8]) -> Vec<CertificateDer<'static>> {
    let mut found = Vec::new();
    while found.len() < CERTIFICATES_MAX
        && let Ok((after, _)) = Any::from_der(rest)
        && after.len() < rest.len()
    {
        let one = &rest[..rest.len() - after.len()];
        found.push(CertificateDer::from(one.to_vec()));
        rest = after;
    }
    found
}
