//! Every rule of a contract, and what its breach says.

use std::sync::Arc;

use super::{contract, page, run, shown, source, spec};
use crate::{ForeignCheck, KeyChecks, KeyLog, KeySet, RefusedKeys};

#[tokio::test]
async fn a_row_with_three_broken_fields_shows_three_reasons() {
    let contract = contract(
        r#"{"name": "id", "type": "string", "constraints": {"required": true}},
           {"name": "lat", "type": "number", "constraints": {"maximum": 90}},
           {"name": "code", "type": "string", "constraints": {"pattern": "[A-Z]{2}"}},
           {"name": "n", "type": "integer"}"#,
        "",
    );
    let decoded = source(
        &["id", "lat", "code", "n"],
        &[
            &["", "120", "x1", "1"],
            &["b", "20", "HP", "2"],
            &["c", "n/a", "HN", "1.5"],
        ],
    );
    insta::assert_snapshot!(page(&spec(&contract, None), &decoded).await);
}

/// One field, and values that must pass and fail.
async fn rule(field: &str, values: &[&str]) -> String {
    let contract = contract(&format!(r#"{{"name": "v", {field}}}"#), "");
    let rows: Vec<Vec<&str>> = values.iter().map(|value| vec![*value]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    format!(
        "{field}\n{}",
        page(&spec(&contract, None), &source(&["v"], &rows)).await
    )
}

#[tokio::test]
async fn types() {
    let pages = [
        rule(
            r#""type": "integer""#,
            &["1", " 2 ", "", "1.0", "99999999999999999999", "x"],
        )
        .await,
        rule(r#""type": "number""#, &["1.5", "1e3", "NaN", "1,5"]).await,
        rule(
            r#""type": "number", "sectorlake": {"precision": 5, "scale": 2}"#,
            &["1.5", "123.456", "12345"],
        )
        .await,
        rule(r#""type": "boolean""#, &["true", "0", "yes"]).await,
        rule(
            r#""type": "boolean", "trueValues": ["có"], "falseValues": ["không"]"#,
            &["có", "không", "true"],
        )
        .await,
        rule(
            r#""type": "date""#,
            &["2024-02-29", "2023-02-29", "29/02/2024"],
        )
        .await,
        rule(
            r#""type": "date", "format": "%d/%m/%Y""#,
            &["29/02/2024", "2024-02-29"],
        )
        .await,
        rule(
            r#""type": "datetime""#,
            &[
                "2024-01-01T00:00:00Z",
                "2024-01-01 07:00:00+07:00",
                "2024-01-01T00:00:00",
                "yesterday",
            ],
        )
        .await,
        rule(
            r#""type": "datetime", "sectorlake": {"time_zone": "Europe/Brussels"}"#,
            &["2024-01-01 00:00:00", "2024-03-31 02:30:00"],
        )
        .await,
        rule(r#""type": "time""#, &["08:00", "08:00:30", "24:00:00"]).await,
        rule(r#""type": "year""#, &["2024", "24"]).await,
        rule(r#""type": "yearmonth""#, &["2024-07", "2024-13"]).await,
        rule(r#""type": "geopoint""#, &["106.7, 20.9", "206, 20"]).await,
        rule(r#""type": "list""#, &["[1]", "{}"]).await,
        rule(r#""type": "object""#, &["{}", "[1]"]).await,
    ];
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn constraints() {
    let pages = [
        rule(r#""type": "string", "constraints": {"required": true}"#, &["a", ""]).await,
        rule(r#""type": "string", "missingValues": ["", "..", "NA"]"#, &["a", "..", "NA", ""]).await,
        rule(r#""type": "string", "constraints": {"pattern": "[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]"}"#, &["25:10:00", "25:70:00", ""]).await,
        rule(r#""type": "string", "constraints": {"minLength": 2, "maxLength": 3}"#, &["Hải", "H", "Phòng"]).await,
        rule(r#""type": "list", "constraints": {"minLength": 2}"#, &["[1,2]", "[1]"]).await,
        rule(r#""type": "integer", "constraints": {"minimum": 0, "maximum": 3}"#, &["0", "3", "4", "-1", ""]).await,
        rule(r#""type": "number", "constraints": {"exclusiveMinimum": 0, "exclusiveMaximum": 1}"#, &["0.5", "0", "1"]).await,
        rule(r#""type": "date", "constraints": {"minimum": "2000-01-01"}"#, &["2000-01-01", "1999-12-31"]).await,
        rule(r#""type": "datetime", "constraints": {"maximum": "2025-01-01T00:00:00Z"}"#, &["2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z"]).await,
        rule(r#""type": "year", "constraints": {"minimum": 1900}"#, &["1900", "1899"]).await,
        rule(r#""type": "yearmonth", "constraints": {"maximum": "2024-06"}"#, &["2024-06", "2024-07"]).await,
        rule(r#""type": "number", "sectorlake": {"precision": 5, "scale": 2}, "constraints": {"maximum": 10}"#, &["10", "10.01"]).await,
        rule(r#""type": "string", "constraints": {"enum": ["bus", "ferry"]}"#, &["bus", "tram"]).await,
        rule(r#""type": "integer", "constraints": {"enum": [0, 1]}"#, &["1", "01", "2"]).await,
        rule(r#""type": "number", "constraints": {"enum": [0.5]}"#, &["0.50", "1"]).await,
    ];
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn typed_columns_are_checked_too() {
    let contract = contract(
        r#"{"name": "n", "type": "integer"}, {"name": "x", "type": "number"}, {"name": "t", "type": "datetime", "sectorlake": {"time_zone": "Asia/Ho_Chi_Minh"}}"#,
        "",
    );
    let sql = "SELECT CAST(n AS DOUBLE) AS n, CAST(n AS DOUBLE) / CAST(d AS DOUBLE) AS x, TIMESTAMP '2024-01-01 07:00:00' AS t FROM source";
    let decoded = source(&["n", "d"], &[&["1", "2"], &["1.5", "1"], &["1", "0"]]);
    insta::assert_snapshot!(page(&spec(&contract, Some(sql)), &decoded).await);
}

#[tokio::test]
async fn keys_into_other_tables_and_keys_that_repeat() {
    let contract = contract(
        r#"{"name": "feed", "type": "string"}, {"name": "trip", "type": "string"}, {"name": "n", "type": "integer"}"#,
        r#", "primaryKey": ["trip", "n"]"#,
    );
    let decoded = source(
        &["feed", "trip", "n"],
        &[
            &["f", "a", "1"],
            &["f", "a", "1"],
            &["f", "b", "1"],
            &["", "b", "2"],
        ],
    );
    let trips = source(&["feed", "trip"], &[&["f", "a"]]);
    let known: KeySet = sectorlake_contract::key_hashes(trips.batch.columns())
        .unwrap()
        .into_iter()
        .collect();
    let log = KeyLog::new();
    let refused = Arc::new(RefusedKeys::default());
    let keys = KeyChecks {
        unique: vec![(vec!["trip".to_owned(), "n".to_owned()], Arc::clone(&log))],
        foreign: vec![ForeignCheck {
            fields: vec!["feed".to_owned(), "trip".to_owned()],
            targets: vec![Arc::new(KeySet::default()), Arc::new(known)],
            label: "transport.trips (feed_id, trip_id)".to_owned(),
        }],
        waiting: None,
        refused: Some((
            vec!["trip".to_owned(), "n".to_owned()],
            Arc::clone(&refused),
        )),
    };
    insta::assert_snapshot!(shown(
        &run(&spec(&contract, None), &decoded, &keys).await.unwrap()
    ));
    assert_eq!(
        log.repeated().unwrap().len(),
        1,
        "the twice accepted (a, 1); a rejected row is no duplicate"
    );
    let refused = refused.take();
    assert_eq!(
        (refused.hashes.len(), refused.unkeyed),
        (1, 0),
        "(b, 1) came, and was refused; (b, 2) of no feed refers to nothing"
    );
}

#[tokio::test]
async fn a_bare_null_is_no_value() {
    let contract = contract(
        r#"{"name": "id", "type": "string"}, {"name": "n", "type": "number"}, {"name": "need", "type": "string", "constraints": {"required": true}}"#,
        "",
    );
    let decoded = source(&["id"], &[&["a"], &["b"]]);
    let kept = spec(
        &contract,
        Some("SELECT id, NULL AS n, 'x' AS need FROM source"),
    );
    let lacking = spec(
        &contract,
        Some("SELECT id, 1.5 AS n, NULL AS need FROM source"),
    );
    insta::assert_snapshot!(format!(
        "{}\n\n{}",
        page(&kept, &decoded).await,
        page(&lacking, &decoded).await
    ));
}

#[tokio::test]
async fn soft_rules_mark_and_load() {
    let contract = contract(
        r#"{"name": "id", "type": "string"},
           {"name": "v", "type": "number", "constraints": {"maximum": 10, "minimum": 0}, "sectorlake": {"severity": {"maximum": "warn"}}},
           {"name": "code", "type": "string", "constraints": {"pattern": "[A-Z]+"}}"#,
        "",
    );
    let decoded = source(
        &["id", "v", "code"],
        &[
            &["a", "5", "A"],
            &["b", "11", "B"],
            &["c", "11", "c"],
            &["d", "-1", "D"],
        ],
    );
    let mut soft = spec(&contract, None);
    let first = page(&soft, &decoded).await;
    soft.rules.soft.insert(crate::SoftRule {
        field: Some("code".to_owned()),
        rule: "pattern".to_owned(),
    });
    insta::assert_snapshot!(format!("{first}\n\n{}", page(&soft, &decoded).await));
}

#[tokio::test]
async fn what_was_observed_does_not_lie_in_the_future() {
    let contract = contract(
        r#"{"name": "at", "type": "datetime", "sectorlake": {"interval": "end", "time_zone": "Asia/Ho_Chi_Minh"}},
           {"name": "day", "type": "date", "sectorlake": {"interval": "start"}},
           {"name": "until", "type": "date"}"#,
        "",
    );
    let decoded = source(
        &["at", "day", "until"],
        &[
            &["2026-11-25 17:05:00", "2026-11-26", "2030-01-01"],
            &["2026-11-25 17:05:01", "2026-11-26", ""],
            &["", "2026-11-27", ""],
        ],
    );
    let mut spec = spec(&contract, None);
    // 17:00 in Vietnam, and clocks may be five minutes apart; in Kiritimati (UTC+14) the 26th has begun.
    spec.rules.started_at = "2026-11-25T10:00:00Z".parse().unwrap();
    insta::assert_snapshot!(page(&spec, &decoded).await);
}

#[tokio::test]
async fn a_period_that_has_not_begun_lies_in_the_future() {
    let contract = contract(
        r#"{"name": "school_year", "type": "string", "sectorlake": {"interval": "period"}},
           {"name": "year", "type": "year", "sectorlake": {"interval": "period"}},
           {"name": "month", "type": "yearmonth", "sectorlake": {"interval": "period"}},
           {"name": "period", "type": "string", "sectorlake": {"interval": "period", "severity": {"future": "warn"}}}"#,
        "",
    );
    let decoded = source(
        &["school_year", "year", "month", "period"],
        &[
            &["2026-2027", "2026", "2026-12", "2026-Q4"],
            &["2027-2028", "", "", ""],
            &["", "2027", "", ""],
            &["", "", "2027-01", ""],
            &["Sơ bộ 2099", "", "", "2050"],
            &["2098-2099", "2099", "2099-01", "2099-W01"],
        ],
    );
    let mut spec = spec(&contract, None);
    // In Kiritimati December has begun, in Vietnam it has not.
    spec.rules.started_at = "2026-11-30T10:00:00Z".parse().unwrap();
    insta::assert_snapshot!(page(&spec, &decoded).await);
}

#[tokio::test]
async fn a_date_with_two_readings_needs_a_format() {
    insta::assert_snapshot!(
        rule(
            r#""type": "date""#,
            &["03/04/2024", "25/12/2024", "2024-04-03"]
        )
        .await
    );
}

#[tokio::test]
async fn huge_values_are_cut() {
    let long = "x".repeat(100_000);
    let contract = contract(r#"{"name": "v", "type": "integer"}"#, "");
    let normalised = run(
        &spec(&contract, None),
        &source(&["v"], &[&[&long]]),
        &KeyChecks::default(),
    )
    .await
    .unwrap();
    let rejection = &normalised.rejected[0];
    assert!(rejection.message.len() < 300, "{}", rejection.message);
    assert!(
        rejection
            .value
            .as_ref()
            .is_some_and(|value| value.len() < 2100)
    );
    assert!(
        rejection
            .record
            .as_ref()
            .is_some_and(|record| record.len() < 2200)
    );
}
