//! The `sectorlake` binary: arguments, progress, printing, the prompt. It holds no data logic.
//!
//! Place: the last in the flow; it alone makes the real clock, environment and randomness, and knows every connector.
//! Must not know: how a part is decoded, a contract enforced, a snapshot published or a query planned.
//! Bounds: an answer is printed as it streams, whatever its size.

mod args;
mod exit;
mod output;
mod prompt;
mod report;
mod terminal;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {}
