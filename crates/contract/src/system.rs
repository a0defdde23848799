//! The columns that every table has beside those of its contract: where each row came from.
//!
//! All are non-null. `_source` is the first physical partition column of every table, so that replacing one's own
//! rows is a removal of whole files.

use arrow::datatypes::{DataType, Field};

/// The pipeline that brought the row (Utf8).
pub const SOURCE: &str = "_source";
/// The run that brought the row (Utf8).
pub const RUN: &str = "_run";
/// The content hash of the raw part the row was decoded from (Utf8).
pub const PART: &str = "_part";
/// The 1-based record number in that part (Int64).
pub const ROW: &str = "_row";

/// The system columns in the order in which they are stored.
#[must_use]
pub fn fields() -> Vec<Field> {
    vec![
        Field::new(SOURCE, DataType::Utf8, false),
        Field::new(RUN, DataType::Utf8, false),
        Field::new(PART, DataType::Utf8, false),
        Field::new(ROW, DataType::Int64, false),
    ]
}

/// Whether `name` is kept for system and partition columns: those begin with an underscore.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    name.starts_with('_')
}
