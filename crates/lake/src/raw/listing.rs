//! The files of manifests that the storage holds, as a listing shows them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::Manifest;
use crate::error::LakeError;
use crate::layout::{self, Access};
use crate::store::files;

/// What tells one content of a place from a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    e_tag: Option<String>,
    modified: DateTime<Utc>,
    size: u64,
}

pub(super) type Listing = BTreeMap<Path, Seen>;

/// Whether a file holds many manifests.
pub(super) fn is_pack(place: &Path) -> bool {
    layout::pack_digest(place).is_some()
}

pub(super) fn has_all<'p>(there: &Listing, mut places: impl Iterator<Item = &'p Path>) -> bool {
    places.all(|place| there.contains_key(place))
}

/// All files of manifests, behind both doors.
pub(super) async fn listing(store: &dyn ObjectStore, pipeline: &str) -> Result<Listing, LakeError> {
    let mut there = Listing::new();
    for access in Access::ALL {
        let folder = layout::manifests(pipeline, access);
        let mut objects = store.list(Some(&folder));
        let fault = |error| LakeError::store("list", &folder, error);
        while let Some(object) = objects.try_next().await.map_err(fault)? {
            if layout::number_of(&object.location).is_some() || is_pack(&object.location) {
                let (place, seen) = seen(object);
                there.insert(place, seen);
            }
        }
    }
    Ok(there)
}

fn seen(object: ObjectMeta) -> (Path, Seen) {
    let seen = Seen {
        e_tag: object.e_tag,
        modified: object.last_modified,
        size: object.size,
    };
    (object.location, seen)
}

/// A single manifest; none where it vanished meanwhile.
pub(super) async fn read(
    store: &dyn ObjectStore,
    place: &Path,
) -> Result<Option<Vec<Manifest>>, LakeError> {
    let Some(bytes) = files::get(store, place).await? else {
        return Ok(None);
    };
    let manifest: Manifest = files::from_json(place, &bytes)?;
    layout::stored(&manifest.path)?;
    Ok(Some(vec![manifest]))
}
