//! The journal of changed values: for each row that a merge replaced, what it said and what says otherwise now.
//!
//! A change is no overwrite that no one saw. Pairs are worked off a share at a time: the old rows of a share are held as
//! text until the new ones are met.

use std::collections::HashMap;

use super::TableStage;
use super::plan::Plan;
use super::read::Reader;
use super::texts::{RowText, for_each};
use crate::error::LakeError;
use crate::journal::RevisionRow;
use crate::settle::Place;

/// Changed rows whose old values are held at a time.
const PAIRS_AT_A_TIME: usize = 20_000;

/// Writes the revisions of all changed rows, given the places of the old and the new row of each.
pub(super) async fn write(
    stage: &TableStage,
    reader: &Reader,
    plan: &Plan,
    changed: &mut [(Place, Place)],
) -> Result<(), LakeError> {
    if changed.is_empty() {
        return Ok(());
    }
    changed.sort_unstable();
    let work = &stage.work;
    let mut journal = work
        .journal()
        .writer::<RevisionRow>(work.id(), stage.ground.access);
    for share in changed.chunks(PAIRS_AT_A_TIME) {
        let mut olds: HashMap<Place, RowText> = HashMap::new();
        let old_places = share.iter().map(|(old, _)| *old);
        for_each(stage, reader, plan, old_places, |place, old| {
            drop(olds.insert(place, old))
        })
        .await?;
        let by_new: HashMap<Place, Place> = share.iter().map(|(old, new)| (*new, *old)).collect();
        let mut rows = Vec::with_capacity(share.len());
        let at = work.now();
        for_each(stage, reader, plan, by_new.keys().copied(), |place, new| {
            let Some(old) = by_new.get(&place).and_then(|place| olds.remove(place)) else {
                return;
            };
            rows.push(RevisionRow {
                run: work.id().to_owned(),
                pipeline: work.pipeline().to_owned(),
                table: stage.contract.name.clone(),
                key: old.key,
                old_run: old.run,
                old_row: old.row,
                new_row: Some(new.row),
                at,
            });
        })
        .await?;
        for row in rows {
            journal.push(row).await?;
        }
    }
    journal.close().await.map(drop)
}
