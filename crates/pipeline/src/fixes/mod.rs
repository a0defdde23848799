//! Corrected records: a spreadsheet of rejected rows that its owner mended, taken back in.
//!
//! The file is a raw part like any other. Each of its rows says which record of which part it stands for; wherever that part is
//! loaded, the record is left out and the row goes through the same mapping and contract. In another version of the part a
//! correction holds as long as its record stands there as it stood.

mod convert;
mod formulas;
mod judged;
mod moves;
mod rejections;
mod root;
mod sheet;
mod take_in;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use sectorlake_lake::{FixState, Manifest};

use crate::plan::TablePlan;

pub(crate) use convert::{Target, converted};
pub(crate) use formulas::{guarded, guarded_in_workbook};
pub(crate) use judged::{Judged, judged};
pub(crate) use moves::{Lapsed, Moves, Versions};
pub(crate) use rejections::{Open, Reason, Wanted, is_version, open_rejections};
pub(crate) use root::{Root, open_root};
pub(crate) use sheet::{Entry, META, PART, RAW, REASONS, ROW, STREAM, Sheet, sheet_name};
pub(crate) use take_in::{Ground, already_taken, feed_of, open_fix, stream_names, take_in};

/// A corrected file to take in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixRequest {
    /// The file: an export of rejected rows, corrected.
    pub path: PathBuf,
    /// Who corrected it.
    pub by: String,
}

/// The unit of raw parts that are corrections.
pub(crate) const UNIT: &str = "_fixes";

/// The raw part's hash in what `_part` says.
pub(crate) fn hash_of(part: &str) -> &str {
    part.split_once('!').map_or(part, |(hash, _)| hash)
}

/// One file of corrections.
#[derive(Debug, Clone)]
pub(crate) struct FixFile {
    pub(crate) manifest: Manifest,
    pub(crate) state: FixState,
    pub(crate) sheets: Vec<Sheet>,
}

type Place = (Arc<str>, Arc<str>, i64);

/// All corrections in force.
#[derive(Debug, Default)]
pub(crate) struct Corrections {
    pub(crate) files: Vec<FixFile>,
    /// By stream and part, the records that are left out.
    omitted: HashMap<(Arc<str>, Arc<str>), HashSet<i64>>,
    /// A record, and the row that stands for it.
    forward: HashMap<Place, (Arc<str>, i64)>,
}

impl Corrections {
    /// Takes in one more file, later than all before.
    pub(crate) fn add(&mut self, mut file: FixFile) {
        for sheet in &mut file.sheets {
            for entry in &mut sheet.entries {
                entry.root = self.root(entry);
            }
            let has_lapsed = |root: &str| file.state.lapsed.iter().any(|it| it == hash_of(root));
            let gone = file.state.gone.get(&sheet.id);
            let is_gone = |at: i64| gone.is_some_and(|rows| rows.binary_search(&at).is_ok());
            let entries = &mut sheet.entries;
            entries.retain(|entry| !has_lapsed(&entry.root) && !is_gone(entry.at));
            let id: Arc<str> = sheet.id.as_str().into();
            for entry in &sheet.entries {
                let (part, row) = self.head(&entry.stream, &entry.part, entry.row);
                // What a table that grows rejected of an earlier version is corrected with it.
                let places = [(part, row), (Arc::clone(&entry.part), entry.row)];
                for (part, row) in places.into_iter().chain(entry.before.clone()) {
                    let key = (Arc::clone(&entry.stream), Arc::clone(&part));
                    self.omitted.entry(key).or_default().insert(row);
                    let place = (Arc::clone(&entry.stream), part, row);
                    self.forward.insert(place, (Arc::clone(&id), entry.at));
                }
            }
        }
        self.files.push(file);
    }

    /// The corrections as they hold in other versions of the source's parts, and those that hold no more.
    pub(crate) fn moved(&self, moves: &Moves, plans: &[TablePlan]) -> (Self, Vec<Lapsed>) {
        let (mut moved, mut lapsed) = (Self::default(), Vec::new());
        let ids: HashSet<&str> = self.sheets().map(|sheet| sheet.id.as_str()).collect();
        for file in &self.files {
            let mut file = file.clone();
            for sheet in &mut file.sheets {
                let (id, hash) = (sheet.id.clone(), file.manifest.hash.clone());
                sheet.entries.retain_mut(|entry| {
                    // What corrects a correction lapses with it.
                    let holds = match ids.contains(&*entry.part) {
                        true => moved.entry(&entry.part, entry.row).is_some(),
                        false => !moves.is_gone(entry) || !moves::is_replaced(plans, &entry.stream),
                    };
                    if holds {
                        moves.apply(entry);
                    } else {
                        lapsed.push(Lapsed {
                            file: hash.clone(),
                            sheet: id.clone(),
                            entry: entry.clone(),
                        });
                    }
                    holds
                });
            }
            moved.add(file);
        }
        (moved, lapsed)
    }

    fn sheets(&self) -> impl Iterator<Item = &Sheet> {
        self.files.iter().flat_map(|file| &file.sheets)
    }

    fn entry(&self, sheet: &str, at: i64) -> Option<&Entry> {
        let mut of_id = self.sheets().filter(|known| known.id == sheet);
        of_id.find_map(|sheet| sheet.entry(at))
    }

    /// The row that stands for a record by now; itself where nothing does.
    pub(crate) fn head(&self, stream: &Arc<str>, part: &Arc<str>, row: i64) -> (Arc<str>, i64) {
        let mut at = (Arc::clone(part), row);
        let mut steps = 0;
        while let Some(next) = self
            .forward
            .get(&(Arc::clone(stream), Arc::clone(&at.0), at.1))
        {
            at = next.clone();
            steps += 1;
            // Each step leads to a later file.
            if steps > self.files.len() {
                break;
            }
        }
        at
    }

    /// The part of the source that the record of a correction came from.
    pub(crate) fn root(&self, entry: &Entry) -> Arc<str> {
        let corrected = self.entry(&entry.part, entry.row);
        corrected.map_or_else(|| Arc::clone(&entry.part), |known| Arc::clone(&known.root))
    }

    /// The records of a part that are left out, for others stand for them.
    pub(crate) fn omitted(&self, stream: &str, part: &str) -> Option<&HashSet<i64>> {
        self.omitted.get(&(stream.into(), part.into()))
    }

    /// Whether a sheet's row stands for its record still.
    pub(crate) fn holds(&self, sheet: &Sheet, entry: &Entry) -> bool {
        !self
            .omitted
            .get(&(Arc::clone(&entry.stream), sheet.id.as_str().into()))
            .is_some_and(|rows| rows.contains(&entry.at))
    }
}
