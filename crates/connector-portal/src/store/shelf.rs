//! What every store can do, whatever it speaks: list a folder, look at a file, read it.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use sectorlake_connector::{Body, ConnectorError};

/// A store of files. Paths have no slash before them.
#[async_trait]
pub(crate) trait Shelf: Send + Sync {
    /// What lies in a folder, not what lies in folders in it; nothing where there is no such folder. `""` is the top.
    async fn list(
        &self,
        folder: &str,
    ) -> Result<BoxStream<'static, Result<Entry, ConnectorError>>, ConnectorError>;

    /// What there is of this name, if anything.
    async fn look(&self, path: &str) -> Result<Option<Entry>, ConnectorError>;

    /// The bytes of a file from `from` on, once: whoever reads asks again where they break off.
    async fn read(&self, entry: &Entry, from: u64) -> Result<Body, ConnectorError>;

    /// Whether [`Self::look`] tells more than a listing does: the listing may be old, and what is read is not held to it.
    fn looks_before_reading(&self) -> bool;
}

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) is_folder: bool,
    pub(crate) size: Option<u64>,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<DateTime<Utc>>,
}

impl Entry {
    /// The last step of its path.
    pub(crate) fn name(&self) -> &str {
        let path = self.path.trim_end_matches('/');
        path.rsplit('/').next().unwrap_or(path)
    }

    /// Whether both are the same version, as far as the store tells.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let (left, right) = (&self.etag, &other.etag);
        match (left, right) {
            (Some(left), Some(right)) => left == right,
            _ => self.size == other.size && self.modified == other.modified,
        }
    }
}
