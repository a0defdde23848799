use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::testing::{options, read_bytes};

const ODS: &str = r#"{"name": "ods"}"#;

/// A workbook of these tables.
fn ods(tables: &str) -> Vec<u8> {
    members(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", &content(tables)),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
    ])
}

fn content(tables: &str) -> String {
    let hidden = r#"<style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>"#;
    format!(
        "<?xml version=\"1.0\"?><office:document-content><office:automatic-styles>{hidden}</office:automatic-styles><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
}

fn members(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, text) in members {
        writer.start_file(*name, stored).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn table(name: &str, rows: &str) -> String {
    format!(
        r#"<table:table table:name="{name}" table:style-name="ta1"><table:table-column/>{rows}</table:table>"#
    )
}

fn text(text: &str) -> String {
    format!(
        r#"<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>"#
    )
}

fn row(cells: &str) -> String {
    format!("<table:table-row>{cells}</table:table-row>")
}

#[test]
fn cells_as_text() {
    let values = [
        r#"<table:table-cell office:value-type="float" office:value="1.50"><text:p>1,5</text:p></table:table-cell>"#,
        r#"<table:table-cell office:value-type="percentage" office:value="0.25"><text:p>25 %</text:p></table:table-cell>"#,
        r#"<table:table-cell office:value-type="date" office:date-value="2025-01-01T00:00:00"><text:p>1.1.25</text:p></table:table-cell>"#,
        r#"<table:table-cell office:value-type="time" office:time-value="PT36H05M00.500S"><text:p>36:05</text:p></table:table-cell>"#,
        r#"<table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>WAHR</text:p></table:table-cell>"#,
        r#"<table:table-cell office:value-type="string"><text:p>An<text:s text:c="2"/>Dương &amp; <text:span>b</text:span></text:p><text:p>c</text:p><office:annotation><text:p>no</text:p></office:annotation></table:table-cell>"#,
    ]
    .concat();
    let header: String = ["a", "b", "c", "d", "e", "f"].map(text).concat();
    let rows = [row(&header), row(&values), r#"<table:table-row table:number-rows-repeated="3"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#.to_owned(), row(&text("last")), r#"<table:table-row table:number-rows-repeated="1048570"/>"#.to_owned()].concat();
    let bytes = ods(&table("Trường", &rows));
    let all = read(&bytes, ODS).unwrap();
    assert_eq!(
        all.texts(),
        [
            [
                "1.5",
                "0.25",
                "2025-01-01",
                "36:05:00.5",
                "true",
                "An  Dương & b\nc"
            ],
            ["last", "", "", "", "", ""]
        ]
    );
    assert_eq!(all.rows.keys().copied().collect::<Vec<_>>(), [2, 6]);
    assert_eq!(crate::guess("a.zip", &bytes).unwrap().name(), "ods");
}

#[test]
fn sheets_spans_and_repeats() {
    let header = row(&[
        r#"<table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>Quận</text:p></table:table-cell>"#,
        r#"<table:table-cell table:number-columns-spanned="2" office:value-type="string"><text:p>Học sinh</text:p></table:table-cell><table:covered-table-cell/>"#,
    ].concat());
    let second = row(&format!(
        "<table:covered-table-cell/>{}{}",
        text("Nam"),
        text("Nữ")
    ));
    let data = r#"<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3" office:value-type="float" office:value="7"/></table:table-row>"#;
    let down = row(&format!(
        r#"<table:table-cell table:number-rows-spanned="2" office:value-type="string"><text:p>An Dương</text:p></table:table-cell>{}"#,
        text("1")
    ));
    let below = row(&format!("<table:covered-table-cell/>{}", text("2")));
    let failed = row(
        r#"<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>"#,
    );
    let hidden = r#"<table:table table:name="ẩn" table:style-name="ta2"/>"#;
    let bytes = ods(&format!(
        "{hidden}{}",
        table(
            "b",
            &[header, second, data.to_owned(), down, below, failed].concat()
        )
    ));
    let all = read(&bytes, r#"{"name": "ods", "header_rows": [1, 2]}"#).unwrap();
    assert_eq!(all.columns, ["Quận", "Học sinh Nam", "Học sinh Nữ"]);
    assert_eq!(
        all.texts(),
        [
            ["7", "7", "7"],
            ["7", "7", "7"],
            ["An Dương", "1", ""],
            ["An Dương", "2", ""]
        ]
    );
    assert_eq!(
        all.reasons(),
        [(
            7,
            "cell A7 holds the formula error #DIV/0!; `formula_errors` says what becomes of such cells"
        )]
    );
    assert!(refused(&bytes, r#"{"name": "ods", "sheet": "c"}"#).contains("its sheets are: ẩn, b"));
}

#[test]
fn what_is_locked_or_cut_off_says_so() {
    let locked = members(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", "garbage"),
        ("META-INF/manifest.xml", "<manifest:encryption-data/>"),
    ]);
    assert!(
        refused(&locked, ODS)
            .starts_with("part: the workbook cannot be read: it is encrypted: it needs a password")
    );
    let whole = content(&table("a", &row(&text("a"))));
    let cut = members(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", &whole[..whole.len() - 60]),
    ]);
    assert!(refused(&cut, ODS).starts_with("part: the workbook cannot be read: it ends inside `office:spreadsheet`: the file was cut off"));
    let beyond = r#"<table:table-row table:number-rows-repeated="1048577"><table:table-cell office:value-type="float" office:value="7"/></table:table-row>"#;
    assert!(
        refused(&ods(&table("a", beyond)), ODS)
            .contains("row 1 is repeated 1048577 times, beyond the last row of a sheet")
    );
}

proptest! {
    #[test]
    fn no_document_panics(tags in prop::collection::vec("</?(table:table|table:table-row|table:table-cell|text:p|office:spreadsheet)( table:number-(rows|columns)-(repeated|spanned)=\"[0-9]{1,3}\")?/?>|[a-z&;<]{0,5}", 0..40)) {
        drop(read(&ods(&table("a", &tags.concat())), ODS));
        drop(read_bytes(&ods(&tags.concat()), ODS, &options(500, 2, 3)));
    }
}
