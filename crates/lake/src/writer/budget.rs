//! One bound on what all open files of a stage hold in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bound, and what is held of it.
#[derive(Debug)]
pub(super) struct Budget {
    held: AtomicUsize,
    bytes_max: usize,
}

/// What one writer holds of it; given back when the writer goes.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    held: usize,
}

impl Budget {
    pub(super) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self {
            held: AtomicUsize::new(0),
            bytes_max,
        })
    }

    pub(super) fn share(self: &Arc<Self>) -> Share {
        Share {
            budget: Arc::clone(self),
            held: 0,
        }
    }
}

impl Share {
    /// A file that held `before` now holds `after`.
    pub(super) fn change(&mut self, before: usize, after: usize) {
        let held = (self.held + after).saturating_sub(before);
        self.set(held);
    }

    /// Whether all writers together hold too much, and this one something of it.
    pub(super) fn is_over(&self) -> bool {
        self.held > 0 && self.budget.held.load(Ordering::Relaxed) > self.budget.bytes_max
    }

    fn set(&mut self, held: usize) {
        self.budget.held.fetch_add(held, Ordering::Relaxed);
        self.budget.held.fetch_sub(self.held, Ordering::Relaxed);
        self.held = held;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}
