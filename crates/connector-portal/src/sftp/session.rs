//! Into a server: the connection, its key, the user.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client::{self, AuthResult, Handle};
use russh::keys::{PrivateKeyWithHashAlg, decode_secret_key};
use russh_sftp::client::SftpSession;
use sectorlake_connector::{ConnectorError, ErrorKind, Http, Secret};

use super::host_key::{Gatekeeper, Known};
use crate::store::{Access, Place};

/// Where SSH listens.
const PORT: u16 = 22;

/// A silent server is asked whether it is still there after this time.
const ALIVE_SECONDS: u64 = 15;

/// An open session.
pub(super) struct Session {
    pub(super) files: SftpSession,
    /// The connection ends with its handle.
    _ssh: Handle<Gatekeeper>,
}

/// How a server is entered.
pub(super) struct Login {
    http: Http,
    known: Known,
    user: String,
    password: Option<Secret>,
    private_key: Option<Secret>,
    passphrase: Option<Secret>,
}

impl Login {
    pub(super) fn new(place: &Place, access: &Access, http: &Http) -> Self {
        let host = place.host.trim_start_matches('[').trim_end_matches(']');
        Self {
            http: http.clone(),
            known: Known {
                host: host.to_owned(),
                port: place.port.unwrap_or(PORT),
                fingerprint: access.host_key.clone(),
                file: access.known_hosts.clone(),
            },
            user: access.user.clone().unwrap_or_default(),
            password: access.password.clone(),
            private_key: access.private_key.clone(),
            passphrase: access.passphrase.clone(),
        }
    }

    /// A session in which files can be asked for.
    ///
    /// # Errors
    /// [`ConnectorError`] without any secret.
    pub(super) async fn open(&self) -> Result<Session, ConnectorError> {
        let limits = self.http.limits();
        let time = limits.connect_timeout.saturating_add(limits.idle_timeout);
        match tokio::time::timeout(time, self.opened()).await {
            Ok(opened) => opened,
            Err(_) => Err(ConnectorError::new(
                ErrorKind::Timeout,
                "no session in time",
            )),
        }
    }

    async fn opened(&self) -> Result<Session, ConnectorError> {
        let idle = self.http.limits().idle_timeout;
        let stream = self.http.connect(&self.known.host, self.known.port).await?;
        let config = client::Config {
            inactivity_timeout: None,
            keepalive_interval: Some(Duration::from_secs(ALIVE_SECONDS)),
            nodelay: true,
            ..client::Config::default()
        };
        let refused = Arc::new(Mutex::new(None));
        let gatekeeper = Gatekeeper {
            known: self.known.clone(),
            refused: Arc::clone(&refused),
        };
        let connected = client::connect_stream(Arc::new(config), stream, gatekeeper).await;
        let mut ssh = connected.map_err(|error| {
            let refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
            refused.clone().unwrap_or_else(|| of_ssh(&error))
        })?;
        self.authenticate(&mut ssh).await?;
        let channel = ssh.channel_open_session().await.map_err(|it| of_ssh(&it))?;
        let subsystem = channel.request_subsystem(true, "sftp").await;
        subsystem.map_err(|error| of_ssh(&error))?;
        let session = SftpSession::new(channel.into_stream()).await;
        let session = session.map_err(|_| {
            ConnectorError::new(ErrorKind::Refused, "the server speaks SSH, but no SFTP")
                .with_help("ask whoever runs the server to allow this user SFTP")
        })?;
        session.set_timeout(idle.as_secs().max(1));
        Ok(Session {
            files: session,
            _ssh: ssh,
        })
    }

    async fn authenticate(&self, ssh: &mut Handle<Gatekeeper>) -> Result<(), ConnectorError> {
        let (answer, tried) = match (&self.private_key, &self.password) {
            (Some(key), _) => (self.by_key(ssh, key).await?, "key"),
            (None, Some(password)) => {
                let answer = ssh.authenticate_password(&self.user, password.expose());
                (answer.await.map_err(|error| of_ssh(&error))?, "password")
            }
            (None, None) => {
                let answer = ssh.authenticate_none(&self.user);
                (answer.await.map_err(|error| of_ssh(&error))?, "")
            }
        };
        let AuthResult::Failure {
            remaining_methods, ..
        } = answer
        else {
            return Ok(());
        };
        let ways: Vec<String> = remaining_methods
            .iter()
            .map(|way| String::from(<&'static str>::from(way)))
            .collect();
        let ways = ways.join(", ");
        let (message, help) = match tried {
            "" => (
                "the server wants to know who asks".to_owned(),
                "write `password: ${env:PASSWORD}` or `private_key: ${file:id_ed25519}` under `source:`".to_owned(),
            ),
            tried => (
                format!("the server does not take this {tried} for this user"),
                format!("check `user:` and the {tried}; the server takes: {ways}"),
            ),
        };
        Err(ConnectorError::new(ErrorKind::Forbidden, message).with_help(help))
    }

    async fn by_key(
        &self,
        ssh: &mut Handle<Gatekeeper>,
        key: &Secret,
    ) -> Result<AuthResult, ConnectorError> {
        let passphrase = self.passphrase.as_ref().map(Secret::expose);
        let key = decode_secret_key(key.expose(), passphrase).map_err(|_| {
            let message = "the private key cannot be read";
            ConnectorError::new(ErrorKind::Invalid, message).with_help(
                "give a private key in OpenSSH's or PEM format, as `${file:id_ed25519}`, and its `passphrase:` if it is locked",
            )
        })?;
        let hash = ssh.best_supported_rsa_hash().await;
        let hash = hash.map_err(|error| of_ssh(&error))?.flatten();
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        ssh.authenticate_publickey(&self.user, key)
            .await
            .map_err(|error| of_ssh(&error))
    }
}

fn of_ssh(error: &russh::Error) -> ConnectorError {
    match error {
        russh::Error::NoCommonAlgo { .. } => ConnectorError::new(
            ErrorKind::Untrusted,
            format!("the server and we share no safe way to speak: {error}"),
        )
        .with_help("ask whoever runs the server to bring its SSH up to date"),
        russh::Error::Version => {
            ConnectorError::new(ErrorKind::Refused, "what answers there does not speak SSH")
                .with_help("check the host and the port")
        }
        _ => ConnectorError::new(
            ErrorKind::Unreachable,
            format!("the connection broke: {error}"),
        )
        .with_help("check the host, the port and this machine's network"),
    }
}
