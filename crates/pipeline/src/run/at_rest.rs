//! A source that is not asked for more.

use std::sync::Arc;

use async_trait::async_trait;
use sectorlake_connector::{Connector, ConnectorError, Cursor, Fetched, Io, Slice, Stream};

/// What goes on from a cursor has come to its end. What begins anew is asked all the same: nothing of it is at hand, and an answer of
/// nothing would be taken for a source that has become empty.
pub(super) struct AtRest(pub(super) Arc<dyn Connector>);

#[async_trait]
impl Connector for AtRest {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        self.0.streams(io).await
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        self.0.partitions(unit, io).await
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        match cursor {
            Some(_) => Ok(None),
            None => self.0.fetch(slice, cursor, io).await,
        }
    }
}
