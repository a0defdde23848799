//! What is known of a raw part: whence, when, and what its bytes hash to.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the source said of a part, beside its bytes. Secrets are masked before they come here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartMeta {
    /// The thing fetched: a URL or a path. Two fetches of one key are versions of it.
    pub key: String,
    /// Its file name.
    pub name: String,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The response's headers.
    pub headers: BTreeMap<String, String>,
    /// Its ETag.
    pub etag: Option<String>,
    /// Its Last-Modified.
    pub last_modified: Option<String>,
}

/// Where a unit's fetch stood when it brought a part. No cursor holds a secret: published states keep it in clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The cursor the part was asked for with; none at the start of the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// The cursor that follows it; none where it was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Value>,
    /// When the run began whose round it was: one that goes on after a crash goes on as that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<DateTime<Utc>>,
}

/// The record of a part that was fetched. Cloning it is cheap: a pipeline that polls for months has very many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "PartRecord", into = "PartRecord")]
pub struct Manifest(Arc<PartRecord>);

/// The headers of a response, as JSON: they are kept for people to look at, and are in the way of all others, so they take
/// as little room as they can.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Headers(Box<str>);

/// What a [`Manifest`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Its number among the pipeline's parts, from 1: later ones were fetched later.
    pub sequence: u64,
    /// The pipeline.
    pub pipeline: String,
    /// The unit of the source.
    pub unit: String,
    /// Which of the unit's partitions it is of; none where the unit is fetched as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The thing fetched: a URL or a path.
    pub key: String,
    /// Its file name.
    pub name: String,
    /// The BLAKE3 hash of its bytes, in hexadecimal digits: rows name it in `_part`.
    pub hash: String,
    /// How many bytes it has.
    pub size: u64,
    /// Where they lie, from the lake's root.
    pub path: String,
    /// The run that fetched it.
    pub run: String,
    /// When it was fetched.
    pub fetched_at: DateTime<Utc>,
    /// When the source last said, or showed, that it is unchanged.
    pub checked_at: DateTime<Utc>,
    /// Its number among all fetches and checks of the pipeline: later ones have greater numbers.
    #[serde(default)]
    pub checked_sequence: u64,
    /// Where the unit's fetch stood that last brought or checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The response's headers, secrets masked.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// Its ETag, to ask for it only if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Its Last-Modified, to the same end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Manifest {
    /// What it says, to be changed before anyone else sees it.
    pub(super) fn edit(&mut self) -> &mut PartRecord {
        Arc::make_mut(&mut self.0)
    }

    /// Takes over what the source said of the same bytes this time.
    pub(super) fn check(&mut self, meta: PartMeta, now: DateTime<Utc>) {
        let record = self.edit();
        record.checked_at = now;
        record.status = meta.status;
        record.headers = meta.headers.into();
        record.etag = meta.etag;
        record.last_modified = meta.last_modified;
    }

    /// Whether it, and not `other`, says what is known of the part of both.
    pub(super) fn supersedes(&self, other: &Self) -> bool {
        // The number of a part is a greater one than it was first given where that was taken.
        let age = |it: &Self| (it.checked_sequence, it.checked_at, it.sequence);
        age(self) > age(other)
    }
}

impl Headers {
    /// Each with its value.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, String> {
        // It is what was made below.
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<BTreeMap<String, String>> for Headers {
    fn from(headers: BTreeMap<String, String>) -> Self {
        if headers.is_empty() {
            return Self::default();
        }
        Self(json!(headers).to_string().into())
    }
}

impl From<Headers> for BTreeMap<String, String> {
    fn from(headers: Headers) -> Self {
        headers.all()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all().fmt(f)
    }
}

impl Deref for Manifest {
    type Target = PartRecord;

    fn deref(&self) -> &PartRecord {
        &self.0
    }
}

impl From<PartRecord> for Manifest {
    fn from(record: PartRecord) -> Self {
        Self(Arc::new(record))
    }
}

impl From<Manifest> for PartRecord {
    fn from(manifest: Manifest) -> Self {
        Arc::unwrap_or_clone(manifest.0)
    }
}
