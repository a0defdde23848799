//! A read-only session over one snapshot of the lake: every sector's tables, and what the lake knows of itself, in SQL.
//!
//! Place: after `lake`, before `cli`, `server` and marts.
//! Must not know: where data came from, how answers are shown. It never writes: whatever is no question is refused before it is planned.
//! Bounds: one snapshot from start to end; memory and spill by [`SessionOptions`]; a table is opened when a statement names it, not before.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use futures::TryStreamExt as _;
//! use sectorlake_query::{At, Session, SessionOptions};
//!
//! // No lake yet: functions and constants work all the same.
//! let session = Session::open(None, At::Latest, SessionOptions::default()).await?;
//! let answer: Vec<_> = session.sql("SELECT gtfs_seconds('25:10:00')").await?.try_collect().await?;
//! assert_eq!(answer[0].num_rows(), 1);
//! assert!(session.sql("DROP TABLE transport.stops").await.is_err());
//! # Ok(())
//! # }
//! ```

mod catalog;
mod error;
mod meta;
mod missing;
mod names;
mod places;
mod scan;
mod session;
mod statement;
mod versions;

#[cfg(test)]
mod tests;

pub use error::QueryError;
pub use names::Names;
pub use places::PLACE_TABLES;
pub use sectorlake_functions::{
    FunctionDoc, PlaceIndex, Places, SessionOptions, catalogue as functions, names_place_function,
};
pub use sectorlake_lake::At;
pub use session::Session;
