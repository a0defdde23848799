//! The settings of `store`: their doc comments are the reference that users read.

use schemars::JsonSchema;
use sectorlake_connector::{MakeContext, Secret, SecretSetting, SettingsError};
use serde::Deserialize;

use super::place::{Place, Service};

/// Settings of `store`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the files are: `s3://bucket/folder/*.csv`, `gs://bucket/…`, `az://container/…`, `webdav(s)://host/…`,
    /// `ftp(s)://host/…`, `sftp://user@host:port/folder/*.csv` (`sftp://host/~/folder` from the user's own folder), or
    /// `file:///mnt/drive/*.csv`. A file, a folder (with `/` at its end) or a glob: `*` and `?` stay within a folder, `**/` looks
    /// into the folders in it too. Names stand as they are, not percent-encoded. Each file is a part, in the order of names; one
    /// with the ETag, or the size and time, that it had is not read again; without an ETag one that changed shortly before it was
    /// read (FTP: within 13 hours, for its times are of an unknown zone) is read once more. An empty one among others is told and
    /// passed over.
    pub(super) url: String,
    /// The format. Left out: guessed from the content and the name.
    #[serde(default)]
    pub(super) format: Option<serde_json::Value>,
    /// Which member of a zip: a name, or a glob for all that match. Left out: what `from:` of a table names, else the only
    /// member.
    #[serde(default)]
    pub(super) member: Option<String>,
    /// Where the service is asked, for `s3`, `gs` and `az`: `https://minio.city.example`. Default: that of Amazon (in `region`),
    /// Google or Azure (of `account`).
    #[serde(default)]
    pub(super) endpoint: Option<String>,
    /// The region of an `s3` bucket. Default: us-east-1, which is what most others than Amazon take.
    #[serde(default)]
    pub(super) region: Option<String>,
    /// The name of the key of an `s3` bucket. Left out, with `secret_key`: the bucket is asked without a key, as public ones allow.
    #[serde(default)]
    pub(super) access_key: Option<SecretSetting>,
    /// The secret of `access_key`: `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    pub(super) secret_key: Option<SecretSetting>,
    /// The session token of a temporary `access_key`.
    #[serde(default)]
    pub(super) session_token: Option<SecretSetting>,
    /// The storage account of `az`.
    #[serde(default)]
    pub(super) account: Option<String>,
    /// The key of `account`: `${env:NAME}`. Left out, with `sas_token`: the container is asked without one, as public ones allow.
    #[serde(default)]
    pub(super) account_key: Option<SecretSetting>,
    /// A shared access signature of `az`, what stands behind the `?`: `${env:NAME}`.
    #[serde(default)]
    pub(super) sas_token: Option<SecretSetting>,
    /// The key file of a service account for `gs`, as JSON: `${file:service-account.json}`. Left out: the bucket is asked without
    /// a key, as public ones allow.
    #[serde(default)]
    pub(super) credential: Option<SecretSetting>,
    /// The user of `webdav`, `ftp` and `sftp`. Default: the one in `url`; for `ftp` `anonymous`.
    #[serde(default)]
    pub(super) user: Option<String>,
    /// The user's password: `${env:NAME}` or `${file:PATH}`.
    #[serde(default)]
    pub(super) password: Option<SecretSetting>,
    /// The user's private key for `sftp`, in OpenSSH's or PEM format: `${file:id_ed25519}`.
    #[serde(default)]
    pub(super) private_key: Option<SecretSetting>,
    /// What `private_key` is locked with, if it is.
    #[serde(default)]
    pub(super) passphrase: Option<SecretSetting>,
    /// The fingerprint of the `sftp` server's key, `SHA256:…` as `ssh-keygen -lf` prints it; ask whoever runs the server. No key
    /// is trusted on first sight: this or `known_hosts` must be there.
    #[serde(default)]
    pub(super) host_key: Option<String>,
    /// A file with the keys of `sftp` servers, as OpenSSH keeps it, absolute or relative to the project's folder.
    #[serde(default)]
    pub(super) known_hosts: Option<String>,
}

/// What the settings come to, its secrets among it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) access_key: Option<Secret>,
    pub(super) secret_key: Option<Secret>,
    pub(super) session_token: Option<Secret>,
    pub(super) account: Option<String>,
    pub(super) account_key: Option<Secret>,
    pub(super) sas_token: Option<Secret>,
    pub(super) credential: Option<Secret>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    pub(crate) private_key: Option<Secret>,
    pub(crate) passphrase: Option<Secret>,
    pub(crate) host_key: Option<String>,
    pub(crate) known_hosts: Option<std::path::PathBuf>,
}

impl Access {
    pub(super) fn of(
        settings: &Settings,
        place: &Place,
        context: &MakeContext,
    ) -> Result<Self, SettingsError> {
        fits(settings, place)?;
        let secret = |key: &str, setting: &Option<SecretSetting>| {
            setting
                .as_ref()
                .map(|setting| setting.resolve(key, context))
                .transpose()
        };
        let access = Self {
            endpoint: settings.endpoint.clone(),
            region: settings.region.clone(),
            access_key: secret("access_key", &settings.access_key)?,
            secret_key: secret("secret_key", &settings.secret_key)?,
            session_token: secret("session_token", &settings.session_token)?,
            account: settings.account.clone(),
            account_key: secret("account_key", &settings.account_key)?,
            sas_token: secret("sas_token", &settings.sas_token)?,
            credential: secret("credential", &settings.credential)?,
            user: settings.user.clone().or_else(|| place.user.clone()),
            password: secret("password", &settings.password)?,
            private_key: secret("private_key", &settings.private_key)?,
            passphrase: secret("passphrase", &settings.passphrase)?,
            host_key: settings.host_key.clone(),
            known_hosts: settings
                .known_hosts
                .as_ref()
                .map(|file| context.project_dir().join(file)),
        };
        access.is_whole(place)?;
        Ok(access)
    }

    fn is_whole(&self, place: &Place) -> Result<(), SettingsError> {
        let wrong = |key: &str, message: &str, help: &str| {
            Err(SettingsError::of_key(key, message).with_help(help))
        };
        if self.access_key.is_some() != self.secret_key.is_some() {
            let help = "write both, or neither for a public bucket";
            return wrong("access_key", "needs `secret_key`, and it this", help);
        }
        if let Some(endpoint) = &self.endpoint {
            let address = url::Url::parse(endpoint).ok();
            if !address.is_some_and(|it| matches!(it.scheme(), "http" | "https") && it.has_host()) {
                let help = "write https:// and the host, such as https://minio.city.example";
                return wrong("endpoint", "is no http:// or https:// address", help);
            }
        }
        match place.service {
            Service::Azure if self.account.is_none() => {
                Err(SettingsError::new(Vec::new(), "names no account")
                    .with_help("write `account:` with the name of the storage account"))
            }
            Service::Sftp if self.user.is_none() => {
                let help = "write sftp://user@host/…, or `user:` under `source:`";
                wrong("url", "names no user", help)
            }
            _ => Ok(()),
        }
    }

    /// All that must not be told.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let all = [
            &self.access_key,
            &self.secret_key,
            &self.session_token,
            &self.account_key,
            &self.sas_token,
            &self.credential,
            &self.password,
            &self.private_key,
            &self.passphrase,
        ];
        all.into_iter().flatten().cloned().collect()
    }
}

/// Whether the settings are those of the service.
fn fits(settings: &Settings, place: &Place) -> Result<(), SettingsError> {
    use Service::{Azure, Ftp, Gcs, S3, Sftp, WebDav};
    let service = place.service;
    let is_bucket = service.has_buckets();
    let (is_s3, is_azure, is_sftp) = (service == S3, service == Azure, service == Sftp);
    let has_user = matches!(service, WebDav { .. } | Ftp { .. } | Sftp);
    let keys = [
        ("endpoint", settings.endpoint.is_some(), is_bucket),
        ("region", settings.region.is_some(), is_s3),
        ("access_key", settings.access_key.is_some(), is_s3),
        ("secret_key", settings.secret_key.is_some(), is_s3),
        ("session_token", settings.session_token.is_some(), is_s3),
        ("account", settings.account.is_some(), is_azure),
        ("account_key", settings.account_key.is_some(), is_azure),
        ("sas_token", settings.sas_token.is_some(), is_azure),
        ("credential", settings.credential.is_some(), service == Gcs),
        ("user", settings.user.is_some(), has_user),
        ("password", settings.password.is_some(), has_user),
        ("private_key", settings.private_key.is_some(), is_sftp),
        ("passphrase", settings.passphrase.is_some(), is_sftp),
        ("host_key", settings.host_key.is_some(), is_sftp),
        ("known_hosts", settings.known_hosts.is_some(), is_sftp),
    ];
    match keys
        .into_iter()
        .find(|(_, is_there, fits)| *is_there && !fits)
    {
        None => Ok(()),
        Some((key, ..)) => {
            let message = format!("is no setting of {}://", place.scheme);
            let fitting = keys.iter().filter(|(_, _, fits)| *fits);
            let fitting: Vec<&str> = fitting.map(|(key, ..)| *key).collect();
            let help = match fitting.is_empty() {
                true => "leave it out".to_owned(),
                false => format!("leave it out, or write one of: {}", fitting.join(", ")),
            };
            Err(SettingsError::of_key(key, message).with_help(help))
        }
    }
}
