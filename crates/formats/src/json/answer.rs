//! What stands around the records of an ArcGIS server's answer.

use bytes::Bytes;

use crate::blocks::Scan;
use crate::error::FormatError;
use crate::esri::{self, Domains, Layer};
use crate::json::{Cutter, Reading};

/// Bytes of an answer's description that are kept.
const BYTES_MAX: usize = 16 << 20;

/// What the answer says of its records; they are passed over.
///
/// # Errors
/// [`FormatError::Document`] where the answer is an error, which such servers send with the status of a success.
pub(crate) async fn layer(
    reading: &Reading,
    head: &[u8],
    domains: &Domains,
) -> Result<Layer, FormatError> {
    let says = |key: &[u8]| memchr::memmem::find(head, key).is_some();
    if says(b"\"error\"")
        && let Some(error) = esri::error(&objects(reading, "error").await?)
    {
        return Err(FormatError::Document {
            name: reading.content.name.clone(),
            byte: 0,
            reason: format!("the server answered: {error}"),
        });
    }
    let fields = objects(reading, "fields").await?;
    let reference = objects(reading, "spatialReference").await?;
    Ok(Layer::of(&fields, reference.first(), domains))
}

/// The elements of the list under a key of the answer, or the object there; none where there is no such key.
async fn objects(reading: &Reading, key: &str) -> Result<Vec<Bytes>, FormatError> {
    let cutter = Cutter::Document(reading.document(&[key.to_owned()]));
    let mut scan = Scan::new(reading.text(), cutter);
    let (mut found, mut bytes) = (Vec::new(), 0);
    loop {
        match scan.next().await {
            Ok(Some(block)) => {
                let kept = block.records.into_iter().map(|record| record.bytes);
                for record in kept.take_while(|record| {
                    bytes += record.len();
                    bytes <= BYTES_MAX
                }) {
                    found.push(Bytes::copy_from_slice(&record));
                }
            }
            Ok(None) | Err(FormatError::RecordPath { .. }) => return Ok(found),
            Err(error) => return Err(error),
        }
    }
}
