//! Mapping SQL and contract enforcement in one streaming pass.
//!
//! Place: after `formats`, before `lake`. Decoded batches come in, batches that keep the contract go out, and every row that
//! does not is told with all its reasons.
//! Must not know: the network, tables, the clock. Keys of other tables are handed in.
//! Bounds: one batch per worker in memory; remembered keys spill to disk ([`KeyLog`]).

mod align;
mod cast;
mod checks;
mod direct;
mod error;
mod keys;
mod mapping;
mod normaliser;
mod rejection;
mod rowwise;
mod session;
mod slot;
mod text;
mod unpivot;
mod used;
mod waiting;
mod worker;

#[cfg(test)]
mod tests;

pub use error::{MappingError, NormaliseError, Place};
pub use keys::{Identity, KeyLog, KeySet, KnownKeys};
pub use mapping::{Failed, Mapped, Mapping, MappingRunner, MappingSpec, check_syntax};
pub use normaliser::{Normaliser, TableSpec};
pub use rejection::{Counts, Rejection};
pub use session::mapping_session;
pub use unpivot::Unpivot;
pub use waiting::{SelfCheck, Settled, Waiting};
pub use worker::{ForeignCheck, KeyChecks, Normalised, Origin, Worker};
