//! The one catalog: a schema a sector, and `meta`. Tables are opened when a statement names them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::TableType;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sectorlake_contract::TableName;
use tokio::sync::OnceCell;

use crate::scan::ParquetTable;
use crate::versions;

/// The catalog's name; nobody needs to write it.
pub(crate) const CATALOG: &str = "sectorlake";
/// The schema of names without one. It holds nothing: every table has a sector.
pub(crate) const DEFAULT_SCHEMA: &str = "public";
/// Tables opened at one time where a statement looks at all of them.
const OPENED_AT_ONCE: usize = 8;

/// A table at its version in the snapshot.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Delta's version.
    pub(crate) version: u64,
    /// The hash of the contract it was written by.
    pub(crate) contract: String,
    /// Columns as stored, with their metadata.
    pub(crate) schema: SchemaRef,
    /// What stands beside the table: titles, owner, licence…
    pub(crate) metadata: BTreeMap<String, String>,
    /// Physical partition columns.
    pub(crate) partition_columns: Vec<String>,
    /// Rows, from the log.
    pub(crate) rows: u64,
    /// Bytes of the data files.
    pub(crate) bytes: u64,
    /// How many data files there are.
    pub(crate) files: u64,
    /// The pipelines whose rows it holds, and how many of each.
    pub(crate) rows_by_source: BTreeMap<String, u64>,
    /// The table whose later major version it is.
    pub(crate) version_of: Option<TableName>,
    /// The pipelines whose rows here go beside those they have in older versions.
    pub(crate) adding: BTreeSet<String>,
    /// What is scanned.
    pub(crate) table: Arc<ParquetTable>,
}

/// Where tables are opened from.
#[async_trait]
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// Opens a table that the snapshot names.
    async fn open(&self, name: &TableName) -> Result<Opened>;
}

/// The snapshot's tables, each opened at most once.
#[derive(Debug)]
pub(crate) struct Tables {
    source: Arc<dyn Source>,
    slots: BTreeMap<TableName, OnceCell<Arc<Opened>>>,
    /// Views over the major versions of a table, the newest first.
    views: BTreeMap<TableName, Vec<TableName>>,
}

impl Tables {
    pub(crate) fn new(source: Arc<dyn Source>, names: impl IntoIterator<Item = TableName>) -> Self {
        let slots = names
            .into_iter()
            .map(|name| (name, OnceCell::new()))
            .collect();
        Self {
            source,
            slots,
            views: BTreeMap::new(),
        }
    }

    /// The same with views over the major versions of tables.
    pub(crate) fn with_views(self, views: BTreeMap<TableName, Vec<TableName>>) -> Self {
        Self { views, ..self }
    }

    /// Tables and views, in the order of names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &TableName> {
        let all: BTreeSet<&TableName> = self.slots.keys().chain(self.views.keys()).collect();
        all.into_iter()
    }

    pub(crate) fn is_view(&self, name: &TableName) -> bool {
        self.views.contains_key(name)
    }

    /// The tables that a view is over, the newest version first; `None` where there is no view of that name.
    pub(crate) async fn versions(&self, view: &TableName) -> Result<Option<Vec<Arc<Opened>>>> {
        let Some(names) = self.views.get(view) else {
            return Ok(None);
        };
        let mut versions = Vec::with_capacity(names.len());
        for name in names {
            versions.extend(self.open(name).await?);
        }
        Ok(Some(versions))
    }

    /// The newest of the tables that a view is over.
    pub(crate) fn newest(&self, view: &TableName) -> Option<&TableName> {
        self.views.get(view)?.first()
    }

    /// Every view, in the order of names.
    pub(crate) async fn open_views(&self) -> Result<Vec<(TableName, Vec<Arc<Opened>>)>> {
        let mut views = Vec::with_capacity(self.views.len());
        for name in self.views.keys() {
            let versions = self.versions(name).await?.unwrap_or_default();
            views.push((name.clone(), versions));
        }
        Ok(views)
    }

    /// The table, `None` where the snapshot has none of that name.
    pub(crate) async fn open(&self, name: &TableName) -> Result<Option<Arc<Opened>>> {
        let Some(slot) = self.slots.get(name) else {
            return Ok(None);
        };
        let opened = slot
            .get_or_try_init(|| async { self.source.open(name).await.map(Arc::new) })
            .await?;
        Ok(Some(Arc::clone(opened)))
    }

    /// Every table, in the order of names.
    pub(crate) async fn open_all(&self) -> Result<Vec<(TableName, Arc<Opened>)>> {
        let names: Vec<TableName> = self.slots.keys().cloned().collect();
        let opening = stream::iter(names)
            .map(|name| self.open_named(name))
            .buffered(OPENED_AT_ONCE);
        let opened: Vec<_> = opening.try_collect().await?;
        Ok(opened
            .into_iter()
            .filter_map(|(name, table)| Some((name, table?)))
            .collect())
    }

    async fn open_named(&self, name: TableName) -> Result<(TableName, Option<Arc<Opened>>)> {
        let opened = self.open(&name).await?;
        Ok((name, opened))
    }

    /// How many tables have been opened so far.
    #[cfg(test)]
    pub(crate) fn opened(&self) -> usize {
        self.slots
            .values()
            .filter(|slot| slot.initialized())
            .count()
    }
}

/// The catalog of a session.
#[derive(Debug)]
pub(crate) struct LakeCatalog {
    schemas: BTreeMap<String, Arc<dyn SchemaProvider>>,
}

impl LakeCatalog {
    /// Sectors from `tables`, and `meta`, which is kept for what the lake says of itself.
    pub(crate) fn new(tables: &Arc<Tables>, meta: Arc<dyn SchemaProvider>) -> Self {
        let sectors: BTreeSet<&str> = tables.names().map(TableName::schema).collect();
        let sector = |name: &str| {
            Arc::new(Sector {
                name: name.to_owned(),
                tables: Arc::clone(tables),
            }) as Arc<dyn SchemaProvider>
        };
        let mut schemas: BTreeMap<_, _> = sectors
            .into_iter()
            .map(|name| (name.to_owned(), sector(name)))
            .collect();
        schemas.insert(crate::meta::SCHEMA.to_owned(), meta);
        Self { schemas }
    }

    /// Every `schema.table`, sorted by schema.
    pub(crate) fn tables(&self) -> impl Iterator<Item = String> {
        self.schemas.iter().flat_map(|(schema, provider)| {
            provider
                .table_names()
                .into_iter()
                .map(move |table| format!("{schema}.{table}"))
        })
    }

    /// The schemas' names, sorted.
    pub(crate) fn schemas(&self) -> Vec<String> {
        self.schemas.keys().cloned().collect()
    }
}

impl CatalogProvider for LakeCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.schemas()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        self.schemas.get(name).cloned()
    }
}

#[derive(Debug)]
struct Sector {
    name: String,
    tables: Arc<Tables>,
}

impl Sector {
    fn find(&self, table: &str) -> Option<&TableName> {
        self.tables
            .names()
            .find(|name| name.schema() == self.name && name.table() == table)
    }
}

#[async_trait]
impl SchemaProvider for Sector {
    fn table_names(&self) -> Vec<String> {
        self.tables
            .names()
            .filter(|name| name.schema() == self.name)
            .map(|name| name.table().to_owned())
            .collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(name) = self.find(name) else {
            return Ok(None);
        };
        if let Some(versions) = self.tables.versions(name).await? {
            return versions::view(&versions).map(Some);
        }
        let opened = self.tables.open(name).await?;
        Ok(opened.map(|opened| Arc::clone(&opened.table) as Arc<dyn TableProvider>))
    }

    // Listing tables must not open them.
    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        let kind = |name: &TableName| match self.tables.is_view(name) {
            true => TableType::View,
            false => TableType::Base,
        };
        Ok(self.find(name).map(kind))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.find(name).is_some()
    }
}

impl Opened {
    /// The fields of the primary key, joined by a comma and a space; none where the table's metadata does not tell.
    pub(crate) fn primary_key(&self) -> Option<&str> {
        self.metadata
            .get("sectorlake.primary_key")
            .map(String::as_str)
    }
}
