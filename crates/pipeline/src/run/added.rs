//! `on_drift: add`: new columns of a source become text fields of the table, without anyone writing them down.
//!
//! What was added once stays: the pipeline's state names it, and each later run fills it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sectorlake_contract::{Classification, Field, Titles};
use sectorlake_formats::ReadOptions;
use sectorlake_lake::{AddedColumn, Manifest, PipelineState, RawZone};

use super::job::Job;
use super::watch::Watch;
use crate::draft::is_personal;
use crate::drift::names;
use crate::members;
use crate::names::{field_name, folded};
use crate::plan::{Feed, TablePlan};
use crate::result::Failure;

/// The plans with the fields that earlier runs added.
pub(super) fn remembered(plans: Vec<TablePlan>, state: &PipelineState) -> Vec<TablePlan> {
    let with = |plan: TablePlan| match state.added.get(&plan.contract.name) {
        Some(added) => with_added(plan, added),
        None => plan,
    };
    plans.into_iter().map(with).collect()
}

/// The plans with fields for the columns that are new in this run's parts; none where there are no such columns.
pub(super) async fn extended(
    raw: &RawZone,
    read: &ReadOptions,
    job: &Job<'_>,
    watch: &mut Watch,
) -> Result<Option<Vec<TablePlan>>, Failure> {
    for plan in job.plans {
        for (feed, manifest) in job.parts_of(plan) {
            look(raw, read, (plan, feed), &manifest, watch).await?;
        }
    }
    let mut plans = job.plans.to_vec();
    let mut any = false;
    for plan in &mut plans {
        let added = fresh(plan, watch);
        if !added.is_empty() {
            any = true;
            *plan = with_added(plan.clone(), &added);
        }
    }
    Ok(any.then_some(plans))
}

/// What the pipeline's state keeps of what was added.
pub(super) fn kept(
    plans: &[TablePlan],
) -> BTreeMap<sectorlake_contract::TableName, Vec<AddedColumn>> {
    let mut kept = BTreeMap::new();
    for plan in plans {
        let columns = plan.feeds.iter().flat_map(|feed| {
            feed.added.iter().map(|(field, column)| AddedColumn {
                field: field.clone(),
                column: column.clone(),
                stream: feed.stream.name.clone(),
            })
        });
        let columns: Vec<AddedColumn> = columns.collect();
        if !columns.is_empty() {
            kept.insert(plan.contract.name.clone(), columns);
        }
    }
    kept
}

/// Looks at the columns of a part before anything is loaded.
async fn look(
    raw: &RawZone,
    read: &ReadOptions,
    (plan, feed): (&TablePlan, &Feed),
    manifest: &Manifest,
    watch: &mut Watch,
) -> Result<(), Failure> {
    let bytes = members::bytes_of(raw, manifest);
    let opened = members::open_all(&bytes, &feed.stream, feed.format.as_ref(), read).await;
    // What cannot be opened is told where it is loaded.
    let Ok(mut pieces) = opened else {
        return Ok(());
    };
    while let Ok(Some(piece)) = pieces.next().await {
        watch.look((&plan.contract, feed), &piece.part).await;
    }
    Ok(())
}

/// The new columns of a table's streams that it takes up. Where a mapping reads a column, its author has seen it; one that
/// looks like a person's is not published by itself.
fn fresh(plan: &TablePlan, watch: &mut Watch) -> Vec<AddedColumn> {
    let mut added: Vec<AddedColumn> = Vec::new();
    for feed in &plan.feeds {
        for column in watch.fresh(&feed.stream.name) {
            let field = field_name(&column);
            let own = plan
                .contract
                .field(&field)
                .is_some_and(|known| !known.added);
            let is_read = feed.sql.as_deref().is_some_and(|sql| names(sql, &column));
            let taken = added.iter().any(|known| known.field == field);
            if feed.unpivot.is_some() || own || is_read || taken || is_personal(&folded(&column)) {
                continue;
            }
            watch.adds(&feed.stream.name, &column);
            added.push(AddedColumn {
                field,
                column,
                stream: feed.stream.name.clone(),
            });
        }
    }
    added
}

fn with_added(mut plan: TablePlan, added: &[AddedColumn]) -> TablePlan {
    let fields = added.iter().map(|column| {
        let titles = ["vi", "en"].map(|language| (language.to_owned(), column.column.clone()));
        Field {
            name: column.field.clone(),
            title: Titles::new(titles),
            classification: Classification::Internal,
            ..Field::default()
        }
    });
    plan.contract = Arc::new(plan.contract.with_added(fields));
    for feed in &mut plan.feeds {
        let of_stream = added
            .iter()
            .filter(|column| column.stream == feed.stream.name);
        feed.added
            .extend(of_stream.map(|column| (column.field.clone(), column.column.clone())));
    }
    plan
}
