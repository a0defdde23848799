//! Syncs to the disk: of a file, of the folders that name it, and those still on their way.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path as FsPath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use object_store::path::Path;
use tokio::sync::Semaphore;

use super::LocalFault;

/// How many files may be waiting for their sync: each holds a file open.
const SYNCS_MAX: usize = 64;
/// How many folders are known as named: each run has some of its own, and a process may run for months. One that was forgotten is
/// synced once more.
const NAMED_MAX: usize = 1024;

type Outcome = Result<(), Arc<LocalFault>>;

/// The syncs of one lake folder.
#[derive(Debug)]
pub(super) struct Syncs {
    root: PathBuf,
    /// Files whose sync is under way or failed. A failed one stays until its file is deleted or written anew: whoever
    /// would name it must hear of it.
    pending: Mutex<HashMap<Path, Shared<BoxFuture<'static, Outcome>>>>,
    /// Folders whose own names are on the disk for good.
    named: Mutex<HashSet<PathBuf>>,
    slots: Arc<Semaphore>,
    /// Folders that someone syncs just now.
    folders: Mutex<HashMap<PathBuf, Arc<FolderSync>>>,
}

/// One folder's list of names: those who wait for its sync share the next one.
#[derive(Debug, Default)]
struct FolderSync {
    asked: AtomicU64,
    /// How many of those who asked are served.
    served: Mutex<u64>,
}

impl FolderSync {
    /// Syncs the names that are in the folder by now.
    fn sync(&self, folder: &FsPath) -> Result<(), LocalFault> {
        let own = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        if *served >= own {
            return Ok(());
        }
        // All who have asked by now have their names in it.
        let asked = self.asked.load(Ordering::SeqCst);
        sync_folder(folder)?;
        *served = asked;
        Ok(())
    }
}

impl Syncs {
    pub(super) fn new(root: PathBuf) -> Self {
        Self {
            named: Mutex::new(HashSet::from([root.clone()])),
            root,
            pending: Mutex::default(),
            slots: Arc::new(Semaphore::new(SYNCS_MAX)),
            folders: Mutex::default(),
        }
    }

    /// Begins to sync a file that is in place; waits only where too many are under way.
    pub(super) async fn begin(self: &Arc<Self>, location: &Path, path: PathBuf, file: File) {
        // The semaphore is never closed; were it, syncing without a slot would still be right.
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        let this = Arc::clone(self);
        let shown = path.clone();
        let sync = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            file.sync_all().map_err(|source| LocalFault {
                action: "sync",
                path: path.clone(),
                source,
            })?;
            this.sync_name(&path)
        });
        let outcome = async move {
            match sync.await {
                Ok(outcome) => outcome.map_err(Arc::new),
                Err(error) => Err(Arc::new(LocalFault {
                    action: "sync",
                    path: shown,
                    source: io::Error::other(error),
                })),
            }
        };
        self.lock_pending()
            .insert(location.clone(), outcome.boxed().shared());
    }

    /// Waits for the sync of one file, if one is under way.
    pub(super) async fn wait(&self, location: &Path) -> Outcome {
        let sync = self.lock_pending().get(location).cloned();
        match sync {
            Some(sync) => {
                let outcome = sync.clone().await;
                self.done(location, &sync, &outcome);
                outcome
            }
            None => Ok(()),
        }
    }

    /// Waits for all that were begun before; tells the first that failed.
    pub(super) async fn wait_all(&self) -> Result<(), (Path, Arc<LocalFault>)> {
        let all: Vec<Path> = self.lock_pending().keys().cloned().collect();
        let mut first = Ok(());
        for location in all {
            let outcome = self.wait(&location).await;
            if let (Err(fault), Ok(())) = (outcome, &first) {
                first = Err((location, fault));
            }
        }
        first
    }

    /// The file is gone: whether it was synced matters to nobody.
    pub(super) fn forget(&self, location: &Path) {
        self.lock_pending().remove(location);
    }

    #[cfg(test)]
    pub(super) fn is_pending(&self, location: &Path) -> bool {
        self.lock_pending().contains_key(location)
    }

    fn done(&self, location: &Path, sync: &Shared<BoxFuture<'static, Outcome>>, outcome: &Outcome) {
        let mut pending = self.lock_pending();
        // The file may have been written again meanwhile: that sync is another one.
        let same = pending.get(location).is_some_and(|now| now.ptr_eq(sync));
        if outcome.is_ok() && same {
            pending.remove(location);
        }
    }

    /// Syncs the folder that names `file`, and those above it whose names were never synced.
    pub(super) fn sync_name(&self, file: &FsPath) -> Result<(), LocalFault> {
        let Some(folder) = file.parent() else {
            return Ok(());
        };
        self.sync_shared(folder)?;
        let unnamed: Vec<&FsPath> = {
            let named = self.lock_named();
            folder
                .ancestors()
                .take_while(|folder| folder.starts_with(&self.root) && !named.contains(*folder))
                .collect()
        };
        // From the top, so that a folder only counts as named once all above it are.
        for folder in unnamed.into_iter().rev() {
            if let Some(parent) = folder.parent() {
                sync_folder(parent)?;
            }
            let mut named = self.lock_named();
            if named.len() >= NAMED_MAX {
                named.retain(|folder| *folder == self.root);
            }
            named.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Syncs a folder's names together with all who want the same just now.
    fn sync_shared(&self, folder: &FsPath) -> Result<(), LocalFault> {
        let shared = Arc::clone(self.lock_folders().entry(folder.to_owned()).or_default());
        let outcome = shared.sync(folder);
        let mut folders = self.lock_folders();
        drop(shared);
        // The last who wanted it: whoever comes now begins anew.
        if folders
            .get(folder)
            .is_some_and(|shared| Arc::strong_count(shared) == 1)
        {
            folders.remove(folder);
        }
        outcome
    }

    fn lock_folders(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, Arc<FolderSync>>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_pending(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<Path, Shared<BoxFuture<'static, Outcome>>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_named(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Syncs a folder's list of names.
fn sync_folder(folder: &FsPath) -> Result<(), LocalFault> {
    // Elsewhere a folder cannot be opened as a file, and its names are synced with the file.
    if !cfg!(unix) {
        return Ok(());
    }
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| LocalFault {
            action: "sync folder",
            path: folder.to_owned(),
            source,
        })
}

/// Makes a folder and those above it that are missing, durably.
pub(super) fn create_folder(folder: &FsPath) -> Result<(), LocalFault> {
    let missing: Vec<&FsPath> = folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    std::fs::create_dir_all(folder).map_err(|source| LocalFault {
        action: "create folder",
        path: folder.to_owned(),
        source,
    })?;
    missing
        .into_iter()
        .filter_map(FsPath::parent)
        .try_for_each(sync_folder)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[tokio::test]
    async fn a_failed_sync_is_told_until_its_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let syncs = Arc::new(Syncs::new(folder.path().to_owned()));
        let (good, bad) = (Path::from("good"), Path::from("bad"));
        let file = folder.path().join("file");
        syncs
            .begin(&good, file.clone(), File::create(&file).unwrap())
            .await;
        // The folder that should name it is not there: the sync of its name fails.
        let lost = folder.path().join("gone/file");
        syncs.begin(&bad, lost, File::open(&file).unwrap()).await;

        for _ in 0..2 {
            let (path, fault) = syncs.wait_all().await.unwrap_err();
            assert_eq!(path, bad);
            assert_eq!(fault.action, "sync folder");
        }
        syncs.wait(&good).await.unwrap();
        syncs.forget(&bad);
        syncs.wait_all().await.unwrap();
    }

    #[test]
    fn a_name_is_never_taken_for_synced_before_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let shared = FolderSync::default();
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| shared.sync(folder.path()).unwrap());
            }
        });
        assert_eq!(*shared.served.lock().unwrap(), 16);
        let gone = folder.path().join("gone");
        shared.sync(&gone).unwrap_err();
        shared.sync(&gone).unwrap_err();
        assert_eq!(
            *shared.served.lock().unwrap(),
            16,
            "a failed sync serves none"
        );
    }

    #[test]
    fn folders_that_were_synced_long_ago_are_not_held() {
        let folder = tempfile::tempdir().unwrap();
        let syncs = Syncs::new(folder.path().to_owned());
        std::thread::scope(|scope| {
            for part in 0..4 {
                let syncs = &syncs;
                scope.spawn(move || {
                    for run in 0..300 {
                        let own = folder_of(syncs, part, run);
                        syncs.sync_name(&own.join("file")).unwrap();
                    }
                });
            }
        });
        assert!(syncs.lock_folders().is_empty());
        let named = syncs.lock_named();
        assert!(named.len() <= NAMED_MAX && named.contains(&syncs.root));
    }

    fn folder_of(syncs: &Syncs, part: usize, run: usize) -> PathBuf {
        let own = syncs.root.join(format!("{part}-{run}"));
        std::fs::create_dir(&own).unwrap();
        own
    }

    #[test]
    fn missing_folders_are_made_and_made_again_without_harm() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        create_folder(&deep).unwrap();
        create_folder(&deep).unwrap();
        assert!(deep.is_dir());
        std::fs::write(folder.path().join("file"), "").unwrap();
        let fault = create_folder(&folder.path().join("file/b")).unwrap_err();
        assert_eq!(fault.action, "create folder");
    }
}
