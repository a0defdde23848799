//! The columns of a part: the keys of its records, in the order in which they first appear.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use futures::future::try_join_all;
use tokio::sync::Mutex;

use crate::blocks::Scan;
use crate::columns::UniqueNames;
use crate::error::FormatError;
use crate::json::fields::fields;
use crate::json::{Block, Cutter, Kind, Reading};

/// The whole record's column.
const RECORD: &str = "_record";
/// The column of a feature's shape.
const GEOMETRY: &str = "geometry";
/// Keys of one part, at most.
const KEYS_MAX: usize = 16_384;

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The record's key, or the key of a feature's properties.
    Key(String),
    /// A feature's `id`.
    Id,
    /// A feature's shape.
    Geometry,
    /// The whole record.
    Record,
}

/// One column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) source: Source,
}

impl Column {
    pub(crate) fn field(&self) -> Field {
        match self.source {
            Source::Geometry => Field::new(&self.name, DataType::Binary, true),
            Source::Record => Field::new(&self.name, DataType::Utf8View, false),
            Source::Key(_) | Source::Id => Field::new(&self.name, DataType::Utf8View, true),
        }
    }
}

/// The place of a key's first appearance: record, then place in it.
type First = (i64, usize);

/// What some blocks hold.
#[derive(Debug, Default)]
struct Found {
    keys: HashMap<String, First>,
    has_id: bool,
}

/// Passes over the part once.
pub(crate) async fn collect(reading: &Reading) -> Result<Vec<Column>, FormatError> {
    let name = &reading.content.name;
    let scan = Arc::new(Mutex::new(Scan::new(reading.text(), reading.cutter())));
    let workers = (0..reading.content.options.partitions()).map(|_| {
        let (scan, reading) = (Arc::clone(&scan), reading.clone());
        let worker = tokio::spawn(async move { work(&scan, &reading).await });
        async {
            worker
                .await
                .unwrap_or_else(|_| Err(FormatError::Stopped { name: name.clone() }))
        }
    });
    let mut all = Found::default();
    for found in try_join_all(workers).await? {
        all.has_id |= found.has_id;
        for (key, first) in found.keys {
            note(&mut all.keys, &key, first);
        }
    }
    name_columns(name, reading.kind, all)
}

async fn work(scan: &Mutex<Scan<Cutter>>, reading: &Reading) -> Result<Found, FormatError> {
    let mut found = Found::default();
    loop {
        let block = scan.lock().await.next().await?;
        let Some(block) = block else { return Ok(found) };
        look_into(&block, reading.kind, &mut found);
        if found.keys.len() > KEYS_MAX {
            return Err(FormatError::TooManyColumns {
                name: reading.content.name.clone(),
                bound: KEYS_MAX,
            });
        }
    }
}

/// Broken records have no keys; they are told of when they are decoded.
fn look_into(block: &Block, kind: Kind, found: &mut Found) {
    for (row, record) in (block.row..).zip(&block.records) {
        let Ok(text) = std::str::from_utf8(&record.bytes) else {
            continue;
        };
        let Ok(all) = fields(text) else { continue };
        match kind {
            Kind::Plain => all
                .iter()
                .enumerate()
                .for_each(|(place, (key, _))| note(&mut found.keys, key, (row, place))),
            Kind::Feature => {
                found.has_id |= all.iter().any(|(key, _)| key == "id");
                let properties = all.iter().rfind(|(key, _)| key == "properties");
                let Some(Ok(properties)) = properties.map(|(_, value)| fields(value)) else {
                    continue;
                };
                properties
                    .iter()
                    .enumerate()
                    .for_each(|(place, (key, _))| note(&mut found.keys, key, (row, place)));
            }
        }
    }
}

fn note(keys: &mut HashMap<String, First>, key: &str, first: First) {
    match keys.get_mut(key) {
        Some(known) => *known = first.min(*known),
        None => drop(keys.insert(key.to_owned(), first)),
    }
}

fn name_columns(part: &str, kind: Kind, found: Found) -> Result<Vec<Column>, FormatError> {
    let mut keys: Vec<(String, First)> = found.keys.into_iter().collect();
    keys.sort_unstable_by_key(|(_, first)| *first);
    let mut names = UniqueNames::default();
    names.reserve(RECORD);
    if kind == Kind::Feature {
        names.reserve(GEOMETRY);
    }
    let mut columns = Vec::with_capacity(keys.len() + 3);
    for (key, _) in keys {
        columns.push(Column {
            name: names.add(part, &key)?,
            source: Source::Key(key),
        });
    }
    if kind == Kind::Feature {
        columns.push(Column {
            name: GEOMETRY.to_owned(),
            source: Source::Geometry,
        });
        if found.has_id {
            columns.push(Column {
                name: names.add(part, "id")?,
                source: Source::Id,
            });
        }
    }
    columns.push(Column {
        name: RECORD.to_owned(),
        source: Source::Record,
    });
    Ok(columns)
}
