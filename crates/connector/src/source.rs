//! What a connector is, and what passes between it and a run.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};

use crate::error::ConnectorError;
use crate::io::Io;
use crate::member::MemberPattern;
use crate::suggest::nearest;

/// Fetches the raw parts of one kind of source.
///
/// A connector knows addresses and paging; it never opens archives and never parses records into rows.
#[async_trait]
pub trait Connector: Send + Sync {
    /// The streams of this source. May ask the source: list a folder, look into a catalogue.
    ///
    /// # Errors
    /// [`ConnectorError`] when the source had to be asked and did not answer.
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError>;

    /// The partitions of `unit`: months, stations, indicators. Each is fetched by itself, side by side with others, and goes
    /// on where it stopped. None: the unit is fetched as one.
    ///
    /// # Errors
    /// [`ConnectorError`] when the source had to be asked and did not answer.
    async fn partitions(&self, _unit: &str, _io: &Io) -> Result<Vec<String>, ConnectorError> {
        Ok(Vec::new())
    }

    /// The next part of `slice` after `cursor`; `None` when the slice is read to its end.
    ///
    /// A run begins with the cursor that the last published run of the pipeline ended with, or `None`. A slice whose
    /// last [`Fetched::next`] is `None` begins anew in every run; one that goes on where it stopped always gives a cursor
    /// and ends with `Ok(None)`.
    ///
    /// # Errors
    /// [`ConnectorError`]; where it says `retryable`, the client has already tried as often as its limits allow.
    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError>;
}

/// What is fetched in one go: a unit, or one partition of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slice<'a> {
    /// As [`Stream::unit`] says.
    pub unit: &'a str,
    /// One of [`Connector::partitions`].
    pub partition: Option<&'a str>,
}

impl<'a> Slice<'a> {
    /// A unit that has no partitions.
    #[must_use]
    pub fn whole(unit: &'a str) -> Self {
        Self {
            unit,
            partition: None,
        }
    }
}

/// One thing that a source offers and a table can be fed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// What `from:` names.
    pub name: String,
    /// Streams of one unit read the same parts.
    pub unit: String,
    /// Which members of an archive belong to the stream; `None`: the part itself.
    pub member: Option<MemberPattern>,
    /// Whether `from:` may name a member or a glob of members instead of the stream: the source is a file of the user's
    /// choice and may be an archive.
    pub from_names_member: bool,
    /// Whether a source without it is still whole: no part, or no member of that name, is then no error.
    pub optional: bool,
    /// The format, as a pipeline file would write it; `None`: guessed.
    pub format: Option<serde_json::Value>,
    /// Columns that the source says it has: one that a part leaves out, as JSON leaves out what is empty, reads as NULL.
    pub columns: Vec<String>,
    /// Which shared tables the stream can feed, and how.
    pub mappings: Vec<DefaultMapping>,
    /// From where on a run reads it.
    pub reads: Reads,
}

/// From where on a run reads a stream: what [`Connector::fetch`] does with the cursor of the last run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reads {
    /// From its beginning: what does not come, the source has no more.
    #[default]
    Whole,
    /// From where the last run stopped.
    On,
    /// From some way before that, so that records come again.
    Overlapping,
    /// As it is now: what it gave before is gone, and each answer is a part of its own.
    Passing,
}

impl Stream {
    /// A required stream in `unit`, read whole, without member, format or mapping.
    #[must_use]
    pub fn new(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
            member: None,
            from_names_member: false,
            optional: false,
            format: None,
            columns: Vec::new(),
            mappings: Vec::new(),
            reads: Reads::Whole,
        }
    }

    /// The stream that `from:` means: the one of that name; the only one if `from:` is left out; or a stream of files
    /// narrowed to the members that `from:` names.
    ///
    /// # Errors
    /// [`PickError`] with the nearest name.
    pub fn pick(streams: &[Self], from: Option<&str>) -> Result<Self, PickError> {
        let names = || streams.iter().map(|stream| stream.name.clone()).collect();
        let Some(from) = from else {
            return match streams {
                [only] => Ok(only.clone()),
                _ => Err(PickError::Several { names: names() }),
            };
        };
        if let Some(found) = streams.iter().find(|stream| stream.name == from) {
            return Ok(found.clone());
        }
        if let Some(open) = streams.iter().find(|stream| stream.from_names_member)
            && let Ok(pattern) = MemberPattern::new(from)
        {
            return Ok(Self {
                name: from.to_owned(),
                member: Some(pattern),
                ..open.clone()
            });
        }
        let suggestion = nearest(from, streams.iter().map(|stream| stream.name.as_str()));
        Err(PickError::Unknown {
            from: from.to_owned(),
            suggestion: suggestion.map(str::to_owned),
            names: names(),
        })
    }
}

/// `from:` names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PickError {
    /// The source has more than one stream and `from:` is left out.
    #[error("`from` is left out, but the source has {} streams", names.len())]
    Several {
        /// What `from:` could name.
        names: Vec<String>,
    },
    /// There is no stream of that name.
    #[error("the source has no stream {from:?}")]
    Unknown {
        /// What the pipeline file says.
        from: String,
        /// The nearest name.
        suggestion: Option<String>,
        /// What `from:` could name.
        names: Vec<String>,
    },
}

impl PickError {
    /// The mend.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unknown {
                suggestion: Some(name),
                ..
            } => format!("did you mean {name:?}?"),
            Self::Several { names } | Self::Unknown { names, .. } => {
                format!("write `from:` with one of: {}", names.join(", "))
            }
        }
    }
}

/// How a stream feeds a shared table when the pipeline file says nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultMapping {
    /// The table: `transport.stops`.
    pub table: String,
    /// `replace`, `append` or `merge`.
    pub load: &'static str,
    /// `SELECT … FROM source`.
    pub sql: String,
    /// Columns that the published standard knows; one that a source lacks reads as NULL.
    pub columns: Vec<String>,
    /// The pipeline file's `unpivot:`, where the stream is wide.
    pub unpivot: Option<serde_json::Value>,
    /// Values for `$name` in the SQL, beside those that `pipeline` knows: `$pipeline`, `$feed_id`, and of each part
    /// `$part_key` and `$part_name`.
    pub parameters: BTreeMap<String, String>,
}

impl DefaultMapping {
    /// A mapping of `sql` onto `table`, of columns that are always there.
    #[must_use]
    pub fn new(table: &str, load: &'static str, sql: &str) -> Self {
        Self {
            table: table.to_owned(),
            load,
            sql: sql.to_owned(),
            columns: Vec::new(),
            unpivot: None,
            parameters: BTreeMap::new(),
        }
    }

    /// With columns that the standard knows and a source may lack.
    #[must_use]
    pub fn with_columns(mut self, columns: &[&str]) -> Self {
        self.columns = columns.iter().map(|&column| column.to_owned()).collect();
        self
    }

    /// With a value for `$name`.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }
}

/// Where a unit is read to: whatever the connector needs to go on from there, and nothing secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub serde_json::Value);

/// What one fetch brought.
#[derive(Debug)]
pub struct Fetched {
    /// The part; `None`: what `known` names is unchanged since the last time.
    pub part: Option<PartBody>,
    /// Where to go on; `None`: this was the last.
    pub next: Option<Cursor>,
    /// The key of what is unchanged.
    pub known: Option<String>,
}

impl Fetched {
    /// A part that came anew.
    #[must_use]
    pub fn part(part: PartBody, next: Option<Cursor>) -> Self {
        Self {
            part: Some(part),
            next,
            known: None,
        }
    }

    /// What `key` names is what it was.
    #[must_use]
    pub fn unchanged(key: String, next: Option<Cursor>) -> Self {
        Self {
            part: None,
            next,
            known: Some(key),
        }
    }
}

/// The bytes of a part, as they come.
pub type Body = BoxStream<'static, Result<Bytes, ConnectorError>>;

/// A part on its way to the raw zone. Nothing in it but the bytes may be secret: it is written into a manifest.
pub struct PartBody {
    /// Identity of the thing fetched: its URL, masked, or its path. Two fetches of one key are versions of it.
    pub key: String,
    /// File name, for messages and for guessing the format.
    pub name: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// Headers of the answer that tell something about the data.
    pub headers: BTreeMap<String, String>,
    /// ETag of the answer.
    pub etag: Option<String>,
    /// Last-Modified of the answer, as sent.
    pub last_modified: Option<String>,
    /// How many bytes will come, where it is known.
    pub length: Option<u64>,
    /// The bytes.
    pub body: Body,
}

impl PartBody {
    /// A part whose bytes are at hand.
    #[must_use]
    pub fn of_bytes(key: impl Into<String>, name: impl Into<String>, bytes: Bytes) -> Self {
        Self {
            key: key.into(),
            name: name.into(),
            status: None,
            headers: BTreeMap::new(),
            etag: None,
            last_modified: None,
            length: Some(bytes.len() as u64),
            body: stream::once(async move { Ok(bytes) }).boxed(),
        }
    }
}

impl std::fmt::Debug for PartBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartBody")
            .field("key", &self.key)
            .field("name", &self.name)
            .field("status", &self.status)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn names(from: Option<&str>) -> Result<(String, Option<String>), String> {
        let mut file = Stream::new("log", "files");
        file.from_names_member = true;
        Stream::pick(&[file], from)
            .map(|stream| (stream.name, stream.member.map(|member| member.to_string())))
            .map_err(|error| format!("{error}; {}", error.help()))
    }

    #[test]
    fn from_names_a_stream_or_members_of_an_archive() {
        assert_eq!(names(None), Ok(("log".to_owned(), None)));
        assert_eq!(names(Some("log")), Ok(("log".to_owned(), None)));
        assert_eq!(
            names(Some("*.csv")),
            Ok(("*.csv".to_owned(), Some("*.csv".to_owned())))
        );
    }

    #[test]
    fn a_stream_that_is_not_there_is_named_with_the_nearest() {
        let streams = [
            Stream::new("stops.txt", "feed"),
            Stream::new("trips.txt", "feed"),
        ];
        let error = Stream::pick(&streams, Some("stop.txt")).unwrap_err();
        assert_eq!(error.to_string(), "the source has no stream \"stop.txt\"");
        assert_eq!(error.help(), "did you mean \"stops.txt\"?");
        let error = Stream::pick(&streams, None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`from` is left out, but the source has 2 streams"
        );
        assert_eq!(
            error.help(),
            "write `from:` with one of: stops.txt, trips.txt"
        );
    }
}
