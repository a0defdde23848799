//! The interactive prompt.

mod command;
mod complete;
mod editor;
pub(crate) mod statement;
