//! A connector of a source over HTTP: it is given a client that has the source's settings in it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::error::ConnectorError;
use crate::http::{Config, Http};
use crate::io::Io;
use crate::source::{Connector, Cursor, Fetched, Slice, Stream};

/// The connector, and how its source is asked.
pub(crate) struct OverHttp {
    connector: Arc<dyn Connector>,
    config: Arc<Config>,
    /// The client that was made last: it keeps its connections from part to part.
    made: Mutex<Option<Http>>,
}

impl OverHttp {
    pub(crate) fn new(connector: Arc<dyn Connector>, config: Config) -> Self {
        Self {
            connector,
            config: Arc::new(config),
            made: Mutex::default(),
        }
    }

    fn io(&self, io: &Io) -> Result<Io, ConnectorError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let like = made.as_ref().and_then(|made| io.http().like(made));
        let http = match like {
            Some(http) => http,
            None => io.http().configured(&self.config)?,
        };
        *made = Some(http.clone());
        Ok(io.with_http(http))
    }
}

#[async_trait]
impl Connector for OverHttp {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let streams = self.connector.streams(&self.io(io)?).await;
        streams.map_err(ConnectorError::or_help)
    }

    async fn partitions(&self, unit: &str, io: &Io) -> Result<Vec<String>, ConnectorError> {
        let partitions = self.connector.partitions(unit, &self.io(io)?).await;
        partitions.map_err(ConnectorError::or_help)
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let fetched = self.connector.fetch(slice, cursor, &self.io(io)?).await;
        fetched.map_err(ConnectorError::or_help)
    }
}
