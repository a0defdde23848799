//! The corrections of a run: those in force, and the file that came with it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sectorlake_formats::ReadOptions;
use sectorlake_lake::journal::FixRow;
use sectorlake_lake::{FixState, Lake, Manifest, PipelineState, RawZone, Run};

use super::fetch::Parts;
use super::journal::Recorder;
use crate::fixes::{
    Corrections, Entry, FixFile, FixRequest, Ground, Judged, Lapsed, UNIT, Versions, Wanted,
    already_taken, judged, open_fix, open_rejections, stream_names, take_in,
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
    /// What waits to be corrected, where a file came with this run.
    pub(crate) judged: Option<Judged>,
    /// Corrections that have followed their record into another version of the source.
    pub(crate) held: usize,
    /// Those whose record is not there any more.
    pub(crate) lapsed: Vec<Lapsed>,
}

impl Gathered {
    /// Whether the corrected file that came with this run is for one that failed.
    pub(crate) fn mends_failed(&self) -> bool {
        self.judged
            .as_ref()
            .is_some_and(|judged| judged.failed.is_some())
    }
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
        (state, request): (&PipelineState, &FixRequest),
        run: &Run,
        now: DateTime<Utc>,
    ) -> Result<Gathered, Failure> {
        let judged = judged(self.lake, self.pipeline, state, &gathered.manifests).await?;
        let (corrections, _, _) = self.moved(&gathered, &judged.parts).await?;
        let open = open_rejections(
            self.lake,
            (self.pipeline, judged.failed.as_deref()),
            self.plans,
            &corrections,
            Wanted::Places,
        );
        let open = open.await?;
        let ground = Ground {
            plans: self.plans,
            raw: self.raw,
            manifests: &gathered.manifests,
            read: &self.read,
            open: &open,
            corrections: &corrections,
            parts: &judged.parts,
        };
        let file = take_in(&ground, request, run.id(), now).await?;
        gathered.new = Some(file.manifest.hash.clone());
        gathered.corrections.add(file);
        gathered.judged = Some(judged);
        Ok(gathered)
    }

    /// The corrections as they hold in the parts that are loaded.
    pub(super) async fn carried(
        &self,
        mut gathered: Gathered,
        parts: &Parts,
    ) -> Result<Gathered, Failure> {
        let parts: Vec<Manifest> = parts.by_unit.values().flatten().cloned().collect();
        (gathered.corrections, gathered.lapsed, gathered.held) =
            self.moved(&gathered, &parts).await?;
        gathered.manifests.extend(parts);
        Ok(gathered)
    }

    /// Corrections in force, as they hold in these parts; those that do not; how many have followed their record.
    pub(crate) async fn moved(
        &self,
        gathered: &Gathered,
        parts: &[Manifest],
    ) -> Result<(Corrections, Vec<Lapsed>, usize), Failure> {
        let versions = Versions {
            plans: self.plans,
            raw: self.raw,
            manifests: &gathered.manifests,
            read: &self.read,
            parts,
        };
        let moves = versions.moves(&gathered.corrections.files).await?;
        let (moved, lapsed) = gathered.corrections.moved(&moves, self.plans);
        Ok((moved, lapsed, moves.held()))
    }
}

/// What is told where a corrected file is in force already.
pub(super) async fn taken_before(
    request: &FixRequest,
    state: &PipelineState,
    manifests: &[Manifest],
) -> Result<Option<String>, Failure> {
    let Some(fix) = already_taken(request, &state.fixes).await? else {
        return Ok(None);
    };
    let of_fix = |manifest: &&Manifest| manifest.unit == UNIT && manifest.hash == fix.part;
    let run = manifests.iter().rev().find(of_fix);
    let by_run = run.map_or_else(String::new, |manifest| format!(" by run {}", manifest.run));
    let name = request.path.file_name().unwrap_or(request.path.as_os_str());
    Ok(Some(format!(
        "{}, corrected by {}, was already taken in{by_run} on {}",
        name.to_string_lossy(),
        fix.by,
        fix.at.format("%Y-%m-%d %H:%M UTC"),
    )))
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
        partitions: state.partitions.clone(),
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

/// What the journal and the run's result say of corrections that came or lapsed.
pub(super) fn account(gathered: &Gathered, recorder: &mut Recorder) -> Vec<String> {
    let mut notes = Vec::new();
    for file in &gathered.corrections.files {
        let (name, by) = (&file.manifest.name, &file.state.by);
        let is_new = gathered.new.as_ref() == Some(&file.manifest.hash);
        let of_file = |lapsed: &&Lapsed| lapsed.file == file.manifest.hash;
        let lapsed: Vec<&Lapsed> = gathered.lapsed.iter().filter(of_file).collect();
        for lapsed in &lapsed {
            record(recorder, file, (&lapsed.sheet, &lapsed.entry), "lapsed");
        }
        if is_new {
            let (mut loaded, mut rejected) = (0_u64, 0_u64);
            for sheet in &file.sheets {
                let held = sheet.entries.iter();
                for entry in held.filter(|entry| gathered.corrections.holds(sheet, entry)) {
                    let (count, outcome) = match recorder.was_rejected(&sheet.id, entry.at) {
                        true => (&mut rejected, "rejected"),
                        false => (&mut loaded, "loaded"),
                    };
                    *count += 1;
                    record(recorder, file, (&sheet.id, entry), outcome);
                }
            }
            let still = match rejected {
                0 => String::new(),
                some => format!(", {some} still rejected"),
            };
            let taken = counted(loaded, "row");
            notes.push(format!(
                "{name}, corrected by {by}: {taken} taken in{still}"
            ));
        }
        if !lapsed.is_empty() {
            let count = counted(lapsed.len() as u64, "correction");
            notes.push(format!(
                "{name}, corrected by {by}: {count} lapsed, since the source has changed these rows"
            ));
        }
    }
    if gathered.held > 0 {
        let (count, hold) = match gathered.held {
            1 => ("1 correction".to_owned(), "holds"),
            more => (counted(more as u64, "correction"), "hold"),
        };
        notes.push(format!(
            "{count} of an earlier version of the source {hold}: the rows stand there as they stood"
        ));
    }
    notes
}

fn record(
    recorder: &mut Recorder,
    file: &FixFile,
    (sheet, entry): (&str, &Entry),
    outcome: &'static str,
) {
    recorder.fix(|run, pipeline| FixRow {
        run,
        pipeline,
        stream: entry.stream.to_string(),
        part: entry.part.to_string(),
        row: entry.row,
        fix_part: sheet.to_owned(),
        fix_file: file.manifest.name.clone(),
        fix_row: entry.at,
        outcome,
        fixed_by: file.state.by.clone(),
        fixed_at: file.state.at,
    });
}

fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
