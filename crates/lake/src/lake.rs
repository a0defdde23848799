//! Opening a lake, and what can be asked of it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use sectorlake_contract::TableName;

use crate::abandoned::Swept;
use crate::env::Env;
use crate::error::LakeError;
use crate::format::{self, FORMAT_VERSION, Format};
use crate::journal::{Journal, Numbering};
use crate::layout::{self, Access};
use crate::lease::LetGo;
use crate::raw::{RawZone, Shelf};
use crate::run::Run;
use crate::snapshot::{self, At, Pieces, PipelineState, Snapshot};
use crate::store::{self, DryStore, LakeStore, files};
use crate::table::LakeTable;

/// An open lake. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Lake {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    location: String,
    store: LakeStore,
    env: Env,
    /// By pipeline, what this process knows of its raw zone.
    shelves: Mutex<HashMap<String, Arc<Shelf>>>,
    pieces: Pieces,
    numbering: Arc<Numbering>,
    let_go: LetGo,
    swept: Swept,
}

impl Lake {
    /// Opens a lake that is there. `location` is a folder or a URL (`file://`, `memory://` for tests).
    ///
    /// # Errors
    /// [`LakeError::Missing`] if there is none, [`LakeError::NotALake`] if something else is there,
    /// [`LakeError::Newer`] if it was written by a newer program.
    pub async fn open(location: &str, env: Env) -> Result<Self, LakeError> {
        let (location, store) = store::open(location)?;
        let lake = Self::new(location, store, env);
        match lake.format().await? {
            Some(()) => Ok(lake),
            None => match lake.first_name().await? {
                Some(found) => Err(LakeError::NotALake {
                    location: lake.location().to_owned(),
                    found,
                }),
                None => Err(LakeError::Missing {
                    location: lake.location().to_owned(),
                }),
            },
        }
    }

    /// Opens a lake, and makes it first where the folder is empty or not there.
    ///
    /// # Errors
    /// As [`Lake::open`], save that a missing lake is made; and where the storage cannot be written to.
    pub async fn open_or_create(location: &str, env: Env) -> Result<Self, LakeError> {
        let (location, store) = store::create(location).await?;
        Self::new(location, store, env).created().await
    }

    /// Opens or makes a lake in a store that is handed in; `location` only names it.
    ///
    /// # Errors
    /// As [`Lake::open_or_create`].
    pub async fn on_store(
        location: &str,
        store: Arc<dyn ObjectStore>,
        env: Env,
    ) -> Result<Self, LakeError> {
        Self::new(location.to_owned(), LakeStore::of(store), env)
            .created()
            .await
    }

    /// A lake to try things out on: it shows the one at `location` as it is, or an empty one where there is none, and keeps
    /// every write in `scratch`, a folder of the caller's. Nothing at `location` is made or changed.
    ///
    /// # Errors
    /// As [`Lake::open`], save that a missing lake is shown as an empty one; and where `scratch` is no folder.
    pub async fn dry(location: &str, scratch: &Path, env: Env) -> Result<Self, LakeError> {
        let (location, base) = match store::open(location) {
            Ok((location, store)) => (location, Some(store.objects())),
            Err(LakeError::Missing { location }) => (location, None),
            Err(error) => return Err(error),
        };
        let over = LocalFileSystem::new_with_prefix(scratch)
            .map_err(|error| LakeError::store("open", &layout::format(), error))?;
        let store = DryStore::new(base, Arc::new(over), layout::all_leases());
        Self::new(location, LakeStore::of(Arc::new(store)), env)
            .created()
            .await
    }

    fn new(location: String, store: LakeStore, env: Env) -> Self {
        let inner = Inner {
            location,
            store,
            env,
            shelves: Mutex::default(),
            pieces: Pieces::default(),
            numbering: Arc::default(),
            let_go: LetGo::default(),
            swept: Swept::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    async fn created(self) -> Result<Self, LakeError> {
        if self.format().await?.is_some() {
            return Ok(self);
        }
        if let Some(found) = self.first_name().await? {
            // Another process may just have made it.
            return match self.format().await? {
                Some(()) => Ok(self),
                None => Err(LakeError::NotALake {
                    location: self.location().to_owned(),
                    found,
                }),
            };
        }
        let path = layout::format();
        let bytes = files::to_json(&path, &format::FIRST)?;
        // Whoever comes second finds the file of the first: perhaps that of a newer program.
        files::put_if_absent(self.objects(), &path, bytes).await?;
        match self.format().await? {
            Some(()) => Ok(self),
            None => Err(LakeError::corrupt(
                &path,
                "it vanished as soon as it was written",
            )),
        }
    }

    /// Reads the format file and refuses a newer format; none where there is no such file.
    async fn format(&self) -> Result<Option<()>, LakeError> {
        let path = layout::format();
        let Some(bytes) = files::get(self.objects(), &path).await? else {
            return Ok(None);
        };
        let format: Format = files::from_json(&path, &bytes)?;
        if format.format_version > FORMAT_VERSION {
            return Err(LakeError::Newer {
                location: self.location().to_owned(),
                found: format.format_version,
                known: FORMAT_VERSION,
            });
        }
        Ok(Some(()))
    }

    /// Any name at the location, to tell an empty folder from one that holds something else.
    async fn first_name(&self) -> Result<Option<String>, LakeError> {
        if let Some(local) = self.inner.store.local() {
            return local.first_name();
        }
        let first = self.objects().list(None).try_next().await;
        let first = first.map_err(|error| LakeError::store("list", &layout::format(), error))?;
        Ok(first.map(|object| object.location.to_string()))
    }

    /// The lake's location, as messages show it.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.inner.location
    }

    /// The store of all the lake's files, rooted at the lake.
    #[must_use]
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        self.inner.store.objects()
    }

    pub(crate) fn lake_store(&self) -> &LakeStore {
        &self.inner.store
    }

    fn objects(&self) -> &dyn ObjectStore {
        self.inner.store.as_ref()
    }

    pub(crate) fn let_go(&self) -> &LetGo {
        &self.inner.let_go
    }

    pub(crate) fn env(&self) -> &Env {
        &self.inner.env
    }

    /// The snapshot to read; none where nothing is published yet.
    ///
    /// # Errors
    /// [`LakeError::NoSnapshot`] or [`LakeError::NoSnapshotAsOf`] where that one is not there.
    pub async fn snapshot(&self, at: At) -> Result<Option<Snapshot>, LakeError> {
        snapshot::at(self.objects(), at).await
    }

    /// All snapshots, oldest first.
    ///
    /// # Errors
    /// Where the storage fails or a snapshot's file is damaged.
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, LakeError> {
        snapshot::all(self.objects()).await
    }

    /// Where a pipeline stood as of `snapshot`; none where it had published nothing.
    ///
    /// # Errors
    /// Where its state cannot be read.
    pub async fn state(
        &self,
        snapshot: &Snapshot,
        pipeline: &str,
    ) -> Result<Option<PipelineState>, LakeError> {
        let store = self.objects();
        self.inner.pieces.state(store, snapshot, pipeline).await
    }

    /// The pieces of what is long in the states of pipelines.
    pub(crate) fn pieces(&self) -> &Pieces {
        &self.inner.pieces
    }

    /// A table as `snapshot` names it.
    ///
    /// # Errors
    /// [`LakeError::NoTable`] where it names none; where the table's log cannot be read.
    pub async fn table(
        &self,
        snapshot: &Snapshot,
        name: &TableName,
    ) -> Result<LakeTable, LakeError> {
        let Some(version) = snapshot.tables.get(name) else {
            return Err(LakeError::NoTable {
                table: name.clone(),
                snapshot: snapshot.number,
            });
        };
        LakeTable::open(self.store(), name, version.access, version.version).await
    }

    /// The raw parts of a pipeline, behind the open door.
    #[must_use]
    pub fn raw(&self, pipeline: &str) -> RawZone {
        self.raw_behind(pipeline, Access::Open)
    }

    /// The raw parts of a pipeline; new ones are put behind the given door, those there are read from both.
    #[must_use]
    pub fn raw_behind(&self, pipeline: &str, access: Access) -> RawZone {
        let mut shelves = self
            .inner
            .shelves
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let shelf = shelves.entry(pipeline.to_owned()).or_default();
        RawZone::new(self.clone(), pipeline, access, Arc::clone(shelf))
    }

    /// The journal: what happened, beside what is.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal::new(self.store(), Arc::clone(&self.inner.numbering))
    }

    /// Waits until all that was written is on the disk for good: the pipeline's raw parts with their manifests, and
    /// every data file. A publisher calls it before the snapshot names them.
    ///
    /// # Errors
    /// Where a file could not be synced: then nothing may name it.
    pub async fn flush(&self, pipeline: &str) -> Result<(), LakeError> {
        self.raw(pipeline).flush().await?;
        self.inner.store.flush().await
    }

    /// Begins a run of a pipeline.
    ///
    /// # Errors
    /// [`LakeError::Locked`] where another run of the pipeline is at work.
    pub async fn begin(&self, pipeline: &str) -> Result<Run, LakeError> {
        self.inner.swept.sweep(self, pipeline).await?;
        Run::begin(self.clone(), pipeline).await
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    fn at(folder: &Path) -> String {
        folder.display().to_string()
    }

    /// What is told of a lake that does not open, with the folder's own name masked.
    fn told(folder: &Path, error: &LakeError) -> String {
        let text = format!("{error}\n  help: {}", error.help().unwrap_or_default());
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        text.replace(&at(&real), "[LAKE]")
            .replace(&at(folder), "[LAKE]")
    }

    #[tokio::test]
    async fn a_lake_is_made_once_and_opened_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("deep/lake");
        let missing = Lake::open(&at(&place), Env::manual()).await.unwrap_err();
        assert!(matches!(missing, LakeError::Missing { .. }), "{missing}");
        assert!(!place.exists(), "a reader makes nothing");

        Lake::open_or_create(&at(&place), Env::manual())
            .await
            .unwrap();
        let format = std::fs::read_to_string(place.join("sectorlake.json")).unwrap();
        assert_eq!(format, "{\n  \"format_version\": 1\n}");
        Lake::open_or_create(&at(&place), Env::manual())
            .await
            .unwrap();
        let url = url::Url::from_file_path(&place).unwrap();
        let lake = Lake::open(url.as_str(), Env::manual()).await.unwrap();
        assert_eq!(lake.snapshot(At::Latest).await.unwrap(), None);
        assert!(lake.snapshots().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_no_lake_is_left_alone_and_told() {
        let mut all = Vec::new();
        let folder = tempfile::tempdir().unwrap();
        let place = at(folder.path());

        let empty = Lake::open(&place, Env::manual()).await.unwrap_err();
        all.push(told(folder.path(), &empty));
        std::fs::write(folder.path().join("thesis.docx"), "mine").unwrap();
        let other = Lake::open(&place, Env::manual()).await.unwrap_err();
        all.push(told(folder.path(), &other));
        let other = Lake::open_or_create(&place, Env::manual())
            .await
            .unwrap_err();
        all.push(told(folder.path(), &other));
        let file = at(&folder.path().join("thesis.docx"));
        let not_a_folder = Lake::open(&file, Env::manual()).await.unwrap_err();
        all.push(told(folder.path(), &not_a_folder));
        let below_a_file = format!("{file}/lake");
        let below_a_file = Lake::open_or_create(&below_a_file, Env::manual())
            .await
            .unwrap_err();
        all.push(told(folder.path(), &below_a_file));

        for format in [
            "{\"format_version\": 3, \"and\": \"more\"}",
            "{\"format_ver",
        ] {
            std::fs::write(folder.path().join("sectorlake.json"), format).unwrap();
            let error = Lake::open_or_create(&place, Env::manual())
                .await
                .unwrap_err();
            all.push(told(folder.path(), &error));
            let kept = std::fs::read_to_string(folder.path().join("sectorlake.json")).unwrap();
            assert_eq!(kept, format, "untouched");
        }
        insta::assert_snapshot!(all.join("\n"));
    }

    #[tokio::test]
    async fn a_folder_with_what_belongs_to_nobody_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lost+found")).unwrap();
        for name in [".DS_Store", "sectorlake.json#1"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        Lake::open_or_create(&at(folder.path()), Env::manual())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn any_object_store_will_do() {
        let store = Arc::new(InMemory::new());
        let lake = Lake::on_store("memory://a", Arc::clone(&store) as _, Env::manual());
        assert_eq!(lake.await.unwrap().location(), "memory://a");
        assert!(store.head(&layout::format()).await.is_ok());
        Lake::on_store("memory://a", Arc::clone(&store) as _, Env::manual())
            .await
            .unwrap();

        let other = Arc::new(InMemory::new());
        other.put(&"a/b.txt".into(), "x".into()).await.unwrap();
        let error = Lake::on_store("memory://b", other, Env::manual())
            .await
            .unwrap_err();
        assert!(matches!(error, LakeError::NotALake { found, .. } if found == "a/b.txt"));
    }

    #[tokio::test]
    async fn a_state_that_a_snapshot_names_is_read_or_missed() {
        let lake = Lake::open_or_create("memory://", Env::manual())
            .await
            .unwrap();
        let state = PipelineState {
            fingerprint: "f".to_owned(),
            ..PipelineState::default()
        };
        let path = layout::run_state("r1");
        let bytes = files::to_json(&path, &state).unwrap();
        lake.store().put(&path, bytes.into()).await.unwrap();
        let mut snapshot = snapshot::tests::of(1, 0);
        snapshot.pipelines = [
            ("bus", "runs/r1/state.json"),
            ("ferry", "runs/r0/state.json"),
        ]
        .map(|(pipeline, state)| (pipeline.to_owned(), snapshot::tests::entry(state)))
        .into();
        assert_eq!(lake.state(&snapshot, "bus").await.unwrap(), Some(state));
        assert_eq!(lake.state(&snapshot, "tram").await.unwrap(), None);
        let gone = lake.state(&snapshot, "ferry").await.unwrap_err();
        assert_eq!(
            gone.to_string(),
            "runs/r0/state.json is damaged: it is gone, though snapshot 1 names it"
        );
    }
}
