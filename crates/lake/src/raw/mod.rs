//! The raw zone: bytes as they came, and a manifest for each part that says whence.
//!
//! A part's bytes are on the disk for good before its manifest is: a part without one (its run was killed) was never
//! there, and the pipeline's next run removes it.

mod manifest;
mod shelf;
mod unfinished;
mod upload;
mod zone;

pub use manifest::{Manifest, PartMeta, Step};
pub(crate) use shelf::Shelf;
pub use unfinished::Unfinished;
pub(crate) use unfinished::unfinished;
pub use zone::{PutError, RawZone};
