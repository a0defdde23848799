//! sectorlake connector-environment.
