#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::testing::{archive, options, read_bytes};

const XLSX: &str = r#"{"name": "xlsx"}"#;

/// A workbook of one sheet per name, all with the same rows.
fn workbook_of(sheets: &[&str], rows: &str) -> Vec<u8> {
    let all = |each: &dyn Fn(usize, &str) -> String| {
        sheets
            .iter()
            .enumerate()
            .map(|(index, name)| each(index + 1, name))
            .collect::<String>()
    };
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let named = all(&|index, name| {
        format!(r#"<sheet name="{name}" sheetId="{index}" r:id="rId{index}"/>"#)
    });
    let book = format!(
        r#"<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>{named}</sheets></workbook>"#
    );
    let related = all(&|index, _| {
        format!(
            r#"<Relationship Id="rId{index}" Type="{relation}/worksheet" Target="worksheets/sheet{index}.xml"/>"#
        )
    });
    let related =
        format!(r#"<Relationships xmlns="{package}/relationships">{related}</Relationships>"#);
    let styles = format!(
        r#"<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="21"/><xf numFmtId="46"/></cellXfs></styleSheet>"#
    );
    let root = format!(
        r#"<Relationships xmlns="{package}/relationships"><Relationship Id="r" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let types = format!(r#"<Types xmlns="{package}/content-types"></Types>"#);
    let sheet = format!(r#"<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>"#);
    let mut members = vec![
        ("[Content_Types].xml".to_owned(), types),
        ("_rels/.rels".to_owned(), root),
        ("xl/workbook.xml".to_owned(), book),
        ("xl/_rels/workbook.xml.rels".to_owned(), related),
        ("xl/styles.xml".to_owned(), styles),
    ];
    members.extend(
        (1..=sheets.len()).map(|index| (format!("xl/worksheets/sheet{index}.xml"), sheet.clone())),
    );
    let members: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    archive(&members)
}

fn text_cell(place: &str, text: &str) -> String {
    format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#)
}

fn rows() -> String {
    let header = [
        text_cell("B2", "mã"),
        text_cell("C2", ""),
        text_cell("D2", "ngày"),
    ]
    .concat();
    let first = [
        text_cell("B3", "01"),
        r#"<c r="C3"><v>1.5</v></c><c r="D3" s="1"><v>45658</v></c>"#.to_owned(),
    ]
    .concat();
    let second =
        r#"<c r="B5"><v>12</v></c><c r="C5" t="b"><v>1</v></c><c r="D5" s="2"><v>45658.5</v></c>"#;
    let third = r#"<c r="B6" s="3"><v>0.25</v></c><c r="C6" s="4"><v>1.5</v></c><c r="D6" t="e"><v>#N/A</v></c>"#;
    let beyond = r#"<c r="F7"><v>9</v></c>"#;
    format!(
        r#"<row r="2">{header}</row><row r="3">{first}</row><row r="5">{second}</row><row r="6">{third}</row><row r="7">{beyond}</row>"#
    )
}

#[test]
fn cells_as_text() {
    let bytes = workbook_of(&["Trường", "b"], &rows());
    for batch_rows in 1..5 {
        let all = read_bytes(
            &bytes,
            XLSX,
            &ReadOptions {
                batch_rows,
                ..ReadOptions::default()
            },
        )
        .unwrap();
        assert_eq!(all.columns, ["mã", "column_2", "ngày"]);
        let expected = [
            ["01", "1.5", "2025-01-01"],
            ["12", "true", "2025-01-01T12:00:00"],
            ["06:00:00", "36:00:00", "#N/A"],
        ];
        assert_eq!(all.texts(), expected);
        assert_eq!(
            all.reasons(),
            [(4, "its cell in column F stands under no header")]
        );
    }
    assert_eq!(crate::guess("a.zip", &bytes).unwrap().name(), "xlsx");
}

#[test]
fn sheets_and_header_rows() {
    let bytes = workbook_of(&["Trường", "b"], &rows());
    let second = read_bytes(
        &bytes,
        r#"{"name": "xlsx", "sheet": "b", "header_rows": [2, 3]}"#,
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(second.columns, ["mã 01", "1.5", "ngày 2025-01-01"]);
    assert_eq!(second.rows.len(), 2);
    let missing = read_bytes(
        &bytes,
        r#"{"name": "xlsx", "sheet": "c"}"#,
        &ReadOptions::default(),
    )
    .unwrap_err();
    assert_eq!(missing.to_string(), "part has no sheet `c`");
    assert_eq!(missing.help().unwrap(), "its sheets are: Trường, b");
    let empty = read_bytes(
        &bytes,
        r#"{"name": "xlsx", "header_rows": [4]}"#,
        &ReadOptions::default(),
    )
    .unwrap_err();
    assert_eq!(
        empty.to_string(),
        "part has no header: row 4 of sheet `Trường` is empty"
    );
    let nothing = read_bytes(&workbook_of(&["a"], ""), XLSX, &ReadOptions::default()).unwrap_err();
    assert_eq!(
        nothing.to_string(),
        "part has no header: sheet `a` is empty"
    );
}

#[test]
fn large_workbooks_are_refused() {
    let bytes = workbook_of(&["a"], &rows());
    let bounds = ReadOptions {
        memory_bytes_max: 200,
        ..ReadOptions::default()
    };
    let error = read_bytes(&bytes, XLSX, &bounds).unwrap_err();
    assert!(
        matches!(error, FormatError::TooLarge { bound: 200, .. }),
        "{error}"
    );
    let swollen = workbook_of(&["a"], &" ".repeat(100_000));
    let bounds = ReadOptions {
        unpacked_bytes_max: 50_000,
        ..ReadOptions::default()
    };
    let error = read_bytes(&swollen, XLSX, &bounds).unwrap_err();
    assert!(
        matches!(error, FormatError::TooLarge { bound: 50_000, .. }),
        "{error}"
    );
}

#[test]
fn columns_as_excel_names_them() {
    let named: Vec<String> = [0, 25, 26, 27, 51, 52, 701, 702]
        .into_iter()
        .map(letters)
        .collect();
    assert_eq!(named, ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), at in 0_usize..2000, rows in "[<>/a-z =\"0-9]{0,60}") {
        drop(read_bytes(&bytes, XLSX, &options(1000, 1, 3)));
        drop(read_bytes(&workbook_of(&["a"], &rows), XLSX, &ReadOptions::default()));
        let mut damaged = workbook_of(&["a"], &self::rows());
        for (index, byte) in bytes.iter().take(3).enumerate() {
            let at = (at + index * 91) % damaged.len();
            damaged[at] = *byte;
        }
        drop(read_bytes(&damaged, XLSX, &ReadOptions::default()));
    }
}
