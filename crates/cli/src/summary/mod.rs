//! What a run ends with: the table of what came, was loaded and was rejected; or one JSON document.

mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use sectorlake_pipeline::{Outcome, RunResult, TableResult};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::numbers::grouped;
use crate::output::drawable;
use crate::report::{self, Look};

pub(crate) use self::table::table;

/// What failed, by pipeline.
pub(crate) type Failures = BTreeMap<String, Failure>;

fn failed(result: &RunResult) -> bool {
    matches!(result.outcome, Outcome::Failed(_))
}

/// Source records of a table's parts. Corrections stand for records of the source, which are counted there.
fn records(result: &RunResult, table: &TableResult) -> u64 {
    let parts = result.parts.iter().filter(|part| part.table == table.table);
    parts
        .filter(|part| !part.is_fix)
        .map(|part| part.records)
        .sum()
}

/// Records that the mapping gave no row for.
fn filtered(result: &RunResult, table: &TableResult) -> u64 {
    let parts = result.parts.iter().filter(|part| part.table == table.table);
    parts.map(|part| part.filtered).sum()
}

/// Records whose correction was loaded in their place.
fn fixed(result: &RunResult, table: &TableResult) -> u64 {
    let parts = result.parts.iter().filter(|part| part.table == table.table);
    parts.map(|part| part.fixed).sum()
}

/// Rows that broke a rule, and records that could not be read.
fn rejected(table: &TableResult) -> u64 {
    table.rejected + table.broken
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

/// How a pipeline's source has changed.
pub(crate) fn drift(result: &RunResult) -> Vec<Value> {
    let drift = result.drift.iter().map(|drift| {
        json!({
            "kind": drift.kind.word(), "stream": drift.stream, "table": drift.table.to_string(), "column": drift.column,
            "before": drift.before, "now": drift.now, "read": drift.used, "message": drift.message, "proposal": drift.proposal,
        })
    });
    drift.collect()
}

/// What of a pipeline's source is not as fresh as it should be.
fn stale(result: &RunResult) -> Vec<Value> {
    let stale = result.stale.iter().map(|stale| {
        json!({
            "table": stale.table.to_string(), "station": stale.station, "state": stale.state.word(), "newest": stale.newest,
            "usual_step_s": stale.usual_step_s, "stale_since": stale.stale_since, "message": stale.message,
        })
    });
    stale.collect()
}

/// What has changed in the sources, with what is proposed for each: for people, who read no JSON.
pub(crate) fn drifts(results: &[RunResult], look: Look) -> String {
    let mut text = String::new();
    for result in results {
        for drift in &result.drift {
            if let Look::Json = look {
                let line = json!({
                    "level": "drift", "pipeline": result.pipeline, "kind": drift.kind.word(), "column": drift.column,
                    "message": drift.message, "proposal": drift.proposal,
                });
                text.push_str(&format!("{line}\n"));
                continue;
            }
            // Names of columns are foreign: they may hold anything.
            let message = drawable(&drift.message, false);
            text.push_str(&format!("drift: {}: {message}\n", result.pipeline));
            for line in drift.proposal.lines() {
                text.push_str(&format!("  {}\n", drawable(line, false)));
            }
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

/// One pipeline of it.
pub(crate) fn pipeline(result: &RunResult, failure: Option<&Failure>) -> Value {
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
        "drift": drift(result),
        "stale": stale(result),
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
        "revised": table.revised,
        "deleted": table.deleted,
        "marked": table.marked,
        "fixed": fixed(result, table),
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
                    revised: 0,
                    deleted: 0,
                    marked: 0,
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
                    fixed: 0,
                    is_fix: false,
                })
                .collect(),
            notes: Vec::new(),
            drift: Vec::new(),
            stale: Vec::new(),
            trial: None,
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

    fn drawn(results: &[RunResult], width: Option<u16>) -> String {
        let drawn = table(results, width).unwrap();
        let lines = pretty_format_batches(&[drawn.batch]).unwrap();
        format!("{lines}\n{}", drawn.hint)
    }

    #[test]
    fn many_tables_are_told_a_line_per_pipeline() {
        let feed = |name: &str| {
            let tables = ["transport.stops", "transport.trips", "transport.routes"];
            let tables: Vec<_> = tables.iter().map(|it| (*it, 1000, 1)).collect();
            result(name, Outcome::Published { snapshot: 1 }, &tables)
        };
        let mut feeds: Vec<RunResult> = ["a", "b", "c", "d", "e"].map(feed).into();
        assert!(drawn(&feeds, None).contains("transport.trips"));
        feeds.push(feed("f"));
        // All tables of these come from one part, which is fetched once.
        insta::assert_snapshot!(drawn(&feeds, Some(80)), @r#"
        +----------+--------+---------+--------+-----------+----------+----------+
        | pipeline | tables | fetched | loaded | unchanged | rejected | snapshot |
        +----------+--------+---------+--------+-----------+----------+----------+
        | a        | 3      | 1,002   | 3,000  | 0         | 3        | 1        |
        | b        | 3      | 1,002   | 3,000  | 0         | 3        | 1        |
        | c        | 3      | 1,002   | 3,000  | 0         | 3        | 1        |
        | d        | 3      | 1,002   | 3,000  | 0         | 3        | 1        |
        | e        | 3      | 1,002   | 3,000  | 0         | 3        | 1        |
        | f        | 3      | 1,002   | 3,000  | 0         | 3        | 1        |
        +----------+--------+---------+--------+-----------+----------+----------+
        Each table: `sectorlake sql "SELECT * FROM meta.run_tables"`, or --json.
        "#);
    }

    #[test]
    fn a_line_per_pipeline_and_table() {
        let drawn_within = |width| drawn(&results(), Some(width));
        insta::assert_snapshot!(drawn(&results(), None), @"
        +----------+-----------------+---------+----------+--------+-----------+----------+-----------+
        | pipeline | table           | fetched | filtered | loaded | unchanged | rejected | snapshot  |
        +----------+-----------------+---------+----------+--------+-----------+----------+-----------+
        | bus      | transport.stops | 1,204   | 1        | 1,200  | 0         | 3        | 7         |
        | bus      | transport.trips | 41      | 1        | 40     | 0         | 0        | 7         |
        | rain     |                 |         |          |        |           |          | unchanged |
        +----------+-----------------+---------+----------+--------+-----------+----------+-----------+
        ");
        insta::assert_snapshot!(drawn_within(78), @"
        +----------+-----------------+---------+--------+----------+-----------+
        | pipeline | table           | fetched | loaded | rejected | snapshot  |
        +----------+-----------------+---------+--------+----------+-----------+
        | bus      | transport.stops | 1,204   | 1,200  | 3        | 7         |
        | bus      | transport.trips | 41      | 40     | 0        | 7         |
        | rain     |                 |         |        |          | unchanged |
        +----------+-----------------+---------+--------+----------+-----------+
        ");
        let alone = |width| drawn(&results()[..1], Some(width));
        insta::assert_snapshot!(alone(65), @"
        +-----------------+---------+--------+----------+----------+
        | table           | fetched | loaded | rejected | snapshot |
        +-----------------+---------+--------+----------+----------+
        | transport.stops | 1,204   | 1,200  | 3        | 7        |
        | transport.trips | 41      | 40     | 0        | 7        |
        +-----------------+---------+--------+----------+----------+
        ");
        insta::assert_snapshot!(drawn_within(60), @r#"
        +----------+--------+---------+--------+----------+-----------+
        | pipeline | tables | fetched | loaded | rejected | snapshot  |
        +----------+--------+---------+--------+----------+-----------+
        | bus      | 2      | 1,204   | 1,240  | 3        | 7         |
        | rain     |        |         |        |          | unchanged |
        +----------+--------+---------+--------+----------+-----------+
        Each table: `sectorlake sql "SELECT * FROM meta.run_tables"`, or --json.
        "#);
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
            may_pass: false,
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
