//! Whether a table may be published: not if too much was rejected, or too much would go.

use sectorlake_lake::{Load, Run, Staged};

use super::load::Loaded;
use crate::file::OnShrink;
use crate::freshness;
use crate::on_reject::RuleCounts;
use crate::pipeline::Pipeline;
use crate::plan::TablePlan;
use crate::result::{Failure, FailureKind, RunResult, TableResult};

/// What becomes of the rows of one table.
///
/// # Errors
/// `on_reject` or `on_shrink` is broken.
pub(super) fn judge(
    pipeline: &Pipeline,
    plan: &TablePlan,
    loaded: &Loaded,
    rules: &RuleCounts,
) -> Result<(), Failure> {
    rejected(pipeline, loaded, rules)?;
    emptied(pipeline, plan, loaded)?;
    shrunk(pipeline, plan, loaded)
}

/// What a table that was loaded tells; how much came into it, for the freshness of its source.
pub(super) fn told(table: &TablePlan, loaded: &Loaded, result: &mut RunResult) -> freshness::Load {
    result.notes.extend(loaded.notes.iter().cloned());
    result.notes.extend(vanished(table, &loaded.staged));
    result.notes.extend(is_empty_now(table, loaded));
    result.parts.extend(loaded.parts.iter().cloned());
    result.tables.push(loaded.table.clone());
    let parts = loaded.parts.iter().filter(|part| !part.is_fix);
    freshness::Load {
        seen: loaded.seen.clone(),
        rows: parts.clone().map(|part| part.mapped).sum(),
        parts: parts.count() as u64,
    }
}

/// What is told of a source that had rows and now answers without any: it may have died, and nothing else tells of it.
fn is_empty_now(plan: &TablePlan, loaded: &Loaded) -> Option<String> {
    let (table, before) = (&loaded.table, loaded.staged.previous_rows);
    let is_emptied = plan.load == Load::Replace && plan.slice.is_none() && before > 0;
    (is_emptied && table.mapped + table.broken == 0).then(|| {
        format!(
            "{}: the source is empty now (had {before} rows)",
            table.table
        )
    })
}

/// What is told of a run that brought parts whose rows the tables all hold already. It is published all the same: where the source
/// goes on, and which parts are loaded, only a published state keeps.
pub(super) fn only_the_place(run: &Run, evolves: bool, result: &RunResult) -> Option<String> {
    let mut tables = result.tables.iter();
    let is_still = run.state().is_some() && !evolves && tables.len() > 0;
    let is_held =
        |table: &TableResult| table.loaded + table.removed + table.rejected + table.broken == 0;
    (is_still && tables.all(is_held)).then(|| {
        "no row of any table has changed: the snapshot keeps only how far the source is read"
            .to_owned()
    })
}

/// What is told of rows that a changed mapping no longer gives.
fn vanished(plan: &TablePlan, staged: &Staged) -> Vec<String> {
    let table = &plan.contract.name;
    let mut notes = Vec::new();
    if staged.vanished > 0 {
        notes.push(format!(
            "{table}: {} of {} rows go: the mapping or the contract has changed, and the parts they came from no longer give a row of \
             their key",
            staged.vanished, staged.previous_rows
        ));
    }
    if staged.not_mapped_again > 0 {
        notes.push(format!(
            "{table}: {} of {} rows stay, though the changed mapping gives no row of their key: they came with parts that the source has no \
             more, so whether it would give them is not known; to be rid of them, run the pipeline once with `load: replace`",
            staged.not_mapped_again, staged.previous_rows
        ));
    }
    notes
}

/// Neither a changed mapping nor a source that has removed its rows may empty a table that is merged, any more than a replace may.
fn emptied(pipeline: &Pipeline, plan: &TablePlan, loaded: &Loaded) -> Result<(), Failure> {
    let staged = &loaded.staged;
    let gone = staged.vanished + staged.deleted;
    if plan.on_shrink == OnShrink::Allow || gone.saturating_mul(2) <= staged.previous_rows {
        return Ok(());
    }
    if staged.deleted > 0 {
        let message = format!(
            "{}: the source no longer has {} of {} rows, which would go (deletions: follow)",
            loaded.table.table, staged.deleted, staged.previous_rows
        );
        let help = format!(
            "if the source has really removed them, set on_shrink: allow in {}; nothing was published",
            pipeline.path.display()
        );
        return Err(Failure::new(FailureKind::Data, message).help(help));
    }
    let message = format!(
        "{}: the changed mapping no longer gives {} of {} rows, which would go",
        loaded.table.table, staged.vanished, staged.previous_rows
    );
    let help = format!(
        "`sectorlake plan {}` shows what it gives; if they are to go, set on_shrink: allow in {}; nothing was published",
        pipeline.name,
        pipeline.path.display()
    );
    Err(Failure::new(FailureKind::Data, message).help(help))
}

fn rejected(pipeline: &Pipeline, loaded: &Loaded, rules: &RuleCounts) -> Result<(), Failure> {
    let table = &loaded.table;
    let (refused, all) = (table.rejected + table.broken, table.mapped + table.broken);
    let limits = pipeline.file.on_reject.clone().unwrap_or_default();
    let message = if let Some(bound) = limits.broken(refused, all) {
        format!(
            "{}: {refused} of {all} rows were rejected, more than on_reject allows ({bound})",
            table.table
        )
    } else if let Some((rule, broken, bound)) = limits.broken_rule(rules, all) {
        format!(
            "{}: {broken} of {all} rows broke {rule}, more than on_reject allows ({bound})",
            table.table
        )
    } else {
        return Ok(());
    };
    let help = format!(
        "`sectorlake rejected {}` tells why; nothing was published",
        pipeline.name
    );
    Err(Failure::new(FailureKind::Data, message).help(help))
}

fn shrunk(pipeline: &Pipeline, plan: &TablePlan, loaded: &Loaded) -> Result<(), Failure> {
    let table = &loaded.table;
    let stay = table.loaded + table.unchanged;
    let before = if plan.slice.is_some() {
        table.removed + table.unchanged
    } else {
        loaded.staged.previous_rows
    };
    if plan.load == Load::Replace
        && plan.on_shrink == OnShrink::Refuse
        && stay.saturating_mul(2) < before
    {
        let refused = table.rejected + table.broken;
        let message = format!("{}: {stay} rows would replace {before}", table.table);
        if refused > 0 {
            let why = format!(
                "{message}: {refused} of {} were rejected",
                table.mapped + table.broken
            );
            let help = format!(
                "`sectorlake rejected {}` tells why; nothing was published",
                pipeline.name
            );
            return Err(Failure::new(FailureKind::Data, why).help(help));
        }
        let help = format!(
            "if the source has really shrunk, set on_shrink: allow in {}; nothing was published",
            pipeline.path.display()
        );
        return Err(Failure::new(FailureKind::Data, message).help(help));
    }
    Ok(())
}
