//! Against a real PostgreSQL on loopback.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use sectorlake_connector::{Connector, ConnectorError, ErrorKind, MakeContext, Slice};
use serde_json::json;
use tokio_postgres::{Client, NoTls};

use super::{DEFAULTS, Postgres, registration};
use crate::address::ServerSettings;
use crate::connector::Database;
use crate::parts::Bounds;
use crate::settings::Wanted;
use crate::testing::{Part, column, fetch, run_at, said, servers, shown};

mod incremental;
mod refusals;
mod types;

/// A database of its own within the server of this process.
struct Db {
    name: String,
    port: u16,
    client: Client,
}

impl Db {
    /// `None` where no server is installed.
    async fn new(name: &str) -> Option<Self> {
        let port = servers::server("postgres")?.port;
        let admin = client("city", port).await;
        admin
            .batch_execute(&format!("CREATE DATABASE \"{name}\" TEMPLATE template0"))
            .await
            .unwrap();
        Some(Self {
            name: name.to_owned(),
            port,
            client: client(name, port).await,
        })
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    fn settings(&self, more: serde_json::Value) -> serde_json::Value {
        let mut settings = json!({
            "url": format!("postgres://owner:s3cr3t@127.0.0.1:{}/{}", self.port, self.name),
        });
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        settings
    }

    fn connector(&self, more: serde_json::Value) -> Arc<dyn Connector> {
        let settings = self.settings(more).as_object().unwrap().clone();
        registration()
            .make(settings, &MakeContext::new(".", "demo", |_| None))
            .unwrap()
    }

    /// With parts of so many rows.
    fn in_parts(&self, more: serde_json::Value, rows_max: usize) -> Database {
        let settings: ServerSettings = serde_json::from_value(self.settings(more)).unwrap();
        let context = MakeContext::new(".", "demo", |_| None);
        let (address, tls) = settings.address(DEFAULTS, &context).unwrap();
        let wanted = Wanted::of(settings.tables, settings.queries).unwrap();
        let bounds = Bounds {
            rows_max,
            ..Bounds::default()
        };
        Database::new(Arc::new(Postgres::new(address, tls)), wanted).with_bounds(bounds)
    }

    async fn error(&self, more: serde_json::Value, unit: &str) -> ConnectorError {
        fetch(&*self.connector(more), unit, None, &run_at(0))
            .await
            .unwrap_err()
    }
}

async fn client(database: &str, port: u16) -> Client {
    let config = format!("host=127.0.0.1 port={port} user=owner password=s3cr3t dbname={database}");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_comes_whole_in_parts_of_one_snapshot() {
    let Some(db) = Db::new("parts").await else {
        return;
    };
    db.run(
        "CREATE TABLE t AS SELECT g AS id, 'hàng ' || g AS name FROM generate_series(1, 2500) g",
    )
    .await;
    let connector = db.in_parts(json!({"tables": ["t"]}), 1000);
    let io = run_at(0);
    let first = connector
        .fetch(Slice::whole("t"), None, &io)
        .await
        .unwrap()
        .unwrap();
    let first = Part::of(first).await;
    // What is committed while the parts are read is not in them.
    db.run("DELETE FROM t WHERE id > 10; INSERT INTO t VALUES (9999, 'late')")
        .await;
    let (rest, cursor) = fetch(&connector, "t", first.next.clone(), &io)
        .await
        .unwrap();
    assert_eq!(cursor, None);
    let parts: Vec<Part> = [vec![first], rest].concat();
    assert_eq!(
        parts
            .iter()
            .map(|part| part.rows.num_rows())
            .collect::<Vec<_>>(),
        [1000, 1000, 500]
    );
    let ids: Vec<String> = (1..=2500).map(|id| id.to_string()).collect();
    assert_eq!(column(&parts, "id"), ids);
    let place = format!("postgres://127.0.0.1:{}/parts/t", db.port);
    assert_eq!(parts[2].key, format!("{place}#00002"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_of_the_whole_that_broke_off_is_replaced_part_by_part() {
    let Some(db) = Db::new("again").await else {
        return;
    };
    db.run("CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 2500) g")
        .await;
    let connector = db.in_parts(json!({"tables": ["t"]}), 1000);
    let io = run_at(0);
    let first = Part::of(
        connector
            .fetch(Slice::whole("t"), None, &io)
            .await
            .unwrap()
            .unwrap(),
    )
    .await;
    let second = connector
        .fetch(Slice::whole("t"), first.next.as_ref(), &io)
        .await
        .unwrap()
        .unwrap();
    let second = Part::of(second).await;
    db.run("DELETE FROM t WHERE id > 3").await;
    // Another run, and another process: what was open is gone.
    let connector = db.in_parts(json!({"tables": ["t"]}), 1000);
    let (parts, cursor) = fetch(&connector, "t", second.next, &run_at(5))
        .await
        .unwrap();
    assert_eq!(cursor, None);
    // The second part of the read before has no rows any more, and says so under its key.
    assert_eq!(
        parts
            .iter()
            .map(|part| part.rows.num_rows())
            .collect::<Vec<_>>(),
        [3, 0]
    );
    assert_eq!(parts[0].key, first.key);
    assert_eq!(parts[1].key, second.key);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tables_are_streams_and_names_are_as_they_are() {
    let Some(db) = Db::new("names").await else {
        return;
    };
    db.run(
        "CREATE TABLE \"bảng \"\"đo\"\"; --\" (\"giá trị (µg/m³)\" int, \"a.b\" text, \"select\" bool);
         INSERT INTO \"bảng \"\"đo\"\"; --\" VALUES (1, 'x', true);
         CREATE SCHEMA hr; CREATE TABLE hr.staff (id int); CREATE TABLE staff (id int); CREATE VIEW v AS SELECT 1 AS one;
         CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         INSERT INTO p VALUES (1)",
    )
    .await;
    let connector =
        db.connector(json!({"tables": "all", "queries": {"two": "SELECT 2 AS \"số\" -- hai"}}));
    let streams = connector.streams(&run_at(0)).await.unwrap();
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["two", "bảng \"đo\"; --", "p", "staff", "hr.staff"]);
    let (parts, _) = fetch(&*connector, names[1], None, &run_at(0))
        .await
        .unwrap();
    assert_eq!(
        shown(&parts),
        "giá trị (µg/m³) Int32: 1\na.b Utf8: x\nselect Boolean: true"
    );
    let (parts, _) = fetch(&*connector, "two", None, &run_at(0)).await.unwrap();
    assert_eq!(shown(&parts), "số Int32: 2");
    let (parts, _) = fetch(&*connector, "p", None, &run_at(0)).await.unwrap();
    assert_eq!(shown(&parts), "id Int32: 1");
    // A view is read where it is named.
    let (parts, _) = fetch(
        &*db.connector(json!({"tables": ["v"]})),
        "v",
        None,
        &run_at(0),
    )
    .await
    .unwrap();
    assert_eq!(shown(&parts), "one Int32: 1");
    // No rows is a part without rows, so that the columns are known.
    let (parts, cursor) = fetch(&*connector, "hr.staff", None, &run_at(0))
        .await
        .unwrap();
    assert_eq!((shown(&parts).as_str(), cursor), ("id Int32: ", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn wide_rows_and_long_texts_come_through() {
    let Some(db) = Db::new("wide").await else {
        return;
    };
    let columns: Vec<String> = (1..=1600)
        .map(|index| format!("c{index} int2 DEFAULT {index}"))
        .collect();
    db.run(&format!(
        "CREATE TABLE wide ({}); INSERT INTO wide DEFAULT VALUES",
        columns.join(", ")
    ))
    .await;
    db.run("CREATE TABLE long AS SELECT repeat('ế', 20000000) AS t, decode(repeat('ff', 1000), 'hex') AS b").await;
    let connector = db.connector(json!({"tables": ["wide", "long"]}));
    let (parts, _) = fetch(&*connector, "wide", None, &run_at(0)).await.unwrap();
    assert_eq!(parts[0].rows.num_columns(), 1600);
    assert_eq!(column(&parts, "c1600"), ["1600"]);
    let (parts, _) = fetch(&*connector, "long", None, &run_at(0)).await.unwrap();
    assert_eq!(column(&parts, "t")[0].len(), 60_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_killed_breaks_the_read_and_the_next_run_goes_on() {
    let Some(db) = Db::new("killed").await else {
        return;
    };
    db.run("CREATE TABLE t AS SELECT g AS id, repeat('x', 500) AS pad FROM generate_series(1, 200000) g").await;
    let incremental = json!({"tables": {"t": {"incremental": {"column": "id"}}}});
    let connector = db.in_parts(incremental.clone(), 1000);
    let io = run_at(0);
    let mut parts = Vec::new();
    let mut cursor = None;
    let error = loop {
        match connector
            .fetch(Slice::whole("t by id"), cursor.as_ref(), &io)
            .await
        {
            Ok(fetched) => parts.push(Part::of(fetched.unwrap()).await),
            Err(error) => break error,
        }
        cursor = parts.last().and_then(|part| part.next.clone());
        if parts.len() == 2 {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sectorlake' AND datname = 'killed'";
            db.run(kill).await;
        }
    };
    assert!(error.retryable, "{error:?}");
    assert!(
        matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Truncated),
        "{error:?}"
    );
    assert_eq!(
        error.help.as_deref(),
        Some("run the pipeline again: it goes on where it stopped")
    );
    let connector = db.in_parts(incremental, 100_000);
    let (rest, _) = fetch(&connector, "t", cursor, &run_at(5)).await.unwrap();
    parts.extend(rest);
    let ids: Vec<String> = (1..=200_000).map(|id| id.to_string()).collect();
    assert!(column(&parts, "id") == ids, "each row once");
}
