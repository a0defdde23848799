//! The connector over any engine: streams, positions, and a read that goes on from part to part in one snapshot.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};
use sectorlake_connector::{
    Connector, ConnectorError, Cursor, ErrorKind, Fetched, Io, PartBody, Slice, Stream,
};
use tokio::sync::mpsc;
use tracing::warn;

use crate::cursor::{Mark, Position};
use crate::engine::{Ask, Chunk, Engine, Feed, From, Replaced, column_index};
use crate::parts::{Bounds, Cutter, Piece};
use crate::settings::{Incremental, Relation, Source, Wanted};
use crate::ties::Tracker;

/// Batches that a read is ahead of the parts.
const BATCHES_AHEAD: usize = 2;
/// Parts that are ready ahead of the raw zone.
const PARTS_AHEAD: usize = 1;

/// A database, and what is wanted of it.
pub(crate) struct Database {
    engine: Arc<dyn Engine>,
    wanted: Wanted,
    bounds: Bounds,
    /// Reads under way, by unit.
    open: Mutex<HashMap<String, Open>>,
}

/// A read under way: its snapshot is held as long as this is.
struct Open {
    run: DateTime<Utc>,
    parts: u32,
    replaces: u32,
    pieces: mpsc::Receiver<Delivery>,
}

/// A part, or `None` at the end of the read. A channel that closes without has broken off.
type Delivery = Result<Option<Piece>, ConnectorError>;

impl Database {
    pub(crate) fn new(engine: Arc<dyn Engine>, wanted: Wanted) -> Self {
        Self {
            engine,
            wanted,
            bounds: Bounds::default(),
            open: Mutex::default(),
        }
    }

    /// With parts of other bounds.
    #[cfg(test)]
    pub(crate) fn with_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// The stream of a unit, by name.
    fn source(&self, unit: &str) -> (String, Source) {
        let found = self
            .wanted
            .sources
            .iter()
            .find(|(name, source)| unit_of(name, source) == unit);
        let whole_table = || Source {
            relation: Relation::Table(unit.to_owned()),
            incremental: None,
            at: vec!["tables".to_owned()],
        };
        match found {
            Some((name, source)) => (name.clone(), source.clone()),
            None => (unit.to_owned(), whole_table()),
        }
    }

    /// The read that `position` belongs to, if it is still under way; else a new one.
    fn read(&self, unit: &str, source: &Source, position: Option<&Position>, io: &Io) -> Open {
        let under_way = self.open().remove(unit);
        if let (Some(open), Some(position)) = (under_way, position)
            && (open.run, open.parts) == (position.run, position.parts)
        {
            return open;
        }
        let run = io.started_at();
        let (sender, pieces) = mpsc::channel(PARTS_AHEAD);
        let (ask, start) = begun(source, position, run);
        // Two parts of a run never share a key.
        let (mut parts, mut replaces) = (0, 0);
        match (&source.incremental, position) {
            (Some(_), Some(position)) if position.run == run => parts = position.parts,
            (None, Some(position)) => replaces = position.replaces.max(position.parts),
            _ => {}
        }
        tokio::spawn(produce(
            Arc::clone(&self.engine),
            ask,
            start,
            self.bounds,
            sender,
        ));
        Open {
            run,
            parts,
            replaces,
            pieces,
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One key a part: a read of the whole writes the same keys again, one that goes on has its own.
    fn part(&self, name: &str, source: &Source, open: &Open, piece: Piece) -> PartBody {
        let number = open.parts;
        let run = open.run.to_rfc3339_opts(SecondsFormat::Millis, true);
        let key = match source.incremental {
            Some(_) => format!("{}/{name}#{run}-{number:05}", self.engine.place()),
            None => format!("{}/{name}#{number:05}", self.engine.place()),
        };
        let headers = headers(&piece.replaced);
        for (kind, count) in &piece.replaced {
            warn!(stream = name, count, "read as NULL: {kind}");
        }
        let file = match number {
            0 => format!("{name}.parquet"),
            number => format!("{name}-{number:05}.parquet"),
        };
        let mut part = PartBody::of_bytes(key, file, piece.bytes);
        part.headers = headers;
        part
    }
}

#[async_trait]
impl Connector for Database {
    async fn streams(&self, io: &Io) -> Result<Vec<Stream>, ConnectorError> {
        let named = self.wanted.sources.iter();
        let mut streams: Vec<Stream> = named
            .map(|(name, source)| Stream {
                reads: source.reads(),
                ..stream(name, unit_of(name, source))
            })
            .collect();
        if self.wanted.all_tables {
            if io.http().is_offline() && !self.engine.is_local() {
                return Err(ConnectorError::new(
                    ErrorKind::Unreachable,
                    "is not asked for its tables: nothing leaves this machine now",
                )
                .at(self.engine.place())
                .lasting());
            }
            let tables = self.engine.tables().await?;
            let others = tables
                .iter()
                .filter(|&table| !self.wanted.sources.contains_key(table));
            streams.extend(others.map(|table| stream(table, table.clone())));
        }
        Ok(streams)
    }

    async fn fetch(
        &self,
        slice: Slice<'_>,
        cursor: Option<&Cursor>,
        io: &Io,
    ) -> Result<Option<Fetched>, ConnectorError> {
        let unit = slice.unit;
        let (name, source) = self.source(unit);
        let position = cursor.map(Position::of).transpose()?;
        let mut open = self.read(unit, &source, position.as_ref(), io);
        let delivery = open.pieces.recv().await;
        let piece = delivery.unwrap_or_else(|| Err(broken_off()));
        let Some(piece) = piece.map_err(|error| source.placed(error))? else {
            return Ok(None);
        };
        let is_end = piece.is_last && source.incremental.is_none();
        if let Some(note) = &piece.note {
            io.note(format!("{name}: {note}"));
        }
        let mark = piece.mark.clone();
        let part = self.part(&name, &source, &open, piece);
        if is_end {
            return Ok(Some(Fetched::part(part, None)));
        }
        open.parts += 1;
        let next = Position {
            run: open.run,
            parts: open.parts,
            replaces: open.replaces,
            mark,
        };
        self.open().insert(unit.to_owned(), open);
        Ok(Some(Fetched::part(part, Some(next.into_cursor()?))))
    }
}

fn stream(name: &str, unit: String) -> Stream {
    Stream {
        format: Some("parquet".into()),
        ..Stream::new(name, unit)
    }
}

/// What is read by a column is a unit of its own: parts that were read whole, or by another column, hold the same rows.
fn unit_of(name: &str, source: &Source) -> String {
    match &source.incremental {
        None => name.to_owned(),
        Some(incremental) => format!("{name} by {}", incremental.column),
    }
}

/// What was read as NULL, for the part's manifest.
fn headers(replaced: &Replaced) -> BTreeMap<String, String> {
    let said: Vec<String> = replaced
        .iter()
        .map(|(kind, count)| format!("{kind} ({count})"))
        .collect();
    match said.is_empty() {
        true => BTreeMap::new(),
        false => BTreeMap::from([("read-as-null".to_owned(), said.join(", "))]),
    }
}

/// What a read that goes on from `position` asks for, and where it begins.
fn begun(source: &Source, position: Option<&Position>, run: DateTime<Utc>) -> (Ask, Start) {
    let mut ask = Ask {
        relation: source.relation.clone(),
        from: None,
    };
    let mut start = Start {
        run,
        incremental: source.incremental.clone(),
        mark: None,
        parts_least: 1,
    };
    let Some(incremental) = &source.incremental else {
        // What a broken read left behind is written over.
        if let Some(position) = position {
            start.parts_least = position.replaces.max(position.parts).max(1);
        }
        return (ask, start);
    };
    let mark = position
        .and_then(|it| it.mark.clone())
        .filter(|mark| mark.column == incremental.column);
    let value = mark.as_ref().and_then(|mark| mark.value.clone());
    ask.from = Some(From {
        column: incremental.column.clone(),
        lookback: incremental.lookback.filter(|_| value.is_some()),
        value: value.or_else(|| incremental.start.clone()),
    });
    start.parts_least = u32::from(mark.is_none());
    start.mark = mark;
    (ask, start)
}

/// Where a read begins.
struct Start {
    run: DateTime<Utc>,
    incremental: Option<Incremental>,
    mark: Option<Mark>,
    parts_least: u32,
}

type Pieces = mpsc::Sender<Delivery>;

/// Reads and cuts, each at its own pace: the database is waited for on one thread while rows are encoded on another.
async fn produce(engine: Arc<dyn Engine>, ask: Ask, start: Start, bounds: Bounds, pieces: Pieces) {
    let (sender, chunks) = mpsc::channel(BATCHES_AHEAD);
    let feed = Feed::new(sender);
    let place = engine.place().to_owned();
    let read = async move {
        let end = match engine.read(ask, feed.clone()).await {
            Ok(()) => Chunk::End,
            Err(error) => Chunk::Failed(error),
        };
        // Nobody may be there any more.
        let _ = feed.put(end).await;
    };
    let cut = tokio::task::spawn_blocking(move || {
        if let Err(error) = cut(chunks, start, bounds, &pieces) {
            let error = match error.place {
                Some(_) => error,
                None => error.at(place),
            };
            let _ = pieces.blocking_send(Err(error));
        }
    });
    let reading = tokio::spawn(read);
    // A read that nobody takes from any more ends, and with it its connection.
    if cut.await.is_err() {
        warn!("a read ended before its rows did");
    }
    reading.abort();
}

/// Whether anybody still takes parts.
fn hand_on(pieces: &Pieces, ready: Vec<Piece>) -> bool {
    ready
        .into_iter()
        .all(|piece| pieces.blocking_send(Ok(Some(piece))).is_ok())
}

fn cut(
    mut chunks: mpsc::Receiver<Chunk>,
    start: Start,
    bounds: Bounds,
    pieces: &Pieces,
) -> Result<(), ConnectorError> {
    let mut cutter = match chunks.blocking_recv() {
        Some(Chunk::Schema(schema)) => start.cutter(schema, bounds)?,
        Some(Chunk::Failed(error)) => return Err(error),
        _ => return Err(broken_off()),
    };
    loop {
        match chunks.blocking_recv() {
            Some(Chunk::Rows(batch, replaced)) => {
                if !hand_on(pieces, cutter.push(batch, replaced)?) {
                    return Ok(());
                }
            }
            Some(Chunk::End) => {
                if hand_on(pieces, cutter.end()?) {
                    // Nobody may be there any more.
                    let _ = pieces.blocking_send(Ok(None));
                }
                return Ok(());
            }
            Some(Chunk::Failed(error)) => return Err(error),
            Some(Chunk::Schema(_)) | None => return Err(broken_off()),
        }
    }
}

impl Start {
    fn cutter(self, schema: SchemaRef, bounds: Bounds) -> Result<Cutter, ConnectorError> {
        let tracker = match &self.incremental {
            None => None,
            Some(incremental) => {
                let names = schema.fields().iter().map(|field| field.name().as_str());
                let index = column_index(&incremental.column, names)?;
                let column = (index, schema.field(index).data_type());
                let looks_back = incremental.lookback.is_some();
                Some(Tracker::new(
                    &incremental.column,
                    column,
                    self.run,
                    self.mark,
                    looks_back,
                )?)
            }
        };
        Ok(Cutter::new(schema, bounds, tracker, self.parts_least))
    }
}

fn broken_off() -> ConnectorError {
    ConnectorError::new(ErrorKind::Truncated, "the read broke off")
        .with_help("run the pipeline again: it goes on where it stopped")
}

#[cfg(test)]
mod tests;
