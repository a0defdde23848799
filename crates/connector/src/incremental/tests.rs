//! Marks that rise, stand, lie in the future or are none.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn now() -> DateTime<Utc> {
    at("2025-06-01T12:00:00Z")
}

fn of(settings: Value) -> Incremental {
    let incremental: Incremental = serde_json::from_value(settings).unwrap();
    incremental.check("incremental").unwrap();
    incremental
}

/// What a run asks for when the mark is the greatest of `values`.
fn asks(incremental: &Incremental, values: &[Value]) -> Option<String> {
    let mark = values
        .iter()
        .fold(None, |mark, value| incremental.highest(mark, value, now()));
    let from = incremental.asks_from(mark.as_ref(), now());
    from.map(|from| incremental.text(&from))
}

#[test]
fn a_run_asks_from_the_window_behind_the_greatest_time() {
    let plain = of(json!({"kind": "time"}));
    assert_eq!(asks(&plain, &[]), None);
    let values = [
        json!("2025-05-02T00:00:00Z"),
        json!("2025-05-01"),
        json!("n/a"),
        json!(null),
    ];
    assert_eq!(asks(&plain, &values).unwrap(), "2025-05-02T00:00:00Z");
    let interval = [json!("2025-05-01T23:00:00Z/2025-05-02T00:00:00Z")];
    assert_eq!(asks(&plain, &interval).unwrap(), "2025-05-02T00:00:00Z");
    let back = of(json!({"kind": "time", "lookback": "2d", "start": "2020-01-01"}));
    assert_eq!(asks(&back, &values).unwrap(), "2025-04-30T00:00:00Z");
    assert_eq!(asks(&back, &[]).unwrap(), "2020-01-01T00:00:00Z");
    // Finer than a second: cut, so that nothing within it is skipped.
    assert_eq!(
        asks(&plain, &[json!("2025-05-02T00:00:00.900Z")]).unwrap(),
        "2025-05-02T00:00:00Z"
    );
}

#[test]
fn times_are_read_and_written_as_the_source_does() {
    for (format, value, text) in [
        ("unix", json!(1_746_144_000), "1746144000"),
        ("unix", json!("1746144000"), "1746144000"),
        ("unix_ms", json!(1_746_144_000_123_i64), "1746144000123"),
        ("%d/%m/%Y", json!("02/05/2025"), "02/05/2025"),
        (
            "%Y-%m-%dT%H:%M:%S%z",
            json!("2025-05-02T07:00:00+0700"),
            "2025-05-02T00:00:00+0000",
        ),
        ("%Y", json!("2025-05-02"), "2025"),
    ] {
        let incremental = of(json!({"kind": "time", "format": format}));
        assert_eq!(asks(&incremental, &[value]).unwrap(), text, "{format}");
    }
    let soql = of(json!({"kind": "time", "parameter": "$where", "template": "updated > '{mark}'"}));
    assert_eq!(
        asks(&soql, &[json!("2025-05-02")]).unwrap(),
        "updated > '2025-05-02T00:00:00Z'"
    );
}

#[test]
fn a_time_in_the_future_does_not_move_the_mark() {
    let incremental = of(json!({"kind": "time", "lookback": "1h"}));
    let values = [
        json!("2025-01-20"),
        json!("2099-01-01"),
        json!("2025-01-19"),
    ];
    assert_eq!(asks(&incremental, &values).unwrap(), "2025-01-19T23:00:00Z");
    assert_eq!(asks(&incremental, &values[1..2]), None);
    let told = |times: &[&str]| {
        let mut ahead = Ahead::default();
        for time in times {
            ahead.add(&Mark::Time(at(time)), now());
        }
        ahead.note("rows[*].at")
    };
    // The present of another zone.
    assert_eq!(
        told(&["2025-06-01T19:00:00Z", "2025-01-01T00:00:00Z"]),
        None
    );
    assert_eq!(
        told(&["2099-01-01T00:00:00Z"]).unwrap(),
        "a record has a time in the future at `rows[*].at`, 2099-01-01T00:00:00Z: it does not count for where the next run goes on"
    );
    assert_eq!(
        told(&["2099-01-01T00:00:00Z", "2030-01-01T00:00:00Z"]).unwrap(),
        "2 records have times in the future at `rows[*].at`, up to 2099-01-01T00:00:00Z: they do not count for where the next run goes on"
    );
    // Also one that stands in a cursor since the clock was wrong.
    let mark = Mark::Time(at("2099-01-01T00:00:00Z"));
    let from = incremental.asks_from(Some(&mark), now());
    assert_eq!(from, Some(Mark::Time(at("2025-06-01T11:00:00Z"))));
}

#[test]
fn ids_are_numbers_or_texts() {
    let ids = of(json!({"kind": "id", "field": "rows[*].id", "lookback": "500"}));
    assert_eq!(
        asks(&ids, &[json!(900), json!("1200"), json!(7)]).unwrap(),
        "700"
    );
    let texts = of(json!({"kind": "id", "field": "rows[*].id"}));
    assert_eq!(
        asks(&texts, &[json!("b01"), json!("a99"), json!("")]).unwrap(),
        "b01"
    );
    // A source that changes its way of counting is followed.
    assert_eq!(asks(&texts, &[json!(12), json!("01J")]).unwrap(), "01J");
    // A cursor of the other kind is none.
    assert_eq!(texts.asks_from(Some(&Mark::Time(now())), now()), None);
}

#[test]
fn a_mark_never_goes_back() {
    let incremental = of(json!({"kind": "time"}));
    let mark = Some(Mark::Time(at("2025-05-02T00:00:00Z")));
    assert_eq!(
        incremental.highest(mark.clone(), &json!("2024-01-01"), now()),
        mark
    );
    let ids = of(json!({"kind": "id", "field": "id"}));
    assert_eq!(
        ids.highest(Some(Mark::Id(10)), &json!(3), now()),
        Some(Mark::Id(10))
    );
}

#[test]
fn windows_reach_back_to_the_beginning_of_all_and_no_further() {
    let incremental = of(json!({"kind": "time", "lookback": "9000000w"}));
    assert!(asks(&incremental, &[json!("2025-05-02")]).is_some());
    let ids = of(json!({"kind": "id", "field": "id", "lookback": "9223372036854775807"}));
    assert!(asks(&ids, &[json!(-5)]).is_some());
}

#[test]
fn what_means_nothing_is_told() {
    let all = [
        json!({"kind": "id"}),
        json!({"kind": "time", "lookback": "2 days"}),
        json!({"kind": "id", "field": "id", "lookback": "2d"}),
        json!({"kind": "time", "start": "yesterday"}),
        json!({"kind": "time", "format": "yyyy-mm-dd"}),
        json!({"kind": "time", "format": "%Q"}),
        json!({"kind": "time", "template": "a > ?"}),
    ];
    let said: Vec<String> = all
        .into_iter()
        .map(|settings| {
            let incremental: Incremental = serde_json::from_value(settings).unwrap();
            let error = incremental.check("incremental").unwrap_err();
            format!("{error} / {}", error.help.clone().unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
incremental: `field` is missing / say where the id stands in an answer, as in `field: results[*].id`
incremental.lookback: "2 days" is no window / write it as in 30m, 6h, 2d or 1w
incremental.lookback: "2d" is no window / write a number: how many ids back
incremental.start: "yesterday" is no date / write it as in 2025-01-31 or 2025-01-31T07:00:00+07:00
incremental.format: "yyyy-mm-dd" is no format of times / write it as in %Y-%m-%d %H:%M:%S, or unix, or unix_ms
incremental.format: "%Q" is no format of times / write it as in %Y-%m-%d %H:%M:%S, or unix, or unix_ms
incremental.template: "a > ?" has no {mark} / write `{mark}` where the time or id goes
"#);
}
