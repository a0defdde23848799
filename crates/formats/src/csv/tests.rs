#![expect(clippy::unwrap_used, reason = "tests")]

use futures::StreamExt;
use proptest::prelude::*;

use super::dialect::Dialect;
use super::window::State;
use crate::testing::{All, block_on, options, part, read_bytes, read_columns};
use crate::{FormatError, ReadOptions};

fn csv(text: &str) -> All {
    read_bytes(text.as_bytes(), r#"{"name": "csv"}"#, &options(7, 2, 3)).unwrap()
}

fn check(text: &str, columns: &[&str], rows: &[&[&str]]) {
    let all = csv(text);
    assert_eq!(all.columns, columns, "{text:?}");
    assert_eq!(all.texts(), rows, "{text:?}");
    assert_eq!(all.broken, [], "{text:?}");
}

#[test]
fn a_byte_order_mark_between_records_is_a_record() {
    let text = "a,b\n1,2\n\u{feff}\n3,4\n";
    for block in 1..20 {
        let all = read_bytes(text.as_bytes(), "\"csv\"", &options(block, 1, 5)).unwrap();
        assert_eq!((all.rows.len(), all.broken.len()), (2, 1));
    }
}

#[test]
fn line_ends_and_empty_lines() {
    for end in ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n", "\n\r\n\r\r"] {
        check(
            &["a,b", "1,2", "3,", ",", "5,6"].join(end),
            &["a", "b"],
            &[&["1", "2"], &["3", ""], &["", ""], &["5", "6"]],
        );
        check(
            &(["a,b", "1,2"].join(end) + end),
            &["a", "b"],
            &[&["1", "2"]],
        );
    }
    check("\u{feff}a,b\n", &["a", "b"], &[]);
    check("\n\n\u{1}a\n1\n", &["\u{1}a"], &[&["1"]]);
}

#[test]
fn quotes() {
    check(
        "\"a\",\"b \"\"x\"\"\"\n\"1,\n\r2\",\"\"\n\"\",\"\"\"\"\n3,x\"y\n",
        &["a", "b \"x\""],
        &[&["1,\n\r2", ""], &["", "\""], &["3", "x\"y"]],
    );
    // Text after a closing quote and quotes in text mean nothing: as the csv crate has it.
    check(
        "a,b\n\"x\"y,z\n1,2\"3\"\"\n",
        &["a", "b"],
        &[&["xy", "z"], &["1", "2\"3\"\""]],
    );
}

#[test]
fn names_and_empty_names() {
    check(
        "a,,a, a\n1,2,3,4\n",
        &["a", "column_2", "a_2", "a_3"],
        &[&["1", "2", "3", "4"]],
    );
}

#[test]
fn broken_records_lose_only_themselves() {
    let text = b"a,b\n1,2\n3\n4,5,6\n7,\xff\n8,\0\n9,10\n";
    let all = read_bytes(text, r#"{"name": "csv"}"#, &ReadOptions::default()).unwrap();
    assert_eq!(all.texts(), [["1", "2"], ["9", "10"]]);
    assert_eq!(all.rows.keys().copied().collect::<Vec<_>>(), [1, 6]);
    let reasons = all.reasons();
    assert_eq!(
        reasons,
        [
            (2, "it has 1 field, the header has 2"),
            (3, "it has 3 fields, the header has 2"),
            (
                4,
                "its byte 3 is no valid UTF-8; if all of the file is in another encoding, declare `encoding:`"
            ),
            (5, "it holds a NUL byte"),
        ]
    );
    assert_eq!(
        all.broken
            .iter()
            .map(|record| record.byte)
            .collect::<Vec<_>>(),
        [Some(8), Some(10), Some(16), Some(20)]
    );
    assert_eq!(
        all.broken
            .iter()
            .map(|record| record.raw.as_str())
            .collect::<Vec<_>>(),
        ["3", "4,5,6", "7,\u{fffd}", "8,\0"]
    );
    for block in 1..30 {
        assert_eq!(
            read_bytes(text, r#"{"name": "csv"}"#, &options(block, 2, 2)).unwrap(),
            all,
            "{block}"
        );
    }
}

/// Of text under the header `a,b`: the rows that are lost, and the first cells of the others; whatever the blocks.
fn check_open_quote(text: &str, lost: &[(i64, &str)], kept: &[&str]) {
    let text = format!("a,b\n{text}");
    for block in (1..40).chain([1000]) {
        let all = read_bytes(text.as_bytes(), "\"csv\"", &options(block, 2, 10)).unwrap();
        let broken: Vec<_> = all.broken.iter().map(|it| (it.row, &*it.raw)).collect();
        assert_eq!(broken, lost, "block {block} of {text:?}");
        let texts = all.texts();
        let cells: Vec<&str> = texts.iter().map(|row| row[0]).collect();
        assert_eq!(cells, kept, "block {block} of {text:?}");
    }
}

#[test]
fn an_open_quote_swallows_one_line() {
    let check = check_open_quote;
    check("1,2\n\"3,4\n5,6\n7,8\n", &[(2, "\"3,4")], &["1", "5", "7"]);
    // What seems to close it is the opening quote of another field, wherever that stands.
    let lost = &[(2, "\"3,4")];
    check("1,2\n\"3,4\n5,6\n7,\"8\n9\"\n", lost, &["1", "5", "7"]);
    check("1,2\n\"3,4\n5,6\n7,\"8, 9\"\n", lost, &["1", "5", "7"]);
    check("1,2\r\n\"3,4\r\n\"5\",\"6\"\r\n7,8", lost, &["1", "5", "7"]);
    check("\"1\",\"2\n\"3\",\"4\"\n", &[(1, "\"1\",\"2")], &["3"]);
    check("\n\n1,\"2\n\n3,4 \"x\" y\n", &[(1, "1,\"2")], &["3"]);
    // Empty quoted fields in between look like a quote that is written twice.
    check("1,\"2\n3,\"\"\n4,\"5\"\n", &[(1, "1,\"2")], &["3", "4"]);
    check(
        "1,\"2\n3,\"4\n5,\"6\"\n",
        &[(1, "1,\"2"), (2, "3,\"4")],
        &["5"],
    );
    check("1,\"2\n3,\"4\n5,6\n", &[(1, "1,\"2"), (2, "3,\"4")], &["5"]);
}

#[test]
fn a_line_break_within_quotes_is_no_open_quote() {
    let check = check_open_quote;
    check("1,\"2\n3\"\n4,5\n", &[], &["1", "4"]);
    check(
        "\"1\n,\"\"2\"\"\n\",\"\n\"\n4,5\n",
        &[],
        &["1\n,\"2\"\n", "4"],
    );
    // The lines before the quote are its record's own.
    let lost = &[(1, "\"1\n2\",\"3")];
    check("\"1\n2\",\"3\n4,\"5\"\n", lost, &["4"]);
    check("\"1\n2\",\"3\n4,5\n", lost, &["4"]);
    check(
        "\"1\n2\"x,3\n4,5\n",
        &[(1, "\"1"), (2, "2\"x,3")][..1],
        &["2\"x", "4"],
    );
}

#[test]
fn long_records_are_broken() {
    let text = format!(
        "a,b\n1,2\n{},4\n\"5\n{}\",6\n7,8\n",
        "x".repeat(100),
        "y".repeat(100)
    );
    for block in [1, 10, 1000] {
        let options = ReadOptions {
            record_bytes_max: 40,
            ..options(block, 2, 10)
        };
        let all = read_bytes(text.as_bytes(), r#"{"name": "csv"}"#, &options).unwrap();
        let last = all.rows.values().last().unwrap();
        assert_eq!(
            last,
            &[Some("7".to_owned()), Some("8".to_owned())],
            "block {block}"
        );
        assert_eq!(
            all.reasons()[0],
            (2, "the record is longer than 40 bytes"),
            "block {block}"
        );
    }
}

#[test]
fn header_rows() {
    let text = "\"Title; with a delimiter\"\n\nprovince;\"2002 Total\";x\n;only;y\nHN;1;2\n";
    let read = |format| read_bytes(text.as_bytes(), format, &options(5, 2, 2)).unwrap();
    let third = read(r#"{"name": "csv", "delimiter": ";", "header_rows": [3]}"#);
    assert_eq!(third.columns, ["province", "2002 Total", "x"]);
    assert_eq!(third.texts(), [["", "only", "y"], ["HN", "1", "2"]]);
    let both = read(r#"{"name": "csv", "header_rows": [3, 4]}"#);
    assert_eq!(both.columns, ["province", "2002 Total only", "x y"]);
    assert_eq!(both.texts(), [["HN", "1", "2"]]);
    let none = read_bytes(
        b"1,2\n3,4\n",
        r#"{"name": "csv", "header_rows": []}"#,
        &options(5, 2, 2),
    )
    .unwrap();
    assert_eq!(none.columns, ["column_1", "column_2"]);
    assert_eq!(none.texts(), [["1", "2"], ["3", "4"]]);
}

#[test]
fn short_records_can_be_filled() {
    let all = read_bytes(
        b"a;b;c\n1;2\n3\n4;5;6;7\n",
        r#"{"name": "csv", "short_records": "fill"}"#,
        &options(9, 2, 2),
    )
    .unwrap();
    assert_eq!(all.texts(), [["1", "2", ""], ["3", "", ""]]);
    assert_eq!(all.reasons(), [(3, "it has 4 fields, the header has 3")]);
}

#[test]
fn encodings() {
    let text = "tên,chữ\nHải Phòng,𝄞\nĐồ Sơn,\n";
    let utf16 = |bytes: fn(u16) -> [u8; 2]| {
        "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(bytes)
            .collect::<Vec<u8>>()
    };
    for bytes in [utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)] {
        for block in 1..20 {
            let all = read_bytes(&bytes, r#"{"name": "csv"}"#, &options(block, 2, 2)).unwrap();
            assert_eq!(all.texts(), [["Hải Phòng", "𝄞"], ["Đồ Sơn", ""]]);
        }
    }
    let latin = read_bytes(
        b"a,b\nCaf\xe9,1\n",
        r#"{"name": "csv", "encoding": "windows-1252"}"#,
        &options(3, 1, 2),
    )
    .unwrap();
    assert_eq!(latin.texts(), [["Café", "1"]]);
    let broken = read_bytes(
        b"a,b\n\xff,1\n2,3\n",
        r#"{"name": "csv", "encoding": "big5"}"#,
        &options(3, 1, 2),
    )
    .unwrap();
    assert_eq!(
        broken.reasons(),
        [(1, "it holds bytes that Big5 does not have")]
    );
    assert_eq!(broken.broken[0].byte, None);
    assert_eq!(broken.texts(), [["2", "3"]]);
}

#[test]
fn projections_read_some_columns_in_any_order() {
    block_on(async {
        let part = part("t.csv", "a,b,c\n1,2,3\n\"4\",\"5\"\"\",6\n").await;
        let opened = crate::open(&part, None, None, &options(4, 2, 2))
            .await
            .unwrap();
        let all = read_columns(&opened, &[2, 0]).await.unwrap();
        assert_eq!(all.texts(), [["3", "1"], ["6", "4"]]);
        let none = read_columns(&opened, &[]).await.unwrap();
        assert_eq!(none.rows.len(), 2);
        let beyond: Vec<_> = opened.read(&[3]).remove(0).collect().await;
        assert!(matches!(
            beyond[..],
            [Err(FormatError::Projection {
                index: 3,
                columns: 3,
                ..
            })]
        ));
    });
}

/// What the csv crate makes of the same bytes: per record its fields, none where they are no UTF-8.
fn by_csv_crate(bytes: &[u8]) -> Vec<Option<Vec<String>>> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let text = |record: ::csv::ByteRecord| {
        record
            .iter()
            .map(|field| String::from_utf8(field.to_vec()).ok())
            .collect::<Option<Vec<String>>>()
    };
    reader
        .byte_records()
        .map(|record| text(record.unwrap()))
        .collect()
}

/// Whether a quote is left open: to the end, or to another below that has text behind it.
fn leaves_a_quote_open(bytes: &[u8]) -> bool {
    let dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
        comment: None,
    };
    let (mut state, mut has_line, mut leaves) = (State::Line, false, false);
    for byte in bytes {
        let before = state;
        state.step(*byte, dialect);
        has_line &= !state.opens_after(before);
        has_line |= state == State::Quoted && matches!(byte, b'\n' | b'\r');
        leaves |= has_line && (before, state) == (State::Closed, State::Text);
    }
    leaves || state == State::Quoted
}

/// Well-formed text: records of `width` fields, quoted where they must be and sometimes where not.
fn well_formed() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        4 => "[a-zA-Z0-9 .:é語]{0,20}",
        1 => "[a-c\",\r\n]{0,8}",
        1 => Just(String::new()),
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r"), Just("\n\n")];
    (1_usize..6, end, any::<bool>(), any::<u64>()).prop_flat_map(
        move |(width, end, closes, seed)| {
            prop::collection::vec(prop::collection::vec(field.clone(), width), 1..40).prop_map(
                move |records| {
                    let mut seed = seed;
                    let mut text = String::new();
                    for record in &records {
                        let fields: Vec<String> = record
                            .iter()
                            .map(|field| {
                                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                                let must =
                                    field.contains(['"', ',', '\r', '\n']) || record.len() == 1;
                                if must || seed >> 62 == 0 {
                                    format!("\"{}\"", field.replace('"', "\"\""))
                                } else {
                                    field.clone()
                                }
                            })
                            .collect();
                        text.push_str(&fields.join(","));
                        text.push_str(end);
                    }
                    if !closes {
                        text.truncate(text.trim_end_matches(['\r', '\n']).len());
                    }
                    text
                },
            )
        },
    )
}

/// Bytes in which everything that matters is frequent.
fn odd_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => Just(b'a'), 4 => Just(b','), 3 => Just(b'\n'), 2 => Just(b'"'), 1 => Just(b'\r'),
        1 => Just(0xFF_u8), 1 => Just(0_u8), 1 => Just(0xC3_u8), 1 => Just(0xA9_u8),
    ];
    prop::collection::vec(byte, 1..300)
}

/// Nothing is told from the bytes.
const AS_IT_STANDS: &str = r#"{"name": "csv", "delimiter": ",", "encoding": "utf-8", "skip_rows": 0, "drop_repeated_header": false}"#;

/// The same records as the csv crate's, and broken exactly where they are odd.
fn agree(bytes: &[u8], options: &ReadOptions) -> Result<(), TestCaseError> {
    let expected = by_csv_crate(bytes);
    let Ok(all) = read_bytes(bytes, AS_IT_STANDS, options) else {
        let header = expected.first().and_then(Option::as_ref);
        prop_assert!(
            header.is_none_or(|header| header.iter().any(|name| name.contains('\0'))),
            "a good header is refused"
        );
        return Ok(());
    };
    let width = all.columns.len();
    prop_assert_eq!(all.records(), expected.len() - 1);
    for (row, record) in (1..).zip(&expected[1..]) {
        let whole = record.as_ref().filter(|record| record.len() == width);
        match (whole, all.rows.get(&row)) {
            (Some(record), Some(found)) => {
                prop_assert_eq!(record, &found.iter().flatten().cloned().collect::<Vec<_>>())
            }
            (Some(record), None) => prop_assert!(
                // The csv crate looks at the bytes once the quotes are gone: `"\xC3"\xA9` then is a letter, in the file it is none.
                record.iter().any(|field| field.contains('\0')
                    || (field.contains('é')
                        && bytes.windows(3).any(|three| three == b"\xC3\"\xA9"))),
                "record {} is whole",
                row
            ),
            (None, found) => prop_assert!(found.is_none(), "record {} is broken", row),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn as_the_csv_crate_reads_it(text in well_formed(), block in 1_u64..200, partitions in 1_usize..4, rows in 1_usize..20) {
        agree(text.as_bytes(), &options(block, partitions, rows))?;
        agree(text.as_bytes(), &ReadOptions::default())?;
    }

    #[test]
    fn odd_bytes_break_only_their_records(
        mut bytes in odd_bytes(),
        block in 1_u64..100,
        partitions in 1_usize..4,
        rows in 1_usize..9,
    ) {
        while leaves_a_quote_open(&bytes) {
            bytes.pop();
        }
        agree(&bytes, &options(block, partitions, rows))?;
        agree(&bytes, &ReadOptions::default())?;
    }

    #[test]
    fn blocks_make_no_difference(
        bytes in odd_bytes(),
        block in 1_u64..100,
        partitions in 1_usize..4,
        rows in 1_usize..9,
    ) {
        let Ok(whole) = read_bytes(&bytes, AS_IT_STANDS, &ReadOptions::default()) else {
            return Ok(());
        };
        let blocks = read_bytes(&bytes, AS_IT_STANDS, &options(block, partitions, rows));
        prop_assert_eq!(blocks.ok(), Some(whole));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), block in 1_u64..100, record in 1_usize..50) {
        let bounds = ReadOptions { record_bytes_max: record, ..options(block, 2, 3) };
        drop(read_bytes(&bytes, r#"{"name": "csv"}"#, &bounds));
        drop(read_bytes(&bytes, r#"{"name": "csv", "header_rows": [], "encoding": "gb18030"}"#, &bounds));
        let mut odd = b"a,b\n".to_vec();
        odd.extend(bytes.iter().map(|byte| b"ab,\"\n\r\0\xff"[usize::from(byte % 8)]));
        drop(read_bytes(&odd, r#"{"name": "csv"}"#, &bounds));
    }
}
