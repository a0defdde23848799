//! A small table, and runs that load rows into it; for the tests of staging and publishing.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, StringViewArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use sectorlake_contract::{Contract, key_hashes};

use super::read::{FileRef, Reader};
use super::{DuplicateKey, Load, StageOptions, Staged, TableStage};
use crate::env::Env;
use crate::error::LakeError;
use crate::lake::Lake;
use crate::run::{Published, Run};
use crate::snapshot::{At, PipelineState, Snapshot};
use crate::table::LakeTable;
use crate::writer::WrittenFiles;

/// A row: key, value, month of its time (from 0), part, record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) value: i64,
    pub(crate) month: i64,
    pub(crate) part: String,
    pub(crate) row: i64,
}

pub(crate) fn row(id: &str, value: i64, part: &str, row: i64) -> Row {
    Row {
        id: id.to_owned(),
        value,
        month: 0,
        part: part.to_owned(),
        row,
    }
}

pub(crate) fn contract_with(extra: &str) -> Arc<Contract> {
    let text = format!(
        r#"{{ "title": "Items", "fields": [
            {{ "name": "id", "type": "string" }},
            {{ "name": "value", "type": "integer", "sectorlake": {{ "unit": "m" }} }},
            {{ "name": "at", "type": "datetime" }}
        ], "primaryKey": ["id"], "sectorlake": {{ "licence": "CC0-1.0"{extra} }} }}"#
    );
    Arc::new(Contract::parse("test.items".parse().unwrap(), &text).unwrap())
}

pub(crate) fn contract() -> Arc<Contract> {
    contract_with("")
}

pub(crate) async fn lake() -> Lake {
    lake_on(Arc::new(InMemory::new()), Env::manual()).await
}

pub(crate) async fn lake_on(store: Arc<dyn ObjectStore>, env: Env) -> Lake {
    Lake::on_store("memory", store, env).await.unwrap()
}

pub(crate) fn batch(run: &str, rows: &[Row]) -> RecordBatch {
    const MONTH_MICROS: i64 = 31 * 86_400_000_000;
    let texts = |text: fn(&Row) -> &str| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(rows.iter().map(text)))
    };
    let at = TimestampMicrosecondArray::from_iter_values(
        rows.iter().map(|row| row.month * MONTH_MICROS),
    );
    let runs = StringViewArray::from_iter_values(rows.iter().map(|_| run));
    RecordBatch::try_from_iter([
        ("id", texts(|row| &row.id)),
        (
            "value",
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| row.value),
            )) as ArrayRef,
        ),
        ("at", Arc::new(at.with_timezone("UTC"))),
        ("_run", Arc::new(runs)),
        ("_part", texts(|row| &row.part)),
        (
            "_row",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.row))),
        ),
    ])
    .unwrap()
}

/// The rows as a pipeline has them under a contract: its types, and no value in a field that they lack.
fn fitted(loading: &Loading, rows: &RecordBatch) -> RecordBatch {
    let notes = loading.note.map(|note| {
        let notes = StringViewArray::from(vec![note; rows.num_rows()]);
        Arc::new(notes) as ArrayRef
    });
    let fields = loading.contract.fields.iter().map(|field| {
        let kind = match field.arrow_type() {
            DataType::Utf8 => DataType::Utf8View,
            other => other,
        };
        let column = match rows.column_by_name(&field.name) {
            Some(column) => cast(column, &kind).unwrap(),
            None if field.name == "note" && notes.is_some() => notes.clone().unwrap(),
            None => new_null_array(&kind, rows.num_rows()),
        };
        (field.name.clone(), column)
    });
    let origin = ["_run", "_part", "_row"].map(|name| {
        let column = rows.column_by_name(name).unwrap();
        (name.to_owned(), Arc::clone(column))
    });
    RecordBatch::try_from_iter(fields.chain(origin)).unwrap()
}

/// How rows are loaded.
#[derive(Debug, Clone)]
pub(crate) struct Loading {
    pub(crate) contract: Arc<Contract>,
    pub(crate) load: Load,
    pub(crate) options: StageOptions,
    /// What a text field `note` says in every row.
    pub(crate) note: Option<&'static str>,
    /// Where deletions are followed: the ids whose new rows were refused.
    pub(crate) refused: Option<Vec<&'static str>>,
}

/// What a stage came to, with the duplicates it told of on the way.
#[derive(Debug)]
pub(crate) struct Told {
    staged: Staged,
    pub(crate) duplicates: Vec<DuplicateKey>,
}

impl std::ops::Deref for Told {
    type Target = Staged;

    fn deref(&self) -> &Staged {
        &self.staged
    }
}

impl Loading {
    pub(crate) fn of(load: Load) -> Self {
        Self {
            contract: contract(),
            load,
            options: StageOptions::default(),
            note: None,
            refused: None,
        }
    }

    /// Stages the rows, each group by a writer of its own; parts in the order of their names.
    pub(crate) async fn stage(&self, run: &Run, groups: &[Vec<Row>]) -> Result<Told, LakeError> {
        let mut stage = self.begin(run).await?;
        if let Some(refused) = &self.refused {
            let ids: ArrayRef = Arc::new(StringViewArray::from(refused.clone()));
            stage.follow_deletions(key_hashes(&[ids]).unwrap().into_iter().collect());
        }
        let files = self.write(&stage, run, groups).await?;
        let mut parts: Vec<String> = groups
            .iter()
            .flatten()
            .map(|row| row.part.clone())
            .collect();
        parts.sort();
        parts.dedup();
        let (sender, mut told) = tokio::sync::mpsc::channel(1);
        let telling = async {
            let mut duplicates = Vec::new();
            while let Some(some) = told.recv().await {
                duplicates.extend(some);
            }
            Ok(duplicates)
        };
        let finishing = stage.finish_into(files, None, &parts, sender);
        let (staged, duplicates) = futures::try_join!(finishing, telling)?;
        Ok(Told { staged, duplicates })
    }

    pub(crate) async fn begin(&self, run: &Run) -> Result<TableStage, LakeError> {
        run.stage(&self.contract, self.load, self.options.clone())
            .await
    }

    /// Writes the rows, each group by a writer of its own.
    pub(crate) async fn write(
        &self,
        stage: &TableStage,
        run: &Run,
        groups: &[Vec<Row>],
    ) -> Result<Vec<WrittenFiles>, LakeError> {
        let mut files = Vec::new();
        for rows in groups {
            let mut writer = stage.writer();
            for piece in rows.chunks(3.max(rows.len() / 8)) {
                let rows = fitted(self, &batch(run.id(), piece));
                writer.write(rows).await?;
            }
            files.push(writer.close().await?);
        }
        Ok(files)
    }

    /// A whole run.
    pub(crate) async fn run(
        &self,
        lake: &Lake,
        pipeline: &str,
        groups: &[Vec<Row>],
    ) -> Result<(Told, Published), LakeError> {
        let run = lake.begin(pipeline).await?;
        let staged = self.stage(&run, groups).await?;
        let published = run.publish(PipelineState::default()).await?;
        Ok((staged, published))
    }
}

pub(crate) async fn latest(lake: &Lake) -> Option<Snapshot> {
    lake.snapshot(At::Latest).await.unwrap()
}

/// What readers see: by (source, key), the value and the run that brought it. Fails where a key is there twice.
pub(crate) async fn rows(lake: &Lake) -> BTreeMap<(String, String), (i64, String)> {
    let Some(snapshot) = latest(lake).await else {
        return BTreeMap::new();
    };
    let name = "test.items".parse().unwrap();
    if !snapshot.tables.contains_key(&name) {
        return BTreeMap::new();
    }
    rows_of(lake, &lake.table(&snapshot, &name).await.unwrap()).await
}

pub(crate) async fn rows_of(
    lake: &Lake,
    table: &LakeTable,
) -> BTreeMap<(String, String), (i64, String)> {
    let reader = Reader {
        store: lake.store(),
        table: table.name.clone(),
        schema: Arc::clone(&table.schema),
    };
    let columns = ["_source", "id", "value", "_run"].map(str::to_owned);
    let mut rows = BTreeMap::new();
    for file in &table.files {
        let batches: Vec<RecordBatch> = reader
            .read(&FileRef::from(file), &columns)
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(
            found as u64, file.rows,
            "the log tells how many rows {} has",
            file.path
        );
        for batch in batches {
            let text = |column: usize, row: usize| {
                batch
                    .column(column)
                    .as_string::<i32>()
                    .value(row)
                    .to_owned()
            };
            for row in 0..batch.num_rows() {
                // Whatever its type by now, a value is the number it was.
                let value = cast(batch.column(2), &DataType::Int64).unwrap();
                let value = value.as_primitive::<Int64Type>().value(row);
                let key = (text(0, row), text(1, row));
                assert!(
                    rows.insert(key, (value, text(3, row))).is_none(),
                    "a key is there twice"
                );
            }
        }
    }
    rows
}

/// Every row of a table with all its columns but some, as text, in order.
pub(crate) async fn texts_of(lake: &Lake, table: &LakeTable, without: &[&str]) -> Vec<String> {
    let reader = Reader {
        store: lake.store(),
        table: table.name.clone(),
        schema: Arc::clone(&table.schema),
    };
    let fields = table.schema.fields().iter();
    let names = fields.map(|field| field.name().clone());
    let columns: Vec<String> = names
        .filter(|name| !without.contains(&name.as_str()))
        .collect();
    let mut texts = Vec::new();
    for file in &table.files {
        let batches = reader.read(&FileRef::from(file), &columns).await.unwrap();
        let batches: Vec<RecordBatch> = batches.try_collect().await.unwrap();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let values = batch.columns().iter();
                let values = values.map(|column| array_value_to_string(column, row).unwrap());
                texts.push(values.collect::<Vec<_>>().join(" "));
            }
        }
    }
    texts.sort();
    texts
}

/// The values by key of one source.
pub(crate) async fn values(lake: &Lake, source: &str) -> BTreeMap<String, i64> {
    let rows = rows(lake).await.into_iter();
    rows.filter(|((of, _), _)| of == source)
        .map(|((_, id), (value, _))| (id, value))
        .collect()
}
