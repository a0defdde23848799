//! What was chosen of each column when it was last loaded, and why: from the profiles of each pipeline's last published run.

use std::collections::{HashMap, HashSet};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use datafusion::error::{DataFusionError, Result};
use futures::TryStreamExt;
use sectorlake_lake::{At, Kind, Lake, LakeError};

/// By table and column: what the source held, the chosen type, why.
#[derive(Debug, Default)]
pub(super) struct Chosen(HashMap<String, HashMap<String, Told>>);

type Told = [Option<String>; 3];

impl Chosen {
    pub(super) fn of(&self, table: &str, column: &str) -> Option<&Told> {
        self.0.get(table)?.get(column)
    }

    fn add(&mut self, batch: &RecordBatch) {
        let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        let names = ["table_schema", "table_name", "side", "column_name"].map(text);
        let told = ["source_type", "chosen", "why"].map(text);
        let [Some(schemas), Some(tables), Some(sides), Some(columns)] = names else {
            return;
        };
        for row in (0..batch.num_rows()).filter(|row| sides.value(*row) == "field") {
            let value = |column: Option<&StringArray>| {
                column
                    .filter(|column| column.is_valid(row))
                    .map(|column| column.value(row).to_owned())
            };
            let table = format!("{}.{}", schemas.value(row), tables.value(row));
            let columns_of = self.0.entry(table).or_default();
            columns_of.insert(columns.value(row).to_owned(), told.map(value));
        }
    }
}

pub(super) async fn chosen(lake: Option<&Lake>) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    let Some(lake) = lake else { return Ok(chosen) };
    let external = |error: LakeError| DataFusionError::External(Box::new(error));
    let Some(snapshot) = lake.snapshot(At::Latest).await.map_err(external)? else {
        return Ok(chosen);
    };
    let runs: HashSet<&str> = snapshot
        .pipelines
        .values()
        .map(|entry| entry.run.as_str())
        .collect();
    // Files come in the order of their runs, so of several pipelines the latest tells.
    let mut batches = lake
        .journal()
        .of_runs(Kind::Profiles, &runs)
        .await
        .map_err(external)?;
    while let Some(batch) = batches.try_next().await.map_err(external)? {
        chosen.add(&batch);
    }
    Ok(chosen)
}
