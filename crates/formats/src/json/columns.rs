//! The columns of a part: the keys of its records, in the order in which they first appear.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use futures::future::try_join_all;
use tokio::sync::Mutex;

use crate::blocks::Scan;
use crate::choice::Choice;
use crate::columns::UniqueNames;
use crate::error::FormatError;
use crate::json::fields::{fields, items, text};
use crate::json::unnest::split;
use crate::json::{Block, Cutter, Kind, Reading};
use crate::ngsi_ld;

/// The whole record's column.
const RECORD: &str = "_record";
/// The column of one element of the list that is unnested.
const ELEMENT: &str = "_element";
/// The column of the record's number where elements are numbered.
const PARENT_ROW: &str = "_parent_row";
/// The column of a feature's shape.
const GEOMETRY: &str = "geometry";
/// Keys of one part, at most.
const KEYS_MAX: usize = 16_384;

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The record's key, or the key of a feature's properties.
    Key(String),
    /// A place in a record that is a list.
    Index(usize),
    /// An element's key.
    Element(String),
    /// An element that is no object.
    Item,
    /// The whole element.
    ElementText,
    /// The number of the element's record.
    ParentRow,
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
            Source::ParentRow => Field::new(&self.name, DataType::Int64, false),
            Source::Record | Source::ElementText => {
                Field::new(&self.name, DataType::Utf8View, false)
            }
            _ => Field::new(&self.name, DataType::Utf8View, true),
        }
    }
}

/// The place of a key's first appearance: record, then place in it.
type First = (i64, usize);

/// What some blocks hold.
#[derive(Debug, Default)]
struct Found {
    keys: HashMap<String, First>,
    /// Keys of elements.
    elements: HashMap<String, First>,
    /// The first element that is no object.
    item: Option<First>,
    has_id: bool,
    records: u64,
    /// Records that hold elements.
    with_elements: u64,
    /// Records that are lists.
    lists: u64,
    /// The texts of the first record, where it is a list of nothing else.
    header: Option<Vec<String>>,
}

/// What a part holds.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) columns: Vec<Column>,
    pub(crate) choices: Vec<Choice>,
    /// Records are lists, and the first names their values.
    pub(crate) has_header: bool,
}

/// Passes over the part once.
pub(crate) async fn collect(reading: &Reading) -> Result<Collected, FormatError> {
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
        all.add(found);
    }
    // An answer names its attributes, so that a page without records has the columns of the others.
    for (place, name) in reading.layer.names.iter().enumerate() {
        note(&mut all.keys, name, (0, place));
    }
    let mut choices = Vec::new();
    if let Cutter::Document(cutter) = scan.lock().await.cutter()
        && let Some(byte) = cutter.trailing_comma()
    {
        let byte = reading.encoding.byte_in_part(byte).unwrap_or(byte);
        choices.push(Choice::new(
            "trailing comma",
            format!("byte {byte}"),
            "the list ends after a comma, which JSON does not allow; every record before it is read",
        ));
    }
    if let Some(path) = &reading.unnest {
        choices.push(Choice::new(
            "unnest",
            path.join("."),
            format!(
                "declared; {} of {} records hold elements, the others give no row",
                all.with_elements, all.records
            ),
        ));
    }
    let is_table = reading.unnest.is_none() && all.lists > 1 && all.lists == all.records;
    let header = all.header.take().filter(|_| is_table);
    if let Some(header) = &header {
        choices.push(Choice::new(
            Choice::HEADER_ROWS,
            "1",
            format!(
                "the records are lists, and the first is {} texts",
                header.len()
            ),
        ));
    }
    Ok(Collected {
        has_header: header.is_some(),
        columns: name_columns(name, reading, all, header)?,
        choices,
    })
}

async fn work(scan: &Mutex<Scan<Cutter>>, reading: &Reading) -> Result<Found, FormatError> {
    let mut found = Found::default();
    loop {
        let block = scan.lock().await.next().await?;
        let Some(block) = block else { return Ok(found) };
        found.look_into(&block, reading);
        if found.keys.len() + found.elements.len() > KEYS_MAX {
            return Err(FormatError::TooManyColumns {
                name: reading.content.name.clone(),
                bound: KEYS_MAX,
            });
        }
    }
}

impl Found {
    fn add(&mut self, other: Self) {
        self.has_id |= other.has_id;
        self.records += other.records;
        self.with_elements += other.with_elements;
        self.lists += other.lists;
        self.header = self.header.take().or(other.header);
        self.item = self.item.into_iter().chain(other.item).min();
        for (key, first) in other.keys {
            note(&mut self.keys, &key, first);
        }
        for (key, first) in other.elements {
            note(&mut self.elements, &key, first);
        }
    }

    /// Broken records have no keys; they are told of when they are decoded.
    fn look_into(&mut self, block: &Block, reading: &Reading) {
        for (row, record) in (block.row..).zip(&block.records) {
            self.records += 1;
            let Ok(text) = std::str::from_utf8(&record.bytes) else {
                continue;
            };
            match (&reading.unnest, reading.kind) {
                (Some(path), _) => self.elements(row, text, path),
                (None, Kind::Plain) => self.plain(row, text),
                (None, Kind::Feature) => self.members(row, text, "properties"),
                (None, Kind::Esri) => self.members(row, text, "attributes"),
                (None, Kind::Entity) => self.entity(row, text),
            }
        }
    }

    fn plain(&mut self, row: i64, record: &str) {
        let Ok(all) = fields(record) else { return };
        for (place, (key, _)) in all.iter().enumerate() {
            note(&mut self.keys, key, (row, place));
        }
        if record.starts_with('[') {
            self.lists += 1;
            if row == 1 {
                let texts = items(record)
                    .into_iter()
                    .map(|item| match item.starts_with('"') {
                        true => text(item).ok().map(std::borrow::Cow::into_owned),
                        false => None,
                    });
                self.header = texts.collect::<Option<Vec<_>>>().filter(|it| are_names(it));
            }
        }
    }

    /// A record whose columns stand in one of its members.
    fn members(&mut self, row: i64, record: &str, member: &str) {
        let Ok(all) = fields(record) else { return };
        self.has_id |= all.iter().any(|(key, _)| key == "id");
        let members = all.iter().rfind(|(key, _)| key == member);
        let Some(Ok(members)) = members.map(|(_, value)| fields(value)) else {
            return;
        };
        for (place, (key, _)) in members.iter().enumerate() {
            note(&mut self.keys, key, (row, place));
        }
    }

    fn entity(&mut self, row: i64, record: &str) {
        let Ok(all) = fields(record) else { return };
        for (place, (key, _)) in ngsi_ld::pairs(&all).iter().enumerate() {
            note(&mut self.keys, key, (row, place));
        }
    }

    fn elements(&mut self, row: i64, record: &str, path: &[String]) {
        let Ok(split) = split(record, path) else {
            return;
        };
        for (place, (key, _)) in split.own.iter().enumerate() {
            note(&mut self.keys, key, (row, place));
        }
        self.with_elements += u64::from(!split.elements.is_empty());
        let mut place = split.own.len();
        for element in split.elements {
            if !element.starts_with('{') {
                self.item = self.item.into_iter().chain([(row, place)]).min();
            }
            for (key, _) in fields(element).unwrap_or_default() {
                note(&mut self.elements, &key, (row, place));
                place += 1;
            }
        }
    }
}

/// Whether texts can name columns: some, each with something in it, no two alike.
fn are_names(texts: &[String]) -> bool {
    let different: HashSet<&String> = texts.iter().collect();
    !texts.is_empty()
        && different.len() == texts.len()
        && texts.iter().all(|it| !it.trim().is_empty())
}

fn note(keys: &mut HashMap<String, First>, key: &str, first: First) {
    match keys.get_mut(key) {
        Some(known) => *known = first.min(*known),
        None => drop(keys.insert(key.to_owned(), first)),
    }
}

fn name_columns(
    part: &str,
    reading: &Reading,
    found: Found,
    header: Option<Vec<String>>,
) -> Result<Vec<Column>, FormatError> {
    let is_feature = reading.kind == Kind::Feature;
    let list = reading.unnest.as_ref().map(|path| path.join("."));
    // A part that gives no row names no column: of none can be said that it is missing.
    let is_bare = match list {
        Some(_) => found.with_elements == 0,
        None => found.records == 0 && found.keys.is_empty(),
    };
    let has_shape = !is_bare && (is_feature || reading.kind == Kind::Esri);
    let mut sources: Vec<(First, String, Source)> = Vec::new();
    for (key, first) in found.keys.into_iter().filter(|_| !is_bare) {
        sources.push((first, key.clone(), Source::Key(key)));
    }
    if let Some(list) = &list {
        for (key, first) in found.elements {
            sources.push((first, format!("{list}.{key}"), Source::Element(key)));
        }
        if let Some(first) = found.item {
            sources.push((first, list.clone(), Source::Item));
        }
    }
    for (index, name) in header.unwrap_or_default().into_iter().enumerate() {
        sources.push(((1, index), name, Source::Index(index)));
    }
    sources.sort_unstable_by_key(|(first, ..)| *first);
    let mut last = Vec::new();
    if has_shape {
        last.push((GEOMETRY, Source::Geometry));
    }
    if list.is_some() && !is_bare {
        last.extend([
            (ELEMENT, Source::ElementText),
            (PARENT_ROW, Source::ParentRow),
        ]);
    }
    last.push((RECORD, Source::Record));
    let mut names = UniqueNames::default();
    last.iter().for_each(|(name, _)| names.reserve(name));
    let mut columns = Vec::with_capacity(sources.len() + 4);
    for (_, name, source) in sources {
        let name = names.add(part, &name)?;
        columns.push(Column { name, source });
    }
    for (name, source) in last {
        let name = name.to_owned();
        let is_record = source == Source::Record;
        if is_record && is_feature && found.has_id {
            columns.push(Column {
                name: names.add(part, "id")?,
                source: Source::Id,
            });
        }
        columns.push(Column { name, source });
    }
    Ok(columns)
}
