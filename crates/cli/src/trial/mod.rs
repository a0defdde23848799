//! What a run would do, for people and for machines.

mod document;
mod text;

pub(crate) use document::document;
pub(crate) use text::{ending, print};
