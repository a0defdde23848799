//! `meta.freshness`: how things stand, of each table and station the latest that a run of a pipeline said.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, ident};

/// What tells rows of the journal apart that speak of the same thing.
const SAME: [&str; 4] = ["pipeline", "table_schema", "table_name", "station"];

/// The latest row of each.
pub(super) fn latest(journal: Arc<dyn TableProvider>) -> Result<Arc<dyn TableProvider>> {
    let schema = journal.schema();
    let columns: Vec<Expr> = schema
        .fields()
        .iter()
        .map(|field| ident(field.name()))
        .collect();
    let same: Vec<Expr> = SAME.into_iter().map(ident).collect();
    let mut order: Vec<_> = same.iter().map(|it| it.clone().sort(true, false)).collect();
    order.push(ident("checked_at").sort(false, false));
    order.push(ident("run").sort(false, false));
    let plan = LogicalPlanBuilder::scan("freshness", provider_as_source(journal), None)?
        .distinct_on(same, columns, Some(order))?
        .build()?;
    Ok(Arc::new(ViewTable::new(plan, None)))
}
