//! sectorlake normalise.
