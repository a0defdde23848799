//! Corrected records: a spreadsheet of rejected rows that its owner mended, taken back in.
//!
//! The file is a raw part like any other. Each of its rows says which record of which part it stands for; wherever that part is
//! loaded, the record is left out and the row goes through the same mapping and contract. So a correction holds as long as the
//! source's own bytes do.

mod convert;
mod rejections;
mod root;
mod sheet;
mod take_in;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use sectorlake_lake::{FixState, Manifest};

pub(crate) use convert::{Target, converted};
pub(crate) use rejections::{Open, Reason, Wanted, is_version, open_rejections};
pub(crate) use root::{Root, open_root};
pub(crate) use sheet::{Entry, META, PART, RAW, REASONS, ROW, STREAM, Sheet, sheet_name};
pub(crate) use take_in::{Ground, feed_of, open_fix, stream_names, take_in};

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
#[derive(Debug)]
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
            sheet.entries.retain(|entry| !has_lapsed(&entry.root));
            let id: Arc<str> = sheet.id.as_str().into();
            for entry in &sheet.entries {
                let (part, row) = self.head(&entry.stream, &entry.part, entry.row);
                for (part, row) in [(part, row), (Arc::clone(&entry.part), entry.row)] {
                    let key = (Arc::clone(&entry.stream), Arc::clone(&part));
                    self.omitted.entry(key).or_default().insert(row);
                    let place = (Arc::clone(&entry.stream), part, row);
                    self.forward.insert(place, (Arc::clone(&id), entry.at));
                }
            }
        }
        self.files.push(file);
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
        let sheets = self.files.iter().flat_map(|file| &file.sheets);
        let corrected = sheets
            .filter(|sheet| *sheet.id == *entry.part)
            .find_map(|sheet| sheet.entry(entry.row));
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
