//! What this process knows of one pipeline's raw parts: the manifests, and those still on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::Manifest;
use super::known::Known;
use super::listing::read;
use crate::error::LakeError;
use crate::layout::{self, Access};
use crate::store::LakeStore;
use crate::store::files::{self, PutOutcome};

/// Manifests that are written at once: each holds a thread while the disk is waited for, and of ten thousand unchanged parts all
/// are on their way together.
const WRITTEN_AT_ONCE: usize = 64;

/// The state that all zones of one pipeline share.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(super) known: Mutex<Known>,
    /// Whether this process has looked through the parts for leftovers, and has left none since.
    is_swept: AtomicBool,
    /// Manifests on their way.
    jobs: Mutex<JoinSet<Result<(), LakeError>>>,
    writes: Arc<Semaphore>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            is_swept: AtomicBool::default(),
            jobs: Mutex::default(),
            writes: Arc::new(Semaphore::new(WRITTEN_AT_ONCE)),
        }
    }
}

/// A part on its way into its place. Dropped before that is over, as its fetch is given up, it leaves what has to be looked for.
pub(super) struct Coming<'a>(Option<&'a Shelf>);

impl Coming<'_> {
    /// It has come, or left nothing.
    pub(super) fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        if let Some(shelf) = self.0 {
            shelf.is_swept.store(false, Ordering::Release);
        }
    }
}

impl Shelf {
    /// A part is about to come.
    pub(super) fn coming(&self) -> Coming<'_> {
        Coming(Some(self))
    }

    pub(super) fn is_swept(&self) -> bool {
        self.is_swept.load(Ordering::Acquire)
    }

    /// The parts are looked through from now on: what is left behind meanwhile is for the next time.
    pub(super) fn sweep_begins(&self) -> Coming<'_> {
        self.is_swept.store(true, Ordering::Release);
        self.coming()
    }

    /// Stores the manifest of the part at `path`, which is noted as coming, behind whoever asks for it.
    pub(super) async fn store_later(
        self: &Arc<Self>,
        path: String,
        storing: impl Future<Output = Result<(Path, Manifest), LakeError>> + Send + 'static,
    ) {
        // Held weakly: the jobs end with the shelf that waits for them.
        let shelf = Arc::downgrade(self);
        let writes = Arc::clone(&self.writes);
        self.jobs.lock().await.spawn(async move {
            // The semaphore is never closed; were it, writing without a slot would still be right.
            let slot = writes.acquire_owned().await.ok();
            let stored = storing.await;
            drop(slot);
            let Some(shelf) = shelf.upgrade() else {
                return stored.map(drop);
            };
            let coming = shelf.coming();
            let mut known = shelf.known.lock().await;
            match stored {
                Ok((place, manifest)) => {
                    known.store(place, manifest);
                    coming.done();
                    Ok(())
                }
                Err(error) => {
                    known.lose(&path);
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

/// Waits until a part's bytes are on the disk for good, then puts its manifest under its number, or the next that is free.
pub(super) async fn store_new(
    store: LakeStore,
    access: Access,
    mut manifest: Manifest,
) -> Result<(Path, Manifest), LakeError> {
    let path = &layout::stored(&manifest.path)?;
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
            PutOutcome::Exists => manifest.edit().sequence += 1,
        }
    }
}

/// Writes a manifest that was checked over itself, or alone where only a pack holds it.
pub(super) async fn store_checked(
    store: LakeStore,
    access: Access,
    manifest: Manifest,
    single: Option<Path>,
) -> Result<(Path, Manifest), LakeError> {
    let objects = store.objects();
    // A process that was taken for dead knows of a place that packs may have made free since, and that is another part's by now.
    if let Some(place) = single
        && holds(objects.as_ref(), &place, &manifest).await?
    {
        let bytes = files::to_json(&place, &manifest)?;
        let put = objects.put_opts(&place, bytes.into(), PutMode::Overwrite.into());
        put.await
            .map_err(|error| LakeError::store("write", &place, error))?;
        return Ok((place, manifest));
    }
    let mut number = manifest.sequence;
    loop {
        let place = layout::manifest(&manifest.pipeline, access, number);
        let bytes = files::to_json(&place, &manifest)?;
        match files::put_if_absent(objects.as_ref(), &place, bytes).await? {
            PutOutcome::Written => return Ok((place, manifest)),
            // The number of a part that is in a pack may have been given anew by a run that knew nothing of that pack.
            PutOutcome::Exists => number += 1,
        }
    }
}

/// Whether the manifest of the same part stands there.
async fn holds(
    store: &dyn ObjectStore,
    place: &Path,
    manifest: &Manifest,
) -> Result<bool, LakeError> {
    let stored = read(store, place).await?.unwrap_or_default();
    Ok(stored.iter().any(|stored| stored.path == manifest.path))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[tokio::test]
    async fn a_great_many_manifests_are_written_some_at_a_time() {
        let shelf = Arc::new(Shelf::default());
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        for index in 0..WRITTEN_AT_ONCE * 5 {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            let storing = async move {
                let running = now.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(running, Ordering::SeqCst);
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
                now.fetch_sub(1, Ordering::SeqCst);
                let path = "a".to_owned();
                Err(LakeError::Cancelled {
                    action: "write",
                    path,
                })
            };
            shelf.store_later(index.to_string(), storing).await;
        }
        // The first fault of them is told, and all are waited for.
        shelf.flush().await.unwrap_err();
        assert_eq!(most.load(Ordering::SeqCst), WRITTEN_AT_ONCE);
        assert_eq!(now.load(Ordering::SeqCst), 0);
    }
}
