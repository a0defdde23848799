//! Journal files read back, batch by batch.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::ParquetRecordBatchStreamBuilder;

use super::schema::schema;
use super::writer::fault;
use super::{Journal, Kind};
use crate::error::LakeError;
use crate::stage::StoredFile;

impl Journal {
    /// What one run wrote of one kind, in the columns of [`schema`]; a column that an older file lacks is NULL.
    ///
    /// # Errors
    /// Where the storage fails or a file is damaged; also as the stream is polled.
    pub async fn of_run(
        &self,
        kind: Kind,
        run: &str,
    ) -> Result<BoxStream<'static, Result<RecordBatch, LakeError>>, LakeError> {
        self.of_runs(kind, &HashSet::from([run])).await
    }

    /// As [`Journal::of_run`], of several runs.
    ///
    /// # Errors
    /// As there.
    pub async fn of_runs(
        &self,
        kind: Kind,
        runs: &HashSet<&str>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, LakeError>>, LakeError> {
        let mut files = self.files(kind).await?;
        // A file is named by its run and a number.
        files.retain(|file| {
            let name = file.location.filename().unwrap_or_default();
            let run = name.rsplit_once('-').map(|(run, _)| run);
            run.is_some_and(|run| runs.contains(run))
        });
        let store = Arc::clone(&self.store);
        let batches = futures::stream::iter(files)
            .then(move |file| batches(Arc::clone(&store), file, schema(kind)))
            .try_flatten();
        Ok(batches.boxed())
    }
}

async fn batches(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
    wanted: SchemaRef,
) -> Result<BoxStream<'static, Result<RecordBatch, LakeError>>, LakeError> {
    let path = file.location.clone();
    let reader = StoredFile {
        store,
        path: file.location,
        size: file.size,
    };
    let opened = async { ParquetRecordBatchStreamBuilder::new(reader).await?.build() };
    let stream = opened.await.map_err(|error| fault(&path, error))?;
    let fitted = stream.map(move |batch| {
        let batch = batch.map_err(|error| fault(&path, error))?;
        fit(&batch, &wanted).map_err(|error| fault(&path, error.into()))
    });
    Ok(fitted.boxed())
}

fn fit(batch: &RecordBatch, wanted: &SchemaRef) -> Result<RecordBatch, arrow::error::ArrowError> {
    let columns = wanted.fields().iter().map(|field| {
        batch.column_by_name(field.name()).map_or_else(
            || new_null_array(field.data_type(), batch.num_rows()),
            Arc::clone,
        )
    });
    RecordBatch::try_new(Arc::clone(wanted), columns.collect())
}
