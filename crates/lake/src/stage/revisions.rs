//! The journal of changed values: for each row that a merge replaced, what it said and what says otherwise now.
//!
//! A change is no overwrite that no one saw. Pairs are worked off a share at a time: the old rows of a share are held as
//! text until the new ones are met.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{AsArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::json::LineDelimitedWriter;
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use sectorlake_contract::{Classification, system};

use super::TableStage;
use super::plan::Plan;
use super::read::Reader;
use crate::error::LakeError;
use crate::journal::RevisionRow;
use crate::layout::Access;
use crate::settle::{Place, Positions};

/// Changed rows whose old values are held at a time.
const PAIRS_AT_A_TIME: usize = 20_000;

/// A row that was, as text.
struct Old {
    key: String,
    run: String,
    row: String,
}

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
    let personal = |classification| classification == Classification::Personal;
    let access = if stage
        .contract
        .fields
        .iter()
        .any(|field| personal(field.classification))
    {
        Access::Restricted
    } else {
        Access::Open
    };
    let work = &stage.work;
    let mut journal = work.journal().writer::<RevisionRow>(work.id(), access);
    for share in changed.chunks(PAIRS_AT_A_TIME) {
        let mut olds: HashMap<Place, Old> = HashMap::new();
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

/// Reads the rows at these places as text.
async fn for_each(
    stage: &TableStage,
    reader: &Reader,
    plan: &Plan,
    places: impl Iterator<Item = Place>,
    mut each: impl FnMut(Place, Old),
) -> Result<(), LakeError> {
    let mut by_file: BTreeMap<usize, Positions> = BTreeMap::new();
    for place in places {
        by_file
            .entry(place.file)
            .or_default()
            .insert(place.position);
    }
    let mut columns: Vec<String> = stage
        .contract
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    columns.push(system::RUN.to_owned());
    for (file, wanted) in by_file {
        let mut batches = reader.read(&plan.entries[file].file, &columns).await?;
        let mut first = 0;
        while let Some(batch) = batches.try_next().await? {
            let rows = u32::try_from(batch.num_rows()).unwrap_or(u32::MAX);
            let chosen: Vec<u32> = (0..rows)
                .filter(|row| wanted.contains(first + u64::from(*row)))
                .collect();
            if !chosen.is_empty() {
                let texts = texts(stage, reader, &batch, &chosen)?;
                for (row, old) in chosen.iter().zip(texts) {
                    each(
                        Place {
                            file,
                            position: first + u64::from(*row),
                        },
                        old,
                    );
                }
            }
            first += u64::from(rows);
        }
    }
    Ok(())
}

fn texts(
    stage: &TableStage,
    reader: &Reader,
    batch: &RecordBatch,
    chosen: &[u32],
) -> Result<Vec<Old>, LakeError> {
    let of = || {
        let rows = take_record_batch(batch, &UInt32Array::from(chosen.to_vec()))?;
        let fields: Vec<usize> = (0..rows.num_columns() - 1).collect();
        let key = stage
            .contract
            .primary_key
            .iter()
            .map(|field| rows.schema().index_of(field));
        let key = key.collect::<Result<Vec<_>, _>>()?;
        let (keys, values) = (
            lines(&rows.project(&key)?)?,
            lines(&rows.project(&fields)?)?,
        );
        let runs = rows.column(rows.num_columns() - 1).as_string::<i32>();
        let olds = keys.into_iter().zip(values).enumerate();
        Ok(olds
            .map(|(row, (key, text))| Old {
                key,
                run: runs.value(row).to_owned(),
                row: text,
            })
            .collect())
    };
    of().map_err(|error| reader.arrow(error))
}

/// Each row as a JSON object.
fn lines(rows: &RecordBatch) -> Result<Vec<String>, arrow::error::ArrowError> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(rows)?;
    writer.finish()?;
    let text = String::from_utf8(writer.into_inner())
        .map_err(|error| arrow::error::ArrowError::JsonError(error.to_string()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
