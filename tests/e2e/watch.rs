//! `sectorlake watch`: batches of continuous sources, until a signal; and what is told of sources that died.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, mpsc};

use serde_json::Value;

use crate::fleet;
use crate::harness::{Project, assert_said, repository};
use crate::samples::{
    CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE, CLINICS_PIPELINE, CLINICS_PIPELINE_FILE,
    clinics,
};
use crate::upstream::{Upstream, answer};

const VEHICLES: &str = "source:
  connector: gtfs_realtime
  path: data/vehicles.pb
  entities: [vehicle_positions]
schedule: { every: 1s }
";

fn project() -> Project {
    let project = Project::empty();
    let message = repository().join("tests/data/transport/gtfs_rt_aomori_vehicle_positions.pb");
    project.file("data/vehicles.pb", std::fs::read(message).unwrap());
    project.file("pipelines/transport/bus.yaml", VEHICLES);
    project
}

fn watching(project: &Project, args: &[&str]) -> Child {
    let mut command = project.command(&[&["watch"], args].concat());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The first line on stdout.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.as_mut().unwrap());
    out.read_line(&mut line).unwrap();
    line
}

fn signal(child: &Child, name: &str) {
    let killed = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
}

#[test]
fn a_signal_ends_a_watch_in_order() {
    let project = project();
    for (signal_name, published) in [("-TERM", 37), ("-INT", 37)] {
        let mut child = watching(&project, &[]);
        let line = (project.snapshots() == 0).then(|| first_line(&mut child));
        if let Some(line) = line {
            assert!(
                line.ends_with("bus: transport.vehicle_positions +37 · snapshot 1\n"),
                "{line}"
            );
        } else {
            let mut said = String::new();
            BufReader::new(child.stderr.as_mut().unwrap())
                .read_line(&mut said)
                .unwrap();
            assert_eq!(said, "watching bus every 1s; Ctrl-C ends it\n");
        }
        signal(&child, signal_name);
        let done = child.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        assert_eq!(project.count("transport.vehicle_positions"), published);
    }
}

#[test]
fn a_stop_publishes_what_polls_brought_though_the_source_hangs() {
    let made = |poll: usize| 1_767_225_600 + 30 * i64::try_from(poll).unwrap();
    let (tell, asked) = mpsc::channel();
    let tell = Mutex::new(tell);
    let server = Upstream::start(move |poll, _| {
        tell.lock().unwrap().send(()).unwrap();
        if poll == 2 {
            loop {
                std::thread::park();
            }
        }
        answer(200, &[], fleet::message(40, made(poll)))
    });
    let project = Project::empty();
    let address = format!("url: {}/vehicles.pb\n  allow_private: true", server.url());
    let polled = VEHICLES.replace("path: data/vehicles.pb", &address);
    project.file("pipelines/transport/bus.yaml", polled);
    let child = watching(&project, &[]);
    for _ in 0..3 {
        asked.recv().unwrap();
    }
    signal(&child, "-TERM");
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert_eq!(String::from_utf8_lossy(&done.stdout).lines().count(), 2);
    let mut rows = fleet::Rows::new();
    fleet::fold(40, made(0), &mut rows);
    fleet::fold(40, made(1), &mut rows);
    let count = i64::try_from(rows.len()).unwrap();
    assert_eq!(project.count("transport.vehicle_positions"), count);
}

#[test]
fn each_batch_is_one_object_of_json() {
    let project = project();
    let mut child = watching(&project, &["bus", "--json"]);
    let batch: Value = serde_json::from_str(&first_line(&mut child)).unwrap();
    signal(&child, "-TERM");
    child.wait().unwrap();
    assert_eq!(batch["pipeline"], "bus");
    assert_eq!(batch["outcome"], "published");
    assert_eq!(batch["tables"][0]["loaded"], 37);
    assert!(batch["at"].is_string());
}

#[test]
fn what_cannot_be_watched_is_told() {
    let project = project();
    project.file(
        "pipelines/transport/once.yaml",
        VEHICLES.replace("schedule: { every: 1s }\n", ""),
    );
    let done = project.sectorlake(&["watch", "once"]).exits(2);
    assert!(done.says("`once` has no interval to poll at"), "{done}");
    let done = project.sectorlake(&["watch", "buss"]).exits(2);
    assert!(done.says("did you mean `bus`?"), "{done}");
}

#[test]
fn a_fault_is_told_at_its_line_where_nothing_is_left_to_watch() {
    let project = clinics(CLINICS);
    let polled = format!("{CLINICS_PIPELINE}schedule: {{ every: 1s }}\n");
    project.file(CLINICS_PIPELINE_FILE, &polled);
    project.file("pipelines/health/clinics2.yaml", &polled);
    let wrong = CLINICS_CONTRACT.replace("\"type\": \"date\"", "\"type\": \"dat\"");
    project.file(CLINICS_CONTRACT_FILE, wrong);
    assert_said!(project.sectorlake(&["watch"]).exits(2));
    let asked = project.sectorlake(&["watch", "clinics"]).exits(2);
    assert!(asked.says("\"dat\" is no type"), "{}", asked.whole());
    // One that is not polled does not matter here.
    let once = Project::empty();
    once.file("pipelines/health/clinics.yaml", CLINICS_PIPELINE);
    let done = once.sectorlake(&["watch"]).exits(2);
    assert!(
        done.says("error: no pipeline is polled"),
        "{}",
        done.whole()
    );
}

#[test]
fn a_fault_in_one_keeps_no_other_from_being_watched() {
    let project = project();
    let wrong = VEHICLES.replace("entities", "entitys");
    project.file("pipelines/transport/tram.yaml", wrong);
    project.file("pipelines/transport/ferry.yaml", "source: [\n");
    for (args, lost) in [(&[][..], "ferry, tram"), (&["bus", "tram"], "tram")] {
        let mut child = watching(&project, args);
        let mut said = String::new();
        let mut beside = BufReader::new(child.stderr.as_mut().unwrap());
        while !said.contains("watching") && beside.read_line(&mut said).unwrap() > 0 {}
        signal(&child, "-TERM");
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let begins = format!("watching bus every 1s, but not {lost}; Ctrl-C ends it\n");
        assert!(said.ends_with(&begins), "{said}");
        assert!(said.contains("tram.yaml:4:3: tram: "), "{said}");
        assert_eq!(said.contains("ferry.yaml:"), lost.contains("ferry"));
    }
}

#[test]
fn what_stands_still_is_in_meta() {
    let project = project();
    let stale = format!("{VEHICLES}stale_after: 1h\n");
    project.file("pipelines/transport/bus.yaml", stale);
    // The message is of last year, so each run finds it old; the second one has nothing to load.
    for outcome in ["published", "unchanged"] {
        let done = project.sectorlake(&["run", "bus", "--json"]).ok().json();
        let pipeline = &done["pipelines"][0];
        assert_eq!(pipeline["outcome"], outcome);
        assert_eq!(pipeline["stale"][0]["state"], "stale", "{pipeline:#}");
        let message = pipeline["stale"][0]["message"].as_str().unwrap();
        assert!(message.contains("stood still"), "{message}");
    }
    let rows = project.sql(
        "SELECT pipeline, table_name, station, state, newest IS NOT NULL AS has_newest, stale_since IS NOT NULL AS has_since FROM meta.freshness",
    );
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["state"], "stale");
    assert_eq!(rows[0]["has_newest"], true);
    assert_eq!(rows[0]["has_since"], true);
}
