//! `meta.runs`: a row a run, though the journal has two; and `meta.revisions`, of runs that published alone.
//!
//! A run writes a row when it starts and one when it ends; the later one says all. Where there is none the run is at work, or
//! its process died: the lake tells which. What a run that failed had staged was never seen, so the values that it would have
//! changed are no revisions.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlanBuilder, col, ident, lit};
use sectorlake_lake::Lake;

use super::computed::{Computed, Rows};

const OUTCOME: &str = "outcome";

/// One row a run, the last that it wrote; its outcome as the lake tells it where the run could not.
pub(super) fn one_row_a_run(
    journal: Arc<dyn TableProvider>,
    lake: Option<Lake>,
) -> Result<Arc<dyn TableProvider>> {
    let schema = journal.schema();
    let columns: Vec<Expr> = fields(&schema).map(ident).collect();
    let last = vec![
        ident("run").sort(true, false),
        ident("finished_at").sort(true, false),
    ];
    let endings = Computed::table(endings(), Endings(lake));
    let endings = LogicalPlanBuilder::scan("endings", provider_as_source(endings), None)?;
    let told = fields(&schema).map(|name| match name {
        OUTCOME => {
            let own = Expr::Column(Column::new(Some("runs"), OUTCOME));
            coalesce(vec![col("ended"), own]).alias(OUTCOME)
        }
        other => Expr::Column(Column::new(Some("runs"), other)),
    });
    let plan = LogicalPlanBuilder::scan("runs", provider_as_source(journal), None)?
        .distinct_on(vec![ident("run")], columns, Some(last))?
        .alias("runs")?
        .join(
            endings.build()?,
            JoinType::Left,
            (vec!["runs.run"], vec!["endings.silent"]),
            None,
        )?
        .project(told.collect::<Vec<_>>())?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

/// The rows of runs that published.
pub(super) fn of_published(
    journal: Arc<dyn TableProvider>,
    runs: Arc<dyn TableProvider>,
) -> Result<Arc<dyn TableProvider>> {
    let published = LogicalPlanBuilder::scan("runs", provider_as_source(runs), None)?
        .filter(ident(OUTCOME).eq(lit("published")))?
        .build()?;
    let plan = LogicalPlanBuilder::scan("revisions", provider_as_source(journal), None)?
        .join(
            published,
            JoinType::LeftSemi,
            (vec!["revisions.run"], vec!["runs.run"]),
            None,
        )?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}

fn fields(schema: &SchemaRef) -> impl Iterator<Item = &str> {
    schema.fields().iter().map(|field| field.name().as_str())
}

fn endings() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("silent", DataType::Utf8View, false),
        Field::new("ended", DataType::Utf8View, false),
    ]))
}

/// How silent runs ended.
struct Endings(Option<Lake>);

#[async_trait]
impl Rows for Endings {
    async fn rows(&self) -> Result<RecordBatch> {
        let found = match &self.0 {
            Some(lake) => lake
                .endings()
                .await
                .map_err(|error| DataFusionError::External(Box::new(error)))?,
            None => Default::default(),
        };
        let runs = StringViewArray::from_iter_values(found.keys());
        let words = StringViewArray::from_iter_values(found.values().map(|it| it.word()));
        let columns: Vec<ArrayRef> = vec![Arc::new(runs), Arc::new(words)];
        Ok(RecordBatch::try_new(endings(), columns)?)
    }
}
