//! sectorlake formats.
