//! What a statement may name; a prompt completes from it.

use std::collections::{BTreeMap, BTreeSet};

/// Names that a session knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// `schema.table` to its columns, in their order. A table that cannot be opened has none.
    pub tables: BTreeMap<String, Vec<String>>,
    /// Functions: scalar, aggregate, window and table ones.
    pub functions: BTreeSet<String>,
}
