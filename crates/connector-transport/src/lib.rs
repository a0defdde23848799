//! sectorlake connector-transport.
