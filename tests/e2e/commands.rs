//! The command line, as people expect of a modern one.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::harness::{Done, Project, assert_said, command, repository};
use crate::real_lake::RealLake;
use crate::samples::{CLINICS, clinics};

fn bare(args: &[&str]) -> Done {
    let mut command = command();
    command.args(args);
    Done::of(command)
}

#[test]
fn init_works_as_it_stands() {
    let folder = Project::empty();
    let made = folder.sectorlake(&["init", "my-city"]).ok();
    assert!(made.says("sectorlake run --all"), "{}", made.whole());
    let inside = |args: &[&str]| {
        let mut command = folder.command(args);
        command.current_dir(folder.path("my-city"));
        Done::of(command)
    };
    inside(&["validate"]).ok();
    inside(&["run", "--all"]).ok();
    let tables = inside(&["tables", "--json"]).json();
    assert!(!tables.as_array().unwrap().is_empty());
    assert_said!(inside(&["rejected"]).ok());
    let again = inside(&["run", "--all"]).ok();
    assert!(again.says("unchanged"), "{}", again.whole());
    assert_eq!(
        folder.sectorlake(&["init", "my-city"]).code,
        Some(2),
        "a folder with something in it is left alone"
    );
}

#[test]
fn help_and_version() {
    let help = bare(&["--help"]).ok();
    for word in [
        "run",
        "sql",
        "tables",
        "describe",
        "rejected",
        "snapshots",
        "functions",
        "validate",
        "pipeline",
        "init",
        "completions",
        "Exit codes",
    ] {
        assert!(help.stdout.contains(word), "--help lacks {word}");
    }
    assert!(bare(&["--version"]).ok().stdout.starts_with("sectorlake "));
    assert_eq!(bare(&["rum"]).code, Some(2));
    assert_eq!(bare(&[]).code, Some(2));
}

#[test]
fn functions_are_told() {
    let list = bare(&["functions"]).ok().stdout;
    assert!(list.contains("Places\n") && list.contains("  vn2000_to_wgs84  "));
    let one = bare(&["functions", "Place_Code"]).ok().stdout;
    assert!(
        one.starts_with("place_code\n") && one.contains("place_code('P. Hồng Bàng', 'Hải Phòng')")
    );
    let answer: Value =
        serde_json::from_str(&bare(&["functions", "unaccent", "--json"]).ok().stdout).unwrap();
    assert_eq!(answer[0]["name"], "vn_unaccent");
    let unknown = bare(&["functions", "place_cod"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("did you mean place_code?"));
}

#[test]
fn completions_of_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = bare(&["completions", shell]).ok().stdout;
        assert!(
            script.contains("sectorlake") && script.contains("snapshots"),
            "{shell}"
        );
    }
}

#[test]
fn what_a_run_tells() {
    let project = clinics(CLINICS.replacen("C3,Trạm y tế Ngô Quyền", "C3,", 1));
    assert_said!(project.run(&["clinics"]).ok());
    assert_said!(project.run(&["clinics"]).ok());
}

#[test]
fn what_a_run_tells_a_machine() {
    let project = clinics(CLINICS);
    let run = project.sectorlake(&["run", "clinics", "--json"]).ok();
    assert!(!run.stdout.trim().is_empty(), "{}", run.whole());
    for line in run
        .stdout
        .lines()
        .filter(|_| serde_json::from_str::<Value>(&run.stdout).is_err())
    {
        let parsed: Result<Value, _> = serde_json::from_str(line);
        assert!(
            parsed.is_ok(),
            "neither JSON nor JSON lines:\n{}",
            run.whole()
        );
    }
    let logged = project
        .sectorlake(&["run", "clinics", "--log-format", "json"])
        .ok();
    for line in logged.stderr.lines() {
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "a log line is no JSON: {line}"
        );
    }
    let failed = project.sectorlake(&["run", "nobody", "--json"]).exits(2);
    let errors: Vec<Value> = failed
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        errors.iter().any(|it| it["exit_code"] == 2),
        "{}",
        failed.whole()
    );
}

#[test]
fn answers_in_every_format() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    let sql = "SELECT clinic_id, name, beds, opened FROM health.clinics WHERE clinic_id IN ('C6', 'C12') ORDER BY clinic_id";
    let ask = |format: &str| project.sectorlake(&["sql", "--format", format, sql]).ok();
    assert_said!(ask("table"));
    assert_eq!(
        ask("csv").stdout,
        "clinic_id,name,beds,opened\nC12,Bệnh viện Trẻ em,,2003-10-10\nC6,\"Bệnh viện, cơ sở Đồ Sơn\",120,1975-04-30\n"
    );
    let rows = json!([
        {"clinic_id": "C12", "name": "Bệnh viện Trẻ em", "beds": null, "opened": "2003-10-10"},
        {"clinic_id": "C6", "name": "Bệnh viện, cơ sở Đồ Sơn", "beds": 120, "opened": "1975-04-30"}
    ]);
    assert_eq!(ask("json").json(), rows);
    assert_eq!(Value::Array(ask("ndjson").rows()), rows);
    assert_eq!(project.sectorlake(&["sql", "--json", sql]).json(), rows);
    assert_said!(ask("markdown"));
    for (format, ends) in [("answer.parquet", "PAR1"), ("answer.arrow", "")] {
        let done = project.sectorlake(&["sql", "-o", format, sql]).ok();
        assert_eq!(done.stdout, "", "{format}");
        assert!(
            std::fs::read(project.path(format))
                .unwrap()
                .ends_with(ends.as_bytes())
        );
    }
    project.file("ask.sql", sql);
    project
        .sectorlake(&["sql", "-f", "ask.sql", "-o", "answer.csv"])
        .ok();
    assert_eq!(
        std::fs::read_to_string(project.path("answer.csv")).unwrap(),
        ask("csv").stdout
    );
}

#[test]
fn what_a_question_may_not_do() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    project.file("secret.csv", "a\n1\n");
    for statement in [
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'secret.csv'",
        "COPY (SELECT 1) TO 'out.csv'",
        "INSERT INTO health.clinics SELECT * FROM health.clinics",
        "DELETE FROM health.clinics",
        "DROP TABLE health.clinics",
        "SET datafusion.execution.batch_size = 1",
        "SELECT * FROM 'secret.csv'",
    ] {
        let done = project.sectorlake(&["sql", statement]);
        assert_eq!(done.code, Some(2), "{statement}\n{}", done.whole());
    }
    assert!(!project.path("out.csv").exists());
    assert_eq!(project.count("health.clinics"), 12);
}

#[test]
fn mistakes_in_a_question_are_pointed_at() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    assert_said!(
        project
            .sectorlake(&["sql", "SELECT clinic_name FROM health.clinics"])
            .exits(2)
    );
    assert_said!(
        project
            .sectorlake(&["sql", "SELECT * FROM health.clinic"])
            .exits(2)
    );
    assert_said!(project.sectorlake(&["sql", "SELECT FROM WHERE"]).exits(2));
}

#[test]
fn closed_pipe_is_no_failure() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    let endless = "SELECT a.value AS a, b.value AS b FROM generate_series(1, 100000) a CROSS JOIN generate_series(1, 100000) b";
    let mut command = project.command(&["sql", "--format", "csv", endless]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0; 64];
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut first).unwrap();
    drop(pipe);
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{stderr}");
    assert!(stderr.is_empty(), "{stderr}");
}

#[test]
fn the_repository_is_a_clean_project() {
    let done = bare(&["validate", "--project", repository().to_str().unwrap()]);
    assert_eq!(done.code, Some(0), "{}", done.whole());
}

#[test]
fn pipeline_schema_is_a_json_schema() {
    let schema = bare(&["pipeline", "schema"]).json();
    assert!(
        schema["$schema"]
            .as_str()
            .unwrap()
            .contains("json-schema.org")
    );
    let text = schema.to_string();
    for key in [
        "source",
        "tables",
        "on_reject",
        "schedule",
        "after",
        "checks",
        "unpivot",
        "slice",
        "on_shrink",
        "gtfs",
        "file",
        "http",
    ] {
        assert!(
            text.contains(&format!("\"{key}\"")),
            "the schema does not know {key}"
        );
    }
}

#[test]
fn tables_describe_rejected_snapshots() {
    let lake = RealLake::get();
    let tables = lake.sectorlake(&["tables", "--json"]).json();
    let tables = tables.as_array().unwrap();
    assert!(
        tables
            .iter()
            .any(|it| it.to_string().contains("stop_times")),
        "{tables:?}"
    );
    assert_said!(
        lake.sectorlake(&["describe", "transport.road_segments"])
            .ok()
    );
    let described = lake
        .sectorlake(&["describe", "environment.observations", "--json"])
        .json()
        .to_string();
    for word in ["phenomenon_time", "Thời điểm quan trắc", "_source"] {
        assert!(
            described.contains(word),
            "describe lacks {word}: {described}"
        );
    }
    assert_eq!(
        lake.sectorlake(&["describe", "transport.stopz"]).code,
        Some(2)
    );
    assert_said!(lake.sectorlake(&["rejected", "gso-rainfall"]).ok());
    let both = ["rejected", "gso-rainfall", "hcmc-schools"];
    let told = lake.sectorlake(&both).ok().stdout;
    for pipeline in &both[1..] {
        assert!(told.contains(&format!("{pipeline}: run ")), "{told}");
    }
    let one = [&both[..], &["--export", "rejected.xlsx"]].concat();
    let refused = lake.sectorlake(&one).exits(2);
    assert!(
        refused.says("--export is of one pipeline"),
        "{}",
        refused.whole()
    );
    let misspelt = lake.sectorlake(&["rejected", "gso-rainfall", "hcmc-school"]);
    assert!(misspelt.exits(2).says("did you mean `hcmc-schools`?"));
    let exported = lake
        .sectorlake(&["rejected", "hcmc-schools", "--rows", "--format", "csv"])
        .ok()
        .stdout;
    assert_eq!(exported.lines().count(), 1 + 3, "{exported}");
    let snapshots = lake.sectorlake(&["snapshots", "--json"]).json();
    assert!(snapshots.as_array().unwrap().len() >= 16, "{snapshots}");
}

#[test]
fn a_date_that_is_none_is_told() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    assert_said!(
        project
            .sectorlake(&["sql", "--snapshot", "yesterday", "SELECT 1"])
            .exits(2)
    );
}
