//! What one kind of database has to do for the rest of the crate: name its tables, and read one of them as batches.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use sectorlake_connector::{ConnectorError, ErrorKind, nearest};
use tokio::sync::mpsc;

use crate::settings::{Lookback, Relation};

/// One kind of database at one address.
#[async_trait]
pub(crate) trait Engine: Send + Sync + 'static {
    /// Where it is, without user and password: `postgres://db.example:5432/city`.
    fn place(&self) -> &str;

    /// Whether it is a file on this machine.
    fn is_local(&self) -> bool {
        false
    }

    /// The tables that the user may see, as settings name them.
    async fn tables(&self) -> Result<Vec<String>, ConnectorError>;

    /// Reads what `ask` says, in one snapshot of the database, into `feed`: the schema first, then rows; with
    /// [`Ask::from`] in the order of its column.
    async fn read(&self, ask: Ask, feed: Feed) -> Result<(), ConnectorError>;
}

/// One read.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) relation: Relation,
    pub(crate) from: Option<From>,
}

/// Only rows from a value on, in the order of a column.
#[derive(Debug, Clone)]
pub(crate) struct From {
    pub(crate) column: String,
    /// Rows that have it come too; `None`: from the first row on.
    pub(crate) value: Option<String>,
    /// How far before `value` to begin.
    pub(crate) lookback: Option<Lookback>,
}

/// Values that Arrow cannot hold and that were read as NULL, by column and kind: `born: infinity`.
pub(crate) type Replaced = BTreeMap<String, u64>;

/// What a read says.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// First.
    Schema(SchemaRef),
    /// Then, as often as needed.
    Rows(RecordBatch, Replaced),
    /// All rows are there. Without it a read has broken off.
    End,
    /// It broke off.
    Failed(ConnectorError),
}

/// Where a read puts its rows; it waits where they are not taken.
#[derive(Debug, Clone)]
pub(crate) struct Feed(mpsc::Sender<Chunk>);

impl Feed {
    pub(crate) fn new(sender: mpsc::Sender<Chunk>) -> Self {
        Self(sender)
    }

    /// Waits until there is room.
    ///
    /// # Errors
    /// When nobody wants the rows any more.
    pub(crate) async fn put(&self, chunk: Chunk) -> Result<(), ConnectorError> {
        self.0.send(chunk).await.map_err(|_| gone())
    }

    /// The same on a thread that may block.
    ///
    /// # Errors
    /// As [`Feed::put`].
    pub(crate) fn put_blocking(&self, chunk: Chunk) -> Result<(), ConnectorError> {
        self.0.blocking_send(chunk).map_err(|_| gone())
    }
}

/// The setting that names the incremental column.
pub(crate) const COLUMN: &[&str] = &["incremental", "column"];

/// Where `column` stands among `names`.
///
/// # Errors
/// [`ErrorKind::Invalid`] with the nearest name.
pub(crate) fn column_index<'a>(
    column: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<usize, ConnectorError> {
    let missing = || {
        let help = match nearest(column, names.clone()) {
            Some(name) => format!("did you mean {name:?}?"),
            None => format!(
                "there are: {}",
                names.clone().take(20).collect::<Vec<_>>().join(", ")
            ),
        };
        ConnectorError::new(ErrorKind::Invalid, format!("there is no column {column:?}"))
            .with_help(help)
            .of_setting(COLUMN)
    };
    names
        .clone()
        .position(|name| name == column)
        .ok_or_else(missing)
}

/// `value` if it is a number or a time and nothing else, so that it can stand in SQL as it is.
///
/// # Errors
/// [`ErrorKind::Invalid`] for anything else.
pub(crate) fn plain_value(value: &str) -> Result<&str, ConnectorError> {
    let is_plain =
        |it: char| it.is_ascii_digit() || matches!(it, '-' | '+' | ':' | '.' | ' ' | 'T' | 'Z');
    match !value.is_empty() && value.chars().all(is_plain) {
        true => Ok(value),
        false => Err(ConnectorError::new(
            ErrorKind::Invalid,
            format!("{value:?} is neither a number nor a time"),
        )
        .with_help("write `start` as 2024-01-31, 2024-01-31 12:00:00 or a whole number")
        .of_setting(&["incremental", "start"])),
    }
}

fn gone() -> ConnectorError {
    ConnectorError::new(ErrorKind::Changed, "the run ended before the read did")
}
