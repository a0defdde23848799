//! The repository's own pipelines: all are valid, and those of public addresses run from their recording.

use std::collections::BTreeSet;
use std::path::Path;

use crate::harness::{Done, Project, command, repository};

/// What each pipeline with a public address loads from `tests/recordings/pipelines`: of Hải Phòng and one other city in each sector.
const REPLAYED: [(&str, &[(&str, u64)]); 7] = [
    ("brest-alerts", &[("transport.alerts", 14)]),
    (
        "hai-phong-air",
        &[
            ("environment.observations", 765),
            ("environment.stations", 1),
        ],
    ),
    (
        "hai-phong-airport",
        &[
            ("environment.observations", 288),
            ("environment.stations", 1),
        ],
    ),
    ("hai-phong-schools", &[("education.schools", 41)]),
    ("hai-phong-stops", &[("transport.stops", 60)]),
    (
        "madison-river",
        &[("environment.observations", 2), ("environment.stations", 1)],
    ),
    ("new-york-high-schools", &[("education.schools", 440)]),
];

/// Their names, as a list in SQL.
pub(crate) fn replayed() -> String {
    REPLAYED.map(|(name, _)| format!("'{name}'")).join(", ")
}

/// Where their answers are kept.
pub(crate) fn recording() -> String {
    let dir = repository().join("tests/recordings/pipelines");
    dir.display().to_string()
}

/// The names of the repository's pipelines that read no file of its own.
fn of_public_addresses() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for sector in std::fs::read_dir(repository().join("pipelines")).unwrap() {
        for file in std::fs::read_dir(sector.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if !std::fs::read_to_string(&path)
                .unwrap()
                .contains("tests/data/")
            {
                names.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names
}

#[test]
fn all_pipelines_are_valid() {
    let project = Project::empty();
    let root = repository().to_str().unwrap();
    let done = project.sectorlake(&["validate", "--project", root]).ok();
    assert!(done.says("no problems"), "{}", done.whole());
}

#[test]
fn pipelines_of_public_addresses_run_from_their_recording() {
    let names: Vec<&str> = REPLAYED.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        of_public_addresses(),
        names.iter().map(|name| (*name).to_owned()).collect(),
        "each pipeline that asks the network needs its answers in tests/recordings/pipelines"
    );
    let project = Project::empty();
    let (root, recording, lake) = (repository(), recording(), project.lake());
    let run = || {
        let mut command = command();
        command
            .arg("run")
            .args(&names)
            .args(["--replay", &recording])
            .arg("--project")
            .arg(root)
            .arg("--lake")
            .arg(&lake);
        Done::of(command).ok()
    };
    run();
    for (name, tables) in REPLAYED {
        let loaded: Vec<(String, u64, u64)> = project
            .sql(&format!(
                "SELECT table_schema || '.' || table_name AS t, loaded, rejected FROM meta.run_tables \
                 WHERE pipeline = '{name}' ORDER BY t"
            ))
            .iter()
            .map(|row| {
                let number = |key: &str| row[key].as_u64().unwrap();
                (row["t"].as_str().unwrap().to_owned(), number("loaded"), number("rejected"))
            })
            .collect();
        let expected: Vec<_> = tables
            .iter()
            .map(|(table, rows)| ((*table).to_owned(), *rows, 0))
            .collect();
        assert_eq!(loaded, expected, "{name}");
    }
    // What counts is what is asked for: places are where the city is, and each row has one.
    let inside = "SELECT count(*) FROM education.schools WHERE _source = 'hai-phong-schools' \
        AND st_x(location) BETWEEN 106 AND 107.2 AND st_y(location) BETWEEN 20.5 AND 21.3";
    assert_eq!(project.number(inside), 41);
    let pupils =
        "SELECT sum(pupils) FROM education.schools WHERE _source = 'new-york-high-schools'";
    assert_eq!(project.number(pupils), PUPILS);
    let before = project.snapshots();
    run();
    assert_eq!(project.snapshots(), before, "the same answers again");
}

/// The sum of `total_students` in `answers/high_schools.csv`, by Python's csv module.
const PUPILS: i64 = 302_462;

#[test]
fn the_recording_is_small_and_asks_public_hosts_alone() {
    let dir = repository().join("tests/recordings/pipelines");
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    let bodies: u64 = std::fs::read_dir(dir.join("bodies"))
        .unwrap()
        .map(|entry| size(&entry.unwrap().path()))
        .sum();
    assert!(bodies < 2_000_000, "{bodies} bytes");
    let index = std::fs::read_to_string(dir.join("index.ndjson")).unwrap();
    for line in index.lines().skip(1) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let target = line["target"].as_str().unwrap();
        assert!(target.starts_with("https://"), "{target}");
    }
}
