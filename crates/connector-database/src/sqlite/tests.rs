//! Against files that SQLite itself wrote.

#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::Slice;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::testing::{column, fetch, run_at, said, shown};

struct Db {
    dir: TempDir,
    connection: Connection,
}

impl Db {
    fn new(sql: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join("a.sqlite")).unwrap();
        connection.execute_batch(sql).unwrap();
        Self { dir, connection }
    }

    fn connector(&self, more: serde_json::Value) -> Arc<dyn Connector> {
        let mut settings = json!({"path": "a.sqlite"});
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let context = MakeContext::new(self.dir.path(), "demo", |_| None);
        registration()
            .make(settings.as_object().unwrap().clone(), &context)
            .unwrap()
    }

    async fn shown(&self, more: serde_json::Value, unit: &str) -> String {
        let (parts, _) = fetch(&*self.connector(more), unit, None, &run_at(0))
            .await
            .unwrap();
        shown(&parts)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_come_as_what_they_are() {
    let db = Db::new(
        "CREATE TABLE \"bảng 1\" (id INTEGER PRIMARY KEY, n NUMERIC, d DECIMAL(10,2), r REAL, t TEXT, b BLOB, day DATE, flag BOOLEAN,
           mixed, odd INTEGER, none, g AS (id * 2));
         INSERT INTO \"bảng 1\" VALUES (1, 1, 12.5, 1, 'Hải Phòng', x'00ff', '2024-02-29', 1, 'x', 1, NULL);
         INSERT INTO \"bảng 1\" VALUES (9223372036854775807, 2, 3, 0.1, NULL, NULL, '2024-03-01', 0, x'ff', 'n/a', NULL);
         INSERT INTO \"bảng 1\" (id, mixed, t) VALUES (3, 1.5, CAST(x'ff' AS TEXT))",
    );
    insta::assert_snapshot!(db.shown(json!({"tables": ["bảng 1"]}), "bảng 1").await);
    let query =
        json!({"queries": {"q": "SELECT count(*) AS n, max(r) AS most FROM \"bảng 1\" -- all"}});
    assert_eq!(db.shown(query, "q").await, "n Int64: 3\nmost Float64: 1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tables_are_streams() {
    let db = Db::new(
        "CREATE TABLE b (x); CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT); CREATE VIEW v AS SELECT 1 AS one",
    );
    let streams = db
        .connector(json!({"tables": "all"}))
        .streams(&run_at(0))
        .await
        .unwrap();
    assert_eq!(
        streams
            .iter()
            .map(|stream| stream.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(
        db.shown(json!({"tables": ["v"]}), "v").await,
        "one Int64: 1"
    );
    assert_eq!(db.shown(json!({"tables": ["b"]}), "b").await, "x Utf8: ");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_columns_are_looked_at_in_turns() {
    let names: Vec<String> = (0..450).map(|index| format!("c{index}")).collect();
    let values: Vec<String> = (0..450)
        .map(|index| {
            if index % 2 == 0 {
                index.to_string()
            } else {
                format!("'{index}'")
            }
        })
        .collect();
    let db = Db::new(&format!(
        "CREATE TABLE wide ({}); INSERT INTO wide VALUES ({})",
        names.join(", "),
        values.join(", ")
    ));
    let (parts, _) = fetch(
        &*db.connector(json!({"tables": ["wide"]})),
        "wide",
        None,
        &run_at(0),
    )
    .await
    .unwrap();
    assert_eq!(
        (column(&parts, "c448"), column(&parts, "c449")),
        (vec!["448".to_owned()], vec!["449".to_owned()])
    );
    assert_eq!(
        *parts[0].rows.schema().field(448).data_type(),
        arrow::datatypes::DataType::Int64
    );
    assert_eq!(
        *parts[0].rows.schema().field(449).data_type(),
        arrow::datatypes::DataType::Utf8
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn later_runs_bring_what_is_new() {
    let db = Db::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT NOT NULL);
         INSERT INTO t VALUES (1, '2025-01-01 00:00:00'), (2, '2025-01-03 00:00:00')",
    );
    for (name, lookback, expected) in [
        ("id", json!(null), &["3"][..]),
        ("at", json!(null), &["3"]),
        ("id", json!(0), &["2", "3"]),
        ("at", json!("3d"), &["1", "2", "3"]),
    ] {
        let settings =
            json!({"tables": {"t": {"incremental": {"column": name, "lookback": lookback}}}});
        let connector = db.connector(settings);
        let (parts, cursor) = fetch(&*connector, "t", None, &run_at(0)).await.unwrap();
        assert_eq!(column(&parts, "id"), ["1", "2"]);
        db.connection
            .execute_batch("INSERT INTO t VALUES (3, '2025-01-03 00:00:00')")
            .unwrap();
        let (parts, cursor) = fetch(&*connector, "t", cursor, &run_at(1)).await.unwrap();
        let mut ids = column(&parts, "id");
        ids.sort();
        assert_eq!(ids, expected, "{name} {lookback}");
        let (parts, _) = fetch(&*connector, "t", cursor, &run_at(2)).await.unwrap();
        assert_eq!(parts.is_empty(), lookback.is_null(), "{name} {lookback}");
        db.connection
            .execute_batch("DELETE FROM t WHERE id = 3")
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_named_with_its_mend() {
    let db = Db::new(
        "CREATE TABLE stations (id INTEGER, at TEXT); INSERT INTO stations VALUES (1, NULL)",
    );
    std::fs::write(db.dir.path().join("text.sqlite"), "id,name\n".repeat(100)).unwrap();
    let cases = [
        json!({"path": "none.sqlite", "tables": ["t"]}),
        json!({"path": "text.sqlite", "tables": ["t"]}),
        json!({"tables": ["station"]}),
        json!({"tables": {"zzz": null}}),
        json!({"queries": {"q": "DELETE FROM stations"}}),
        json!({"queries": {"q": "SELECT 1; DROP TABLE stations"}}),
        json!({"queries": {"q": "SELECT name FROM stations"}}),
        json!({"tables": {"stations": {"incremental": {"column": "at"}}}}),
        json!({"tables": {"stations": {"incremental": {"column": "att"}}}}),
    ];
    let mut all = Vec::new();
    for settings in cases {
        let unit = match &settings["tables"] {
            serde_json::Value::Array(names) => names[0].as_str().unwrap().to_owned(),
            serde_json::Value::Object(names) => names.keys().next().unwrap().clone(),
            _ => "q".to_owned(),
        };
        let error = fetch(&*db.connector(settings), &unit, None, &run_at(0))
            .await
            .unwrap_err();
        all.push(said(&error, 0));
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_beside_us_changes_nothing_in_the_snapshot() {
    let db = Db::new("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY)");
    db.connection
        .execute_batch("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) INSERT INTO t SELECT i FROM n")
        .unwrap();
    let connector = db.connector(json!({"tables": ["t"]}));
    let slice = Slice::whole("t");
    let io = run_at(0);
    let (fetched, ()) = tokio::join!(connector.fetch(slice, None, &io), async {
        db.connection
            .execute_batch("INSERT INTO t VALUES (200001)")
            .unwrap();
    });
    let part = crate::testing::Part::of(fetched.unwrap().unwrap()).await;
    assert!([100_000, 100_001].contains(&part.rows.num_rows()));
}
