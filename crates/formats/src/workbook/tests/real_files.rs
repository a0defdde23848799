//! Files of agencies, compared with what openpyxl and xlrd find in them.

use std::path::PathBuf;

use super::*;
use crate::testing::{block_on, part, read_bytes, spec};
use crate::{guess, open};

fn file(name: &str) -> Vec<u8> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    std::fs::read(data.join(name)).unwrap()
}

fn sum(all: &All, from: usize) -> f64 {
    let texts = all.texts();
    let cells = texts.iter().flat_map(|row| row.iter().skip(from));
    cells.filter_map(|cell| cell.parse::<f64>().ok()).sum()
}

/// Reads a file, whole and in small blocks.
fn load(name: &str, format: &str) -> All {
    let bytes = file(name);
    assert!(guess(name, &bytes).is_some(), "{name}");
    let all = read(&bytes, format).unwrap();
    let small = ReadOptions {
        batch_rows: 100,
        partitions: 3,
        ..ReadOptions::default()
    };
    assert_eq!(all, read_bytes(&bytes, format, &small).unwrap());
    assert_eq!(all.broken, [], "{name}");
    all
}

fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= expected.abs() * 1e-12,
        "{found} is not {expected}"
    );
}

#[test]
fn energy_by_month() {
    let all = load("ugly/fluvius_gas_electricity_by_month.xlsx", XLSX);
    assert_eq!((all.rows.len(), all.columns.len()), (2625, 17));
    assert_eq!(
        all.columns[..4],
        ["Hoofdgemeente", "Energie", "SLP", "202109"]
    );
    near(sum(&all, 3), 105_089_027_860.399);
    assert_eq!(
        all.texts()
            .iter()
            .flatten()
            .filter(|cell| cell.is_empty())
            .count(),
        387
    );
    assert_eq!(all.texts()[0][3], "6809886.4073");
}

#[test]
fn two_tables_side_by_side_on_a_hidden_sheet() {
    let left = load(
        "ugly/us_treasury_savings_bonds.xlsx",
        r#"{"name": "xlsx", "sheet": "data", "columns": "A:D", "header_rows": [3]}"#,
    );
    assert_eq!(
        left.columns,
        ["RptDate", "Series", "RecordType", "Total Pieces"]
    );
    assert_eq!(
        (left.rows.len(), sum(&left, 3)),
        (8544, 2_351_063_248_468.0)
    );
    assert_eq!(
        left.texts()[0],
        ["2013-06-30", "A", "PiecesIssued", "1026746"]
    );
    let right = load(
        "ugly/us_treasury_savings_bonds.xlsx",
        r#"{"name": "xlsx", "sheet": "data", "columns": "F:K", "header_rows": [3]}"#,
    );
    assert_eq!(
        (right.rows.len(), sum(&right, 5)),
        (1986, 652_155_096_933.0)
    );
    let report = r#"{"name": "xlsx", "columns": "A:K", "units_row": 6, "header_rows": [5], "drop_rows": "^GRAND", "footer": "^\\* Savings"}"#;
    let report = load("ugly/us_treasury_savings_bonds.xlsx", report);
    assert_eq!(
        (report.rows.len(), report.dropped.as_slice()),
        (13, [20].as_slice())
    );
    assert_eq!(report.columns[2], "ALL BONDS ISSUED");
    let issued: f64 = report
        .column("ALL BONDS ISSUED")
        .iter()
        .map(|cell| cell.parse::<f64>().unwrap())
        .sum();
    near(issued, 6_856_610_431.0);
}

#[test]
fn loans_under_a_merged_banner() {
    let name = "ugly/us_fsa_direct_loan_volume_ay2015_16_q4.xls";
    let format = r#"{"name": "xls", "sheet": "Quarterly Activity", "header_rows": [5, 6], "columns": "A:AD"}"#;
    let all = load(name, format);
    assert_eq!(
        all.columns[..7],
        [
            "OPE ID",
            "School",
            "State",
            "Zip Code",
            "School Type",
            "DL SUBSIDIZED Recipients",
            "DL SUBSIDIZED # of Loans Originated"
        ]
    );
    assert_eq!(all.columns[29], "DL GRAD PLUS $ of Disbursements");
    assert_eq!((all.rows.len(), sum(&all, 5)), (5192, 30_280_991_451.0));
    assert_eq!(all.column("OPE ID")[0], "00100200");
    let year = load(
        name,
        r#"{"name": "xls", "sheet": "Award Year Summary", "header_rows": [5, 6]}"#,
    );
    assert_eq!((year.rows.len(), sum(&year, 5)), (5441, 189_067_251_935.0));
    // The sheet itself shows where its header is; the banner above it is left out, so names repeat.
    let found = load(name, r#"{"name": "xls"}"#);
    assert_eq!(
        (found.rows.len(), found.columns[10].as_str()),
        (5192, "Recipients_2")
    );
}

#[test]
fn travel_under_headers_of_four_rows() {
    let format = r#"{"name": "xls", "sheet": "Table 1", "columns": "A:Q", "header_rows": [3, 4, 5, 6], "fill_down": ["column_1"], "footer": "^Note"}"#;
    let all = load("ugly/ons_overseas_travel_tourism.xls", format);
    assert_eq!(all.columns[2], "All Visits NSA");
    assert_eq!(
        all.columns[10],
        "Area of residence of which European Union NSA"
    );
    let months: Vec<_> = all
        .rows
        .iter()
        .filter(|(number, _)| **number <= 18)
        .map(|(_, row)| (row[0].as_deref().unwrap(), row[2].as_deref().unwrap()))
        .collect();
    assert_eq!(months.len(), 12);
    assert!(months.iter().all(|(year, _)| *year == "2012"));
    assert_eq!(months[0].1, "2245.592954550293");
}

#[test]
fn plots_dictionaries_and_one_cell() {
    let plots = load("environment/biodiversity_plot_location.xlsx", XLSX);
    assert_eq!(plots.columns, ["column_1", "plot", "xutm", "yutm"]);
    assert_eq!(plots.rows.len(), 24);
    let x: f64 = plots
        .column("xutm")
        .iter()
        .map(|cell| cell.parse::<f64>().unwrap())
        .sum();
    near(x, 16_355_459.529837215);
    for (sheet, rows) in [
        ("varlist", 13),
        ("Description", 13),
        ("Frequencies", 305),
        ("Statistics", 9),
        ("Imputation values", 13),
    ] {
        let format = format!(r#"{{"name": "xlsx", "sheet": "{sheet}"}}"#);
        assert_eq!(
            load("education/us_ipeds_eap2023_dictionary.xlsx", &format)
                .rows
                .len(),
            rows,
            "{sheet}"
        );
    }
    let month = load(
        "ugly/unicode_sheet_name.xls",
        r#"{"name": "xls", "sheet": "mês", "header_rows": [1]}"#,
    );
    assert_eq!((month.columns.len(), month.rows.len()), (1, 0));
}

#[test]
fn a_workbook_without_a_table_says_so() {
    let prose = refused(&file("ugly/nhs_dols_assessments.xlsm"), XLSX);
    assert_eq!(
        prose.lines().next().unwrap(),
        "part has no table: sheet `Definitions`: most of its rows hold a single cell"
    );
    let cell = refused(&file("ugly/unicode_sheet_name.xls"), r#""xls""#);
    assert_eq!(
        cell,
        "part has no table: sheet `mês`: it holds a single cell\n  help: name another sheet by `sheet`, or say `header_rows` if it holds a table nonetheless"
    );
}

#[test]
fn what_was_found_reads_the_same() {
    for name in [
        "environment/biodiversity_plot_location.xlsx",
        "ugly/us_fsa_direct_loan_volume_ay2015_16_q4.xls",
        "ugly/undp_hdi_table.html",
    ] {
        let bytes = file(name);
        let found = block_on(async {
            let part = part(name, bytes.clone()).await;
            open(&part, None, None, &ReadOptions::default())
                .await
                .unwrap()
                .format()
        });
        let written = serde_json::to_string(&found).unwrap();
        assert_eq!(spec(&written), found);
        let again = load(name, &written);
        let guessed = guess(name, &bytes).unwrap();
        assert_eq!(
            again,
            load(name, &serde_json::to_string(&guessed).unwrap()),
            "{written}"
        );
    }
}

#[test]
fn tables_of_pages() {
    let spans = load(
        "ugly/rowcolspan.html",
        r#"{"name": "html", "header_rows": []}"#,
    );
    assert_eq!(spans.rows.len(), 10);
    assert_eq!(
        spans.texts()[..4],
        [
            ["05", "06", "06", "08", "09"],
            ["15", "16", "17", "18", "19"],
            ["25", "26", "27", "27", "29"],
            ["25", "36", "27", "27", "39"]
        ]
    );
    let index = load("ugly/undp_hdi_table.html", r#""html""#);
    assert_eq!(
        index.columns,
        ["HDI Rank", "Country", "1990", "1990_2", "2010", "2010_2"]
    );
    // As pandas reads it, with lxml.
    assert_eq!(index.rows.len(), 199);
    assert_eq!(
        index.texts()[0],
        ["..", "Very high human development", "11", "", "6", ""]
    );
}
