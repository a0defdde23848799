//! From staged to published: one put-if-absent of the next snapshot file, then its entries into the tables' logs.

pub(crate) mod leftovers;
pub(crate) mod publisher;
mod renumber;
mod roll;

pub(crate) use roll::roll_forward;
