//! A table at one version, as far as a plain Parquet scan needs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Statistics;
use deltalake::DeltaTableError;
use deltalake::kernel::{EagerSnapshot, LogicalFileView};
use object_store::ObjectStore;
use object_store::path::Path;
use sectorlake_contract::{Contract, Field, TableName, is_added};

use crate::error::LakeError;
use crate::layout::Access;
use crate::overlay::{Overlay, log_store};
use crate::writer::statistics::from_delta;

/// The property that holds the whole contract, as Table Schema.
pub(crate) const CONTRACT: &str = "sectorlake.schema";

/// One table at one version.
#[derive(Debug, Clone)]
pub struct LakeTable {
    /// The table.
    pub name: TableName,
    /// Its Delta version.
    pub version: u64,
    /// Behind which door it lies.
    pub access: Access,
    /// All columns, in the table's order, with the fields' metadata (titles, unit, classification).
    pub schema: SchemaRef,
    /// The columns that are not in the files: their values are the files' `partition_values`.
    pub partition_columns: Vec<String>,
    /// The table's own metadata: `sectorlake.title.vi`, `.licence`, `.contract`, …
    pub metadata: BTreeMap<String, String>,
    /// Its data files.
    pub files: Vec<DataFile>,
    /// Delta's own name of the table, and when it was made.
    pub(crate) id: String,
    pub(crate) created_ms: Option<i64>,
}

/// One Parquet file of a table.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Where it lies, from the lake's root.
    pub path: Path,
    /// Its size in bytes.
    pub size: u64,
    /// How many rows it holds.
    pub rows: u64,
    /// The values of the partition columns, as the log writes them.
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Bounds and nulls of each column of the table's schema; a bound is exact only where it is a value of the file.
    pub statistics: Statistics,
    /// The same as the log writes them.
    pub(crate) statistics_text: Option<String>,
}

impl LakeTable {
    /// Reads the published log up to `version`.
    pub(crate) async fn open(
        store: Arc<dyn ObjectStore>,
        name: &TableName,
        access: Access,
        version: u64,
    ) -> Result<Self, LakeError> {
        let overlay = Overlay::published(store, (name, access), version);
        Self::open_over(overlay, name, access, version).await
    }

    /// Reads the log up to `version` as a run sees it.
    pub(crate) async fn open_over(
        overlay: Arc<Overlay>,
        name: &TableName,
        access: Access,
        version: u64,
    ) -> Result<Self, LakeError> {
        let folder = overlay.folder().clone();
        let log_store = log_store(overlay)?;
        let snapshot = EagerSnapshot::try_new(log_store.as_ref(), Some(version)).await;
        let snapshot = snapshot.map_err(|error| delta(name, &folder, error))?;
        let schema = snapshot.arrow_schema();
        let log = snapshot.log_data();
        let files = log
            .iter()
            .map(|view| data_file(&schema, &folder, &view))
            .collect();
        Ok(Self {
            name: name.clone(),
            version,
            access,
            partition_columns: snapshot.metadata().partition_columns().to_vec(),
            metadata: configuration(&snapshot),
            files,
            id: snapshot.metadata().id().to_owned(),
            created_ms: snapshot.metadata().created_time(),
            schema,
        })
    }
}

impl LakeTable {
    /// The contract that the table was last written by, and after its fields those that drift added. Of a table from before
    /// contracts were stored, or whose contract this program cannot read, what the stored schema tells of it.
    #[must_use]
    pub fn contract(&self) -> Contract {
        let told = || {
            let own = self.schema.fields().iter().filter(|field| !is_added(field));
            let own = Schema::new(own.cloned().collect::<Vec<_>>());
            Contract::of_table(&self.name, &own, &self.partition_columns, &self.metadata)
        };
        let contract = self.whole_contract().unwrap_or_else(told);
        contract.with_added(self.added_fields())
    }

    /// The contract, where it is stored whole: with the rules that rows were checked by.
    pub(crate) fn whole_contract(&self) -> Option<Contract> {
        let text = self.metadata.get(CONTRACT)?;
        Contract::parse(self.name.clone(), text).ok()
    }

    /// The fields that drift added: no contract names them, and a pipeline that does not know them leaves them empty.
    #[must_use]
    pub fn added_fields(&self) -> Vec<Field> {
        let columns = self.schema.fields().iter();
        columns
            .filter(|column| is_added(column))
            .map(|column| Field::of_column(column))
            .collect()
    }

    /// The major version of the contract that the table was last written by; none where the table does not tell.
    pub(crate) fn major(&self) -> Option<u64> {
        self.metadata
            .contains_key("sectorlake.version")
            .then(|| self.contract().major())
    }
}

impl DataFile {
    /// Whether its rows came from this pipeline: no file holds rows of two.
    pub(crate) fn is_of(&self, source: &str) -> bool {
        let value = self
            .partition_values
            .get(sectorlake_contract::system::SOURCE);
        value.and_then(Option::as_deref) == Some(source)
    }
}

fn data_file(schema: &SchemaRef, folder: &Path, view: &LogicalFileView) -> DataFile {
    let partition_values: BTreeMap<_, _> = view.partition_values_map().into_iter().collect();
    let size = u64::try_from(view.size()).unwrap_or_default();
    let statistics_text = view.stats();
    let (rows, statistics) =
        from_delta(schema, &partition_values, statistics_text.as_deref(), size);
    let relative = view.object_store_path();
    let path = relative
        .parts()
        .fold(folder.clone(), |path, part| path.join(part));
    DataFile {
        path,
        size,
        rows,
        partition_values,
        statistics,
        statistics_text,
    }
}

/// The table's properties that are ours.
fn configuration(snapshot: &EagerSnapshot) -> BTreeMap<String, String> {
    let properties = snapshot.metadata().configuration().iter();
    properties
        .filter(|(key, _)| key.starts_with("sectorlake."))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn delta(table: &TableName, folder: &Path, source: DeltaTableError) -> LakeError {
    LakeError::refused("open", folder.as_ref(), &source).unwrap_or_else(|| LakeError::Delta {
        table: table.clone(),
        action: "open",
        source: Box::new(source),
    })
}
