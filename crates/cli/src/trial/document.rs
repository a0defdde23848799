//! A plan as one JSON document.

use arrow::record_batch::RecordBatch;
use sectorlake_pipeline::{Outcome, RunResult, Trial, TrialRejection, TrialSource, TrialTable};
use serde_json::{Value, json};

use crate::answer::output_failure;
use crate::exit::{Exit, Failure};
use crate::output::json_rows;
use crate::report;
use crate::summary::{self, Failures};

/// The whole plan.
///
/// # Errors
/// Rows that cannot be written as JSON.
pub(crate) fn document(
    results: &[RunResult],
    failures: &Failures,
    exit: Exit,
) -> Result<Value, Failure> {
    let pipelines = results
        .iter()
        .map(|result| pipeline(result, failures.get(&result.pipeline)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "exit_code": exit as u8, "written": false, "pipelines": pipelines }))
}

fn pipeline(result: &RunResult, failure: Option<&Failure>) -> Result<Value, Failure> {
    let outcome = match &result.outcome {
        Outcome::Published { .. } => "publish",
        Outcome::Unchanged => "unchanged",
        Outcome::Failed(_) => "fail",
    };
    let trial = result.trial.as_deref();
    let tables = trial.map(|trial| tables(result, trial)).transpose()?;
    Ok(json!({
        "pipeline": result.pipeline,
        "would": outcome,
        "parts": trial.map(parts).unwrap_or_default(),
        "tables": tables.unwrap_or_default(),
        "drift": summary::drift(result),
        "notes": result.notes,
        "error": failure.map(report::json),
    }))
}

fn parts(trial: &Trial) -> Vec<Value> {
    let part = |part: &sectorlake_pipeline::TrialPart| json!({ "name": part.name, "key": part.key, "bytes": part.bytes, "fetched": part.is_fetched });
    trial.parts.iter().map(part).collect()
}

fn tables(result: &RunResult, trial: &Trial) -> Result<Vec<Value>, Failure> {
    let table = |table: &TrialTable| {
        let counts = result
            .tables
            .iter()
            .find(|known| known.table == table.table);
        let counts = counts.map(|counts| {
            json!({
                "mapped": counts.mapped, "loaded": counts.loaded, "unchanged": counts.unchanged,
                "superseded": counts.superseded, "rejected": counts.rejected, "broken": counts.broken,
                "removed": counts.removed, "revised": counts.revised, "deleted": counts.deleted, "marked": counts.marked,
            })
        });
        let changes = table.changes.iter().map(|change| {
            json!({ "field": change.field, "level": change.level.word(), "what": change.what })
        });
        Ok(json!({
            "table": table.table.to_string(),
            "load": table.load,
            "new": table.is_new,
            "changes": changes.collect::<Vec<_>>(),
            "sources": table.sources.iter().map(source).collect::<Result<Vec<_>, Failure>>()?,
            "rows": counts,
            "after": rows(table.after.as_ref())?,
            "rejected": table.rejected.iter().map(rejection).collect::<Vec<_>>(),
        }))
    };
    trial.tables.iter().map(table).collect()
}

fn source(source: &TrialSource) -> Result<Value, Failure> {
    let choices = source
        .choices
        .iter()
        .map(|choice| json!({ "what": choice.what, "value": choice.value, "why": choice.why }));
    let columns = source.columns.iter().map(|column| {
        json!({ "name": column.name, "holds": column.shape, "mixed": column.mixture, "read": column.used })
    });
    Ok(json!({
        "stream": source.stream,
        "file": source.file,
        "format": source.format,
        "choices": choices.collect::<Vec<_>>(),
        "columns": columns.collect::<Vec<_>>(),
        "map": source.mapping,
        "by_connector": source.by_connector,
        "before": rows(source.before.as_ref())?,
    }))
}

fn rejection(rejection: &TrialRejection) -> Value {
    let samples = rejection.samples.iter().map(|sample| {
        json!({ "file": sample.file, "row": sample.row, "value": sample.value, "message": sample.message })
    });
    json!({
        "field": rejection.field, "rule": rejection.rule, "count": rejection.count,
        "severity": if rejection.is_soft { "warn" } else { "reject" },
        "samples": samples.collect::<Vec<_>>(),
    })
}

fn rows(batch: Option<&RecordBatch>) -> Result<Vec<Value>, Failure> {
    match batch {
        Some(batch) => json_rows(&super::text::shown(batch)).map_err(output_failure),
        None => Ok(Vec::new()),
    }
}
