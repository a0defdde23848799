//! The keys of rows that were refused: whoever takes away what did not come must know that these did.

use std::sync::{Mutex, PoisonError};

/// Hashes that are held, at most; rows beyond them count as if they had no key.
const HASHES_MAX: usize = 8_000_000;

/// The keys of refused rows, gathered by all workers of one table.
#[derive(Debug, Default)]
pub struct RefusedKeys(Mutex<Refused>);

/// What was gathered.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Hashes of keys, as `sectorlake_contract::key_hashes` makes them.
    pub hashes: Vec<u64>,
    /// Refused rows and records of which nobody knows the key: they could not be read or mapped, or it is the key that is wrong.
    pub unkeyed: u64,
}

impl RefusedKeys {
    /// Adds rows of which nobody knows the key.
    pub fn add_unkeyed(&self, rows: u64) {
        self.lock().unkeyed += rows;
    }

    pub(crate) fn add(&self, hash: Option<u64>) {
        let mut refused = self.lock();
        match hash {
            Some(hash) if refused.hashes.len() < HASHES_MAX => refused.hashes.push(hash),
            _ => refused.unkeyed += 1,
        }
    }

    /// What was gathered; nothing is left.
    #[must_use]
    pub fn take(&self) -> Refused {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Refused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
