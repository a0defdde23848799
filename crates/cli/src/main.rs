//! sectorlake cli.
fn main() {}
