//! The session that plans mappings: one thread, whole batches, no table but `source`.

use datafusion::error::Result;
use datafusion::prelude::SessionContext;
use sectorlake_functions::{Places, SessionOptions, session_builder};

/// Rows that one step of a plan may hand on; larger than any batch that comes in, so that none is cut up.
const BATCH_ROWS: usize = 128 << 10;

/// A session for mappings. Each worker runs its own copy of a plan, so a plan itself needs no parallelism.
///
/// # Errors
/// When the engine cannot be set up, for instance without a folder for temporary files.
pub fn mapping_session() -> Result<SessionContext> {
    mapping_session_with(Places::default())
}

/// As [`mapping_session`], with the places that mappings may look up.
///
/// # Errors
/// As [`mapping_session`].
pub fn mapping_session_with(places: Places) -> Result<SessionContext> {
    let options = SessionOptions {
        places,
        target_partitions: 1,
        batch_rows: BATCH_ROWS,
        ..SessionOptions::default()
    };
    let mut state = session_builder(&options)?.build();
    let settings = state.config_mut().options_mut();
    // Errors name line and column.
    settings.sql_parser.collect_spans = true;
    // A mapping sees its source alone.
    settings.catalog.information_schema = false;
    Ok(SessionContext::new_with_state(state))
}
