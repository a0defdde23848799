//! What the tests of this crate's connectors share.

use bytes::Bytes;
use futures::TryStreamExt;
pub(crate) use sectorlake_connector::kit::{io, make, project, recording, say};
use sectorlake_connector::{Connector, ConnectorError, Cursor, Io, Slice};

/// What a slice gives from `cursor` on: each part's key without the server's address, and name; and the last cursor.
pub(crate) async fn read(
    connector: &dyn Connector,
    slice: Slice<'_>,
    cursor: Option<Cursor>,
    (io, server): (&Io, &str),
) -> Result<(Vec<(String, String)>, Option<Cursor>), ConnectorError> {
    let (mut parts, mut cursor) = (Vec::new(), cursor);
    while let Some(fetched) = connector.fetch(slice, cursor.as_ref(), io).await? {
        if let Some(part) = fetched.part {
            parts.push((part.key.replace(server, ""), part.name));
            part.body.try_collect::<Vec<Bytes>>().await?;
        }
        cursor = fetched.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok((parts, cursor))
}
