//! Whether a server is the one that is meant: by the fingerprint in the settings, or a file of known hosts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::Handler;
use russh::keys::known_hosts::known_host_keys_path;
use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};
use sectorlake_connector::{ConnectorError, ErrorKind};

/// The keys that are trusted.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) fingerprint: Option<String>,
    pub(super) file: Option<PathBuf>,
}

/// Looks at the server's key and keeps why it is refused.
pub(super) struct Gatekeeper {
    pub(super) known: Known,
    pub(super) refused: Arc<Mutex<Option<ConnectorError>>>,
}

impl Handler for Gatekeeper {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        let checked = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.known.check(key),
            PublicKeyOrCertificate::Certificate(certificate) => self
                .known
                .check(&PublicKey::from(certificate.public_key().clone())),
        };
        let is_known = checked.is_ok();
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = checked.err();
        Ok(is_known)
    }
}

impl Known {
    fn check(&self, key: &PublicKey) -> Result<(), ConnectorError> {
        let shown = key.fingerprint(HashAlg::Sha256).to_string();
        let refused = |message: String, help: String| {
            Err(ConnectorError::new(ErrorKind::Untrusted, message).with_help(help))
        };
        let ask = "ask whoever runs the server, not the network, whether this is its key";
        if let Some(wanted) = &self.fingerprint {
            let wanted = wanted.trim();
            return match wanted == shown.trim_end_matches('=') || wanted == shown {
                true => Ok(()),
                false => refused(
                    format!("the server shows another key: {shown}, not {wanted}"),
                    format!("somebody may stand between; {ask}, and write it as `host_key:` if so"),
                ),
            };
        }
        if let Some(file) = &self.file {
            let known = known_host_keys_path(&self.host, self.port, file);
            let known = known.map_err(|error| {
                let message = format!("{} cannot be read: {error}", file.display());
                ConnectorError::new(ErrorKind::Local, message)
                    .with_help("check `known_hosts:` and the file's permissions")
            })?;
            if known
                .iter()
                .any(|(_, known)| known.key_data() == key.key_data())
            {
                return Ok(());
            }
            let same_kind = known
                .iter()
                .find(|(_, it)| it.algorithm() == key.algorithm());
            if let Some((line, _)) = same_kind {
                let file = file.display();
                return refused(
                    format!("the server shows another key than {file} line {line} has: {shown}"),
                    format!("somebody may stand between; {ask}, and mend the line if so"),
                );
            }
        }
        refused(
            format!("the server's key is not known: {shown}"),
            format!("{ask}; if so, write `host_key: {shown}` under `source:`"),
        )
    }
}
