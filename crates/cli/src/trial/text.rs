//! A plan for people: what would be taken, how it is read, rows before and after, what would be rejected.

use std::fmt::Write as _;

use arrow::record_batch::RecordBatch;
use sectorlake_pipeline::{Outcome, RunResult, Trial, TrialRejection, TrialSource, TrialTable};

use crate::answer::{output_failure, say};
use crate::context::Context;
use crate::exit::Failure;
use crate::numbers::grouped;
use crate::output::{Destination, Format, Look, drawable, print_batch};

/// Parts that are listed.
const PARTS_MAX: usize = 5;
/// Columns of the table's own that say nothing before a run.
const OWN: [&str; 2] = ["_run", "_part"];

/// Prints the plan of one pipeline.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn print(context: &Context, result: &RunResult) -> Result<(), Failure> {
    let would = match &result.outcome {
        Outcome::Published { .. } => "would publish a snapshot",
        Outcome::Unchanged => {
            "would publish nothing: the same parts, mapping and contract as before"
        }
        Outcome::Failed(_) => "would fail and publish nothing (why stands below)",
    };
    let mut text = format!("{}: {would}\n", result.pipeline);
    let Some(trial) = &result.trial else {
        return say(&text);
    };
    text.push_str(&parts(trial));
    say(&text)?;
    for table in &trial.tables {
        print_table(context, result, table)?;
    }
    say(&drift(result))
}

/// The sentence below all plans.
pub(crate) fn ending(results: &[RunResult]) -> String {
    let names: Vec<&str> = results
        .iter()
        .map(|result| result.pipeline.as_str())
        .collect();
    let failed = results
        .iter()
        .any(|result| matches!(result.outcome, Outcome::Failed(_)));
    match names.as_slice() {
        [one] if !failed => format!("Nothing was written. `sectorlake run {one}` does it.\n"),
        _ => "Nothing was written.\n".to_owned(),
    }
}

fn parts(trial: &Trial) -> String {
    let mut text = String::new();
    for part in trial.parts.iter().take(PARTS_MAX) {
        let from = if part.is_fetched {
            "fetched"
        } else {
            "in the lake already"
        };
        let _ = writeln!(
            text,
            "  {} · {} bytes · {from}",
            clean(&part.key),
            grouped(part.bytes)
        );
    }
    let more = trial.parts.len().saturating_sub(PARTS_MAX);
    if more > 0 {
        let _ = writeln!(text, "  … and {more} more parts");
    }
    text
}

fn print_table(context: &Context, result: &RunResult, table: &TrialTable) -> Result<(), Failure> {
    let state = if table.is_new {
        "a new table"
    } else {
        "there already"
    };
    let mut text = format!("\n{} · load: {} · {state}\n", table.table, table.load);
    for change in &table.changes {
        let _ = writeln!(text, "  contract: {change}");
    }
    say(&text)?;
    for source in &table.sources {
        say(&read(source))?;
        if let Some(before) = &source.before {
            draw(context, &format!("before: {}", source.file), before)?;
        }
    }
    if let Some(after) = &table.after {
        draw(context, "after", after)?;
    }
    let counts = result
        .tables
        .iter()
        .find(|known| known.table == table.table);
    let mut text = String::new();
    let is_unchanged = result.outcome == Outcome::Unchanged;
    if let Some(counts) = counts.filter(|_| is_unchanged) {
        let _ = writeln!(
            text,
            "rows: {}, as they are in the lake",
            grouped(counts.loaded + counts.unchanged)
        );
    } else if let Some(counts) = counts {
        let _ = writeln!(
            text,
            "rows: {} mapped: {} would be loaded, {} unchanged, {} superseded, {} rejected; {} cannot be read; {} rows of this source would leave the table",
            grouped(counts.mapped),
            grouped(counts.loaded),
            grouped(counts.unchanged),
            grouped(counts.superseded),
            grouped(counts.rejected),
            grouped(counts.broken),
            grouped(counts.removed),
        );
        if counts.revised + counts.deleted > 0 {
            let _ = writeln!(
                text,
                "of these, {} would be revised, and {} the source has no more",
                grouped(counts.revised),
                grouped(counts.deleted),
            );
        }
    }
    for rejection in &table.rejected {
        text.push_str(&rejected(rejection));
    }
    say(&text)
}

fn read(source: &TrialSource) -> String {
    let mut text = String::new();
    let name = source.format.get("name").and_then(|name| name.as_str());
    let _ = writeln!(
        text,
        "  from {} as {}",
        clean(&source.stream),
        name.unwrap_or("it is")
    );
    for choice in &source.choices {
        let _ = writeln!(
            text,
            "    {} {}: {}",
            choice.what,
            clean(&choice.value),
            clean(&choice.why)
        );
    }
    for column in &source.columns {
        let used = if column.used { "" } else { " · not read" };
        let mixed = match &column.mixture {
            Some(mixture) => format!(" · mixed: {}", clean(mixture)),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "    column {:?}: {}{used}{mixed}",
            clean(&column.name),
            column.shape
        );
    }
    match (&source.mapping, source.by_connector) {
        (Some(_), true) => text.push_str("  map: the connector's own\n"),
        (Some(sql), false) => {
            text.push_str("  map:\n");
            for line in sql.lines() {
                let _ = writeln!(text, "    {}", clean(line));
            }
        }
        (None, _) => text.push_str("  map: none, columns are taken by name\n"),
    }
    text
}

fn rejected(rejection: &TrialRejection) -> String {
    let word = if rejection.is_soft {
        "marked"
    } else {
        "rejected"
    };
    let field = match &rejection.field {
        Some(field) => format!("{field}: "),
        None => String::new(),
    };
    let mut text = format!(
        "  {word} · {field}{} · {}\n",
        rejection.rule,
        grouped(rejection.count)
    );
    for sample in &rejection.samples {
        let _ = writeln!(
            text,
            "    {} row {}: {}",
            clean(&sample.file),
            sample.row,
            clean(&sample.message)
        );
    }
    text
}

fn drift(result: &RunResult) -> String {
    let mut text = String::new();
    for drift in &result.drift {
        let _ = writeln!(text, "\ndrift: {}", clean(&drift.message));
        for line in drift.proposal.lines() {
            let _ = writeln!(text, "  {}", clean(line));
        }
    }
    text
}

/// Text of a source, which may hold anything.
fn clean(text: &str) -> String {
    drawable(text, false).into_owned()
}

fn draw(context: &Context, title: &str, batch: &RecordBatch) -> Result<(), Failure> {
    say(&format!("{}\n", clean(title)))?;
    let destination = Destination {
        format: Format::Table,
        file: None,
        look: Look {
            empty: Some("(no rows)\n"),
            ..Look::of(&context.terminal)
        },
    };
    print_batch(&destination, &context.terminal, &shown(batch)).map_err(output_failure)?;
    Ok(())
}

/// The rows without what only a run gives them.
pub(super) fn shown(batch: &RecordBatch) -> RecordBatch {
    let kept: Vec<usize> = (0..batch.num_columns())
        .filter(|index| !OWN.contains(&batch.schema().field(*index).name().as_str()))
        .collect();
    batch.project(&kept).unwrap_or_else(|_| batch.clone())
}
