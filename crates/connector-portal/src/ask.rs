//! Answers that a connector looks into: descriptions, catalogues, lists of what there is.

use bytes::Bytes;
use sectorlake_connector::{Answer, ConnectorError, ErrorKind, Io, Request, Response, SourceUrl};
use serde::de::DeserializeOwned;

/// Bytes of such an answer, at most.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// An answer and its bytes.
///
/// # Errors
/// What the source answers with, and [`ErrorKind::TooLarge`].
pub(crate) async fn read(request: &Request, io: &Io) -> Result<(Response, Bytes), ConnectorError> {
    match io.http().get(request).await? {
        Answer::Fresh(answer) => answer.read(ANSWER_BYTES_MAX).await,
        Answer::Unchanged => Err(ConnectorError::new(
            ErrorKind::Invalid,
            "the source says that nothing changed, but was not asked",
        )),
    }
}

/// A JSON answer at `url`, which `what` names: "package_show of CKAN".
///
/// # Errors
/// What the source answers with, and [`ErrorKind::Invalid`] for what is no such answer.
pub(crate) async fn json<T: DeserializeOwned>(
    url: SourceUrl,
    what: &str,
    io: &Io,
) -> Result<T, ConnectorError> {
    let place = url.to_string();
    let request = Request::get(url).accept("application/json");
    let (_, bytes) = read(&request, io).await?;
    parse(&bytes, what, &place)
}

/// What `bytes` from `place` say, as the answer that `what` names.
///
/// # Errors
/// [`ErrorKind::Invalid`] for what is no such answer.
pub(crate) fn parse<T: DeserializeOwned>(
    bytes: &[u8],
    what: &str,
    place: &str,
) -> Result<T, ConnectorError> {
    serde_json::from_slice(bytes).map_err(|error| {
        ConnectorError::new(ErrorKind::Invalid, format!("is no {what}: {error}"))
            .at(place)
            .with_help("open the address in a browser: is it the portal that the pipeline means?")
    })
}
