//! A contract that changes over the years, while its table holds rows of two pipelines.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{Done, Project, assert_said, ours, repository, skip};
use crate::samples::{
    CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE, CLINICS_PIPELINE, CLINICS_PIPELINE_FILE,
    clinics,
};

/// A second source of the same table.
const HOSPITALS: &str = "\
source: { connector: file, path: data/hospitals.csv }
tables:
  health.clinics:
    load: append
    map: SELECT id AS clinic_id, name, level, beds, opened FROM source
";

/// The contract at its first version, keys over the whole lake.
fn first() -> String {
    CLINICS_CONTRACT.replace("\"version\"", "\"key_scope\": \"lake\", \"version\"")
}

/// With one more field, which may be empty.
fn with_phone() -> String {
    let phone = r#"{ "name": "phone", "type": "string", "title": "Phone" },
    { "name": "opened""#;
    first()
        .replace("1.0.0", "1.1.0")
        .replace("{ \"name\": \"opened\"", phone)
}

/// With a wider type too, and partitions.
fn with_wider_beds() -> String {
    with_phone()
        .replace("1.1.0", "1.2.0")
        .replace(
            "\"beds\", \"type\": \"integer\"",
            "\"beds\", \"type\": \"number\"",
        )
        .replace(
            "\"key_scope\"",
            "\"partition_by\": [\"level\"], \"key_scope\"",
        )
}

/// What breaks: another type, and a field that is gone.
fn broken(version: &str) -> String {
    with_wider_beds()
        .replace("1.2.0", version)
        .replace(
            "\"beds\", \"type\": \"number\", \"title\": \"Beds\", \"constraints\": { \"minimum\": 0, \"maximum\": 5000 }",
            "\"beds\", \"type\": \"string\", \"title\": \"Beds\"",
        )
        .replace(
            "    { \"name\": \"level\", \"type\": \"string\", \"title\": \"Level\", \"constraints\": { \"enum\": [\"commune\", \"district\", \"province\"] } },\n",
            "",
        )
        .replace("\"partition_by\": [\"level\"], ", "")
}

/// The pipeline that no longer has the field that is gone.
fn without_level() -> String {
    CLINICS_PIPELINE.replace("name, level, beds", "name, beds")
}

fn project() -> Project {
    let project = clinics(CLINICS);
    project
        .file(CLINICS_CONTRACT_FILE, first())
        .file("pipelines/health/hospitals.yaml", HOSPITALS)
        .file(
            "data/hospitals.csv",
            "id,name,level,beds,opened\nC90,Bệnh viện Mắt,province,60,2010-01-01\nC91,Bệnh viện 7,province,250,1985-05-05\n",
        );
    project.sectorlake(&["run", "--all"]).ok();
    project
}

impl Project {
    /// The column's type, as the catalogue has it at a snapshot.
    fn column_type(&self, column: &str, at: &str) -> Option<String> {
        let sql = format!(
            "SELECT data_type FROM meta.columns WHERE table_name = 'clinics' AND column_name = '{column}'"
        );
        let rows = self
            .sectorlake(&["sql", "--snapshot", at, "--format", "ndjson", &sql])
            .rows();
        rows.first()?["data_type"].as_str().map(str::to_owned)
    }

    fn latest(&self) -> i64 {
        self.number("SELECT max(snapshot) FROM meta.snapshots")
    }

    fn beds(&self, at: i64) -> Vec<Value> {
        let sql = "SELECT _source, count(*) AS n, sum(beds) AS beds FROM health.clinics GROUP BY _source ORDER BY 1";
        self.sectorlake(&[
            "sql",
            "--snapshot",
            &at.to_string(),
            "--format",
            "ndjson",
            sql,
        ])
        .rows()
    }
}

/// Deltalake, DuckDB and Polars read every table of the lake as we do.
fn others_read(project: &Project) {
    let python = repository().join("tests/.venv/bin/python");
    let readers = "import deltalake, duckdb, polars";
    let known = Command::new(&python).args(["-c", readers]).output();
    if !known.is_ok_and(|done| done.status.success()) {
        skip(
            "tables that changed",
            "no Python with deltalake, DuckDB and Polars: make deps",
        );
        return;
    }
    let mut check = Command::new(python);
    check
        .arg(repository().join("tests/openness/tables_check.py"))
        .env("SECTORLAKE_BIN", ours())
        .env("SECTORLAKE_LAKE", project.lake());
    Done::of(check).ok();
}

#[test]
fn a_contract_over_the_years() {
    let project = project();
    let began = project.latest();
    let whole = [
        json!({"_source": "clinics", "n": 12, "beds": 2887}),
        json!({"_source": "hospitals", "n": 2, "beds": 310}),
    ];
    assert_eq!(project.beds(began), whole);

    // A field that may be empty: the table has it, rows from before have none.
    project.file(CLINICS_CONTRACT_FILE, with_phone());
    project.run(&["clinics"]).ok();
    assert_eq!(
        project.number("SELECT count(*) FROM health.clinics WHERE phone IS NULL"),
        14
    );
    assert_eq!(project.beds(project.latest()), whole);
    others_read(&project);

    // A wider type and partitions: one pipeline runs, the rows of both are rewritten.
    project.file(CLINICS_CONTRACT_FILE, with_wider_beds());
    let done = project.run(&["clinics"]).ok();
    let told = "makes the table wider: beds integer becomes number; partitions differ (14 rows are written anew)";
    assert!(done.says(told), "{}", done.whole());
    let wide = project.latest();
    assert_eq!(project.column_type("beds", "2999-01-01").unwrap(), "DOUBLE");
    assert_eq!(
        project.beds(wide),
        [
            json!({"_source": "clinics", "n": 12, "beds": 2887.0}),
            json!({"_source": "hospitals", "n": 2, "beds": 310.0}),
        ]
    );
    let then = began.to_string();
    assert_eq!(project.column_type("beds", &then).unwrap(), "BIGINT");
    assert_eq!(project.column_type("phone", &then), None);
    assert_eq!(project.beds(began), whole);
    others_read(&project);

    // What breaks is refused, change by change.
    project.file(CLINICS_CONTRACT_FILE, broken("1.3.0"));
    assert_said!(project.run(&["clinics"]).exits(2));
    assert_eq!(project.latest(), wide);

    // … or goes beside, and the old table stays what it is.
    project
        .file(CLINICS_CONTRACT_FILE, broken("2.0.0"))
        .file(CLINICS_PIPELINE_FILE, without_level());
    let done = project.run(&["clinics"]).ok();
    let told = "version 2.0.0 of the contract is stored beside, as health.clinics_v2";
    assert!(done.says(told), "{}", done.whole());
    assert_eq!(project.beds(project.latest())[0]["n"], 12);
    assert_eq!(project.column_type("beds", "2999-01-01").unwrap(), "DOUBLE");
    let all = project.sql("SELECT _source, count(*) AS n, max(beds) AS beds FROM health.clinics_all GROUP BY 1 ORDER BY 1");
    assert_eq!(
        all,
        [
            json!({"_source": "clinics", "n": 12, "beds": "8"}),
            json!({"_source": "hospitals", "n": 2, "beds": "60.0"}),
        ]
    );
    assert_eq!(project.beds(began), whole);
    let tables = project.sql(
        "SELECT table_name, table_type, row_count AS n, version_of FROM meta.tables ORDER BY 1",
    );
    assert_eq!(
        tables,
        [
            json!({"table_name": "clinics", "table_type": "BASE TABLE", "n": 14, "version_of": null}),
            json!({"table_name": "clinics_all", "table_type": "VIEW", "n": 14, "version_of": "health.clinics"}),
            json!({"table_name": "clinics_v2", "table_type": "BASE TABLE", "n": 12, "version_of": "health.clinics"}),
        ]
    );
    assert_said!(project.sectorlake(&["describe", "health.clinics_v2"]));
    assert_said!(project.sectorlake(&["describe", "health.clinics_all"]));
    let view = project.sectorlake(&["profile", "health.clinics_all"]);
    assert!(
        view.says("is a view over health.clinics, health.clinics_v2"),
        "{}",
        view.whole()
    );
    let no_run = project.sectorlake(&["profile", "health.clinics", "--run", "nope"]);
    assert!(no_run.says("there is no run nope"), "{}", no_run.whole());
    others_read(&project);

    // A pipeline that only adds takes all that it ever fetched along to the new version.
    project.file(
        "pipelines/health/hospitals.yaml",
        HOSPITALS.replace("name, level, beds", "name, beds"),
    );
    project.run(&["hospitals"]).ok();
    assert_eq!(project.count("health.clinics"), 14);
    let moved = project.sql("SELECT count(*) AS n, max(beds) AS beds FROM health.clinics_all WHERE _source = 'hospitals'");
    assert_eq!(moved, [json!({"n": 2, "beds": "60"})]);

    // The next run of the new version is as any other.
    let done = project.run(&["clinics"]).ok();
    assert!(done.says("unchanged"), "{}", done.whole());
}

#[test]
fn a_pipeline_that_only_adds_migrates_without_a_new_row() {
    let project = project();
    project.file(CLINICS_CONTRACT_FILE, with_wider_beds());
    let before = project.snapshots();
    project.run(&["hospitals"]).ok();
    assert_eq!(project.snapshots(), before + 1);
    assert_eq!(project.column_type("beds", "2999-01-01").unwrap(), "DOUBLE");
    assert_eq!(project.count("health.clinics"), 14);
    let done = project.run(&["hospitals"]).ok();
    assert!(done.says("unchanged"), "{}", done.whole());
}

/// The contract with `beds` as a number of ever more digits.
fn with_digits(round: usize) -> String {
    let beds = format!(
        r#""beds", "type": "number", "sectorlake": {{ "precision": {}, "scale": 2 }}"#,
        21 + round
    );
    first()
        .replace("1.0.0", &format!("1.{}.0", round + 1))
        .replace(r#""beds", "type": "integer""#, &beds)
}

#[test]
fn of_two_pipelines_at_once_on_a_table_that_becomes_wider_both_land() {
    let project = project();
    for round in 0..4 {
        let id = 100 + round;
        project
            .file(CLINICS_CONTRACT_FILE, with_digits(round))
            .file(
                "data/clinics.csv",
                format!("{CLINICS}C{id},Trạm y tế mới,commune,1,2026-01-01\n"),
            )
            .file(
                "data/hospitals.csv",
                format!("id,name,level,beds,opened\nC9{id},Bệnh viện mới,province,10,2026-01-01\n"),
            );
        let start = |pipeline: &str| {
            let mut run = project.command(&["run", pipeline]);
            run.stdout(Stdio::piped()).stderr(Stdio::piped());
            run.spawn().unwrap()
        };
        for child in [start("clinics"), start("hospitals")] {
            let output = child.wait_with_output().unwrap();
            Done::from_output(format!("run of round {round}"), output).ok();
        }
        let added = round as i64 + 1;
        assert_eq!(project.count("health.clinics"), 13 + 2 + added);
        let kind = format!("DECIMAL({}, 2)", 21 + round);
        assert_eq!(project.column_type("beds", "2999-01-01").unwrap(), kind);
    }
    others_read(&project);
}

/// Doctors work at clinics of any pipeline.
const DOCTORS_CONTRACT: &str = r#"{ "fields": [
    { "name": "doctor_id", "type": "string" }, { "name": "clinic_id", "type": "string" }
  ], "primaryKey": "doctor_id",
  "foreignKeys": [{ "fields": "clinic_id", "reference": { "resource": "health.clinics", "fields": "clinic_id" } }],
  "sectorlake": { "version": "1.0.0" } }"#;

#[test]
fn keys_point_to_the_newest_rows_of_each_pipeline() {
    let project = project();
    project
        .file("schemas/health/doctors.json", DOCTORS_CONTRACT)
        .file(
            "pipelines/health/doctors.yaml",
            "source: { connector: file, path: data/doctors.csv }\ntables: { health.doctors: { load: replace } }\non_reject: { max_share: 1 }\n",
        )
        .file("data/doctors.csv", "doctor_id,clinic_id\nD1,C12\nD2,C90\nD3,C13\n");
    // The clinics move on to version 2, where C12 is gone and C13 is new; the hospitals stay where they are.
    project
        .file(CLINICS_CONTRACT_FILE, broken("2.0.0"))
        .file(CLINICS_PIPELINE_FILE, without_level())
        .file(
            "data/clinics.csv",
            CLINICS.replace("C12,Bệnh viện Trẻ em", "C13,Bệnh viện Nhi"),
        );
    project.run(&["clinics", "doctors"]).ok();
    let known = project.sql("SELECT doctor_id FROM health.doctors ORDER BY 1");
    assert_eq!(
        known,
        [json!({"doctor_id": "D2"}), json!({"doctor_id": "D3"})]
    );
}

#[test]
fn a_field_that_drift_added_is_adopted_in_a_type_of_its_own() {
    let project = project();
    let pipeline = format!("on_drift: add\n{CLINICS_PIPELINE}");
    project.file(CLINICS_PIPELINE_FILE, pipeline);
    project.run(&["clinics"]).ok();
    let rated: String = CLINICS
        .lines()
        .enumerate()
        .map(|(at, line)| match at {
            0 => format!("{line},rating\n"),
            _ => format!("{line},{at}.5\n"),
        })
        .collect();
    project.file("data/clinics.csv", rated);
    project.run(&["clinics"]).ok();
    assert_eq!(
        project.column_type("rating", "2999-01-01").unwrap(),
        "VARCHAR"
    );
    // Whoever runs next under the contract that names it makes a number of it.
    let rating = r#"{ "name": "rating", "type": "number", "title": "Rating" }, { "name": "opened""#;
    let named = first()
        .replace("1.0.0", "1.1.0")
        .replace("{ \"name\": \"opened\"", rating);
    project.file(CLINICS_CONTRACT_FILE, named);
    let done = project.run(&["hospitals"]).ok();
    assert!(
        done.says("rating was added as string, is number now"),
        "{}",
        done.whole()
    );
    let ratings = project
        .sql("SELECT _source, sum(rating) AS ratings FROM health.clinics GROUP BY 1 ORDER BY 1");
    assert_eq!(
        ratings,
        [
            json!({"_source": "clinics", "ratings": 84.0}),
            json!({"_source": "hospitals", "ratings": null}),
        ]
    );
    others_read(&project);
}

#[test]
fn corrections_go_with_their_rows_through_a_wider_type_and_into_a_new_major_version() {
    let project = Project::empty();
    let contract = |version: &str, kind: &str| {
        format!(
            r#"{{ "fields": [{{ "name": "id", "type": "string" }}, {{ "name": "n", "type": "{kind}" }}], "primaryKey": "id", "sectorlake": {{ "version": "{version}" }} }}"#
        )
    };
    project.file("schemas/t/rows.json", contract("1.0.0", "integer"));
    for load in ["replace", "append", "merge"] {
        let pipeline = format!(
            "source: {{ connector: file, path: data/{load}.csv }}\ntables:\n  t.rows: {{ load: {load} }}\non_reject: {{ max_share: 1 }}\n"
        );
        project.file(&format!("pipelines/t/{load}.yaml"), pipeline);
        project.file(&format!("data/{load}.csv"), "id,n\na,1\nb,x\nc,3\n");
        project.run(&[load]).ok();
        project
            .sectorlake(&["rejected", load, "--export", "out.csv"])
            .ok();
        let sheet = std::fs::read_to_string(project.path("out.csv")).unwrap();
        project.file("in.csv", sheet.replace(",x,", ",200,"));
        project.sectorlake(&["run", load, "--fix", "in.csv"]).ok();
    }
    let held = |table: &str| {
        project.sql(&format!(
            "SELECT _source, count(*) AS n, count(DISTINCT id) AS ids, sum(try_cast(n AS BIGINT)) AS total FROM {table} GROUP BY 1 ORDER BY 1"
        ))
    };
    let expected: Vec<Value> = ["append", "merge", "replace"]
        .map(|load| json!({"_source": load, "n": 3, "ids": 3, "total": 204}))
        .into();
    for (version, kind, table) in [
        ("1.0.0", "integer", "t.rows"),
        ("1.1.0", "number", "t.rows"),
        ("2.0.0", "string", "t.rows_v2"),
    ] {
        project.file("schemas/t/rows.json", contract(version, kind));
        project.sectorlake(&["run", "--all"]).ok();
        assert_eq!(held(table), expected, "{version}");
    }
    assert_eq!(held("t.rows_all"), expected);
}

#[test]
fn a_table_that_becomes_personal_moves_with_the_rows_of_both_pipelines() {
    let project = project();
    let began = project.latest();
    let before = project.beds(began);
    let personal = first().replace("1.0.0", "1.1.0").replace(
        "\"title\": \"Beds\"",
        "\"title\": \"Beds\", \"sectorlake\": { \"classification\": \"personal\" }",
    );
    project.file(CLINICS_CONTRACT_FILE, personal);
    let done = project.run(&["clinics"]).ok();
    let told = "moves to restricted/tables/health/clinics, with its rows of every source (14 are written anew); what was published and fetched before stays";
    assert!(done.says(told), "{}", done.whole());
    assert!(
        project
            .lake()
            .join("restricted/tables/health/clinics/_delta_log/00000000000000000000.json")
            .is_file()
    );
    assert_eq!(project.beds(project.latest()), before);
    assert_eq!(project.beds(began), before);
    // The other pipeline goes on behind the door, and nothing moves twice.
    let done = project.run(&["hospitals"]).ok();
    assert!(!done.says("moves to"), "{}", done.whole());
    assert_eq!(project.beds(project.latest()), before);
    assert!(project.run(&["clinics"]).ok().says("unchanged"));
}
