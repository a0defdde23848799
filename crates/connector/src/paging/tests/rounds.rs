//! Units that go on where the last run ended.

use super::*;

fn hourly() -> Pager {
    let incremental: Incremental = serde_json::from_value(json!({
        "kind": "time", "parameter": "since", "field": "rows[*].at", "start": "2025-05-01", "lookback": "1d",
    }))
    .unwrap();
    pager("https://a.example/r", json!({"style": "page", "size": 2})).since(Some(incremental))
}

/// Two rows a page; the last page has one.
fn page(days: &[u64]) -> Said {
    let rows: Vec<Value> = days
        .iter()
        .map(|day| json!({"at": format!("2025-05-{day:02}T00:00:00Z")}))
        .collect();
    (json!({ "rows": rows }), "")
}

#[test]
fn each_run_asks_from_the_window_behind_the_last() {
    let pager = hourly();
    let answer = |url: &str| match parameter(url, "page") {
        Some(1) => page(&[3, 9]),
        _ => page(&[5]),
    };
    let (asked, cursor) = read_from(&pager, None, NOW, answer).unwrap();
    assert_eq!(
        asked,
        [
            "https://a.example/r?since=2025-05-01T00%3A00%3A00Z&page_size=2&page=1",
            "https://a.example/r?since=2025-05-01T00%3A00%3A00Z&page_size=2&page=2",
        ]
    );
    let (asked, later) = read_from(&pager, cursor.clone(), "2025-06-02T00:00:00Z", |_| {
        page(&[8])
    })
    .unwrap();
    assert_eq!(
        asked,
        ["https://a.example/r?since=2025-05-08T00%3A00%3A00Z&page_size=2&page=1"]
    );
    // What came was older: the mark stands.
    let (asked, _) = read_from(&pager, later, "2025-06-03T00:00:00Z", |_| page(&[])).unwrap();
    assert_eq!(
        asked,
        ["https://a.example/r?since=2025-05-08T00%3A00%3A00Z&page_size=2&page=1"]
    );
    // The same run does not ask twice.
    let (asked, _) = read_from(&pager, cursor, NOW, |_| page(&[])).unwrap();
    assert!(asked.is_empty());
}

#[test]
fn a_round_that_broke_off_goes_on_in_the_next_run() {
    let pager = hourly();
    let io = io(NOW);
    let first = pager.page(None, &io).unwrap().unwrap();
    let turn = first
        .turn(&BTreeMap::new(), page(&[20, 21]).0.to_string().as_bytes())
        .unwrap();
    assert!(turn.has_more);
    let (asked, cursor) =
        read_from(&pager, turn.next, "2025-06-02T00:00:00Z", |_| page(&[4])).unwrap();
    assert_eq!(
        asked,
        ["https://a.example/r?since=2025-05-01T00%3A00%3A00Z&page_size=2&page=2"]
    );
    // The mark is that of all pages, those before the break among them.
    let (asked, _) = read_from(&pager, cursor, "2025-06-03T00:00:00Z", |_| page(&[4])).unwrap();
    assert!(asked[0].contains("since=2025-05-20"), "{asked:?}");
}

#[test]
fn a_record_of_the_future_does_not_end_all_fetching() {
    let rows = json!({"rows": [{"at": "2999-01-01T00:00:00Z"}, {"at": "2025-05-20T00:00:00Z"}]});
    let answer = |url: &str| match parameter(url, "page") {
        Some(1) | None => (rows.clone(), ""),
        _ => page(&[]),
    };
    let (_, cursor) = read_from(&hourly(), None, NOW, answer).unwrap();
    let (asked, _) = read_from(&hourly(), cursor, "2025-06-02T00:00:00Z", answer).unwrap();
    assert!(asked[0].contains("since=2025-05-19T00"), "{asked:?}");
    let (pager, io) = (hourly(), io(NOW));
    let first = pager.page(None, &io).unwrap().unwrap();
    first
        .turn(&BTreeMap::new(), rows.to_string().as_bytes())
        .unwrap();
    assert_eq!(
        io.take_notes(),
        [
            "a record has a time in the future at `rows[*].at`, 2999-01-01T00:00:00Z: it does not count for where the next run goes on"
        ]
    );
}

#[test]
fn a_source_whose_records_have_no_such_field_is_told() {
    let error = read_from(&hourly(), None, NOW, |_| {
        (json!({"rows": [{"id": 1}, {"id": 2}]}), "")
    })
    .unwrap_err();
    insta::assert_snapshot!(format!("{error} / {}", error.help.clone().unwrap()), @"https://a.example/r?since=2025-05-01T00:00:00Z&page_size=2&page=1: no record has a time or id at `rows[*].at` / look at an answer of the source: `field` says where the value stands, `format` how it is written");
}

#[test]
fn without_a_field_the_time_of_the_run_is_the_mark() {
    let incremental: Incremental =
        serde_json::from_value(json!({"kind": "time", "parameter": "since", "format": "unix"}))
            .unwrap();
    let pager = Pager::new(url("https://a.example/r"), None).since(Some(incremental));
    let (asked, cursor) = read_from(&pager, None, NOW, |_| (json!([1]), "")).unwrap();
    assert_eq!(asked, ["https://a.example/r"]);
    let (asked, _) =
        read_from(&pager, cursor, "2025-06-02T00:00:00Z", |_| (json!([1]), "")).unwrap();
    assert_eq!(
        asked,
        [format!("https://a.example/r?since={}", at(NOW).timestamp())]
    );
}

#[test]
fn a_cursor_of_another_shape_begins_anew() {
    for cursor in [
        json!({"at": 7}),
        json!("2025"),
        json!(null),
        json!({"at": {"page": "x"}}),
    ] {
        let (asked, _) = read_from(&hourly(), Some(Cursor(cursor)), NOW, |_| page(&[1])).unwrap();
        assert!(asked[0].contains("since=2025-05-01"), "{asked:?}");
    }
}
