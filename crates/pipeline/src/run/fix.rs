//! Corrections on their way into a table: after the parts whose records they stand for, through the same mapping and contract.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use sectorlake_contract::FieldType;
use sectorlake_formats::FormatError;
use sectorlake_lake::Manifest;
use sectorlake_normalise::Normaliser;

use super::journal::Origin;
use super::load::TableLoad;
use super::piece::{Numbers, Piece};
use crate::fixes::{
    Corrections, Entry, FixFile, Root, Sheet, Target, converted, hash_of, open_root,
};
use crate::plan::Feed;
use crate::result::Failure;

/// The corrections of a run, and which of them one table takes up.
pub(super) struct Fixes<'a> {
    pub(super) corrections: &'a Corrections,
    pub(super) manifests: &'a [Manifest],
    pub(super) which: Which,
}

/// Which corrections are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// Those of parts that are loaded, by hash.
    Of(HashSet<String>),
    /// Those of one file that came with this run, by hash: what was there before stays as it is.
    New(Option<String>),
}

impl Fixes<'_> {
    fn wants(&self, file: &FixFile, entry: &Entry) -> bool {
        match &self.which {
            Which::Of(parts) => parts.contains(hash_of(&entry.root)),
            Which::New(new) => new.as_deref() == Some(file.manifest.hash.as_str()),
        }
    }
}

/// Corrections that go through one mapping.
struct Group {
    schema: SchemaRef,
    root: Root,
    rows: HashSet<i64>,
}

impl TableLoad<'_> {
    /// Loads the corrections of one stream.
    pub(super) async fn corrected(&mut self, feed: &Feed) -> Result<(), Failure> {
        let fixes = self.fixes;
        for file in &fixes.corrections.files {
            for sheet in &file.sheets {
                for group in self.groups(feed, file, sheet).await? {
                    self.group(feed, file, sheet, group).await?;
                }
            }
        }
        Ok(())
    }

    async fn groups(
        &mut self,
        feed: &Feed,
        file: &FixFile,
        sheet: &Sheet,
    ) -> Result<Vec<Group>, Failure> {
        let fixes = self.fixes;
        let mut by_root: BTreeMap<&Arc<str>, HashSet<i64>> = BTreeMap::new();
        let of_stream = sheet
            .entries
            .iter()
            .filter(|entry| *entry.stream == *feed.stream.name);
        for entry in of_stream {
            if fixes.wants(file, entry) && fixes.corrections.holds(sheet, entry) {
                by_root.entry(&entry.root).or_default().insert(entry.at);
            }
        }
        let mut groups: Vec<Group> = Vec::new();
        for (part, rows) in by_root {
            let root = self.root(feed, part).await?;
            let schema = root.schema();
            let same = groups
                .iter_mut()
                .find(|group| group.schema == schema && !feed.depends_on_part());
            match same {
                Some(group) => group.rows.extend(rows),
                None => groups.push(Group { schema, root, rows }),
            }
        }
        Ok(groups)
    }

    async fn root(&mut self, feed: &Feed, part: &str) -> Result<Root, Failure> {
        let place = (feed.stream.name.clone(), part.to_owned());
        if let Some(known) = self.known.get(&place) {
            return Ok(known.clone());
        }
        let (raw, read) = (self.loader.raw, &self.loader.read);
        let root = open_root(raw, self.fixes.manifests, feed, read, part).await?;
        self.known.insert(place, root.clone());
        Ok(root)
    }

    /// Columns that become dates as they stand, with the format in which the contract expects them.
    fn dates(&self, normaliser: &Normaliser) -> HashMap<String, String> {
        let fields = self.plan.contract.fields.iter().zip(normaliser.taken());
        let dates = fields.filter_map(|(field, taken)| {
            let taken = taken.filter(|taken| taken.as_it_stands)?;
            let is_time = matches!(field.kind, FieldType::Date | FieldType::Datetime);
            let format = field.format.clone().filter(|_| is_time)?;
            Some((taken.source, format))
        });
        dates.collect()
    }

    async fn group(
        &mut self,
        feed: &Feed,
        file: &FixFile,
        sheet: &Sheet,
        group: Group,
    ) -> Result<(), Failure> {
        let Group { schema, root, rows } = group;
        let normaliser = self
            .normaliser(feed, &root.part, &root.key, &root.name)
            .await?;
        let target = Target {
            projection: normaliser.projection(),
            schema,
            rows: Arc::new(rows),
            dates: Arc::new(self.dates(&normaliser)),
        };
        let name = sheet.part.name().to_owned();
        let all: Vec<usize> = (0..sheet.part.schema().fields().len()).collect();
        let streams = sheet.part.read(&all).into_iter().map(|stream| {
            let (target, name) = (target.clone(), name.clone());
            let records = stream.map(move |decoded| {
                converted(&decoded?, &target).map_err(|source| FormatError::Arrow {
                    name: name.clone(),
                    source,
                })
            });
            records.boxed()
        });
        let piece = Piece {
            feed,
            manifest: &file.manifest,
            origin: Origin {
                part: sheet.id.clone(),
                file: sheet.part.name().to_owned(),
                key: file.manifest.key.clone(),
            },
            streams: streams.collect(),
            omitted: None,
            numbers: Numbers::Gaps,
        };
        self.piece(piece, &normaliser).await
    }
}
