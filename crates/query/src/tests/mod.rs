//! The session over a small fixed lake: what it answers, what it refuses, what it opens.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod fixture;
mod session;
mod slt;
