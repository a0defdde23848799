//! What keeps a session from being opened. Statements fail with the engine's own errors, which carry their place.

use datafusion::error::DataFusionError;
use sectorlake_lake::LakeError;
use thiserror::Error;

/// Why there is no session.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The engine refuses the options.
    #[error("the SQL session cannot be set up: {0}")]
    Engine(#[source] Box<DataFusionError>),
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(Box::new(error))
    }
}
