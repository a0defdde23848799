//! How opendal asks over HTTP: through the SDK's client, with its guard, limits, certificates and pace.

use futures::TryStreamExt;
use futures::stream::once;
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport};
use sectorlake_connector::{ConnectorError, Http};

/// An error's answer beyond this is not looked into.
const REFUSAL_BYTES_MAX: usize = 1 << 20;

/// The client, as opendal wants it.
pub(crate) struct Carrier(pub(crate) Http);

impl HttpTransport for Carrier {
    async fn fetch(
        &self,
        request: http::Request<Buffer>,
    ) -> Result<http::Response<HttpBody>, Error> {
        let is_head = request.method() == http::Method::HEAD;
        let request = request.map(|body| body.to_bytes());
        let answer = self.0.raw(request).await.map_err(of_wire)?;
        let (parts, body) = answer.into_parts();
        if !parts.status.is_success() {
            // What is wrong stands in a short text; a server that goes on and on is not listened to.
            let bytes = body.try_fold(Vec::new(), |mut bytes, chunk| async move {
                if bytes.len() < REFUSAL_BYTES_MAX {
                    bytes.extend_from_slice(&chunk);
                    return Ok(bytes);
                }
                let kind = sectorlake_connector::ErrorKind::TooLarge;
                Err(ConnectorError::new(kind, "a refusal without end"))
            });
            let bytes = Buffer::from(bytes.await.map_err(of_wire)?);
            let length = bytes.len() as u64;
            let body = HttpBody::new(Box::pin(once(async move { Ok(bytes) })), Some(length));
            return Ok(http::Response::from_parts(parts, body));
        }
        // Told of what a GET would bring, or of bytes before they are unpacked, it is not that of this body.
        let is_other = is_head || parts.headers.contains_key(http::header::CONTENT_ENCODING);
        let length = parts.headers.get(http::header::CONTENT_LENGTH);
        let length = length.filter(|_| !is_other);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let body = body.map_ok(Buffer::from).map_err(of_wire);
        Ok(http::Response::from_parts(
            parts,
            HttpBody::new(body, length),
        ))
    }
}

/// Carried through opendal, and taken out again by [`super::refusal`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct OfWire(pub(crate) ConnectorError);

fn of_wire(error: ConnectorError) -> Error {
    let is_temporary = error.retryable;
    Error::new(ErrorKind::Unexpected, "the wire")
        .with_temporary(is_temporary)
        .set_source(OfWire(error))
}
