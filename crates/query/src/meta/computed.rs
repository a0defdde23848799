//! A small table whose rows are made when it is scanned.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// Makes the rows.
#[async_trait]
pub(super) trait Rows: Send + Sync + 'static {
    /// All rows in one batch of the table's schema: a lake has thousands of tables and snapshots at most.
    async fn rows(&self) -> Result<RecordBatch>;
}

/// A table of what `rows` makes.
pub(super) struct Computed {
    schema: SchemaRef,
    rows: Box<dyn Rows>,
}

impl Computed {
    pub(super) fn table(schema: SchemaRef, rows: impl Rows) -> Arc<dyn TableProvider> {
        Arc::new(Self {
            schema,
            rows: Box::new(rows),
        })
    }
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for Computed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let batch = self.rows.rows().await?;
        Ok(MemorySourceConfig::try_new_exec(
            &[vec![batch]],
            Arc::clone(&self.schema),
            projection.cloned(),
        )?)
    }
}
