//! Putting a snapshot's entries into the tables' logs: the publisher does it, and whoever comes after a crash again.

use object_store::ObjectStore;
use object_store::path::Path;

use crate::error::LakeError;
use crate::layout;
use crate::snapshot::{Snapshot, StagedEntry};
use crate::store::files::{self, PutOutcome};

/// Puts each entry of the snapshot, unchanged, into its table's log, if it is not there.
///
/// # Errors
/// [`LakeError::ForeignWriter`] where something else is there.
pub(crate) async fn roll_forward(
    store: &dyn ObjectStore,
    snapshot: &Snapshot,
) -> Result<(), LakeError> {
    for entry in &snapshot.entries {
        let place = layout::log_entry(&entry.table, entry.access, entry.version);
        if let Some(there) = files::get(store, &place).await? {
            check_same(entry, &place, &there)?;
            continue;
        }
        let bytes = staged_bytes(store, entry).await?;
        if files::put_if_absent(store, &place, bytes.to_vec()).await? == PutOutcome::Exists {
            let there = files::get(store, &place).await?.unwrap_or_default();
            check_same(entry, &place, &there)?;
        }
    }
    Ok(())
}

/// The bytes of a staged entry, which are what its snapshot says they are.
pub(super) async fn staged_bytes(
    store: &dyn ObjectStore,
    entry: &StagedEntry,
) -> Result<bytes::Bytes, LakeError> {
    let path = Path::from(entry.path.as_str());
    let Some(bytes) = files::get(store, &path).await? else {
        return Err(LakeError::corrupt(
            &path,
            "it is gone, though a snapshot names it",
        ));
    };
    if hash(&bytes) != entry.hash {
        return Err(LakeError::corrupt(
            &path,
            "its hash is not the one the snapshot names",
        ));
    }
    Ok(bytes)
}

pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn check_same(entry: &StagedEntry, place: &Path, there: &[u8]) -> Result<(), LakeError> {
    if hash(there) == entry.hash {
        return Ok(());
    }
    Err(LakeError::ForeignWriter {
        table: entry.table.clone(),
        version: entry.version,
        path: place.to_string(),
    })
}
