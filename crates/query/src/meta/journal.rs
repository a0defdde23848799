//! The journal as tables: Parquet files that are listed when a statement is planned, so that an answer is as fresh as the question.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use sectorlake_lake::{Journal, Kind, Lake, journal};

use super::{freshness, runs};
use crate::scan::{scan_files, viewed};
use crate::session::lake_url;

/// One table a kind of journal; a kind that nothing was written to has its columns all the same.
pub(super) fn tables(lake: Option<&Lake>) -> Result<BTreeMap<String, Arc<dyn TableProvider>>> {
    let mut tables = BTreeMap::new();
    for kind in Kind::ALL {
        let schema = viewed(&journal::schema(kind));
        let read = TableSchema::from(Arc::clone(&schema));
        let journal = lake.map(Lake::journal);
        let table: Arc<dyn TableProvider> = Arc::new(JournalTable {
            kind,
            journal,
            schema,
            read,
        });
        tables.insert(kind.name().to_owned(), table);
    }
    if let Some(freshness) = tables.remove(Kind::Freshness.name()) {
        let latest = freshness::latest(freshness)?;
        tables.insert(Kind::Freshness.name().to_owned(), latest);
    }
    if let Some(runs) = tables.remove(Kind::Runs.name()) {
        let runs = runs::one_row_a_run(runs, lake.cloned())?;
        if let Some(revisions) = tables.remove(Kind::Revisions.name()) {
            let published = runs::of_published(revisions, Arc::clone(&runs))?;
            tables.insert(Kind::Revisions.name().to_owned(), published);
        }
        tables.insert(Kind::Runs.name().to_owned(), runs);
    }
    Ok(tables)
}

#[derive(Debug)]
struct JournalTable {
    kind: Kind,
    journal: Option<Journal>,
    schema: SchemaRef,
    read: TableSchema,
}

impl JournalTable {
    async fn files(&self) -> Result<Vec<PartitionedFile>> {
        let Some(journal) = &self.journal else {
            return Ok(Vec::new());
        };
        let found = journal
            .files(self.kind)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let unknown = Arc::new(Statistics::new_unknown(&self.schema));
        Ok(found
            .into_iter()
            .map(|file| PartitionedFile::new_from_meta(file).with_statistics(Arc::clone(&unknown)))
            .collect())
    }
}

#[async_trait]
impl TableProvider for JournalTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<usize> = projection
            .cloned()
            .unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let files = self.files().await?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(Arc::new(
                self.schema.project(&columns)?,
            ))));
        }
        scan_files(state, &lake_url()?, &self.read, files, columns, limit)
    }
}
