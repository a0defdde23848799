//! Checksums that come with an answer, or that the settings tell.
//!
//! Content-MD5 (RFC 1864), Digest (RFC 3230), Content-Digest and Repr-Digest (RFC 9530), `x-goog-hash` of Google Cloud Storage
//! and `x-amz-checksum-sha256` of S3. All of them are about the bytes as they are sent: nothing is unpacked on the way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256, Sha512};

use super::config::from_hex;

/// A checksum that the bytes must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checksum {
    algorithm: Algorithm,
    digest: Vec<u8>,
    /// Who says so: a header, or the setting.
    said_by: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha512,
    Sha256,
}

impl Algorithm {
    /// By the names that headers and people use.
    fn find(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "md5" => Some(Self::Md5),
            "sha-256" | "sha256" => Some(Self::Sha256),
            "sha-512" | "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Checksum {
    /// The setting `checksum:`.
    pub(super) fn of_setting(text: &str) -> Option<Self> {
        let (name, digits) = text.trim().split_once(':')?;
        let algorithm = Algorithm::find(name)?;
        let digest = from_hex(digits.trim())?;
        (digest.len() == algorithm.length()).then_some(Self {
            algorithm,
            digest,
            said_by: "`checksum:`",
        })
    }

    fn of_header(name: &str, digest: &str, said_by: &'static str) -> Option<Self> {
        let algorithm = Algorithm::find(name)?;
        let digest = STANDARD.decode(digest.trim().trim_matches(':')).ok()?;
        (digest.len() == algorithm.length()).then_some(Self {
            algorithm,
            digest,
            said_by,
        })
    }

    /// The strongest that the headers of a whole answer offer.
    fn offered(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| {
            let values = headers.get_all(name).iter();
            let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
            values.join(",")
        };
        let mut offered = vec![
            Self::of_header("md5", &text("content-md5"), "Content-MD5"),
            // Of a file sent in pieces it is the hash of hashes, `…-3`, which is no base64.
            Self::of_header(
                "sha256",
                &text("x-amz-checksum-sha256"),
                "x-amz-checksum-sha256",
            ),
        ];
        // A file that is kept packed and sent unpacked has the hash of what is kept.
        let is_unpacked = text("x-goog-stored-content-encoding").contains("gzip")
            && !headers.contains_key("content-encoding");
        let lists = [
            ("digest", "Digest"),
            ("content-digest", "Content-Digest"),
            ("repr-digest", "Repr-Digest"),
            ("x-goog-hash", "x-goog-hash"),
        ];
        for (header, said_by) in lists {
            if header == "x-goog-hash" && is_unpacked {
                continue;
            }
            offered.extend(text(header).split(',').map(|entry| {
                let (name, digest) = entry.split_once('=')?;
                Self::of_header(name, digest, said_by)
            }));
        }
        offered
            .into_iter()
            .flatten()
            .max_by_key(|offered| offered.algorithm)
    }
}

/// The checksums of one body, computed as it comes.
pub(super) struct Checks(Vec<(Checksum, Running)>);

enum Running {
    Md5(Md5),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Checks {
    pub(super) fn of(headers: &HeaderMap, setting: Option<&Checksum>) -> Self {
        let all = setting
            .cloned()
            .into_iter()
            .chain(Checksum::offered(headers));
        let running = all.map(|checksum| {
            let running = match checksum.algorithm {
                Algorithm::Md5 => Running::Md5(Md5::new()),
                Algorithm::Sha256 => Running::Sha256(Sha256::new()),
                Algorithm::Sha512 => Running::Sha512(Sha512::new()),
            };
            (checksum, running)
        });
        Self(running.collect())
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for (_, running) in &mut self.0 {
            match running {
                Running::Md5(hash) => hash.update(bytes),
                Running::Sha256(hash) => hash.update(bytes),
                Running::Sha512(hash) => hash.update(bytes),
            }
        }
    }

    /// Who tells another checksum than the bytes have.
    pub(super) fn finish(&mut self) -> Option<&'static str> {
        let mut wrong = self.0.drain(..).filter(|(checksum, running)| {
            let found = match running {
                Running::Md5(hash) => hash.clone().finalize().to_vec(),
                Running::Sha256(hash) => hash.clone().finalize().to_vec(),
                Running::Sha512(hash) => hash.clone().finalize().to_vec(),
            };
            found != checksum.digest
        });
        wrong.next().map(|(checksum, _)| checksum.said_by)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const MD5: &str = "XrY7u+Ae7tCTyyK7j1rNww==";
    const SHA256: &str = "uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=";
    const SHA512: &str =
        "MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+YndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6TrpzXbw==";

    /// Who tells another checksum than "hello world" has.
    fn wrong(headers: &[(&str, &str)], setting: Option<&str>) -> Option<&'static str> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::try_from(*name).unwrap(),
                    HeaderValue::try_from(*value).unwrap(),
                )
            })
            .collect();
        let setting = setting.map(|text| Checksum::of_setting(text).unwrap());
        let mut checks = Checks::of(&headers, setting.as_ref());
        checks.update(b"hello ");
        checks.update(b"world");
        checks.finish()
    }

    #[test]
    fn checksums_are_read_wherever_they_stand() {
        let digest = format!("MD5={MD5},SHA-256={SHA256}");
        let repr = format!("sha-512=:{SHA512}:");
        let goog = format!("crc32c=n03x6A==,md5={MD5}");
        for (name, value) in [
            ("content-md5", MD5),
            ("x-amz-checksum-sha256", SHA256),
            ("digest", &digest),
            ("content-digest", &repr),
            ("repr-digest", &repr),
            ("x-goog-hash", &goog),
        ] {
            assert_eq!(wrong(&[(name, value)], None), None, "{name}");
            // The same, of other bytes.
            let other = value.replace(MD5, "XrY7u+Ae7tCTyyK7j1rNwA==");
            let other = other.replace(SHA256, &SHA256.replace("uU0n", "uU0m"));
            let other = other.replace(SHA512, &SHA512.replace("MJ7M", "MJ7N"));
            let found = wrong(&[(name, &other)], None).map(str::to_ascii_lowercase);
            assert_eq!(found.as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_no_checksum_of_these_bytes_is_left_alone() {
        let of_kept = [
            ("x-goog-hash", "md5=AAAAAAAAAAAAAAAAAAAAAA=="),
            ("x-goog-stored-content-encoding", "gzip"),
        ];
        assert_eq!(wrong(&of_kept, None), None);
        let of_pieces = format!("{SHA256}-3");
        assert_eq!(wrong(&[("x-amz-checksum-sha256", &of_pieces)], None), None);
        for value in [
            "",
            "sha-256",
            "sha-256=:AAAA:",
            "unixsum=30637",
            "adler=\u{1f}=,,=:=",
        ] {
            if HeaderValue::try_from(value).is_ok() {
                assert_eq!(wrong(&[("repr-digest", value)], None), None, "{value}");
            }
        }
    }

    #[test]
    fn the_setting_counts_too() {
        let right = "sha256:b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
        assert_eq!(wrong(&[], Some(right)), None);
        let other = right.replace("b94d", "b94e");
        assert_eq!(wrong(&[], Some(&other)), Some("`checksum:`"));
        for text in ["sha256:b94d", "b94d", "crc:00", "sha256:zz", "md5:€"] {
            assert_eq!(Checksum::of_setting(text), None, "{text}");
        }
    }
}
