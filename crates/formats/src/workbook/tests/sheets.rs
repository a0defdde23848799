use super::*;
use crate::testing::{block_on, part, spec};
use crate::{Choice, open};

fn choices(bytes: &[u8], format: &str) -> Vec<Choice> {
    block_on(async {
        let part = part("a.xlsx", bytes).await;
        open(&part, None, Some(&spec(format)), &ReadOptions::default())
            .await
            .unwrap()
            .choices()
            .to_vec()
    })
}

fn months(names: &[(&str, &str)]) -> Vec<u8> {
    let sheets: Vec<(&str, &str, String)> = names
        .iter()
        .map(|(name, state)| {
            (
                *name,
                *state,
                format!(
                    "{}{}</sheetData>",
                    row(1, 'A', &["trạm", "mưa"]),
                    row(2, 'A', &["Phù Liễn", "12.5"])
                ),
            )
        })
        .collect();
    book(&Book {
        sheets: &sheets,
        shared: &[],
        workbook: "",
    })
}

#[test]
fn a_sheet_by_name_or_pattern() {
    let bytes = months(&[
        ("ẩn", "hidden"),
        ("Tháng 1", "visible"),
        ("Tháng 2", "visible"),
        ("Tháng 3", "veryHidden"),
    ]);
    let first = read(&bytes, XLSX).unwrap();
    assert_eq!(first.columns, ["trạm", "mưa"]);
    assert_eq!(choices(&bytes, XLSX)[0].value, "Tháng 1");
    assert_eq!(
        choices(&bytes, XLSX)[0].why,
        "the first visible sheet; others: ẩn, Tháng 2, Tháng 3"
    );
    assert_eq!(
        read(&bytes, r#"{"name": "xlsx", "sheet": "ẩn"}"#)
            .unwrap()
            .rows
            .len(),
        1
    );
    let several = read(
        &bytes,
        r#"{"name": "xlsx", "sheet": {"pattern": "^Tháng"}}"#,
    )
    .unwrap();
    assert_eq!(several.columns, ["trạm", "mưa", "_sheet"]);
    assert_eq!(
        several.texts(),
        [
            ["Phù Liễn", "12.5", "Tháng 1"],
            ["Phù Liễn", "12.5", "Tháng 2"]
        ]
    );
    assert_eq!(
        several.rows.keys().copied().collect::<Vec<_>>(),
        [1_048_578, 2_097_154]
    );
    assert_eq!(
        refused(&bytes, r#"{"name": "xlsx", "sheet": "c"}"#),
        "part has no sheet `c`\n  help: its sheets are: ẩn, Tháng 1, Tháng 2, Tháng 3"
    );
    assert!(
        refused(&months(&[("a", "hidden")]), XLSX)
            .starts_with("part: the workbook cannot be read: it has no visible sheet of cells")
    );
}

#[test]
fn sheets_of_different_tables_are_not_one() {
    let other = format!(
        "{}{}</sheetData>",
        row(1, 'A', &["trạm", "nắng"]),
        row(2, 'A', &["Phù Liễn", "12.5"])
    );
    let one = format!(
        "{}{}</sheetData>",
        row(1, 'A', &["trạm", "mưa"]),
        row(2, 'A', &["Phù Liễn", "12.5"])
    );
    let bytes = book(&Book {
        sheets: &[("a1", "visible", one), ("a2", "visible", other)],
        shared: &[],
        workbook: "",
    });
    assert!(
        refused(&bytes, r#"{"name": "xlsx", "sheet": {"pattern": "a"}}"#).starts_with(
            "part: sheet `a2` is another table: column B is `mưa` in the first and `nắng` in this"
        )
    );
}

/// Titles, a banner over two columns, names, units, data, a total, a note.
fn report() -> Vec<u8> {
    let rows = [
        row(1, 'A', &["BÁO CÁO"]),
        row(3, 'A', &["STT", "Trường", "Học sinh"]),
        row(4, 'C', &["Nam", "Nữ"]),
        row(5, 'C', &["người", "người"]),
        row(6, 'A', &["1", "An Dương", "10", "12"]),
        row(7, 'A', &["2", "An Dương 2", "11", "13"]),
        row(8, 'A', &["Tổng cộng", "", "21", "25"]),
        row(9, 'A', &["3", "Hồng Bàng", "9", "8"]),
        row(11, 'A', &["Nguồn: Sở Giáo dục"]),
        row(12, 'A', &["4", "not data", "1", "2"]),
    ];
    let merged = r#"</sheetData><mergeCells count="3"><mergeCell ref="A3:A4"/><mergeCell ref="B3:B4"/><mergeCell ref="C3:D3"/></mergeCells>"#;
    book(&Book {
        sheets: &[("a", "visible", rows.concat() + merged)],
        shared: &[],
        workbook: "",
    })
}

#[test]
fn a_header_of_merged_cells_units_totals_and_a_footer() {
    let format = r#"{"name": "xlsx", "header_rows": [3, 4], "units_row": 5, "drop_rows": "^Tổng", "footer": "^Nguồn"}"#;
    let all = read(&report(), format).unwrap();
    assert_eq!(
        all.columns,
        ["STT", "Trường", "Học sinh Nam", "Học sinh Nữ"]
    );
    assert_eq!(all.column("Học sinh Nam"), ["10", "11", "9"]);
    assert_eq!((all.broken.len(), all.rows.len()), (0, 3));
    let chosen = choices(&report(), format);
    assert_eq!(chosen[1].value, "Học sinh Nam: người, Học sinh Nữ: người");
    let unit = block_on(async {
        let part = part("a.xlsx", report()).await;
        let opened = open(&part, None, Some(&spec(format)), &ReadOptions::default())
            .await
            .unwrap();
        opened.schema().field(2).metadata().get("unit").cloned()
    });
    assert_eq!(unit.as_deref(), Some("người"));
    for wrong in [
        r#""header_rows": [0]"#,
        r#""header_rows": [4, 3]"#,
        r#""units_row": 0"#,
        r#""columns": "3""#,
        r#""columns": "D:A""#,
        r#""footer": "(""#,
        r#""fill_down": ["Truong"]"#,
    ] {
        let error = refused(&report(), &format!(r#"{{"name": "xlsx", {wrong}}}"#));
        assert!(
            error.starts_with("part: format option `") || wrong.contains("fill"),
            "{error}"
        );
    }
    assert_eq!(
        refused(
            &report(),
            r#"{"name": "xlsx", "header_rows": [3, 4], "fill_down": ["Truong"]}"#
        ),
        "part: format option `fill_down`: there is no column `Truong`; did you mean `Trường`?\n  help: mend it in the pipeline's `format:`"
    );
    assert!(
        refused(&report(), r#"{"name": "xlsx", "header_rows": [2]}"#)
            .starts_with("part has no header: row 2 of sheet `a` is empty")
    );
}

#[test]
fn the_header_is_found_only_where_it_is_certain() {
    let titles = [
        row(1, 'A', &["Tọa độ"]),
        row(2, 'A', &["https://example.org/a"]),
        row(4, 'B', &["plot", "x", "y"]),
        row(5, 'A', &["0", "1", "681222.1", "3"]),
        row(6, 'A', &["1", "2", "681223.1", "4"]),
    ]
    .concat();
    let bytes = sheet(&titles);
    let all = read(&bytes, XLSX).unwrap();
    assert_eq!(all.columns, ["column_1", "plot", "x", "y"]);
    assert_eq!(all.rows.len(), 2);
    let found = &choices(&bytes, XLSX)[1];
    assert_eq!(
        (found.what, found.value.as_str(), found.why.as_str()),
        (
            "header_rows",
            "[4]",
            "the first row that names 3 of 4 used columns; rows left out above it: 1, 2"
        )
    );
    let prose: String = (1..20)
        .map(|number| row(number, 'B', &["a sentence that goes on"]))
        .collect::<String>()
        + &row(20, 'B', &["a", "b"]);
    assert!(
        refused(&sheet(&prose), XLSX)
            .starts_with("part has no table: sheet `Trường`: most of its rows hold a single cell")
    );
    let numbers = [
        row(1, 'A', &["t"]),
        row(2, 'A', &["1", "2", "3"]),
        row(3, 'A', &["4", "5", "6"]),
    ]
    .concat();
    assert!(
        refused(&sheet(&numbers), XLSX)
            .starts_with("part has no header: sheet `Trường`: no row is sure to be the header")
    );
    assert_eq!(
        read(
            &sheet(&numbers),
            r#"{"name": "xlsx", "header_rows": [], "skip_rows": 1}"#
        )
        .unwrap()
        .texts(),
        [["1", "2", "3"], ["4", "5", "6"]]
    );
    assert!(refused(&sheet(""), XLSX).starts_with("part has no table: sheet `Trường` is empty"));
}

#[test]
fn cells_take_the_value_above() {
    let rows = [
        row(1, 'A', &["năm", "tháng", "mưa"]),
        row(2, 'A', &["2012", "1", "5"]),
        row(3, 'B', &["2", "6"]),
        row(4, 'A', &["2013", "1", "7"]),
        row(5, 'B', &["2", ""]),
        row(6, 'B', &["3", "9"]),
    ]
    .concat();
    let down = read(&sheet(&rows), r#"{"name": "xlsx", "fill_down": ["năm"]}"#).unwrap();
    assert_eq!(down.column("năm"), ["2012", "2012", "2013", "2013", "2013"]);
    assert_eq!(down.column("mưa"), ["5", "6", "7", "", "9"]);
    let merged = format!(
        r#"{rows}</sheetData><mergeCells><mergeCell ref="A2:A3"/><mergeCell ref="A4:A5"/></mergeCells>"#
    );
    let bytes = book(&Book {
        sheets: &[("a", "visible", merged)],
        shared: &[],
        workbook: "",
    });
    assert_eq!(
        read(&bytes, XLSX).unwrap().column("năm"),
        ["2012", "2012", "2013", "2013", ""]
    );
    assert_eq!(
        choices(&bytes, XLSX)[2].why,
        "2 cells are merged downwards: each row they cover has their value"
    );
}

#[test]
fn cells_typed_in_fonts_of_old_encodings() {
    let rows = [
        row(1, 'A', &["Tr\u{AD}êng", "Sè"]),
        row(2, 'A', &["TiÓu häc", "1"]),
        row(3, 'A', &["Trần Phú", "2"]),
        row(4, 'A', &["Tæng céng", "3"]),
    ];
    let format = r#"{"name": "xlsx", "encoding": "tcvn3", "drop_rows": "^Tổng cộng"}"#;
    let all = read(&sheet(&rows.concat()), format).unwrap();
    assert_eq!(all.columns, ["Trường", "Số"]);
    assert_eq!(all.texts(), [["Tiểu học", "1"], ["Trần Phú", "2"]]);
    assert_eq!(all.dropped, [4]);
}
