//! The lake: raw bytes, Delta tables, snapshots and the journal, in a folder or an object store.
//!
//! Place: after `normalise`, before `query`; the only writer of all that a lake holds.
//! Must not know: sources, file formats, mapping SQL, users.
//! Bounds: a raw part is held by a few chunks, a table's writer by its row group, the journal by a buffer;
//! a snapshot file is one JSON document in memory. Not bounded: of each raw part of a pipeline its manifest, about 1 KB, while
//! its runs are at work; of a source polled every 30 s that is some 90 MB a month.
//!
//! A run stages its work where nobody looks, then publishes one snapshot: put-if-absent of one small file. What that
//! file names is what readers see.
//!
//! ```
//! use sectorlake_lake::{At, Env, Lake};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let lake = Lake::open_or_create("memory://", Env::manual()).await?;
//! assert!(lake.snapshot(At::Latest).await?.is_none(), "nothing is published yet");
//! # Ok::<(), sectorlake_lake::LakeError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod abandoned;
mod breaking;
mod endings;
mod format;
mod lake;

pub mod env;
mod error;
mod layout;
mod store;

pub mod journal;
mod lease;
mod raw;
mod snapshot;

mod keys;
mod overlay;
mod publish;
mod run;
mod settle;
mod stage;
mod table;
mod versions;
mod widen;
mod work;
mod writer;

pub use breaking::Breaking;
pub use endings::Ending;
pub use env::{Alive, Clock, Env, Ids, ManualClock, OnlyThese, ProcessId};
pub use error::LakeError;
pub use format::FORMAT_VERSION;
pub use journal::{Journal, JournalWriter, Kind};
pub use lake::Lake;
pub use layout::Access;
pub use raw::{Headers, Manifest, PartMeta, PartRecord, PutError, RawZone, Step, Unfinished};
pub use snapshot::{
    AddedColumn, At, FixState, PipelineEntry, PipelineState, Snapshot, SourceColumn, StagedEntry,
    TableVersion,
};

pub use run::{KeyHashes, KeyRows, Published, Run};
pub use settle::KeyHolder;
pub use stage::{
    DuplicateKey, Evolution, KeySuspects, Load, StageOptions, Staged, Suspects, TableStage,
    slice_of,
};
pub use table::{DataFile, LakeTable};
pub use versions::Beside;
pub use writer::{TableWriter, WrittenFiles};
