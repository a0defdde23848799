//! Databases into the lake: PostgreSQL, MariaDB and SQLite, whole tables, queries, and what is new since the last run.

use std::process::Command;

use serde_json::json;

use crate::harness::{Done, Project, assert_said};
use crate::servers;

const CONTRACT: &str = r#"{
  "$schema": "https://datapackage.org/profiles/2.0/tableschema.json", "title": "Readings",
  "fields": [
    { "name": "id", "type": "integer", "title": "Number", "constraints": { "required": true } },
    { "name": "station", "type": "string", "title": "Station", "constraints": { "required": true } },
    { "name": "read_at", "type": "datetime", "title": "Read at" },
    { "name": "value", "type": "number", "title": "Value" },
    { "name": "note", "type": "string", "title": "Note" }
  ],
  "primaryKey": ["id"]
}"#;

/// A project with one pipeline of a database into `city.readings`.
fn project(source: &str, load: &str) -> Project {
    let project = Project::empty();
    project.file("schemas/city/readings.json", CONTRACT).file(
        "pipelines/readings.yaml",
        format!(
            "title: {{ vi: Số đo, en: Readings }}\nowner: it@haiphong.example\nlicence: CC-BY-4.0\nsource:\n{source}\n\
             tables:\n  city.readings:\n    from: readings\n    load: {load}\n    \
             map: SELECT id, station, read_at, value, note FROM source\n"
        ),
    );
    project
}

/// Runs the pipeline; the password comes from the environment.
fn run(project: &Project) -> Done {
    let mut command = project.command(&["run", "readings"]);
    command.env("DATABASE_PASSWORD", "s3cr3t");
    Done::of(command)
}

/// Fails if the password stands in any file of the project.
fn holds_no_secret(project: &Project) {
    let found = Command::new("grep")
        .args(["-rl", "s3cr3t"])
        .arg(project.root())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

fn client(mut command: Command, sql: &str) {
    let done = command.arg(sql).output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

fn psql(port: u16, database: &str, sql: &str) {
    let mut command = Command::new("psql");
    command.env("PGPASSWORD", "s3cr3t").args([
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        "127.0.0.1",
        "-U",
        "owner",
    ]);
    command.args(["-p", &port.to_string(), "-d", database, "-c"]);
    client(command, sql);
}

fn mariadb(port: u16, sql: &str) {
    let mut command = Command::new("mariadb");
    command.args([
        "--no-defaults",
        "--protocol=tcp",
        "--host=127.0.0.1",
        "--user=owner",
        "--password=s3cr3t",
    ]);
    command.args([
        "--default-character-set=utf8mb4",
        "--port",
        &port.to_string(),
        "city",
        "--execute",
    ]);
    client(command, sql);
}

const ROWS: &str = "(1, 'Hải Phòng 1', '2025-01-01 00:00:00', 10.25, NULL), (2, 'Cát Bà', '2025-01-02 00:00:00', -0.5, 'a \"b\"'), \
    (3, 'Cát Bà', '2025-01-02 00:00:00', NULL, '')";

fn postgres_source(port: u16, database: &str, more: &str) -> String {
    format!(
        "  connector: postgres\n  url: postgres://owner:${{env:DATABASE_PASSWORD}}@127.0.0.1:{port}/{database}\n{more}"
    )
}

#[test]
fn a_table_of_postgresql_is_replaced_and_known_when_it_is_the_same() {
    let Some(server) = servers::server("postgres") else {
        return;
    };
    psql(server.port, "city", "CREATE DATABASE whole");
    psql(
        server.port,
        "whole",
        &format!(
            "CREATE TABLE readings (id int, station text, read_at timestamptz, value numeric(8, 2), note text); INSERT INTO readings VALUES {ROWS}"
        ),
    );
    let project = project(
        &postgres_source(server.port, "whole", "  tables: [readings]"),
        "replace",
    );
    run(&project).ok();
    let expected = [
        json!({"id": 1, "station": "Hải Phòng 1", "read_at": "2025-01-01T00:00:00Z", "value": 10.25, "note": null}),
        json!({"id": 2, "station": "Cát Bà", "read_at": "2025-01-02T00:00:00Z", "value": -0.5, "note": "a \"b\""}),
        // An empty text is a missing value of the contract.
        json!({"id": 3, "station": "Cát Bà", "read_at": "2025-01-02T00:00:00Z", "value": null, "note": null}),
    ];
    assert_eq!(
        project.sql("SELECT id, station, read_at, value, note FROM city.readings ORDER BY id"),
        expected
    );
    assert!(run(&project).ok().says("unchanged"));
    psql(server.port, "whole", "DELETE FROM readings WHERE id = 2");
    run(&project).ok();
    assert_eq!(project.count("city.readings"), 2);
    holds_no_secret(&project);
}

#[test]
fn later_runs_of_postgresql_bring_what_is_new() {
    let Some(server) = servers::server("postgres") else {
        return;
    };
    psql(server.port, "city", "CREATE DATABASE later");
    let fill = format!(
        "CREATE TABLE readings (id int, station text, read_at timestamptz NOT NULL, value float8, note text); INSERT INTO readings VALUES {ROWS}"
    );
    psql(server.port, "later", &fill);
    let incremental = "  tables:\n    readings: { incremental: { column: read_at } }";
    let project = project(
        &postgres_source(server.port, "later", incremental),
        "append",
    );
    run(&project).ok();
    assert!(run(&project).ok().says("unchanged"));
    psql(
        server.port,
        "later",
        "INSERT INTO readings VALUES (4, 'Đồ Sơn', '2025-01-02', 1, NULL), (5, 'Đồ Sơn', '2025-01-03', 2, NULL)",
    );
    run(&project).ok();
    assert_eq!(
        project
            .sql("SELECT id FROM city.readings ORDER BY id")
            .len(),
        5
    );
    let parts = project.sql("SELECT count(DISTINCT _part) AS parts FROM city.readings");
    assert_eq!(
        parts,
        [json!({"parts": 2})],
        "the second fetch brought two rows, not five"
    );
    assert!(run(&project).ok().says("unchanged"));
}

#[test]
fn revised_rows_within_the_lookback_are_merged() {
    let Some(server) = servers::server("postgres") else {
        return;
    };
    psql(server.port, "city", "CREATE DATABASE revised");
    let fill = format!(
        "CREATE TABLE readings (id int, station text, read_at timestamptz NOT NULL, value float8, note text); INSERT INTO readings VALUES {ROWS}"
    );
    psql(server.port, "revised", &fill);
    let incremental = "  queries:\n    readings:\n      sql: SELECT * FROM readings WHERE id < 100\n      incremental: { column: read_at, lookback: 12h }";
    let project = project(
        &postgres_source(server.port, "revised", incremental),
        "merge",
    );
    run(&project).ok();
    psql(
        server.port,
        "revised",
        "UPDATE readings SET value = 7 WHERE id = 2; INSERT INTO readings VALUES (4, 'late', '2025-01-01 18:00+00', 1, NULL), (500, 'other', '2025-02-01', 1, NULL)",
    );
    run(&project).ok();
    let found = project.sql("SELECT id, value FROM city.readings ORDER BY id");
    let expected = [
        json!({"id": 1, "value": 10.25}),
        json!({"id": 2, "value": 7.0}),
        json!({"id": 3, "value": null}),
        json!({"id": 4, "value": 1.0}),
    ];
    assert_eq!(found, expected);
}

#[test]
fn mariadb_comes_whole_and_then_what_is_new() {
    let Some(server) = servers::server("mariadb") else {
        return;
    };
    mariadb(
        server.port,
        &format!(
            "CREATE TABLE readings (id INT UNSIGNED, station VARCHAR(40), read_at TIMESTAMP NOT NULL DEFAULT 0, value DECIMAL(8, 2), note TEXT); \
             SET time_zone = '+00:00'; INSERT INTO readings VALUES {ROWS}"
        ),
    );
    let source = format!(
        "  connector: mysql\n  host: 127.0.0.1\n  port: {}\n  database: city\n  user: owner\n  password: ${{env:DATABASE_PASSWORD}}\n  \
         tables:\n    readings: {{ incremental: {{ column: id }} }}",
        server.port
    );
    let project = project(&source, "append");
    run(&project).ok();
    assert!(run(&project).ok().says("unchanged"));
    mariadb(
        server.port,
        "INSERT INTO readings VALUES (4, 'Đồ Sơn', '2025-01-03 00:00:00', 1, NULL)",
    );
    run(&project).ok();
    let found = project.sql("SELECT id, station, value FROM city.readings ORDER BY id");
    let expected = [
        json!({"id": 1, "station": "Hải Phòng 1", "value": 10.25}),
        json!({"id": 2, "station": "Cát Bà", "value": -0.5}),
        json!({"id": 3, "station": "Cát Bà", "value": null}),
        json!({"id": 4, "station": "Đồ Sơn", "value": 1.0}),
    ];
    assert_eq!(found, expected);
    holds_no_secret(&project);
}

#[test]
fn a_sqlite_file_comes_whole_and_then_what_is_new() {
    let project = project(
        "  connector: sqlite\n  path: data/city.sqlite\n  tables:\n    readings: { incremental: { column: id } }",
        "append",
    );
    let file = rusqlite::Connection::open(project.path("data/city.sqlite")).unwrap();
    file.execute_batch(&format!(
        "CREATE TABLE readings (id INTEGER PRIMARY KEY, station TEXT, read_at TEXT, value REAL, note TEXT); INSERT INTO readings VALUES {ROWS}"
    ))
    .unwrap();
    run(&project).ok();
    assert_eq!(project.count("city.readings"), 3);
    file.execute_batch("INSERT INTO readings VALUES (4, 'Đồ Sơn', '2025-01-03 00:00:00', 1, NULL)")
        .unwrap();
    run(&project).ok();
    assert_eq!(project.count("city.readings"), 4);
    assert!(run(&project).ok().says("unchanged"));
}

#[test]
fn what_is_wrong_with_a_database_is_told() {
    let project = project(
        "  connector: sqlite\n  path: data/city.sqlite\n  tables: [readings]",
        "replace",
    );
    assert_said!(run(&project));
    rusqlite::Connection::open(project.path("data/city.sqlite"))
        .unwrap()
        .execute_batch("CREATE TABLE reading (id)")
        .unwrap();
    assert_said!(project.sectorlake(&["run", "readings"]));
    let Some(server) = servers::server("postgres") else {
        return;
    };
    let project = self::project(
        &postgres_source(server.port, "city", "  tables: [readings]"),
        "replace",
    );
    let mut command = project.command(&["run", "readings"]);
    command.env("DATABASE_PASSWORD", "wr0ng-s3cr3t");
    let done = Done::of(command);
    assert!(!done.whole().contains("wr0ng"), "{}", done.whole());
    assert!(
        done.says("password authentication failed"),
        "{}",
        done.whole()
    );
    holds_no_secret(&project);
}

#[test]
fn a_database_is_drafted_from_its_address() {
    let project = Project::empty();
    let file = rusqlite::Connection::open(project.path("data/city.sqlite")).unwrap();
    file.execute_batch(&format!(
        "CREATE TABLE readings (id INTEGER PRIMARY KEY, station TEXT, read_at TEXT, value REAL, note TEXT); INSERT INTO readings VALUES {ROWS}"
    ))
    .unwrap();
    project
        .sectorlake(&["new", "source", "data/city.sqlite", "--name", "readings"])
        .ok();
    run(&project).ok();
    assert_eq!(project.count("drafts.readings"), 3);
    let Some(server) = servers::server("postgres") else {
        return;
    };
    psql(server.port, "city", "CREATE DATABASE drafted");
    psql(
        server.port,
        "drafted",
        &format!(
            "CREATE TABLE readings (id int, station text, read_at timestamptz, value float8, note text); INSERT INTO readings VALUES {ROWS}"
        ),
    );
    // Numbers that a floating-point number would round.
    psql(
        server.port,
        "drafted",
        "ALTER TABLE readings ADD exact numeric(20,4) DEFAULT 1234567890123456.7891, ADD huge numeric DEFAULT 12345678901234567890123456789012345678901234567890.1",
    );
    let project = Project::empty();
    let address = format!("postgres://owner:s3cr3t@127.0.0.1:{}/drafted", server.port);
    project
        .sectorlake(&["new", "source", &address, "--name", "readings"])
        .ok();
    holds_no_secret(&project);
    let mut command = project.command(&["run", "readings"]);
    command.env("READINGS_PASSWORD", "s3cr3t");
    Done::of(command).ok();
    assert_eq!(project.count("drafts.readings"), 3);
    let kept =
        project.sql("SELECT DISTINCT CAST(exact AS VARCHAR) AS exact, huge FROM drafts.readings");
    let exact = "1234567890123456.7891";
    let huge = "12345678901234567890123456789012345678901234567890.1";
    assert_eq!(kept, [json!({ "exact": exact, "huge": huge })]);
    holds_no_secret(&project);
}
