//! Lakes that are not there, or not ours to read or write.

use std::fs;

use serde_json::Value;

use crate::harness::assert_said;
use crate::samples::{CLINICS, clinics};

#[test]
fn no_lake_for_sql() {
    let project = clinics(CLINICS);
    assert_said!(project.sectorlake(&["sql", "SELECT * FROM health.clinics"]));
    assert!(!project.lake().exists(), "a question made a lake");
}

#[test]
fn no_lake_for_tables() {
    let project = clinics(CLINICS);
    assert_said!(project.sectorlake(&["tables"]));
    assert!(!project.lake().exists(), "a question made a lake");
}

#[test]
fn lake_written_by_a_newer_version() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    let path = project.lake().join("sectorlake.json");
    let mut marker: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    marker["format_version"] = 99.into();
    fs::write(&path, marker.to_string()).unwrap();
    project.file("data/clinics.csv", CLINICS.replace("C12", "C13"));
    assert_said!(project.run(&["clinics"]));
    assert_said!(project.sectorlake(&["sql", "SELECT count(*) FROM health.clinics"]));
    assert_eq!(project.snapshots(), 1);
}

#[test]
fn lake_whose_marker_is_garbled() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    project.file("lake/sectorlake.json", "{\"format");
    let done = project.run(&["clinics"]);
    assert_ne!(done.code, Some(0), "{}", done.whole());
    assert!(done.says("sectorlake.json"), "{}", done.whole());
}

#[test]
fn folder_that_is_no_lake() {
    let project = clinics(CLINICS);
    project.file("lake", "a file, not a folder");
    assert_said!(project.run(&["clinics"]));
}

#[test]
fn a_foreign_writer_in_a_table_is_told() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    let log = project.lake().join("tables/health/clinics/_delta_log");
    let newest = fs::read_dir(&log)
        .unwrap()
        .map(|it| it.unwrap().path())
        .filter(|it| it.extension().is_some_and(|it| it == "json"))
        .max()
        .unwrap();
    let version: u64 = newest
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    fs::write(
        log.join(format!("{:020}.json", version + 1)),
        "{\"commitInfo\":{\"operation\":\"WRITE\"}}\n",
    )
    .unwrap();
    project.file("data/clinics.csv", CLINICS.replace("C12", "C13"));
    let done = project.run(&["clinics"]);
    assert_ne!(done.code, Some(0), "{}", done.whole());
    assert!(done.says("health.clinics"), "{}", done.whole());
    assert_eq!(project.count("health.clinics"), 12);
}
