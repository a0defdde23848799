//! The lines of a recording's index.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The version of the layout.
    pub(super) recording: u32,
    /// When the recording run began.
    pub(super) started_at: DateTime<Utc>,
}

/// What tells one question from another; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) method: String,
    /// The URL, masked.
    pub(crate) target: String,
    /// BLAKE3 of what was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<String>,
}

impl Question {
    pub(crate) fn new(method: &str, target: String, posted: Option<&[u8]>) -> Self {
        Self {
            method: method.to_owned(),
            target,
            question: posted.map(|posted| blake3::hash(posted).to_hex().to_string()),
        }
    }
}

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) at: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) asked: Question,
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    /// BLAKE3 of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    pub(crate) bytes: u64,
    /// Whether the body was read to its end.
    pub(crate) whole: bool,
}
