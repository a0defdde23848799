//! What SQLite says, as what code decides on and what mends it.
//!
//! Reference: <https://www.sqlite.org/rescode.html>.

use rusqlite::ffi::ErrorCode;
use sectorlake_connector::{ConnectorError, ErrorKind};

pub(super) fn of_sqlite(doing: &str, error: &rusqlite::Error) -> ConnectorError {
    // The statement is ours, around what the settings say: it would only confuse.
    let message = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let said = format!("{doing}: SQLite says: {message}");
    let (kind, help) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => (
            ErrorKind::NotData,
            "the file is of another kind, or encrypted; check `path`",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            ErrorKind::Changed,
            "somebody writes into the file for long: run the pipeline again later",
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::SystemIoFailure) => (
            ErrorKind::Local,
            "check the permissions of the file and, where it has a -wal file beside it, of its folder",
        ),
        Some(ErrorCode::DatabaseCorrupt) => (
            ErrorKind::NotData,
            "try `PRAGMA integrity_check`, and ask for a new copy of the file",
        ),
        Some(ErrorCode::ReadOnly) => (
            ErrorKind::Refused,
            "a source is only read: write one SELECT that changes nothing",
        ),
        _ => (ErrorKind::Invalid, "try the query in the sqlite3 shell"),
    };
    ConnectorError::new(kind, said).with_help(help)
}
