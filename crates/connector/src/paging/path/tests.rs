//! Paths that lead somewhere, and texts that are none.
#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::prelude::*;

use super::*;

const ANSWER: &str = r#"{
    "meta": {"next": "/a?page=2", "total": 7, "more": false, "none": null},
    "@odata.nextLink": "x",
    "rows": [{"id": 1, "at": "2025-01-01"}, {"id": 2}, {"id": 3, "at": "2025-01-03"}],
    "links": [{"rel": "self", "href": "s"}, {"rel": ["last", "next"], "href": "n"}],
    "deep": [[1, 2], [3]]
}"#;

fn read(path: &str) -> String {
    let path: JsonPath = path.parse().unwrap();
    let values = path.read(ANSWER.as_bytes()).unwrap();
    let count = path.count(ANSWER.as_bytes()).unwrap();
    format!(
        "{} {}",
        serde_json::to_string(&values).unwrap(),
        count.map_or("-".to_owned(), |count| count.to_string())
    )
}

#[test]
fn paths_lead_to_values_and_counts() {
    for (path, found) in [
        ("meta.next", r#"["/a?page=2"] 1"#),
        ("$.meta.next", r#"["/a?page=2"] 1"#),
        ("$['meta']['next']", r#"["/a?page=2"] 1"#),
        ("$['@odata.nextLink']", r#"["x"] 1"#),
        ("meta.total", "[7] 1"),
        ("meta.more", "[false] 1"),
        ("meta.none", "[] 0"),
        ("meta.other", "[] -"),
        ("meta.next.more", "[] -"),
        ("rows", "[] 3"),
        ("rows[*]", "[] 3"),
        ("rows[1].id", "[2] 1"),
        ("rows[9].id", "[] -"),
        ("rows[*].at", r#"["2025-01-01","2025-01-03"] 2"#),
        ("links[rel=next].href", r#"["n"] 1"#),
        ("links[rel='self'].href", r#"["s"] 1"#),
        ("links[rel=prev].href", "[] -"),
        ("deep[0][1]", "[2] 1"),
        ("deep[0]", "[] 2"),
        ("$", "[] 1"),
    ] {
        assert_eq!(read(path), found, "{path}");
    }
}

#[test]
fn what_is_no_path_is_told() {
    for path in [
        "",
        ".a",
        "a..b",
        "a[",
        "a[x]",
        "a['b",
        "a['b'",
        "$a",
        "a.",
        "[99999999999999999999]",
    ] {
        let parsed: Result<JsonPath, PathError> = path.parse();
        assert!(parsed.is_err(), "{path}");
    }
    let error = "a[x]".parse::<JsonPath>().unwrap_err();
    insta::assert_snapshot!(error, @r#""a[x]" is no path into JSON: a bracket holds a number, *, a quoted name or key=text (write it as in meta.next, rows[0].id, rows[*].date, links[rel=next].href or $['@odata.nextLink'])"#);
}

#[test]
fn the_only_list_is_found() {
    for (json, length) in [
        ("[1, 2]", Some(2)),
        ("\u{feff}[]", Some(0)),
        (r#"{"a": 1, "rows": [{"x": [1, 2]}]}"#, Some(1)),
        (r#"{"a": [], "b": []}"#, None),
        (r#"{"a": {"b": []}}"#, None),
        ("7", None),
    ] {
        assert_eq!(only_list(json.as_bytes()).unwrap(), length, "{json}");
    }
    assert!(only_list(b"<html>").is_err());
    assert!(only_list(b"[1, 2").is_err());
    assert!(only_list(b"[1] [2]").is_err());
}

#[test]
fn depth_without_end_is_no_crash() {
    let deep = "[".repeat(100_000);
    assert!(only_list(deep.as_bytes()).is_err());
    let path: JsonPath = "a[*][*][rel=x].b".parse().unwrap();
    assert!(path.read(deep.as_bytes()).is_err());
    let deep = format!(
        "{{\"x\": {}1{}, \"a\": 2}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(
        "a".parse::<JsonPath>()
            .unwrap()
            .read(deep.as_bytes())
            .unwrap(),
        [Value::from(2)]
    );
}

proptest! {
    #[test]
    fn no_text_panics(path in "[$a.\\[\\]*'=0-9]{0,12}", json in "[{}\\[\\]a\":,0-9 ]{0,30}") {
        if let Ok(path) = path.parse::<JsonPath>() {
            path.read(json.as_bytes()).ok();
            path.count(json.as_bytes()).ok();
            prop_assert_eq!(path.to_string().parse::<JsonPath>(), Ok(path));
        }
        only_list(json.as_bytes()).ok();
    }
}
