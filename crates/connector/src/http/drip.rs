//! A source that gives a byte now and then keeps a connection alive for ever: what is too slow counts as no answer.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::limits::Limits;

/// How much came of a body, while it was waited for.
#[derive(Debug, Default)]
pub(super) struct Drip {
    waited: Duration,
    bytes: u64,
}

impl Drip {
    /// Another piece, asked for at `asked` and here at `came`. `Some` with the bytes of the last window, if they are too few.
    pub(super) fn piece(
        &mut self,
        piece: &Bytes,
        asked: DateTime<Utc>,
        came: DateTime<Utc>,
        limits: &Limits,
    ) -> Option<u64> {
        // What the reader does with the bytes takes its time too, and is no fault of the source's.
        self.waited += (came - asked).to_std().unwrap_or_default();
        self.bytes += piece.len() as u64;
        if self.waited < limits.progress_window {
            return None;
        }
        let Self { bytes, .. } = std::mem::take(self);
        (bytes < limits.progress_bytes_min && !piece.is_empty()).then_some(bytes)
    }
}
