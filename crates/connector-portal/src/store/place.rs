//! The address of files in a store: which service, where in it, and which files.

use sectorlake_connector::{MemberPattern, SettingsError};

/// What speaks at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Gcs,
    Azure,
    WebDav { is_encrypted: bool },
    Ftp { is_encrypted: bool },
    Sftp,
    Drive,
}

impl Service {
    fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "s3" => Self::S3,
            "gs" => Self::Gcs,
            "az" => Self::Azure,
            "webdav" | "dav" => Self::WebDav {
                is_encrypted: false,
            },
            "webdavs" | "davs" => Self::WebDav { is_encrypted: true },
            "ftp" => Self::Ftp {
                is_encrypted: false,
            },
            "ftps" => Self::Ftp { is_encrypted: true },
            "sftp" => Self::Sftp,
            "file" => Self::Drive,
            _ => return None,
        })
    }

    /// Whether its first name is a bucket (or container), not a host.
    pub(crate) fn has_buckets(self) -> bool {
        matches!(self, Self::S3 | Self::Gcs | Self::Azure)
    }
}

/// Where files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) service: Service,
    /// As written.
    pub(crate) scheme: String,
    /// Bucket, container or host.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    /// The files: without a slash before them.
    pub(crate) path: String,
}

const HELP: &str = "write s3://bucket/folder/*.csv, gs://bucket/…, az://container/…, webdavs://host/…, ftps://host/…, \
    sftp://user@host/folder/*.csv or file:///mnt/drive/*.csv; for http:// and https:// use `connector: http`";

impl Place {
    /// The place that `url:` names. Its path stands as the files are named: nothing in it is encoded.
    pub(crate) fn of(url: &str) -> Result<Self, SettingsError> {
        let wrong = |message: &str| Err(SettingsError::of_key("url", message).with_help(HELP));
        let url = url.trim();
        let Some((scheme, rest)) = url.split_once("://") else {
            return wrong("is no address of a store");
        };
        let scheme = scheme.to_ascii_lowercase();
        let Some(service) = Service::of(&scheme) else {
            return wrong(&format!("{scheme}:// is not fetched here"));
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            let help = "leave it out there and write `password: ${env:PASSWORD}` under `source:`";
            return Err(SettingsError::of_key("url", "holds a password").with_help(help));
        }
        let (host, port) = match host.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (host, None),
        };
        let port = match port.map(str::parse::<u16>) {
            Some(Err(_)) => return wrong("names a port that is none"),
            port => port.and_then(Result::ok),
        };
        if host.is_empty() != (service == Service::Drive) {
            return wrong(match service {
                Service::Drive => "names a host, but a drive has none: file:/// has three slashes",
                service if service.has_buckets() => "names no bucket",
                _ => "names no host",
            });
        }
        if service.has_buckets() && (user.is_some() || port.is_some()) {
            return wrong("names a user or a port, but a bucket has none");
        }
        if path.split('/').any(|step| matches!(step, "." | "..")) {
            return wrong("holds a step `.` or `..`");
        }
        let path = path.trim_start_matches('/').to_owned();
        for step in path.split('/').filter(|step| is_pattern(step)) {
            if let Err(error) = MemberPattern::new(step) {
                let wrong = SettingsError::of_key("url", error.message);
                return Err(error.help.into_iter().fold(wrong, SettingsError::with_help));
            }
        }
        Ok(Self {
            service,
            scheme,
            host: host.to_owned(),
            port,
            user: user.filter(|user| !user.is_empty()).map(str::to_owned),
            path,
        })
    }

    /// For messages and keys: no user.
    pub(crate) fn root(&self) -> String {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{}{port}", self.scheme, self.host)
    }

    /// The address of a file or folder there.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.root())
    }

    /// What a stream of these files may be called: the last name that is no pattern.
    pub(crate) fn stem(&self) -> String {
        let mut steps = self.path.rsplit('/');
        let plain = steps.find(|step| !step.is_empty() && !is_pattern(step));
        let name = plain.unwrap_or(&self.host);
        match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() && plain.is_some() => stem.to_owned(),
            _ => name.to_owned(),
        }
    }
}

/// Whether a step of a path means several names.
pub(crate) fn is_pattern(step: &str) -> bool {
    step.contains(['*', '?', '['])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_of_every_service() {
        let said: Vec<String> = [
            "s3://bucket/a/*.csv",
            "S3://bucket",
            "gs://b/x.csv",
            "az://c/2024/**/*.csv",
            "webdavs://dav.example/sở/điểm thi.xlsx",
            "ftp://ftp.example:2121/pub/",
            "sftp://agency@[::1]:22/~/out/*.csv",
            "file:///mnt/drive/*.csv",
        ]
        .iter()
        .map(|url| {
            let place = Place::of(url).unwrap();
            format!(
                "{url}: {:?} {} {} ({})",
                place.service,
                place.root(),
                place.path,
                place.stem()
            )
        })
        .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn what_is_no_address_is_told_without_its_password() {
        let said: Vec<String> = [
            "data/*.csv",
            "https://example.org/a.csv",
            "sftp://u:s3cr3t@host/a.csv",
            "sftp:///a.csv",
            "sftp://host:ssh/a.csv",
            "s3:///a.csv",
            "s3://key@bucket/a.csv",
            "file://host/a.csv",
            "sftp://host/../etc/passwd",
            "s3://bucket/[a/*.csv",
        ]
        .iter()
        .map(|url| {
            let error = Place::of(url).unwrap_err();
            format!("{error} / {}", error.help.as_deref().unwrap_or("-"))
        })
        .collect();
        assert!(!said.join("\n").contains("s3cr3t"));
        insta::assert_snapshot!(said.join("\n"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(s3|sftp|ftp|file|az)://.{0,30}|.{0,30}") {
            if let Ok(place) = Place::of(&text) {
                prop_assert!(!place.path.starts_with('/'));
                prop_assert!(place.address("a").starts_with(&place.root()));
            }
        }
    }
}
