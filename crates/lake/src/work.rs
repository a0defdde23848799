//! What a run knows of the lake, and what it has staged.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sectorlake_contract::{Contract, TableName};
use serde::{Deserialize, Serialize};

use crate::env::ProcessId;
use crate::error::LakeError;
use crate::journal::Journal;
use crate::lake::Lake;
use crate::layout::{self, Access};
use crate::overlay::Overlay;
use crate::publish::leftovers;
use crate::raw::SIZES;
use crate::snapshot::{PipelineState, Snapshot, StagedEntry, TableVersion};
use crate::store::files;
use crate::table::LakeTable;
use crate::versions::Beside;

/// What a run knows, shared with its stages.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) lake: Lake,
    pub(crate) id: String,
    pub(crate) pipeline: String,
    pub(crate) base: Option<Snapshot>,
    pub(crate) state: Option<PipelineState>,
    pub(crate) staged: Mutex<BTreeMap<TableName, StagedTable>>,
    pub(crate) tables: Mutex<HashMap<(TableName, Access, u64), Arc<LakeTable>>>,
    /// Names that this run stores later major versions under.
    pub(crate) beside: Mutex<BTreeMap<TableName, Beside>>,
}

/// A table that the run has finished.
#[derive(Debug, Clone)]
pub(crate) struct StagedTable {
    pub(crate) contract: Arc<Contract>,
    /// None where the table stays as it is.
    pub(crate) entry: Option<StagedEntry>,
    /// How the staged rows stand to the pipeline's own of before.
    pub(crate) bearing: Bearing,
}

/// Whether a run's rows of a table are all that its pipeline has of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearing {
    /// They are all of them.
    All,
    /// They came beside others.
    More,
}

impl StagedTable {
    /// Notes whether the pipeline adds to its rows of older major versions. What the run left as it is says nothing of it.
    pub(crate) fn take_into(&self, pipeline: &str, adding: &mut BTreeSet<String>) {
        if self.entry.is_none() {
            return;
        }
        match self.bearing {
            Bearing::More => drop(adding.insert(pipeline.to_owned())),
            Bearing::All => drop(adding.remove(pipeline)),
        }
    }
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

    pub(crate) fn lock_beside(&self) -> MutexGuard<'_, BTreeMap<TableName, Beside>> {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a log entry in the run's folder, as the version after `base`.
    pub(crate) async fn stage_entry(
        &self,
        contract: &Arc<Contract>,
        (access, bearing): (Access, Bearing),
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
            bearing,
        };
        self.lock_staged().insert(table.clone(), staged);
        Ok(version)
    }

    /// Notes that a table was looked at and stays as it is.
    pub(crate) fn unchanged(&self, contract: &Arc<Contract>) {
        let staged = StagedTable {
            contract: Arc::clone(contract),
            entry: None,
            bearing: Bearing::All,
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

    pub(crate) async fn table(
        &self,
        name: &TableName,
    ) -> Result<Option<Arc<LakeTable>>, LakeError> {
        let staged = self
            .lock_staged()
            .get(name)
            .and_then(|table| table.entry.clone());
        if let Some(entry) = staged {
            let staged = TableVersion {
                version: entry.version,
                contract: String::new(),
                access: entry.access,
                beside: None,
            };
            return self.open(name, &staged, true).await.map(Some);
        }
        match self.base_version(name) {
            Some(base) => self.open(name, base, false).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn open(
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

    /// Puts manifests that this run did not touch into packs, where there are many. If that fails they stay as they are.
    pub(crate) async fn pack_manifests(&self) {
        let entry = self
            .base
            .as_ref()
            .and_then(|base| base.pipeline_entry(&self.pipeline));
        let untouched = entry.map_or(0, |entry| entry.checked_sequence);
        let raw = self.lake.raw(&self.pipeline);
        if let Err(error) = raw.pack(untouched, SIZES).await {
            tracing::warn!(pipeline = self.pipeline, %error, "manifests were left unpacked");
        }
    }

    /// Removes a file that nothing names; if that fails it is left, and harms nobody.
    pub(crate) async fn discard(&self, path: &Path) {
        if let Err(error) = self.store().delete(path).await {
            tracing::debug!(%path, %error, "a file that nothing names was left");
        }
    }

    pub(crate) async fn write_run_file(&self) -> Result<(), LakeError> {
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
    pub(crate) async fn remove_all(&self) {
        leftovers::remove(&self.lake, &self.pipeline, &self.id).await;
    }
}
