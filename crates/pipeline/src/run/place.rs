//! Where the rows of each table go: a contract whose major version was raised is stored beside the table it broke with.

use sectorlake_lake::Run;

use crate::plan::TablePlan;
use crate::result::Failure;

/// The plans with their contracts under the names that the lake stores them under. Whatever the run tells of a table from
/// here on, it tells by that name; the project's files know it by `TablePlan::table`.
pub(super) async fn placed(run: &Run, plans: Vec<TablePlan>) -> Result<Vec<TablePlan>, Failure> {
    let mut placed = Vec::with_capacity(plans.len());
    for plan in plans {
        let contract = run.place(&plan.contract).await?;
        placed.push(TablePlan { contract, ..plan });
    }
    Ok(placed)
}

/// Whether a table gets another form by its contract alone: then there is something to do even where no row comes. A
/// contract that the table cannot take is told before anything is fetched.
pub(super) async fn evolves(run: &Run, plans: &[TablePlan]) -> Result<bool, Failure> {
    let mut evolves = false;
    for plan in plans {
        let (load, slice) = (plan.load, plan.slice.as_ref());
        evolves |= run.evolves(&plan.contract, load, slice).await?;
    }
    Ok(evolves)
}
