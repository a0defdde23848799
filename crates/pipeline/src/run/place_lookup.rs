//! The places that a run's mappings look up: those of the newest snapshot, read only when a mapping names a place function.

use sectorlake_lake::{At, Lake};
use sectorlake_query::{Places, Session, SessionOptions, names_place_function};

use super::failure::internal;
use crate::plan::TablePlan;
use crate::result::Failure;

pub(super) async fn of_mappings(lake: &Lake, plans: &[TablePlan]) -> Result<Places, Failure> {
    let mut mappings = plans
        .iter()
        .flat_map(|plan| &plan.feeds)
        .filter_map(|feed| feed.sql.as_deref());
    let places = Places::default();
    if mappings.any(names_place_function) {
        let session = Session::open(Some(lake), At::Latest, SessionOptions::default()).await;
        let session = session.map_err(|error| internal(error.to_string()))?;
        let index = session.place_index().await;
        places.set(index.map_err(|error| internal(error.strip_backtrace()))?);
    }
    Ok(places)
}
