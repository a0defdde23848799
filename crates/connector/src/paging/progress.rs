//! How far a unit is read, as its cursor keeps it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::place::Place;
use crate::incremental::Mark;
use crate::source::Cursor;

/// How far a unit is read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Up to where all is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<Mark>,
    /// The run whose round is under way or was the last; another one begins a round of its own once that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<DateTime<Utc>>,
    /// Where the round goes on; `None`: it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Position>,
}

/// A page within a round.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Its number, from 1.
    pub(super) page: u64,
    /// How it is asked for; `None`: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
    /// What the round asks from, the same for all its pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Mark>,
    /// The greatest mark of the pages before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) newest: Option<Mark>,
    /// Records of the pages before it.
    #[serde(default)]
    pub(super) records: u64,
    /// What the source gives a page, where that is less than it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cap: Option<u64>,
    /// Records of the largest page before it, where nobody says how many a page has and the total is told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) most: u64,
    /// Pages in a row before it that had no records.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) empty: u64,
    /// Pages in a row before it that had the same records as the page before them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) alike: u64,
    /// Hash of the page before it, or of its records where the source says by itself how it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
    /// Hash of how an earlier page was asked for: that of the last number that is a power of two. A way that leads in a
    /// circle, however long, comes back to it sooner or later (Brent).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) trail: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Progress {
    /// What a cursor says. One of another shape, as an earlier release wrote it, is none: the unit begins anew.
    pub(super) fn of(cursor: Option<&Cursor>) -> Self {
        cursor
            .and_then(|cursor| serde_json::from_value(cursor.0.clone()).ok())
            .unwrap_or_default()
    }

    pub(super) fn into_cursor(self) -> Cursor {
        Cursor(json!(self))
    }
}

/// Enough of a hash to tell pages apart.
pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}
