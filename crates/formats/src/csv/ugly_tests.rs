//! Real files as agencies publish them; the counts are those of Python's `csv` module.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use crate::testing::{All, block_on, options, part, read, spec};
use crate::{Choice, ReadOptions, open};

fn bytes(name: &str) -> Vec<u8> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/ugly");
    std::fs::read(data.join(name)).unwrap()
}

fn read_file(name: &str, format: Option<&str>) -> All {
    block_on(async {
        let part = part(name, bytes(name)).await;
        let format = format.map(spec);
        let (usual, small) = (ReadOptions::default(), options(777, 3, 100));
        let whole = read(&part, None, format.as_ref(), &usual).await.unwrap();
        let in_blocks = read(&part, None, format.as_ref(), &small).await.unwrap();
        assert_eq!(in_blocks, whole);
        whole
    })
}

fn chosen(name: &str) -> Vec<(&'static str, String)> {
    block_on(async {
        let part = part(name, bytes(name)).await;
        let bounds = ReadOptions::default();
        let opened = open(&part, None, None, &bounds).await.unwrap();
        let told = |choice: &Choice| (choice.what, choice.value.clone());
        opened.choices().iter().map(told).collect()
    })
}

#[test]
fn nothing_need_be_declared() {
    for (name, encoding, rows, columns, first, last) in [
        (
            "france_carpool_places_latin1.csv",
            "windows-1252",
            60,
            25,
            "2A004-C-005",
            "2B169-C-004",
        ),
        (
            "germany_research_funding_latin1.csv",
            "windows-1252",
            2237,
            4,
            "A",
            "Y39000",
        ),
        (
            "mexico_budget_latin1.csv",
            "windows-1252",
            116,
            8,
            "1",
            "Fuente: Presupuesto",
        ),
        ("nasa_gistemp_cr_only.csv", "utf-8", 133, 19, "1880", "2012"),
        ("nhs_utf16le.csv", "utf-16le", 327, 19, "5C1", "NYA04"),
        (
            "taiwan_attractions_big5.csv",
            "big5",
            382,
            18,
            "v_1",
            "v_382",
        ),
        (
            "uk_co2_manufacturing.csv",
            "utf-8",
            17,
            9,
            "Timber",
            "Note: includes",
        ),
    ] {
        let all = read_file(name, None);
        assert_eq!(all.broken, [], "{name}");
        assert_eq!(
            (all.rows.len(), all.columns.len()),
            (rows, columns),
            "{name}"
        );
        let texts = all.texts();
        assert_eq!(texts[0][0], first, "{name}");
        assert!(texts[rows - 1][0].starts_with(last), "{name}");
        let encoding = (Choice::ENCODING, encoding.to_owned());
        assert!(
            chosen(name).contains(&encoding),
            "{name}: {:?}",
            chosen(name)
        );
    }
}

#[test]
fn letters_of_old_encodings() {
    let all = read_file("france_carpool_places_latin1.csv", None);
    assert!(all.columns.contains(&"Nom_officiel_région".to_owned()));
    let all = read_file("mexico_budget_latin1.csv", None);
    assert_eq!(all.columns[7], "Descripción");
    let all = read_file("taiwan_attractions_big5.csv", None);
    assert_eq!(all.columns[2], "景點中文名稱");
    assert_eq!(all.texts()[0][2], "雲嘉南濱海國家風景區管理處");
}

#[test]
fn titles_and_marks_are_told() {
    let titles = (Choice::SKIP_ROWS, "3".to_owned());
    assert!(chosen("nasa_gistemp_cr_only.csv").contains(&titles));
    let british = chosen("uk_co2_manufacturing.csv");
    assert!(british.contains(&titles));
    assert!(
        british.contains(&(Choice::THOUSANDS_MARK, ",".to_owned())),
        "{british:?}"
    );
    let mexican = chosen("mexico_budget_latin1.csv");
    assert!(
        mexican.contains(&(Choice::DECIMAL_MARK, ".".to_owned())),
        "{mexican:?}"
    );
}

#[test]
fn what_must_be_declared() {
    let notes = r#"{"name": "csv", "footer": "^(Source|Note)"}"#;
    let all = read_file("uk_co2_manufacturing.csv", Some(notes));
    assert_eq!(all.rows.len(), 15);
    let stacked = r#"{"name": "csv", "header_rows": [4, 5, 6, 7]}"#;
    let all = read_file("netherlands_province_key_figures.csv", Some(stacked));
    assert_eq!(
        all.columns[1..4],
        ["Cluster", "provincie A Groningen", "provincie B Friesland"]
    );
    let padded =
        r#"{"name": "csv", "skip_rows": 11, "short_records": "fill", "footer": "^[*]{9}"}"#;
    let all = read_file("germany_gbe_doctors_padded.csv", Some(padded));
    assert_eq!(all.columns[1..3], ["1985", "1993"]);
    assert_eq!(all.broken, []);
    assert_eq!(all.texts()[1][0].trim(), "Gefäßchirurgie");
}

#[test]
fn exports_of_the_statistics_office() {
    let third = r#"{"name": "csv", "delimiter": ";", "header_rows": [3]}"#;
    for name in [
        "../education/vn_gso_schools_by_province.csv",
        "../education/vn_gso_teachers_by_province.csv",
        "../environment/vn_gso_monthly_rainfall.csv",
        "../environment/vn_gso_monthly_temperature.csv",
        "../transport/vn_gso_freight_by_province.csv",
        "../transport/vn_gso_road_passengers_by_province.csv",
    ] {
        let mut found = read_file(name, None);
        let declared = read_file(name, Some(third));
        assert_eq!(found.columns, declared.columns, "{name}");
        found.columns.clone_from(&declared.columns);
        assert_eq!(found, declared, "{name}");
    }
}
