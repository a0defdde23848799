//! The bytes of a file: where they break off, they go on if the file is still the same.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::try_unfold;
use sectorlake_connector::{Body, ConnectorError, ErrorKind, Http};

use super::shelf::{Entry, Shelf};

/// After so many bytes the attempts count anew.
const PROGRESS_BYTES: u64 = 4 << 20;

/// A file on its way.
pub(crate) struct Reading {
    pub(crate) shelf: Arc<dyn Shelf>,
    pub(crate) http: Http,
    pub(crate) entry: Entry,
    /// As messages name it.
    pub(crate) place: String,
}

struct State {
    file: Reading,
    body: Body,
    given: u64,
    attempt: u32,
    broke_at: u64,
}

impl Reading {
    /// Opens the file.
    ///
    /// # Errors
    /// [`ConnectorError`] where it cannot be opened, or is too large.
    pub(crate) async fn open(self) -> Result<Body, ConnectorError> {
        let bound = self.http.limits().body_bytes_max;
        if self.entry.size.is_some_and(|size| size > bound) {
            return Err(too_large(bound).at(&self.place));
        }
        let mut attempt = 1;
        let body = loop {
            match self.shelf.read(&self.entry, 0).await {
                Ok(body) => break body,
                Err(error) => self.http.pause(error.at(&self.place), attempt).await?,
            }
            attempt += 1;
        };
        let state = State {
            file: self,
            body,
            given: 0,
            attempt,
            broke_at: 0,
        };
        Ok(try_unfold(state, |mut state| async move {
            let chunk = state.next().await?;
            Ok(chunk.map(|chunk| (chunk, state)))
        })
        .boxed())
    }

    async fn reopened(&self, from: u64) -> Result<Body, ConnectorError> {
        let now = self.shelf.look(&self.entry.path).await?;
        if now.is_none_or(|now| !now.is_same(&self.entry)) {
            return Err(self.changed());
        }
        self.shelf.read(&self.entry, from).await
    }

    fn changed(&self) -> ConnectorError {
        let error = ConnectorError::new(ErrorKind::Changed, "changed while it was read");
        // Whoever began to read must begin anew: the bytes given are of another version.
        error.lasting().at(&self.place).with_help(
            "run the pipeline again; whoever writes the file should write under another name and rename it",
        )
    }
}

impl State {
    async fn next(&mut self) -> Result<Option<Bytes>, ConnectorError> {
        let limits = self.file.http.limits().clone();
        loop {
            let next = tokio::time::timeout(limits.idle_timeout, self.body.next()).await;
            let error = match next {
                Ok(Some(Ok(chunk))) if chunk.is_empty() => continue,
                Ok(Some(Ok(chunk))) => {
                    self.given += chunk.len() as u64;
                    if self.given > limits.body_bytes_max {
                        return Err(too_large(limits.body_bytes_max).at(&self.file.place));
                    }
                    return Ok(Some(chunk));
                }
                Ok(None) => match self.file.entry.size {
                    Some(size) if self.given < size => ConnectorError::new(
                        ErrorKind::Truncated,
                        format!("ended after {} of {size} bytes", self.given),
                    ),
                    Some(size) if self.given > size => {
                        return Err(self.file.changed());
                    }
                    _ => return Ok(None),
                },
                Ok(Some(Err(error))) => error,
                Err(_) => ConnectorError::new(ErrorKind::Timeout, "no more bytes in time"),
            };
            self.go_on(error.at(&self.file.place)).await?;
        }
    }

    /// Opens the file again behind the bytes that were given.
    async fn go_on(&mut self, mut error: ConnectorError) -> Result<(), ConnectorError> {
        if self.given >= self.broke_at + PROGRESS_BYTES {
            self.attempt = 1;
        }
        self.broke_at = self.given;
        loop {
            self.file.http.pause(error, self.attempt).await?;
            self.attempt += 1;
            error = match self.file.reopened(self.given).await {
                Ok(body) => {
                    self.body = body;
                    return Ok(());
                }
                Err(error) => error.at(&self.file.place),
            };
        }
    }
}

fn too_large(bound: u64) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::TooLarge,
        format!("is larger than {bound} bytes, the bound"),
    )
    .with_help("if that is meant, write a larger `max_size:` under `source:`")
}
