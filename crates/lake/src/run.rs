//! A run: from the lease to the snapshot it publishes, or to nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sectorlake_contract::{Contract, TableName};
use serde::{Deserialize, Serialize};

use crate::env::ProcessId;
use crate::error::LakeError;
use crate::journal::Journal;
use crate::keys::for_each_hash;
use crate::lake::Lake;
use crate::layout::{self, Access};
use crate::lease::Lease;
use crate::overlay::Overlay;
use crate::publish::{leftovers, publisher, roll_forward};
use crate::raw::Manifest;
use crate::snapshot::{self, PipelineState, Snapshot, StagedEntry, TableVersion};
use crate::stage::read::{FileRef, Reader};
use crate::stage::{Ground, Load, StageOptions, TableStage};
use crate::store::files;
use crate::table::LakeTable;

pub use crate::keys::KeyHashes;

/// Of which rows the keys are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRows {
    /// Those of the run's own pipeline.
    OwnSource,
    /// Those of every source.
    AllSources,
}

/// What a run published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The snapshot's number.
    pub snapshot: u64,
    /// When it was published.
    pub at: DateTime<Utc>,
}

/// A run at work. Dropped without a word it is a crash: nothing it staged is ever seen.
#[derive(Debug)]
pub struct Run {
    work: Arc<Work>,
    lease: Lease,
}

/// What a run knows, shared with its stages.
#[derive(Debug)]
pub(crate) struct Work {
    lake: Lake,
    id: String,
    pipeline: String,
    base: Option<Snapshot>,
    state: Option<PipelineState>,
    staged: Mutex<BTreeMap<TableName, StagedTable>>,
    tables: Mutex<HashMap<(TableName, Access, u64), Arc<LakeTable>>>,
}

/// A table that the run has finished.
#[derive(Debug, Clone)]
pub(crate) struct StagedTable {
    pub(crate) contract: Arc<Contract>,
    /// None where the table stays as it is.
    pub(crate) entry: Option<StagedEntry>,
}

/// What an open run says of itself, for those who come after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunFile {
    pub(crate) host: String,
    pub(crate) process: ProcessId,
    pub(crate) begun_at: DateTime<Utc>,
    /// The snapshot it began from, 0 where there was none: its own has a greater number.
    pub(crate) base: u64,
}

impl Run {
    /// Begins a run: takes the lease, ends what a crashed publisher left half done, and clears away dead runs.
    pub(crate) async fn begin(lake: Lake, pipeline: &str) -> Result<Self, LakeError> {
        let id = lake.env().ids.next();
        let lease = Lease::take(&lake, pipeline, &id).await?;
        let store = lake.store();
        let base = snapshot::newest(store.as_ref()).await?;
        let state = match &base {
            Some(base) => {
                roll_forward(store.as_ref(), base).await?;
                lake.state(base, pipeline).await?
            }
            None => None,
        };
        leftovers::clear(&lake, pipeline, &id).await;
        let work = Work {
            id,
            pipeline: pipeline.to_owned(),
            base,
            state,
            staged: Mutex::default(),
            tables: Mutex::default(),
            lake,
        };
        work.write_run_file().await?;
        Ok(Self {
            work: Arc::new(work),
            lease,
        })
    }

    /// The run's id: every row it brings names it.
    #[must_use]
    pub fn id(&self) -> &str {
        self.work.id()
    }

    /// What was published when the run began.
    #[must_use]
    pub fn base(&self) -> Option<&Snapshot> {
        self.work.base.as_ref()
    }

    /// Where the pipeline stood then.
    #[must_use]
    pub fn state(&self) -> Option<&PipelineState> {
        self.work.state.as_ref()
    }

    /// Begins to stage a table, which the run makes if there is none yet.
    ///
    /// # Errors
    /// [`LakeError::SchemaChanged`] where the stored rows that stay do not fit the contract,
    /// [`LakeError::ForeignWriter`] where someone else wrote to the table.
    pub async fn stage(
        &self,
        contract: &Arc<Contract>,
        load: Load,
        options: StageOptions,
    ) -> Result<TableStage, LakeError> {
        let table = &contract.name;
        if self.work.lock_staged().contains_key(table) {
            let detail = "this run has staged it already".to_owned();
            return Err(LakeError::Conflict {
                table: table.clone(),
                detail,
            });
        }
        let base = match self.work.base_version(table) {
            Some(base) => Some(self.work.open(table, base, false).await?),
            None => None,
        };
        let ground = ground(&self.work, contract, load, &options, base)?;
        let next = ground.base.as_ref().map_or(0, |base| base.version + 1);
        let place = (table, ground.access);
        publisher::refuse_foreign(&self.work.lake, place, next, self.work.base.as_ref()).await?;
        leftovers::mark(&self.work.lake, &self.work.id, table).await?;
        TableStage::new(Arc::clone(&self.work), contract, (load, options), ground)
    }

    /// A table as the run sees it: as staged, else as it was published when the run began.
    ///
    /// # Errors
    /// Where the table's log cannot be read.
    pub async fn table(&self, name: &TableName) -> Result<Option<Arc<LakeTable>>, LakeError> {
        self.work.table(name).await
    }

    /// The hashes of a table's key, over the rows that the run would publish; and whether there is any row of the run's
    /// own pipeline. Rows without a value in one of the fields have no key.
    ///
    /// Memory: not bounded yet. A key takes 9 to 18 bytes, and half as much again while the set grows: 75 MB for 5 million,
    /// 600 MB for 50 million. What is referenced (stops, trips, stations, places) is small beside what refers to it; for
    /// a table beyond that the hashes would have to lie in sorted shares on the disk.
    ///
    /// # Errors
    /// Where the table cannot be read.
    pub async fn keys(
        &self,
        table: &TableName,
        fields: &[String],
        scope: KeyRows,
    ) -> Result<(KeyHashes, bool), LakeError> {
        let mut hashes = KeyHashes::default();
        let Some(opened) = self.work.table(table).await? else {
            return Ok((hashes, false));
        };
        let own = |file: &&crate::table::DataFile| file.is_of(&self.work.pipeline);
        let has_own = opened.files.iter().filter(own).any(|file| file.rows > 0);
        let asked = opened
            .files
            .iter()
            .filter(|file| scope == KeyRows::AllSources || own(file));
        let asked: Vec<FileRef> = asked.map(FileRef::from).collect();
        let reader = Reader {
            store: self.work.store(),
            table: table.clone(),
            schema: Arc::clone(&opened.schema),
        };
        for_each_hash(&reader, &asked, fields, |hash| {
            hashes.insert(hash);
        })
        .await?;
        Ok((hashes, has_own))
    }

    /// What runs before this one fetched of a unit and never published, in the order in which it came: a fetch that went
    /// on from where the published state stands, and broke off. The run takes these parts up, and asks the source for
    /// what follows the last one's [`Step::next`](crate::Step). Empty where that fetch came to its end: then the source
    /// is asked anew, for what made the run fail may be mended there by now; validators keep that cheap.
    ///
    /// # Errors
    /// Where the manifests cannot be read.
    pub async fn unpublished(&self, unit: &str) -> Result<Vec<Manifest>, LakeError> {
        let work = &self.work;
        let entry = work
            .base
            .as_ref()
            .and_then(|base| base.pipeline_entry(&work.pipeline));
        let published = entry.map_or(0, |entry| entry.checked_sequence);
        let from = work.state.as_ref().and_then(|state| state.cursor.get(unit));
        let raw = work.lake.raw(&work.pipeline);
        raw.broken_off(unit, from, published).await
    }

    /// Publishes what was staged, and the pipeline's new state, as one snapshot.
    ///
    /// # Errors
    /// [`LakeError::Fenced`] where another run of the pipeline published first, [`LakeError::Conflict`] where a table
    /// changed so that the staged work no longer fits, [`LakeError::ForeignWriter`]. Where the storage fails, the run may
    /// or may not be published: the next run finds out.
    pub async fn publish(self, state: PipelineState) -> Result<Published, LakeError> {
        let published = publisher::publish(&self.work, &state).await;
        let work = &self.work;
        match &published {
            Ok(_) => leftovers::close(&work.lake, &work.pipeline, &work.id).await,
            Err(LakeError::Fenced { .. } | LakeError::Conflict { .. }) => work.remove_all().await,
            Err(_) => leftovers::remove_if_unpublished(&work.lake, &work.pipeline, &work.id).await,
        }
        if let Err(error) = self.lease.release().await {
            tracing::warn!(%error, "the lease was not given up; it runs out by itself");
        }
        published
    }

    /// Ends the run without publishing, and removes what it wrote.
    ///
    /// # Errors
    /// Where the storage fails; what is left is harmless.
    pub async fn abandon(self) -> Result<(), LakeError> {
        self.work.remove_all().await;
        self.lease.release().await
    }

    /// Ends a run that found nothing new.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn finish_unchanged(self) -> Result<(), LakeError> {
        self.abandon().await
    }
}

/// What a table is staged on. One that lies behind the restricted door stays there; one that holds personal fields from
/// now on is made anew behind it, if none of its rows stay.
fn ground(
    work: &Work,
    contract: &Contract,
    load: Load,
    options: &StageOptions,
    base: Option<Arc<LakeTable>>,
) -> Result<Ground, LakeError> {
    let wanted = Access::of(contract);
    let fits = base.as_ref().is_none_or(|base| base.access >= wanted);
    if fits {
        let access = base.as_ref().map_or(wanted, |base| base.access);
        return Ok(Ground {
            access,
            base,
            left_behind: 0,
        });
    }
    let files = base.iter().flat_map(|base| &base.files);
    let all_go = load == Load::Replace && options.slice.is_none();
    if !all_go || files.clone().any(|file| !file.is_of(&work.pipeline)) {
        let detail = "it holds personal fields from now on, so its rows have to move behind the restricted door; only a \
            pipeline with load: replace that all its rows come from can do that";
        return Err(LakeError::SchemaChanged {
            table: contract.name.clone(),
            detail: detail.to_owned(),
        });
    }
    Ok(Ground {
        access: wanted,
        left_behind: files.map(|file| file.rows).sum(),
        base: None,
    })
}

impl Work {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn pipeline(&self) -> &str {
        &self.pipeline
    }

    pub(crate) fn lake(&self) -> &Lake {
        &self.lake
    }

    pub(crate) fn base(&self) -> Option<&Snapshot> {
        self.base.as_ref()
    }

    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        self.lake.store()
    }

    pub(crate) fn journal(&self) -> Journal {
        self.lake.journal()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.lake.env().clock.now()
    }

    pub(crate) fn new_id(&self) -> String {
        self.lake.env().ids.next()
    }

    /// The table as of the base snapshot.
    pub(crate) fn base_version(&self, table: &TableName) -> Option<&TableVersion> {
        self.base.as_ref()?.tables.get(table)
    }

    pub(crate) fn lock_staged(&self) -> MutexGuard<'_, BTreeMap<TableName, StagedTable>> {
        // A poisoned map has only been read or added to: it stays good.
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a log entry in the run's folder, as the version after `base`.
    pub(crate) async fn stage_entry(
        &self,
        contract: &Arc<Contract>,
        access: Access,
        base: Option<u64>,
        bytes: Vec<u8>,
    ) -> Result<u64, LakeError> {
        let table = &contract.name;
        let version = base.map_or(0, |base| base + 1);
        let overlay = Overlay::new(self.store(), &self.id, (table, access), base);
        let path = layout::log_entry(table, access, version);
        let (size, hash) = (
            bytes.len() as u64,
            blake3::hash(&bytes).to_hex().to_string(),
        );
        files::put_if_absent(overlay.as_ref(), &path, bytes).await?;
        let own = layout::run_log(&self.id, table, access).join(layout::numbered(version));
        let entry = StagedEntry {
            table: table.clone(),
            version,
            path: own.to_string(),
            size,
            hash,
            access,
        };
        let staged = StagedTable {
            contract: Arc::clone(contract),
            entry: Some(entry),
        };
        self.lock_staged().insert(table.clone(), staged);
        Ok(version)
    }

    /// Notes that a table was looked at and stays as it is.
    pub(crate) fn unchanged(&self, contract: &Arc<Contract>) {
        let staged = StagedTable {
            contract: Arc::clone(contract),
            entry: None,
        };
        self.lock_staged().insert(contract.name.clone(), staged);
    }

    /// A table as this run has staged it.
    pub(crate) async fn staged_table(&self, name: &TableName) -> Result<Arc<LakeTable>, LakeError> {
        self.table(name).await?.ok_or_else(|| LakeError::NoTable {
            table: name.clone(),
            snapshot: self.base.as_ref().map_or(0, |base| base.number),
        })
    }

    async fn table(&self, name: &TableName) -> Result<Option<Arc<LakeTable>>, LakeError> {
        let staged = self
            .lock_staged()
            .get(name)
            .and_then(|table| table.entry.clone());
        if let Some(entry) = staged {
            let staged = TableVersion {
                version: entry.version,
                contract: String::new(),
                access: entry.access,
            };
            return self.open(name, &staged, true).await.map(Some);
        }
        match self.base_version(name) {
            Some(base) => self.open(name, base, false).await.map(Some),
            None => Ok(None),
        }
    }

    async fn open(
        &self,
        name: &TableName,
        at: &TableVersion,
        is_staged: bool,
    ) -> Result<Arc<LakeTable>, LakeError> {
        let (access, version) = (at.access, at.version);
        let key = (name.clone(), access, version);
        let known = self
            .tables
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        if let Some(table) = known {
            return Ok(table);
        }
        let table = if is_staged {
            let base = self.base_version(name).filter(|base| base.access == access);
            let base = base.map(|base| base.version);
            let overlay = Overlay::new(self.store(), &self.id, (name, access), base);
            LakeTable::open_over(overlay, name, access, version).await?
        } else {
            LakeTable::open(self.store(), name, access, version).await?
        };
        let table = Arc::new(table);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.insert(key, Arc::clone(&table));
        Ok(table)
    }

    /// Removes a file that nothing names; if that fails it is left, and harms nobody.
    pub(crate) async fn discard(&self, path: &Path) {
        if let Err(error) = self.store().delete(path).await {
            tracing::debug!(%path, %error, "a file that nothing names was left");
        }
    }

    async fn write_run_file(&self) -> Result<(), LakeError> {
        let env = self.lake.env();
        let file = RunFile {
            host: env.host.clone(),
            process: env.process,
            begun_at: self.now(),
            base: self.base.as_ref().map_or(0, |base| base.number),
        };
        let path = leftovers::run_file(&self.pipeline, &self.id);
        let bytes = files::to_json(&path, &file)?;
        files::put_if_absent(self.store().as_ref(), &path, bytes)
            .await
            .map(drop)
    }

    /// Removes all that an unpublished run wrote.
    async fn remove_all(&self) {
        leftovers::remove(&self.lake, &self.pipeline, &self.id).await;
    }
}
