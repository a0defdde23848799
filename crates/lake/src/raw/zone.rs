//! The raw parts of one pipeline.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use thiserror::Error;

use super::manifest::PartRecord;
use super::shelf::{store_checked, store_new};
use super::upload::{Uploaded, take_in};
use super::{Manifest, PartMeta, Shelf, Step};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout::{self, Access};

/// The longest file ending that a stored part keeps from its name.
const ENDING_BYTES_MAX: usize = 8;

/// Why a part was not stored.
#[derive(Debug, Error)]
pub enum PutError<E> {
    /// The lake's storage failed.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The source failed.
    #[error(transparent)]
    Body(E),
    /// The body did not end within its bound.
    #[error("the body has more than {bytes_max} bytes")]
    TooLarge {
        /// The bound.
        bytes_max: u64,
    },
}

/// The raw parts of one pipeline. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct RawZone {
    pub(super) lake: Lake,
    pub(super) pipeline: String,
    access: Access,
    partition: Option<String>,
    step: Option<Step>,
    pub(super) shelf: Arc<Shelf>,
}

impl RawZone {
    pub(crate) fn new(lake: Lake, pipeline: &str, access: Access, shelf: Arc<Shelf>) -> Self {
        Self {
            lake,
            pipeline: pipeline.to_owned(),
            access,
            partition: None,
            step: None,
            shelf,
        }
    }

    /// The same zone for parts of one partition of a unit: what is put or checked through it is told apart from the same keys
    /// of others.
    #[must_use]
    pub fn within(&self, partition: Option<&str>) -> Self {
        Self {
            partition: partition.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The same zone at one step of a unit's fetch: what is put or checked through it notes the step, so that a run that
    /// comes after a crash goes on from there (see [`Run::unpublished`](crate::Run::unpublished)).
    #[must_use]
    pub fn at(&self, step: Step) -> Self {
        Self {
            step: Some(step),
            ..self.clone()
        }
    }

    /// Stores a part: its bytes as they come, hashed on the way.
    ///
    /// Where the newest part of the same unit, partition and key has the same bytes, that one is kept and its check noted. Else the
    /// part can be read once this returns. Its sync, and its manifest or that of the check, go on behind it: [`Lake::flush`] waits
    /// for them, and a publisher must call it. Memory: a few pieces of 8 MiB.
    ///
    /// # Errors
    /// Where the body fails, has more than `bytes_max` bytes, or the storage fails; then nothing is kept.
    pub async fn put<E>(
        &self,
        run: &str,
        unit: &str,
        meta: PartMeta,
        body: impl Stream<Item = Result<Bytes, E>>,
        bytes_max: u64,
    ) -> Result<Manifest, PutError<E>> {
        let store = self.lake.store();
        let path = self.new_path(run, &meta.name);
        let coming = self.shelf.coming();
        let body = std::pin::pin!(body);
        let uploaded = take_in(store.as_ref(), &path, body, bytes_max).await?;
        if let Some(known) = self.same(unit, &meta.key, &uploaded).await? {
            uploaded.abort(&path).await?;
            coming.done();
            return Ok(self.note_check(known, meta).await?);
        }
        let now = self.lake.env().clock.now();
        let mut manifest = Manifest::from(PartRecord {
            sequence: 0,
            pipeline: self.pipeline.clone(),
            unit: unit.to_owned(),
            partition: self.partition.clone(),
            key: meta.key,
            name: meta.name,
            hash: uploaded.hash.clone(),
            size: uploaded.size,
            path: path.to_string(),
            run: run.to_owned(),
            fetched_at: now,
            checked_at: now,
            checked_sequence: 0,
            step: self.step.clone(),
            status: meta.status,
            headers: meta.headers.into(),
            etag: meta.etag,
            last_modified: meta.last_modified,
        });
        uploaded.complete(store.as_ref(), &path).await?;
        self.shelf.known.lock().await.announce(&mut manifest);
        let store = self.lake.lake_store().clone();
        let storing = store_new(store, self.access, manifest.clone());
        self.shelf.store_later(manifest.path.clone(), storing).await;
        coming.done();
        Ok(manifest)
    }

    /// Notes that the source says (304) that the newest part of this unit, partition and key is unchanged; none where there is no
    /// such part. The note goes on behind it, as that of [`RawZone::put`] does.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn checked(
        &self,
        unit: &str,
        key: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<Manifest>, LakeError> {
        let Some(known) = self.newest(unit, key).await? else {
            return Ok(None);
        };
        let mut manifest = self.arrived(known).await?;
        manifest.edit().checked_at = at;
        Ok(Some(self.store_again(manifest).await))
    }

    /// All manifests, oldest first, those whose sync is still under way among them.
    ///
    /// # Errors
    /// [`LakeError::Corrupt`] naming the manifest that is damaged; where the storage fails.
    pub async fn manifests(&self) -> Result<Vec<Manifest>, LakeError> {
        let mut known = self.shelf.known.lock().await;
        known
            .refresh(self.lake.store().as_ref(), &self.pipeline)
            .await?;
        Ok(known.sorted())
    }

    /// The number of the last fetch or check that this process knows of.
    pub(crate) async fn last_check(&self) -> Result<u64, LakeError> {
        let mut known = self.shelf.known.lock().await;
        let store = self.lake.store();
        known.load_once(store.as_ref(), &self.pipeline).await?;
        Ok(known.last_check())
    }

    /// Where a part's bytes lie: the store, the path in it, and how many they are.
    #[must_use]
    pub fn bytes(&self, manifest: &Manifest) -> (Arc<dyn ObjectStore>, Path, u64) {
        // A manifest's path was parsed when it was read or made.
        let path = layout::stored(&manifest.path).unwrap_or_default();
        (self.lake.store(), path, manifest.size)
    }

    /// Waits until every part put so far has its manifest, both on the disk for good.
    ///
    /// # Errors
    /// The first fault of them.
    pub async fn flush(&self) -> Result<(), LakeError> {
        self.shelf.flush().await
    }

    /// Removes what killed runs left: parts without a manifest, files half-written, manifests that packs hold as well. Only the run
    /// that holds the pipeline's lease may call it; its own files stay. A process looks through all parts once, and then only after
    /// it left something itself. Tells how many files went beside manifests.
    ///
    /// # Errors
    /// Where the storage fails or a manifest is damaged: then nothing is removed.
    pub async fn remove_leftovers(&self, run: &str) -> Result<usize, LakeError> {
        let removed = match self.shelf.is_swept() {
            true => self.manifests().await.map(|_| 0)?,
            false => self.remove_parts(run).await?,
        };
        self.remove_packed().await?;
        Ok(removed)
    }

    /// Removes parts without a manifest, and files half-written.
    ///
    /// # Errors
    /// As [`RawZone::remove_leftovers`].
    pub(crate) async fn remove_parts(&self, run: &str) -> Result<usize, LakeError> {
        let sweep = self.shelf.sweep_begins();
        let store = self.lake.store();
        let mut parts = Vec::new();
        for access in Access::ALL {
            let folder = layout::raw_parts(&self.pipeline, access);
            let listed = store.list(Some(&folder)).map_ok(|part| part.location);
            let listed: Vec<Path> = listed
                .try_collect()
                .await
                .map_err(|error| LakeError::store("list", &folder, error))?;
            parts.push((folder, listed));
        }
        // After the parts: what came meanwhile has its manifest among these.
        let kept = self.manifests().await?;
        let kept: HashSet<&str> = kept.iter().map(|manifest| manifest.path.as_str()).collect();
        let own = format!("{run}-");
        let mut removed = 0;
        for (folder, listed) in parts {
            let leftovers = listed.into_iter().filter(|part| {
                let is_own = part.filename().is_some_and(|name| name.starts_with(&own));
                !is_own && !kept.contains(part.as_ref())
            });
            removed += delete(store.as_ref(), leftovers.collect()).await?;
            let own_staged = format!("{folder}/{own}");
            let staged = self.lake.lake_store();
            removed += staged
                .sweep_staged(&folder, move |to, _| !to.starts_with(&own_staged))
                .await?;
        }
        sweep.done();
        Ok(removed)
    }

    /// The part's own ending is kept, for those who look into the folder.
    fn new_path(&self, run: &str, name: &str) -> Path {
        let ending = name
            .rsplit_once('.')
            .map(|(_, ending)| ending)
            .filter(|ending| {
                (1..=ENDING_BYTES_MAX).contains(&ending.len())
                    && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        let id = self.lake.env().ids.next();
        let file = match ending {
            Some(ending) => format!("{run}-{id}.{ending}"),
            None => format!("{run}-{id}"),
        };
        layout::raw_parts(&self.pipeline, self.access).join(file)
    }

    async fn newest(&self, unit: &str, key: &str) -> Result<Option<Manifest>, LakeError> {
        let mut known = self.shelf.known.lock().await;
        known
            .load_once(self.lake.store().as_ref(), &self.pipeline)
            .await?;
        let place = (unit, self.partition.as_deref());
        Ok(known.newest(place, key).cloned())
    }

    /// The newest part of this unit and key, if it has the same bytes and they are still there, behind the same door.
    async fn same(
        &self,
        unit: &str,
        key: &str,
        uploaded: &Uploaded,
    ) -> Result<Option<Manifest>, LakeError> {
        let Some(known) = self.newest(unit, key).await? else {
            return Ok(None);
        };
        let path = layout::stored(&known.path)?;
        if known.hash != uploaded.hash
            || !path.prefix_matches(&layout::raw_parts(&self.pipeline, self.access))
        {
            return Ok(None);
        }
        match self.lake.store().head(&path).await {
            Ok(meta) if meta.size == known.size => Ok(Some(known)),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(LakeError::store("find", &path, error)),
        }
    }

    async fn note_check(&self, known: Manifest, meta: PartMeta) -> Result<Manifest, LakeError> {
        let mut known = self.arrived(known).await?;
        known.check(meta, self.lake.env().clock.now());
        Ok(self.store_again(known).await)
    }

    /// A part whose manifest is stored; where that is still on its way, it may come under another number than it was given first.
    async fn arrived(&self, known: Manifest) -> Result<Manifest, LakeError> {
        if !self.shelf.known.lock().await.is_coming(&known) {
            return Ok(known);
        }
        self.flush().await?;
        let arrived = self.newest(&known.unit, &known.key).await?;
        Ok(arrived.unwrap_or(known))
    }

    /// Notes a check: its number is given at once, and its manifest written behind it.
    async fn store_again(&self, mut manifest: Manifest) -> Manifest {
        let mut known = self.shelf.known.lock().await;
        let record = manifest.edit();
        record.checked_sequence = known.last_check() + 1;
        record.step.clone_from(&self.step);
        let single = known.single(&manifest);
        known.expect(manifest.clone());
        drop(known);
        let store = self.lake.lake_store().clone();
        let storing = store_checked(store, self.access, manifest.clone(), single);
        self.shelf.store_later(manifest.path.clone(), storing).await;
        manifest
    }
}

/// Deletes files; one that is gone already counts for nothing.
pub(super) async fn delete(store: &dyn ObjectStore, paths: Vec<Path>) -> Result<usize, LakeError> {
    let mut deleted = store.delete_stream(stream::iter(paths).map(Ok).boxed());
    let mut count = 0;
    while let Some(outcome) = deleted.next().await {
        match outcome {
            Ok(_) => count += 1,
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => {
                return Err(LakeError::store("remove", &Path::default(), error));
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
