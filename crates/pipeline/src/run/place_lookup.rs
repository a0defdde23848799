//! The places that a run's mappings look up: those of the newest snapshot, read only when a mapping names a place function.

use sectorlake_lake::{At, Lake, Run};
use sectorlake_query::{PLACE_TABLES, Places, Session, SessionOptions, names_place_function};

use super::failure::internal;
use crate::pipeline::Pipeline;
use crate::plan::TablePlan;
use crate::result::Failure;

pub(super) async fn of_mappings(lake: &Lake, plans: &[TablePlan]) -> Result<Places, Failure> {
    let places = Places::default();
    if is_wanted(plans) {
        let session = Session::open(Some(lake), At::Latest, SessionOptions::default()).await;
        let session = session.map_err(|error| internal(error.to_string()))?;
        let index = session.place_index().await;
        places.set(index.map_err(|error| internal(error.strip_backtrace()))?);
    }
    Ok(places)
}

/// The versions of the tables that mappings look into, so that the same parts are mapped again when places change. A table that the run
/// itself feeds does not count: it changes by the run.
pub(super) async fn versions(run: &Run, plans: &[TablePlan]) -> Result<Vec<Option<u64>>, Failure> {
    let mut versions = Vec::new();
    for name in PLACE_TABLES.iter().filter(|_| is_wanted(plans)) {
        let Ok(name) = name.parse() else { continue };
        if plans.iter().any(|plan| plan.contract.name == name) {
            continue;
        }
        versions.push(run.table(&name).await?.map(|table| table.version));
    }
    Ok(versions)
}

/// Whether a mapping that the pipeline's file writes names a place function.
pub(crate) fn looks_up(pipeline: &Pipeline) -> bool {
    let tables = pipeline.file.tables.iter().flatten();
    let mut mappings = tables.filter_map(|(_, table)| table.as_ref()?.map.as_deref());
    mappings.any(names_place_function)
}

/// Whether the pipeline feeds a table that place functions look into.
pub(crate) fn feeds(pipeline: &Pipeline) -> bool {
    let mut tables = pipeline.file.tables.iter().flatten();
    tables.any(|(table, _)| PLACE_TABLES.contains(&table.as_str()))
}

fn is_wanted(plans: &[TablePlan]) -> bool {
    let mut mappings = plans
        .iter()
        .flat_map(|plan| &plan.feeds)
        .filter_map(|feed| feed.sql.as_deref());
    mappings.any(names_place_function)
}
