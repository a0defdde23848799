//! Judges the rows of one key after another.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef, UInt8Type, UInt32Type, UInt64Type};
use arrow::row::{RowConverter, SortField};
use arrow::util::display::array_value_to_string;

use super::records::{Parts, Side};
use super::{Dropped, Positions};

/// What holds among rows of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The first stays, later ones of this run are rejected.
    FirstStays,
    /// The last of this run replaces the published one of its source, unless both say the same.
    LastReplaces,
}

/// A row of this run that is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loser {
    pub(crate) part: String,
    pub(crate) row: i64,
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) holder: KeyHolder,
}

/// Whose row has the key already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyHolder {
    /// Another source's, published.
    OtherSource,
    /// One of this source, loaded by an earlier run.
    EarlierRun,
    /// One of this run.
    ThisRun {
        /// The raw part.
        part: String,
        /// The record in it.
        row: i64,
    },
}

/// The verdicts on all keys so far.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Rows that go, by the number of their file.
    pub(crate) dropped: Dropped,
    /// Those of them that are rejected.
    pub(crate) refused: Dropped,
    /// Those that nobody was told of yet.
    pub(super) losers: Vec<Loser>,
    /// Rows of this run that say what is published already.
    pub(crate) unchanged: u64,
    /// Rows of this run that a later one of their key replaces.
    pub(crate) superseded: u64,
    /// Published rows that a row of this run replaces: the old one's place, and the new one's.
    pub(crate) changed: Vec<(Place, Place)>,
}

impl Verdicts {
    fn refuse(&mut self, loser: Loser) {
        let place = loser.place;
        self.drop_row(place);
        let positions: &mut Positions = self.refused.entry(place.file).or_default();
        positions.insert(place.position);
        self.losers.push(loser);
    }

    fn drop_row(&mut self, place: Place) {
        let positions: &mut Positions = self.dropped.entry(place.file).or_default();
        positions.insert(place.position);
    }
}

/// Where a row stands: its file's number, and its position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) file: usize,
    pub(crate) position: u64,
}

/// The rows of the key at hand.
#[derive(Debug, Default)]
struct Group {
    key: Vec<u8>,
    /// The first row: whose, its part and its record number.
    holder: Option<(u8, u32, i64)>,
    others: bool,
    published: Vec<(Place, Vec<u8>)>,
    latest: Option<(Place, Vec<u8>)>,
}

#[derive(Debug)]
pub(super) struct Judge<'a> {
    rule: Rule,
    parts: &'a Parts,
    converter: Option<RowConverter>,
    group: Group,
}

impl<'a> Judge<'a> {
    pub(super) fn new(rule: Rule, parts: &'a Parts, key: &SchemaRef) -> Self {
        let fields = key
            .fields()
            .iter()
            .map(|field| SortField::new(field.data_type().clone()));
        // Only for showing keys: without it they are shown as nothing.
        let converter = RowConverter::new(fields.collect()).ok();
        Self {
            rule,
            parts,
            converter,
            group: Group::default(),
        }
    }

    /// Takes the next records, sorted.
    pub(super) fn take(&mut self, batch: &RecordBatch, verdicts: &mut Verdicts) {
        let keys = batch.column(0).as_binary::<i32>();
        let sides = batch.column(1).as_primitive::<UInt8Type>();
        let parts = batch.column(2).as_primitive::<UInt32Type>();
        let rows = batch.column(3).as_primitive::<Int64Type>();
        let files = batch.column(4).as_primitive::<UInt32Type>();
        let positions = batch.column(5).as_primitive::<UInt64Type>();
        let contents = batch.column(6).as_binary::<i32>();
        for index in 0..batch.num_rows() {
            if self.group.key != keys.value(index) {
                self.end(verdicts);
                self.group.key.extend_from_slice(keys.value(index));
            }
            let place = Place {
                file: usize::try_from(files.value(index)).unwrap_or(usize::MAX),
                position: positions.value(index),
            };
            let content = contents.value(index);
            let side = sides.value(index);
            let origin = (parts.value(index), rows.value(index));
            if side == Side::New as u8 {
                self.take_new(place, content, origin, verdicts);
            } else {
                self.take_published(side, place, content);
            }
            let (part, row) = origin;
            self.group.holder.get_or_insert((side, part, row));
        }
    }

    fn take_published(&mut self, side: u8, place: Place, content: &[u8]) {
        if side == Side::Other as u8 {
            self.group.others = true;
        } else if self.rule == Rule::LastReplaces {
            self.group.published.push((place, content.to_vec()));
        }
    }

    fn take_new(
        &mut self,
        place: Place,
        content: &[u8],
        origin: (u32, i64),
        verdicts: &mut Verdicts,
    ) {
        let loses = match self.rule {
            Rule::LastReplaces => self.group.others,
            Rule::FirstStays => self.group.holder.is_some(),
        };
        if loses {
            let key = self.key_text();
            verdicts.refuse(Loser {
                part: self.parts.name(origin.0),
                row: origin.1,
                key,
                place,
                holder: self.holder(),
            });
            return;
        }
        if self.rule == Rule::LastReplaces
            && let Some((earlier, _)) = self.group.latest.replace((place, content.to_vec()))
        {
            verdicts.drop_row(earlier);
            verdicts.superseded += 1;
        }
    }

    /// Closes the key at hand.
    pub(super) fn end(&mut self, verdicts: &mut Verdicts) {
        let group = std::mem::take(&mut self.group);
        let Some((latest, content)) = group.latest else {
            return;
        };
        if let [(_, published)] = group.published.as_slice()
            && *published == content
        {
            verdicts.drop_row(latest);
            verdicts.unchanged += 1;
            return;
        }
        for (place, _) in group.published {
            verdicts.drop_row(place);
            verdicts.changed.push((place, latest));
        }
    }

    fn holder(&self) -> KeyHolder {
        match self.group.holder {
            Some((side, part, row)) if side == Side::New as u8 => KeyHolder::ThisRun {
                part: self.parts.name(part),
                row,
            },
            Some((side, ..)) if side == Side::Own as u8 => KeyHolder::EarlierRun,
            _ => KeyHolder::OtherSource,
        }
    }

    /// The key at hand, for people: its values joined by commas.
    fn key_text(&self) -> String {
        let Some(converter) = &self.converter else {
            return String::new();
        };
        let parser = converter.parser();
        let columns = converter
            .convert_rows([parser.parse(&self.group.key)])
            .unwrap_or_default();
        let texts = columns.iter().map(|column| {
            if column.is_null(0) {
                return String::new();
            }
            array_value_to_string(column, 0).unwrap_or_default()
        });
        texts.collect::<Vec<_>>().join(", ")
    }
}
