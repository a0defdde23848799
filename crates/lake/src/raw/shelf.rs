//! What this process knows of one pipeline's raw parts: the manifests, and those still on their way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::Manifest;
use crate::error::LakeError;
use crate::layout::{self, Access};
use crate::store::LakeStore;
use crate::store::files::{self, PutOutcome};

/// How many manifests are read at once.
const READS_AT_ONCE: usize = 16;

/// The state that all zones of one pipeline share.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(super) known: Mutex<Known>,
    /// Manifests that wait for their part's sync.
    jobs: Mutex<JoinSet<Result<(), LakeError>>>,
}

/// Manifests by where they are stored.
#[derive(Debug, Default)]
pub(super) struct Known {
    loaded: bool,
    stored: HashMap<Path, Manifest>,
    /// By the part's path: those whose manifest is not stored yet.
    coming: BTreeMap<String, Manifest>,
}

impl Known {
    pub(super) fn all(&self) -> impl Iterator<Item = &Manifest> {
        self.stored.values().chain(self.coming.values())
    }

    /// The newest version of a thing that was fetched.
    pub(super) fn newest(
        &self,
        (unit, partition): (&str, Option<&str>),
        key: &str,
    ) -> Option<&Manifest> {
        let is_of = |manifest: &&Manifest| {
            manifest.unit == unit && manifest.partition.as_deref() == partition
        };
        self.all()
            .filter(is_of)
            .filter(|manifest| manifest.key == key)
            .max_by_key(|manifest| manifest.sequence)
    }

    fn next_sequence(&self) -> u64 {
        self.all()
            .map(|manifest| manifest.sequence)
            .max()
            .unwrap_or(0)
            + 1
    }

    /// The number of the last fetch or check.
    pub(super) fn last_check(&self) -> u64 {
        self.all()
            .map(|manifest| manifest.checked_sequence)
            .max()
            .unwrap_or(0)
    }

    /// Gives a part its numbers and notes it as coming.
    pub(super) fn announce(&mut self, manifest: &mut Manifest) {
        manifest.sequence = self.next_sequence();
        manifest.checked_sequence = self.last_check() + 1;
        self.coming.insert(manifest.path.clone(), manifest.clone());
    }

    /// Where the manifest of this number and part is stored.
    pub(super) fn place(&self, manifest: &Manifest) -> Option<Path> {
        let same = |(_, stored): &(&Path, &Manifest)| stored.path == manifest.path;
        self.stored
            .iter()
            .find(same)
            .map(|(place, _)| place.clone())
    }

    /// Whether a part's manifest is still on its way.
    pub(super) fn is_coming(&self, manifest: &Manifest) -> bool {
        self.coming.contains_key(&manifest.path)
    }

    /// Notes a manifest as stored; gives the one that it takes the place of.
    pub(super) fn store(&mut self, place: Path, manifest: Manifest) -> Option<Manifest> {
        self.coming.remove(&manifest.path);
        self.stored.insert(place, manifest)
    }

    /// Reads the manifests that are new in the storage and forgets those that are gone.
    pub(super) async fn refresh(
        &mut self,
        store: &dyn ObjectStore,
        pipeline: &str,
    ) -> Result<(), LakeError> {
        let mut there = Vec::new();
        for access in Access::ALL {
            let folder = layout::manifests(pipeline, access);
            let listing = store.list(Some(&folder)).map_ok(|object| object.location);
            let places: Vec<Path> = listing
                .try_filter(|place| std::future::ready(layout::number_of(place).is_some()))
                .try_collect()
                .await
                .map_err(|error| LakeError::store("list", &folder, error))?;
            there.extend(places);
        }
        let mut before = std::mem::take(&mut self.stored);
        let (known, new): (Vec<Path>, Vec<Path>) = there
            .into_iter()
            .partition(|place| before.contains_key(place));
        self.stored = known
            .into_iter()
            .filter_map(|place| before.remove(&place).map(|manifest| (place, manifest)))
            .collect();
        let read: Vec<Option<(Path, Manifest)>> = stream::iter(new)
            .map(|place| read(store, place))
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        self.stored.extend(read.into_iter().flatten());
        self.loaded = true;
        Ok(())
    }

    pub(super) async fn load_once(
        &mut self,
        store: &dyn ObjectStore,
        pipeline: &str,
    ) -> Result<(), LakeError> {
        if self.loaded {
            Ok(())
        } else {
            self.refresh(store, pipeline).await
        }
    }
}

impl Shelf {
    /// Stores the manifest of an announced part as soon as the part's bytes are on the disk for good.
    pub(super) async fn store_later(
        self: &Arc<Self>,
        store: LakeStore,
        access: Access,
        manifest: Manifest,
    ) {
        // Held weakly: the jobs end with the shelf that waits for them.
        let shelf = Arc::downgrade(self);
        self.jobs.lock().await.spawn(async move {
            let path = layout::stored(&manifest.path)?;
            let stored = store_manifest(&store, access, &path, manifest).await;
            let Some(shelf) = shelf.upgrade() else {
                return stored.map(drop);
            };
            let mut known = shelf.known.lock().await;
            match stored {
                Ok((place, manifest)) => {
                    known.store(place, manifest);
                    Ok(())
                }
                Err(error) => {
                    known.coming.remove(path.as_ref());
                    Err(error)
                }
            }
        });
    }

    /// Waits for all manifests on their way; tells the first fault.
    pub(super) async fn flush(&self) -> Result<(), LakeError> {
        let mut jobs = self.jobs.lock().await;
        let mut first = Ok(());
        while let Some(done) = jobs.join_next().await {
            let outcome = done.unwrap_or_else(|_| {
                let path = "a manifest".to_owned();
                Err(LakeError::Cancelled {
                    action: "write",
                    path,
                })
            });
            first = first.and(outcome);
        }
        first
    }
}

/// Waits for the bytes, then puts the manifest under its number, or the next that is free.
async fn store_manifest(
    store: &LakeStore,
    access: Access,
    path: &Path,
    mut manifest: Manifest,
) -> Result<(Path, Manifest), LakeError> {
    store.sync(path).await?;
    let objects = store.objects();
    // Another run that took this one for dead may have removed the part as a leftover.
    let meta = objects
        .head(path)
        .await
        .map_err(|error| LakeError::store("find", path, error))?;
    if meta.size != manifest.size {
        let detail = format!("it has {} bytes, {} were written", meta.size, manifest.size);
        return Err(LakeError::corrupt(path, detail));
    }
    loop {
        let place = layout::manifest(&manifest.pipeline, access, manifest.sequence);
        let bytes = files::to_json(&place, &manifest)?;
        match files::put_if_absent(objects.as_ref(), &place, bytes).await? {
            PutOutcome::Written => return Ok((place, manifest)),
            // A run that took this one for dead fetches too.
            PutOutcome::Exists => manifest.sequence += 1,
        }
    }
}

/// One manifest; none where it vanished meanwhile.
async fn read(store: &dyn ObjectStore, place: Path) -> Result<Option<(Path, Manifest)>, LakeError> {
    let Some(bytes) = files::get(store, &place).await? else {
        return Ok(None);
    };
    let manifest: Manifest = files::from_json(&place, &bytes)?;
    layout::stored(&manifest.path)?;
    Ok(Some((place, manifest)))
}
