//! sectorlake functions.
