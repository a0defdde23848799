//! sectorlake contract.
