//! The lake's own small files: whole reads, put-if-absent, JSON.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::LakeError;

/// How a put-if-absent went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PutOutcome {
    /// The file is ours.
    Written,
    /// There was one already.
    Exists,
}

/// Puts a file where there is none yet.
pub(crate) async fn put_if_absent(
    store: &dyn ObjectStore,
    path: &Path,
    bytes: Vec<u8>,
) -> Result<PutOutcome, LakeError> {
    match store
        .put_opts(path, bytes.into(), PutMode::Create.into())
        .await
    {
        Ok(_) => Ok(PutOutcome::Written),
        Err(object_store::Error::AlreadyExists { .. }) => Ok(PutOutcome::Exists),
        Err(error) => Err(LakeError::store("write", path, error)),
    }
}

/// The whole of a small file; none where there is no such file.
pub(crate) async fn get(
    store: &dyn ObjectStore,
    path: &Path,
) -> Result<Option<bytes::Bytes>, LakeError> {
    let read = async { store.get(path).await?.bytes().await };
    match read.await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(LakeError::store("read", path, error)),
    }
}

/// The JSON text of one of the lake's own files, laid out for people.
pub(crate) fn to_json<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, LakeError> {
    serde_json::to_vec_pretty(value).map_err(|error| LakeError::corrupt(path, error))
}

/// What one of the lake's own files says.
pub(crate) fn from_json<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, LakeError> {
    serde_json::from_slice(bytes).map_err(|error| LakeError::corrupt(path, error))
}
