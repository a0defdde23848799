//! What a run shows while it works: bars on a terminal, log lines elsewhere.

mod bars;
mod lines;

pub(crate) use self::bars::Bars;
pub(crate) use self::lines::Lines;
