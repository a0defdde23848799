//! Connectors of education, from their recordings through their own mappings into the shared tables.

use crate::harness::{Done, Project, repository};
use crate::served::{Served, examples, lines, loaded, recording};

const SCHOOLS: &str = "SELECT school_id, name, isced_levels, school_type, sector, status, address, locality, country, website, \
    ST_AsText(location) AS location FROM education.schools ORDER BY school_id";

fn from(source: &str) -> Project {
    loaded("education", &format!("source:\n{source}"))
}

#[test]
fn indicators_of_the_world_bank() {
    let query = "format=json&per_page=2&page=";
    let answer = |target: String, file: &str| {
        (
            format!("/v2/country/VNM;EAS/indicator/{target}"),
            recording(&format!("worldbank/{file}.json")),
        )
    };
    let served = Served::start(vec![
        answer(format!("SE.PRM.ENRR?{query}1"), "enrolment_1"),
        answer(format!("SE.PRM.ENRR?{query}2"), "enrolment_2"),
        answer(format!("DP.DOD.DECD.CR.GG.Z1?{query}1"), "debt"),
    ]);
    let project = from(&format!(
        "  connector: worldbank\n  url: {}/v2\n  allow_private: true\n  countries: [VNM, EAS]\n  page_size: 2\n  indicators:\n    \
         SE.PRM.ENRR: {{ unit: \"%\" }}\n    DP.DOD.DECD.CR.GG.Z1: {{ unit: USD, name: Debt }}\n",
        served.url()
    ));
    insta::assert_snapshot!(lines(
        &project,
        "SELECT indicator_code, indicator_name, ref_area, ref_area_name, time_period, freq, obs_value, unit_measure, obs_status \
         FROM common.indicators ORDER BY indicator_code, ref_area, time_period",
    ));
}

#[test]
fn both_lists_of_the_nces() {
    let ccd = from(
        "  connector: nces\n  layout: ccd\n  path: TESTS/recordings/nces/ccd_sch_029_2223.csv\n",
    );
    insta::assert_snapshot!("nces_ccd", lines(&ccd, SCHOOLS));
    let edge = from(
        "  connector: nces\n  layout: edge\n  path: TESTS/recordings/nces/edge_geocode_publicsch_2223.csv\n",
    );
    insta::assert_snapshot!("nces_edge", lines(&edge, SCHOOLS));
}

#[test]
fn schools_of_giga() {
    let answer = |page: u8| {
        let target = format!("/api/v1/schools_location/country/VNM?size=2&page={page}");
        (target, recording(&format!("giga/VNM_{page}.json")))
    };
    let served = Served::start(vec![answer(1), answer(2)]);
    let project = from(&format!(
        "  connector: giga\n  url: {}/api/v1\n  allow_private: true\n  countries: [VNM]\n  page_size: 2\n",
        served.url()
    ));
    insta::assert_snapshot!(lines(&project, SCHOOLS));
}

#[test]
fn scores_of_exams_in_each_layout() {
    let scores = |source: &str| {
        let project = from(source);
        assert!(
            project
                .lake()
                .join("restricted/tables/education/exam_results")
                .exists()
        );
        let statement = "SELECT exam_code, exam_year, candidate_number, subject_code, score, place_code FROM education.exam_results \
            ORDER BY candidate_number, subject_code";
        lines(&project, statement)
    };
    insta::assert_snapshot!(
        "exam_2024",
        scores(
            "  connector: vn_exam_results\n  year: 2024\n  path: TESTS/recordings/vn_exam_results/thpt_2024.csv\n"
        )
    );
    insta::assert_snapshot!(
        "exam_2018",
        scores(
            "  connector: vn_exam_results\n  year: 2018\n  candidate: SBD\n  scores: DIEM_THI\n  path: TESTS/recordings/vn_exam_results/thpt_2018.csv\n"
        )
    );
    insta::assert_snapshot!(
        "exam_2025",
        scores(
            "  connector: vn_exam_results\n  year: 2025\n  candidate: Số báo danh\n  path: TESTS/recordings/vn_exam_results/bang_diem_2025.xlsx\n"
        )
    );
}

#[test]
fn what_may_be_published_of_an_exam_leaves_out_small_bands() {
    let project = Project::empty();
    let candidate = |number: u32| format!("0300{number:04},{}.5\n", 5 + number % 6 / 5);
    let table: String = (0..36).map(candidate).collect();
    project.file("data/2024.csv", format!("sbd,toan\n{table}03009999,9.75\n"));
    let pipeline = "source:\n  connector: vn_exam_results\n  year: 2024\n  path: data/2024.csv\n";
    project.file("pipelines/education/demo.yaml", pipeline);
    project.run(&["demo"]).ok();
    let model = repository().join("crates/connector-education/src/vn_exam_results/statistics.sql");
    let model = std::fs::read_to_string(model).unwrap();
    insta::assert_snapshot!(lines(
        &project,
        &format!("SELECT * FROM ({model}) AS bands ORDER BY score_band")
    ));
}

#[test]
fn every_example_of_education_validates() {
    let (project, found) = examples("education");
    assert_eq!(found, 6);
    project.file(
        "data/diem_thi_thpt_2024.csv",
        recording("vn_exam_results/thpt_2024.csv"),
    );
    let mut command = project.command(&["validate"]);
    command.env("GIGA_KEY", "k");
    Done::of(command).ok();
}

#[test]
fn a_draft_says_what_the_file_does_not_tell() {
    let project = Project::empty();
    project.file("data/diem.csv", recording("vn_exam_results/thpt_2024.csv"));
    let drafted = project.sectorlake(&["new", "source", "data/diem.csv"]).ok();
    let said = "the source does not tell the setting `year`: The year of the exam";
    assert!(drafted.says(said), "{}", drafted.whole());
    let file = std::fs::read_to_string(project.path("pipelines/common/diem.yaml")).unwrap();
    assert!(file.contains("# - still to be written: "), "{file}");
}
