//! sectorlake connector-portal.
