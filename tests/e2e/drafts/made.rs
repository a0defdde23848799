//! Files made in the test: old encodings, and a workbook as an office keeps it.

use std::io::{Cursor, Write as _};

/// Vietnamese in windows-1258: letters with their marks taken off where the code page has them apart.
pub(super) fn windows_1258(text: &str) -> Vec<u8> {
    const APART: [(&str, &[u8]); 17] = [
        ("ã", b"a\xDE"),
        ("ườ", b"\xFD\xF5\xCC"),
        ("ầ", b"\xE2\xCC"),
        ("ú", b"\xFA"),
        ("ị", b"i\xF2"),
        ("ỉ", b"i\xD2"),
        ("ê", b"\xEA"),
        ("ồ", b"\xF4\xCC"),
        ("Đ", b"\xD0"),
        ("ệ", b"\xEA\xF2"),
        ("ủ", b"u\xD2"),
        ("đ", b"\xF0"),
        ("ô", b"\xF4"),
        ("ấ", b"\xE2\xEC"),
        ("ộ", b"\xF4\xF2"),
        ("à", b"\xE0"),
        ("á", b"\xE1"),
    ];
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some((letter, apart)) = APART.iter().find(|(letter, _)| rest.starts_with(letter)) {
            bytes.extend_from_slice(apart);
            rest = &rest[letter.len()..];
            continue;
        }
        assert!(first.is_ascii(), "{first}");
        bytes.push(first as u8);
        rest = &rest[1..];
    }
    bytes
}

/// Vietnamese in TCVN 5712:1993 VN3 (ABC): a byte a letter, capitals with marks as small ones.
pub(super) fn tcvn3(text: &str) -> Vec<u8> {
    const LETTERS: [(char, u8); 24] = [
        ('ã', 0xB7),
        ('ư', 0xAD),
        ('ờ', 0xEA),
        ('ê', 0xAA),
        ('Đ', 0xA7),
        ('ị', 0xDE),
        ('ỉ', 0xD8),
        ('ố', 0xE8),
        ('ọ', 0xE4),
        ('ầ', 0xC7),
        ('ú', 0xF3),
        ('ồ', 0xE5),
        ('ệ', 0xD6),
        ('ủ', 0xF1),
        ('ể', 0xD3),
        ('ễ', 0xD4),
        ('á', 0xB8),
        ('ụ', 0xF4),
        ('à', 0xB5),
        ('ô', 0xAB),
        ('â', 0xA9),
        ('ơ', 0xAC),
        ('ă', 0xA8),
        ('đ', 0xAE),
    ];
    text.chars()
        .map(
            |letter| match LETTERS.iter().find(|(known, _)| *known == letter) {
                Some((_, byte)) => *byte,
                None => u8::try_from(u32::from(letter))
                    .ok()
                    .filter(u8::is_ascii)
                    .unwrap(),
            },
        )
        .collect()
}

/// A school list as an office keeps it: a title over all columns, a header of two rows with merged cells, texts for numbers.
pub(super) fn workbook() -> Vec<u8> {
    const ROWS: [&[&str]; 6] = [
        &["DANH SÁCH TRƯỜNG HỌC QUẬN LÊ CHÂN"],
        &[
            "STT",
            "Mã trường",
            "Tên trường",
            "Địa điểm",
            "",
            "Số học sinh",
            "Ngày thành lập",
            "Tọa độ",
            "",
        ],
        &["", "", "", "Địa chỉ", "Phường", "", "", "Vĩ độ", "Kinh độ"],
        &[
            "1",
            "031001",
            "Trường THCS Trần Phú",
            "12 Mê Linh",
            "An Biên",
            "1250",
            "05/09/1959",
            "20,85123",
            "106,67891",
        ],
        &[
            "2",
            "031002",
            "Trường THCS Lê Chân",
            "5 Tô Hiệu",
            "Trại Cau",
            "980",
            "20/11/1987",
            "20,84001",
            "106,68002",
        ],
        &[
            "3",
            "03100A",
            "Trường MN Hoa Sen",
            "9 Hai Bà Trưng",
            "Cát Dài",
            "310",
            "01/06/2010",
            "20,85555",
            "106,68111",
        ],
    ];
    const MERGED: [&str; 8] = [
        "A1:I1", "A2:A3", "B2:B3", "C2:C3", "D2:E2", "F2:F3", "G2:G3", "H2:I2",
    ];
    let mut sheet = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#,
    );
    for (row, cells) in ROWS.iter().enumerate() {
        sheet.push_str(&format!("<row r=\"{}\">", row + 1));
        for (column, text) in cells
            .iter()
            .enumerate()
            .filter(|(_, text)| !text.is_empty())
        {
            let letter = char::from(b'A' + u8::try_from(column).unwrap());
            sheet.push_str(&format!(
                "<c r=\"{letter}{}\" t=\"inlineStr\"><is><t>{text}</t></is></c>",
                row + 1
            ));
        }
        sheet.push_str("</row>");
    }
    let merged = MERGED
        .map(|cells| format!("<mergeCell ref=\"{cells}\"/>"))
        .concat();
    sheet.push_str(&format!(
        "</sheetData><mergeCells count=\"8\">{merged}</mergeCells></worksheet>"
    ));
    const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
    const RELS: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    const BOOK: &str = r#"<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Danh sách" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    const BOOK_RELS: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/worksheets/sheet1.xml", sheet.as_str()),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
