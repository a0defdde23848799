//! The session: a catalog over one snapshot, and one way to ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProviderList};
use datafusion::common::{ScalarValue, Statistics};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SQLOptions;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::{StreamExt as _, stream};
use object_store::ObjectStore;
use sectorlake_contract::{TableName, system};
use sectorlake_functions::{
    PlaceIndex, Places, SessionOptions, names_place_function, session_builder,
};
use sectorlake_lake::{At, Beside, DataFile, Lake, LakeTable, Snapshot};

use crate::catalog::{CATALOG, DEFAULT_SCHEMA, LakeCatalog, Opened, Source, Tables};
use crate::error::QueryError;
use crate::meta::{self, Meta};
use crate::missing;
use crate::names::Names;
use crate::places;
use crate::scan::{File, ParquetTable};
use crate::statement;
use crate::versions;

/// Tables whose columns are looked up at one time for completion.
const NAMED_AT_ONCE: usize = 8;

/// A read-only session over one snapshot.
pub struct Session {
    context: SessionContext,
    catalog: Arc<LakeCatalog>,
    snapshot: Option<u64>,
    places: Places,
}

impl Session {
    /// Opens a session on the lake's state at `at`. Without a lake, or on an empty one, there is `meta` alone.
    ///
    /// # Errors
    /// [`QueryError::Lake`] where the lake cannot be read or holds no such snapshot; [`QueryError::Engine`] where the options are refused.
    pub async fn open(
        lake: Option<&Lake>,
        at: At,
        options: SessionOptions,
    ) -> Result<Self, QueryError> {
        let Some(lake) = lake else {
            return Self::without_lake(&options);
        };
        let snapshot = lake.snapshot(at).await?.map(Arc::new);
        let names: Vec<TableName> = snapshot
            .iter()
            .flat_map(|snapshot| snapshot.tables.keys().cloned())
            .collect();
        let views = snapshot.as_deref().map(versions::views).unwrap_or_default();
        let number = snapshot.as_ref().map(|snapshot| snapshot.number);
        let tables = Tables::new(
            Arc::new(OfSnapshot {
                lake: lake.clone(),
                snapshot,
            }),
            names,
        );
        let tables = Arc::new(tables.with_views(views));
        let meta = meta::schema(&tables, Some(lake))?;
        let session = Self::over(&tables, meta, number, &options)?;
        session.register(lake.store())?;
        Ok(session)
    }

    /// Where data files are read from.
    pub(crate) fn register(&self, store: Arc<dyn ObjectStore>) -> Result<()> {
        self.context
            .register_object_store(lake_url()?.as_ref(), store);
        Ok(())
    }

    fn without_lake(options: &SessionOptions) -> Result<Self, QueryError> {
        let tables = Arc::new(Tables::new(Arc::new(Nowhere), []));
        let meta = meta::schema(&tables, None)?;
        Ok(Self::over(&tables, meta, None, options)?)
    }

    /// A session over tables from anywhere.
    pub(crate) fn over(
        tables: &Arc<Tables>,
        meta: Meta,
        snapshot: Option<u64>,
        options: &SessionOptions,
    ) -> Result<Self> {
        let catalog = Arc::new(LakeCatalog::new(tables, Arc::new(meta)));
        let catalogs = MemoryCatalogProviderList::new();
        catalogs.register_catalog(
            CATALOG.to_owned(),
            Arc::clone(&catalog) as Arc<dyn CatalogProvider>,
        );
        let mut builder = session_builder(options)?;
        let config = builder.config().take().unwrap_or_default();
        let mut config = config
            .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
            .with_create_default_catalog_and_schema(false);
        // Errors name their place in the statement.
        config.options_mut().sql_parser.collect_spans = true;
        let state = builder
            .with_config(config)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        Ok(Self {
            context: SessionContext::new_with_state(state),
            catalog,
            snapshot,
            places: options.places.clone(),
        })
    }

    /// Answers one question. The answer is computed as the stream is polled; dropping it cancels the query.
    ///
    /// # Errors
    /// A syntax error, a name that is not there (with a guess), a statement that is no question, and whatever the engine finds when it runs.
    pub async fn sql(&self, statement: &str) -> Result<SendableRecordBatchStream, DataFusionError> {
        if names_place_function(statement) && !self.places.is_set() {
            self.places.set(self.place_index().await?);
        }
        let state = self.context.state();
        let plan = self.plan(&state, statement).await?;
        DataFrame::new(state, plan).execute_stream().await
    }

    /// The snapshot's places, as the place functions look them up.
    ///
    /// # Errors
    /// Where `common.places` or `common.place_crosswalk` cannot be read.
    pub async fn place_index(&self) -> Result<Arc<PlaceIndex>, DataFusionError> {
        places::index(&self.context).await
    }

    async fn plan(&self, state: &SessionState, statement: &str) -> Result<LogicalPlan> {
        let statement = statement::parse(statement, state.config_options())?;
        let plan = state
            .statement_to_plan(statement)
            .await
            .map_err(|error| missing::explain(error, &self.catalog))?;
        // Whatever the statement looked like, its plan must not write.
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&plan)?;
        Ok(plan)
    }

    /// The snapshot that is read; none on an empty lake.
    #[must_use]
    pub fn snapshot_number(&self) -> Option<u64> {
        self.snapshot
    }

    /// Every table with its columns, and every function. Opens all tables.
    pub async fn names(&self) -> Names {
        let state = self.context.state();
        let tables: Vec<String> = self.catalog.tables().collect();
        let columns = stream::iter(tables)
            .map(|table| async { (self.columns(&table).await, table) })
            .buffered(NAMED_AT_ONCE);
        let tables: BTreeMap<_, _> = columns
            .map(|(columns, table)| (table, columns))
            .collect()
            .await;
        let functions = state
            .scalar_functions()
            .keys()
            .chain(state.aggregate_functions().keys())
            .chain(state.window_functions().keys())
            .chain(state.table_functions().keys());
        Names {
            tables,
            functions: functions.cloned().collect(),
        }
    }

    async fn columns(&self, table: &str) -> Vec<String> {
        let Some((schema, table)) = table.split_once('.') else {
            return Vec::new();
        };
        let Some(schema) = self.catalog.schema(schema) else {
            return Vec::new();
        };
        // Completion offers what it can: a table that does not open tells why when it is asked.
        let Ok(Some(table)) = schema.table(table).await else {
            return Vec::new();
        };
        table
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect()
    }
}

/// What the engine calls the lake's store. No statement can name a URL.
pub(crate) fn lake_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse("sectorlake://lake")
}

/// The tables of a snapshot.
#[derive(Debug)]
struct OfSnapshot {
    lake: Lake,
    snapshot: Option<Arc<Snapshot>>,
}

#[async_trait]
impl Source for OfSnapshot {
    async fn open(&self, name: &TableName) -> Result<Opened> {
        let Some(snapshot) = &self.snapshot else {
            return no_table(name);
        };
        let table = self
            .lake
            .table(snapshot, name)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let version = snapshot.tables.get(name);
        let contract = version.map(|version| version.contract.clone());
        let beside = version.and_then(|version| version.beside.as_ref());
        opened(table, contract.unwrap_or_default(), beside)
    }
}

fn opened(table: LakeTable, contract: String, beside: Option<&Beside>) -> Result<Opened> {
    let source_of = |file: &DataFile| file.partition_values.get(system::SOURCE).cloned().flatten();
    let mut rows_by_source: BTreeMap<String, u64> = BTreeMap::new();
    for file in &table.files {
        if let Some(source) = source_of(file) {
            *rows_by_source.entry(source).or_default() += file.rows;
        }
    }
    let rows = table.files.iter().map(|file| file.rows).sum();
    let bytes = table.files.iter().map(|file| file.size).sum();
    let count = table.files.len() as u64;
    let files = table
        .files
        .into_iter()
        .map(|file| listed(file, &table.schema, &table.partition_columns))
        .collect::<Result<_>>()?;
    let scanned =
        ParquetTable::try_new(lake_url()?, &table.schema, &table.partition_columns, files)?;
    Ok(Opened {
        version: table.version,
        contract,
        schema: table.schema,
        metadata: table.metadata,
        partition_columns: table.partition_columns,
        rows,
        bytes,
        files: count,
        rows_by_source,
        version_of: beside.map(|beside| beside.table.clone()),
        adding: beside
            .map(|beside| beside.adding.clone())
            .unwrap_or_default(),
        table: Arc::new(scanned),
    })
}

/// A file of the log as the scan takes it: partition values typed, statistics of the columns that lie in the file.
fn listed(
    file: DataFile,
    schema: &arrow::datatypes::Schema,
    partition_columns: &[String],
) -> Result<File> {
    let value = |column: &String| {
        let kind = schema.field_with_name(column)?.data_type();
        match file.partition_values.get(column).and_then(Option::as_ref) {
            Some(text) => ScalarValue::try_from_string(text.clone(), kind),
            None => ScalarValue::try_from(kind),
        }
    };
    let partition_values = partition_columns.iter().map(value).collect::<Result<_>>()?;
    let in_file = schema
        .fields()
        .iter()
        .zip(file.statistics.column_statistics);
    let in_file = in_file.filter(|(field, _)| !partition_columns.contains(field.name()));
    let statistics = Statistics {
        column_statistics: in_file.map(|(_, column)| column).collect(),
        ..file.statistics
    };
    Ok(File {
        path: file.path,
        size: file.size,
        partition_values,
        statistics,
    })
}

/// No lake, no table.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Source for Nowhere {
    async fn open(&self, name: &TableName) -> Result<Opened> {
        no_table(name)
    }
}

fn no_table(name: &TableName) -> Result<Opened> {
    datafusion::common::internal_err!("{name} is asked of a lake without a snapshot")
}
