//! Reading a connector to its end, as a run would.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use super::Subject;
use super::pace::TestPace;
use crate::error::{ConnectorError, ErrorKind};
use crate::http::{Http, Limits};
use crate::io::Io;
use crate::pace::Pace;
use crate::source::{Connector, Cursor, Slice};

/// Fetches after which a unit is said to have no end.
const FETCHES_MAX: usize = 200;

/// What is then said of it.
pub(super) const NO_END: &str = "has no end";

/// What one fetch brought, read to its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) unit: String,
    pub(super) partition: Option<String>,
    pub(super) key: Option<String>,
    pub(super) known: Option<String>,
    pub(super) bytes: Bytes,
    pub(super) etag: Option<String>,
    pub(super) next: Option<Cursor>,
}

impl Read {
    /// Unit and partition.
    pub(super) fn slice_names(&self) -> (String, Option<String>) {
        (self.unit.clone(), self.partition.clone())
    }

    pub(super) fn slice(&self) -> Slice<'_> {
        Slice {
            unit: &self.unit,
            partition: self.partition.as_deref(),
        }
    }
}

/// A connector under test, made against a server at `url`, on a clock of its own.
pub(super) struct Reader {
    url: String,
    pub(super) pace: Arc<TestPace>,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) io: Io,
}

impl Reader {
    pub(super) fn new(subject: &Subject<'_>, url: &str, limits: Limits) -> Result<Self, String> {
        let pace = Arc::new(TestPace::default());
        let limits = Limits {
            allow_private: true,
            ..limits
        };
        let http =
            Http::new(limits, Arc::clone(&pace) as Arc<dyn Pace>).map_err(|e| e.to_string())?;
        let connector = (subject.make)(url).map_err(|e| e.to_string())?;
        Ok(Self {
            url: url.to_owned(),
            pace,
            connector,
            io: Io::new(http, DateTime::<Utc>::UNIX_EPOCH),
        })
    }

    pub(super) async fn units(&self) -> Result<Vec<String>, ConnectorError> {
        let mut units = Vec::new();
        for stream in self.connector.streams(&self.io).await? {
            if !units.contains(&stream.unit) {
                units.push(stream.unit);
            }
        }
        Ok(units)
    }

    /// A unit that has partitions is read partition by partition, as a run would.
    pub(super) async fn read(&self, io: &Io) -> Result<Vec<Read>, ConnectorError> {
        let mut all = Vec::new();
        for unit in self.units().await? {
            let partitions = self.connector.partitions(&unit, io).await?;
            for partition in &partitions {
                let slice = Slice {
                    unit: &unit,
                    partition: Some(partition),
                };
                all.extend(self.read_from(slice, None, io).await?);
            }
            if partitions.is_empty() {
                all.extend(self.read_from(Slice::whole(&unit), None, io).await?);
            }
        }
        Ok(all)
    }

    pub(super) async fn read_from(
        &self,
        slice: Slice<'_>,
        cursor: Option<Cursor>,
        io: &Io,
    ) -> Result<Vec<Read>, ConnectorError> {
        let mut reads: Vec<Read> = Vec::new();
        let mut cursor = cursor;
        while let Some(fetched) = self.connector.fetch(slice, cursor.as_ref(), io).await? {
            let mut read = Read {
                unit: slice.unit.to_owned(),
                partition: slice.partition.map(str::to_owned),
                key: None,
                known: fetched.known,
                bytes: Bytes::new(),
                etag: None,
                next: fetched.next.clone(),
            };
            if let Some(part) = fetched.part {
                (read.key, read.etag) = (Some(part.key), part.etag);
                read.bytes = part.body.try_collect::<Vec<Bytes>>().await?.concat().into();
            }
            reads.push(read);
            cursor = fetched.next;
            if cursor.is_none() {
                break;
            }
            if reads.len() > FETCHES_MAX {
                let message = format!("unit {:?} {NO_END}", slice.unit);
                return Err(ConnectorError::new(ErrorKind::Invalid, message));
            }
        }
        Ok(reads)
    }

    /// The server's own address is no secret, but other at each start.
    pub(super) fn plain(&self, reads: Vec<Read>) -> Vec<Read> {
        let plain = |text: Option<String>| text.map(|text| text.replace(&self.url, ""));
        reads
            .into_iter()
            .map(|read| Read {
                key: plain(read.key),
                known: plain(read.known),
                ..read
            })
            .collect()
    }
}
