//! The file that makes a folder a lake, and says which programs may work on it.

use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use crate::error::LakeError;
use crate::layout;
use crate::store::files;

/// The newest version of the format of lakes that this program reads and writes.
///
/// A lake is of the first one until it holds what programs of that time would misread: since 2 manifests may be in packs, and the
/// lists of states in pieces. One who knew nothing of packs would remove the parts in them as leftovers.
pub const FORMAT_VERSION: u64 = 2;

/// What `sectorlake.json` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Format {
    pub(crate) format_version: u64,
}

/// The format of a lake that is new.
pub(crate) const FIRST: Format = Format { format_version: 1 };

/// Keeps programs away from a lake that know nothing of packs and pieces; called before the first of them is there.
pub(crate) async fn raise(store: &dyn ObjectStore) -> Result<(), LakeError> {
    let path = layout::format();
    let Some(bytes) = files::get(store, &path).await? else {
        return Err(LakeError::corrupt(&path, "it is gone"));
    };
    let format: Format = files::from_json(&path, &bytes)?;
    if format.format_version >= FORMAT_VERSION {
        return Ok(());
    }
    let raised = Format {
        format_version: FORMAT_VERSION,
    };
    let bytes = files::to_json(&path, &raised)?;
    let put = store.put(&path, bytes.into()).await;
    put.map(drop)
        .map_err(|error| LakeError::store("write", &path, error))
}
