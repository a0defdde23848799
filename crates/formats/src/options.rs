//! The bounds of one reading.

use crate::netex::elsewhere::Between;

/// Bytes of a block that a decoder takes at once, at most: large enough for a ranged get, small enough for the caches.
const BLOCK_BYTES_MAX: u64 = 4 << 20;
/// Bytes below which dividing a part further gains nothing.
const BLOCK_BYTES_WORTH: u64 = 256 << 10;

/// Bounds of one reading. Memory follows from these, never from the size of a file.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Rows of one batch, at most.
    pub batch_rows: usize,
    /// Streams that decode beside one another.
    pub partitions: usize,
    /// Bytes in memory at once: blocks being read, and whole files of formats that cannot stream.
    pub memory_bytes_max: u64,
    /// Bytes that one archive may hold when unpacked.
    pub unpacked_bytes_max: u64,
    /// Unpacked bytes per packed byte, at most.
    pub unpacked_ratio_max: u64,
    /// Bytes of one record; a longer one is broken.
    pub record_bytes_max: usize,
    /// What members of one archive say of one another, found out once: whoever reads several members reads them with clones of the
    /// same options.
    pub between: Between,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            batch_rows: 8192,
            partitions: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes_max: 128 << 20,
            unpacked_bytes_max: 64 << 30,
            unpacked_ratio_max: 500,
            record_bytes_max: 16 << 20,
            between: Between::default(),
        }
    }
}

impl ReadOptions {
    /// Streams, at least one.
    pub(crate) fn partitions(&self) -> usize {
        self.partitions.max(1)
    }

    /// Rows of a batch, at least one.
    pub(crate) fn batch_rows(&self) -> usize {
        self.batch_rows.max(1)
    }

    /// Bytes of a block of a part of `size` bytes: every stream holds one and two are read ahead, with room for what is made of them.
    pub(crate) fn block_bytes(&self, size: u64) -> u64 {
        let partitions = self.partitions() as u64;
        let affordable = self.memory_bytes_max / (4 * (partitions + 2));
        let shared = (size / (4 * partitions)).max(BLOCK_BYTES_WORTH);
        affordable.min(shared).clamp(1, BLOCK_BYTES_MAX)
    }
}
