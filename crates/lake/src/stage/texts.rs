//! Rows of data files as JSON text, by their places.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::json::LineDelimitedWriter;
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use sectorlake_contract::system;

use super::TableStage;
use super::plan::Plan;
use super::read::Reader;
use crate::error::LakeError;
use crate::settle::{Place, Positions};

/// A row as text.
pub(super) struct RowText {
    pub(super) key: String,
    pub(super) run: String,
    pub(super) row: String,
}

/// Reads the rows at these places as text.
pub(super) async fn for_each(
    stage: &TableStage,
    reader: &Reader,
    plan: &Plan,
    places: impl Iterator<Item = Place>,
    mut each: impl FnMut(Place, RowText),
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
        let file_ref = &plan.entries[file].file;
        let mut batches = reader.read_rows(file_ref, &columns, Some(&wanted)).await?;
        let mut positions = wanted.ranges().flatten();
        while let Some(batch) = batches.try_next().await? {
            // The texts first: a zip takes one too many of its left side.
            let texts = texts(stage, reader, &batch)?.into_iter();
            for (text, position) in texts.zip(positions.by_ref()) {
                let position = position as u64;
                each(Place { file, position }, text);
            }
        }
    }
    Ok(())
}

fn texts(
    stage: &TableStage,
    reader: &Reader,
    rows: &RecordBatch,
) -> Result<Vec<RowText>, LakeError> {
    let of = || {
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
        let texts = keys.into_iter().zip(values).enumerate();
        Ok(texts
            .map(|(row, (key, text))| RowText {
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
