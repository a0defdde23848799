//! Sources that died: a feed that stands still under 200, stations that fall silent, volumes that are none of the usual ones.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt as _;
use sectorlake_lake::journal::Kind;
use sectorlake_lake::{Clock as _, Env, ManualClock};

use super::Folder;
use crate::{Level, Outcome, RunResult};

const READINGS: (&str, &str) = (
    "schemas/city/readings.json",
    r#"{"fields": [
        {"name": "station_id", "type": "string"}, {"name": "at", "type": "datetime"}, {"name": "pm25", "type": "number"}
    ], "primaryKey": ["station_id", "at"]}"#,
);

const PIPELINE: &str = "source: { connector: files, path: air.csv }
tables:
  city.readings: { load: merge, map: \"SELECT station_id, at, pm25 FROM source\" }
";

/// A source that publishes the last hour of its stations, one reading an hour.
struct Air {
    folder: Folder,
    clock: Arc<ManualClock>,
    stations: usize,
}

impl Air {
    fn new(pipeline: &str, stations: usize) -> Self {
        let clock = Arc::new(ManualClock::default());
        let mut folder = Folder::new(&[READINGS, ("pipelines/air.yaml", pipeline)]);
        folder.env = Env::manual_with(Arc::clone(&clock));
        Self {
            folder,
            clock,
            stations,
        }
    }

    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Publishes a reading of each station, but for one.
    fn publishes(&self, silent: Option<usize>) {
        let mut text = "station_id,at,pm25\n".to_owned();
        for station in (0..self.stations).filter(|station| Some(*station) != silent) {
            let value = self.now().timestamp() % 97;
            writeln!(text, "S{station},{},{value}", self.now().to_rfc3339()).unwrap();
        }
        self.folder.write("air.csv", &text);
    }

    async fn run_after(&self, hours: i64) -> RunResult {
        self.clock.advance(TimeDelta::hours(hours));
        self.folder.run(&["air"]).await.remove(0)
    }

    /// So many good hours.
    async fn lives(&self, hours: usize) {
        for hour in 0..hours {
            self.publishes(None);
            let result = self.run_after(1).await;
            assert!(matches!(result.outcome, Outcome::Published { .. }));
            assert_eq!(result.stale, [], "hour {hour}");
        }
    }
}

fn told(result: &RunResult) -> Vec<String> {
    let stale = result.stale.iter();
    stale
        .map(|it| format!("{}: {}", it.state.word(), it.message))
        .collect()
}

#[tokio::test]
async fn a_feed_that_stands_still_under_200_is_told_though_nothing_changed() {
    let air = Air::new(PIPELINE, 3);
    air.lives(6).await;
    let mut pages = Vec::new();
    for _ in 0..5 {
        let result = air.run_after(1).await;
        assert_eq!(result.outcome, Outcome::Unchanged);
        pages.extend(told(&result));
    }
    // Other bytes of the same time are no newer observations.
    let text = std::fs::read_to_string(air.folder.path().join("air.csv")).unwrap();
    air.folder.write("air.csv", &format!("{text}\n"));
    pages.extend(told(&air.run_after(1).await));
    air.publishes(None);
    let result = air.run_after(1).await;
    assert_eq!(result.stale, [], "it lives again");
    insta::assert_snapshot!(pages.join("\n"));
}

#[tokio::test]
async fn the_first_runs_raise_no_alarm() {
    let air = Air::new(PIPELINE, 3);
    air.lives(3).await;
    assert_eq!(air.run_after(500).await.stale, []);
    let young = Air::new(PIPELINE, 3);
    young.lives(3).await;
    young.publishes(Some(1));
    assert_eq!(young.run_after(9).await.stale, []);
}

#[tokio::test]
async fn what_the_author_says_holds_from_the_first_run_on() {
    let air = Air::new(&format!("{PIPELINE}stale_after: 2h\n"), 1);
    air.lives(1).await;
    assert_eq!(air.run_after(1).await.stale, []);
    let result = air.run_after(1).await;
    assert_eq!(told(&result).len(), 1);
    assert!(result.notes.iter().any(|note| note.contains("stood still")));
    let wrong = Folder::new(&[
        READINGS,
        ("air.csv", "station_id,at,pm25\n"),
        (
            "pipelines/air.yaml",
            &format!("{PIPELINE}stale_after: soon\n"),
        ),
    ]);
    let problems = wrong.problems().await;
    assert_eq!(
        problems[0].to_string(),
        "pipelines/air.yaml:4:14: \"soon\" is no interval\nhelp: write a number and s, m, h or d, such as 2h"
    );
}

#[tokio::test]
async fn a_station_that_stops_is_told_by_name_until_it_is_heard_of_again() {
    let air = Air::new(PIPELINE, 4);
    air.lives(8).await;
    let mut pages = Vec::new();
    for hour in 0..5 {
        air.publishes(Some(2));
        let result = air.run_after(1).await;
        pages.extend(
            told(&result)
                .into_iter()
                .map(|line| format!("{hour} {line}")),
        );
    }
    air.publishes(None);
    assert_eq!(air.run_after(1).await.stale, []);
    insta::assert_snapshot!(pages.join("\n"));
}

#[tokio::test]
async fn a_volume_that_halves_is_told_and_becomes_usual_in_time() {
    let mut air = Air::new(PIPELINE, 40);
    for day in 0..10 {
        // Some come and go.
        air.stations = 40 + day % 3;
        air.publishes(None);
        assert_eq!(told(&air.run_after(24).await), [""; 0], "day {day}");
    }
    air.stations = 20;
    air.publishes(None);
    let result = air.run_after(24).await;
    let volume: Vec<String> = told(&result)
        .into_iter()
        .filter(|line| line.starts_with("volume"))
        .collect();
    assert_eq!(
        volume,
        ["volume: city.readings: 20 rows came, where 41 are usual (the median of 10 runs)"]
    );
    for _ in 0..20 {
        air.publishes(None);
        air.run_after(24).await;
    }
    air.publishes(None);
    let result = air.run_after(24).await;
    assert!(
        !told(&result).iter().any(|line| line.starts_with("volume")),
        "{result:?}"
    );
}

#[tokio::test]
async fn without_a_time_of_observation_nothing_is_called_fresh() {
    let timeless = READINGS
        .1
        .replace(r#""station_id", "at"]"#, r#""station_id"]"#);
    let pipeline = format!("{PIPELINE}stale_after: 20s\n");
    let mut air = Air::new(&pipeline, 1);
    air.folder.write(READINGS.0, &timeless);
    air.publishes(None);
    let problems = air.folder.problems().await;
    let [problem] = problems.as_slice() else {
        unreachable!("{problems:?}")
    };
    assert_eq!(problem.level, Level::Warning);
    insta::assert_snapshot!(problem);
    assert_eq!(state(&air).await, "unknown");
    // A time that is marked as one needs no place in the key.
    let marked = timeless.replace(
        r#""datetime"}"#,
        r#""datetime", "sectorlake": {"interval": "instant", "time_zone": "UTC"}}"#,
    );
    air = Air::new(&pipeline, 1);
    air.folder.write(READINGS.0, &marked);
    air.publishes(None);
    assert_eq!(air.folder.problems().await, []);
    assert_eq!(state(&air).await, "fresh");
}

/// What the journal says of the table after a run.
async fn state(air: &Air) -> String {
    let result = air.run_after(0).await;
    let journal = air.folder.lake().await.journal();
    let run = result.run.unwrap();
    let rows = journal.of_run(Kind::Freshness, &run).await.unwrap();
    let rows: Vec<RecordBatch> = rows.try_collect().await.unwrap();
    let states = rows[0].column_by_name("state").unwrap();
    states.as_string::<i32>().value(0).to_owned()
}
