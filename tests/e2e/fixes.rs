//! Rejected rows go out as a workbook, come back corrected, and stay so over later runs, fetches and crashes.

use crate::harness::{Project, settings};
use crate::samples::zip;

const CONTRACT_FILE: &str = "schemas/health/wards.json";
const CONTRACT: &str = r#"{"fields": [
    {"name": "code", "type": "string", "constraints": {"pattern": "[0-9]{3}"}, "sectorlake": {"title": {"vi": "Mã phường", "en": "Ward code"}}},
    {"name": "name", "type": "string", "constraints": {"required": true}},
    {"name": "people", "type": "integer", "constraints": {"minimum": 0, "maximum": 100000}, "sectorlake": {"unit": "{person}"}},
    {"name": "counted", "type": "date"}
], "primaryKey": "code"}"#;
const PIPELINE_FILE: &str = "pipelines/health/wards.yaml";
const PIPELINE: &str = "source: { connector: file, path: data/wards.csv }\ntables:\n  health.wards: { load: replace }\non_reject: { max_share: 1 }\n";
/// Leading zeros; a date with two readings; too many people; a missing name; a record with a cell too many.
const WARDS: &str = "code,name,people,counted\n001,Minh Khai,12000,2024-04-03\n002,Hoàng Văn Thụ,9000,03/04/2024\n003,Phan Bội Châu,900000,2024-04-03\n004,,7000,2024-04-03\n005,Phạm Hồng Thái,8000,2024-04-03,x\n";

pub(crate) fn wards() -> Project {
    let project = Project::empty();
    project.file(CONTRACT_FILE, CONTRACT);
    project.file(PIPELINE_FILE, PIPELINE);
    project.file("data/wards.csv", WARDS);
    project
}

fn read(project: &Project, file: &str) -> String {
    std::fs::read_to_string(project.path(file)).unwrap()
}

/// Two of the rows are mended.
pub(crate) fn corrected(sheet: &str) -> String {
    sheet
        .replace("9000,03/04/2024", "9000,2024-04-03")
        .replace("900000", "90000")
}

#[test]
fn the_owner_corrects_what_was_rejected() {
    let project = wards();
    let done = project.run(&["wards"]).ok();
    assert!(done.says("4 rejected"), "{}", done.whole());
    settings().bind(|| {
        let told = project.sectorlake(&[
            "rejected",
            "wards",
            "--export",
            "out.csv",
            "--language",
            "vi",
        ]);
        insta::assert_snapshot!("exported", told.ok().to_string());
        insta::assert_snapshot!("sheet", read(&project, "out.csv"));
        project.file("fix.csv", corrected(&read(&project, "out.csv")));
        let told = project.sectorlake(&["run", "wards", "--fix", "fix.csv", "--by", "Lan"]);
        insta::assert_snapshot!("fixed", told.ok().to_string());
    });
    assert_eq!(project.count("health.wards"), 3);
    let fixes = project.sql("SELECT stream, \"row\", fix_file, fix_row, outcome, fixed_by FROM meta.fixes ORDER BY \"row\"");
    assert_eq!(fixes.len(), 3, "{fixes:?}");
    assert_eq!(fixes[0]["outcome"], "loaded");
    assert_eq!(fixes[2]["outcome"], "rejected");
    assert!(
        fixes.iter().all(|fix| fix["fixed_by"] == "Lan"),
        "{fixes:?}"
    );
    // The source's bytes stay the same: nothing to do; other rules load it anew, with what was corrected.
    assert!(project.run(&["wards"]).ok().says("unchanged"));
    project.file(
        CONTRACT_FILE,
        CONTRACT.replace("\"maximum\": 100000", "\"maximum\": 200000"),
    );
    project.run(&["wards"]).ok();
    assert_eq!(project.count("health.wards"), 3);
    let balance = "SELECT count(*) FROM meta.run_parts WHERE records <> decoded + broken + coalesce(fixed, 0)";
    assert_eq!(project.number(balance), 0);
    // The file that was taken in comes again, as after a crash.
    let again = project
        .sectorlake(&["run", "wards", "--fix", "fix.csv"])
        .ok();
    assert!(again.says("already taken in"), "{}", again.whole());
    // The source changes elsewhere: what was corrected holds. It changes such a row: its word counts again.
    project.file("data/wards.csv", WARDS.replace("12000", "12001"));
    let held = project.run(&["wards"]).ok();
    assert!(held.says("3 corrections"), "{}", held.whole());
    assert_eq!(project.count("health.wards"), 3);
    project.file("data/wards.csv", WARDS.replace("900000", "900001"));
    let lapsed = project.run(&["wards"]).ok();
    assert!(lapsed.says("1 correction lapsed"), "{}", lapsed.whole());
    assert_eq!(project.count("health.wards"), 2);
}

#[test]
fn a_file_that_fails_is_corrected_and_published() {
    let project = wards();
    project.file(
        PIPELINE_FILE,
        PIPELINE.replace("max_share: 1", "max_rows: 2"),
    );
    let failed = project.run(&["wards"]);
    assert!(
        failed.says("more than on_reject allows"),
        "{}",
        failed.whole()
    );
    let told = project.sectorlake(&["rejected", "wards"]).ok();
    assert!(
        told.says("failed: nothing of it is published"),
        "{}",
        told.whole()
    );
    let told = project
        .sectorlake(&["rejected", "wards", "--export", "out.csv"])
        .ok();
    assert!(
        told.says("of the latest run, which failed"),
        "{}",
        told.whole()
    );
    project.file("fix.csv", corrected(&read(&project, "out.csv")));
    project
        .sectorlake(&["run", "wards", "--fix", "fix.csv"])
        .ok();
    assert_eq!(project.count("health.wards"), 3);
    // A correction that is refused hides nothing of what is rejected still.
    project.file(
        "wrong.csv",
        read(&project, "fix.csv").replace(",3\n", ",1\n"),
    );
    let refused = project.sectorlake(&["run", "wards", "--fix", "wrong.csv"]);
    assert!(refused.says("nothing was taken in"), "{}", refused.whole());
    let told = project.sectorlake(&["rejected", "wards"]).ok();
    assert!(told.says("published as snapshot 1"), "{}", told.whole());
    assert!(told.says("1 row: name (required)"), "{}", told.whole());
}

#[test]
fn a_workbook_comes_back_as_it_went() {
    let project = wards();
    project.run(&["wards"]).ok();
    project
        .sectorlake(&["rejected", "wards", "--export", "out.xlsx"])
        .ok();
    let told = project
        .sectorlake(&["run", "wards", "--fix", "out.xlsx"])
        .ok();
    assert!(told.says("3 still rejected"), "{}", told.whole());
    assert_eq!(project.count("health.wards"), 1);
    // Leading zeros went there and back.
    let kept = project.sql("SELECT DISTINCT record FROM meta.rejected_rows WHERE file LIKE 'out.xlsx%' ORDER BY record");
    assert!(
        kept.iter()
            .any(|row| row["record"].as_str().unwrap().contains("\"002\"")),
        "{kept:?}"
    );
}

#[test]
fn what_stands_for_no_rejected_row_is_refused() {
    let project = wards();
    project.run(&["wards"]).ok();
    project
        .sectorlake(&["rejected", "wards", "--export", "out.csv"])
        .ok();
    let snapshots = project.snapshots();
    let sheet = read(&project, "out.csv");
    project.file("fix.csv", sheet.replace(",2\n", ",1\n"));
    settings().bind(|| {
        let told = project.sectorlake(&["run", "wards", "--fix", "fix.csv"]);
        insta::assert_snapshot!("refused", told.to_string());
        let told = project.sectorlake(&["rejected", "wards", "--export", "out.doc"]);
        insta::assert_snapshot!("no_spreadsheet", told.to_string());
    });
    assert_eq!(project.snapshots(), snapshots);
    assert_eq!(project.count("health.wards"), 1);
}

#[test]
fn soft_rules_mark_and_limits_hold_by_rule() {
    let project = wards();
    project.file(
        PIPELINE_FILE,
        PIPELINE.replace(
            "max_share: 1",
            "max_share: 1, rules: { people.maximum: { severity: warn } }",
        ),
    );
    let done = project.run(&["wards"]).ok();
    assert!(done.says("3 rejected"), "{}", done.whole());
    assert_eq!(project.count("health.wards"), 2);
    let marked = project
        .sql("SELECT \"row\", rule, severity FROM meta.rejected_rows WHERE severity = 'warn'");
    assert_eq!(marked.len(), 1);
    let told = project.sectorlake(&["rejected", "wards"]).ok();
    assert!(told.says("only marked"), "{}", told.whole());
    project.file(
        PIPELINE_FILE,
        PIPELINE.replace(
            "max_share: 1",
            "max_share: 1, rules: { type: { max_rows: 0 } }",
        ),
    );
    let failed = project.run(&["wards"]);
    assert!(failed.says("1 of 5 rows broke type"), "{}", failed.whole());
    project.file(
        PIPELINE_FILE,
        PIPELINE.replace(
            "max_share: 1",
            "max_share: 1, rules: { peopel.maximum: { severity: warn }, patern: { max_rows: 1 } }",
        ),
    );
    let checked = project.sectorlake(&["validate"]);
    assert!(
        checked.says("did you mean `people`?"),
        "{}",
        checked.whole()
    );
    assert!(
        checked.says("did you mean `pattern`?"),
        "{}",
        checked.whole()
    );
}

#[test]
fn each_stream_of_an_archive_has_a_sheet() {
    let project = wards();
    let roads = r#"{"fields": [{"name": "road", "type": "string"}, {"name": "lanes", "type": "integer", "constraints": {"maximum": 12}, "sectorlake": {"unit": "{lane}"}}]}"#;
    project.file("schemas/transport/roads.json", roads);
    let feed = zip(&[
        ("wards.csv", WARDS.as_bytes()),
        ("roads.csv", "road,lanes\nQL5,6\nQL10,600\n".as_bytes()),
    ]);
    project.file("data/feed.zip", feed);
    project.file(
        PIPELINE_FILE,
        "source: { connector: file, path: data/feed.zip }\ntables:\n  health.wards: { from: wards.csv }\n  transport.roads: { from: roads.csv }\non_reject: { max_share: 1 }\n",
    );
    project.run(&["wards"]).ok();
    let told = project.sectorlake(&["rejected", "wards", "--export", "out.csv"]);
    assert!(told.says("export to a .xlsx"), "{}", told.whole());
    let told = project.sectorlake(&["rejected", "wards", "--export", "out.xlsx"]);
    assert!(told.ok().says("5 rejected rows"));
    // Both streams' rows have one `_part`, and rows of the same number: the sheet tells them apart.
    let told = project.sectorlake(&["run", "wards", "--fix", "out.xlsx"]);
    let told = told.ok();
    assert!(told.says("4 still rejected"), "{}", told.whole());
    let fixes =
        project.sql("SELECT stream, count(*) AS n FROM meta.fixes GROUP BY stream ORDER BY stream");
    assert_eq!(fixes[0]["stream"], "roads.csv");
    assert_eq!(
        (fixes[0]["n"].as_i64(), fixes[1]["n"].as_i64()),
        (Some(1), Some(3))
    );
    assert_eq!(
        project.count("health.wards") + project.count("transport.roads"),
        2
    );
}
