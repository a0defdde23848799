//! Projects with a mistake in a YAML, SQL or schema file: `validate` and `run` tell the place and the mend.

use crate::harness::{Done, Project, assert_said};
use crate::samples::{
    CLINICS, CLINICS_CONTRACT, CLINICS_CONTRACT_FILE, CLINICS_PIPELINE, CLINICS_PIPELINE_FILE,
    clinics,
};

/// The clinics with their pipeline written so.
fn with_pipeline(yaml: &str) -> Project {
    let project = clinics(CLINICS);
    project.file(CLINICS_PIPELINE_FILE, yaml);
    project
}

/// What `validate` tells, ending with 2; `run` does not run it either.
#[track_caller]
fn refused(project: &Project) -> Done {
    let run = project.run(&["clinics"]);
    assert!(matches!(run.code, Some(2 | 4)), "{}", run.whole());
    project.has_published_nothing();
    project.sectorlake(&["validate"]).exits(2)
}

/// The clinics' pipeline with one thing written otherwise.
#[track_caller]
fn otherwise(from: &str, to: &str) -> Project {
    assert!(CLINICS_PIPELINE.contains(from));
    with_pipeline(&CLINICS_PIPELINE.replacen(from, to, 1))
}

#[test]
fn invalid_yaml() {
    assert_said!(refused(&otherwise(
        "  path: data/clinics.csv",
        "  path: [data/clinics.csv"
    )));
}

#[test]
fn unknown_key() {
    assert_said!(refused(&otherwise("tables:", "tabels:")));
}

#[test]
fn unknown_key_of_a_table() {
    assert_said!(refused(&otherwise("    map: |", "    mapp: |")));
}

#[test]
fn unknown_setting_of_a_connector() {
    assert_said!(refused(&otherwise("  path: data", "  pth: data")));
}

#[test]
fn unknown_connector() {
    assert_said!(refused(&otherwise("connector: file", "connector: fil")));
}

#[test]
fn unknown_table() {
    assert_said!(refused(&otherwise("health.clinics:", "health.clinic:")));
}

#[test]
fn unknown_load() {
    assert_said!(refused(&otherwise("load: replace", "load: replase")));
}

#[test]
fn mapping_with_a_typo_in_a_keyword() {
    assert_said!(refused(&otherwise("SELECT id", "SELCT id")));
}

#[test]
fn mapping_with_a_typo_in_a_function() {
    assert_said!(refused(&otherwise(
        "name, level",
        "trimm(name) AS name, level"
    )));
}

#[test]
fn mapping_with_a_typo_in_a_column() {
    // The columns of a CSV are known only when it is read.
    let project = otherwise("name, level", "naem AS name, level");
    assert_said!(project.run(&["clinics"]));
    project.has_published_nothing();
}

#[test]
fn mapping_that_misses_a_required_field() {
    assert_said!(refused(&otherwise(
        "SELECT id AS clinic_id, name,",
        "SELECT id AS clinic_id,"
    )));
}

#[test]
fn mapping_with_a_field_the_contract_lacks() {
    assert_said!(refused(&otherwise("beds, opened", "beds AS bedz, opened")));
}

#[test]
fn mapping_that_aggregates() {
    assert_said!(refused(&otherwise(
        "name, level, beds, opened FROM source",
        "max(name) AS name FROM source GROUP BY id"
    )));
}

#[test]
fn two_pipelines_with_one_name() {
    let project = clinics(CLINICS);
    project.file("pipelines/education/clinics.yaml", CLINICS_PIPELINE);
    assert_said!(refused(&project));
}

#[test]
fn contract_with_a_mistake() {
    let project = clinics(CLINICS);
    project.file(
        CLINICS_CONTRACT_FILE,
        CLINICS_CONTRACT.replace("\"type\": \"date\"", "\"type\": \"dat\""),
    );
    assert_said!(refused(&project));
}

#[test]
fn several_mistakes_are_told_at_once() {
    let project = otherwise("tables:", "tabels:");
    project.file(
        "pipelines/health/other.yaml",
        CLINICS_PIPELINE.replace("SELECT id", "SELCT id"),
    );
    let done = project.sectorlake(&["validate"]).exits(2);
    assert!(
        done.says("clinics.yaml") && done.says("other.yaml"),
        "{}",
        done.whole()
    );
}

#[test]
fn pipeline_that_is_none() {
    assert_said!(clinics(CLINICS).run(&["clinic"]).exits(2));
}

#[test]
fn no_project_here() {
    let folder = tempfile::Builder::new()
        .prefix("sectorlake-test-")
        .tempdir()
        .unwrap();
    let mut command = crate::harness::command();
    command.current_dir(folder.path()).args(["run", "--all"]);
    assert_said!(crate::harness::Done::of(command).exits(2));
}

/// A pipeline of clinics out of an API.
fn of_api(settings: &str, table: &str) -> Project {
    with_pipeline(&format!(
        "source:\n  connector: rest\n  url: https://api.example/clinics\n{settings}tables:\n  health.clinics:\n{table}    map: SELECT id, name, level FROM source\n"
    ))
}

const NEWER: &str = "  incremental: { kind: id, parameter: after, field: \"[*].id\" }\n";

#[test]
fn deletions_of_a_source_that_goes_on() {
    let follow = "    load: merge\n    deletions: follow\n";
    assert_said!(refused(&of_api(NEWER, follow)));
}

#[test]
fn append_of_what_comes_again() {
    let again = NEWER.replace(" }", ", lookback: \"500\" }");
    assert_said!(refused(&of_api(&again, "    load: append\n")));
    let once = of_api(NEWER, "    load: append\n");
    once.sectorlake(&["validate"]).ok();
}

#[test]
fn a_word_where_keys_belong() {
    assert_said!(refused(&of_api("  paging: offset\n", "")));
}

#[test]
fn a_time_without_its_unit() {
    let timeouts = "  timeouts: { total: 20 }\n";
    assert_said!(refused(&of_api(timeouts, "")));
}

#[test]
fn a_secret_in_plain_text() {
    let project = of_api("  auth: { bearer: plainsecret }\n", "");
    let told = project.sectorlake(&["validate"]).ok();
    assert!(told.says("warning: ") && told.says(", no problems, 1 warning"));
    assert!(!told.says("plainsecret"), "{}", told.whole());
    assert_said!(told);
    let valid = project.sectorlake(&["validate", "--json"]).json();
    assert_eq!(valid["valid"], true);
    let warning = &valid["problems"][0];
    assert_eq!(warning["level"], "warning");
    assert_eq!(
        (&warning["line"], &warning["column"]),
        (&4.into(), &19.into())
    );
}
