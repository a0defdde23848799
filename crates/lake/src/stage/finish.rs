//! From written files to one staged commit.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use sectorlake_contract::KeyScope;
use tokio::sync::mpsc;

use super::commit::Commit;
use super::duplicates::Duplicates;
use super::form::Fit;
use super::metadata::Identity;
use super::plan::{Changes, Plan};
use super::read::{FileRef, Reader};
use super::suspects::{Search, may_meet};
use super::vanished::{self, Vanished, Which};
use super::{DuplicateKey, Load, Staged, Suspects, TableStage, compared, revisions};
use crate::error::LakeError;
use crate::keys::KeyHashes;
use crate::settle::{Parts, Place, Question, Rule, Side, Verdicts};
use crate::work::Bearing;
use crate::writer::WrittenFiles;

/// A key of the contract, with what the caller knows of it.
struct Key {
    fields: Arc<[String]>,
    rule: &'static str,
    /// Hashes that several of the new rows have; none where nobody looked.
    repeated: Option<KeyHashes>,
}

/// The sums over all keys.
#[derive(Default)]
struct Sums {
    unchanged: u64,
    superseded: u64,
    changed: Vec<(Place, Place)>,
}

pub(super) async fn finish(
    stage: &TableStage,
    files: Vec<WrittenFiles>,
    suspects: Option<Suspects>,
    part_order: &[String],
    told_to: &mpsc::Sender<Vec<DuplicateKey>>,
) -> Result<Staged, LakeError> {
    let schema: SchemaRef = Arc::new(stage.form.schema.clone());
    let reader = Reader {
        store: stage.work.store(),
        table: stage.contract.name.clone(),
        schema,
    };
    let written = files
        .into_iter()
        .flat_map(|written| written.files)
        .collect();
    let mut plan = Plan::new(stage, written);
    match (stage.load, &stage.options.slice) {
        (Load::Replace, None) => plan.replace_all(),
        (Load::Replace, Some(slice)) => plan.replace_slices(stage, &reader, slice).await?,
        (Load::Append | Load::Merge, _) => {}
    }
    let mut sums = Sums::default();
    let parts = Arc::new(Parts::new(part_order));
    let mut duplicates = Duplicates::new(told_to);
    for key in keys(stage, suspects) {
        let verdicts = settle(stage, &reader, &plan, &key, &parts, &mut duplicates).await?;
        plan.apply(&verdicts);
        conclude(&mut plan, verdicts, &mut sums);
    }
    let (vanished, deleted) = take_away(stage, &reader, &mut plan).await?;
    let compared = compared::changed(stage, &reader, &plan, &parts, &mut duplicates).await?;
    sums.changed.extend(compared);
    duplicates.tell_in_full(stage, &reader, &plan).await?;
    revisions::write(stage, &reader, &plan, &mut sums.changed).await?;
    let mut staged = Staged {
        table: stage.contract.name.clone(),
        loaded: plan.rows_of(Side::New) - plan.dropped_of(Side::New),
        unchanged: sums.unchanged,
        superseded: sums.superseded,
        rejected: duplicates.count(),
        removed_rows: plan.dropped_of(Side::Own) + stage.ground.left_behind,
        previous_rows: plan.rows_of(Side::Own) + stage.ground.left_behind,
        revised: sums.changed.len() as u64,
        vanished: vanished.gone,
        deleted,
        not_mapped_again: vanished.kept,
        compacted: 0,
        version: None,
    };
    let changes = plan.changes(stage, &reader).await?;
    staged.compacted = changes.compacted;
    staged.version = commit(stage, &changes).await?;
    Ok(staged)
}

/// Takes away what did not come in a merge: what a changed mapping no longer gives, or what the source has removed; how many rows
/// the latter are.
async fn take_away(
    stage: &TableStage,
    reader: &Reader,
    plan: &mut Plan,
) -> Result<(Vanished, u64), LakeError> {
    if stage.load != Load::Merge {
        return Ok((Vanished::default(), 0));
    }
    match (&stage.deletions, &stage.options.mapped_again) {
        (Some(refused), _) => {
            let which = Which::AllBut(refused);
            let found = vanished::take_away(stage, reader, plan, which).await?;
            Ok((Vanished::default(), found.gone))
        }
        (None, Some(again)) => {
            let which = Which::OfParts(again);
            Ok((vanished::take_away(stage, reader, plan, which).await?, 0))
        }
        (None, None) => Ok((Vanished::default(), 0)),
    }
}

/// The keys of the contract: the primary key, then each unique field.
fn keys(stage: &TableStage, suspects: Option<Suspects>) -> Vec<Key> {
    let contract = &stage.contract;
    let known = suspects.unwrap_or_default().keys;
    let key = |fields: Vec<String>, rule| {
        let of_key = known.iter().find(|suspects| suspects.fields == fields);
        // A value hashes otherwise once it has another type.
        let of_key = of_key.filter(|_| stage.form.fit == Fit::Exact);
        let repeated = of_key.map(|suspects| suspects.hashes.iter().copied().collect());
        Key {
            fields: fields.into(),
            rule,
            repeated,
        }
    };
    let primary =
        (!contract.primary_key.is_empty()).then(|| key(contract.primary_key.clone(), "primaryKey"));
    let unique = contract
        .fields
        .iter()
        .filter(|field| field.constraints.unique && contract.primary_key != [field.name.clone()]);
    primary
        .into_iter()
        .chain(unique.map(|field| key(vec![field.name.clone()], "unique")))
        .collect()
}

/// Settles one key.
async fn settle(
    stage: &TableStage,
    reader: &Reader,
    plan: &Plan,
    key: &Key,
    parts: &Arc<Parts>,
    duplicates: &mut Duplicates<'_>,
) -> Result<Verdicts, LakeError> {
    let mut verdicts = Verdicts::default();
    let new = plan.numbers(Side::New);
    if new.is_empty() {
        return Ok(verdicts);
    }
    let file = |number: &usize| plan.entries[*number].file.clone();
    let new_files: Vec<FileRef> = new.iter().map(file).collect();
    let mut published = plan.numbers(Side::Own);
    if stage.contract.key_scope == KeyScope::Lake {
        published.extend(plan.numbers(Side::Other));
    }
    published.retain(|number| {
        may_meet(
            &reader.schema,
            &key.fields,
            &plan.entries[*number].file,
            &new_files,
        )
    });
    if published.is_empty() && key.repeated.as_ref().is_some_and(HashSet::is_empty) {
        return Ok(verdicts);
    }
    let published_files: Vec<FileRef> = published.iter().map(file).collect();
    let numbers: Vec<usize> = published.iter().chain(&new).copied().collect();
    let question = question(stage, reader, plan, key, &numbers, parts);
    match &key.repeated {
        Some(repeated) if published.is_empty() => {
            let judging = question.judge(repeated.clone(), &mut verdicts, duplicates);
            judging.await?;
        }
        _ => {
            let fields = &key.fields;
            let search = Search {
                reader,
                fields,
                new: &new_files,
                published: &published_files,
            };
            for pass in 0..search.passes() {
                let suspects = search.pass(pass).await?;
                if !suspects.is_empty() {
                    question.judge(suspects, &mut verdicts, duplicates).await?;
                }
            }
        }
    }
    Ok(verdicts)
}

fn question(
    stage: &TableStage,
    reader: &Reader,
    plan: &Plan,
    key: &Key,
    numbers: &[usize],
    parts: &Arc<Parts>,
) -> Question {
    let is_merge = stage.load == Load::Merge && key.rule == "primaryKey";
    let fields = || {
        stage
            .contract
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect()
    };
    Question {
        reader: reader.clone(),
        candidates: plan.candidates(numbers),
        key: Arc::clone(&key.fields),
        word: key.rule,
        content: if is_merge { fields() } else { Vec::new() },
        rule: if is_merge {
            Rule::LastReplaces
        } else {
            Rule::FirstStays
        },
        parts: Arc::clone(parts),
        bytes_max: stage.options.settle_bytes_max,
    }
}

/// Adds the verdicts on one key to the sums.
fn conclude(plan: &mut Plan, verdicts: Verdicts, sums: &mut Sums) {
    // A row that was to replace a published one and is then refused leaves that one where it was.
    sums.changed.retain(|(old, new)| {
        let refused = verdicts.refused.get(&new.file);
        let stays_changed = !refused.is_some_and(|rows| rows.contains(new.position));
        if !stays_changed {
            plan.entries[old.file].dropped.remove(old.position);
        }
        stays_changed
    });
    sums.unchanged += verdicts.unchanged;
    sums.superseded += verdicts.superseded;
    sums.changed.extend(verdicts.changed);
}

fn bearing(stage: &TableStage) -> Bearing {
    match (stage.load, &stage.options.slice) {
        (Load::Replace, None) => Bearing::All,
        (Load::Replace, Some(_)) | (Load::Append | Load::Merge, _) => Bearing::More,
    }
}

/// Stages the commit; none where there is nothing to say.
async fn commit(stage: &TableStage, changes: &Changes) -> Result<Option<u64>, LakeError> {
    let work = &stage.work;
    let identity = match &stage.ground.base {
        Some(base) if !stage.ground.moves => Identity {
            id: base.id.clone(),
            created_ms: base.created_ms,
        },
        _ => Identity {
            id: work.new_id(),
            created_ms: Some(work.now().timestamp_millis()),
        },
    };
    let form = stage.form.actions(&identity)?;
    if form.is_empty() && changes.is_empty() {
        work.unchanged(&stage.contract);
        return Ok(None);
    }
    let bytes = Commit {
        table: &stage.contract.name,
        access: stage.ground.access,
        run: work.id(),
        pipeline: work.pipeline(),
        load: stage.load,
        at: work.now(),
        form,
        changes,
    }
    .bytes()?;
    work.stage_entry(
        &stage.contract,
        (stage.ground.access, bearing(stage)),
        stage.ground.version(),
        bytes,
    )
    .await
    .map(Some)
}
