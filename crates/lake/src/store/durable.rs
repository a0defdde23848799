//! A local folder as an object store that keeps what it was told.
//!
//! object_store's own local store reads and lists for us, but it never syncs: after a power cut a file that was said to
//! be there may be empty. Here a file is written beside its place, synced as its path demands ([`layout::durability`])
//! and put in its place in one step. What is only named by a later publish is synced in the background, so that the disk
//! works while rows are parsed; [`DurableStore::flush`] waits for all of it.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::{Path as FsPath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};

use super::LocalFault;
use super::closed;
use super::flush::Syncs;
use super::staged::{StagedFile, destination_of};
use crate::error::LakeError;
use crate::layout::{self, Durability};

/// Names in an otherwise empty folder that do not make it someone else's: of the system's, or our own on their way.
const NAMES_OF_NO_ONE: [&str; 2] = ["lost+found", layout::FORMAT];

/// A lake's folder.
#[derive(Debug)]
pub(crate) struct DurableStore {
    folder: LocalFileSystem,
    root: PathBuf,
    pub(super) syncs: Arc<Syncs>,
}

impl DurableStore {
    /// The store of a folder that is there.
    pub(crate) fn new(folder: &FsPath) -> Result<Self> {
        let root = folder.canonicalize().map_err(|source| LocalFault {
            action: "open folder",
            path: folder.to_owned(),
            source,
        })?;
        let folder = LocalFileSystem::new_with_prefix(&root)?;
        Ok(Self {
            folder,
            syncs: Arc::new(Syncs::new(root.clone())),
            root,
        })
    }

    /// Waits until every file put before is on the disk for good; tells the first that is not.
    pub(crate) async fn flush(&self) -> Result<(), (Path, Error)> {
        self.syncs
            .wait_all()
            .await
            .map_err(|(path, fault)| (path, copy(&fault).into()))
    }

    /// The same for one file, which must be there.
    pub(crate) async fn sync(&self, location: &Path) -> Result<()> {
        self.syncs
            .wait(location)
            .await
            .map_err(|fault| copy(&fault).into())
    }

    /// A name in the folder that shows it is used for something else than a lake.
    pub(crate) fn first_name(&self) -> std::result::Result<Option<String>, LakeError> {
        let fault = |source| {
            let fault = LocalFault {
                action: "list",
                path: self.root.clone(),
                source,
            };
            LakeError::store("list", &Path::default(), fault.into())
        };
        for entry in std::fs::read_dir(&self.root).map_err(fault)? {
            let name = entry
                .map_err(fault)?
                .file_name()
                .to_string_lossy()
                .into_owned();
            let plain = destination_of(&name).unwrap_or(&name);
            if !plain.starts_with('.') && !NAMES_OF_NO_ONE.contains(&plain) {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// Removes staged files under `prefix` that `dead` says nobody writes any more; tells how many.
    pub(crate) async fn sweep_staged(
        &self,
        prefix: &Path,
        dead: impl Fn(&str, DateTime<Utc>) -> bool + Send + 'static,
    ) -> Result<usize> {
        let root = self.root.clone();
        let mut folders = vec![
            prefix
                .parts()
                .fold(root.clone(), |at, part| at.join(part.as_ref())),
        ];
        blocking(move || {
            let mut removed = 0;
            while let Some(folder) = folders.pop() {
                let (more, here) = sweep_folder(&root, &folder, &dead)?;
                folders.extend(more);
                removed += here;
            }
            Ok(removed)
        })
        .await
    }

    /// Puts a whole staged file in its place, as durable as that place demands.
    async fn place(&self, location: &Path, staged: StagedFile, mode: Placing) -> Result<()> {
        let durability = layout::durability(location);
        let path = self.folder.path_to_filesystem(location)?;
        let syncs = Arc::clone(&self.syncs);
        let placed = blocking(move || {
            // Before it has its name: whoever sees the file may rely on it.
            if durability == Durability::Now {
                staged.sync()?;
            }
            let file = match mode {
                Placing::Replace => staged.replace()?,
                Placing::CreateOnly => staged.create_only()?,
            };
            if durability == Durability::Now {
                syncs.sync_name(&path)?;
            }
            Ok((path, file))
        });
        let (path, file) = placed.await?;
        if durability == Durability::AtFlush {
            self.syncs.begin(location, path, file).await;
        }
        Ok(())
    }

    /// Syncs a file that was linked or renamed to its place.
    async fn sync_moved(&self, to: &Path) -> Result<()> {
        let path = self.folder.path_to_filesystem(to)?;
        let syncs = Arc::clone(&self.syncs);
        blocking(move || {
            File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(|source| LocalFault {
                    action: "sync",
                    path: path.clone(),
                    source,
                })?;
            syncs.sync_name(&path)
        })
        .await
    }
}

/// Whether a file may take the place of one that is there.
#[derive(Debug, Clone, Copy)]
enum Placing {
    Replace,
    CreateOnly,
}

#[async_trait]
impl ObjectStore for DurableStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let mode = match opts.mode {
            PutMode::Overwrite => Placing::Replace,
            PutMode::Create => Placing::CreateOnly,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "put_opts with PutMode::Update".to_owned(),
                    implementer: self.to_string(),
                });
            }
        };
        let (within, path) = (location.clone(), self.folder.path_to_filesystem(location)?);
        let root = self.root.clone();
        let staged = blocking(move || {
            closed::make_folder(&root, &within)?;
            let mut staged = StagedFile::create(&path)?;
            staged.write_at(0, &payload)?;
            Ok(staged)
        });
        self.place(location, staged.await?, mode).await?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let (within, path) = (location.clone(), self.folder.path_to_filesystem(location)?);
        let root = self.root.clone();
        let staged = blocking(move || {
            closed::make_folder(&root, &within)?;
            StagedFile::create(&path)
        })
        .await?;
        Ok(Box::new(Upload {
            store: Self {
                folder: self.folder.clone(),
                root: self.root.clone(),
                syncs: Arc::clone(&self.syncs),
            },
            location: location.clone(),
            staged: Arc::new(Mutex::new(Some(staged))),
            offset: 0,
        }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.folder.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.folder.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let syncs = Arc::clone(&self.syncs);
        self.folder
            .delete_stream(locations)
            .inspect(move |deleted| {
                if let Ok(location) = deleted {
                    syncs.forget(location);
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.folder.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.folder.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.folder.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        closed::make_folder(&self.root, to)?;
        self.folder.copy_opts(from, to, options).await?;
        self.sync_moved(to).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        closed::make_folder(&self.root, to)?;
        self.folder.rename_opts(from, to, options).await?;
        self.syncs.forget(from);
        self.sync_moved(to).await
    }
}

impl fmt::Display for DurableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root.display())
    }
}

/// A big file that comes in pieces.
#[derive(Debug)]
struct Upload {
    store: DurableStore,
    location: Path,
    /// None once it is in its place or given up.
    staged: Arc<Mutex<Option<StagedFile>>>,
    offset: u64,
}

impl Upload {
    fn take(&self) -> Option<StagedFile> {
        self.staged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let offset = self.offset;
        self.offset += data.content_length() as u64;
        let staged = Arc::clone(&self.staged);
        blocking(move || {
            match staged
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_mut()
            {
                Some(staged) => staged.write_at(offset, &data),
                // Given up meanwhile: nobody waits for this part.
                None => Ok(()),
            }
        })
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let Some(staged) = self.take() else {
            return Err(Error::Generic {
                store: "local folder",
                source: "the upload has ended already".into(),
            });
        };
        self.store
            .place(&self.location, staged, Placing::Replace)
            .await?;
        Ok(PutResult {
            e_tag: None,
            version: None,
        })
    }

    async fn abort(&mut self) -> Result<()> {
        let staged = self.take();
        blocking(move || {
            drop(staged);
            Ok(())
        })
        .await
    }
}

/// Runs what waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, LocalFault> + Send + 'static,
) -> Result<T> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

/// The same fault for one more listener.
fn copy(fault: &LocalFault) -> LocalFault {
    let source = match fault.source.raw_os_error() {
        Some(code) => std::io::Error::from_raw_os_error(code),
        None => std::io::Error::new(fault.source.kind(), fault.source.to_string()),
    };
    LocalFault {
        action: fault.action,
        path: fault.path.clone(),
        source,
    }
}

/// Sweeps one folder; gives the folders in it and how many files it removed.
fn sweep_folder(
    root: &FsPath,
    folder: &FsPath,
    dead: &dyn Fn(&str, DateTime<Utc>) -> bool,
) -> std::result::Result<(Vec<PathBuf>, usize), LocalFault> {
    let fault = |source| LocalFault {
        action: "sweep",
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nothing was ever written there, or it was removed meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(fault(error)),
    };
    let (mut folders, mut removed) = (Vec::new(), 0);
    for entry in entries {
        let entry = entry.map_err(fault)?;
        let path = entry.path();
        if entry.file_type().map_err(fault)?.is_dir() {
            folders.push(path);
            continue;
        }
        let within = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let Some(destination) = destination_of(&within) else {
            continue;
        };
        // What vanishes under our hands was swept, or put in its place, by another.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let modified = metadata.modified().map_err(fault)?;
        if dead(destination, modified.into()) && std::fs::remove_file(&path).is_ok() {
            removed += 1;
        }
    }
    Ok((folders, removed))
}
