//! The kit that every connector must pass, against a server on loopback that plays back recorded exchanges.
//!
//! A connector's test gives a [`Subject`]: how to make it against a server, the recording, and what it can do. [`check`] then
//! reads it to the end, twice, from each cursor, and under every fault that a real source has been seen with, and plays each
//! hostile answer of `tests/hostile` to it; it gives a sentence per failed case. Nothing waits: the kit's clock moves when
//! someone sleeps. A recording is written by hand, or made by `sectorlake run --record` and read by
//! [`Exchange::from_recording`].

mod cases;
mod hostile;
mod pace;
mod reader;
mod server;
mod testbed;

pub use cases::{Abilities, Subject, check};
pub use pace::TestPace;
pub use server::{Exchange, Fault, Server};
pub use testbed::{SECRET, io, make, project, recording, say};

use crate::http::Limits;

/// The usual limits, but for this: servers on loopback may be asked.
#[must_use]
pub fn limits() -> Limits {
    Limits {
        allow_private: true,
        ..Limits::default()
    }
}

#[cfg(test)]
mod tests;
