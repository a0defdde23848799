//! At the end of a run: whether its source still lives, beside its own past.

use std::collections::BTreeMap;

use sectorlake_contract::TableName;
use sectorlake_lake::journal::FreshnessRow;
use sectorlake_lake::{Access, PipelineState, Run};

use super::RunContext;
use super::failure::internal;
use super::job::Job;
use crate::file::interval;
use crate::freshness::{History, Judged, Load, Now, notes};
use crate::pipeline::Pipeline;
use crate::plan::TablePlan;
use crate::result::{Failure, RunResult};

/// What a run loaded of each table.
pub(super) type Loads = Vec<(TableName, Load)>;
/// The past of each table, as the published state keeps it.
pub(super) type Past = BTreeMap<TableName, serde_json::Value>;

/// Judges the tables of one run.
pub(super) struct Freshness<'a> {
    pub(super) context: &'a RunContext,
    pub(super) pipeline: &'a Pipeline,
    pub(super) access: Access,
}

impl Freshness<'_> {
    /// Of a run that has loaded: the past with it.
    pub(super) async fn of_loaded(
        &self,
        run: &Run,
        job: &Job<'_>,
        loads: Loads,
        result: &mut RunResult,
    ) -> Result<Past, Failure> {
        let mut past = job.before.freshness.clone();
        // What was corrected by hand says nothing of the source.
        if self.context.fix.is_some() {
            return Ok(past);
        }
        let mut judged = Vec::new();
        for (table, load) in loads {
            let mut history = history(&past, &table);
            judged.push(history.after(&table, &load, self.now()));
            let kept = serde_json::to_value(&history);
            past.insert(table, kept.map_err(|error| internal(error.to_string()))?);
        }
        self.tell(run, judged, result).await?;
        Ok(past)
    }

    /// Of a run that found nothing new: the source answers, but it may have died.
    pub(super) async fn of_unchanged(
        &self,
        run: &Run,
        plans: &[TablePlan],
        state: &PipelineState,
        result: &mut RunResult,
    ) -> Result<(), Failure> {
        if self.context.fix.is_some() {
            return Ok(());
        }
        let tables = plans.iter().map(|plan| &plan.contract.name);
        let known = tables.filter(|table| state.freshness.contains_key(*table));
        let judged = known
            .map(|table| history(&state.freshness, table).still(table, self.now()))
            .filter(|judged| !judged.stale.is_empty());
        self.tell(run, judged.collect(), result).await
    }

    async fn tell(
        &self,
        run: &Run,
        judged: Vec<Judged>,
        result: &mut RunResult,
    ) -> Result<(), Failure> {
        let rows = judged.iter().flat_map(|judged| self.rows(run, judged));
        let rows: Vec<FreshnessRow> = rows.collect();
        let journal = self.context.lake.journal();
        journal.write(run.id(), self.access, rows).await?;
        let stale = judged.into_iter().flat_map(|judged| judged.stale);
        result.stale = stale.collect();
        result.notes.extend(notes(&result.stale));
        Ok(())
    }

    fn rows(&self, run: &Run, judged: &Judged) -> Vec<FreshnessRow> {
        let row = FreshnessRow {
            run: run.id().to_owned(),
            pipeline: self.pipeline.name.clone(),
            table: judged.table.clone(),
            station: None,
            newest: judged.newest,
            usual_step_s: judged.usual_step_s,
            stale_since: None,
            state: match judged.newest {
                // Without a time of observation nobody can tell.
                None => "unknown",
                Some(_) if judged.is_known => "fresh",
                Some(_) => "new",
            },
            message: None,
            checked_at: self.context.env.clock.now(),
        };
        let stale = judged.stale.iter().map(|stale| FreshnessRow {
            station: stale.station.clone(),
            newest: stale.newest,
            usual_step_s: stale.usual_step_s,
            stale_since: Some(stale.stale_since),
            state: stale.state.word(),
            message: Some(stale.message.clone()),
            ..row.clone()
        });
        let recovered = judged
            .recovered
            .iter()
            .map(|(station, newest)| FreshnessRow {
                station: Some(station.clone()),
                newest: chrono::DateTime::from_timestamp(*newest, 0),
                usual_step_s: None,
                state: "fresh",
                ..row.clone()
            });
        let mut rows: Vec<FreshnessRow> = stale.chain(recovered).collect();
        // A table that stands still and is odd besides is told as the worse of the two.
        let mut whole = rows.iter().filter(|row| row.station.is_none());
        match whole.next() {
            None => rows.push(row),
            Some(first) => {
                let state = first.state;
                rows.retain(|row| row.station.is_some() || row.state == state);
            }
        }
        rows
    }

    fn now(&self) -> Now {
        let after = self.pipeline.file.stale_after.as_deref().and_then(interval);
        Now {
            at: self.context.env.clock.now(),
            stale_after: after.and_then(|after| i64::try_from(after.as_secs()).ok()),
        }
    }
}

/// A past that cannot be read is forgotten: it is but what is usual.
fn history(past: &Past, table: &TableName) -> History {
    let known = past.get(table).cloned();
    known
        .and_then(|known| serde_json::from_value(known).ok())
        .unwrap_or_default()
}
