//! What the tests of this crate's connectors share.

use bytes::Bytes;
use futures::TryStreamExt;
use sectorlake_connector::kit::Server;
pub(crate) use sectorlake_connector::kit::{SECRET, io, make, recording, say};
use sectorlake_connector::{Connector, ConnectorError, Cursor, Io, Slice};

/// What a slice gives from `cursor` on: each part's key without the server's address, name and text; and the last cursor.
pub(crate) async fn read(
    connector: &dyn Connector,
    slice: Slice<'_>,
    cursor: Option<Cursor>,
    (io, server): (&Io, &Server),
) -> Result<(Vec<(String, String, String)>, Option<Cursor>), ConnectorError> {
    let (mut parts, mut cursor) = (Vec::new(), cursor);
    while let Some(fetched) = connector.fetch(slice, cursor.as_ref(), io).await? {
        if let Some(part) = fetched.part {
            let bytes = part.body.try_collect::<Vec<Bytes>>().await?.concat();
            let key = part.key.replace(server.url(), "");
            parts.push((key, part.name, String::from_utf8_lossy(&bytes).into_owned()));
        }
        cursor = fetched.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok((parts, cursor))
}
