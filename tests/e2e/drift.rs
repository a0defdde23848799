//! Source drift: a source that changes its columns between two runs, and what `on_drift` makes of it.

use crate::harness::{Done, Project, assert_said};

const CONTRACT: (&str, &str) = (
    "schemas/education/clubs.json",
    r#"{ "fields": [
        { "name": "club_id", "type": "string", "constraints": { "required": true } }, { "name": "name", "type": "string" },
        { "name": "members", "type": "integer" }, { "name": "founded", "type": "date" }
    ], "primaryKey": ["club_id"] }"#,
);

const PIPELINE: &str = "pipelines/education/clubs.yaml";

const MAP: &str = r#"source: { connector: file, path: data/clubs.csv }
tables:
  education.clubs:
    map: SELECT "Mã" AS club_id, "Tên" AS name, "Số HV" AS members, "Ngày" AS founded FROM source
"#;

const FIRST: &str = "Mã,Tên,Số HV,Ngày,Ghi chú\n01,Cờ,12,2020-01-31,a\n02,Vẽ,7,2021-05-06,b\n";

/// A project that has loaded clubs once, under this `on_drift`.
fn clubs(on_drift: &str) -> Project {
    let project = Project::empty();
    project
        .file(CONTRACT.0, CONTRACT.1)
        .file(PIPELINE, format!("{on_drift}{MAP}"))
        .file("data/clubs.csv", FIRST);
    project.run(&["clubs"]).ok();
    project
}

fn run_with(project: &Project, clubs: &str) -> Done {
    project.file("data/clubs.csv", clubs);
    project.run(&["clubs"])
}

/// Kind, column and action of what the journal knows, in the order of the columns' names.
fn journal(project: &Project) -> Vec<String> {
    let rows = project.sql(
        "SELECT kind || ' ' || column_name || ' ' || action AS line FROM meta.drift ORDER BY run, column_name",
    );
    let lines = rows
        .iter()
        .map(|row| row["line"].as_str().unwrap().to_owned());
    lines.collect()
}

#[test]
fn new_and_unread_columns_are_told_and_the_run_goes_on() {
    let project = clubs("");
    let done = run_with(
        &project,
        "Mã,Tên,Số HV,Ngày,Phường\n01,Cờ,12,2020-01-31,Máy Tơ\n02,Vẽ,8,2021-05-06,Lạch Tray\n",
    )
    .ok();
    assert!(done.says("drift: clubs: "), "{}", done.whole());
    assert_said!(done);
    assert_eq!(project.count("education.clubs"), 2);
    let again = project.run(&["clubs"]).ok();
    assert!(!again.says("drift:"), "{}", again.whole());
}

#[test]
fn what_has_drifted_stands_in_the_answer_for_machines_and_in_the_journal() {
    let project = clubs("");
    project.file(
        "data/clubs.csv",
        "Mã,Tên,Số HV,Ngày,Ghi chú\n1,Cờ,12,31/01/2020,a\n2,Vẽ,7 em,06/05/2021,b\n",
    );
    // Every row is rejected for its date; the drift says why.
    let done = project.sectorlake(&["run", "clubs", "--json"]).exits(4);
    let answer: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let drift = answer["pipelines"][0]["drift"].as_array().unwrap();
    let told: Vec<String> = drift
        .iter()
        .map(|it| format!("{}: {}\n  {}", it["kind"], it["message"], it["proposal"]))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(
        journal(&project),
        ["type Mã warn", "type Ngày warn", "type Số HV warn"]
    );
}

#[test]
fn a_renamed_column_that_the_mapping_needs_is_named_with_its_new_name() {
    let project = clubs("");
    let by_name = "Mã,Tên câu lạc bộ,Số HV,Ngày,Ghi chú\n01,Cờ,12,2020-01-31,a\n";
    let done = run_with(&project, by_name).exits(4);
    assert_said!(done);
    assert_eq!(project.snapshots(), 1, "nothing is published");
    project.file(PIPELINE, MAP.replace("\"Tên\"", "\"Tên câu lạc bộ\""));
    let mended = project.sectorlake(&["run", "clubs"]);
    // The file is half as long as before, so a replace must be allowed.
    assert!(!mended.says("has no column"), "{}", mended.whole());
}

#[test]
fn a_field_that_was_taken_by_name_and_is_gone_is_told() {
    let project = Project::empty();
    project
        .file(CONTRACT.0, CONTRACT.1)
        .file(
            PIPELINE,
            "source: { connector: file, path: data/clubs.csv }\ntables: { education.clubs: }\n",
        )
        .file("data/clubs.csv", "club_id,name,members\n01,Cờ,12\n");
    project.run(&["clubs"]).ok();
    let done = run_with(&project, "club_id,name\n01,Cờ\n").ok();
    assert!(
        done.says("column \"members\" of clubs is missing")
            && done.says("its field is empty from now on"),
        "{}",
        done.whole()
    );
}

#[test]
fn on_drift_fail_publishes_nothing_and_says_how_to_mend_it() {
    let project = clubs("on_drift: fail\n");
    let changed =
        "Mã,Tên,Số HV,Ngày,Ghi chú,Phường\n01,Cờ,12,2020-01-31,a,X\n02,Vẽ,7,2021-05-06,b,Y\n";
    let done = run_with(&project, changed).exits(4);
    assert_said!(done);
    assert_eq!(project.snapshots(), 1);
    assert_eq!(journal(&project), ["new Phường fail"]);
    project.file(PIPELINE, MAP);
    project.run(&["clubs"]).ok();
    assert_eq!(project.snapshots(), 2);
}

#[test]
fn on_drift_add_loads_new_columns_as_text_and_keeps_filling_them() {
    let project = clubs("on_drift: add\n");
    let wider = "Mã,Tên,Số HV,Ngày,Ghi chú,Mã phường\n01,Cờ,12,2020-01-31,a,0117\n02,Vẽ,7,2021-05-06,b,0118\n";
    let done = run_with(&project, wider).ok();
    assert!(
        done.says("it is loaded as a text field"),
        "{}",
        done.whole()
    );
    let codes = |project: &Project| -> Vec<String> {
        let rows = project.sql("SELECT ma_phuong FROM education.clubs ORDER BY club_id");
        let codes = rows.iter().map(|row| row["ma_phuong"].to_string());
        codes.collect()
    };
    assert_eq!(codes(&project), ["\"0117\"", "\"0118\""], "zeros stay");
    let before = project.snapshots();
    project.run(&["clubs"]).ok();
    assert_eq!(project.snapshots(), before, "nothing has changed since");
    let later = wider.replace("0118", "0119");
    run_with(&project, &later).ok();
    assert_eq!(codes(&project), ["\"0117\"", "\"0119\""]);
    let gone = "Mã,Tên,Số HV,Ngày,Ghi chú\n01,Cờ,12,2020-01-31,a\n02,Vẽ,7,2021-05-06,c\n";
    let done = run_with(&project, gone).ok();
    assert!(
        done.says("column \"Mã phường\" of clubs is missing"),
        "{}",
        done.whole()
    );
    assert!(
        done.says("the field `ma_phuong`, which was added for it, is empty from now on"),
        "{}",
        done.whole()
    );
    assert_eq!(codes(&project), ["null", "null"]);
}

#[test]
fn a_bare_column_that_was_renamed_keeps_its_field_s_name() {
    let project = Project::empty();
    project
        .file(CONTRACT.0, CONTRACT.1)
        .file(
            PIPELINE,
            "source: { connector: file, path: data/clubs.csv }\ntables: { education.clubs: { map: \"SELECT club_id, name, members FROM source\" } }\n",
        )
        .file("data/clubs.csv", "club_id,name,members\n01,Cờ,12\n");
    project.run(&["clubs"]).ok();
    let done = run_with(&project, "club_id,name_vi,members\n01,Cờ,12\n").exits(4);
    assert!(done.says("+ name_vi AS name"), "{}", done.whole());
}

#[test]
fn another_file_in_place_of_the_source_is_told_in_one_sentence() {
    let project = clubs("");
    let done = run_with(&project, "error,code\nBad gateway,502\n").exits(4);
    assert_said!(done);
    assert_eq!(journal(&project).len(), 1);
}

#[test]
fn a_column_that_looks_like_a_person_s_is_told_and_not_added() {
    let project = clubs("on_drift: add\n");
    let wider = "Mã,Tên,Số HV,Ngày,Ghi chú,Số CCCD\n01,Cờ,12,2020-01-31,a,031099\n02,Vẽ,7,2021-05-06,b,031098\n";
    let done = run_with(&project, wider).ok();
    assert!(
        done.says("column \"Số CCCD\" of clubs is new"),
        "{}",
        done.whole()
    );
    assert!(
        done.says("it is not added by itself, for its name says something about a person")
            && done.says("\"classification\": \"personal\""),
        "{}",
        done.whole()
    );
    let columns = project.number(
        "SELECT count(*) FROM meta.columns WHERE table_name = 'clubs' AND column_name LIKE '%cccd%'",
    );
    assert_eq!(columns, 0);
}

#[test]
fn one_more_year_of_a_wide_table_is_no_drift() {
    let project = Project::empty();
    project
        .file(
            "schemas/education/pupils.json",
            r#"{ "fields": [{ "name": "place", "type": "string" }, { "name": "year", "type": "year" }, { "name": "pupils", "type": "integer" }] }"#,
        )
        .file(
            "pipelines/education/pupils.yaml",
            "on_drift: fail\nsource: { connector: file, path: data/pupils.csv }\ntables:\n  education.pupils:\n    \
             unpivot: { keep: [place], name: year, value: pupils }\n",
        )
        .file("data/pupils.csv", "place,2022,2023\nHải Phòng,1,2\n");
    project.run(&["pupils"]).ok();
    project.file("data/pupils.csv", "place,2022,2023,2024\nHải Phòng,1,2,3\n");
    project.run(&["pupils"]).ok();
    assert_eq!(project.count("education.pupils"), 3);
}

#[test]
fn a_few_odd_values_are_a_note_and_no_change_of_type() {
    let project = clubs("on_drift: fail\n");
    let mut rows = String::from("Mã,Tên,Số HV,Ngày,Ghi chú\n");
    for club in 1..=500 {
        let members = if club == 400 { "7 em" } else { "7" };
        rows.push_str(&format!("{club:03},Cờ,{members},2020-01-31,a\n"));
    }
    let done = run_with(&project, &rows).ok();
    assert!(!done.says("drift:"), "{}", done.whole());
    assert!(
        done.says("column \"Số HV\" mixes whole numbers (499 rows) with text (1 row, first clubs.csv row 400): 1 row is rejected, for education.clubs.members is integer"),
        "{}",
        done.whole()
    );
    // Identifiers stay text: that letters stand among them is no news for each run.
    let done = run_with(&project, &rows.replace("003,", "3A,").replace("7 em", "8")).ok();
    assert!(!done.says("mixes"), "{}", done.whole());
}

#[test]
fn a_file_of_persons_without_its_header_gives_no_one_away() {
    let project = Project::empty();
    project
        .file(
            "schemas/education/pupils.json",
            r#"{ "fields": [{ "name": "id", "type": "string" }, { "name": "name", "type": "string", "sectorlake": { "classification": "personal" } }] }"#,
        )
        .file(
            "pipelines/education/pupils.yaml",
            "source: { connector: file, path: data/pupils.csv }\ntables: { education.pupils: { map: \"SELECT id, name FROM source\" } }\n",
        )
        .file("data/pupils.csv", "id,name\n01,Trần Thị Bình\n");
    project.run(&["pupils"]).ok();
    project.file("data/pupils.csv", "id,Nguyễn Văn An\n02,Lê Minh Châu\n");
    let done = project.run(&["pupils"]).exits(4);
    assert!(
        done.says("(personal)") && !done.says("Nguyễn"),
        "{}",
        done.whole()
    );
    let kept = project.number("SELECT count(*) FROM meta.drift WHERE concat_ws(' ', message, proposal, column_name, now) LIKE '%Nguyễn%'");
    assert_eq!(kept, 0);
}

#[test]
fn decimals_in_a_field_of_whole_numbers_are_told_with_the_wider_type() {
    let project = clubs("");
    let done = run_with(
        &project,
        "Mã,Tên,Số HV,Ngày,Ghi chú\n01,Cờ,12,2020-01-31,a\n02,Vẽ,7.5,2021-05-06,b\n",
    );
    assert!(
        done.says("column \"Số HV\" of clubs held whole numbers, and now holds numbers")
            && done.says("{ \"name\": \"members\", \"type\": \"number\" }"),
        "{}",
        done.whole()
    );
}
