#![expect(clippy::unwrap_used, reason = "tests")]

mod damaged;
mod headings;
mod ods;
mod real_files;
mod sheets;
mod values;
mod xls;

use crate::testing::{All, archive, read_bytes};
use crate::{FormatError, ReadOptions};

const XLSX: &str = r#"{"name": "xlsx"}"#;

/// What a test workbook says of its sheets.
struct Book<'a> {
    /// Name, state, and the XML of rows and of what follows them.
    sheets: &'a [(&'a str, &'a str, String)],
    shared: &'a [&'a str],
    workbook: &'a str,
}

/// A workbook as XML in a zip archive.
fn book(book: &Book<'_>) -> Vec<u8> {
    let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let (mut named, mut related) = (String::new(), String::new());
    let mut members = Vec::new();
    for (index, (name, state, rows)) in book.sheets.iter().enumerate() {
        named += &format!(
            r#"<sheet name="{name}" sheetId="{index}" state="{state}" r:id="rId{index}"/>"#
        );
        related += &format!(
            r#"<Relationship Id="rId{index}" Type="{relation}/worksheet" Target="worksheets/sheet{index}.xml"/>"#
        );
        let sheet = format!(
            r#"<?xml version="1.0"?><worksheet xmlns="{main}"><dimension ref="A1"/><sheetData>{rows}</worksheet>"#
        );
        members.push((format!("xl/worksheets/sheet{index}.xml"), sheet));
    }
    related += &format!(
        r#"<Relationship Id="s" Type="{relation}/styles" Target="/xl/styles.xml"/><Relationship Id="t" Type="{relation}/sharedStrings" Target="sharedStrings.xml"/>"#
    );
    let shared: String = book
        .shared
        .iter()
        .map(|text| format!("<si>{text}</si>"))
        .collect();
    let formats = r#"<numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>"#;
    let styles = format!(
        r#"<styleSheet xmlns="{main}">{formats}<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="21"/><xf numFmtId="46"/><xf numFmtId="9"/><xf numFmtId="164"/></cellXfs></styleSheet>"#
    );
    let root = format!(
        r#"<Relationships xmlns="{package}/relationships"><Relationship Id="r" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    members.extend([
        ("[Content_Types].xml".to_owned(), format!(r#"<Types xmlns="{package}/content-types"></Types>"#)),
        ("_rels/.rels".to_owned(), root),
        ("xl/workbook.xml".to_owned(), format!(r#"<workbook xmlns="{main}" xmlns:r="{relation}">{}<sheets>{named}</sheets></workbook>"#, book.workbook)),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!(r#"<Relationships xmlns="{package}/relationships">{related}</Relationships>"#)),
        ("xl/styles.xml".to_owned(), styles),
        ("xl/sharedStrings.xml".to_owned(), format!(r#"<sst xmlns="{main}">{shared}</sst>"#)),
    ]);
    let members: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    archive(&members)
}

/// A workbook of one sheet.
fn sheet(rows: &str) -> Vec<u8> {
    book(&Book {
        sheets: &[("Trường", "visible", format!("{rows}</sheetData>"))],
        shared: &[],
        workbook: "",
    })
}

/// The XML of a row of texts; empty ones are no cells.
fn row(number: u32, first: char, texts: &[&str]) -> String {
    let cells: String = (first..)
        .zip(texts)
        .filter(|(_, text)| !text.is_empty())
        .map(|(column, text)| cell(&format!("{column}{number}"), text))
        .collect();
    format!(r#"<row r="{number}">{cells}</row>"#)
}

/// A cell of text, or of a number where it is one.
fn cell(place: &str, text: &str) -> String {
    match text.parse::<f64>() {
        Ok(_) if !text.starts_with('0') => format!(r#"<c r="{place}"><v>{text}</v></c>"#),
        _ => format!(r#"<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>"#),
    }
}

fn read(bytes: &[u8], format: &str) -> Result<All, FormatError> {
    read_bytes(bytes, format, &ReadOptions::default())
}

fn refused(bytes: &[u8], format: &str) -> String {
    let error = read(bytes, format).unwrap_err();
    format!("{error}\n  help: {}", error.help().unwrap_or_default())
}
