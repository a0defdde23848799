//! What is known of a raw part: whence, when, and what its bytes hash to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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

/// The record of a part that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its number among the pipeline's parts, from 1: later ones were fetched later.
    pub sequence: u64,
    /// The pipeline.
    pub pipeline: String,
    /// The unit of the source.
    pub unit: String,
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
    /// The HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The response's headers, secrets masked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Its ETag, to ask for it only if it changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Its Last-Modified, to the same end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Manifest {
    /// Takes over what the source said of the same bytes this time.
    pub(super) fn check(&mut self, meta: PartMeta, now: DateTime<Utc>) {
        self.checked_at = now;
        self.status = meta.status;
        self.headers = meta.headers;
        self.etag = meta.etag;
        self.last_modified = meta.last_modified;
    }
}
