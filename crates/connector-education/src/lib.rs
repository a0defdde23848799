//! sectorlake connector-education.
