//! Why no pipeline could be drafted.

use std::path::PathBuf;

use sectorlake_connector::{ConnectorError, SettingsError};
use sectorlake_formats::FormatError;

use crate::members::OpenError;

/// The mend where a catalogue names what is not followed.
const UNTRUSTED: &str =
    "if you trust it, draft from the address yourself: `sectorlake new source ADDRESS`";

/// Why no pipeline could be drafted.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// No connector knows what to do with it.
    #[error("no connector knows {location}")]
    Unknown {
        /// What was pointed at.
        location: String,
    },
    /// The address is a source's word, and not one to follow.
    #[error("the catalogue names {location:?}, which is not used: {reason}")]
    Untrusted {
        /// What was named.
        location: String,
        /// Why it is not used.
        reason: String,
    },
    /// The source's answer would put a reference to a secret into the pipeline's file.
    #[error(
        "{location} answers with `${{`, which would read as a reference to a secret of this machine"
    )]
    Reference {
        /// What was pointed at.
        location: String,
    },
    /// The connector does not take the address.
    #[error("{0}")]
    Settings(#[from] SettingsError),
    /// The source does not answer, or not as it should.
    #[error(transparent)]
    Source(#[from] ConnectorError),
    /// There is nothing.
    #[error("{location} holds no file")]
    Nothing {
        /// What was pointed at.
        location: String,
    },
    /// The bytes are not what a format reads.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The archive holds several files, and none of them is read.
    #[error("{message}")]
    Members {
        /// What is wrong.
        message: String,
        /// The mend.
        help: String,
    },
    /// The format that was asked for is none.
    #[error("--format: {message}")]
    Option {
        /// What is wrong.
        message: String,
        /// The mend.
        help: Option<String>,
    },
    /// The source can be read, but holds no field of a record.
    #[error("{name} holds no records: no field has a name and a value")]
    NoRecords {
        /// The file.
        name: String,
    },
    /// The source is larger than what is looked at.
    #[error("{name} is larger than {bytes_max} bytes")]
    TooLarge {
        /// The file.
        name: String,
        /// The bound.
        bytes_max: u64,
    },
    /// Something of that name is there already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A pipeline of that name is there already.
    #[error("there is a pipeline `{name}` already")]
    Taken {
        /// The name.
        name: String,
    },
    /// The name cannot be one.
    #[error("{what} {name:?} is none: {reason}")]
    Name {
        /// What it is to name.
        what: &'static str,
        /// The name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A file cannot be written or read.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl From<OpenError> for DraftError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Format(error) => Self::Format(error),
            OpenError::NoMember { message, help } => Self::Members { message, help },
        }
    }
}

impl DraftError {
    /// The mend.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } | Self::Nothing { .. } => {
                Some("name a file, a folder, a glob, or an http:// or https:// address".to_owned())
            }
            Self::Untrusted { .. } => Some(UNTRUSTED.to_owned()),
            Self::Reference { .. } => Some(
                "look at its answer; what is right in it can be written into a pipeline's file by hand"
                    .to_owned(),
            ),
            Self::Settings(error) => error.help.clone(),
            Self::Source(error) => error.help.clone(),
            Self::Format(error) => error.help(),
            Self::Members { help, .. } => Some(help.clone()),
            Self::Option { help, .. } => help.clone().or_else(|| {
                Some("write it as in a pipeline's file: --format '{ name: csv, delimiter: \";\" }'".to_owned())
            }),
            Self::NoRecords { .. } => Some(
                "say how it is read: --format '{ name: json, record_path: … }', or name another file".to_owned(),
            ),
            Self::TooLarge { .. } => Some(
                "draft from a smaller extract, then point the pipeline at the whole".to_owned(),
            ),
            Self::Exists { .. } | Self::Taken { .. } => Some(
                "nothing is overwritten: take another --name, or remove the old one".to_owned(),
            ),
            Self::Name { .. } => Some("names are small letters, digits, `-` and `_`".to_owned()),
            Self::File { .. } => None,
        }
    }
}
