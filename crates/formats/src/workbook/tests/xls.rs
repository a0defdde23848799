use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::testing::read_bytes;

/// The small file holds one cell: it is a table only where that is declared.
const ONE_CELL: &str = r#"{"name": "xls", "header_rows": [1]}"#;
const XLS: &str = r#"{"name": "xls"}"#;

/// A real one of one cell.
fn small() -> Vec<u8> {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    std::fs::read(data.join("ugly/unicode_sheet_name.xls")).unwrap()
}

/// The file with another record of the same length in place of the sheet's size.
fn with_size(rows: (u32, u32), columns: (u16, u16)) -> Vec<u8> {
    let mut bytes = small();
    let head = [0x00, 0x02, 14, 0];
    let at = bytes.windows(4).position(|window| window == head).unwrap() + 4;
    let size = [
        &rows.0.to_le_bytes()[..],
        &rows.1.to_le_bytes()[..],
        &columns.0.to_le_bytes()[..],
        &columns.1.to_le_bytes()[..],
    ]
    .concat();
    bytes[at..at + 12].copy_from_slice(&size);
    bytes
}

#[test]
fn sizes_that_a_sheet_declares_do_not_matter() {
    let whole = read(&small(), ONE_CELL).unwrap();
    for (rows, columns) in [
        ((0, u32::MAX), (0, 1)),
        ((0, 1 << 20), (0, u16::MAX)),
        ((9, 3), (0, 1)),
        ((0, 0), (9, 3)),
    ] {
        assert_eq!(read(&with_size(rows, columns), ONE_CELL).unwrap(), whole);
    }
}

#[test]
fn sheets_larger_than_the_memory_are_refused() {
    let data = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let bytes =
        std::fs::read(data.join("ugly/us_fsa_direct_loan_volume_ay2015_16_q4.xls")).unwrap();
    let bounds = ReadOptions {
        memory_bytes_max: 4 << 20,
        ..ReadOptions::default()
    };
    let error = read_bytes(&bytes, XLS, &bounds).unwrap_err();
    assert!(
        matches!(
            error,
            FormatError::TooLarge {
                format: "a grid of its sheets",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn cut_off_files_say_so() {
    let whole = small();
    for bytes in (8..whole.len()).step_by(97) {
        match read(&whole[..bytes], ONE_CELL) {
            // What was lost is no part of its sheets.
            Ok(all) => assert_eq!(all, read(&whole, ONE_CELL).unwrap(), "{bytes}"),
            Err(error) => assert!(
                matches!(error, FormatError::Workbook { .. }),
                "{bytes}: {error}"
            ),
        }
    }
}

proptest! {
    /// Whatever bytes change, there is an answer, and no more memory than the bound.
    #[test]
    fn no_change_panics(changes in prop::collection::vec((0_usize..9216, any::<u8>()), 1..12)) {
        let mut bytes = small();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        drop(read(&bytes, XLS));
    }
}
