//! The journal as tables: Parquet files that are listed when a statement is planned, so that an answer is as fresh as the question.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    Expr, LogicalPlanBuilder, TableProviderFilterPushDown, TableType, ident,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use sectorlake_lake::{Journal, Kind, Lake, journal};

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
        let shown = if kind == Kind::Runs {
            one_row_a_run(table)?
        } else {
            table
        };
        tables.insert(kind.name().to_owned(), shown);
    }
    Ok(tables)
}

/// A run writes a row when it starts and one when it ends; the later one says all. Where there is none the run is at work, or died.
fn one_row_a_run(journal: Arc<dyn TableProvider>) -> Result<Arc<dyn TableProvider>> {
    let columns = journal
        .schema()
        .fields()
        .iter()
        .map(|field| ident(field.name()))
        .collect();
    let last = vec![
        ident("run").sort(true, false),
        ident("finished_at").sort(true, false),
    ];
    let plan = LogicalPlanBuilder::scan("runs", provider_as_source(journal), None)?
        .distinct_on(vec![ident("run")], columns, Some(last))?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
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
