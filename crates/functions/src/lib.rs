//! SQL functions for mappings, models and analysts alike, and the one session builder.
//!
//! Place: beside `contract` and `formats`; `normalise` and `query` build every session here, so that an expression means the same in a
//! mapping, in a model and in an analyst's question.
//! Must not know: tables, contracts, the lake, the network; the places that it looks up are handed in ([`Places`]).
//! Bounds: memory and spill of a session by [`SessionOptions`]; every function works on one batch and holds nothing beyond it but those
//! places.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> datafusion::error::Result<()> {
//! use sectorlake_functions::{SessionOptions, new_session};
//!
//! let session = new_session(&SessionOptions::default())?;
//! let answer = session.sql("SELECT vn_unaccent('Đường Hải Phòng') AS name").await?.collect().await?;
//! assert_eq!(answer[0].num_rows(), 1);
//! # Ok(())
//! # }
//! ```

mod air;
mod bounded;
mod catalogue;
mod cells;
mod chains;
mod coordinates;
mod dates;
mod distinct;
mod function;
mod geometry;
mod names;
mod numbers;
mod operators;
mod peers;
mod places;
mod row;
mod session;
mod statement;
mod sum;
mod units;
mod unordered;
mod yielding;

#[cfg(test)]
mod tests;

pub use catalogue::{FunctionDoc, catalogue};
pub use chains::check_chains;
pub use geometry::wkb_field_metadata;
pub use places::{ChangeRow, Level, PlaceIndex, PlaceRow, Places, names_place_function};
pub use session::{SessionOptions, new_session, session_builder};
pub use statement::make_plannable;
