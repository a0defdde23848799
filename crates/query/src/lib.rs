//! sectorlake query.
