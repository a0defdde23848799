//! Checkpoints: a table's log summed up, so that no reader has to read each entry there ever was.
//!
//! One is only made of what is published, so none ever holds what a run has merely staged. It saves work and says nothing
//! new: that one could not be made is told, and changes nothing.

use std::sync::Arc;

use deltalake::checkpoints::create_checkpoint;
use deltalake::{DeltaTable, DeltaTableError};
use object_store::ObjectStore;

use crate::overlay::{Overlay, log_store};
use crate::snapshot::StagedEntry;

/// Log entries between two checkpoints: what a reader reads at most, beside a checkpoint.
pub(super) const EVERY: u64 = 50;

/// Makes the checkpoint of a published entry's version, where one is due.
pub(super) async fn make_if_due(store: &Arc<dyn ObjectStore>, entry: &StagedEntry) {
    if entry.version == 0 || !entry.version.is_multiple_of(EVERY) {
        return;
    }
    if let Err(error) = make(store, entry).await {
        tracing::warn!(table = %entry.table, version = entry.version, %error, "a checkpoint was not made");
    }
}

async fn make(store: &Arc<dyn ObjectStore>, entry: &StagedEntry) -> Result<(), DeltaTableError> {
    let place = (&entry.table, entry.access);
    let published = Overlay::published(Arc::clone(store), place, entry.version);
    let log_store =
        log_store(published).map_err(|error| DeltaTableError::generic(error.to_string()))?;
    let mut table = DeltaTable::new(log_store);
    table.load_version(entry.version).await?;
    create_checkpoint(&table, None).await
}
