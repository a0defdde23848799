//! What agencies put around and between records.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use crate::testing::{All, block_on, options, part, read_bytes, spec};
use crate::{Choice, ReadOptions, Sample, sample};

/// The same however the text is divided.
fn read(text: &str, more: &str) -> All {
    let format = format!(r#"{{"name": "csv"{more}}}"#);
    let whole = read_bytes(text.as_bytes(), &format, &ReadOptions::default()).unwrap();
    for block in 1..40 {
        let all = read_bytes(text.as_bytes(), &format, &options(block, 2, 2)).unwrap();
        assert_eq!(all, whole, "{block}: {text}");
    }
    whole
}

fn sampled(text: &[u8]) -> Sample {
    block_on(async {
        let part = part("part.csv", text).await;
        sample(&part, None, None, 5, &ReadOptions::default())
            .await
            .unwrap()
    })
}

const DATA: &str = "1,2\n3,4\n5,6\n";

#[test]
fn titles_above_the_header() {
    for (title, skipped) in [
        ("Title\n\n", 2),
        ("\n\nTitle\n", 3),
        ("\"Two\nlines\"\r\nnote\r\n", 3),
        ("Title\r\r", 2),
    ] {
        let all = read(&format!("{title}a,b\n{DATA}"), "");
        assert_eq!(all.columns, ["a", "b"]);
        assert_eq!(all.texts(), [["1", "2"], ["3", "4"], ["5", "6"]]);
        let sampled = sampled(format!("{title}a,b\n{DATA}").as_bytes());
        let told = |choice: &&Choice| choice.what == Choice::SKIP_ROWS;
        let choice = sampled.choices.iter().find(told).unwrap();
        assert_eq!(choice.value, skipped.to_string(), "{choice:?}");
        let written = serde_json::to_value(&sampled.format).unwrap();
        assert_eq!(written["skip_rows"], skipped);
    }
    let declared = read("Title, 2024\nx\na,b\n1,2\n", r#", "skip_rows": 2"#);
    assert_eq!(
        (declared.columns[0].as_str(), declared.texts().len()),
        ("a", 1)
    );
    let bare = read(
        "Title\n1,2\n3,4\n",
        r#", "skip_rows": 1, "header_rows": []"#,
    );
    assert_eq!(bare.texts(), [["1", "2"], ["3", "4"]]);
    assert_eq!(bare.columns, ["column_1", "column_2"]);
}

#[test]
fn what_nobody_sees_is_no_part_of_a_name() {
    let all = read("\u{feff}\u{feff} Mã ;Số\u{a0};\u{a0}\n1;2;3\n", "");
    assert_eq!(all.columns, ["Mã", "Số", "column_3"]);
}

#[test]
fn banners_over_several_columns() {
    let text = "Area,2023,,2024,\n,men,women,men,women\nA,1,2,3,4\n";
    let all = read(text, r#", "header_rows": [1, 2]"#);
    assert_eq!(
        all.columns,
        ["Area", "2023 men", "2023 women", "2024 men", "2024 women"]
    );
    assert_eq!(all.texts(), [["A", "1", "2", "3", "4"]]);
}

#[test]
fn notes_below_the_data() {
    let text = "a,b\n1,2\n3,4\n5,6\nSource: x\n\"Note, long\"\n";
    for more in [
        r#", "skip_footer": 2"#,
        r#", "footer": "^Source""#,
        r#", "footer": "^(Source|Note)", "skip_footer": 0"#,
    ] {
        let all = read(text, more);
        assert_eq!(all.texts(), [["1", "2"], ["3", "4"], ["5", "6"]], "{more}");
        assert_eq!(all.broken, []);
    }
    // Undeclared notes are broken records: nothing is lost in silence.
    assert_eq!(read(text, "").broken.len(), 2);
    assert_eq!(read("a,b\n1,2\n", r#", "skip_footer": 9"#).records(), 0);
    assert_eq!(read("a,b\n1,2\n", r#", "footer": "1""#).records(), 0);
    let wrong = r#"{"name": "csv", "footer": "("}"#;
    read_bytes(b"a,b\n", wrong, &ReadOptions::default()).unwrap_err();
}

#[test]
fn comments_are_no_records() {
    let text = "# \"made by\na,b\n1,2\n#\n#3,4\n\n5,#6\n\"#7\",8\n# \"end";
    let all = read(text, r##", "comment": "#""##);
    assert_eq!(all.columns, ["a", "b"]);
    assert_eq!(all.texts(), [["1", "2"], ["5", "#6"], ["#7", "8"]]);
    assert_eq!(all.rows.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn repeated_headers_are_dropped_and_counted() {
    let text = "a,b\n1,2\na,b\n3,4\n\"a\",b\n5,6\na,c\n";
    let all = read(text, "");
    assert_eq!(
        all.texts(),
        [["1", "2"], ["3", "4"], ["5", "6"], ["a", "c"]]
    );
    assert_eq!(all.dropped, [2, 4]);
    let kept = read(text, r#", "drop_repeated_header": false"#);
    assert_eq!((kept.rows.len(), kept.dropped.len()), (6, 0));
    // Of one column nothing tells a header from a value.
    assert!(read("a\n1\na\n", "").dropped.is_empty());
    let stacked = read("x,\na,b\n1,2\na,b\n", r#", "header_rows": [1, 2]"#);
    assert_eq!(stacked.dropped, [2]);
}

#[test]
fn letters_that_come_late_tell_the_encoding() {
    let mut text = format!("a,b\n{}", "1,2\n".repeat(50_000)).into_bytes();
    text.extend_from_slice(b"3,caf\xE9\n4,th\xE9\n5,bl\xE9\n");
    let all = read_bytes(&text, r#""csv""#, &ReadOptions::default()).unwrap();
    assert_eq!(all.broken, []);
    assert_eq!(all.texts().last().unwrap()[1], "blé");
}

#[test]
fn quotes_of_other_kinds() {
    let all = read("a;b\n'1;2';3\n\"4;5\n", r#", "quote": "'""#);
    assert_eq!(all.texts(), [["1;2", "3"], ["\"4", "5"]]);
    let all = read("a\tb\n5\" pipe\t\"x\n\"y\tz\"\n", r#", "quote": "none""#);
    assert_eq!(all.texts(), [["5\" pipe", "\"x"], ["\"y", "z\""]]);
}

#[test]
fn what_was_found_is_told_and_reads_the_same() {
    let text = "Nhiệt độ trung bình\n\nTháng;Trạm;Nhiệt độ\n1;Hà Nội;17,5\n2;Huế;20,25\n3;\"Vũng Tàu\";1.025,5\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (sample_8, sample_16) = (sampled(text.as_bytes()), sampled(&utf16));
    let said = sample_8.choices.iter().chain(&sample_16.choices[1..2]);
    let said: Vec<String> = said
        .map(|choice| format!("{} = {}: {}", choice.what, choice.value, choice.why))
        .collect();
    let written = serde_json::to_string(&sample_16.format).unwrap();
    insta::assert_snapshot!(format!("{}\n{written}", said.join("\n")));
    assert_eq!(sample_8.rows, sample_16.rows);
    let again = block_on(async {
        let part = part("part.csv", utf16).await;
        let format = spec(&written);
        let again = sample(&part, None, Some(&format), 5, &ReadOptions::default()).await;
        again.unwrap()
    });
    assert_eq!(again.rows, sample_8.rows);
    assert_eq!(again.format, sample_16.format);
}

proptest! {
    /// However it is encoded, packed with titles, notes and comments, the records are the same.
    #[test]
    fn records_stand_between_titles_and_notes(
        rows in prop::collection::vec(("[a-z é]{1,9}", "[0-9]{1,3}"), 0..20),
        footer in 0_usize..4,
        block in 1_u64..80,
    ) {
        let records: String = rows.iter().map(|(name, number)| format!("{name},{number}\n# \"\n")).collect();
        let text = format!("A title\nname,number\n{records}{}", "Note\n".repeat(footer));
        let format = format!(r##"{{"name": "csv", "skip_rows": 1, "comment": "#", "skip_footer": {footer}}}"##);
        let all = read_bytes(text.as_bytes(), &format, &options(block, 3, 4)).unwrap();
        prop_assert_eq!(all.rows.len(), rows.len());
        prop_assert_eq!(all.broken.len(), 0);
        for (found, (name, number)) in all.texts().iter().zip(&rows) {
            prop_assert_eq!((found[0], found[1]), (name.as_str(), number.as_str()));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(b"ab,;\t\"'#\n\r\0\xff\xc3\xa9 12.".to_vec()), 1..300), block in 1_u64..80) {
        for format in [
            r#""csv""#.to_owned(),
            r##"{"name": "csv", "comment": "#", "skip_footer": 1, "footer": "b"}"##.to_owned(),
            r#"{"name": "csv", "quote": "none", "header_rows": [1, 2], "encoding": "windows-1258"}"#.to_owned(),
        ] {
            drop(read_bytes(&bytes, &format, &options(block, 2, 3)));
        }
    }
}
