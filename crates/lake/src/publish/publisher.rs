//! The publisher's loop.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use object_store::ObjectStoreExt;
use sectorlake_contract::TableName;

use super::{checkpoint, renumber, roll_forward};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout::{self, Access};
use crate::run::Published;
use crate::snapshot::{
    self, PipelineEntry, PipelineState, PutOutcome, Snapshot, StagedEntry, TableVersion,
};
use crate::store::files;
use crate::work::{StagedTable, Work};

/// Publishes what `work` has staged.
///
/// Each round proposes the snapshot after the newest one; on "already exists" the newest one is read and judged anew.
pub(crate) async fn publish(work: &Work, state: &PipelineState) -> Result<Published, LakeError> {
    let store = work.store();
    let state_path = layout::run_state(work.id());
    let folded = work
        .lake()
        .pieces()
        .fold(store.as_ref(), work.pipeline(), state)
        .await?;
    let bytes = files::to_json(&state_path, &folded)?;
    files::put_if_absent(store.as_ref(), &state_path, bytes).await?;
    let staged = work.lock_staged().clone();
    loop {
        let newest = snapshot::newest(store.as_ref()).await?;
        if let Some(newest) = &newest {
            if newest.run == work.id() {
                return won(work, newest).await;
            }
            refuse_fenced(work, newest)?;
            roll_forward(store.as_ref(), newest).await?;
        }
        let entries = renumber::onto(work, &staged, newest.as_ref()).await?;
        for entry in &entries {
            let place = (&entry.table, entry.access);
            refuse_foreign(work.lake(), place, entry.version, newest.as_ref()).await?;
        }
        // All that the snapshot names is on the disk before its own name is.
        work.lake().flush(work.pipeline()).await?;
        let checked = work.lake().raw(work.pipeline()).last_check().await?;
        let next = next_snapshot(work, newest.as_ref(), &staged, entries, checked);
        match snapshot::put(store.as_ref(), &next).await? {
            PutOutcome::Written => return won(work, &next).await,
            PutOutcome::Exists => {
                let there = snapshot::read(store.as_ref(), next.number).await?;
                if there.is_some_and(|there| there.run == work.id()) {
                    return won(work, &next).await;
                }
            }
        }
    }
}

/// The snapshot is there: the rest can be done by anyone, and is done here.
async fn won(work: &Work, snapshot: &Snapshot) -> Result<Published, LakeError> {
    let store = work.store();
    roll_forward(store.as_ref(), snapshot).await?;
    for entry in &snapshot.entries {
        checkpoint::make_if_due(&store, entry).await;
    }
    Ok(Published {
        snapshot: snapshot.number,
        at: snapshot.published_at,
    })
}

/// Whether another run of the pipeline has published since this one began.
fn refuse_fenced(work: &Work, newest: &Snapshot) -> Result<(), LakeError> {
    let before = work
        .base()
        .and_then(|base| base.pipeline_entry(work.pipeline()));
    if newest.pipeline_entry(work.pipeline()) == before {
        return Ok(());
    }
    Err(LakeError::Fenced {
        pipeline: work.pipeline().to_owned(),
        run: work.id().to_owned(),
    })
}

/// Looks whether the next version of a table is still free. What a snapshot published meanwhile put there is its own.
pub(crate) async fn refuse_foreign(
    lake: &Lake,
    (table, access): (&TableName, Access),
    version: u64,
    newest: Option<&Snapshot>,
) -> Result<(), LakeError> {
    let path = layout::log_entry(table, access, version);
    let store = lake.store();
    match store.head(&path).await {
        Err(object_store::Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(LakeError::store("look for", &path, error)),
        Ok(_) => {}
    }
    let number = newest.map_or(1, |newest| newest.number + 1);
    let later = snapshot::read(store.as_ref(), number).await?;
    if later.is_some() {
        return Ok(());
    }
    Err(LakeError::ForeignWriter {
        table: table.clone(),
        version,
        path: path.to_string(),
    })
}

fn next_snapshot(
    work: &Work,
    newest: Option<&Snapshot>,
    staged: &BTreeMap<TableName, StagedTable>,
    entries: Vec<StagedEntry>,
    checked_sequence: u64,
) -> Snapshot {
    let number = newest.map_or(1, |newest| newest.number + 1);
    let after = newest.map(|newest| newest.published_at + TimeDelta::microseconds(1));
    let now = work.now();
    let mut tables = newest
        .map(|newest| newest.tables.clone())
        .unwrap_or_default();
    for entry in &entries {
        let own = staged.get(&entry.table);
        let contract = own.map(|table| table.contract.hash());
        let mut beside = work.beside(&entry.table);
        if let Some(beside) = &mut beside {
            let known = tables
                .get(&entry.table)
                .and_then(|version: &TableVersion| version.beside.as_ref());
            beside.adding = known.map(|known| known.adding.clone()).unwrap_or_default();
            if let Some(own) = own {
                own.take_into(work.pipeline(), &mut beside.adding);
            }
        }
        let version = TableVersion {
            version: entry.version,
            contract: contract.unwrap_or_default(),
            access: entry.access,
            beside,
        };
        tables.insert(entry.table.clone(), version);
    }
    let mut pipelines = newest
        .map(|newest| newest.pipelines.clone())
        .unwrap_or_default();
    let state = layout::run_state(work.id()).to_string();
    let entry = PipelineEntry {
        run: work.id().to_owned(),
        snapshot: number,
        state,
        checked_sequence,
    };
    pipelines.insert(work.pipeline().to_owned(), entry);
    Snapshot {
        number,
        published_at: after.map_or(now, |after| now.max(after)),
        run: work.id().to_owned(),
        pipeline: work.pipeline().to_owned(),
        tables,
        entries,
        pipelines,
    }
}
