//! What a run does to a table that is already there: nothing, replace its own, add, merge; and reading it as it was.

use serde_json::json;

use crate::harness::{Done, Project};
use crate::samples::{
    CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE, CLINICS_PIPELINE, CLINICS_PIPELINE_FILE,
    SMALL_FEED, bus, clinics,
};

/// Fails unless the run published nothing and said so.
#[track_caller]
fn is_unchanged(project: &Project, pipeline: &str) {
    let before = project.snapshots();
    let done = project.run(&[pipeline]).ok();
    assert!(done.says("unchanged"), "{}", done.whole());
    assert_eq!(project.snapshots(), before, "{}", done.whole());
}

/// Fails unless the run published one snapshot.
#[track_caller]
fn publishes(project: &Project, pipeline: &str) -> Done {
    let before = project.snapshots();
    let done = project.run(&[pipeline]).ok();
    assert_eq!(project.snapshots(), before + 1, "{}", done.whole());
    done
}

#[test]
fn run_twice_publishes_once() {
    let project = clinics(CLINICS);
    publishes(&project, "clinics");
    is_unchanged(&project, "clinics");
    is_unchanged(&project, "clinics");
    assert_eq!(project.count("health.clinics"), 12);
}

#[test]
fn run_twice_publishes_once_of_a_feed() {
    let project = bus(SMALL_FEED.zip());
    publishes(&project, "bus");
    is_unchanged(&project, "bus");
}

#[test]
fn same_bytes_written_anew_are_unchanged() {
    let project = clinics(CLINICS);
    publishes(&project, "clinics");
    project.file("data/clinics.csv", CLINICS);
    is_unchanged(&project, "clinics");
}

#[test]
fn changed_bytes_mapping_or_contract_publish() {
    let project = clinics(CLINICS);
    publishes(&project, "clinics");
    project.file("data/clinics.csv", CLINICS.replace("C12", "C13"));
    publishes(&project, "clinics");
    project.file(
        CLINICS_PIPELINE_FILE,
        CLINICS_PIPELINE.replace("name, level", "upper(name) AS name, level"),
    );
    publishes(&project, "clinics");
    assert_eq!(
        project.sql("SELECT name FROM health.clinics WHERE clinic_id = 'C2'")[0]["name"],
        "TRẠM Y TẾ LÊ CHÂN"
    );
    project.file(
        CLINICS_CONTRACT_FILE,
        CLINICS_CONTRACT.replace("\"maximum\": 5000", "\"maximum\": 1000"),
    );
    publishes(&project, "clinics");
    assert_eq!(project.count("health.clinics"), 11);
    is_unchanged(&project, "clinics");
}

#[test]
fn a_changed_title_or_comment_publishes_no_rows() {
    let project = clinics(CLINICS);
    publishes(&project, "clinics");
    project.file(
        CLINICS_PIPELINE_FILE,
        format!("# a comment\n{CLINICS_PIPELINE}"),
    );
    is_unchanged(&project, "clinics");
}

#[test]
fn replace_takes_only_its_own_rows() {
    let project = clinics(CLINICS);
    let other = "id,name,level,beds,opened\nC101,Trạm y tế Quảng Yên,commune,3,2010-01-01\nC102,Bệnh viện Uông Bí,province,800,1981-01-01\n";
    project.file("data/others.csv", other).file(
        "pipelines/health/others.yaml",
        CLINICS_PIPELINE.replace("clinics.csv", "others.csv"),
    );
    publishes(&project, "clinics");
    publishes(&project, "others");
    assert_eq!(project.count("health.clinics"), 14);
    project.file("data/others.csv", other.replace("C102", "C103"));
    publishes(&project, "others");
    let rows = project.sql("SELECT _source, count(*) AS n, min(clinic_id) AS first FROM health.clinics GROUP BY _source ORDER BY _source");
    assert_eq!(
        rows,
        [
            json!({"_source": "clinics", "n": 12, "first": "C1"}),
            json!({"_source": "others", "n": 2, "first": "C101"})
        ]
    );
    assert_eq!(
        project.number("SELECT count(*) FROM health.clinics WHERE clinic_id IN ('C102', 'C103')"),
        1
    );
}

/// Readings by instant, from every file of a folder.
fn readings(load: &str) -> Project {
    let project = Project::empty();
    project
        .file(
            "schemas/water/readings.json",
            r#"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
  "title": "Readings",
  "fields": [
    { "name": "gauge", "type": "string", "title": "Gauge", "constraints": { "required": true } },
    { "name": "day", "type": "date", "title": "Day", "constraints": { "required": true } },
    { "name": "level", "type": "number", "title": "Level", "sectorlake": { "unit": "m" } }
  ],
  "primaryKey": ["gauge", "day"],
  "sectorlake": { "version": "1.0.0" }
}
"#,
        )
        .file(
            "pipelines/water/readings.yaml",
            format!(
                "source:\n  connector: file\n  path: data/readings/*.csv\n  format: csv\n\
                 tables:\n  water.readings:\n    load: {load}\n    map: SELECT gauge, day, level FROM source\n"
            ),
        )
        .file("data/readings/1.csv", "gauge,day,level\nG1,2026-01-01,1.5\nG2,2026-01-01,2.5\n");
    project
}

#[test]
fn append_loads_no_part_twice() {
    let project = readings("append");
    publishes(&project, "readings");
    is_unchanged(&project, "readings");
    project.file(
        "data/readings/2.csv",
        "gauge,day,level\nG1,2026-01-02,1.75\nG2,2026-01-02,2.25\n",
    );
    publishes(&project, "readings");
    assert_eq!(project.count("water.readings"), 4);
    // The file that came before goes: its rows stay, and it is not loaded again when it comes back.
    std::fs::remove_file(project.path("data/readings/1.csv")).unwrap();
    project.file(
        "data/readings/3.csv",
        "gauge,day,level\nG1,2026-01-03,1.0\n",
    );
    publishes(&project, "readings");
    project.file(
        "data/readings/1.csv",
        "gauge,day,level\nG1,2026-01-01,1.5\nG2,2026-01-01,2.5\n",
    );
    is_unchanged(&project, "readings");
    assert_eq!(project.count("water.readings"), 5);
    assert_eq!(
        project.number("SELECT count(DISTINCT _run) FROM water.readings"),
        3
    );
}

#[test]
fn append_rejects_a_key_that_is_there() {
    let project = readings("append");
    publishes(&project, "readings");
    let mut second = String::from("gauge,day,level\nG1,2026-01-01,9\n");
    for day in 2..=20 {
        second.push_str(&format!("G1,2026-01-{day:02},1\n"));
    }
    project.file("data/readings/2.csv", second);
    publishes(&project, "readings");
    assert_eq!(project.count("water.readings"), 21);
    let kept = project
        .sql("SELECT level FROM water.readings WHERE gauge = 'G1' AND day = DATE '2026-01-01'");
    assert_eq!(kept, [json!({"level": 1.5})]);
    assert_eq!(
        project.number("SELECT count(*) FROM meta.rejected_rows WHERE rule = 'primaryKey'"),
        1
    );
}

#[test]
fn merge_updates_by_key_and_tells_what_changed() {
    let project = readings("merge");
    project.file(
        "data/readings/1.csv",
        "gauge,day,level\nG1,2026-01-01,1.5\nG2,2026-01-01,2.5\nG1,2026-01-01,1.25\n",
    );
    publishes(&project, "readings");
    let sums =
        "SELECT loaded, unchanged, superseded, rejected, mapped FROM meta.run_tables ORDER BY run";
    assert_eq!(
        project.sql(sums),
        [json!({"loaded": 2, "unchanged": 0, "superseded": 1, "rejected": 0, "mapped": 3})],
        "the last of one key stays"
    );
    is_unchanged(&project, "readings");
    project.file(
        "data/readings/2.csv",
        "gauge,day,level\nG2,2026-01-01,2.5\nG1,2026-01-01,1.0\nG3,2026-01-01,3\n",
    );
    publishes(&project, "readings");
    let rows = project.sql("SELECT gauge, level FROM water.readings ORDER BY gauge");
    assert_eq!(
        rows,
        [
            json!({"gauge": "G1", "level": 1.0}),
            json!({"gauge": "G2", "level": 2.5}),
            json!({"gauge": "G3", "level": 3.0})
        ]
    );
    assert_eq!(
        project.number("SELECT count(*) FROM meta.revisions"),
        1,
        "G1 was revised"
    );
}

#[test]
fn slice_replaces_only_the_months_that_came() {
    let project = readings("replace");
    project.file(
        "pipelines/water/readings.yaml",
        "source:\n  connector: file\n  path: data/readings/1.csv\n  format: csv\n\
         tables:\n  water.readings:\n    load: replace\n    slice: gauge\n    map: SELECT gauge, day, level FROM source\n",
    );
    publishes(&project, "readings");
    project.file("data/readings/1.csv", "gauge,day,level\nG2,2026-01-02,7\n");
    publishes(&project, "readings");
    let rows =
        project.sql("SELECT gauge, CAST(day AS VARCHAR) AS day FROM water.readings ORDER BY gauge");
    assert_eq!(
        rows,
        [
            json!({"gauge": "G1", "day": "2026-01-01"}),
            json!({"gauge": "G2", "day": "2026-01-02"})
        ]
    );
}

#[test]
fn the_lake_as_it_was() {
    let project = clinics(CLINICS);
    publishes(&project, "clinics");
    let first = project.number("SELECT max(snapshot) FROM meta.snapshots");
    project.file(
        "data/clinics.csv",
        CLINICS.replace("C12,Bệnh viện Trẻ em", "C13,Bệnh viện Mắt"),
    );
    publishes(&project, "clinics");
    let ask = |at: &str| {
        let sql = "SELECT max(name) AS name FROM health.clinics WHERE clinic_id IN ('C12', 'C13')";
        project
            .sectorlake(&["sql", "--snapshot", at, "--format", "ndjson", sql])
            .rows()[0]["name"]
            .clone()
    };
    assert_eq!(ask(&first.to_string()), "Bệnh viện Trẻ em");
    let second = project.number("SELECT max(snapshot) FROM meta.snapshots");
    assert!(second > first);
    assert_eq!(ask(&second.to_string()), "Bệnh viện Mắt");
    assert_eq!(ask("2999-12-31"), "Bệnh viện Mắt");
    let early = project.sectorlake(&[
        "sql",
        "--snapshot",
        "1999-01-01",
        "SELECT count(*) FROM health.clinics",
    ]);
    assert_eq!(early.code, Some(2), "{}", early.whole());
    let none = project.sectorlake(&["sql", "--snapshot", &(second + 1).to_string(), "SELECT 1"]);
    assert_eq!(none.code, Some(2), "{}", none.whole());
}

#[test]
fn some_fail_and_the_others_are_published() {
    let project = clinics(CLINICS);
    project.file(
        "pipelines/health/broken.yaml",
        CLINICS_PIPELINE.replace("clinics.csv", "nowhere.csv"),
    );
    let done = project.sectorlake(&["run", "--all"]).exits(3);
    assert!(done.says("nowhere.csv"), "{}", done.whole());
    assert_eq!(project.count("health.clinics"), 12);
    assert_eq!(
        project.number("SELECT count(*) FROM meta.runs WHERE pipeline = 'broken'"),
        1,
        "a failed run is told too"
    );
}
