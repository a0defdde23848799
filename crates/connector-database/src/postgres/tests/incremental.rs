//! Reading on where the last run stopped.

use super::*;

fn by_time(lookback: Option<&str>) -> serde_json::Value {
    json!({"tables": {"t": {"incremental": {"column": "at", "lookback": lookback}}}})
}

async fn table(name: &str) -> Option<Db> {
    let db = Db::new(name).await?;
    db.run("CREATE TABLE t (id int, at timestamptz NOT NULL)")
        .await;
    Some(db)
}

#[tokio::test(flavor = "multi_thread")]
async fn later_runs_bring_what_is_new_and_ties_come_once() {
    let Some(db) = table("ties").await else {
        return;
    };
    let connector = db.connector(by_time(None));
    let (parts, cursor) = fetch(&*connector, "t", None, &run_at(0)).await.unwrap();
    assert_eq!(
        (parts.len(), parts[0].rows.num_rows()),
        (1, 0),
        "the columns are known before a row is there"
    );
    db.run("INSERT INTO t VALUES (1, '2025-01-01'), (3, '2025-01-02 00:00+00'), (2, '2025-01-02 00:00+00')").await;
    let (parts, cursor) = fetch(&*connector, "t", cursor, &run_at(1)).await.unwrap();
    assert_eq!(column(&parts, "id").len(), 3);
    let key = format!(
        "postgres://127.0.0.1:{}/ties/t#2025-06-01T00:01:00.000Z-00000",
        db.port
    );
    assert_eq!(parts[0].key, key);
    let (parts, cursor) = fetch(&*connector, "t", cursor, &run_at(2)).await.unwrap();
    assert!(parts.is_empty(), "nothing is new");
    db.run("INSERT INTO t VALUES (4, '2025-01-02 00:00+00'), (2, '2025-01-02 00:00+00'), (5, '2025-01-03')").await;
    let (parts, cursor) = fetch(&*connector, "t", cursor, &run_at(3)).await.unwrap();
    let mut ids = column(&parts, "id");
    ids.sort();
    assert_eq!(ids, ["2", "4", "5"], "the same row twice is two rows");
    let (parts, _) = fetch(&*connector, "t", cursor, &run_at(4)).await.unwrap();
    assert!(parts.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ties_are_known_across_parts_and_runs() {
    let Some(db) = table("long_ties").await else {
        return;
    };
    db.run("INSERT INTO t SELECT g, '2025-01-01' FROM generate_series(1, 250) g")
        .await;
    let connector = db.in_parts(by_time(None), 100);
    let (parts, cursor) = fetch(&connector, "t", None, &run_at(0)).await.unwrap();
    assert_eq!(parts.len(), 3);
    // A run that dies after the first part goes on with the other 150 rows.
    let again = db.in_parts(by_time(None), 100);
    let (rest, _) = fetch(&again, "t", parts[0].next.clone(), &run_at(1))
        .await
        .unwrap();
    assert_eq!(column(&rest, "id").len(), 150);
    db.run("INSERT INTO t VALUES (251, '2025-01-01')").await;
    let (parts, _) = fetch(&connector, "t", cursor, &run_at(2)).await.unwrap();
    assert_eq!(column(&parts, "id"), ["251"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_ties_are_left_out_as_a_whole_or_told() {
    let Some(db) = table("many_ties").await else {
        return;
    };
    db.run("INSERT INTO t SELECT g, '2025-01-01' FROM generate_series(1, 20001) g")
        .await;
    let connector = db.connector(by_time(None));
    let (parts, cursor) = fetch(&*connector, "t", None, &run_at(0)).await.unwrap();
    assert_eq!(column(&parts, "id").len(), 20_001);
    assert!(serde_json::to_string(&cursor).unwrap().len() < 500);
    db.run("INSERT INTO t VALUES (30000, '2025-01-02')").await;
    let (parts, _) = fetch(&*connector, "t", cursor.clone(), &run_at(1))
        .await
        .unwrap();
    assert_eq!(column(&parts, "id"), ["30000"]);
    db.run("INSERT INTO t VALUES (30001, '2025-01-01')").await;
    let error = fetch(&*connector, "t", cursor, &run_at(2))
        .await
        .unwrap_err();
    insta::assert_snapshot!(said(&error, db.port));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookback_brings_late_commits_with_what_lies_beside_them() {
    let Some(db) = table("late").await else {
        return;
    };
    db.run("INSERT INTO t VALUES (1, '2025-01-01'), (2, '2025-01-03')")
        .await;
    let connector = db.connector(by_time(Some("2d")));
    let (_, cursor) = fetch(&*connector, "t", None, &run_at(0)).await.unwrap();
    db.run("INSERT INTO t VALUES (3, '2025-01-02'), (4, '2024-12-01')")
        .await;
    let (parts, cursor) = fetch(&*connector, "t", cursor, &run_at(1)).await.unwrap();
    assert_eq!(column(&parts, "id"), ["1", "3", "2"]);
    let (parts, _) = fetch(&*connector, "t", cursor, &run_at(2)).await.unwrap();
    assert_eq!(
        column(&parts, "id").len(),
        3,
        "the window comes again: it is for tables with load: merge"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ordered_type_can_tell_what_is_new() {
    let Some(db) = Db::new("ordered").await else {
        return;
    };
    db.run(
        "CREATE TABLE t AS SELECT g::int2 AS small, g AS whole, g::int8 AS big, CASE g WHEN 4 THEN 64.00 ELSE g * g * 4.0 END AS unlimited, \
         (g::numeric / 8)::numeric(20, 3) AS exact, '2024-12-31'::date + g AS day, \
         '2024-12-31'::timestamp + g * interval '1 day 1 microsecond' AS moment, 'k' || g AS key FROM generate_series(1, 4) g",
    )
    .await;
    for (name, lookback) in [
        ("small", json!(1)),
        ("whole", json!("1")),
        ("big", json!(1)),
        ("unlimited", json!("1")),
        ("exact", json!(1)),
        ("day", json!("1d")),
        ("moment", json!("1d")),
    ] {
        let settings = json!({"tables": {"t": {"incremental": {"column": name}}}});
        let connector = db.connector(settings);
        let (parts, cursor) = fetch(&*connector, "t", None, &run_at(0)).await.unwrap();
        assert_eq!(column(&parts, "whole"), ["1", "2", "3", "4"], "{name}");
        let (parts, cursor) = fetch(&*connector, "t", cursor, &run_at(1)).await.unwrap();
        assert!(parts.is_empty(), "{name}");
        let settings =
            json!({"tables": {"t": {"incremental": {"column": name, "lookback": lookback}}}});
        let (parts, _) = fetch(&*db.connector(settings), "t", cursor, &run_at(2))
            .await
            .unwrap();
        assert!(
            column(&parts, "whole").len() < 4 || name == "exact",
            "{name}"
        );
    }
    let start = json!({"queries": {"q": {"sql": "SELECT * FROM t", "incremental": {"column": "day", "start": "2025-01-03"}}}});
    let (parts, _) = fetch(&*db.connector(start), "q", None, &run_at(0))
        .await
        .unwrap();
    assert_eq!(column(&parts, "whole"), ["3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_from_the_future_does_not_hide_what_comes() {
    let Some(db) = table("future").await else {
        return;
    };
    db.run("INSERT INTO t VALUES (1, '2025-01-01'), (2, '2099-01-01')")
        .await;
    let connector = db.connector(by_time(None));
    let (_, cursor) = fetch(&*connector, "t", None, &run_at(0)).await.unwrap();
    db.run("INSERT INTO t VALUES (3, '2025-06-02 00:00:01+00')")
        .await;
    let (parts, _) = fetch(&*connector, "t", cursor, &run_at(1)).await.unwrap();
    assert_eq!(column(&parts, "id"), ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_tell_what_is_new_is_refused() {
    let Some(db) = Db::new("unfit").await else {
        return;
    };
    db.run("CREATE TABLE t (id int, at timestamptz, f float8, d date); INSERT INTO t VALUES (1, NULL, 1, 'infinity')").await;
    let with = |column: &str| json!({"tables": {"t": {"incremental": {"column": column}}}});
    let mut all = Vec::new();
    for column in ["at", "f", "d", "ad"] {
        all.push(said(&db.error(with(column), "t").await, db.port));
    }
    insta::assert_snapshot!(all.join("\n"));
}
