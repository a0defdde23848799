//! Of a run that gives a table another form: every row of both its sources is there in the old form or in the new one, old snapshots
//! read as they did, and the next run ends the work.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::instant::Instants;
use super::{delta_log, most_hit, random};
use crate::harness::{Project, is_soak};

/// Rows of each source before.
const ROWS: usize = 4000;

const CONTRACT: &str = r#"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
  "title": "Levels",
  "fields": [
    { "name": "id", "type": "string", "title": "Id", "constraints": { "required": true } },
    { "name": "day", "type": "date", "title": "Day", "constraints": { "required": true } },
    { "name": "level", "type": "integer", "title": "Level" }
  ],
  "primaryKey": ["id"],
  "sectorlake": { "version": "1.0.0" }
}
"#;

/// What becomes of the contract.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A wider type, and partitions by month: every file is written anew.
    Wider,
    /// It becomes personal: every file is written anew behind the other door.
    Closed,
}

impl Change {
    fn contract(self) -> String {
        let newer = CONTRACT.replace("1.0.0", "1.1.0");
        match self {
            Self::Wider => newer
                .replace(
                    "\"level\", \"type\": \"integer\"",
                    "\"level\", \"type\": \"number\"",
                )
                .replace(
                    "\"version\"",
                    "\"partition_by\": [\"month(day)\"], \"version\"",
                ),
            Self::Closed => newer.replace(
                "\"title\": \"Level\"",
                "\"title\": \"Level\", \"sectorlake\": { \"classification\": \"personal\" }",
            ),
        }
    }

    /// The type of `level` afterwards.
    fn level(self) -> &'static str {
        match self {
            Self::Wider => "DOUBLE",
            Self::Closed => "BIGINT",
        }
    }
}

fn pipeline(source: &str) -> String {
    format!(
        "source: {{ connector: file, path: data/{source}.csv, format: csv }}\ntables:\n  test.levels: {{ load: merge, map: 'SELECT id, day, level FROM source' }}\n"
    )
}

fn csv(source: &str, rows: usize) -> String {
    let mut csv = String::from("id,day,level\n");
    for row in 0..rows {
        let (month, day) = (1 + row % 12, 1 + row / 12 % 28);
        writeln!(csv, "{source}{row},2025-{month:02}-{day:02},{row}").unwrap();
    }
    csv
}

/// Two sources are loaded, and the contract and one of them have changed since.
fn project(change: Change) -> Project {
    let project = Project::empty();
    project.file("schemas/test/levels.json", CONTRACT);
    for source in ["north", "south"] {
        project
            .file(&format!("pipelines/test/{source}.yaml"), pipeline(source))
            .file(&format!("data/{source}.csv"), csv(source, ROWS));
    }
    project.sectorlake(&["run", "--all"]).ok();
    project
        .file("schemas/test/levels.json", change.contract())
        .file("data/north.csv", csv("north", ROWS + 1));
    project
}

const QUESTION: &str = "SELECT _source AS s, count(*) AS n, CAST(sum(level) AS BIGINT) AS sum, count(DISTINCT id) AS ids FROM test.levels GROUP BY 1 ORDER BY 1";

/// What it answers where the north has so many rows.
fn answer(north: usize) -> Vec<Value> {
    [("north", north), ("south", ROWS)]
        .map(|(source, rows)| json!({"s": source, "n": rows, "sum": rows * (rows - 1) / 2, "ids": rows}))
        .to_vec()
}

fn level_type(project: &Project) -> String {
    let sql =
        "SELECT data_type FROM meta.columns WHERE table_name = 'levels' AND column_name = 'level'";
    project.sql(sql)[0]["data_type"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The snapshot of before the change, which nothing may change.
fn the_old_snapshot_reads(project: &Project) {
    let asked = ["sql", "--snapshot", "2", "--format", "ndjson", QUESTION];
    assert_eq!(project.sectorlake(&asked).rows(), answer(ROWS));
}

/// Every data file is one that some version of its table's log names: nothing is left of the run that was killed.
fn nothing_is_left_over(project: &Project) {
    for door in ["tables", "restricted/tables"] {
        let table = project.lake().join(door).join("test/levels");
        let mut log = String::new();
        for entry in files(&table.join("_delta_log")) {
            log += &fs::read_to_string(entry).unwrap_or_default();
        }
        for file in files(&table) {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            assert!(
                !name.ends_with(".parquet") || name.contains("checkpoint") || log.contains(&name),
                "{} is named by no log",
                file.display()
            );
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn check(change: Change, salt: u64) {
    let mut random = random(salt);
    let mut instants = Instants::of(&project(change), &["run", "north"]);
    let mut shots = Vec::new();
    for _ in 0..if is_soak() { 24 } else { 4 } {
        let project = project(change);
        shots.push(instants.shoot(&project, &mut random));
        let (seen, kind) = (project.sql(QUESTION), level_type(&project));
        let is_old = seen == answer(ROWS) && kind == "BIGINT";
        let is_new = seen == answer(ROWS + 1) && kind == change.level();
        assert!(
            is_old || is_new,
            "half a change is seen: level is {kind} in {seen:?}"
        );
        the_old_snapshot_reads(&project);
        let whole = [2 * ROWS, 2 * ROWS + 1];
        for (table, rows) in delta_log::rows(&project.lake()) {
            assert!(
                whole.contains(&rows),
                "{table}: other readers see {rows} rows"
            );
        }

        project.run(&["north"]).ok();
        assert_eq!(project.sql(QUESTION), answer(ROWS + 1));
        assert_eq!(level_type(&project), change.level());
        the_old_snapshot_reads(&project);
        nothing_is_left_over(&project);
        assert!(project.run(&["north"]).ok().says("unchanged"));
        // The other source goes on in the new form.
        project.file("data/south.csv", csv("south", ROWS));
        project.run(&["south"]).ok();
        assert_eq!(project.sql(QUESTION), answer(ROWS + 1));
    }
    most_hit(&shots);
}

#[test]
fn of_a_change_to_wider_types_and_other_partitions() {
    check(Change::Wider, 4);
}

#[test]
fn of_a_move_behind_the_restricted_door() {
    check(Change::Closed, 5);
}
