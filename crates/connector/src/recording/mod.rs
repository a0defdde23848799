//! Recordings: every exchange of a run over HTTP, kept so that the run can be replayed without a network, and a connector
//! tested.
//!
//! A recording is a folder:
//!
//! - `index.ndjson`: the first line is the head, `{"recording":1,"started_at":"2025-03-01T02:00:00Z"}`; then one line per
//!   exchange, in the order in which they ended: `at` (when it was asked), `method`, `target` (the URL, masked), `question`
//!   (BLAKE3 of the body of a POST), `status`, `headers` (those that matter), `body` (BLAKE3 of the answer's body; left out
//!   where it has none), `bytes` (its length), `whole` (whether it was read to its end).
//! - `bodies/<BLAKE3>`: each body once, as it came.
//!
//! **No secret is in it.** Secrets of the settings are masked in targets and headers, and in bodies by as many asterisks, so
//! that lengths stay right; tokens (OAuth 2) and certificates are asked for but not recorded.
//!
//! **Recording asks for everything**: no ETag is sent, so that each body is there. A run that goes on from a cursor records what
//! it asks for; a recording of all that a source has is made with an empty lake.
//!
//! **Replaying** answers a question by what was recorded for the same method, masked target and body. What was asked several
//! times gets its answers in their order, the last one again and again; an ETag that is still the recorded one gets 304; nothing
//! waits. What was never asked is an error that names it. Connectors see the start of the *recording* as the start of the run, in
//! the recording run and in each replay, so that windows up to "now" are the same; the run itself keeps the real clock.

mod index;
mod read;
mod veil;
mod write;

pub(crate) use index::{Line, Question};
pub use read::Recording;
pub use write::{Recorded, Recorder};

use std::path::Path;

use crate::error::{ConnectorError, ErrorKind};

/// The version of the layout.
const VERSION: u32 = 1;

fn index(dir: &Path) -> std::path::PathBuf {
    dir.join("index.ndjson")
}

fn bodies(dir: &Path) -> std::path::PathBuf {
    dir.join("bodies")
}

fn local(path: &Path, what: &str, help: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Local, what)
        .at(path.display())
        .with_help(help)
}
