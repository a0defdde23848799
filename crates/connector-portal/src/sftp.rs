//! SFTP: files over SSH, from a server whose key is known.

mod host_key;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::DateTime;
use futures::stream::{BoxStream, try_unfold};
use futures::{StreamExt, stream};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, StatusCode};
use sectorlake_connector::{Body, ConnectorError, ErrorKind, Http};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::Mutex;

use crate::store::{Access, Entry, Place, Shelf};
use session::{Login, Session};

/// Size of one piece of a file.
const CHUNK_BYTES: usize = 256 << 10;

/// A server, and the session with it that was opened last.
pub(crate) struct Sftp {
    login: Login,
    session: Mutex<Option<Arc<Session>>>,
}

impl Sftp {
    pub(crate) fn new(place: &Place, access: &Access, http: &Http) -> Self {
        Self {
            login: Login::new(place, access, http),
            session: Mutex::new(None),
        }
    }

    async fn session(&self) -> Result<Arc<Session>, ConnectorError> {
        let mut open = self.session.lock().await;
        if let Some(session) = open.as_ref() {
            return Ok(Arc::clone(session));
        }
        let session = Arc::new(self.login.open().await?);
        *open = Some(Arc::clone(&session));
        Ok(session)
    }

    /// The error as the SDK tells it; a session that broke is not used again.
    async fn failed(&self, error: Error) -> ConnectorError {
        if !matches!(error, Error::Status(_)) {
            *self.session.lock().await = None;
        }
        told(&error)
    }
}

#[async_trait]
impl Shelf for Sftp {
    async fn list(
        &self,
        folder: &str,
    ) -> Result<BoxStream<'static, Result<Entry, ConnectorError>>, ConnectorError> {
        let session = self.session().await?;
        let found = match session.files.read_dir(on_server(folder)).await {
            Ok(found) => found,
            Err(error) if is_missing(&error) => return Ok(stream::empty().boxed()),
            Err(error) => return Err(self.failed(error).await),
        };
        let mut entries = Vec::new();
        for found in found {
            let path = match folder {
                "" => found.file_name(),
                folder => format!("{folder}/{}", found.file_name()),
            };
            let attributes = found.metadata();
            // What a link leads to counts; to a folder none is followed, for it may lead in a circle.
            let entry = match attributes.file_type().is_symlink() {
                true => self.look(&path).await?.filter(|entry| !entry.is_folder),
                false => entry(&path, &attributes),
            };
            entries.extend(entry.map(Ok));
        }
        Ok(stream::iter(entries).boxed())
    }

    async fn look(&self, path: &str) -> Result<Option<Entry>, ConnectorError> {
        let session = self.session().await?;
        match session.files.metadata(on_server(path)).await {
            Ok(attributes) => Ok(entry(path, &attributes)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.failed(error).await),
        }
    }

    async fn read(&self, entry: &Entry, from: u64) -> Result<Body, ConnectorError> {
        let session = self.session().await?;
        let mut file = match session.files.open(on_server(&entry.path)).await {
            Ok(file) => file,
            Err(error) => return Err(self.failed(error).await),
        };
        if from > 0 {
            let sought = file.seek(std::io::SeekFrom::Start(from)).await;
            sought.map_err(|error| broken(&error))?;
        }
        // The session lives as long as the file is read.
        let state = (file, session);
        let body = try_unfold(state, |(mut file, session)| async move {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let mut part = (&mut file).take(CHUNK_BYTES as u64);
            let read = part.read_to_end(&mut chunk).await;
            match read.map_err(|error| broken(&error))? {
                0 => Ok(None),
                _ => Ok(Some((Bytes::from(chunk), (file, session)))),
            }
        });
        Ok(body.boxed())
    }

    fn looks_before_reading(&self) -> bool {
        true
    }
}

/// The path as the server wants it: from the top, or from the user's own folder.
fn on_server(path: &str) -> String {
    match path {
        "~" => ".".to_owned(),
        path => match path.strip_prefix("~/") {
            Some(path) => path.to_owned(),
            None => format!("/{path}"),
        },
    }
}

/// Neither a device nor a pipe: these may have no end.
fn entry(path: &str, attributes: &FileAttributes) -> Option<Entry> {
    let kind = attributes.file_type();
    (kind.is_dir() || kind.is_file() || attributes.permissions.is_none()).then(|| Entry {
        path: path.to_owned(),
        is_folder: kind.is_dir(),
        size: attributes.size,
        etag: None,
        modified: attributes
            .mtime
            .and_then(|seconds| DateTime::from_timestamp(seconds.into(), 0)),
    })
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Status(status) if status.status_code == StatusCode::NoSuchFile)
}

fn told(error: &Error) -> ConnectorError {
    match error {
        Error::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => {
                ConnectorError::new(ErrorKind::NotFound, "there is no such file")
            }
            StatusCode::PermissionDenied => {
                ConnectorError::new(ErrorKind::Forbidden, "the user may not read it").with_help(
                    "ask whoever runs the server for the right to list the folder and to read its files",
                )
            }
            _ => {
                let said: String = status.error_message.chars().take(200).collect();
                ConnectorError::new(ErrorKind::Refused, format!("the server refuses: {said}"))
                    .with_help("ask whoever runs the server")
            }
        },
        Error::Timeout => ConnectorError::new(ErrorKind::Timeout, "no answer in time"),
        other => broken(other),
    }
}

fn broken(error: &dyn std::error::Error) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Truncated,
        format!("the connection broke: {error}"),
    )
    .with_help("run the pipeline again: files that were read are not read again")
}
