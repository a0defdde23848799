//! Sources that are not what they should be: what is said, and that nothing half-good is published.

use crate::harness::{Done, Project, assert_said};
use crate::samples::{CLINICS, clinics};

/// A run that must fail and publish nothing.
fn refused(project: &Project) -> Done {
    let done = project.run(&["clinics"]);
    assert_eq!(done.code, Some(4), "{}", done.whole());
    project.has_published_nothing();
    done
}

/// A run that loads so many rows, and what `rejected` tells of the others.
fn loads(project: &Project, rows: i64) -> Done {
    project.run(&["clinics"]).ok();
    assert_eq!(project.count("health.clinics"), rows);
    project.sectorlake(&["rejected", "clinics"]).ok()
}

#[test]
fn missing_file() {
    let project = clinics(CLINICS);
    std::fs::remove_file(project.path("data/clinics.csv")).unwrap();
    assert_said!(refused(&project));
}

#[test]
fn glob_without_a_match() {
    let project = clinics(CLINICS);
    let pipeline =
        crate::samples::CLINICS_PIPELINE.replace("data/clinics.csv", "data/klinics-*.csv");
    project.file(crate::samples::CLINICS_PIPELINE_FILE, pipeline);
    assert_said!(refused(&project));
}

#[test]
fn empty_file() {
    assert_said!(refused(&clinics("")));
}

#[test]
fn header_without_rows_is_no_data_but_no_fault() {
    let project = clinics(CLINICS.lines().next().unwrap().to_owned() + "\n");
    project.run(&["clinics"]).ok();
    assert_eq!(project.count("health.clinics"), 0);
}

#[test]
fn header_that_lost_a_column() {
    let without_level = CLINICS.replacen("id,name,level,beds,opened", "id,name,beds,opened", 1);
    assert_said!(refused(&clinics(without_level)));
}

#[test]
fn header_that_lost_a_column_later_leaves_what_is_published() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    project.file("data/clinics.csv", CLINICS.replacen("level", "lvl", 1));
    assert_said!(project.run(&["clinics"]).exits(4));
    assert_eq!(project.snapshots(), 1);
    assert_eq!(project.count("health.clinics"), 12);
}

#[test]
fn ragged_rows() {
    let ragged = CLINICS.replacen(
        "C5,Trạm y tế Hải An,commune,8,2003-12-31",
        "C5,Trạm y tế Hải An,commune",
        1,
    );
    let project = clinics(ragged);
    assert_said!(loads(&project, 11));
    let rejected = project.sql("SELECT \"row\", rule FROM meta.rejected_rows");
    assert_eq!(rejected, [serde_json::json!({"row": 5, "rule": "record"})]);
}

#[test]
fn nul_byte() {
    let mut bytes = CLINICS.as_bytes().to_vec();
    let at = CLINICS.find("Lê Chân").unwrap();
    bytes[at] = 0;
    let project = clinics(bytes);
    assert_said!(loads(&project, 11));
}

#[test]
fn text_that_is_no_utf8() {
    let mut bytes = CLINICS.as_bytes().to_vec();
    let at = CLINICS.find("An Dương").unwrap();
    bytes[at] = 0xff;
    assert_said!(loads(&clinics(bytes), 11));
}

#[test]
fn quote_that_never_ends() {
    let open = CLINICS.replacen("cơ sở Đồ Sơn\"", "cơ sở Đồ Sơn", 1);
    let project = clinics(open);
    // The reader takes up again at the next line that begins a record.
    assert_said!(loads(&project, 11));
}

#[test]
fn three_broken_fields_are_three_reasons() {
    let broken = CLINICS.replacen(
        "C3,Trạm y tế Ngô Quyền,commune,5,1987-09-02",
        "C3,,village,many,1987-09-02",
        1,
    );
    let project = clinics(broken);
    assert_said!(loads(&project, 11));
    let reasons =
        project.sql("SELECT field, rule, value, \"row\" FROM meta.rejected_rows ORDER BY field");
    let told: Vec<_> = reasons
        .iter()
        .map(|it| (it["field"].as_str().unwrap(), it["row"].as_i64().unwrap()))
        .collect();
    assert_eq!(told, [("beds", 3), ("level", 3), ("name", 3)]);
    assert_eq!(reasons[0]["value"], "many");
    assert_eq!(reasons[1]["rule"], "enum");
    assert_eq!(reasons[2]["rule"], "required");
}

#[test]
fn a_key_that_comes_twice_keeps_the_first() {
    let twice = CLINICS.replacen("C12,Bệnh viện Trẻ em", "C1,Bệnh viện Trẻ em", 1);
    let project = clinics(twice);
    assert_said!(loads(&project, 11));
    assert_eq!(
        project.sql("SELECT name FROM health.clinics WHERE clinic_id = 'C1'")[0]["name"],
        "Trạm y tế Hồng Bàng"
    );
}

#[test]
fn every_row_rejected() {
    let wrong = CLINICS
        .replace(",commune,", ",village,")
        .replace(",district,", ",huyện,")
        .replace(",province,", ",tỉnh,");
    let project = clinics(wrong);
    assert_said!(refused(&project));
    assert_said!(project.sectorlake(&["rejected", "clinics"]));
}

#[test]
fn half_a_table_that_would_go_is_a_failure() {
    let project = clinics(CLINICS);
    project.run(&["clinics"]).ok();
    project.file(
        "data/clinics.csv",
        CLINICS.lines().take(4).collect::<Vec<_>>().join("\n"),
    );
    assert_said!(project.run(&["clinics"]).exits(4));
    assert_eq!(project.count("health.clinics"), 12);
}
