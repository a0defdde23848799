#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use crate::testing::{All, block_on, options, part, read_bytes};
use crate::{FormatError, ReadOptions, open};

fn read(page: &str, format: &str) -> Result<All, FormatError> {
    read_bytes(page.as_bytes(), format, &ReadOptions::default())
}

fn grid(page: &str) -> Vec<Vec<String>> {
    let all = read(page, r#"{"name": "html", "header_rows": []}"#).unwrap();
    assert_eq!(all.broken, []);
    all.texts()
        .into_iter()
        .map(|row| row.into_iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn spans_cover_rows_and_columns() {
    let page = "<table><tr><td rowspan=2>a<td colspan=2>b<td>c</tr><tr><td>d<td rowspan=0>e<td>f<tr><td>g<td>h<td>i</table>";
    assert_eq!(
        grid(page),
        [
            ["a", "b", "b", "c"],
            ["a", "d", "e", "f"],
            ["g", "h", "e", "i"]
        ]
    );
    let sections = "<table><tbody><tr><td rowspan=9>a<td>b</tbody><tbody><tr><td>c<td>d</table>";
    assert_eq!(grid(sections), [["a", "b"], ["c", "d"]]);
}

#[test]
fn broken_pages_are_read_as_browsers_do() {
    let page = "<TABLE><TR><TD>a<TD>b &amp; <b>c<TD>d<TR><TD>e<br>f<TD> &nbsp; g\n\th <TD></TABLE>";
    assert_eq!(grid(page), [["a", "b & c", "d"], ["e f", "g h", ""]]);
    let unclosed = "<table><td>a<td>b<tr><td>c<td>d";
    assert_eq!(grid(unclosed), [["a", "b"], ["c", "d"]]);
    let script = "<table><tr><td>a<script>if (1 < 2) '<td>x'</script><td>b<!-- <td>y --><tr><td>c<style>td{}</style><td>d</table>";
    assert_eq!(grid(script), [["a", "b"], ["c", "d"]]);
}

#[test]
fn tables_inside_tables_are_their_own() {
    let inner = "<table id=in><tr><th>x<th>y<tr><td>1<td>2<tr><td>3<td>4</table>";
    let page = format!(
        "<table id=out><tr><td>menu<td>{inner} after</table><table><tr><td>z<td>w<table><tr><td>q<td>r"
    );
    let largest = read(&page, r#""html""#).unwrap();
    assert_eq!(
        (largest.columns.as_slice(), largest.texts()),
        (
            ["x".to_owned(), "y".to_owned()].as_slice(),
            vec![vec!["1", "2"], vec!["3", "4"]]
        )
    );
    assert_eq!(
        read(
            &page,
            r#"{"name": "html", "table": "out", "header_rows": []}"#
        )
        .unwrap()
        .texts(),
        [["menu", "after"]]
    );
    assert_eq!(
        read(&page, r#"{"name": "html", "table": 4, "header_rows": []}"#)
            .unwrap()
            .texts(),
        [["q", "r"]]
    );
    let captioned = "<table><tr><td>a<td>b<tr><td>c<td>d<tr><td>e<td>f</table><table><caption>Bảng <b>2</b>: trường</caption><tr><td>g<td>h<tr><td>i<td>j</table>";
    assert_eq!(
        read(captioned, r#"{"name": "html", "table": "Bảng 2"}"#)
            .unwrap()
            .columns,
        ["g", "h"]
    );
    let missing = read(captioned, r#"{"name": "html", "table": "Bảng 3"}"#).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "part: no table has the id or caption `Bảng 3`; its tables are: 1 (3 rows), 2 `Bảng 2: trường` (2 rows)"
    );
    assert_eq!(
        read(captioned, r#"{"name": "html", "table": 9}"#)
            .unwrap_err()
            .to_string(),
        "part: it has no table 9; its tables are: 1 (3 rows), 2 `Bảng 2: trường` (2 rows)"
    );
    for none in [
        "<html><body>404</body></html>",
        "<table><tr><td>only</table>",
    ] {
        let error = read(none, r#""html""#).unwrap_err();
        assert!(matches!(error, FormatError::NoTable { .. }), "{error}");
    }
}

#[test]
fn headers_of_several_rows() {
    let page = "<table><thead><tr><th colspan=3>Title</th></tr><tr><th rowspan=2>Quận</th><th colspan=2>Học sinh</th></tr><tr><th>Nam</th><th>Nữ</th></tr></thead>\
        <tbody><tr><th>An Dương</th><td>10</td><td>12</td></tr><tr><th>Tổng</th><td>10</td><td>12</td></tr><tr><td colspan=3>Nguồn: Sở</td></tr></tbody></table>";
    let all = read(
        page,
        r#"{"name": "html", "drop_rows": "^Tổng", "footer": "^Nguồn"}"#,
    )
    .unwrap();
    assert_eq!(all.columns, ["Quận", "Học sinh Nam", "Học sinh Nữ"]);
    assert_eq!(all.texts(), [["An Dương", "10", "12"]]);
    assert_eq!(
        (
            all.rows.keys().copied().collect::<Vec<_>>(),
            all.dropped.as_slice()
        ),
        (vec![4], [5].as_slice())
    );
    let choices = block_on(async {
        let part = part("a.xls", page).await;
        let opened = open(&part, None, None, &ReadOptions::default())
            .await
            .unwrap();
        assert_eq!(opened.format().name(), "html");
        opened
            .choices()
            .iter()
            .map(|choice| format!("{}: {} ({})", choice.what, choice.value, choice.why))
            .collect::<Vec<_>>()
    });
    insta::assert_snapshot!(choices.join("\n"));
}

#[test]
fn encodings_that_pages_declare() {
    let (page, _, _) = encoding_rs::WINDOWS_1252
        .encode("<meta charset=windows-1252><table><tr><td>caf\u{e9}<td>b<tr><td>1<td>2</table>");
    let all = read_bytes(&page, r#""html""#, &ReadOptions::default()).unwrap();
    assert_eq!(all.columns, ["café", "b"]);
    let utf16: Vec<u8> = "\u{feff}<table><tr><td>Trường<td>b<tr><td>1<td>2</table>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(
        read_bytes(&utf16, r#""html""#, &ReadOptions::default())
            .unwrap()
            .columns,
        ["Trường", "b"]
    );
}

#[test]
fn rows_that_swell_are_refused() {
    let long = "x".repeat(40_000);
    let page = format!("<table><tr><td>a<td>b<tr><td colspan=1000>{long}<td>c</table>");
    let error = read(&page, r#""html""#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "part: row 2 is longer than 16777216 bytes"
    );
    let wide = format!(
        "<table><tr>{}<tr><td>a<td>b</table>",
        "<td colspan=1000>a".repeat(20)
    );
    assert!(
        read(&wide, r#""html""#)
            .unwrap_err()
            .to_string()
            .starts_with("part: row 1 has more than 16384 columns")
    );
}

proptest! {
    #[test]
    fn no_page_panics(tags in prop::collection::vec("<(/?(table|tr|td|th|caption|thead|script|p)|td rowspan=[0-9]{1,5}|td colspan=[0-9]{1,5})>|[a-zà-ỹ&;<]{0,5}", 0..60)) {
        let page = format!("<table>{}", tags.concat());
        drop(read(&page, r#""html""#));
        drop(read_bytes(page.as_bytes(), r#"{"name": "html", "header_rows": []}"#, &options(60, 1, 3)));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(read_bytes(&bytes, r#""html""#, &ReadOptions::default()));
    }
}
