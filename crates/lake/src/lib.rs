//! sectorlake lake.
