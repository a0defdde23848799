//! sectorlake pipeline.
