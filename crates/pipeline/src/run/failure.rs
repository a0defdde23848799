//! Errors of the parts of a run as failures: which kind, which words, which mend.

use sectorlake_connector::{ConnectorError, ErrorKind};
use sectorlake_formats::FormatError;
use sectorlake_lake::{LakeError, Manifest, PutError};
use sectorlake_normalise::NormaliseError;

use crate::members::OpenError;
use crate::pipeline::Pipeline;
use crate::problem::Problem;
use crate::result::{Failure, FailureKind};

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        let kind = match error {
            LakeError::Locked { .. } => FailureKind::Locked,
            LakeError::SchemaChanged { .. } => FailureKind::Data,
            LakeError::Breaking(_)
            | LakeError::MajorGone { .. }
            | LakeError::NameTaken { .. }
            | LakeError::NameTooLong { .. }
            | LakeError::Missing { .. }
            | LakeError::NotALake { .. }
            | LakeError::Newer { .. }
            | LakeError::NotCompiledIn { .. }
            | LakeError::Location { .. } => FailureKind::Usage,
            _ => FailureKind::Storage,
        };
        Self::new(kind, error.to_string()).maybe_help(error.help())
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        let kind = match error {
            FormatError::Read { .. }
            | FormatError::Stopped { .. }
            | FormatError::Arrow { .. }
            | FormatError::Projection { .. } => FailureKind::Storage,
            FormatError::UnknownEncoding { .. } | FormatError::Option { .. } => FailureKind::Usage,
            _ => FailureKind::Data,
        };
        Self::new(kind, error.to_string()).maybe_help(error.help())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Format(error) => error.into(),
            OpenError::NoMember { message, help } => {
                Self::new(FailureKind::Data, message).help(help)
            }
        }
    }
}

impl From<NormaliseError> for Failure {
    fn from(error: NormaliseError) -> Self {
        match error {
            NormaliseError::Format(error) => error.into(),
            NormaliseError::Mapping(error) => Self::new(FailureKind::Usage, error.to_string())
                .maybe_help(error.help().map(str::to_owned)),
            error @ (NormaliseError::Arrow(_) | NormaliseError::Spill { .. }) => {
                Self::new(FailureKind::Storage, error.to_string())
            }
        }
    }
}

/// A part that cannot be opened. What a server sent without a byte has no more to be known by than where it came from.
pub(super) fn of_open(error: OpenError, manifest: &Manifest) -> Failure {
    match (&error, manifest.status) {
        (OpenError::Format(FormatError::Empty { .. }), Some(status)) if manifest.size == 0 => {
            let message = format!("{}: the answer is empty (HTTP {status})", manifest.key);
            Failure::new(FailureKind::Data, message).help(
                "open the address in a browser; a source that has no rows still sends a header or an empty list",
            )
        }
        _ => error.into(),
    }
}

/// A source that failed; a file that is not there is told where the pipeline names it.
pub(crate) fn of_source(pipeline: &Pipeline, error: &ConnectorError) -> Failure {
    let mut failure =
        Failure::new(FailureKind::Source, error.to_string()).maybe_help(error.help.clone());
    failure.may_pass = error.retryable;
    let is_of_file = matches!(
        error.kind,
        ErrorKind::NotFound | ErrorKind::Local | ErrorKind::Invalid
    );
    if is_of_file || error.setting.is_some() {
        failure.place = Some(Box::new(crate::validate::of_source(pipeline, error)));
    }
    failure
}

/// A part that could not be stored.
pub(super) fn of_put(pipeline: &Pipeline, name: &str, error: PutError<ConnectorError>) -> Failure {
    match error {
        PutError::Lake(error) => error.into(),
        PutError::Body(error) => of_source(pipeline, &error),
        error @ PutError::TooLarge { .. } => {
            Failure::new(FailureKind::Source, format!("{name}: {error}"))
                .help("ask the publisher whether the address is right; no part may be larger")
        }
    }
}

/// The first of the problems that a pipeline's plan has.
pub(crate) fn of_problems(problems: Vec<Problem>) -> Failure {
    let first = problems.into_iter().next();
    first.map_or_else(|| internal("no plan and no reason"), Failure::from)
}

/// Something here is wrong, not the data.
pub(crate) fn internal(message: impl Into<String>) -> Failure {
    Failure::new(
        FailureKind::Storage,
        format!("internal: {}", message.into()),
    )
    .help("this is a fault of sectorlake: please report it")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    fn opened(name: &str, status: Option<u16>, size: u64) -> String {
        let manifest: Manifest = serde_json::from_value(json!({
            "sequence": 1, "pipeline": "air", "unit": "data", "key": "https://a.example/data?sig=***", "name": name,
            "hash": "af13", "size": size, "path": "raw/air/parts/1", "run": "r1", "fetched_at": "2025-01-01T00:00:00Z",
            "checked_at": "2025-01-01T00:00:00Z", "status": status,
        }))
        .unwrap();
        let empty = FormatError::Empty {
            name: name.to_owned(),
        };
        let failure = of_open(empty.into(), &manifest);
        format!("{} / {}", failure.message, failure.help.unwrap_or_default())
    }

    #[test]
    fn an_empty_answer_is_told_with_its_address_and_status() {
        let said = [
            opened("data", Some(200), 0),
            opened("data", Some(204), 0),
            // A file of the disk, and a member of an archive.
            opened("data.csv", None, 0),
            opened("a.zip!b.csv", Some(200), 120),
        ];
        insta::assert_snapshot!(said.join("\n"));
    }
}
