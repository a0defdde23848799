//! `since:` and `lookback:`, as every connector of this crate has them.

use sectorlake_connector::SettingsError;
use sectorlake_connector::incremental::Incremental;

/// Checks marks whose start and window are settings of their own.
pub(crate) fn check(marks: &Incremental) -> Result<(), SettingsError> {
    marks.check("").map_err(|error| {
        let key = match error.path.last().map(String::as_str) {
            Some("start") => "since",
            _ => "lookback",
        };
        SettingsError {
            path: vec![key.to_owned()],
            ..error
        }
    })
}
