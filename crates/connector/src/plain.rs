//! The whole of a connector that need only say where its files are and what streams they hold.

use async_trait::async_trait;

use crate::error::ConnectorError;
use crate::io::Io;
use crate::origin::Origin;
use crate::source::{Connector, Cursor, Fetched, Slice, Stream};

/// Files as they are, from wherever they come: every unit is the origin's files, and the streams are known without asking.
#[derive(Debug, Clone)]
pub struct PlainSource {
    /// Where the files are.
    pub origin: Origin,
    /// What they hold.
    pub streams: Vec<Stream>,
}

#[async_trait]
impl Connector for PlainSource {
    async fn streams(&self, _io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        Ok(self.streams.clone())
    }

    async fn fetch(
        &self,
        _slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        self.origin.fetch(cursor, io).await
    }
}
