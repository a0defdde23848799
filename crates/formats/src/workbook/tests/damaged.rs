use proptest::prelude::*;

use super::*;
use crate::composed::composed;
use crate::testing::{options, read_bytes};

fn small() -> Vec<u8> {
    sheet(&[row(1, 'A', &["a", "b"]), row(2, 'A', &["x", "2"])].concat())
}

#[test]
fn large_workbooks_are_refused() {
    let shared = "x".repeat(3000);
    let text = format!("<t>{shared}</t>");
    let rows = format!("{}</sheetData>", row(1, 'A', &["a"]));
    let bytes = book(&Book {
        sheets: &[("a", "visible", rows)],
        shared: &[&text],
        workbook: "",
    });
    let bounds = ReadOptions {
        memory_bytes_max: 2000,
        ..ReadOptions::default()
    };
    let error = read_bytes(&bytes, XLSX, &bounds).unwrap_err();
    assert!(
        matches!(error, FormatError::TooLarge { bound: 2000, .. }),
        "{error}"
    );
    let swollen = sheet(&" ".repeat(100_000));
    let bounds = ReadOptions {
        unpacked_bytes_max: 50_000,
        ..ReadOptions::default()
    };
    let error = read_bytes(&swollen, XLSX, &bounds).unwrap_err();
    assert!(matches!(error, FormatError::Inflates { .. }), "{error}");
}

#[test]
fn what_is_no_workbook_says_so() {
    let ole = [
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".as_slice(),
        &[0; 600],
        b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
    ]
    .concat();
    let whole = small();
    let cases = [
        refused(&ole, XLSX),
        refused(&ole[..500], XLSX),
        refused(&whole[..whole.len() - 40], XLSX),
        refused(b"<html><table></table></html>", XLSX),
        refused(b"a,b\n1,2\n", XLSX),
        refused(&archive(&[("a.csv", b"a,b\n")]), XLSX),
        refused(&archive(&[("xl/workbook.bin", b"")]), XLSX),
        refused(&sheet("<row><c><v>1</v>"), XLSX),
        refused(&sheet("<row r=\"x\"><c><v>1</v></c></row>"), XLSX),
        refused(
            &sheet(
                &(row(1, 'A', &["a", "b"]) + &row(3, 'A', &["1", "2"]) + &row(3, 'A', &["1", "2"])),
            ),
            XLSX,
        ),
        refused(&sheet("<row><c r=\"1\"><v>1</v></c></row>"), XLSX),
        refused(&sheet("<row><c t=\"z\"><v>1</v></c></row>"), XLSX),
    ];
    insta::assert_snapshot!(cases.join("\n\n"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), at in 0_usize..2000, rows in "[<>/a-z =\"0-9]{0,60}") {
        drop(read_bytes(&bytes, XLSX, &options(1000, 1, 3)));
        drop(read(&sheet(&rows), XLSX));
        let mut damaged = small();
        for (index, byte) in bytes.iter().take(3).enumerate() {
            let at = (at + index * 91) % damaged.len();
            damaged[at] = *byte;
        }
        drop(read(&damaged, XLSX));
    }

    /// However a sheet is cut into blocks and given to decoders, its rows come out once each.
    #[test]
    fn blocks_do_not_matter(texts in prop::collection::vec(("[a-zà-ỹ&&[^<&]]{1,9}", 0_u32..1000), 1..60), numbered in any::<bool>(), block in 300_u64..3000, partitions in 1_usize..4) {
        let mut rows = row(1, 'A', &["tên", "số"]);
        for (index, (text, number)) in texts.iter().enumerate() {
            let one = row(index as u32 + 2, 'A', &[text, &format!("{}", number + 1)]);
            rows += &if numbered { one } else { one.replacen(&format!(" r=\"{}\"", index + 2), "", 1) };
        }
        let all = read_bytes(&sheet(&rows), XLSX, &options(block, partitions, 7)).unwrap();
        let expected: Vec<(i64, String)> = texts.iter().enumerate().map(|(index, (text, _))| (index as i64 + 2, composed(text).into_owned())).collect();
        let found: Vec<(i64, String)> = all.rows.iter().map(|(number, row)| (*number, row[0].clone().unwrap())).collect();
        prop_assert_eq!(found, expected);
    }
}
