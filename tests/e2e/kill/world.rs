//! A project whose sources come in editions, each of which can be told from the others by every table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::Project;
use crate::samples::{BUS_PIPELINE, Feed};

/// The pipelines: a feed of six tables, a file into two tables, a folder that is appended, a register that is merged.
pub(super) const PIPELINES: [&str; 4] = ["bus", "gauges", "readings", "register"];

const GAUGES: &str = "\
source:
  connector: file
  path: data/gauges.csv
  format: csv
tables:
  environment.stations:
    load: merge
    map: SELECT station AS station_id FROM source
  environment.observations:
    load: replace
    map: |
      SELECT station AS station_id, 'waterlevel' AS observed_property, time AS phenomenon_time, value AS result, 'm' AS unit FROM source
";

const READINGS: &str = "\
source:
  connector: file
  path: data/readings/*.csv
  format: csv
tables:
  test.readings: { load: append, map: 'SELECT id, value FROM source' }
";

const REGISTER: &str = "\
source:
  connector: file
  path: data/register.csv
  format: csv
tables:
  test.register: { load: merge, map: 'SELECT id, value FROM source' }
";

const CONTRACT: &str = r#"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
  "title": "Values by id",
  "fields": [
    { "name": "id", "type": "string", "title": "Id", "constraints": { "required": true } },
    { "name": "value", "type": "number", "title": "Value" }
  ],
  "primaryKey": ["id"],
  "sectorlake": { "version": "1.0.0" }
}
"#;

/// How big the sources are.
pub(super) struct World {
    trips: usize,
    times: usize,
    readings: usize,
    registered: usize,
}

impl Default for World {
    fn default() -> Self {
        Self {
            trips: 400,
            times: 700,
            readings: 2000,
            registered: 3000,
        }
    }
}

impl World {
    fn feed(&self, version: usize) -> Feed {
        Feed {
            version,
            trips: self.trips,
            calls: 40,
        }
    }

    /// Writes the project with its sources in this edition; the folder of readings gains a file with each.
    pub(super) fn write(&self, project: &Project, version: usize) {
        project
            .file("schemas/test/readings.json", CONTRACT)
            .file("schemas/test/register.json", CONTRACT)
            .file("pipelines/transport/bus.yaml", BUS_PIPELINE)
            .file("pipelines/environment/gauges.yaml", GAUGES)
            .file("pipelines/test/readings.yaml", READINGS)
            .file("pipelines/test/register.yaml", REGISTER)
            .file("data/gtfs.zip", self.feed(version).zip())
            .file("data/gauges.csv", self.gauges(version))
            .file(
                &format!("data/readings/{version:04}.csv"),
                self.readings(version),
            )
            .file("data/register.csv", self.register(version));
    }

    /// Three stations and one more with each edition; every value is the edition's number.
    fn gauges(&self, version: usize) -> String {
        let mut csv = String::from("station,time,value\n");
        for station in 0..3 + version {
            for time in 0..self.times {
                let (month, day, hour) = (1 + time / 672, 1 + time / 24 % 28, time % 24);
                writeln!(
                    csv,
                    "S{station},2026-{month:02}-{day:02}T{hour:02}:00:00Z,{version}"
                )
                .unwrap();
            }
        }
        csv
    }

    fn readings(&self, version: usize) -> String {
        let rows = (0..self.readings).map(|n| format!("{version}-{n},{version}\n"));
        std::iter::once("id,value\n".to_owned())
            .chain(rows)
            .collect()
    }

    /// Every third value is the edition's number, the others stay.
    fn register(&self, version: usize) -> String {
        let value = |n: usize| if n.is_multiple_of(3) { version } else { 1 };
        let rows = (0..self.registered + version).map(|n| format!("R{n},{}\n", value(n)));
        std::iter::once("id,value\n".to_owned())
            .chain(rows)
            .collect()
    }

    /// Rows of a table in an edition.
    pub(super) fn rows(&self, table: &str, version: usize) -> usize {
        match table {
            "environment.stations" => 3 + version,
            "environment.observations" => (3 + version) * self.times,
            "test.readings" => self.readings * (version + 1),
            "test.register" => self.registered + version,
            table => self
                .feed(version)
                .counts()
                .iter()
                .find(|it| it.0 == table)
                .map_or(0, |it| it.1),
        }
    }

    /// One statement, so one snapshot, that asks all tables of a pipeline.
    pub(super) fn question(&self, pipeline: &str) -> String {
        let parts = tables(pipeline).into_iter().map(|(table, figure)| {
            format!(
                "SELECT '{table}' AS t, count(*) AS n, CAST({figure} AS BIGINT) AS f FROM {table}"
            )
        });
        format!(
            "{} ORDER BY t",
            parts.collect::<Vec<_>>().join(" UNION ALL ")
        )
    }

    /// What it answers in an edition.
    pub(super) fn answer(&self, pipeline: &str, version: usize) -> Vec<Value> {
        let mut rows: Vec<_> = tables(pipeline)
            .into_iter()
            .map(|(table, _)| json!({"t": table, "n": self.rows(table, version), "f": self.figure(table, version)}))
            .collect();
        rows.sort_by_key(|it| it["t"].as_str().unwrap().to_owned());
        rows
    }

    fn figure(&self, table: &str, version: usize) -> usize {
        match table {
            "transport.agency" => version,
            "environment.observations" => version * self.rows(table, version),
            "test.readings" => self.readings * (0..=version).sum::<usize>(),
            "test.register" => {
                let all = self.rows(table, version);
                let third = all.div_ceil(3);
                third * version + (all - third)
            }
            _ => 0,
        }
    }
}

/// The tables of a pipeline, each with a figure that the edition decides.
fn tables(pipeline: &str) -> Vec<(&'static str, &'static str)> {
    match pipeline {
        "bus" => vec![
            ("transport.agency", "max(split_part(agency_name, ' ', 2))"),
            ("transport.routes", "0"),
            ("transport.calendar", "0"),
            ("transport.stops", "0"),
            ("transport.trips", "0"),
            ("transport.stop_times", "0"),
        ],
        "gauges" => vec![
            ("environment.stations", "0"),
            ("environment.observations", "sum(result)"),
        ],
        "readings" => vec![("test.readings", "sum(value)")],
        _ => vec![("test.register", "sum(value)")],
    }
}
