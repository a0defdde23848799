//! A run: from the lease to the snapshot it publishes, or to nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arrow::compute::can_cast_types;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use chrono::{DateTime, Utc};
use sectorlake_contract::{Contract, TableName};

use crate::error::LakeError;
use crate::keys::for_each_hash;
use crate::lake::Lake;
use crate::layout::Access;
use crate::lease::Lease;
use crate::publish::{leftovers, publisher, roll_forward};
use crate::raw::{Unfinished, unfinished};
use crate::snapshot::{self, PipelineState, Snapshot};
use crate::stage::read::{FileRef, Reader};
use crate::stage::{Ground, Load, StageOptions, TableStage};
use crate::table::LakeTable;

use crate::work::Work;

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
    pub(crate) work: Arc<Work>,
    lease: Lease,
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
            beside: Mutex::default(),
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

    /// Begins to stage a table, which the run makes if there is none yet, under the name that [`Run::place`] gives it. A wider
    /// contract makes the table wider, in the same commit.
    ///
    /// # Errors
    /// [`LakeError::Breaking`] where the stored rows or their readers do not bear the contract, [`LakeError::SchemaChanged`]
    /// where the table cannot take it otherwise, [`LakeError::ForeignWriter`] where someone else wrote to the table.
    pub async fn stage(
        &self,
        contract: &Arc<Contract>,
        load: Load,
        options: StageOptions,
    ) -> Result<TableStage, LakeError> {
        let contract = &self.work.place(contract).await?;
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
        let ground = ground(&self.work, contract, load, &options, base);
        let next = ground.version().map_or(0, |version| version + 1);
        let place = (table, ground.access);
        publisher::refuse_foreign(&self.work.lake, place, next, self.work.base.as_ref()).await?;
        leftovers::mark(&self.work.lake, &self.work.id, table).await?;
        let stage = TableStage::new(Arc::clone(&self.work), contract, (load, options), ground)?;
        if stage.migrates() {
            leftovers::mark_migration(&self.work.lake, &self.work.id, table).await?;
        }
        Ok(stage)
    }

    /// A table as the run sees it: as staged, else as it was published when the run began.
    ///
    /// # Errors
    /// Where the table's log cannot be read.
    pub async fn table(&self, name: &TableName) -> Result<Option<Arc<LakeTable>>, LakeError> {
        self.work.table(name).await
    }

    /// The hashes of a table's key, over the rows that the run would publish; and whether there is any row of the run's
    /// own pipeline. Rows without a value in one of the fields have no key. `types` is the contract by whose types keys are
    /// compared: the table may still be stored by an older, narrower one.
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
        types: Option<&Contract>,
        scope: KeyRows,
    ) -> Result<(KeyHashes, bool), LakeError> {
        let opened = self.work.table(table).await?;
        let files = opened.into_iter().map(|opened| {
            let files = opened.files.iter().map(FileRef::from).collect();
            (opened, files)
        });
        self.hashes(files.collect(), fields, types, scope).await
    }

    /// The same over all major versions of a table: of each source the rows of the newest version that holds any. This is
    /// what a key into the table may point to.
    ///
    /// # Errors
    /// Where one of the tables cannot be read.
    pub async fn keys_of_versions(
        &self,
        table: &TableName,
        fields: &[String],
        types: Option<&Contract>,
        scope: KeyRows,
    ) -> Result<(KeyHashes, bool), LakeError> {
        let files = self.work.files_of_versions(table).await?;
        self.hashes(files, fields, types, scope).await
    }

    async fn hashes(
        &self,
        versions: Vec<(Arc<LakeTable>, Vec<FileRef>)>,
        fields: &[String],
        types: Option<&Contract>,
        scope: KeyRows,
    ) -> Result<(KeyHashes, bool), LakeError> {
        let mut hashes = KeyHashes::default();
        let mut has_own = false;
        for (age, (opened, files)) in versions.into_iter().enumerate() {
            let own = |file: &FileRef| file.is_of(&self.work.pipeline);
            has_own |= files.iter().any(|file| own(file) && file.rows > 0);
            let is_asked = |file: &FileRef| scope == KeyRows::AllSources || own(file);
            let asked: Vec<FileRef> = files.into_iter().filter(is_asked).collect();
            // An older version may lack what the key is made of: its rows are none that can be pointed to.
            let Some(schema) = keyed(&opened.schema, fields, types) else {
                continue;
            };
            let reader = Reader {
                store: self.work.store(),
                table: opened.name.clone(),
                schema,
            };
            let mut of_version = KeyHashes::default();
            let read = for_each_hash(&reader, &asked, fields, |hash| {
                of_version.insert(hash);
            });
            match read.await {
                // Nor do those count whose keys are no values of the newer type.
                Err(LakeError::SchemaChanged { .. }) if age > 0 => continue,
                read => read?,
            }
            if hashes.is_empty() {
                hashes = of_version;
            } else {
                hashes.extend(of_version);
            }
        }
        Ok((hashes, has_own))
    }

    /// What runs before this one fetched of a unit and never published, by partition: each a fetch that went on from where
    /// the published state stands. The run takes up those that broke off, and asks the source for what follows the last
    /// part's [`Step::next`](crate::Step); of a unit whose fetch came to its end everywhere the source is asked anew, for what made
    /// the run fail may be mended there by now, and validators keep that cheap.
    ///
    /// # Errors
    /// Where the manifests cannot be read.
    pub async fn unpublished(
        &self,
        unit: &str,
    ) -> Result<BTreeMap<Option<String>, Unfinished>, LakeError> {
        let work = &self.work;
        let entry = work
            .base
            .as_ref()
            .and_then(|base| base.pipeline_entry(&work.pipeline));
        let published = entry.map_or(0, |entry| entry.checked_sequence);
        let state = work.state.as_ref();
        let manifests = work.lake.raw(&work.pipeline).manifests().await?;
        let from =
            |partition: Option<&str>| state.and_then(|state| state.cursor_of(unit, partition));
        Ok(unfinished(&manifests, unit, published, from))
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
            Ok(_) => {
                leftovers::close(&work.lake, &work.pipeline, &work.id).await;
                work.pack_manifests().await;
            }
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

    /// Ends a run that found nothing new: that its source was asked is kept.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn finish_unchanged(self) -> Result<(), LakeError> {
        let flushed = self.work.lake.raw(&self.work.pipeline).flush().await;
        self.abandon().await?;
        flushed
    }
}

/// What a table is staged on. One that lies behind the restricted door stays there; one that holds personal fields from
/// now on is made anew behind it, with all its rows that stay, of every source.
fn ground(
    work: &Work,
    contract: &Contract,
    load: Load,
    options: &StageOptions,
    base: Option<Arc<LakeTable>>,
) -> Ground {
    let wanted = Access::of(contract);
    let fits = base.as_ref().is_none_or(|base| base.access >= wanted);
    if fits {
        let access = base.as_ref().map_or(wanted, |base| base.access);
        return Ground {
            access,
            base,
            left_behind: 0,
            moves: false,
        };
    }
    let files = base.iter().flat_map(|base| &base.files);
    let all_go = load == Load::Replace && options.slice.is_none();
    if !all_go || files.clone().any(|file| !file.is_of(&work.pipeline)) {
        return Ground {
            access: wanted,
            base,
            left_behind: 0,
            moves: true,
        };
    }
    Ground {
        access: wanted,
        left_behind: files.map(|file| file.rows).sum(),
        base: None,
        moves: false,
    }
}

/// The stored schema with the key's fields in the types that keys are compared in; none where it lacks one of them.
fn keyed(stored: &SchemaRef, fields: &[String], types: Option<&Contract>) -> Option<SchemaRef> {
    let mut columns: Vec<FieldRef> = stored.fields().iter().cloned().collect();
    for name in fields {
        let at = stored.index_of(name).ok()?;
        let Some(asked) = types.and_then(|contract| contract.field(name)) else {
            continue;
        };
        let kind = asked.arrow_type();
        if !can_cast_types(stored.field(at).data_type(), &kind) {
            return None;
        }
        columns[at] = Arc::new(stored.field(at).clone().with_data_type(kind));
    }
    Some(Arc::new(Schema::new(columns)))
}
