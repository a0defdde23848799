//! `sectorlake new source` on what agencies really send: secrets, persons, wrapped records, totals, names that say nothing.

use std::fs;

use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::{Project, repository};

/// Drafts from one file, and gives what was said and the files that were written.
fn drafted(project: &Project, name: &str, content: impl AsRef<[u8]>, args: &[&str]) -> String {
    let file = format!("data/{name}");
    project.file(&file, content);
    of(project, &[&[file.as_str()], args].concat())
}

fn of(project: &Project, args: &[&str]) -> String {
    let done = project.sectorlake(&[&["new", "source"], args].concat());
    let done = done.ok();
    let mut page = done.stdout.clone();
    for file in done
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("wrote "))
    {
        page.push_str(&fs::read_to_string(project.path(file)).unwrap());
    }
    page
}

/// The tables that a file's draft feeds.
fn tables(page: &str) -> Vec<&str> {
    let mut lines = page.lines().skip_while(|line| *line != "tables:").skip(1);
    let named = lines.by_ref().take_while(|line| line.starts_with(' '));
    let of_table =
        |line: &&str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
    named
        .filter(of_table)
        .map(|line| line.trim().trim_end_matches(':'))
        .collect()
}

#[test]
fn a_secret_in_an_address_never_reaches_a_file() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(MockServer::start());
    let answer = ResponseTemplate::new(200).set_body_raw(
        r#"[{"school_id": "01", "name": "Trường A"}]"#,
        "application/json",
    );
    runtime.block_on(
        Mock::given(method("GET"))
            .respond_with(answer)
            .mount(&server),
    );
    let project = Project::empty();
    let page = of(
        &project,
        &[&format!(
            "{}/schools.json?page=1&key=SECRETKEY123&token=abcdef",
            server.uri()
        )],
    );
    assert!(
        !page.contains("SECRETKEY123") && !page.contains("abcdef"),
        "{page}"
    );
    assert!(
        page.contains("?page=1&key=${env:SCHOOLS_KEY}&token=${env:SCHOOLS_TOKEN}"),
        "{page}"
    );
    assert!(page.contains("export SCHOOLS_KEY=…"), "{page}");
    let mut run = project.command(&["run", "schools"]);
    run.env("SCHOOLS_KEY", "SECRETKEY123")
        .env("SCHOOLS_TOKEN", "abcdef");
    assert!(run.output().unwrap().status.success());
}

#[test]
fn nothing_that_tells_of_a_person_stands_in_a_draft() {
    let project = Project::empty();
    let mut text = "Mã;Cột A;lien_he;Ghi chú;Lớp\n".to_owned();
    for (index, name) in ["Nguyễn Văn Bí Mật", "Trần Thị Kín Đáo", "Lê Minh Riêng Tư"]
        .iter()
        .enumerate()
    {
        text.push_str(&format!(
            "{index};{name};bimat{index}@x.vn;nhà ở ngõ 5;10A{index}\n"
        ));
    }
    let page = drafted(&project, "ds.csv", text, &["--table", "education.pupils"]);
    for value in ["Bí Mật", "bimat", "ngõ 5", "Kín", "10A"] {
        assert!(!page.contains(value), "{value}: {page}");
    }
    assert!(
        page.contains("`cot_a` is classified personal: its values look like names of persons"),
        "{page}"
    );
    assert_eq!(
        page.matches(r#""classification": "personal""#).count(),
        2,
        "{page}"
    );
    project.run(&["ds"]).ok();
    assert!(
        project.lake().join("restricted").exists(),
        "the table lies among the restricted ones"
    );
}

#[test]
fn an_id_and_a_name_pick_no_table() {
    for (name, text) in [
        ("broken.csv", "id,name,n\n1,a,1\n2,b,2\n"),
        (
            "quarters.csv",
            "Mã,Tên,Số lượng\n01,Hồng Bàng,1200\n02,Lê Chân,3400\n",
        ),
        (
            "places.json",
            r#"[{"id": 1, "name": "a", "lat": 20.8, "lon": 106.6}]"#,
        ),
    ] {
        let project = Project::empty();
        let page = drafted(&project, name, text, &["--name", "x"]);
        let table = tables(&page);
        assert_eq!(table, ["drafts.x"], "{page}");
        project.sectorlake(&["validate"]).ok();
    }
}

#[test]
fn a_drafted_table_is_not_offered_to_what_only_sounds_alike() {
    let project = Project::empty();
    let first = r#"[{"meta": "a", "results": "b", "page": 1, "ttl": 3}]"#;
    drafted(&project, "one.json", first, &[]);
    let page = drafted(
        &project,
        "two.json",
        r#"[{"meta": "a", "results": "b", "other": 2, "thing": 4}]"#,
        &[],
    );
    assert_eq!(tables(&page), ["drafts.two"], "{page}");
    let page = drafted(&project, "three.json", first, &[]);
    assert_eq!(
        tables(&page),
        ["drafts.one"],
        "the same columns are the same table: {page}"
    );
}

#[test]
fn the_shared_table_is_found_by_what_it_requires() {
    let cases = [
        (
            "tthc.csv",
            "Mã TTHC,Tên thủ tục,Lĩnh vực,Cơ quan thực hiện,Mức độ\n1.000001,Đăng ký khai sinh,Hộ tịch,UBND phường,Toàn trình\n1.000002,Đăng ký kết hôn,Hộ tịch,UBND phường,Một phần\n",
            "government.public_services",
            2,
        ),
        (
            "enrol.csv",
            "Province,District,Enrolment,School year,Level,Sex\nHai Phong,Hong Bang,1200,2023-2024,Primary,F\nHai Phong,Hong Bang,900,2023-2024,Primary,M\n",
            "education.enrolments",
            2,
        ),
        (
            "aqi.csv",
            "Trạm;Thời gian;PM2.5;PM10;Nhiệt độ\nHP01;01/08/2025 06:00;35,2;60,1;31,5\nHP01;31/08/2025 07:00;36,2;61,1;31,9\n",
            "environment.observations",
            6,
        ),
        (
            "dem_xe.csv",
            "ngay,gio,vi_tri,so_xe_may,so_o_to,huong\n31/08/2025,6,Cầu Rào,1200,300,Bắc\n31/08/2025,7,Cầu Rào,2200,400,Bắc\n",
            "transport.traffic_counts",
            4,
        ),
        (
            "rec.xml",
            "<root><schools><school id='1'><ten>Trường 1</ten><lat>20.81</lat><lon>106.61</lon></school><school id='2'><ten>Trường 2</ten><lat>20.82</lat><lon>106.62</lon></school></schools></root>",
            "education.schools",
            2,
        ),
        (
            "tram.csv",
            "Mã trạm,Tên trạm,Vĩ độ,Kinh độ\nHP01,Cầu Rào,20.84,106.69\nHP02,An Lão,20.82,106.55\n",
            "environment.stations",
            2,
        ),
    ];
    for (name, text, table, rows) in cases {
        let project = Project::empty();
        let page = drafted(&project, name, text, &["--name", "x"]);
        assert_eq!(tables(&page), [table], "{page}");
        project.sectorlake(&["validate"]).ok();
        project.run(&["x"]).ok();
        assert_eq!(project.count(table), rows, "{page}");
    }
}

#[test]
fn real_answers_and_lists_find_theirs() {
    for (file, table) in [
        (
            "transport/gbfs/station_information.2.2.json",
            "transport.shared_mobility_stations",
        ),
        (
            "transport/gbfs/station_status.3.0.json",
            "transport.shared_mobility_status",
        ),
        ("environment/wmo_station_list.csv", "environment.stations"),
        (
            "environment/openaq_locations_vietnam.csv",
            "environment.stations",
        ),
        ("common/vn_units_2026-07-25.json", "common.places"),
        (
            "common/vn_commune_shares_2025-07.csv",
            "common.place_crosswalk",
        ),
    ] {
        let project = Project::empty();
        let bytes = fs::read(repository().join("tests/data").join(file)).unwrap();
        let name = file.rsplit('/').next().unwrap();
        let page = drafted(&project, name, bytes, &["--name", "x"]);
        assert_eq!(tables(&page), [table], "{page}");
        project.sectorlake(&["validate"]).ok();
    }
    // A register that a connector is made for stands in the folder of the tables that this one feeds.
    let project = Project::empty();
    let register = "education/uk_gias_establishments_anonymised.csv";
    let bytes = fs::read(repository().join("tests/data").join(register)).unwrap();
    let page = drafted(&project, "edubase.csv", bytes, &["--name", "x"]);
    assert!(
        page.contains("connector: gias") && page.contains("pipelines/education/x.yaml"),
        "{page}"
    );
}

#[test]
fn records_in_an_answer_and_lists_in_them_become_rows() {
    let project = Project::empty();
    let text = r#"{"data": {"items": [{"id": 1, "readings": [{"t": "2024-01-01", "v": 1}, {"t": "2024-01-02", "v": 2}]}, {"id": 2, "readings": [{"t": "2024-01-01", "v": 3}]}]}}"#;
    let page = drafted(&project, "nested.json", text, &[]);
    assert!(
        page.contains("record_path: data.items, unnest: readings"),
        "{page}"
    );
    project.run(&["nested"]).ok();
    assert_eq!(project.count("drafts.nested"), 3);
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    project.file("data/deep.json", deep);
    let done = project.sectorlake(&["new", "source", "data/deep.json"]);
    assert_ne!(done.code, Some(0), "{}", done.whole());
}

#[test]
fn totals_and_notes_below_the_data_are_no_rows() {
    let project = Project::empty();
    let text = "Quận;Số học sinh;Số trường\nHồng Bàng;1200;10\nLê Chân;3400;20\nKiến An;900;8\nTổng cộng;5500;38\nNguồn: Sở GDĐT;;\n";
    let page = drafted(&project, "so_lieu.csv", text, &[]);
    assert!(
        page.contains("Tổng cộng|") || page.contains("|Tổng cộng") || page.contains("(Tổng cộng)"),
        "{page}"
    );
    project.run(&["so-lieu"]).ok();
    assert_eq!(project.count(tables(&page)[0]), 3, "{page}");
}

#[test]
fn a_wrong_guess_is_mended_by_declaring_the_format() {
    let project = Project::empty();
    let text = "a|b;c|d\n1|2;3|4\n";
    let page = drafted(
        &project,
        "odd.csv",
        text,
        &["--format", r#"{ name: csv, delimiter: "|" }"#],
    );
    assert!(
        page.contains(r#"delimiter: "|""#) && page.contains(r#""b;c""#),
        "{page}"
    );
    project.file("data/again.csv", text);
    let done = project.sectorlake(&[
        "new",
        "source",
        "data/again.csv",
        "--format",
        "{ name: csv, delimeter: x }",
    ]);
    let done = done.exits(2);
    assert!(
        done.says("--format: unknown key `delimeter`"),
        "{}",
        done.whole()
    );
}

#[test]
fn names_that_repeat_and_apostrophes_are_told() {
    let project = Project::empty();
    let page = drafted(&project, "dup.csv", "ten,ten,so\nA,B,1\nC,D,2\n", &[]);
    assert!(
        page.contains(r#"the header has "ten" more than once"#),
        "{page}"
    );
    let page = drafted(&project, "quote.csv", "id;ghi\n1;'a;b'\n2;'c'\n", &[]);
    assert!(page.contains(r#"quote: "'""#), "{page}");
    project.run(&["quote"]).ok();
    assert_eq!(project.count("drafts.quote"), 2);
    // A comma at the line's end gives a column without a name, and no reason to take a record for a header.
    let page = drafted(&project, "trailing.csv", "id,a,b,\n1,2,3,\n4,5,6,\n", &[]);
    assert!(!page.contains("header_rows"), "{page}");
}

#[test]
fn what_cities_call_their_columns_is_known() {
    let project = Project::empty();
    let counts = "Trạm đếm,Thời gian,Hướng,Loại xe,Lưu lượng\nT1,2024-01-01 07:00,Bắc,Ô tô con,350\nT1,2024-01-01 07:00,Bắc,Xe máy,1350\n";
    let counts = drafted(&project, "dem-xe.csv", counts, &[]);
    assert_eq!(tables(&counts), ["transport.traffic_counts"], "{counts}");
    let air = "Trạm,Thời gian,Thông số,Giá trị,Đơn vị\nHP1,2024-01-01 00:00,PM2.5,35.2,ug/m3\nHP1,2024-01-01 01:00,PM2.5,40.1,ug/m3\n";
    let air = drafted(&project, "quan-trac.csv", air, &[]);
    assert_eq!(tables(&air), ["environment.observations"], "{air}");
    assert!(air.contains("\"Đơn vị\" AS unit"), "{air}");
    let schools = "School Code,School Name,Level,Address,Latitude,Longitude,Enrolment\n0001,School A,primary,1 Main,20.85,106.68,500\n0002,School B,secondary,2 Main,20.86,106.69,300\n";
    let schools = drafted(&project, "list.csv", schools, &[]);
    assert_eq!(tables(&schools), ["education.schools"], "{schools}");
    for taken in ["\"Level\" AS school_type", "\"Enrolment\" AS pupils"] {
        assert!(schools.contains(taken), "{schools}");
    }
}
