//! Answers that a connector looks into: catalogues, lists of what there is.

use bytes::Bytes;
use sectorlake_connector::{Answer, ConnectorError, ErrorKind, Io, Request, Response};

/// Bytes of such an answer, at most.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// An answer and its bytes.
pub(crate) async fn read(request: &Request, io: &Io) -> Result<(Response, Bytes), ConnectorError> {
    match io.http().get(request).await? {
        Answer::Fresh(answer) => answer.read(ANSWER_BYTES_MAX).await,
        Answer::Unchanged => Err(ConnectorError::new(
            ErrorKind::Invalid,
            "the source says that nothing changed, but was not asked",
        )),
    }
}
