//! `meta`: what the lake knows of itself. Tables, columns and snapshots are told from the session's snapshot; runs, rejected rows and
//! revisions from the journal as it stands when asked.

mod chosen;
mod columns;
mod computed;
mod freshness;
mod journal;
mod runs;
mod snapshots;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::TableType;
use sectorlake_lake::Lake;

use crate::catalog::Tables;

/// The schema's name.
pub(crate) const SCHEMA: &str = "meta";

/// The schema with all its tables; without a lake they are empty.
pub(crate) fn schema(tables: &Arc<Tables>, lake: Option<&Lake>) -> Result<Meta> {
    let mut all: BTreeMap<String, Arc<dyn TableProvider>> = journal::tables(lake)?;
    all.insert(
        "tables".to_owned(),
        tables::provider(Arc::clone(tables), lake.cloned()),
    );
    all.insert(
        "columns".to_owned(),
        columns::provider(Arc::clone(tables), lake.cloned()),
    );
    all.insert("snapshots".to_owned(), snapshots::provider(lake.cloned()));
    Ok(Meta(all))
}

/// The schema `meta`.
#[derive(Debug)]
pub(crate) struct Meta(BTreeMap<String, Arc<dyn TableProvider>>);

#[async_trait]
impl SchemaProvider for Meta {
    fn table_names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.0.get(name).cloned())
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.0.get(name).map(|_| TableType::View))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}
