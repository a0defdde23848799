//! `run --record`, `run --replay` and `plan --replay` through the binary.

use std::path::{Path, PathBuf};

use crate::harness::{Done, Project, assert_said};
use crate::samples::{CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE};
use crate::upstream::{Upstream, answer};

/// Clinics in pages, and a file of them, behind keys.
fn project(place: &str) -> Project {
    let project = Project::empty();
    let tables = "tables:\n  health.clinics:\n    load: merge\n    map: SELECT id AS clinic_id, name, level, beds, opened FROM source\n";
    project
        .file(CLINICS_CONTRACT_FILE, CLINICS_CONTRACT)
        .file(
            "pipelines/health/clinics.yaml",
            format!(
                "source:\n  connector: http\n  url: \"http://{place}/clinics.csv?api_key=${{env:API_KEY}}\"\n  allow_private: true\n  \
                 headers: {{ x-key: \"${{env:API_KEY}}\" }}\n  format: csv\n{tables}"
            ),
        )
        .file(
            "pipelines/health/pages.yaml",
            format!(
                "source:\n  connector: rest\n  url: http://{place}/pages\n  allow_private: true\n  auth: {{ bearer: \"${{env:API_KEY}}\" }}\n  \
                 records: rows\n  paging: {{ style: page, size: 1 }}\n  incremental: {{ kind: time, parameter: since }}\n{tables}"
            ),
        )
        .file("data/clinics.db", "")
        .file(
            "pipelines/health/base.yaml",
            format!("source:\n  connector: sqlite\n  path: data/clinics.db\n  tables: {{ clinics: {{}} }}\n{tables}"),
        );
    project
}

fn source() -> Upstream {
    Upstream::start(|_, target| match target.split('?').next().unwrap() {
        "/clinics.csv" => answer(200, &["ETag: \"v1\"", "Content-Type: text/csv"], CLINICS),
        "/pages" if target.contains("page=1&") || target.ends_with("page=1") => answer(
            200,
            &[],
            r#"{"rows":[{"id":"C90","name":"sesame-4711","level":"commune","beds":"1","opened":""}]}"#,
        ),
        _ => answer(200, &[], r#"{"rows":[]}"#),
    })
}

fn run(project: &Project, args: &[&str]) -> Done {
    let mut command = project.command(args);
    command.env("API_KEY", "sesame-4711");
    Done::of(command)
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found
}

/// The server's port differs from run to run.
fn masked(mut done: Done, place: &str) -> Done {
    for text in [&mut done.stdout, &mut done.stderr] {
        *text = text.replace(place, "server");
    }
    done
}

#[test]
fn a_run_is_recorded_without_secrets_and_replayed_without_its_source() {
    let server = source();
    let place = server.place.clone();
    let project = project(&place);
    let done = run(&project, &["run", "clinics", "pages", "--record", "tape"]).ok();
    assert!(done.says("recorded 3 exchanges"), "{}", done.whole());
    assert_eq!(project.count("health.clinics"), 13);
    let first = project.sql("SELECT * FROM health.clinics ORDER BY clinic_id");
    for (path, bytes) in files(&project.path("tape")) {
        let tells = bytes.windows(11).any(|it| it == b"sesame-4711");
        assert!(!tells, "{} tells the secret", path.display());
    }
    drop(server);

    // Into a lake of its own, by a plan first, which writes nothing; and without the key, which the recording does not hold.
    let replay = |args: &[&str]| {
        let mut command =
            project.command(&[args, &["--lake", "again", "--replay", "tape"]].concat());
        command.env_remove("API_KEY");
        Done::of(command)
    };
    let plan = replay(&["plan", "clinics"]).ok();
    assert!(plan.says("12"), "{}", plan.whole());
    replay(&["run", "clinics", "pages"]).ok();
    let sql = [
        "sql",
        "--lake",
        "again",
        "--format",
        "ndjson",
        "SELECT * FROM health.clinics ORDER BY clinic_id",
    ];
    let mut second = project.sectorlake(&sql).rows();
    // What the source echoed of the key is veiled.
    assert_eq!(second[12]["name"], "***********");
    for (row, was) in second.iter_mut().zip(&first) {
        for column in ["_run", "_part"] {
            row[column] = was[column].clone();
        }
        if row["clinic_id"] == "C90" {
            row["name"] = was["name"].clone();
        }
    }
    assert_eq!(second, first);
    // Replayed once more, nothing is new.
    let again = replay(&["run", "clinics", "pages"]).ok();
    assert!(again.says("unchanged"), "{}", again.whole());
}

#[test]
fn what_cannot_be_recorded_or_replayed_is_told() {
    let server = source();
    let place = server.place.clone();
    let project = project(&place);
    assert_said!(run(&project, &["run", "base", "--record", "tape"]).exits(2));
    assert!(!project.path("tape").exists());
    assert_said!(run(&project, &["run", "clinics", "--replay", "tape"]).exits(2));
    run(&project, &["run", "clinics", "--record", "tape"]).ok();
    assert_said!(run(&project, &["run", "clinics", "--record", "tape"]).exits(2));
    let other = run(&project, &["run", "pages", "--replay", "tape"]).exits(4);
    assert_said!(masked(other, &place));
}
