//! What a run ends with: the table of what came, was loaded and was rejected; or one JSON document.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use sectorlake_pipeline::{Outcome, RunResult, TableResult};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::output::right_aligned;
use crate::report::{self, Look};

/// What failed, by pipeline.
pub(crate) type Failures = BTreeMap<String, Failure>;

/// One line of the table: a pipeline and a table it fed, or a pipeline that fed none.
struct Line<'a> {
    result: &'a RunResult,
    table: Option<&'a TableResult>,
}

impl<'a> Line<'a> {
    /// The table, unless the run failed: then nothing of it is in the lake.
    fn kept(&self) -> Option<&'a TableResult> {
        self.table.filter(|_| !failed(self.result))
    }
}

fn failed(result: &RunResult) -> bool {
    matches!(result.outcome, Outcome::Failed(_))
}

/// A column of numbers: its header and where the number comes from.
type Count = (&'static str, fn(&Line<'_>) -> Option<u64>);

const COUNTS: [Count; 6] = [
    ("fetched", |line| {
        line.table.map(|table| records(line.result, table))
    }),
    ("filtered", |line| {
        line.table.map(|table| filtered(line.result, table))
    }),
    ("loaded", |line| line.kept().map(|table| table.loaded)),
    ("unchanged", |line| line.kept().map(|table| table.unchanged)),
    ("superseded", |line| {
        line.kept().map(|table| table.superseded)
    }),
    ("rejected", |line| line.table.map(rejected)),
];
/// Columns left out where every line says nothing or zero, or there is no room.
const SELDOM: [&str; 2] = ["filtered", "superseded"];

/// Source records of a table's parts.
fn records(result: &RunResult, table: &TableResult) -> u64 {
    let parts = result.parts.iter().filter(|part| part.table == table.table);
    parts.map(|part| part.records).sum()
}

/// Records that the mapping gave no row for.
fn filtered(result: &RunResult, table: &TableResult) -> u64 {
    let parts = result.parts.iter().filter(|part| part.table == table.table);
    parts.map(|part| part.filtered).sum()
}

/// Rows that broke a rule, and records that could not be read.
fn rejected(table: &TableResult) -> u64 {
    table.rejected + table.broken
}

fn lines(results: &[RunResult]) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for result in results {
        // Tables of a standard that this source has nothing for are no news; the document holds them.
        let fed = |table: &&TableResult| {
            records(result, table) > 0 || table.mapped > 0 || table.removed > 0
        };
        let before = lines.len();
        lines.extend(result.tables.iter().filter(fed).map(|table| Line {
            result,
            table: Some(table),
        }));
        if lines.len() == before {
            lines.push(Line {
                result,
                table: None,
            });
        }
    }
    lines
}

/// A drawn column: its header and its cells.
struct Column {
    field: Field,
    cells: Vec<String>,
}

impl Column {
    fn text(name: &str, cells: impl Iterator<Item = String>) -> Self {
        Self {
            field: Field::new(name, DataType::Utf8, false),
            cells: cells.collect(),
        }
    }

    fn right(self) -> Self {
        Self {
            field: right_aligned(self.field),
            ..self
        }
    }

    /// Characters it takes, with its padding and one line.
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|it| it.chars().count());
        3 + cells.max().unwrap_or_default().max(self.field.name().len())
    }
}

/// The table, ready to draw within `width` characters: where there is little room, columns that are seldom asked for give way.
pub(crate) fn table(results: &[RunResult], width: Option<u16>) -> Result<RecordBatch, ArrowError> {
    let lines = lines(results);
    let mut columns = vec![
        Column::text(
            "pipeline",
            lines.iter().map(|line| line.result.pipeline.clone()),
        ),
        Column::text(
            "table",
            lines.iter().map(|line| {
                line.table
                    .map_or_else(String::new, |it| it.table.to_string())
            }),
        ),
    ];
    for (name, count) in COUNTS {
        let counts: Vec<Option<u64>> = lines.iter().map(count).collect();
        if SELDOM.contains(&name) && counts.iter().all(|it| it.unwrap_or_default() == 0) {
            continue;
        }
        let cells = counts
            .into_iter()
            .map(|it| it.map_or_else(String::new, grouped));
        columns.push(Column::text(name, cells).right());
    }
    columns.push(Column::text("snapshot", lines.iter().map(|line| state(line.result))).right());
    let taken: usize = columns.iter().map(Column::width).sum();
    if width.is_some_and(|width| taken + 1 > usize::from(width)) {
        columns.retain(|column| !SELDOM.contains(&column.field.name().as_str()));
    }
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
        .into_iter()
        .map(|column| {
            (
                column.field,
                Arc::new(StringArray::from(column.cells)) as ArrayRef,
            )
        })
        .unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

fn state(result: &RunResult) -> String {
    match &result.outcome {
        Outcome::Published { snapshot } => snapshot.to_string(),
        Outcome::Unchanged => "unchanged".to_owned(),
        Outcome::Failed(_) => "failed".to_owned(),
    }
}

/// The sentence below the table.
pub(crate) fn sentence(results: &[RunResult], took: Duration) -> String {
    let mut by_outcome: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results {
        let word = match &result.outcome {
            Outcome::Published { .. } => "published",
            Outcome::Unchanged => "unchanged",
            Outcome::Failed(_) => "failed",
        };
        *by_outcome.entry(word).or_default() += 1;
    }
    let outcomes = ["published", "unchanged", "failed"]
        .iter()
        .filter_map(|word| by_outcome.get(word).map(|count| format!("{count} {word}")));
    let outcomes = outcomes.collect::<Vec<_>>().join(", ");
    let tables = |result: &RunResult, count: fn(&TableResult) -> u64| -> u64 {
        result.tables.iter().map(count).sum()
    };
    let published = results.iter().filter(|it| !failed(it));
    let loaded = published.map(|it| tables(it, |table| table.loaded)).sum();
    let refused = results.iter().map(|it| tables(it, rejected)).sum();
    let word = if results.len() == 1 {
        "pipeline"
    } else {
        "pipelines"
    };
    let mut text = format!(
        "{} {word}: {outcomes} · {} rows loaded, {} rejected · {:.1} s\n",
        results.len(),
        grouped(loaded),
        grouped(refused),
        took.as_secs_f64(),
    );
    if refused > 0 {
        let which = match results {
            [one] => format!(" {}", one.pipeline),
            _ => String::new(),
        };
        text.push_str(&format!(
            "`sectorlake rejected{which}` says which rows were rejected and why.\n"
        ));
    }
    text
}

/// What went well but should be known: a line each.
pub(crate) fn notes(results: &[RunResult], look: Look) -> String {
    let mut text = String::new();
    for result in results {
        for note in &result.notes {
            let line = match look {
                Look::Json => {
                    json!({ "level": "note", "pipeline": result.pipeline, "message": note })
                        .to_string()
                }
                Look::Plain | Look::Fancy { .. } => format!("note: {}: {note}", result.pipeline),
            };
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The whole run as one document.
pub(crate) fn document(
    results: &[RunResult],
    failures: &Failures,
    took: Duration,
    exit: Exit,
) -> Value {
    json!({
        "exit_code": exit as u8,
        "seconds": (took.as_secs_f64() * 1000.0).round() / 1000.0,
        "pipelines": results.iter().map(|result| pipeline(result, failures.get(&result.pipeline))).collect::<Vec<_>>(),
    })
}

fn pipeline(result: &RunResult, failure: Option<&Failure>) -> Value {
    let (outcome, snapshot) = match &result.outcome {
        Outcome::Published { snapshot } => ("published", Some(*snapshot)),
        Outcome::Unchanged => ("unchanged", None),
        Outcome::Failed(_) => ("failed", None),
    };
    json!({
        "pipeline": result.pipeline,
        "run": result.run,
        "outcome": outcome,
        "snapshot": snapshot,
        "fetched": { "parts": result.fetched.parts, "bytes": result.fetched.bytes, "unchanged_parts": result.fetched.unchanged },
        "tables": result.tables.iter().map(|it| table_document(result, it)).collect::<Vec<_>>(),
        "parts": result.parts.iter().map(|part| json!({
            "table": part.table.to_string(), "stream": part.stream, "part": part.part, "name": part.name,
            "records": part.records, "decoded": part.decoded, "broken": part.broken, "filtered": part.filtered,
            "mapped": part.mapped, "rejected": part.rejected,
        })).collect::<Vec<_>>(),
        "notes": result.notes,
        "error": failure.map(report::json),
    })
}

fn table_document(result: &RunResult, table: &TableResult) -> Value {
    json!({
        "table": table.table.to_string(),
        "fetched": records(result, table),
        "filtered": filtered(result, table),
        "mapped": table.mapped,
        "loaded": if failed(result) { 0 } else { table.loaded },
        "unpublished": if failed(result) { table.loaded } else { 0 },
        "unchanged": table.unchanged,
        "superseded": table.superseded,
        "rejected": table.rejected,
        "broken": table.broken,
        "removed": table.removed,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use arrow::util::pretty::pretty_format_batches;
    use sectorlake_pipeline::{FetchResult, PartResult};

    use super::*;

    fn result(pipeline: &str, outcome: Outcome, tables: &[(&str, u64, u64)]) -> RunResult {
        let name = |table: &str| table.parse().unwrap();
        RunResult {
            pipeline: pipeline.to_owned(),
            run: Some("0199".to_owned()),
            outcome,
            fetched: FetchResult {
                parts: 1,
                bytes: 1234,
                unchanged: 0,
            },
            tables: tables
                .iter()
                .map(|(table, loaded, rejected)| TableResult {
                    table: name(table),
                    mapped: loaded + rejected,
                    loaded: *loaded,
                    unchanged: 0,
                    superseded: 0,
                    rejected: *rejected,
                    broken: 0,
                    removed: 0,
                })
                .collect(),
            parts: tables
                .iter()
                .map(|(table, loaded, rejected)| PartResult {
                    table: name(table),
                    stream: "s".to_owned(),
                    part: "p".to_owned(),
                    name: "s.csv".to_owned(),
                    records: loaded + rejected + 1,
                    decoded: loaded + rejected + 1,
                    broken: 0,
                    filtered: 1,
                    mapped: loaded + rejected,
                    rejected: *rejected,
                })
                .collect(),
            notes: Vec::new(),
        }
    }

    fn results() -> Vec<RunResult> {
        vec![
            result(
                "bus",
                Outcome::Published { snapshot: 7 },
                &[("transport.stops", 1200, 3), ("transport.trips", 40, 0)],
            ),
            result("rain", Outcome::Unchanged, &[]),
        ]
    }

    #[test]
    fn a_line_per_pipeline_and_table() {
        let drawn = pretty_format_batches(&[table(&results(), None).unwrap()])
            .unwrap()
            .to_string();
        insta::assert_snapshot!(drawn, @"
        +----------+-----------------+---------+----------+--------+-----------+----------+-----------+
        | pipeline | table           | fetched | filtered | loaded | unchanged | rejected | snapshot  |
        +----------+-----------------+---------+----------+--------+-----------+----------+-----------+
        | bus      | transport.stops | 1,204   | 1        | 1,200  | 0         | 3        | 7         |
        | bus      | transport.trips | 41      | 1        | 40     | 0         | 0        | 7         |
        | rain     |                 |         |          |        |           |          | unchanged |
        +----------+-----------------+---------+----------+--------+-----------+----------+-----------+
        ");
        let narrow = table(&results(), Some(60)).unwrap();
        assert!(
            narrow.column_by_name("filtered").is_none()
                && narrow.column_by_name("rejected").is_some()
        );
        insta::assert_snapshot!(sentence(&results(), Duration::from_millis(2340)), @"
        2 pipelines: 1 published, 1 unchanged · 1,240 rows loaded, 3 rejected · 2.3 s
        `sectorlake rejected` says which rows were rejected and why.
        ");
    }

    #[test]
    fn the_document_holds_both_balances() {
        let mut all = results();
        let mut fallen = result("tram", Outcome::Unchanged, &[("transport.stops", 5, 1)]);
        fallen.outcome = Outcome::Failed(sectorlake_pipeline::Failure {
            kind: sectorlake_pipeline::FailureKind::Data,
            message: "too much was rejected".to_owned(),
            help: None,
            place: None,
        });
        assert!(
            sentence(std::slice::from_ref(&fallen), Duration::ZERO)
                .contains("0 rows loaded, 1 rejected")
        );
        all.push(fallen);
        let document = document(&all, &Failures::new(), Duration::from_secs(1), Exit::Ok);
        let table = &document["pipelines"][0]["tables"][0];
        assert_eq!(table["mapped"], json!(1203));
        assert_eq!(table["fetched"], json!(1204));
        assert_eq!(document["pipelines"][0]["parts"][0]["decoded"], json!(1204));
        assert_eq!(document["pipelines"][1]["outcome"], json!("unchanged"));
        let table = &document["pipelines"][2]["tables"][0];
        assert_eq!(
            (&table["loaded"], &table["unpublished"]),
            (&json!(0), &json!(5))
        );
    }
}
