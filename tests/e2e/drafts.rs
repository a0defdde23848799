//! `sectorlake new source` and `sectorlake plan`: drafted from a look, shown without a trace.

mod made;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Project, assert_said, repository};

use made::{tcvn3, windows_1258, workbook};

/// A school list as a district office sends it: a title, a header of two lines, day-first dates, decimal commas, leading zeros.
const SCHOOLS: &str = "\
DANH SÁCH TRƯỜNG HỌC QUẬN LÊ CHÂN NĂM HỌC 2023-2024;;;;;;;;;
;;;;;;;;;
STT;Mã trường;Tên trường;Loại hình;Số học sinh;Ngày thành lập;Địa chỉ;Vĩ độ;Kinh độ;Ghi chú
1;031001;Trường THCS Trần Phú;Công lập;1.250;05/09/1959;12 Mê Linh;20,85123;106,67891;
2;031002;Trường THCS Lê Chân;Công lập;980;20/11/1987;5 Tô Hiệu;20,84001;106,68002;đang sửa
3;031003;Trường TH Nguyễn Du;Tư thục;1.015;15/08/2001;7 Cát Cụt;20,84999;106,67555;
4;03100A;Trường MN Hoa Sen;Ngoài công lập;310;01/06/2010;9 Hai Bà Trưng;20,85555;106,68111;
";

/// A project with one of the repository's real files.
fn with(name: &str) -> Project {
    let project = Project::empty();
    let file = Path::new(name).file_name().unwrap().to_string_lossy();
    let bytes = fs::read(repository().join("tests/data").join(name)).unwrap();
    project.file(&format!("data/{file}"), bytes);
    project
}

fn draft(project: &Project, args: &[&str]) -> String {
    let done = project
        .sectorlake(&[&["new", "source"], args].concat())
        .ok();
    let mut page = done.to_string();
    for line in done.stdout.lines() {
        if let Some(file) = line.strip_prefix("wrote ") {
            page.push_str(&format!(
                "=== {file}\n{}",
                fs::read_to_string(project.path(file)).unwrap()
            ));
        }
    }
    project.sectorlake(&["validate"]).ok();
    page
}

macro_rules! assert_drafts {
    ($page:expr) => {
        crate::harness::settings().bind(|| insta::assert_snapshot!($page))
    };
}

/// Every file below a folder, with its hash.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.insert(path.display().to_string(), "folder".to_owned());
                folders.push(path);
            } else {
                let hash = blake3::hash(&fs::read(&path).unwrap()).to_hex().to_string();
                all.insert(path.display().to_string(), hash);
            }
        }
    }
    all
}

#[test]
fn a_school_list_becomes_schools() {
    let project = Project::empty();
    project.file("data/truong_hoc.csv", SCHOOLS);
    assert_drafts!(draft(&project, &["data/truong_hoc.csv"]));
    project.run(&["truong-hoc"]).ok();
    let rows = project.sql(
        "SELECT school_id, name, sector, pupils, open_date FROM education.schools ORDER BY school_id",
    );
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["school_id"], "031001", "zeros stay");
    assert_eq!(rows[3]["school_id"], "03100A");
    assert_eq!(rows[0]["pupils"], 1250);
    assert_eq!(rows[0]["open_date"], "1959-09-05", "the day comes first");
    assert_eq!(rows[2]["sector"], "private");
    let near = project.number(
        "SELECT count(*) FROM education.schools WHERE st_x(location) BETWEEN 106 AND 107 AND st_y(location) BETWEEN 20 AND 21",
    );
    assert_eq!(near, 4);
}

#[test]
fn a_wide_table_of_years_becomes_indicators() {
    let project = with("education/vn_gso_schools_by_province.csv");
    assert_drafts!(draft(
        &project,
        &[
            "data/vn_gso_schools_by_province.csv",
            "--sector",
            "education"
        ]
    ));
    project.run(&["vn-gso-schools-by-province"]).ok();
    assert_eq!(project.count("common.indicators"), 71 * 90);
}

#[test]
fn a_wide_table_of_months_becomes_indicators() {
    let project = with("environment/vn_gso_monthly_rainfall.csv");
    assert_drafts!(draft(&project, &["data/vn_gso_monthly_rainfall.csv"]));
}

#[test]
fn geometries_find_their_field() {
    let project = with("transport/hcmc_road_segments.geojson");
    assert_drafts!(draft(&project, &["data/hcmc_road_segments.geojson"]));
    project.run(&["hcmc-road-segments"]).ok();
}

#[test]
fn a_feed_is_known_by_its_members() {
    let project = with("transport/gtfs_frioul_ferry.zip");
    assert_drafts!(draft(
        &project,
        &["data/gtfs_frioul_ferry.zip", "--name", "ferry"]
    ));
    project.run(&["ferry"]).ok();
}

#[test]
fn a_saved_answer_is_known_by_its_content() {
    let project = with("environment/openaq_v3_locations_vietnam.json");
    assert_drafts!(draft(
        &project,
        &["data/openaq_v3_locations_vietnam.json", "--name", "air"]
    ));
    project.run(&["air"]).ok();
}

#[test]
fn a_workbook_and_a_list_that_no_table_fits_get_a_contract() {
    let project = with("environment/biodiversity_plot_location.xlsx");
    assert_drafts!(draft(
        &project,
        &[
            "data/biodiversity_plot_location.xlsx",
            "--sector",
            "environment"
        ]
    ));
}

#[test]
fn what_looks_personal_is_so_classified_and_identifiers_stay_text() {
    let project = Project::empty();
    project.file(
        "data/so_tiem_chung.csv",
        "Mã sổ,Họ và tên,Ngày sinh,Số điện thoại,Số mũi,Cân nặng\n\
         1001,Nguyễn Văn An,03/04/2019,0912345678,2,\"12,5\"\n1002,Trần Thị Bình,05/06/2020,0987654321,3,\"11,25\"\n",
    );
    assert_drafts!(draft(
        &project,
        &["data/so_tiem_chung.csv", "--table", "health.vaccinations"]
    ));
    project.run(&["so-tiem-chung"]).ok();
}

#[test]
fn old_encodings_are_read_as_they_were_meant() {
    let project = Project::empty();
    // The same list in windows-1258: the accents of Vietnamese as combining marks.
    let text = "Mã trường;Tên trường;Địa chỉ\n031001;Trường THCS Trần Phú;12 Mê Linh\n031002;Trường THPT Lê Hồng Phong;1 Điện Biên Phủ\n";
    project.file("data/truong.csv", windows_1258(text));
    let page = draft(&project, &["data/truong.csv"]);
    assert!(page.contains("windows-1258"), "{page}");
    project.run(&["truong"]).ok();
    let rows = project.sql("SELECT name FROM education.schools ORDER BY school_id");
    assert_eq!(rows[1]["name"], "Trường THPT Lê Hồng Phong");
}

#[test]
fn abc_letters_are_known_by_their_syllables() {
    let project = Project::empty();
    let text = "Mã trường;Tên trường;Địa chỉ;Số học sinh\n031001;Trường THCS Trần Phú;12 Mê Linh;950\n\
                031002;Trường THPT Lê Hồng Phong;1 Điện Biên Phủ;1200\n031003;Trường tiểu học Nguyễn Du;7 Cát Cụt;640\n";
    project.file("data/truong.csv", tcvn3(text));
    let page = draft(&project, &["data/truong.csv"]);
    assert!(page.contains("encoding: tcvn3"), "{page}");
    project.run(&["truong"]).ok();
    let rows = project.sql("SELECT name FROM education.schools ORDER BY school_id");
    assert_eq!(rows[2]["name"], "Trường tiểu học Nguyễn Du");
}

#[test]
fn a_workbook_with_merged_headers_becomes_schools() {
    let project = Project::empty();
    project.file("data/ds_truong.xlsx", workbook());
    assert_drafts!(draft(&project, &["data/ds_truong.xlsx"]));
    project.run(&["ds-truong"]).ok();
    let rows = project
        .sql("SELECT school_id, pupils, open_date FROM education.schools ORDER BY school_id");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["school_id"], "031001");
    assert_eq!(rows[0]["open_date"], "1959-09-05");
}

#[test]
fn nothing_is_overwritten() {
    let project = Project::empty();
    project.file("data/truong_hoc.csv", SCHOOLS);
    draft(&project, &["data/truong_hoc.csv"]);
    let before = tree(project.root());
    let again = project
        .sectorlake(&["new", "source", "data/truong_hoc.csv"])
        .exits(2);
    assert_said!(again);
    let none = project.sectorlake(&["new", "source", "data/none.csv", "--name", "none"]);
    assert_ne!(none.code, Some(0));
    assert_eq!(tree(project.root()), before);
}

#[test]
fn a_draft_is_the_same_every_time() {
    let drafts = [0, 1].map(|_| {
        let project = with("education/vn_gso_kindergarten_by_province.csv");
        draft(&project, &["data/vn_gso_kindergarten_by_province.csv"])
    });
    assert_eq!(drafts[0], drafts[1]);
}

#[test]
fn an_endpoint_is_looked_at_and_planned_without_being_stored() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(MockServer::start());
    let answer = ResponseTemplate::new(200).set_body_raw(
        r#"[{"school_id": "01", "name": "Trường A"}, {"school_id": "02", "name": "Trường B"}]"#,
        "application/json",
    );
    let mock = Mock::given(method("GET"))
        .and(path("/schools.json"))
        .respond_with(answer);
    runtime.block_on(mock.mount(&server));
    let project = Project::empty();
    let url = format!("{}/schools.json", server.uri());
    project.sectorlake(&["new", "source", &url]).ok();
    let text = fs::read_to_string(project.path("pipelines/education/schools.yaml")).unwrap();
    assert!(
        text.contains("connector: http") && text.contains("school_id,\n"),
        "{text}"
    );
    // It lies in a private network, as whoever typed its address knows: the draft says so.
    assert!(text.contains("allow_private: [\"127.0.0.1\"]"), "{text}");
    let before = tree(project.root());
    let plan = project.sectorlake(&["plan", "schools"]).ok();
    assert!(plan.says("2 mapped: 2 would be loaded"), "{}", plan.whole());
    assert_eq!(tree(project.root()), before);
}

/// An API that its connector asks by itself, of which no answer is looked at before.
#[test]
fn an_api_in_a_private_network_is_drafted_so_that_it_is_reached() {
    let project = Project::empty();
    let address = "http://127.0.0.1:9/bikes/gbfs.json";
    let new = ["new", "source", address, "--name", "bikes"];
    project.sectorlake(&new).ok();
    let text = fs::read_to_string(project.path("pipelines/transport/bikes.yaml")).unwrap();
    for line in ["connector: gbfs", "allow_private: [\"127.0.0.1\"]"] {
        assert!(text.contains(line), "{text}");
    }
    project.sectorlake(&["validate"]).ok();
}

/// A project whose clinics break rules.
fn schools() -> Project {
    let project = Project::empty();
    project.file("data/truong_hoc.csv", SCHOOLS);
    draft(&project, &["data/truong_hoc.csv"]);
    project
}

#[test]
fn a_plan_shows_rows_before_and_after_and_leaves_no_trace() {
    let project = schools();
    let before = tree(project.root());
    let plan = project
        .sectorlake(&["plan", "truong-hoc", "--rows", "2"])
        .ok();
    assert_said!(plan);
    assert!(!project.lake().exists(), "not even a lake");
    assert_eq!(tree(project.root()), before);
}

#[test]
fn a_plan_over_a_lake_changes_nothing_in_it() {
    let project = schools();
    project.run(&["truong-hoc"]).ok();
    let broken = SCHOOLS
        .replace("05/09/1959", "5 tháng 9")
        .replace("1.015", "nhiều");
    project.file(
        "data/truong_hoc.csv",
        broken.replace("Ghi chú", "Điện thoại"),
    );
    let before = tree(project.root());
    let plan = project.sectorlake(&["plan", "truong-hoc", "--rows", "2", "--json"]);
    assert_eq!(tree(project.root()), before);
    let answer: Value = serde_json::from_str(&plan.stdout).unwrap();
    let pipeline = &answer["pipelines"][0];
    assert_eq!(pipeline["would"], "fail", "half of four rows is too many");
    let table = &pipeline["tables"][0];
    assert_eq!(table["rows"]["mapped"], 4);
    assert_eq!(table["rows"]["rejected"], 2);
    assert!(table["rejected"][0]["samples"][0]["row"].is_i64());
    assert_eq!(table["after"].as_array().unwrap().len(), 2);
    assert_eq!(table["sources"][0]["before"].as_array().unwrap().len(), 2);
    assert!(!pipeline["drift"].as_array().unwrap().is_empty());
    // What would be migrated is told too.
    let unchanged = project.sectorlake(&["plan", "truong-hoc", "--rows", "0"]);
    assert_eq!(tree(project.root()), before, "{}", unchanged.whole());
}

#[test]
fn a_plan_tells_the_migration_and_what_is_unchanged() {
    let project = Project::empty();
    let contract = r#"{ "fields": [{ "name": "id", "type": "string" }, { "name": "n", "type": "integer" }], "primaryKey": ["id"] }"#;
    project
        .file("schemas/city/things.json", contract)
        .file(
            "pipelines/city/things.yaml",
            "source: { connector: file, path: data/things.csv }\ntables: { city.things: }\n",
        )
        .file("data/things.csv", "id,n\na,1\nb,2\n");
    project.run(&["things"]).ok();
    let plan = project.sectorlake(&["plan"]).ok();
    assert!(plan.says("would publish nothing"), "{}", plan.whole());
    let wider = contract.replace(
        r#"{ "name": "n", "type": "integer" }"#,
        r#"{ "name": "n", "type": "number" }, { "name": "note", "type": "string" }"#,
    );
    project.file("schemas/city/things.json", wider);
    let before = tree(project.root());
    let plan = project.sectorlake(&["plan"]).ok();
    assert_said!(plan);
    assert_eq!(tree(project.root()), before);
}
