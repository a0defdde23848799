//! sectorlake connector.
