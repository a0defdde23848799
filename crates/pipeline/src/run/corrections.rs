//! The corrections of a run: those in force, and the file that came with it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use sectorlake_formats::ReadOptions;
use sectorlake_lake::journal::FixRow;
use sectorlake_lake::{FixState, Lake, Load, Manifest, PipelineState, RawZone, Run};

use super::fetch::Parts;
use super::journal::Recorder;
use crate::fixes::{
    Corrections, FixFile, FixRequest, Ground, UNIT, Wanted, hash_of, open_fix, open_rejections,
    stream_names, take_in,
};
use crate::plan::TablePlan;
use crate::result::{Failure, FailureKind};

/// What corrections are found with.
pub(crate) struct Gathering<'a> {
    pub(crate) lake: &'a Lake,
    pub(crate) pipeline: &'a str,
    pub(crate) plans: &'a [TablePlan],
    pub(crate) raw: &'a RawZone,
    pub(crate) read: ReadOptions,
}

/// What there is of corrections.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) corrections: Corrections,
    pub(crate) manifests: Vec<Manifest>,
    /// The hash of the file that came with this run.
    pub(crate) new: Option<String>,
}

impl Gathering<'_> {
    /// Those in force as of `state`.
    pub(crate) async fn in_force(&self, state: &PipelineState) -> Result<Gathered, Failure> {
        let mut gathered = Gathered {
            manifests: self.raw.manifests().await?,
            ..Gathered::default()
        };
        let streams = stream_names(self.plans);
        for fix in &state.fixes {
            let manifest = gathered
                .manifests
                .iter()
                .rev()
                .find(|manifest| manifest.unit == UNIT && manifest.hash == fix.part)
                .ok_or_else(|| gone(fix))?
                .clone();
            let file = open_fix(self.raw, &manifest, fix.clone(), &streams, &self.read).await?;
            gathered.corrections.add(file);
        }
        Ok(gathered)
    }

    /// Takes in a corrected file on top of them.
    pub(crate) async fn with(
        &self,
        mut gathered: Gathered,
        request: &FixRequest,
        run: &Run,
        now: DateTime<Utc>,
    ) -> Result<Gathered, Failure> {
        let open = open_rejections(
            self.lake,
            self.pipeline,
            self.plans,
            &gathered.corrections,
            Wanted::Places,
        );
        let open = open.await?;
        let ground = Ground {
            plans: self.plans,
            raw: self.raw,
            manifests: &gathered.manifests,
            read: &self.read,
            open: &open,
            corrections: &gathered.corrections,
        };
        let file = take_in(&ground, request, run.id(), now).await?;
        gathered.new = Some(file.manifest.hash.clone());
        gathered.corrections.add(file);
        Ok(gathered)
    }
}

fn gone(fix: &FixState) -> Failure {
    let message = format!(
        "the corrections of {} by {} are gone: raw part {}",
        fix.at, fix.by, fix.part
    );
    Failure::new(FailureKind::Storage, message).help("restore the lake's raw/ folder from a backup")
}

/// The parts that the published rows come from; nothing is fetched.
pub(super) fn published(manifests: &[Manifest], state: &PipelineState) -> Result<Parts, Failure> {
    let mut by_hash: HashMap<&str, Vec<&Manifest>> = HashMap::new();
    for manifest in manifests.iter().filter(|manifest| manifest.unit != UNIT) {
        by_hash.entry(&manifest.hash).or_default().push(manifest);
    }
    for known in by_hash.values_mut() {
        known.sort_by_key(|manifest| manifest.checked_sequence);
    }
    let mut parts = Parts {
        cursor: state.cursor.clone(),
        ..Parts::default()
    };
    for hash in &state.parts {
        // Two keys may hold the same bytes: the newest of them first.
        let found = by_hash.get_mut(hash.as_str()).and_then(Vec::pop);
        let manifest = found.ok_or_else(|| {
            Failure::new(FailureKind::Data, format!("the raw part {hash} is gone"))
                .help("run the pipeline without --fix first")
        })?;
        let unit = parts.by_unit.entry(manifest.unit.clone()).or_default();
        unit.push(manifest.clone());
    }
    Ok(parts)
}

/// Corrections that hold no more, since the source itself has changed: by file, the parts they were for.
pub(super) fn lapsed(
    corrections: &Corrections,
    plans: &[TablePlan],
    parts: &Parts,
) -> Vec<(String, BTreeSet<String>)> {
    let there: BTreeSet<String> = parts.hashes().into_iter().collect();
    // What grows, or is replaced by the slice, stays though its part is not read again.
    let whole = |stream: &str| {
        let mut feeding = plans.iter().filter(|plan| {
            let mut feeds = plan.feeds.iter();
            feeds.any(|feed| feed.stream.name == stream)
        });
        feeding.all(|plan| plan.load == Load::Replace && plan.slice.is_none())
    };
    let of_file = |file: &FixFile| {
        let entries = file.sheets.iter().flat_map(|sheet| &sheet.entries);
        entries
            .filter(|entry| whole(&entry.stream))
            .map(|entry| hash_of(&entry.root).to_owned())
            .filter(|root| !there.contains(root))
            .collect::<BTreeSet<_>>()
    };
    let files = corrections.files.iter();
    files
        .map(|file| (file.manifest.hash.clone(), of_file(file)))
        .filter(|(_, roots)| !roots.is_empty())
        .collect()
}

/// What the journal and the run's result say of corrections that came or lapsed.
pub(super) fn account(
    gathered: &Gathered,
    lapsed: &[(String, BTreeSet<String>)],
    recorder: &mut Recorder,
) -> Vec<String> {
    let mut notes = Vec::new();
    for file in &gathered.corrections.files {
        let hash = &file.manifest.hash;
        let gone = lapsed.iter().find(|(part, _)| part == hash);
        let (mut loaded, mut rejected, mut over) = (0_u64, 0_u64, 0_u64);
        for sheet in &file.sheets {
            let held = sheet.entries.iter();
            for entry in held.filter(|entry| gathered.corrections.holds(sheet, entry)) {
                let has_lapsed =
                    gone.is_some_and(|(_, roots)| roots.contains(hash_of(&entry.root)));
                let outcome = if has_lapsed {
                    over += 1;
                    "lapsed"
                } else if gathered.new.as_ref() != Some(hash) {
                    continue;
                } else if recorder.was_rejected(&sheet.id, entry.at) {
                    rejected += 1;
                    "rejected"
                } else {
                    loaded += 1;
                    "loaded"
                };
                recorder.fix(|run, pipeline| FixRow {
                    run,
                    pipeline,
                    stream: entry.stream.to_string(),
                    part: entry.part.to_string(),
                    row: entry.row,
                    fix_part: sheet.id.clone(),
                    fix_file: file.manifest.name.clone(),
                    fix_row: entry.at,
                    outcome,
                    fixed_by: file.state.by.clone(),
                    fixed_at: file.state.at,
                });
            }
        }
        let (name, by) = (&file.manifest.name, &file.state.by);
        if gathered.new.as_ref() == Some(hash) {
            let still = match rejected {
                0 => String::new(),
                some => format!(", {some} still rejected"),
            };
            notes.push(format!(
                "{name}, corrected by {by}: {} taken in{still}",
                counted(loaded, "row")
            ));
        }
        if over > 0 {
            notes.push(format!(
                "{name}, corrected by {by}: {} lapsed, since the source itself has changed",
                counted(over, "correction")
            ));
        }
    }
    notes
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
