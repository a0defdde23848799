//! A project that someone else wrote to the design's page runs as it is, wherever it and its lake are.

use std::path::Path;

use serde_json::json;

use crate::harness::{Done, Project, command};
use crate::samples::{SMALL_FEED, bus};

/// The page's own example, its `url` replaced by the `path` that its comment offers.
const BUS: &str = r#"# pipelines/transport/hai-phong-bus.yaml: the file's stem is the pipeline's name, unique in the project
title: { vi: Xe buýt Hải Phòng, en: Hải Phòng buses }
owner: transport@haiphong.example
licence: CC-BY-4.0
source:
  connector: gtfs                     # its settings follow, checked against the connector's JSON Schema
  path: data/gtfs.zip                 # relative to the project
tables:                               # left out: every stream that has a default mapping
  transport.stops: { from: stops.txt, load: replace }
  transport.stop_times:
    from: stop_times.txt              # the stream
    load: replace                     # replace | append | merge
    map: |                            # left out: the connector's default mapping
      SELECT trip_id, arrival_time, departure_time, stop_id, stop_sequence FROM source
on_reject: { max_share: 0.05 }        # or max_rows; default max_share: 0.1
schedule: { cron: "0 3 * * *", time_zone: Asia/Ho_Chi_Minh }   # or every: 30s
after: []                             # other pipelines, beside what SQL references already say
checks: []
"#;

/// A wide table of the statistics office, long by `unpivot`, by slices.
const PUPILS: &str = "\
title: Pupils by district
owner: education@haiphong.example
licence: CC-BY-4.0
source:
  connector: file
  path: data/pupils.csv
tables:
  common.indicators:
    load: replace
    slice: time_period
    unpivot: { keep: [district], name: period, value: value }
    map: |
      SELECT 'hp.pupils' AS indicator_code, district AS ref_area, period AS time_period, 'A' AS freq, '{}' AS dimensions,
        NULLIF(value, '..') AS obs_value, '{person}' AS unit_measure, CASE value WHEN '..' THEN 'M' ELSE 'A' END AS obs_status
      FROM source
on_reject: { max_rows: 0 }
schedule: { every: 30s }
after: [hai-phong-bus]
";

fn project() -> Project {
    let project = bus(SMALL_FEED.zip());
    std::fs::remove_file(project.path("pipelines/transport/bus.yaml")).unwrap();
    project
        .file("pipelines/transport/hai-phong-bus.yaml", BUS)
        .file("pipelines/education/hai-phong-pupils.yaml", PUPILS)
        .file("pipelines/sectorlake.yaml", "memory: 256MiB\n")
        .file(
            "data/pupils.csv",
            "district,2023,2024,2025\nHồng Bàng,9000,9100,..\nLê Chân,8000,8200,8300\n",
        );
    project
}

/// Runs the binary from somewhere else.
fn elsewhere(folder: &Path, args: &[&str]) -> Done {
    let mut command = command();
    command.current_dir(folder).args(args);
    Done::of(command)
}

const ASK: &str = "SELECT feed_id, count(*) AS calls, count(DISTINCT stop_id) AS stops FROM transport.stop_times GROUP BY feed_id";

fn answer() -> serde_json::Value {
    json!({"feed_id": "hai-phong-bus", "calls": 30, "stops": 5})
}

#[test]
fn runs_as_it_is() {
    let project = project();
    project.sectorlake(&["validate"]).ok();
    project.sectorlake(&["run", "--all"]).ok();
    assert_eq!(
        project.sql(ASK),
        [answer()],
        "feed_id is the pipeline's name unless told"
    );
    let tables = project
        .sql("SELECT table_schema || '.' || table_name AS name FROM meta.tables ORDER BY name");
    let names: Vec<_> = tables
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "common.indicators",
            "transport.stop_times",
            "transport.stops"
        ],
        "only what the file names"
    );
    let pupils = project.sql(
        "SELECT time_period, count(*) AS n, sum(obs_value) AS pupils FROM common.indicators GROUP BY time_period ORDER BY time_period",
    );
    assert_eq!(
        pupils,
        [
            json!({"time_period": "2023", "n": 2, "pupils": 17000.0}),
            json!({"time_period": "2024", "n": 2, "pupils": 17300.0}),
            json!({"time_period": "2025", "n": 2, "pupils": 8300.0})
        ]
    );
}

#[test]
fn slices_that_did_not_come_stay() {
    let project = project();
    project.sectorlake(&["run", "--all"]).ok();
    project.file(
        "data/pupils.csv",
        "district,2025,2026\nHồng Bàng,9200,9300\nLê Chân,8400,8500\n",
    );
    project.run(&["hai-phong-pupils"]).ok();
    let pupils = project.sql(
        "SELECT time_period AS y, sum(obs_value) AS n FROM common.indicators GROUP BY 1 ORDER BY 1",
    );
    let told: Vec<_> = pupils
        .iter()
        .map(|it| (it["y"].as_str().unwrap(), it["n"].as_f64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("2023", 17000.0),
            ("2024", 17300.0),
            ("2025", 17600.0),
            ("2026", 17800.0)
        ]
    );
}

#[test]
fn project_and_lake_are_named_by_options() {
    let project = project();
    let away = tempfile::tempdir().unwrap();
    let root = project.root().to_str().unwrap();
    let path = away.path().join("a lake");
    let url = format!("file://{}", away.path().join("url").display());
    for lake in [path.to_str().unwrap(), &url, "relative/lake"] {
        elsewhere(
            away.path(),
            &["run", "--all", "--project", root, "--lake", lake],
        )
        .ok();
        let told = elsewhere(
            away.path(),
            &["--lake", lake, "sql", "--format", "ndjson", ASK],
        )
        .rows();
        assert_eq!(told, [answer()], "{lake}");
    }
    assert!(path.join("sectorlake.json").is_file());
    assert!(away.path().join("url/sectorlake.json").is_file());
    assert!(away.path().join("relative/lake/sectorlake.json").is_file());
    assert!(
        !project.lake().exists(),
        "the lake is where it was asked for, and nowhere else"
    );
}

#[test]
fn lake_is_named_by_the_environment() {
    let project = project();
    let away = tempfile::tempdir().unwrap();
    let mut run = project.command(&["run", "--all"]);
    run.env("SECTORLAKE_LAKE", away.path().join("lake"));
    Done::of(run).ok();
    assert!(away.path().join("lake/sectorlake.json").is_file());
    assert!(!project.lake().exists());
    let mut ask = command();
    ask.current_dir(away.path())
        .env("SECTORLAKE_LAKE", away.path().join("lake"))
        .args(["sql", "--format", "ndjson", ASK]);
    assert_eq!(Done::of(ask).rows(), [answer()]);
}

#[test]
fn project_is_the_nearest_parent_that_is_one() {
    let project = project();
    let below = project.path("pipelines/transport");
    elsewhere(&below, &["run", "hai-phong-bus"]).ok();
    assert_eq!(project.sql(ASK), [answer()]);
}
