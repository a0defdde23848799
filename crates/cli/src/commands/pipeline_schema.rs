//! `sectorlake pipeline schema`.

use crate::answer::say;
use crate::exit::{Exit, Failure};
use crate::registry;

/// Prints the JSON Schema of pipeline files, with every connector's settings.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn run() -> Result<Exit, Failure> {
    let schema = sectorlake_pipeline::json_schema(&registry::all());
    say(&format!("{schema:#}\n"))?;
    Ok(Exit::Ok)
}
