//! Buckets, WebDAV and FTP, through opendal.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use opendal::services::FtpConfig;
use opendal::{EntryMode, ErrorKind as Kind, HttpTransporter, Metadata, Operator};
use sectorlake_connector::{Body, ConnectorError, ErrorKind, Http};

use super::carrier::Carrier;
use super::refusal::Told;
use super::shelf::{Entry, Shelf};

/// A store that opendal speaks to.
pub(crate) struct Bucket {
    operator: Operator,
    told: Arc<Told>,
    /// A connection of its own for each file: opendal hands one on to the next with its data still open.
    each_file: Option<FtpConfig>,
}

impl Bucket {
    /// The store of an operator, which asks through `http`.
    pub(crate) fn new(operator: Operator, http: &Http, told: Told) -> Self {
        let transport = HttpTransporter::new(Carrier(http.clone()));
        let context = operator.base_context().with_http_transport(transport);
        Self {
            operator: operator.with_context(context),
            told: Arc::new(told),
            each_file: None,
        }
    }

    /// The same, which reads each file over a connection of its own.
    pub(crate) fn with_each_file(self, config: FtpConfig) -> Self {
        Self {
            each_file: Some(config),
            ..self
        }
    }
}

#[async_trait]
impl Shelf for Bucket {
    async fn list(
        &self,
        folder: &str,
    ) -> Result<BoxStream<'static, Result<Entry, ConnectorError>>, ConnectorError> {
        let folder = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let told = Arc::clone(&self.told);
        let mut lister = match self.operator.lister(&folder).await {
            Ok(lister) => lister,
            Err(error) if is_no_folder(&error, &told) => return Ok(stream::empty().boxed()),
            Err(error) => return Err(told.of(&error)),
        };
        // Most services are asked by the first entry only.
        let first = match lister.next().await {
            Some(Err(error)) if is_no_folder(&error, &told) => return Ok(stream::empty().boxed()),
            Some(Err(error)) => return Err(self.of_listing(&error)),
            first => first,
        };
        let entries = stream::iter(first).chain(lister);
        Ok(entries
            .map_err(move |error| told.of(&error))
            .try_filter_map(move |found| {
                let is_itself = found.path().trim_matches('/') == folder.trim_matches('/');
                let entry = (!is_itself).then(|| entry(found.path(), found.metadata()));
                async move { Ok(entry) }
            })
            .boxed())
    }

    async fn look(&self, path: &str) -> Result<Option<Entry>, ConnectorError> {
        match self.operator.stat(path).await {
            Ok(metadata) => Ok(Some(entry(path, &metadata))),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(self.told.of(&error)),
        }
    }

    async fn read(&self, entry: &Entry, from: u64) -> Result<Body, ConnectorError> {
        let told = Arc::clone(&self.told);
        let operator = match &self.each_file {
            Some(config) => Operator::from_config(config.clone()).map_err(|it| told.of(&it))?,
            None => self.operator.clone(),
        };
        let reader = operator.reader_with(&entry.path);
        let is_held = self.operator.info().capability().read_with_if_match;
        let reader = match &entry.etag {
            Some(etag) if is_held && !etag.starts_with("W/") => reader.if_match(etag),
            _ => reader,
        };
        let reader = reader.await.map_err(|error| told.of(&error))?;
        if entry.size == Some(from) {
            return Ok(stream::empty().boxed());
        }
        let body = match entry.size {
            Some(size) => reader.into_stream(from..size).await,
            None => reader.into_stream(from..).await,
        };
        let body = body.map_err(|error| told.of(&error))?;
        let chunks = body.map_err(move |error| told.of(&error));
        let chunks = chunks.map_ok(|buffer| {
            let pieces: Vec<Result<Bytes, ConnectorError>> = Iterator::map(buffer, Ok).collect();
            stream::iter(pieces)
        });
        Ok(chunks.try_flatten().boxed())
    }

    fn looks_before_reading(&self) -> bool {
        !self.operator.info().capability().read_with_if_match
    }
}

impl Bucket {
    fn of_listing(&self, error: &opendal::Error) -> ConnectorError {
        match error.kind() {
            Kind::NotFound => {
                let message = format!("there is no such bucket: {}", self.told.host);
                ConnectorError::new(ErrorKind::NotFound, message).with_help(
                    "check the name behind `://`, and `endpoint:`; names are as the store has them",
                )
            }
            _ => self.told.of(error),
        }
    }
}

/// A folder that is not there is an empty one; in a bucket there is always one, if the bucket is there.
fn is_no_folder(error: &opendal::Error, told: &Told) -> bool {
    matches!(error.kind(), Kind::NotFound | Kind::NotADirectory) && !told.service.has_buckets()
}

fn entry(path: &str, metadata: &Metadata) -> Entry {
    let is_folder = metadata.mode() == EntryMode::DIR || path.ends_with('/');
    let modified = metadata.last_modified().and_then(|time| {
        DateTime::<Utc>::from_timestamp_millis(time.into_inner().as_millisecond())
    });
    Entry {
        path: path.trim_end_matches('/').to_owned(),
        is_folder,
        size: (!is_folder).then(|| metadata.content_length()),
        etag: metadata.etag().map(str::to_owned),
        modified,
    }
}
