//! What must be remembered across rows: keys seen, and keys that may be referenced.
//!
//! A key is remembered as a 64-bit hash. Equal hashes make two rows *suspects*, no more: the lake compares their real
//! values before either loses. A missing hash in a foreign-key set is proof; a false hit has odds of n·2⁻⁶⁴.
//! Memory: [`KeyLog`] holds at most [`KEYS_IN_MEMORY_MAX`] hashes over all workers, the rest is on disk.

use std::collections::HashSet;
use std::fmt::Debug;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{Read, Seek, SeekFrom, Write};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::NormaliseError;

/// Hashes kept in memory before the log goes to disk: 64 MiB.
const KEYS_IN_MEMORY_MAX: usize = 8 << 20;
/// Hashes are split by their top bits, so that one bucket at a time is sorted.
const BUCKETS: usize = 1 << BUCKET_BITS;
const BUCKET_BITS: u32 = 6;

/// A set of key hashes.
pub type KeySet = sectorlake_contract::KeyHashes;

/// Keys that may be referenced, whoever holds them.
pub trait KnownKeys: Debug + Send + Sync {
    /// Whether a key of this hash is among them.
    fn knows(&self, hash: u64) -> bool;
}

impl<S: BuildHasher + Send + Sync> KnownKeys for HashSet<u64, S> {
    fn knows(&self, hash: u64) -> bool {
        self.contains(&hash)
    }
}

impl<S: BuildHasher + Send + Sync> KnownKeys for hashbrown::HashSet<u64, S> {
    fn knows(&self, hash: u64) -> bool {
        self.contains(&hash)
    }
}

/// The hashes of every key of one table in one run, shared by its workers.
#[derive(Debug)]
pub struct KeyLog {
    state: Mutex<LogState>,
}

#[derive(Debug)]
struct LogState {
    buckets: Vec<Vec<u64>>,
    held: usize,
    spilled: Vec<Option<File>>,
}

impl KeyLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Arc<Self> {
        let buckets = vec![Vec::new(); BUCKETS];
        let spilled = (0..BUCKETS).map(|_| None).collect();
        Arc::new(Self {
            state: Mutex::new(LogState {
                buckets,
                held: 0,
                spilled,
            }),
        })
    }

    /// Remembers the hashes of one batch. They are sorted into buckets before the lock, which is then held for 64 short copies.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`] when the temporary folder cannot be written.
    pub fn extend(&self, hashes: &[u64]) -> Result<(), NormaliseError> {
        let (sorted, ends) = by_bucket(hashes);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut from = 0;
        for (bucket, end) in state.buckets.iter_mut().zip(ends) {
            bucket.extend_from_slice(&sorted[from..end]);
            from = end;
        }
        state.held += hashes.len();
        if state.held > KEYS_IN_MEMORY_MAX {
            state.spill().map_err(spill_error)?;
        }
        Ok(())
    }

    /// The hashes that were remembered more than once; the log is empty afterwards. Works on all cores: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`NormaliseError::Spill`] when a spilled bucket cannot be read back.
    pub fn repeated(&self) -> Result<KeySet, NormaliseError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.held = 0;
        let mut work: Vec<(Vec<u64>, Option<File>)> = Vec::with_capacity(BUCKETS);
        for index in 0..BUCKETS {
            work.push((
                std::mem::take(&mut state.buckets[index]),
                state.spilled[index].take(),
            ));
        }
        drop(state);
        let queue = Mutex::new(work);
        let found = Mutex::new(Ok(KeySet::default()));
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| search(&queue, &found));
            }
        });
        found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .map_err(spill_error)
    }
}

fn search(queue: &Mutex<Vec<(Vec<u64>, Option<File>)>>, found: &Mutex<std::io::Result<KeySet>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some((mut hashes, file)) = next else {
            return;
        };
        let read = file.map_or(Ok(()), |file| read_back(file, &mut hashes));
        hashes.sort_unstable();
        let repeated = hashes
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0]);
        let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
        match (read, found.as_mut()) {
            (Err(error), _) => *found = Err(error),
            (Ok(()), Ok(set)) => set.extend(repeated),
            (Ok(()), Err(_)) => {}
        }
    }
}

impl LogState {
    fn spill(&mut self) -> std::io::Result<()> {
        for (hashes, file) in self.buckets.iter_mut().zip(&mut self.spilled) {
            let mut target = match file.take() {
                Some(file) => file,
                None => tempfile::tempfile()?,
            };
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
            target.write_all(&bytes)?;
            *file = Some(target);
            hashes.clear();
        }
        self.held = 0;
        Ok(())
    }
}

/// The hashes with those of one bucket together, and where each bucket ends.
fn by_bucket(hashes: &[u64]) -> (Vec<u64>, [usize; BUCKETS]) {
    let mut ends = [0; BUCKETS];
    hashes.iter().for_each(|hash| ends[bucket(*hash)] += 1);
    let mut starts = [0; BUCKETS];
    let mut sum = 0;
    for (start, end) in starts.iter_mut().zip(&mut ends) {
        *start = sum;
        sum += *end;
        *end = sum;
    }
    let mut sorted = vec![0; hashes.len()];
    for hash in hashes {
        let next = &mut starts[bucket(*hash)];
        sorted[*next] = *hash;
        *next += 1;
    }
    (sorted, ends)
}

fn bucket(hash: u64) -> usize {
    (hash >> (u64::BITS - BUCKET_BITS)) as usize
}

fn read_back(mut file: File, hashes: &mut Vec<u64>) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let (chunks, _) = bytes.as_chunks::<8>();
    hashes.extend(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk)));
    Ok(())
}

fn spill_error(source: std::io::Error) -> NormaliseError {
    NormaliseError::Spill {
        path: std::env::temp_dir().display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn spread(index: u64) -> u64 {
        index.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    #[test]
    fn finds_what_repeats_across_a_spill() {
        let log = KeyLog::new();
        let many = KEYS_IN_MEMORY_MAX as u64 + 10;
        log.extend(&(0..many).map(spread).collect::<Vec<_>>())
            .unwrap();
        log.extend(&[spread(3), spread(many + 1)]).unwrap();
        assert_eq!(
            log.repeated().unwrap().into_iter().collect::<Vec<_>>(),
            vec![spread(3)]
        );
    }

    proptest! {
        #[test]
        fn finds_exactly_what_repeats(batches in prop::collection::vec(prop::collection::vec(0_u64..200, 0..50), 0..6)) {
            let log = KeyLog::new();
            let mut counts = std::collections::BTreeMap::new();
            for batch in &batches {
                let hashes: Vec<u64> = batch.iter().map(|key| spread(*key)).collect();
                hashes.iter().for_each(|hash| *counts.entry(*hash).or_insert(0) += 1);
                log.extend(&hashes).unwrap();
            }
            let expected: KeySet = counts.into_iter().filter(|(_, count)| *count > 1).map(|(hash, _)| hash).collect();
            prop_assert_eq!(log.repeated().unwrap(), expected);
        }
    }
}
