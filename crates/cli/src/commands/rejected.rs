//! `sectorlake rejected`.

use sectorlake_lake::At;
use serde_json::{Map, Value};

use crate::answer::say;
use crate::args::RejectedArgs;
use crate::catalog;
use crate::context::{Context, block_on};
use crate::exit::{Exit, Failure};
use crate::interrupt::or_interrupted;
use crate::numbers::grouped;
use crate::output::{Format, drawable};
use crate::prompt::ask;
use crate::session::Session;
use crate::suggest::nearest;

/// Shows why rows were rejected, or lists them.
///
/// # Errors
/// The lake cannot be read, or the answer not be written.
pub(crate) fn run(context: &Context, args: &RejectedArgs) -> Result<Exit, Failure> {
    if let Some(file) = &args.export {
        return super::export::run(context, args, file);
    }
    let mut destination = context.destination(&args.output);
    let empty = match (&args.run, args.all_runs) {
        (Some(_), _) => "Nothing was rejected in that run.",
        (None, true) => "Nothing was ever rejected.",
        (None, false) => "Nothing was rejected in the latest run that judged rows.",
    };
    destination.look.empty = Some(empty);
    // Whoever wants a file wants the rows: the summary is for the eye.
    let rows = args.rows || destination.file.is_some();
    let drawn = !rows && destination.format == Format::Table;
    let sql = if rows {
        catalog::rejected_rows(args)
    } else {
        catalog::rejected_summary(args)
    };
    let written = block_on(async {
        let session = or_interrupted(Session::open(context, At::Latest)).await?;
        known(&session, &args.pipelines).await?;
        if let Some(run) = &args.run {
            known_run(&session, run, &args.pipelines).await?;
        }
        if drawn {
            let reasons = or_interrupted(session.rows(&sql)).await?;
            let of_latest = args.run.is_none() && !args.all_runs;
            let mut runs = match of_latest {
                true => {
                    let sql = catalog::judged_runs(&args.pipelines);
                    or_interrupted(session.rows(&sql)).await?
                }
                false => Vec::new(),
            };
            if args.pipelines.is_empty() {
                // Of all pipelines, only what is not as one would expect.
                runs.retain(|run| run.get("outcome").and_then(Value::as_str) != Some("published"));
            }
            let told = summary(&reasons, empty, &hint(args));
            return say(&format!("{}{told}", judged(&runs))).map(|()| 0);
        }
        ask(&session, &sql, &destination, &context.terminal).await
    })?;
    if let Some(file) = &destination.file {
        let word = if written == 1 {
            "broken rule"
        } else {
            "broken rules"
        };
        say(&format!("{written} {word} written to {}\n", file.display()))?;
    }
    Ok(Exit::Ok)
}

/// Which runs are told of, and whether what they loaded is published.
fn judged(runs: &[Map<String, Value>]) -> String {
    let mut text = String::new();
    for run in runs {
        let word = |key: &str| run.get(key).and_then(Value::as_str).unwrap_or_default();
        let (pipeline, id, started) = (word("pipeline"), word("run"), word("started"));
        let became = match (word("outcome"), run.get("snapshot").and_then(Value::as_u64)) {
            ("published", Some(snapshot)) => format!("published as snapshot {snapshot}"),
            ("published", None) => "published".to_owned(),
            ("started", _) => "has not ended: nothing of it is published".to_owned(),
            (outcome, _) => format!("{outcome}: nothing of it is published"),
        };
        text.push_str(&format!("{pipeline}: run {id} of {started} UTC, {became}"));
        let published = word("published");
        if word("outcome") != "published" && !published.is_empty() {
            text.push_str(&format!(
                " (what is rejected of the published rows: sectorlake rejected {pipeline} --run {published})"
            ));
        }
        text.push('\n');
    }
    text
}

/// The reasons as people read them, whatever the width: by table, with samples.
fn summary(reasons: &[Map<String, Value>], empty: &str, hint: &str) -> String {
    if reasons.is_empty() {
        return format!("{empty}\n");
    }
    let mut text = String::new();
    let mut before = String::new();
    for reason in reasons {
        let word = |key: &str| reason.get(key).and_then(Value::as_str).unwrap_or_default();
        let table = format!("{} → {}\n", word("pipeline"), word("table"));
        if table != before {
            if !before.is_empty() {
                text.push('\n');
            }
            text.push_str(&table);
            before = table;
        }
        let rows = reason
            .get("rows")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let noun = if rows == 1 { "row" } else { "rows" };
        let broken = match (word("field"), word("rule")) {
            ("", rule) => rule.to_owned(),
            (field, rule) => format!("{field} ({rule})"),
        };
        text.push_str(&format!("  {} {noun}: {broken}\n", grouped(rows)));
        let samples = word("samples");
        for sample in samples.lines() {
            text.push_str(&format!("    {}\n", drawable(sample, false)));
        }
        let more = rows.saturating_sub(samples.lines().count() as u64);
        if more > 0 {
            text.push_str(&format!("    and {} more\n", grouped(more)));
        }
    }
    format!("{text}\n{hint}")
}

/// A pipeline that never ran is most likely misspelt.
async fn known(session: &Session, pipelines: &[String]) -> Result<(), Failure> {
    if pipelines.is_empty() {
        return Ok(());
    }
    let rows = session.rows(&catalog::pipelines()).await?;
    let names: Vec<&str> = rows
        .iter()
        .filter_map(|row| row.get("name")?.as_str())
        .collect();
    let mut unknown = pipelines.iter().map(String::as_str);
    let Some(pipeline) = unknown.find(|pipeline| !names.contains(pipeline)) else {
        return Ok(());
    };
    let failure = Failure::new(
        Exit::Usage,
        format!("pipeline {pipeline} has never run in this lake"),
    );
    Err(match nearest(pipeline, &names) {
        Some(near) => failure.help(format!("did you mean `{near}`?")),
        None => failure.help(format!("`sectorlake run {pipeline}` runs it")),
    })
}

/// A run that never was has no rows to tell of, which is not the same as none rejected.
pub(super) async fn known_run(
    session: &Session,
    run: &str,
    pipelines: &[String],
) -> Result<(), Failure> {
    let found = session.rows(&catalog::run(run, pipelines)).await?;
    if !found.is_empty() {
        return Ok(());
    }
    let of = match pipelines {
        [] => String::new(),
        some => format!(" of {}", some.join(" or ")),
    };
    let failure = Failure::new(Exit::Usage, format!("there is no run {run}{of}"));
    let latest = session.rows(&catalog::latest_runs(pipelines)).await?;
    let told: Vec<String> = latest
        .iter()
        .filter_map(|row| {
            let (run, name) = (row.get("run")?.as_str()?, row.get("pipeline")?.as_str()?);
            Some(match pipelines {
                [_] => run.to_owned(),
                _ => format!("{run} ({name})"),
            })
        })
        .collect();
    Err(failure.help(if told.is_empty() {
        "no run has read any rows yet: `sectorlake run --all`".to_owned()
    } else {
        format!("the latest are {}", told.join(", "))
    }))
}

fn hint(args: &RejectedArgs) -> String {
    let mut which = String::new();
    for pipeline in &args.pipelines {
        which.push_str(&format!(" {pipeline}"));
    }
    if let Some(run) = &args.run {
        which.push_str(&format!(" --run {run}"));
    }
    format!(
        "For the data's owner to correct: sectorlake rejected {} --export rejected.xlsx\nAs a list: sectorlake rejected{which} -o rejected.csv\n",
        match args.pipelines.as_slice() {
            [pipeline] => pipeline.as_str(),
            _ => "PIPELINE",
        }
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn reasons_by_table_with_samples() {
        let reasons = json!([
            { "pipeline": "bus", "table": "transport.stops", "field": "stop_lat", "rule": "maximum", "rows": 1204,
              "samples": "feed.zip!stops.txt row 3: value 912 is above the maximum 90\nfeed.zip!stops.txt row 4: value 913 is above the maximum 90" },
            { "pipeline": "bus", "table": "transport.stops", "field": "", "rule": "record", "rows": 1,
              "samples": "feed.zip!stops.txt row 9: 4 cells where the header has 5\u{1b}[2J" },
            { "pipeline": "rain", "table": "environment.rainfall", "field": "rain", "rule": "type", "rows": 1, "samples": "r.csv row 1: value \"x\" is not a number" },
        ]);
        let reasons: Vec<Map<String, Value>> = serde_json::from_value(reasons).unwrap();
        insta::assert_snapshot!(summary(&reasons, "Nothing.", "Hint.\n"), @r#"
        bus → transport.stops
          1,204 rows: stop_lat (maximum)
            feed.zip!stops.txt row 3: value 912 is above the maximum 90
            feed.zip!stops.txt row 4: value 913 is above the maximum 90
            and 1,202 more
          1 row: record
            feed.zip!stops.txt row 9: 4 cells where the header has 5\u{1b}[2J

        rain → environment.rainfall
          1 row: rain (type)
            r.csv row 1: value "x" is not a number

        Hint.
        "#);
        assert_eq!(summary(&[], "Nothing.", "Hint.\n"), "Nothing.\n");
    }

    #[test]
    fn runs_with_what_became_of_them() {
        let runs = json!([
            { "pipeline": "bus", "run": "2", "started": "2026-07-25 10:00", "outcome": "failed", "snapshot": null, "published": "1" },
            { "pipeline": "rain", "run": "3", "started": "2026-07-25 11:00", "outcome": "published", "snapshot": 4, "published": "3" },
            { "pipeline": "new", "run": "4", "started": "2026-07-25 12:00", "outcome": "failed", "snapshot": null, "published": null },
        ]);
        let runs: Vec<Map<String, Value>> = serde_json::from_value(runs).unwrap();
        insta::assert_snapshot!(judged(&runs), @r"
        bus: run 2 of 2026-07-25 10:00 UTC, failed: nothing of it is published (what is rejected of the published rows: sectorlake rejected bus --run 1)
        rain: run 3 of 2026-07-25 11:00 UTC, published as snapshot 4
        new: run 4 of 2026-07-25 12:00 UTC, failed: nothing of it is published
        ");
    }
}
