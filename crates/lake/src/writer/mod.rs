//! Writing a table's data files: Parquet, straight into the table's folder, a writer per worker.
//!
//! # What is cheap and why
//! Measured on 5 million GTFS stop_times of 14 columns, batches of 8192 rows, two threads (milliseconds of CPU in all, MB
//! of files): Parquet's defaults 2940, 68.5; `_row` as DELTA_BINARY_PACKED and no statistics on `_run` and `_part` 2700,
//! 46.8; columns of one value written by hand 2300, 46.7; dictionaries of at most 256 KiB instead of 1 MiB 880, 88.5.
//! - Large dictionaries fall out of the cache: those of the times of day alone took 1200 of the milliseconds. Past the
//!   bound a column goes on plain. DELTA_BYTE_ARRAY there would save a fifth of the bytes for 8 % more time, and fewer
//!   readers know it.
//! - Columns of one value (`_run`, `_part`, the feed's id, many codes) are a dictionary of one and one run; see `constant`.
//! - `_row` counts up: DELTA_BINARY_PACKED takes it for a quarter of a dictionary's time, and nearly no bytes.
//! - Statistics of chunks and pages cost a tenth, Snappy a quarter of the rest; both pay back at the first reading.
//! - Text arrives as views and is encoded as it is: no cast, no copy.
//!
//! # Order
//! Rows keep the order they come in. A batch that spans partitions is cut into runs where its rows stand in runs (a
//! station's year, hour by hour), else gathered by partition; within a partition the order stays. Files are not
//! sorted by `cluster_by`: sources of that size come in order, and a sort would hold the file in memory.
//!
//! # Memory
//! All writers of a stage share one bound (`StageOptions::buffer_bytes_max`). Whoever exceeds it closes the largest of
//! its files: a table of many months in one file of unsorted rows becomes more files, never more memory.

mod adapt;
mod budget;
mod constant;
mod file;
pub(crate) mod partition;
mod properties;
mod row_group;
pub(crate) mod statistics;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use object_store::ObjectStore;
use object_store::path::Path;
use parquet::file::properties::WriterPropertiesPtr;
use sectorlake_contract::{Contract, system};

use crate::error::LakeError;
use crate::layout::{self, Access};
use crate::stage::form::Fit;
use budget::{Budget, Share};
use file::OpenFile;
use partition::{PartitionKey, Partitioner};

/// The size a data file may reach before the next one is begun.
const FILE_BYTES_MAX: usize = 512 << 20;

/// What the writers of one stage share.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) contract: Arc<Contract>,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The run: data files are named by it.
    pub(crate) run: String,
    pub(crate) source: String,
    pub(crate) access: Access,
    /// The table's columns without the partition columns: those of its files.
    pub(crate) file_schema: SchemaRef,
    /// What a batch is made to have first, where rows come in a narrower form.
    row_schema: Option<SchemaRef>,
    properties: WriterPropertiesPtr,
    budget: Arc<Budget>,
    sequence: AtomicU64,
}

impl Target {
    pub(crate) fn new(
        contract: Arc<Contract>,
        store: Arc<dyn ObjectStore>,
        (run, source, access): (&str, &str, Access),
        (schema, fit): (&Schema, Fit),
        buffer_bytes_max: usize,
    ) -> Self {
        let partition_columns = contract.partition_columns();
        let kept = schema
            .fields()
            .iter()
            .filter(|field| !partition_columns.contains(field.name()));
        let file_schema = Arc::new(Schema::new(kept.cloned().collect::<Vec<_>>()));
        Self {
            properties: Arc::new(properties::of(&file_schema)),
            row_schema: (fit == Fit::Widened).then(|| adapt::row_schema(&contract)),
            file_schema,
            contract,
            store,
            run: run.to_owned(),
            source: source.to_owned(),
            access,
            budget: Budget::new(buffer_bytes_max),
            sequence: AtomicU64::new(0),
        }
    }

    /// A path for a new file: unique, by the run and a number.
    fn path(&self, partition_values: &BTreeMap<String, Option<String>>) -> Path {
        let mut folder = layout::table(&self.contract.name, self.access);
        for column in self.contract.partition_columns() {
            let value = partition_values.get(&column).and_then(Option::as_deref);
            folder = folder.join(partition::folder_name(&column, value));
        }
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        folder.join(format!("{}-{number:05}.parquet", self.run))
    }

    /// Opens a file of one partition.
    pub(crate) fn open(
        &self,
        partition_values: BTreeMap<String, Option<String>>,
    ) -> Result<OpenFile, LakeError> {
        let path = self.path(&partition_values);
        OpenFile::create(self, path, partition_values)
    }
}

/// A data file that is whole and stored, not yet named by any log entry.
#[derive(Debug, Clone)]
pub(crate) struct WrittenFile {
    pub(crate) path: Path,
    pub(crate) size: u64,
    pub(crate) rows: u64,
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
    /// The file's statistics in Delta's JSON.
    pub(crate) statistics: String,
}

/// The data files one [`TableWriter`] wrote; to be handed to `TableStage::finish`.
#[derive(Debug, Default)]
pub struct WrittenFiles {
    pub(crate) files: Vec<WrittenFile>,
}

impl WrittenFiles {
    /// How many rows they hold.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}

/// Writes the rows of one worker into data files of one table, by partition.
#[derive(Debug)]
pub struct TableWriter {
    target: Arc<Target>,
    partitioner: Partitioner,
    columns: Option<Columns>,
    open: HashMap<PartitionKey, OpenFile>,
    written: WrittenFiles,
    share: Share,
}

/// Where the file's columns stand in the batches.
#[derive(Debug)]
struct Columns {
    of: SchemaRef,
    positions: Vec<usize>,
}

impl TableWriter {
    pub(crate) fn new(target: Arc<Target>) -> Self {
        let source = target.source.clone();
        Self::of_source(&target, &source)
    }

    /// One that writes rows of another source, which no file shares with the run's own.
    pub(crate) fn of_source(target: &Arc<Target>, source: &str) -> Self {
        Self {
            partitioner: Partitioner::new(&target.contract, source),
            columns: None,
            open: HashMap::new(),
            written: WrittenFiles::default(),
            share: target.budget.share(),
            target: Arc::clone(target),
        }
    }

    /// Writes a batch: the contract's fields and `_run`, `_part`, `_row`; texts in any of Arrow's forms. Fields that the
    /// table has beyond the contract are left empty, and narrower types made wide.
    ///
    /// # Errors
    /// Where a column is missing or of another type, and where the storage fails.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<(), LakeError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = match &self.target.row_schema {
            Some(schema) => adapt::adapted(&batch, schema).map_err(|error| self.arrow(error))?,
            None => batch,
        };
        let pieces = self
            .partitioner
            .split(&batch)
            .map_err(|error| self.arrow(error))?;
        let positions = self.positions(&batch)?;
        for (key, rows) in pieces {
            let rows = rows
                .project(&positions)
                .map_err(|error| self.arrow(error))?;
            self.write_piece(key, &rows).await?;
        }
        self.keep_to_budget().await
    }

    async fn write_piece(
        &mut self,
        key: PartitionKey,
        rows: &RecordBatch,
    ) -> Result<(), LakeError> {
        let file = match self.open.remove(&key) {
            Some(file) => file,
            None => self.target.open(self.partitioner.values(&key))?,
        };
        let file = self.open.entry(key.clone()).or_insert(file);
        let before = file.held();
        file.write(rows).await?;
        self.share.change(before, file.held());
        if file.bytes_written() >= FILE_BYTES_MAX {
            self.finish(&key).await?;
        }
        Ok(())
    }

    async fn keep_to_budget(&mut self) -> Result<(), LakeError> {
        while self.share.is_over() {
            let largest = self.open.iter().max_by_key(|(_, file)| file.held());
            let Some(key) = largest.map(|(key, _)| key.clone()) else {
                break;
            };
            self.finish(&key).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, key: &PartitionKey) -> Result<(), LakeError> {
        if let Some(file) = self.open.remove(key) {
            self.share.change(file.held(), 0);
            self.written.files.push(file.close().await?);
        }
        Ok(())
    }

    /// Finishes all files.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn close(mut self) -> Result<WrittenFiles, LakeError> {
        let keys: Vec<PartitionKey> = self.open.keys().cloned().collect();
        for key in keys {
            self.finish(&key).await?;
        }
        self.written
            .files
            .sort_by(|left, right| left.path.cmp(&right.path));
        Ok(std::mem::take(&mut self.written))
    }

    /// The positions of the file's columns in the batch: looked up once for all batches of one schema.
    fn positions(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, LakeError> {
        let schema = batch.schema();
        if let Some(columns) = &self.columns
            && Arc::ptr_eq(&columns.of, &schema)
        {
            return Ok(columns.positions.clone());
        }
        let positions = self
            .target
            .file_schema
            .fields()
            .iter()
            .map(|field| {
                let position = schema
                    .index_of(field.name())
                    .map_err(|error| self.arrow(error))?;
                let found = schema.field(position).data_type();
                if is_same_type(field.data_type(), found) {
                    return Ok(position);
                }
                let message = format!(
                    "column {} is {found}, not {}",
                    field.name(),
                    field.data_type()
                );
                Err(self.arrow(arrow::error::ArrowError::SchemaError(message)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        self.columns = Some(Columns {
            of: schema,
            positions: positions.clone(),
        });
        Ok(positions)
    }

    fn arrow(&self, source: arrow::error::ArrowError) -> LakeError {
        LakeError::Arrow {
            table: self.target.contract.name.clone(),
            source: Box::new(source),
        }
    }
}

/// Whether Parquet stores both types alike: texts and bytes in any of Arrow's forms.
fn is_same_type(stored: &DataType, found: &DataType) -> bool {
    match (stored, found) {
        (_, DataType::Dictionary(_, values)) => is_same_type(stored, values),
        (DataType::Utf8, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        | (DataType::Binary, DataType::Binary | DataType::LargeBinary | DataType::BinaryView) => {
            true
        }
        _ => stored == found,
    }
}

/// Whether a column's statistics are left out of the files: the log says all there is to say.
pub(crate) fn is_without_statistics(column: &str) -> bool {
    column == system::RUN || column == system::PART
}
