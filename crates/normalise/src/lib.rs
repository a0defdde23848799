//! Mapping SQL and contract enforcement in one streaming pass.
//!
//! Place: after `formats`, before `lake`. Decoded batches come in, batches that keep the contract go out, and every row that
//! does not is told with all its reasons; on the way the columns are profiled.
//! Must not know: the network, tables, the clock. Keys of other tables are handed in.
//! Bounds: one batch per worker in memory; remembered keys spill to disk ([`KeyLog`]).
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//!
//! use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
//! use sectorlake_contract::Contract;
//! use sectorlake_formats::Decoded;
//! use sectorlake_normalise::{KeyChecks, MappingSpec, Normaliser, Origin, Rules, TableSpec, mapping_session};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let contract = r#"{ "fields": [{ "name": "level", "type": "number", "sectorlake": { "unit": "cm" } }] }"#;
//! let spec = TableSpec {
//!     contract: Arc::new(Contract::parse("environment.gauges".parse()?, contract)?),
//!     mapping: Some(MappingSpec {
//!         sql: "SELECT height AS level FROM source".to_owned(),
//!         parameters: BTreeMap::new(),
//!         columns: Vec::new(),
//!     }),
//!     unpivot: None,
//!     constants: BTreeMap::new(),
//!     added: BTreeMap::new(),
//!     rules: Rules::default(),
//! };
//! let heights: ArrayRef = Arc::new(StringViewArray::from(vec!["12.5", "n/a"]));
//! let batch = RecordBatch::try_from_iter([("height", heights)])?;
//! let normaliser = Normaliser::compile(&spec, &batch.schema(), &mapping_session()?).await?;
//!
//! let origin = Origin { run: "r1".to_owned(), part: "p1".to_owned(), number: 0 };
//! let mut worker = normaliser.worker(&origin, &KeyChecks::default()).await?;
//! let decoded = Decoded { batch, rows: Int64Array::from(vec![1, 2]), broken: Vec::new(), dropped: Vec::new() };
//! let normalised = worker.process(&decoded).await?;
//! assert_eq!(normalised.batches[0].num_rows(), 1);
//! assert_eq!(normalised.rejected[0].message, "value \"n/a\" is not a number");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod align;
mod bare;
mod cast;
mod checks;
mod direct;
mod error;
mod keys;
mod looks;
mod mapping;
mod normaliser;
mod origin;
mod profile;
mod refused;
mod rejection;
mod rowwise;
mod session;
mod severity;
mod shown;
mod slot;
mod text;
mod unpivot;
mod used;
mod waiting;
mod worker;

#[cfg(test)]
mod tests;

pub use error::{MappingError, NormaliseError, Place};
pub use keys::{KeyLog, KeySet, KnownKeys};
pub use looks::{DateOrder, Kind, Looks, Shape, Value, look};
pub use mapping::{Failed, Mapped, Mapping, MappingRunner, MappingSpec, check_syntax};
pub use normaliser::{Normaliser, TableSpec};
pub use origin::Taken;
pub use profile::{FieldSummary, Profile, SeenAt, SeenLooks, SourceSummary};
pub use refused::{Refused, RefusedKeys};
pub use rejection::{Counts, Rejection};
pub use session::{mapping_session, mapping_session_with};
pub use severity::{Rules, SoftRule};
pub use unpivot::Unpivot;
pub use waiting::{SelfCheck, Settled, Waiting};
pub use worker::{ForeignCheck, KeyChecks, Normalised, Origin, Worker};
