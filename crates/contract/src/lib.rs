//! A table's contract: what a Frictionless Table Schema promises, as Arrow types, keys and constraints.
//!
//! Place: read by `normalise` (which enforces it), `lake` (which stores it), `query` and `pipeline`.
//! Must not know: files, networks, clocks, DataFusion, Delta. It is handed text and gives values.
//! Bounds: a descriptor is one JSON document in memory; [`key_hashes`] allocates one `u64` a row and nothing else.
//!
//! The table of Table Schema types and the Arrow types they become stands at [`FieldType`]; what a contract means for a table that another one
//! made is told by [`compare()`].
//!
//! ```
//! use sectorlake_contract::{Contract, TableName};
//!
//! let name: TableName = "environment.gauges".parse()?;
//! let text = r#"{ "fields": [
//!     { "name": "gauge_id", "type": "string" },
//!     { "name": "level", "type": "number", "sectorlake": { "unit": "cm" } }
//! ], "primaryKey": ["gauge_id"] }"#;
//! let contract = Contract::parse(name, text)?;
//! assert!(!contract.arrow_schema().field(0).is_nullable());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod builtin_tests;
mod compare;
mod contract;
mod contracts;
mod error;
mod evolve;
mod field;
pub mod key_hash;
mod matcher;
mod name;
mod parse;
mod schema;
pub mod system;
mod titles;
mod write;

pub use compare::{Change, Comparison, Level, compare};
pub use contract::{Contract, ForeignKey, KeyScope, KeyTarget, PartitionBy};
pub use contracts::Contracts;
pub use error::{ContractError, Fault};
pub use evolve::is_added;
pub use field::{Classification, Constraints, Field, FieldType, Interval, SOFT_RULES, Severity};
pub use key_hash::{KeyHashes, PassThrough, key_hashes};
pub use matcher::Matcher;
pub use name::{NameError, TableName};
pub use titles::Titles;
