//! What can go wrong with a lake, where, and the mend.

use std::error::Error as StdError;
use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use sectorlake_contract::TableName;
use thiserror::Error;

use crate::breaking::Breaking;

/// A fault of a lake or of its storage. [`LakeError::help`] is the mend.
#[derive(Debug, Error)]
pub enum LakeError {
    /// There is nothing at the location.
    #[error("there is no lake at {location}")]
    Missing {
        /// The lake's location.
        location: String,
    },
    /// There is something, but it is no lake.
    #[error("{location} is not empty and is not a lake: it holds {found}, but no sectorlake.json")]
    NotALake {
        /// The lake's location.
        location: String,
        /// One of the names it holds.
        found: String,
    },
    /// The lake was written by a newer program.
    #[error(
        "the lake at {location} has format version {found}; this program knows versions up to {known}"
    )]
    Newer {
        /// The lake's location.
        location: String,
        /// Its format version.
        found: u64,
        /// The newest version known here.
        known: u64,
    },
    /// The location is no folder and no URL of a kind that is known.
    #[error("{location:?} is not a place for a lake: {reason}")]
    Location {
        /// The location as given.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The location is a URL of a kind that this program was built without.
    #[error("{location}: storage of the kind {scheme}:// is not compiled in")]
    NotCompiledIn {
        /// The location as given, without what may be secret in it.
        location: String,
        /// The URL's scheme.
        scheme: String,
    },
    /// Another run of the pipeline is at work.
    #[error(
        "pipeline {pipeline} is being run by {holder} on {host} since {}",
        since.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    Locked {
        /// The pipeline.
        pipeline: String,
        /// The run that holds the lease.
        holder: String,
        /// The host it runs on.
        host: String,
        /// When it began.
        since: DateTime<Utc>,
    },
    /// Another run of the pipeline published while this one worked.
    #[error(
        "run {run} of pipeline {pipeline} published nothing: another run of the pipeline published first"
    )]
    Fenced {
        /// The pipeline.
        pipeline: String,
        /// The run that lost.
        run: String,
    },
    /// A table's log holds an entry that no snapshot of this lake knows.
    #[error("{path}: version {version} of table {table} was not written by this lake")]
    ForeignWriter {
        /// The table.
        table: TableName,
        /// The version that was taken.
        version: u64,
        /// The log entry.
        path: String,
    },
    /// A snapshot that was asked for by number is not there.
    #[error("there is no snapshot {number}{}", newest.map_or_else(|| ": nothing is published yet".to_owned(), |n| format!("; the newest is {n}")))]
    NoSnapshot {
        /// The number asked for.
        number: u64,
        /// The newest there is.
        newest: Option<u64>,
    },
    /// Nothing was published at the date that was asked for.
    #[error(
        "there is no snapshot as of {}; the first was published at {}",
        at.to_rfc3339_opts(SecondsFormat::Secs, true),
        first.to_rfc3339_opts(SecondsFormat::Secs, true)
    )]
    NoSnapshotAsOf {
        /// The date asked for.
        at: DateTime<Utc>,
        /// When the first snapshot was published.
        first: DateTime<Utc>,
    },
    /// A file of the lake does not hold what it should.
    #[error("{path} is damaged: {detail}")]
    Corrupt {
        /// The file.
        path: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A table is not in the snapshot.
    #[error("there is no table {table} in snapshot {snapshot}")]
    NoTable {
        /// The table.
        table: TableName,
        /// The snapshot's number.
        snapshot: u64,
    },
    /// The contract no longer fits the stored table.
    #[error("table {table} cannot take the contract as it now is: {detail}")]
    SchemaChanged {
        /// The table.
        table: TableName,
        /// The field and its two types.
        detail: String,
    },
    /// The contract breaks what is stored, or what readers rely on.
    #[error("{0}")]
    Breaking(Box<Breaking>),
    /// The contract is of a major version before the first one that the lake has seen.
    #[error(
        "table {table} holds version {stored} of its contract and nothing older: version {given} has no place"
    )]
    MajorGone {
        /// The table.
        table: TableName,
        /// The first major version that is stored.
        stored: u64,
        /// The contract's.
        given: u64,
    },
    /// A major version of a table needs a name that another table has.
    #[error(
        "table {table} is no version of {of}, so version {major} of {of} cannot be stored there"
    )]
    NameTaken {
        /// The table that has the name.
        table: TableName,
        /// The table whose contract it is.
        of: TableName,
        /// The contract's major version.
        major: u64,
    },
    /// The name of a table for its next major version is too long.
    #[error("version {major} of table {of} has no name: {of}_v{major} is too long")]
    NameTooLong {
        /// The table.
        of: TableName,
        /// The contract's major version.
        major: u64,
    },
    /// A table changed while a run worked on it, so that what the run staged no longer fits.
    #[error("table {table} was changed by another run meanwhile: {detail}")]
    Conflict {
        /// The table.
        table: TableName,
        /// What no longer fits.
        detail: String,
    },
    /// The storage is full.
    #[error("cannot {action} {path}: no space is left")]
    Full {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
    },
    /// The storage cannot be written to.
    #[error("cannot {action} {path}: the file system is read-only")]
    ReadOnly {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
    },
    /// This user may not.
    #[error("cannot {action} {path}: permission denied")]
    Denied {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
    },
    /// The storage failed otherwise.
    #[error("{}", told(action, path, source))]
    Store {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
        /// What the storage said.
        source: Box<object_store::Error>,
    },
    /// Delta failed.
    #[error("cannot {action} table {table}: {source}")]
    Delta {
        /// The table.
        table: TableName,
        /// What was tried.
        action: &'static str,
        /// What Delta said.
        source: Box<deltalake::DeltaTableError>,
    },
    /// The engine failed.
    #[error("cannot {action} table {table}: {source}")]
    Engine {
        /// The table.
        table: TableName,
        /// What was tried.
        action: &'static str,
        /// What the engine said.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// Rows of a table do not have the form they should.
    #[error("cannot write table {table}: {source}")]
    Arrow {
        /// The table.
        table: TableName,
        /// What Arrow said.
        source: Box<arrow::error::ArrowError>,
    },
    /// A data file cannot be read or written.
    #[error("{path} of table {table}: {source}")]
    Parquet {
        /// The table.
        table: TableName,
        /// The data file.
        path: String,
        /// What Parquet said.
        source: Box<parquet::errors::ParquetError>,
    },
    /// A journal file cannot be written.
    #[error("{path}: {source}")]
    Journal {
        /// The journal file.
        path: String,
        /// What Parquet said.
        source: Box<parquet::errors::ParquetError>,
    },
    /// A task of this process was cut off.
    #[error("cannot {action} {path}: the task was cut off")]
    Cancelled {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: String,
    },
}

/// Why storage refused, where the reason is one that people can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Full,
    ReadOnly,
    Denied,
}

impl LakeError {
    /// What the storage answered to `action` on `path`; a full, read-only or closed disk is told apart.
    pub(crate) fn store(
        action: &'static str,
        path: &object_store::path::Path,
        source: object_store::Error,
    ) -> Self {
        let place = place_in(&source).unwrap_or_else(|| path.to_string());
        match Self::refused(action, &place, &source) {
            Some(refused) => refused,
            None => Self::Store {
                action,
                path: path.to_string(),
                source: Box::new(source),
            },
        }
    }

    /// The same for an error that wraps what the storage answered: Delta's, Parquet's, the engine's.
    /// None where no storage refused.
    pub(crate) fn refused(
        action: &'static str,
        path: &str,
        source: &(dyn StdError + 'static),
    ) -> Option<Self> {
        let path = place_in(source).unwrap_or_else(|| path.to_owned());
        refusal(source).map(|refusal| match refusal {
            Refusal::Full => Self::Full { action, path },
            Refusal::ReadOnly => Self::ReadOnly { action, path },
            Refusal::Denied => Self::Denied { action, path },
        })
    }

    /// A file that does not hold what it should.
    pub(crate) fn corrupt(path: &object_store::path::Path, detail: impl ToString) -> Self {
        Self::Corrupt {
            path: path.to_string(),
            detail: detail.to_string(),
        }
    }

    /// The mend, where there is one to name.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Breaking(breaking) => return Some(breaking.help()),
            Self::MajorGone { .. } => "load by the contract that the table has, or by a later one",
            Self::NameTaken { .. } | Self::NameTooLong { .. } => {
                "give the contract another name: schemas/<sector>/<table>.json"
            }
            Self::Missing { .. } => {
                "run a pipeline to create it (`sectorlake run PIPELINE`), or name the lake with --lake or SECTORLAKE_LAKE"
            }
            Self::NotALake { .. } => "give --lake an empty folder, or one that does not exist yet",
            Self::Newer { .. } => "install a newer sectorlake; this one leaves the lake untouched",
            Self::Location { .. } => "give a folder, or a URL such as file:///data/lake",
            Self::NotCompiledIn { .. } => {
                "keep the lake in a folder, or build sectorlake with that storage"
            }
            Self::Locked { .. } => {
                "wait for that run to end; if its host is gone for good, the lease runs out by itself"
            }
            Self::Fenced { .. } => "nothing is lost: run the pipeline again to take up what is new",
            Self::ForeignWriter { .. } => {
                "only sectorlake may write to a lake's tables: move that entry away and copy what it brought in through a pipeline"
            }
            Self::NoSnapshot { .. } | Self::NoSnapshotAsOf { .. } => {
                "`sectorlake snapshots` lists those there are"
            }
            Self::NoTable { .. } => "`sectorlake tables` lists those there are",
            Self::Corrupt { .. } => {
                "restore the file from a backup; sectorlake never overwrites what it cannot read"
            }
            Self::SchemaChanged { .. } => "take the change back, or give the table another name",
            Self::Conflict { .. } => "nothing is lost: run the pipeline again",
            Self::Full { .. } => {
                "free some space and run again: what is published is whole, and the run takes up where it can"
            }
            Self::ReadOnly { .. } => "mount it for writing, or name another lake with --lake",
            Self::Denied { .. } => {
                "give this user the right to write there, or name another lake with --lake"
            }
            Self::Store { .. }
            | Self::Delta { .. }
            | Self::Engine { .. }
            | Self::Arrow { .. }
            | Self::Parquet { .. }
            | Self::Journal { .. }
            | Self::Cancelled { .. } => return None,
        };
        Some(help.to_owned())
    }
}

/// Every error behind `error`, itself first.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An io::Error hides the error it was made of from `source()`.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// The local store's own words name the file in full; object_store's would say it a second time.
fn told(action: &str, path: &str, source: &object_store::Error) -> String {
    match chain(source).find_map(|error| error.downcast_ref::<crate::store::LocalFault>()) {
        Some(fault) => fault.to_string(),
        None => format!("cannot {action} {path}: {source}"),
    }
}

fn refusal(error: &(dyn StdError + 'static)) -> Option<Refusal> {
    chain(error).find_map(|error| {
        if let Some(object_store::Error::PermissionDenied { .. }) = error.downcast_ref() {
            return Some(Refusal::Denied);
        }
        match error.downcast_ref::<io::Error>()?.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Refusal::Full),
            io::ErrorKind::ReadOnlyFilesystem => Some(Refusal::ReadOnly),
            io::ErrorKind::PermissionDenied => Some(Refusal::Denied),
            _ => None,
        }
    })
}

/// The file as the local store names it: an absolute path says more than one within the lake.
fn place_in(error: &(dyn StdError + 'static)) -> Option<String> {
    chain(error).find_map(|error| {
        if let Some(fault) = error.downcast_ref::<crate::store::LocalFault>() {
            return Some(fault.path.display().to_string());
        }
        match error.downcast_ref::<object_store::Error>() {
            Some(object_store::Error::PermissionDenied { path, .. }) => Some(path.clone()),
            _ => None,
        }
    })
}
