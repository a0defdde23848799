//! Where the rows of each table go, and what its contract alone makes of it.

use sectorlake_contract::Change;
use sectorlake_lake::{Evolution, Run};

use crate::plan::TablePlan;
use crate::result::Failure;

/// The plans with their contracts under the names that the lake stores them under: a contract whose major version was
/// raised is stored beside the table it broke with. Whatever the run tells of a table from here on, it tells by that name;
/// the project's files know it by `TablePlan::table`.
pub(super) async fn placed(run: &Run, plans: Vec<TablePlan>) -> Result<Vec<TablePlan>, Failure> {
    let mut placed = Vec::with_capacity(plans.len());
    for plan in plans {
        let contract = run.place(&plan.contract).await?;
        placed.push(TablePlan { contract, ..plan });
    }
    Ok(placed)
}

/// Whether a table gets another form by its contract alone: then there is something to do even where no row comes. What is
/// done to it is told in `notes`; a contract that the table cannot take is told before anything is fetched.
pub(super) async fn evolves(
    run: &Run,
    plans: &[TablePlan],
    notes: &mut Vec<String>,
) -> Result<bool, Failure> {
    let mut evolves = false;
    for plan in plans {
        let name = &plan.contract.name;
        let is_new = run
            .base()
            .is_some_and(|base| !base.tables.contains_key(name));
        if *name != plan.table && is_new {
            let (table, version) = (&plan.table, &plan.contract.version);
            notes.push(format!(
                "{table}: version {version} of the contract is stored beside, as {name}"
            ));
        }
        let (load, slice) = (plan.load, plan.slice.as_ref());
        let evolution = run.evolution(&plan.contract, load, slice).await?;
        evolves |= evolution.is_some();
        notes.extend(
            evolution
                .as_ref()
                .and_then(|evolution| moved(plan, evolution)),
        );
        notes.extend(evolution.and_then(|evolution| note(plan, &evolution)));
    }
    Ok(evolves)
}

/// What is told where a table is closed that was open.
fn moved(plan: &TablePlan, evolution: &Evolution) -> Option<String> {
    let name = &plan.contract.name;
    let (schema, table) = (name.schema(), name.table());
    let rows = match evolution.rewritten_rows {
        0 => String::new(),
        rows => format!(", with its rows of every source ({rows} are written anew)"),
    };
    evolution.moves.then(|| {
        format!(
            "{name}: it holds personal fields from now on, so it moves to restricted/tables/{schema}/{table}{rows}; what was published and \
             fetched before stays where it is for the snapshots of before: close tables/{schema}/{table} and the raw parts of its \
             pipelines to whom they are not for"
        )
    })
}

fn note(plan: &TablePlan, evolution: &Evolution) -> Option<String> {
    let what = |change: &Change| match &change.field {
        Some(field) => format!("{field} {}", change.what),
        None => change.what.clone(),
    };
    let changes: Vec<String> = evolution.changes.iter().map(what).collect();
    let rewritten = match evolution.rewritten_rows {
        0 => String::new(),
        rows => format!(" ({rows} rows are written anew)"),
    };
    let (name, version) = (&plan.contract.name, &plan.contract.version);
    (!changes.is_empty()).then(|| {
        format!(
            "{name}: version {version} of the contract makes the table wider: {}{rewritten}",
            changes.join("; ")
        )
    })
}
