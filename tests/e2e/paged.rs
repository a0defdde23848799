//! Sources read in pieces, over the wire: partitions that a killed run leaves where they are, revised and removed records.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use crate::harness::{Project, is_soak};
use crate::samples::{CLINICS, clinics};
use crate::upstream::{Upstream, answer as respond};

const STATIONS: &str = r#"{
  "fields": [
    { "name": "station", "type": "integer" }, { "name": "at", "type": "datetime" }, { "name": "value", "type": "number" }
  ],
  "primaryKey": ["station", "at"]
}"#;

/// What the source answers by path and query; one it does not know is held until the test ends.
#[derive(Default)]
struct Answers {
    known: BTreeMap<String, String>,
    asked: Vec<String>,
    held: Vec<TcpStream>,
}

/// A server on loopback.
pub(crate) struct Source {
    pub(crate) address: String,
    answers: Arc<Mutex<Answers>>,
}

impl Source {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answers: Arc<Mutex<Answers>> = Arc::default();
        let shared = Arc::clone(&answers);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &shared);
            }
        });
        Self { address, answers }
    }

    pub(crate) fn says(&self, target: &str, body: &str) {
        let mut answers = self.answers.lock().unwrap();
        answers.known.insert(target.to_owned(), body.to_owned());
    }

    /// What was asked for since the last time.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.answers.lock().unwrap().asked)
    }

    fn holds(&self) -> bool {
        !self.answers.lock().unwrap().held.is_empty()
    }
}

fn answer(mut stream: TcpStream, answers: &Mutex<Answers>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.split(' ').nth(1).unwrap().to_owned();
    let mut answers = answers.lock().unwrap();
    answers.asked.push(target.clone());
    let Some(body) = answers.known.get(&target) else {
        answers.held.push(stream);
        return;
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // A client that was killed hears nothing.
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.as_bytes()));
}

fn project(source: &Source, settings: &str, table: &str) -> Project {
    let project = Project::empty();
    let address = &source.address;
    project.file("schemas/air/readings.json", STATIONS).file(
        "pipelines/air/readings.yaml",
        format!(
            "source:\n  connector: rest\n  url: {address}/readings\n  allow_private: true\n  rate: {{ per_second: 1000 }}\n{settings}\
             tables:\n  air.readings:\n    load: merge\n{table}    map: SELECT station, at, value FROM source\n"
        ),
    );
    project
}

fn reading(station: u32, at: &str, value: u32) -> String {
    format!(r#"{{"station": {station}, "at": "{at}", "value": {value}}}"#)
}

#[test]
fn a_run_killed_at_part_80_of_100_goes_on_at_81() {
    let source = Source::start();
    let numbers: Vec<String> = (1..=100).map(|number| number.to_string()).collect();
    let settings = format!(
        "  query: {{ station: \"{{partition}}\" }}\n  partitions: [{}]\npartitions_at_once: 1\n",
        numbers.join(", ")
    );
    let project = project(&source, &settings, "");
    let say = |station: u32| {
        let body = format!("[{}]", reading(station, "2025-01-01T00:00:00Z", station));
        source.says(&format!("/readings?station={station}"), &body);
    };
    (1..=79).for_each(say);
    let mut command = project.command(&["run", "readings"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut run = command.spawn().unwrap();
    let manifests = project.lake().join("raw/readings/manifests");
    let kept =
        || fs::read_dir(&manifests).map_or(0, |files| files.flatten().filter(is_manifest).count());
    while !source.holds() || kept() < 79 {
        assert!(run.try_wait().unwrap().is_none(), "the run ended by itself");
        std::thread::yield_now();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(source.asked().len(), 80);
    project.has_published_nothing();

    (80..=100).for_each(say);
    let next = project.run(&["readings"]).ok();
    assert!(
        next.whole()
            .contains("79 parts that a run before had fetched"),
        "{}",
        next.whole()
    );
    let expected: Vec<String> = (80..=100)
        .map(|station| format!("/readings?station={station}"))
        .collect();
    assert_eq!(source.asked(), expected);
    assert_eq!(
        project.number("SELECT sum(value)::BIGINT FROM air.readings"),
        5050
    );
}

/// Whether a file of the folder is a manifest under its own name, not one on its way.
fn is_manifest(file: &fs::DirEntry) -> bool {
    file.file_name().to_string_lossy().ends_with(".json")
}

/// `make soak` asks for 2,000.
#[test]
fn every_partition_costs_one_question_and_no_body_where_nothing_has_changed() {
    let count = if is_soak() { 2_000 } else { 60 };
    let server = Upstream::start(move |before, target| {
        let station = target.rsplit('=').next().unwrap().to_owned();
        let etag = format!("ETag: \"v{station}\"");
        match before < count {
            true => {
                let body = format!(
                    "[{}]",
                    reading(station.parse().unwrap(), "2025-01-01T00:00:00Z", 1)
                );
                respond(200, &["Content-Type: application/json", &etag], body)
            }
            false => respond(304, &[&etag], ""),
        }
    });
    let project = Project::empty();
    let stations: Vec<String> = (1..=count).map(|number| number.to_string()).collect();
    project.file("schemas/air/readings.json", STATIONS).file(
        "pipelines/air/readings.yaml",
        format!(
            "source:\n  connector: rest\n  url: {}/readings?station={{partition}}\n  allow_private: true\n  \
             rate: {{ per_second: 1000, concurrent: 16 }}\n  partitions: [{}]\ntables:\n  air.readings:\n    load: replace\n    \
             map: SELECT station, at, value FROM source\n",
            server.url(),
            stations.join(", ")
        ),
    );
    project.run(&["readings"]).ok();
    assert_eq!(project.count("air.readings"), i64::try_from(count).unwrap());
    let asked = server.asked();
    let targets: BTreeSet<&str> = asked.iter().map(|head| target(head)).collect();
    assert_eq!((asked.len(), targets.len()), (count, count));
    assert!(project.run(&["readings"]).ok().says("unchanged"));
    // The same questions once more, each with the tag of its answer.
    let again = &server.asked()[count..];
    assert_eq!(again.len(), count);
    for head in again {
        let station = target(head).rsplit('=').next().unwrap();
        let line = format!("if-none-match: \"v{station}\"");
        assert!(head.to_ascii_lowercase().contains(&line), "{head}");
    }
    assert_eq!(project.snapshots(), 1);
}

fn target(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

#[test]
fn late_and_revised_records_come_by_the_window_and_are_told() {
    let source = Source::start();
    let settings = "  incremental: { kind: time, parameter: since, field: \"[*].at\", start: 2025-01-01, lookback: 2d }\n";
    let project = project(&source, settings, "");
    let list = |readings: &[String]| format!("[{}]", readings.join(", "));
    source.says(
        "/readings?since=2025-01-01T00%3A00%3A00Z",
        &list(&[
            reading(1, "2025-01-04T00:00:00Z", 10),
            reading(1, "2025-01-05T00:00:00Z", 20),
        ]),
    );
    project.run(&["readings"]).ok();
    // Of the two days behind the mark: one stands, one is revised, one came late.
    source.says(
        "/readings?since=2025-01-03T00%3A00%3A00Z",
        &list(&[
            reading(1, "2025-01-04T00:00:00Z", 11),
            reading(1, "2025-01-05T00:00:00Z", 20),
            reading(2, "2025-01-04T12:00:00Z", 30),
        ]),
    );
    let run = project.sectorlake(&["run", "readings", "--json"]).ok();
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let table = &document["pipelines"][0]["tables"][0];
    assert_eq!(
        (
            &table["loaded"],
            &table["unchanged"],
            &table["revised"],
            &table["deleted"]
        ),
        (&2.into(), &1.into(), &1.into(), &0.into()),
        "{}",
        run.stdout
    );
    let revised = project.sql("SELECT key, old_row, new_row FROM meta.revisions");
    assert_eq!(revised.len(), 1, "{revised:?}");
    assert!(
        revised[0]["old_row"].to_string().contains("10"),
        "{revised:?}"
    );
    assert!(
        revised[0]["new_row"].to_string().contains("11"),
        "{revised:?}"
    );
    let counted = project.sql("SELECT sum(revised) AS revised FROM meta.run_tables");
    assert_eq!(counted[0]["revised"], 1);
    assert_eq!(project.count("air.readings"), 3);
}

#[test]
fn what_the_source_removes_goes_page_by_page() {
    let source = Source::start();
    let settings = "  records: rows\n  paging: { style: offset, size: 2, total: all }\n";
    let project = project(&source, settings, "    deletions: follow\n");
    let page = |offset: u32, all: u32, readings: &[String]| {
        let body = format!(r#"{{"all": {all}, "rows": [{}]}}"#, readings.join(", "));
        source.says(&format!("/readings?limit=2&offset={offset}"), &body);
    };
    let at = "2025-01-01T00:00:00Z";
    page(0, 3, &[reading(1, at, 1), reading(2, at, 2)]);
    page(2, 3, &[reading(3, at, 3)]);
    project.run(&["readings"]).ok();
    page(0, 2, &[reading(1, at, 1), reading(3, at, 3)]);
    let run = project.run(&["readings"]).ok();
    let stations = project.sql("SELECT station FROM air.readings ORDER BY station");
    assert_eq!(
        stations
            .iter()
            .map(|it| it["station"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        [1, 3]
    );
    assert!(run.whole().contains("deleted"), "{}", run.whole());
}

/// The attack: a source that says it has ten million pages, and gives the same one for each.
#[test]
fn a_source_without_end_is_refused() {
    let source = Source::start();
    let settings = "  records: rows\n  paging: { style: next, next: next }\n";
    let project = project(&source, settings, "");
    let rows = |next: &str| {
        format!(
            r#"{{"next": "{next}", "pages": 10000000, "rows": [{}]}}"#,
            reading(1, "2025-01-01T00:00:00Z", 1)
        )
    };
    source.says("/readings", &rows("/readings?page=2"));
    source.says("/readings?page=2", &rows("/readings?page=3"));
    source.says("/readings?page=3", &rows("/readings?page=2"));
    let run = project.run(&["readings"]).exits(4);
    assert!(
        run.whole().contains("does not come to an end"),
        "{}",
        run.whole()
    );
    assert_eq!(source.asked().len(), 3);
    project.has_published_nothing();
}

#[test]
fn a_replace_tells_what_it_revises() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    project.file(
        "data/clinics.csv",
        CLINICS.replacen("commune,6,", "commune,7,", 1),
    );
    let run = project.sectorlake(&["run", "clinics", "--json"]).ok();
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        document["pipelines"][0]["tables"][0]["revised"], 1,
        "{}",
        run.stdout
    );
    let revised = project.sql("SELECT table_name, key, old_row, new_row FROM meta.revisions");
    assert_eq!(revised.len(), 1, "{revised:?}");
    assert_eq!(revised[0]["table_name"], "clinics");
    assert!(revised[0]["key"].to_string().contains("C2"), "{revised:?}");
    assert!(
        revised[0]["new_row"].to_string().contains('7'),
        "{revised:?}"
    );
}
