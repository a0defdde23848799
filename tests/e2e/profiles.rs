//! What stands in each column of what was loaded, and what the source mixes.

use crate::harness::{Project, settings};

const CONTRACT: &str = r#"{"fields": [
    {"name": "id", "type": "string", "constraints": {"required": true}},
    {"name": "level", "type": "number", "sectorlake": {"unit": "cm"}},
    {"name": "owner", "type": "string", "sectorlake": {"classification": "personal"}}
], "primaryKey": "id"}"#;

fn gauges() -> Project {
    let project = Project::empty();
    project.file("schemas/environment/levels.json", CONTRACT);
    project.file(
        "pipelines/environment/levels.yaml",
        "source: { connector: file, path: data/levels.csv }\ntables:\n  environment.levels: {}\n",
    );
    let mut rows = String::from("id,level,owner\n");
    for row in 1..=10_000_u32 {
        // One letter among ten thousand numbers.
        let id = if row == 7_777 {
            "7777A".to_owned()
        } else {
            format!("{row:05}")
        };
        rows.push_str(&format!("{id},{}.5,Nguyễn Văn {}\n", row % 100, row % 7));
    }
    project.file("data/levels.csv", rows);
    project.run(&["levels"]).ok();
    project
}

#[test]
fn every_column_is_profiled() {
    let project = gauges();
    settings().bind(|| {
        let told = project.sectorlake(&["profile", "environment.levels"]).ok();
        insta::assert_snapshot!("profile", told.to_string());
        insta::assert_snapshot!(
            "unknown",
            project
                .sectorlake(&["profile", "environment.level"])
                .to_string()
        );
    });
    let level = &project.sql("SELECT \"rows\", nulls, min, max, mean, p50, distinct_about FROM meta.profiles WHERE side = 'field' AND column_name = 'level'")[0];
    assert_eq!(level["rows"], 10_000);
    assert_eq!(level["min"], "0.5");
    assert_eq!(level["max"], "99.5");
    assert!(
        (level["mean"].as_f64().unwrap() - 50.0).abs() < 1e-6,
        "{level}"
    );
    assert!(
        (level["p50"].as_f64().unwrap() - 50.0).abs() < 3.0,
        "{level}"
    );
    assert!(
        level["distinct_about"].as_i64().unwrap().abs_diff(100) <= 3,
        "{level}"
    );
}

#[test]
fn values_of_persons_are_not_kept() {
    let project = gauges();
    let owner = &project.sql("SELECT min, max, frequent, nulls, distinct_about FROM meta.profiles WHERE side = 'field' AND column_name = 'owner'")[0];
    assert!(
        owner["min"].is_null() && owner["max"].is_null() && owner["frequent"].is_null(),
        "{owner}"
    );
    assert_eq!(owner["distinct_about"], 7);
    let all = project.number("SELECT count(*) FROM meta.profiles WHERE concat_ws(' ', min, max, frequent, shapes, why) LIKE '%Nguyễn%'");
    assert_eq!(all, 0);
}

#[test]
fn one_letter_among_ten_thousand_is_told() {
    let project = gauges();
    let id = &project
        .sql("SELECT source_type, chosen, why FROM meta.columns WHERE column_name = 'id'")[0];
    assert_eq!(id["chosen"], "string");
    let why = id["why"].as_str().unwrap();
    assert!(
        why.contains("text (1 row, first levels.csv row 7777)"),
        "{why}"
    );
    assert_eq!(
        project.number("SELECT count(*) FROM environment.levels WHERE id IN ('00001', '7777A')"),
        2
    );
}

#[test]
fn days_before_months_are_one_kind_of_date() {
    let project = Project::empty();
    let contract = r#"{"fields": [{"name": "id", "type": "string"}, {"name": "day", "type": "date", "format": "%d/%m/%Y"}]}"#;
    project.file("schemas/health/visits.json", contract);
    project.file(
        "pipelines/health/visits.yaml",
        "source: { connector: file, path: data/visits.csv }\ntables:\n  health.visits: { load: replace }\n",
    );
    project.file(
        "data/visits.csv",
        "id,day\n1,03/04/2024\n2,25/04/2024\n3,04/04/2024\n",
    );
    project.run(&["visits"]).ok();
    let told = project.sectorlake(&["profile", "health.visits"]).ok();
    assert!(!told.says("mixes"), "{}", told.whole());
}

#[test]
fn what_a_cast_says_of_a_person_s_value_is_masked() {
    let project = Project::empty();
    let contract = r#"{"fields": [{"name": "id", "type": "string"}, {"name": "phone", "type": "integer", "sectorlake": {"classification": "personal"}}]}"#;
    project.file("schemas/health/visits.json", contract);
    project.file(
        "pipelines/health/visits.yaml",
        "on_reject: { max_share: 0.9 }\nsource: { connector: file, path: data/visits.csv }\ntables:\n  health.visits: { map: \"SELECT id, CAST(phone AS BIGINT) AS phone FROM source\" }\n",
    );
    project.file("data/visits.csv", "id,phone\n1,912345003\n2,09x45O'003\n");
    project.run(&["visits"]).ok();
    let rejected = &project.sql("SELECT rule, message FROM meta.rejected_rows")[0];
    assert_eq!(rejected["rule"], "mapping");
    let message = rejected["message"].as_str().unwrap();
    assert!(
        message.contains("(personal)") && !message.contains("003"),
        "{message}"
    );
}
