//! The raw zone: bytes as they came, and a manifest for each part that says whence.
//!
//! A part's bytes are on the disk for good before its manifest is: a part without one (its run was killed) was never
//! there, and the pipeline's next run removes it.
//!
//! A manifest is a file of its own at first. Of a source that is polled for months there would be very many, so a run that
//! has published puts those that nobody touched any more into packs (module `packing`); the next one removes the single ones.

mod known;
mod listing;
mod manifest;
mod pack;
mod packing;
#[cfg(test)]
mod polled;
mod shelf;
mod unfinished;
mod upload;
mod zone;

pub use manifest::{Headers, Manifest, PartMeta, PartRecord, Step};
pub(crate) use packing::SIZES;
pub(crate) use shelf::Shelf;
pub use unfinished::Unfinished;
pub(crate) use unfinished::unfinished;
pub use zone::{PutError, RawZone};
