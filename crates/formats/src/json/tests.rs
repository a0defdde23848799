#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use crate::testing::{All, block_on, options, part, read_bytes, read_columns, spec};
use crate::{ReadOptions, open};

fn read(text: &str, format: &str, block: u64) -> All {
    read_bytes(text.as_bytes(), format, &options(block, 2, 3)).unwrap()
}

fn error(text: &str, format: &str) -> String {
    read_bytes(text.as_bytes(), format, &options(5, 2, 3))
        .unwrap_err()
        .to_string()
}

const JSON: &str = r#"{"name": "json"}"#;
const NDJSON: &str = r#"{"name": "ndjson"}"#;
const GEOJSON: &str = r#"{"name": "geojson"}"#;

#[test]
fn documents_of_every_shape() {
    for block in 1..40 {
        let list = read(
            r#" [ {"a": 1.10, "b": "x\"]"} ,{"c":[1, {"d": "}"}],"a":null}, 5 ] "#,
            JSON,
            block,
        );
        assert_eq!(list.columns, ["a", "b", "c", "_record"]);
        assert_eq!(
            list.rows[&1],
            [
                Some("1.10".into()),
                Some("x\"]".into()),
                None,
                Some(r#"{"a": 1.10, "b": "x\"]"}"#.into())
            ]
        );
        assert_eq!(
            list.rows[&2][..3],
            [None, None, Some(r#"[1, {"d": "}"}]"#.into())]
        );
        assert_eq!(list.rows[&3], [None, None, None, Some("5".into())]);
        let single = read(r#"{"a": {"b": []}}"#, JSON, block);
        assert_eq!(single.texts(), [[r#"{"b": []}"#, r#"{"a": {"b": []}}"#]]);
        let empty = read("[]", JSON, block);
        assert_eq!((empty.columns.len(), empty.records()), (1, 0));
    }
}

#[test]
fn record_paths() {
    let text = r#"{"meta": {"results": [0], "data": {}}, "x": "\"data\": [", "data": {"a": [9], "it\u0065ms": [{"v": 1}, {"v": 2}], "n": 1}, "z": []}"#;
    for block in 1..60 {
        let found = read(
            text,
            r#"{"name": "json", "record_path": "data.items"}"#,
            block,
        );
        assert_eq!(found.column("v"), ["1", "2"]);
        let object = read(text, r#"{"name": "json", "record_path": "data"}"#, block);
        assert_eq!(object.columns, ["a", "items", "n", "_record"]);
    }
    let null = read(
        r#"{"results": null}"#,
        r#"{"name": "json", "record_path": "results"}"#,
        4,
    );
    assert_eq!(null.records(), 0);
    assert_eq!(
        error(text, r#"{"name": "json", "record_path": "data.itmes"}"#),
        "part has no list at `data.itmes`"
    );
}

#[test]
fn the_only_list_of_a_document_is_found() {
    const ONLY: &str = r#"{"name": "json", "record_path": "*"}"#;
    for block in [1, 7, 1 << 20] {
        for text in [
            r#"{"@odata.context": "a[\"]", "value": [{"v": 1}, {"v": 2}], "next": "x"}"#,
            r#"{"a": {"b": [1]}, "it\u0065ms": [{"v": 1}, {"v": 2}]}"#,
            r#"[{"v": 1}, {"v": 2}]"#,
        ] {
            assert_eq!(read(text, ONLY, block).column("v"), ["1", "2"], "{text}");
        }
        let empty = read(r#"{"items": [], "count": 0}"#, ONLY, block);
        assert_eq!(empty.records(), 0);
        // Two lists, or none: the answer itself is the record.
        let several = read(r#"{"a": [1], "b": [2], "c": 3}"#, ONLY, block);
        assert_eq!(several.columns, ["a", "b", "c", "_record"]);
        let none = read(r#"{"v": {"l": [1]}}"#, ONLY, block);
        assert_eq!(none.columns, ["v", "_record"]);
    }
}

#[test]
fn a_path_may_begin_with_the_number_of_an_element() {
    let text = r#"[{"page": 1, "of": [1, 2]}, [{"a": 1}, {"a": 2}], {"data": [{"b": 3}]}]"#;
    for block in [3, 1 << 20] {
        let second = read(text, r#"{"name": "json", "record_path": "1"}"#, block);
        assert_eq!(second.column("a"), ["1", "2"]);
        let third = read(text, r#"{"name": "json", "record_path": "2.data"}"#, block);
        assert_eq!(third.column("b"), ["3"]);
    }
    let refused = r#"[{"message": "no such indicator"}]"#;
    assert_eq!(
        error(refused, r#"{"name": "json", "record_path": "1"}"#),
        "part has no list at `1`"
    );
}

#[test]
fn broken_records_lose_only_themselves() {
    let text = "[{\"a\": 1}, {\"a\": }, {\"a\": \"\\ud800\"}, {\"a\" 2}, nul, {\"a\": 3}, ]";
    for block in 1..40 {
        let all = read(text, JSON, block);
        assert_eq!(all.column("a"), ["1", "3"]);
        assert_eq!(all.rows.keys().copied().collect::<Vec<_>>(), [1, 6]);
        assert_eq!(
            all.broken[0].reason,
            "it is no valid JSON: expected value at line 1 column 7"
        );
        assert_eq!(all.broken[0].byte, Some(11));
        assert_eq!(all.broken[3].raw, "nul");
    }
    let lines = "{\"a\": 1}\n\n{\"a\": \r\n [2]\r{\"a\": 3}";
    for block in 1..30 {
        let all = read(lines, NDJSON, block);
        assert_eq!(all.column("a"), ["1", "", "3"]);
        assert_eq!(
            all.broken
                .iter()
                .map(|record| (record.row, record.byte))
                .collect::<Vec<_>>(),
            [(2, Some(10))]
        );
    }
}

#[tokio::test]
async fn what_is_no_object_has_no_fields() {
    let text = r#"[{"a": 1}, [{"a": 2}], 5, "x", null, true]"#;
    let part = part("part", text).await;
    let format = spec(JSON);
    let opened = open(&part, None, Some(&format), &options(50, 2, 3))
        .await
        .unwrap();
    let fields = read_columns(&opened, &[0]).await.unwrap();
    assert_eq!(fields.texts(), [["1"]]);
    let reasons: Vec<&str> = fields.reasons().into_iter().map(|(_, it)| it).collect();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    it is a list, no JSON object
    it is a number, no JSON object
    it is a text, no JSON object
    it is null, no JSON object
    it is true or false, no JSON object
    ");
    let whole = read_columns(&opened, &[0, 1]).await.unwrap();
    assert_eq!((whole.rows.len(), whole.broken.len()), (6, 0));
}

#[test]
fn long_records_are_broken() {
    let long = format!(
        "[{{\"a\": 1}}, {{\"a\": \"{}\"}}, {{\"a\": 3}}]",
        "x".repeat(200)
    );
    let lines = format!(
        "{{\"a\": 1}}\n{{\"a\": \"{}\"}}\n{{\"a\": 3}}\n",
        "x".repeat(200)
    );
    for block in [1, 20, 1000] {
        let bounds = ReadOptions {
            record_bytes_max: 50,
            ..options(block, 2, 3)
        };
        for (text, format) in [(&long, JSON), (&lines, NDJSON)] {
            let all = read_bytes(text.as_bytes(), format, &bounds).unwrap();
            assert_eq!(all.column("a"), ["1", "3"]);
            assert_eq!(all.reasons(), [(2, "the record is longer than 50 bytes")]);
        }
    }
}

#[test]
fn structures_that_end_the_reading() {
    let cases = [
        (
            "[{\"a\": 1}, {\"a\":",
            "part: at byte 16: the document ends inside the list of records",
        ),
        (
            "[{\"a\": 1},,]",
            "part: at byte 10: there is no value before this comma",
        ),
        (
            "[1]\n[2]",
            "part: at byte 4: another value follows the document; is there one per line (`format: ndjson`)?",
        ),
        (
            "[1}",
            "part: at byte 2: a bracket is closed that was not opened",
        ),
        (
            "hello",
            "part: at byte 0: a list or an object is expected here",
        ),
        (" ", "part: at byte 1: there is no JSON in it"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text, JSON), expected);
    }
}

#[test]
fn features() {
    let text = concat!(
        "\u{feff}{\"type\": \"FeatureCollection\", \"name\": \"features\", \"features\": [\n",
        "{\"type\": \"Feature\", \"id\": 7, \"properties\": {\"name\": \"Cầu Rào\", \"id\": \"p\", \"geometry\": 1}, ",
        "\"geometry\": {\"type\": \"Point\", \"coordinates\": [106.7, 20.8]}},\n",
        "{\"type\": \"Feature\", \"properties\": null, \"geometry\": null},\n",
        "{\"type\": \"Feature\", \"geometry\": {\"type\": \"Point\", \"coordinates\": []}},\n",
        "{\"a\": 1},\n\n]}"
    );
    for block in [1, 7, 50, 1000] {
        let all = read(text, GEOJSON, block);
        assert_eq!(
            all.columns,
            ["name", "id", "geometry_2", "geometry", "id_2", "_record"]
        );
        let first = &all.rows[&1];
        assert_eq!(
            first[..3],
            [Some("Cầu Rào".into()), Some("p".into()), Some("1".into())]
        );
        assert_eq!(first[3].as_ref().map(String::len), Some(42));
        assert_eq!(first[4].as_deref(), Some("7"));
        assert_eq!(all.rows[&2][..5], [None, None, None, None, None]);
        assert_eq!(
            all.broken
                .iter()
                .map(|record| record.row)
                .collect::<Vec<_>>(),
            [3, 4]
        );
        assert_eq!(
            all.broken[1].reason,
            "it is no GeoJSON feature: it has no type"
        );
    }
    let alone = read(
        r#"{"type": "Feature", "properties": {"a": 1}, "geometry": null}"#,
        GEOJSON,
        9,
    );
    assert_eq!(alone.column("a"), ["1"]);
}

#[test]
fn what_gives_no_row_names_no_column() {
    let unnest = r#"{"name": "json", "record_path": "data", "unnest": "list"}"#;
    let collection = r#"{"type": "FeatureCollection", "features": []}"#;
    let lists = r#"{"data": [{"id": 1, "list": []}, {"id": 2, "list": null}]}"#;
    for (text, format) in [
        (collection, "\"geojson\""),
        ("[]", "\"json\""),
        (r#"{"data": []}"#, unnest),
        (lists, unnest),
    ] {
        let all = read(text, format, 9);
        assert_eq!(all.columns, ["_record"], "{text}");
        assert!(all.rows.is_empty() && all.broken.is_empty(), "{text}");
    }
}

#[test]
fn utf16_documents() {
    let bytes: Vec<u8> = "\u{feff}[{\"a\": \"Đồ\"}]"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let all = read_bytes(&bytes, JSON, &options(3, 2, 2)).unwrap();
    assert_eq!(all.column("a"), ["Đồ"]);
}

fn choices(text: &str, format: &str) -> Vec<String> {
    block_on(async {
        let part = part("part", text).await;
        let format = spec(format);
        let opened = open(&part, None, Some(&format), &options(9, 2, 3)).await;
        let opened = opened.unwrap();
        let choices = opened.choices().iter();
        choices
            .map(|choice| format!("{} = {}: {}", choice.what, choice.value, choice.why))
            .collect()
    })
}

const UNNEST: &str = r#"{"name": "json", "record_path": "data", "unnest": "a.list"}"#;

#[test]
fn elements_are_rows() {
    let text = concat!(
        r#"{"data": [{"id": 1, "a": {"n": "x", "list": [{"v": 1.10, "id": "p"}, {"w": [1]}, 7]}, "v": "own"}, "#,
        r#"{"id": 2, "a": {"list": []}}, {"id": 3, "a": null}, {"id": 4}, {"id": 5, "a": {"list": {"v": 2}}}, "#,
        r#"{"id": 6, "a": {"list": 9}}, {"id": 7, "a": []}, 8, {"id": 9, "a": {"list": [null]}}]}"#
    );
    for block in 1..90 {
        let all = read(text, UNNEST, block);
        assert_eq!(
            all.columns,
            [
                "id",
                "v",
                "a.n",
                "a.list.v",
                "a.list.id",
                "a.list.w",
                "a.list",
                "_element",
                "_parent_row",
                "_record"
            ]
        );
        let rows: Vec<_> = all
            .texts()
            .into_iter()
            .map(|row| row[..9].join("|"))
            .collect();
        insta::allow_duplicates! { insta::assert_snapshot!(rows.join("\n"), @r#"
1|own|x|1.10|p|||{"v": 1.10, "id": "p"}|1
1|own|x|||[1]||{"w": [1]}|1
1|own|x||||7|7|1
5|||2||||{"v": 2}|5
9|||||||null|9
"#); }
        assert_eq!(all.dropped, [4, 5, 6]);
        let reasons: Vec<_> = all
            .reasons()
            .iter()
            .map(|(row, reason)| format!("{row} {reason}"))
            .collect();
        insta::allow_duplicates! { insta::assert_snapshot!(reasons.join("\n"), @r"
8 its `a.list` is a number, no list
9 its `a` is a list, no object
10 it is a number, no JSON object
"); }
    }
    insta::assert_snapshot!(choices(text, UNNEST).join("\n"), @"unnest = a.list: declared; 3 of 9 records hold elements, the others give no row");
    let lines = "{\"a\": 1, \"b\": [1, 2]}\n{\"a\": 2, \"b\": [3]}\n";
    let all = read(lines, r#"{"name": "ndjson", "unnest": "b"}"#, 5);
    assert_eq!(all.column("b"), ["1", "2", "3"]);
    assert_eq!(all.column("a"), ["1", "1", "2"]);
    assert_eq!(all.column("_parent_row"), ["1", "1", "2"]);
    assert_eq!(
        error(text, r#"{"name": "json", "unnest": "."}"#),
        "part: format option `unnest`: it names no key"
    );
}

#[test]
fn long_texts_are_not_repeated_without_end() {
    let record = |elements: usize| {
        format!(
            "{{\"t\": \"{}\", \"list\": [1{}]}}",
            "x".repeat(3000),
            ",1".repeat(elements - 1)
        )
    };
    let bounds = ReadOptions {
        record_bytes_max: 5000,
        ..options(500, 1, 1000)
    };
    let text = format!("[{}, {}]", record(50), record(200));
    let all = read_bytes(
        text.as_bytes(),
        r#"{"name": "json", "unnest": "list"}"#,
        &bounds,
    )
    .unwrap();
    assert_eq!(all.rows.len(), 50);
    assert_eq!(
        all.reasons(),
        [(51, "its 200 elements would each repeat its long texts")]
    );
}

#[test]
fn lists_under_a_header() {
    let text = r#"[["NAME", "pop", "x"], ["Hải Phòng", 2103500, null], ["Huế", 1.5], [1, [2], {"a": 3}], {"a": 1}]"#;
    let lists = &text[..text.len() - 11];
    for block in 1..40 {
        let all = read(&format!("{lists}]"), JSON, block);
        assert_eq!(all.columns, ["NAME", "pop", "x", "_record"]);
        let rows: Vec<_> = all
            .texts()
            .into_iter()
            .map(|row| row[..3].join("|"))
            .collect();
        assert_eq!(rows, ["Hải Phòng|2103500|", r#"1|[2]|{"a": 3}"#]);
        assert_eq!(all.reasons(), [(2, "it has 2 values for 3 names")]);
        // One record of another kind, and the lists are what they were.
        assert_eq!(read(text, JSON, block).columns, ["a", "_record"]);
        assert_eq!(
            read("[[\"a\", \"a\"], [1, 2]]", JSON, block).columns,
            ["_record"]
        );
    }
    insta::assert_snapshot!(choices(&format!("{lists}]"), JSON).join("\n"), @"header_rows = 1: the records are lists, and the first is 3 texts");
}

#[test]
fn a_comma_after_the_last_record_is_reported() {
    let text = "[{\"a\": 1}, {\"a\": 2},\n\n]";
    assert_eq!(read(text, JSON, 4).column("a"), ["1", "2"]);
    insta::assert_snapshot!(choices(text, JSON).join("\n"), @"trailing comma = byte 22: the list ends after a comma, which JSON does not allow; every record before it is read");
}

/// Any JSON value, three levels deep.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-c\"\\\\\\[\\]{},:é\n]{0,6}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("[ab\"]{0,2}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

#[test]
fn a_key_that_stands_twice_leaves_open_which_is_meant() {
    let text =
        r#"[{"id": 1, "id": 2}, {"id": 3, "id": 3}, {"id": 4, "id": null}, {"id": null, "id": 5}]"#;
    let all = read(text, JSON, 1000);
    assert_eq!(all.column("id"), ["3", "5"]);
    let reason = "its key `id` stands twice, with different values";
    assert_eq!(all.reasons(), [(1, reason), (3, reason)]);
    let text = r#"{"a": 1, "a": 2, "l": [1, 2]}"#;
    let all = read(text, r#"{"name": "ndjson", "unnest": "l"}"#, 1000);
    assert_eq!((all.rows.len(), all.broken.len()), (0, 1));
}

proptest! {
    #[test]
    fn records_come_back_as_they_were(mut values in prop::collection::vec(value(), 0..12), pretty: bool, block in 1_u64..80) {
        // A first list of texts would name the values of the others.
        let names = |first: &serde_json::Value| first.as_array().is_some_and(|list| list.iter().all(serde_json::Value::is_string));
        let from = values.iter().position(|value| !names(value)).unwrap_or(values.len());
        values.drain(..from);
        let list = serde_json::Value::from(values.clone());
        let text = if pretty { serde_json::to_string_pretty(&list).unwrap() } else { list.to_string() };
        let wrapped = format!("{{\"x\": [1], \"results\": {text}, \"y\": {{}}}}");
        let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
        let cases = [(text, JSON), (wrapped, r#"{"name": "json", "record_path": "results"}"#), (lines, NDJSON)];
        for (text, format) in cases {
            if text.is_empty() {
                continue;
            }
            let all = read(&text, format, block);
            prop_assert_eq!(&all.broken, &vec![]);
            let found = all.column("_record").into_iter().map(|record| serde_json::from_str(record).unwrap());
            prop_assert_eq!(&found.collect::<Vec<serde_json::Value>>(), &values);
        }
    }

    #[test]
    fn elements_come_back_as_they_were(lists in prop::collection::vec(prop::collection::vec(value(), 0..5), 0..6), pretty: bool, block in 1_u64..80) {
        let records: Vec<serde_json::Value> = lists.iter().map(|list| serde_json::json!({"x": {"list": list}, "y": 1})).collect();
        let records = serde_json::Value::from(records);
        let text = if pretty { serde_json::to_string_pretty(&records).unwrap() } else { records.to_string() };
        let all = read(&text, r#"{"name": "json", "unnest": "x.list"}"#, block);
        prop_assert_eq!(&all.broken, &vec![]);
        // What gives no row names no column.
        let texts = if lists.concat().is_empty() { Vec::new() } else { all.column("_element") };
        let found = texts.into_iter().map(|element| serde_json::from_str(element).unwrap());
        prop_assert_eq!(found.collect::<Vec<serde_json::Value>>(), lists.concat());
        prop_assert_eq!(all.dropped.len(), lists.iter().filter(|list| list.is_empty()).count());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), block in 1_u64..50, record in 1_usize..40) {
        let bounds = ReadOptions { record_bytes_max: record, ..options(block, 2, 3) };
        let odd: Vec<u8> = bytes.iter().map(|byte| b"{}[]\",:\\ an1\n\xff"[usize::from(byte % 14)]).collect();
        for bytes in [&bytes, &odd] {
            for format in [JSON, NDJSON, GEOJSON, r#"{"name": "json", "record_path": "a.n"}"#, r#"{"name": "json", "unnest": "a.n"}"#, r#"{"name": "ndjson", "unnest": "a"}"#] {
                drop(read_bytes(bytes, format, &bounds));
            }
        }
    }
}
