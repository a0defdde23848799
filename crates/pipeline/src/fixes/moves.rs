//! Corrections in another version of the source: each follows its record, as long as that stands there as it stood.
//!
//! A record is known by what it holds, and among records that hold the same by which of them it is, counted from the top.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use futures::StreamExt;
use sectorlake_formats::{Part, ReadOptions};
use sectorlake_lake::{Load, Manifest, RawZone};

use super::{Entry, FixFile, Place, Sheet, feed_of, hash_of, open_root};
use crate::members;
use crate::plan::{Feed, TablePlan};
use crate::result::{Failure, FailureKind};

/// Columns that say where a record stands, not what it holds.
const PLACES: [&str; 2] = ["_row", "_parent_row"];
/// A record that could not be read is known by its text, unless that was too long to be kept whole.
const RAW_WHOLE_MAX: usize = 2040;

/// What a record holds.
type Print = [u8; 32];

/// The versions of the source's parts in which corrections are to hold.
pub(crate) struct Versions<'a> {
    pub(crate) plans: &'a [TablePlan],
    pub(crate) raw: &'a RawZone,
    /// All that was ever fetched.
    pub(crate) manifests: &'a [Manifest],
    pub(crate) read: &'a ReadOptions,
    /// The parts that there are now.
    pub(crate) parts: &'a [Manifest],
}

/// Where the records of corrections are by now.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    to: HashMap<Place, (Arc<str>, i64)>,
    gone: HashSet<Place>,
}

/// A correction that holds no more, for its record is not there any more.
#[derive(Debug, Clone)]
pub(crate) struct Lapsed {
    /// The hash of its file.
    pub(crate) file: String,
    /// Its sheet.
    pub(crate) sheet: String,
    pub(crate) entry: Entry,
}

impl Moves {
    /// A record that was looked for, and is not there.
    pub(crate) fn is_gone(&self, entry: &Entry) -> bool {
        self.gone.contains(&place(entry))
    }

    /// Lets a correction stand for its record where that is now.
    pub(crate) fn apply(&self, entry: &mut Entry) {
        if let Some((part, row)) = self.to.get(&place(entry)) {
            let before = std::mem::replace(&mut entry.part, Arc::clone(part));
            entry.before = Some((before, entry.row));
            entry.root = Arc::clone(part);
            entry.row = *row;
        }
    }

    /// How many corrections have followed their record.
    pub(crate) fn held(&self) -> usize {
        self.to.len()
    }
}

fn place(entry: &Entry) -> Place {
    (
        Arc::clone(&entry.stream),
        Arc::clone(&entry.part),
        entry.row,
    )
}

impl Versions<'_> {
    /// Looks for the records of all corrections whose part is not there any more.
    ///
    /// # Errors
    /// A part cannot be read.
    pub(crate) async fn moves(&self, files: &[FixFile]) -> Result<Moves, Failure> {
        let sheets = files.iter().flat_map(|file| &file.sheets);
        self.moves_of(&sheets.collect::<Vec<_>>()).await
    }

    /// The same for sheets, later ones among which may correct what stands in earlier ones.
    pub(crate) async fn moves_of(&self, sheets: &[&Sheet]) -> Result<Moves, Failure> {
        let corrected: HashSet<&str> = sheets.iter().map(|sheet| sheet.id.as_str()).collect();
        let there: HashSet<&str> = self.parts.iter().map(|part| part.hash.as_str()).collect();
        let mut wanted: BTreeMap<(Arc<str>, Arc<str>), BTreeSet<i64>> = BTreeMap::new();
        for entry in sheets.iter().flat_map(|sheet| &sheet.entries) {
            if !corrected.contains(&*entry.part) && !there.contains(hash_of(&entry.part)) {
                let key = (Arc::clone(&entry.stream), Arc::clone(&entry.part));
                wanted.entry(key).or_default().insert(entry.row);
            }
        }
        let mut moves = Moves::default();
        for ((stream, part), rows) in wanted {
            let found = self.found(&stream, &part, &rows).await?;
            for row in rows {
                let place = (Arc::clone(&stream), Arc::clone(&part), row);
                if let Some(now) = found.get(&row) {
                    moves.to.insert(place, now.clone());
                } else {
                    moves.gone.insert(place);
                }
            }
        }
        Ok(moves)
    }

    /// Where records of a part that is not there any more are now.
    async fn found(
        &self,
        stream: &str,
        part: &str,
        rows: &BTreeSet<i64>,
    ) -> Result<HashMap<i64, (Arc<str>, i64)>, Failure> {
        let nowhere = HashMap::new();
        let Some(feed) = feed_of(self.plans, stream) else {
            return Ok(nowhere);
        };
        let of_unit = |manifest: &&Manifest| manifest.unit == feed.stream.unit;
        let before = self.manifests.iter().rev().filter(of_unit);
        let Some(before) = before
            .into_iter()
            .find(|manifest| manifest.hash == hash_of(part))
        else {
            return Ok(nowhere);
        };
        let mut newer = self.parts.iter().filter(of_unit);
        let Some(now) = newer.find(|manifest| manifest.key == before.key) else {
            return Ok(nowhere);
        };
        let read = ReadOptions {
            partitions: 1,
            ..self.read.clone()
        };
        let member = part.split_once('!').map(|(_, member)| member);
        let looked = async {
            let old = open_root(self.raw, self.manifests, feed, &read, part).await?;
            let wanted = Wanted::of(&old.part, rows).await?;
            match self.piece(now, feed, &read, member).await? {
                Some((id, new)) => wanted.find(&new, &id).await,
                None => Ok(HashMap::new()),
            }
        };
        match looked.await {
            // Under other options an old part may be none any more; then its records are not there either.
            Err(failure) if failure.kind != FailureKind::Storage => Ok(nowhere),
            looked => looked,
        }
    }

    /// The piece of a part that has this name in it, with what `_part` says of it.
    async fn piece(
        &self,
        manifest: &Manifest,
        feed: &Feed,
        read: &ReadOptions,
        member: Option<&str>,
    ) -> Result<Option<(Arc<str>, Part)>, Failure> {
        let bytes = members::bytes_of(self.raw, manifest);
        let format = feed.format.as_ref();
        let mut pieces = members::open_all(&bytes, &feed.stream, format, read).await?;
        let are_several = pieces.are_several();
        while let Some(piece) = pieces.next().await? {
            if member.is_none() && !are_several {
                return Ok(Some((manifest.hash.as_str().into(), piece.part)));
            }
            if member.is_some() && member == piece.member.as_deref() {
                let id = match (are_several, member) {
                    (true, Some(member)) => format!("{}!{member}", manifest.hash),
                    _ => manifest.hash.clone(),
                };
                return Ok(Some((id.into(), piece.part)));
            }
        }
        Ok(None)
    }
}

/// Records that are looked for: what they hold, and the how many-th of those that hold it.
struct Wanted {
    prints: HashSet<Print>,
    rows: HashMap<(Print, usize), i64>,
}

impl Wanted {
    async fn of(part: &Part, rows: &BTreeSet<i64>) -> Result<Self, Failure> {
        let mut prints = HashSet::new();
        scan(
            part,
            |row| rows.contains(&row),
            |print, _| {
                prints.insert(print);
            },
        )
        .await?;
        let mut counts: HashMap<Print, usize> = HashMap::new();
        let mut found = HashMap::new();
        let count = |print: Print, row| {
            if prints.contains(&print) {
                let count = counts.entry(print).or_default();
                *count += 1;
                if rows.contains(&row) {
                    found.insert((print, *count), row);
                }
            }
        };
        scan(part, |_| true, count).await?;
        Ok(Self {
            prints,
            rows: found,
        })
    }

    async fn find(
        self,
        part: &Part,
        id: &Arc<str>,
    ) -> Result<HashMap<i64, (Arc<str>, i64)>, Failure> {
        let mut counts: HashMap<Print, usize> = HashMap::new();
        let mut found = HashMap::new();
        let look = |print: Print, row| {
            if self.prints.contains(&print) {
                let count = counts.entry(print).or_default();
                *count += 1;
                if let Some(before) = self.rows.get(&(print, *count)) {
                    found.insert(*before, (Arc::clone(id), row));
                }
            }
        };
        scan(part, |_| true, look).await?;
        Ok(found)
    }
}

/// Hands on what the records of a part hold, with their numbers, in order.
async fn scan(
    part: &Part,
    wants: impl Fn(i64) -> bool,
    mut each: impl FnMut(Print, i64),
) -> Result<(), Failure> {
    let schema = part.schema();
    let mut columns: Vec<(&str, usize)> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name().as_str(), index))
        .filter(|(name, _)| !PLACES.contains(name))
        .collect();
    // The columns of JSON come in the order in which they are met.
    columns.sort_unstable();
    let all: Vec<usize> = (0..schema.fields().len()).collect();
    for mut stream in part.read(&all) {
        while let Some(decoded) = stream.next().await {
            let decoded = decoded?;
            for (index, row) in decoded.rows.values().iter().enumerate() {
                if wants(*row) {
                    let print = print(&decoded.batch, index, &columns);
                    each(print.map_err(|error| unreadable(part, &error))?, *row);
                }
            }
            for broken in &decoded.broken {
                let whole = !broken.raw.is_empty() && broken.raw.len() < RAW_WHOLE_MAX;
                if whole && wants(broken.row) {
                    let text = format!("broken\0{}", broken.raw);
                    each(*blake3::hash(text.as_bytes()).as_bytes(), broken.row);
                }
            }
        }
    }
    Ok(())
}

fn print(
    batch: &RecordBatch,
    index: usize,
    columns: &[(&str, usize)],
) -> Result<Print, ArrowError> {
    let mut hasher = blake3::Hasher::new();
    for (name, column) in columns {
        let column = batch.column(*column);
        // A key that a JSON record lacks and one that it has empty are the same to a mapping.
        if column.is_null(index) {
            continue;
        }
        let value = array_value_to_string(column, index)?;
        for text in [name.as_bytes(), value.as_bytes()] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
    }
    Ok(*hasher.finalize().as_bytes())
}

fn unreadable(part: &Part, error: &ArrowError) -> Failure {
    Failure::new(FailureKind::Data, format!("{}: {error}", part.name()))
}

/// Whether a stream's records are replaced as a whole: what grows, or is replaced by the slice, stays though its part is not read again.
pub(super) fn is_replaced(plans: &[TablePlan], stream: &str) -> bool {
    let mut feeding = plans.iter().filter(|plan| {
        let mut feeds = plan.feeds.iter();
        feeds.any(|feed| feed.stream.name == stream)
    });
    feeding.all(|plan| plan.load == Load::Replace && plan.slice.is_none())
}
