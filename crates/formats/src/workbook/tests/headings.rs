//! Headers of several rows and rows of units that nobody declares.

use super::*;
use crate::testing::{archive, block_on, part};
use crate::{FormatSpec, Sample, sample};

/// Titles, a header of two rows, units, data, a total and a source, as a department's table has them.
fn students(merged: &[&str]) -> Vec<u8> {
    let mut rows = row(1, 'A', &["SỞ GIÁO DỤC VÀ ĐÀO TẠO HẢI PHÒNG"])
        + &row(2, 'A', &["Bảng 1. Số học sinh năm học 2023-2024"])
        + &row(
            4,
            'A',
            &["STT", "Quận/huyện", "Số học sinh", "", "", "Số trường"],
        )
        + &row(5, 'A', &["", "", "Tổng số", "Nam", "Nữ"])
        + &row(6, 'A', &["", "", "người", "người", "người", "trường"]);
    for (number, name) in (1..).zip(["Hồng Bàng", "Lê Chân", "Ngô Quyền", "Kiến An", "Hải An"])
    {
        let cells = [
            1000 * number + 7,
            500 * number + 3,
            500 * number + 4,
            10 + number,
        ];
        let cells = cells.map(|cell: u32| cell.to_string());
        let [all, boys, girls, schools] = cells.each_ref().map(String::as_str);
        rows += &row(
            6 + number,
            'A',
            &[&number.to_string(), name, all, boys, girls, schools],
        );
    }
    rows += &row(12, 'A', &["", "Tổng cộng", "15035", "7515", "7520", "65"]);
    rows += &row(13, 'A', &["Nguồn: Sở GDĐT"]);
    let merged: String = merged
        .iter()
        .map(|area| format!(r#"<mergeCell ref="{area}"/>"#))
        .collect();
    book(&Book {
        sheets: &[(
            "Biểu 01",
            "visible",
            format!("{rows}</sheetData><mergeCells>{merged}</mergeCells>"),
        )],
        shared: &[],
        workbook: "",
    })
}

fn sampled(bytes: Vec<u8>) -> Result<Sample, FormatError> {
    block_on(async {
        let part = part("students.xlsx", bytes).await;
        sample(&part, None, None, 100, &ReadOptions::default()).await
    })
}

const MERGED: &[&str] = &["A4:A5", "B4:B5", "C4:E4", "F4:F5"];

#[test]
fn merged_cells_tell_the_header_and_words_the_units() {
    let found = sampled(students(MERGED)).unwrap();
    let names: Vec<&str> = found
        .schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(
        names,
        [
            "STT",
            "Quận/huyện",
            "Số học sinh Tổng số",
            "Số học sinh Nam",
            "Số học sinh Nữ",
            "Số trường"
        ]
    );
    assert_eq!(found.rows[0][1].as_deref(), Some("Hồng Bàng"));
    assert_eq!(found.schema.field(2).metadata()["unit"], "người");
    let FormatSpec::Xlsx(format) = &found.format else {
        unreachable!("it is a workbook")
    };
    assert_eq!(
        (format.header_rows.as_deref(), format.units_row),
        (Some(&[4, 5][..]), Some(6))
    );
    let again = read(
        &students(MERGED),
        &serde_json::to_string(&found.format).unwrap(),
    )
    .unwrap();
    assert_eq!(again, read(&students(MERGED), XLSX).unwrap());
    assert_eq!(again.rows.len(), 7);
}

#[test]
fn without_merged_cells_the_likely_header_is_told() {
    let refused = refused(&students(&[]), XLSX);
    assert!(
        refused.contains("likely is `header_rows: [4, 5], units_row: 6`"),
        "{refused}"
    );
}

#[test]
fn cells_that_are_merged_down_in_the_data_are_no_header() {
    let rows = row(1, 'A', &["tỉnh", "huyện", "n"])
        + &row(2, 'A', &["Hải Phòng", "Lê Chân", "x"])
        + &row(3, 'A', &["", "Kiến An", "y"])
        + &row(4, 'A', &["Huế", "Phú Vang", "z"]);
    let bytes = book(&Book {
        sheets: &[(
            "a",
            "visible",
            format!(r#"{rows}</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells>"#),
        )],
        shared: &[],
        workbook: "",
    });
    let all = read(&bytes, XLSX).unwrap();
    assert_eq!(all.columns, ["tỉnh", "huyện", "n"]);
    assert_eq!(all.texts()[1][0], "Hải Phòng");
}

#[test]
fn a_row_of_data_is_no_row_of_units() {
    let rows = row(1, 'A', &["đơn vị", "loại", "n"])
        + &row(2, 'A', &["Trường", "lớp", ""])
        + &row(3, 'A', &["Phòng", "lớp", "5"]);
    assert_eq!(read(&sheet(&rows), XLSX).unwrap().rows.len(), 2);
}

/// What comes first in the archive, and is longer than what formats are guessed from.
fn noise() -> Vec<u8> {
    (0..200_000_u64)
        .map(|index| (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

#[test]
fn a_workbook_is_known_by_its_directory() {
    let noise = noise();
    let bytes = students(MERGED);
    let mut unpacked = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut members = vec![("docProps/thumbnail.jpeg".to_owned(), noise.clone())];
    for index in 0..unpacked.len() {
        let mut member = unpacked.by_index(index).unwrap();
        let mut content = Vec::new();
        std::io::copy(&mut member, &mut content).unwrap();
        members.push((member.name().unwrap().into_owned(), content));
    }
    let members: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_slice()))
        .collect();
    assert_eq!(sampled(archive(&members)).unwrap().format.name(), "xlsx");
    let cell = "<table:table-row><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>";
    let table = format!("<table:table table:name=\"a\">{cell}{cell}</table:table>");
    let document = format!(
        "<office:document-content><office:body><office:spreadsheet>{table}</office:spreadsheet></office:body></office:document-content>"
    );
    let ods = archive(&[
        ("Thumbnails/thumbnail.png", &noise),
        ("content.xml", document.as_bytes()),
        (
            "mimetype",
            b"application/vnd.oasis.opendocument.spreadsheet",
        ),
    ]);
    assert_eq!(sampled(ods).unwrap().format.name(), "ods");
    // The beginning names a folder as a workbook has it.
    let other = archive(&[("xl/a.csv", b"a,b\n1,2\n")]);
    assert!(matches!(sampled(other), Err(FormatError::IsArchive { .. })));
}
