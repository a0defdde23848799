//! Places in SQL: by code or by name, in any generation of their boundaries.
//!
//! The index is handed in by whoever has the tables `common.places` and `common.place_crosswalk`; without it the functions say so.

mod crosswalk;
mod ended;
mod events;
mod functions;
mod index;
mod lookup;
mod rows;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::sync::{Arc, OnceLock};

use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

pub use index::PlaceIndex;
pub use rows::{ChangeRow, Level, PlaceRow};

/// All functions that look places up.
pub(crate) fn functions(places: &Places) -> Vec<ScalarUDF> {
    let mut all = functions::functions(places);
    all.extend(events::functions(places));
    all
}

/// Where the functions of a session find the index; it may be filled after the session was made, once.
#[derive(Clone, Default)]
pub struct Places(Arc<OnceLock<Arc<PlaceIndex>>>);

impl Places {
    /// A handle that is filled already.
    #[must_use]
    pub fn of(index: Arc<PlaceIndex>) -> Self {
        Self(Arc::new(OnceLock::from(index)))
    }

    /// Hands the index in; the first one stays.
    pub fn set(&self, index: Arc<PlaceIndex>) {
        let _ = self.0.set(index);
    }

    /// Whether an index was handed in.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.get().is_some()
    }

    fn index(&self, function: &str) -> Result<&PlaceIndex> {
        match self.0.get() {
            Some(index) if !index.is_empty() => Ok(index),
            _ => exec_err!(
                "{function} looks places up in common.places, which is empty or not there: load it first (pipelines/common)"
            ),
        }
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = self.0.get().map(|index| index.len());
        f.debug_struct("Places")
            .field("versions", &versions)
            .finish()
    }
}

/// Whether a statement may call a function that needs the index. A call within a text or a comment counts as well; a column of such a name
/// does not.
#[must_use]
pub fn names_place_function(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let mut names = functions::NAMES.iter().chain(&events::NAMES);
    names.any(|name| {
        let mut calls = sql.match_indices(name);
        calls.any(|(at, _)| {
            let after = sql[at + name.len()..].trim_start_matches('"').trim_start();
            after.starts_with('(')
        })
    })
}
