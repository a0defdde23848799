//! The lake's storage: any object store, and a local folder that keeps what it was told.

mod closed;
mod dry;
mod durable;
pub(crate) mod files;
mod flush;
mod location;
mod staged;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::path::Path;
use thiserror::Error;

use crate::error::LakeError;

pub(crate) use dry::DryStore;
pub(crate) use durable::DurableStore;
pub(crate) use location::{create, open};

/// What went wrong with a file of a local folder.
#[derive(Debug, Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub(crate) struct LocalFault {
    /// What was tried.
    pub(crate) action: &'static str,
    /// The file.
    pub(crate) path: PathBuf,
    /// What the system said.
    pub(crate) source: std::io::Error,
}

impl From<LocalFault> for object_store::Error {
    fn from(fault: LocalFault) -> Self {
        let path = fault.path.display().to_string();
        match fault.source.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound {
                path,
                source: Box::new(fault),
            },
            std::io::ErrorKind::AlreadyExists => Self::AlreadyExists {
                path,
                source: Box::new(fault),
            },
            std::io::ErrorKind::PermissionDenied => Self::PermissionDenied {
                path,
                source: Box::new(fault),
            },
            _ => Self::Generic {
                store: "local folder",
                source: Box::new(fault),
            },
        }
    }
}

/// A store rooted at the lake, and what only a local folder needs: syncs, and sweeping after a crash.
#[derive(Clone)]
pub(crate) struct LakeStore {
    objects: Arc<dyn ObjectStore>,
    local: Option<Arc<DurableStore>>,
}

impl LakeStore {
    /// A store that is durable by itself.
    pub(crate) fn of(objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            objects,
            local: None,
        }
    }

    fn local_folder(store: DurableStore) -> Self {
        let store = Arc::new(store);
        Self {
            objects: Arc::clone(&store) as Arc<dyn ObjectStore>,
            local: Some(store),
        }
    }

    pub(crate) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.objects)
    }

    pub(crate) fn as_ref(&self) -> &dyn ObjectStore {
        self.objects.as_ref()
    }

    pub(crate) fn local(&self) -> Option<&DurableStore> {
        self.local.as_deref()
    }

    /// Waits until every file put so far is on the disk for good.
    pub(crate) async fn flush(&self) -> Result<(), LakeError> {
        match &self.local {
            Some(local) => local
                .flush()
                .await
                .map_err(|(path, error)| LakeError::store("sync", &path, error)),
            None => Ok(()),
        }
    }

    /// Waits until one file that was put is on the disk for good.
    pub(crate) async fn sync(&self, path: &Path) -> Result<(), LakeError> {
        match &self.local {
            Some(local) => local
                .sync(path)
                .await
                .map_err(|error| LakeError::store("sync", path, error)),
            None => Ok(()),
        }
    }

    /// Removes what a killed process left half-written under `prefix` where `dead` says so, given the path of the file
    /// it would have become and the time it was last written to. No listing shows such files.
    pub(crate) async fn sweep_staged(
        &self,
        prefix: &Path,
        dead: impl Fn(&str, DateTime<Utc>) -> bool + Send + 'static,
    ) -> Result<usize, LakeError> {
        match &self.local {
            Some(local) => local
                .sweep_staged(prefix, dead)
                .await
                .map_err(|error| LakeError::store("sweep", prefix, error)),
            None => Ok(0),
        }
    }
}

impl fmt::Debug for LakeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.objects)
    }
}
