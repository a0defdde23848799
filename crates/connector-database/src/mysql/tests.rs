//! Against a real MariaDB on loopback.

#![expect(clippy::unwrap_used, reason = "tests")]

use sectorlake_connector::{ErrorKind, Slice};
use serde_json::json;

use super::*;
use crate::parts::Bounds;
use crate::testing::{Part, column, fetch, run_at, said, servers, shown};

struct Db {
    name: String,
    port: u16,
    client: Conn,
}

impl Db {
    /// `None` where no server is installed.
    async fn new(name: &str) -> Option<Self> {
        let port = servers::server("mariadb")?.port;
        let options = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(port)
            .user(Some("owner"))
            .pass(Some("s3cr3t"));
        let mut client = Conn::new(options.prefer_socket(false)).await.unwrap();
        client
            .query_drop(format!("CREATE DATABASE `{name}`"))
            .await
            .unwrap();
        client.query_drop(format!("USE `{name}`")).await.unwrap();
        Some(Self {
            name: name.to_owned(),
            port,
            client,
        })
    }

    async fn run(&mut self, statements: &str) {
        for statement in statements.split(";\n") {
            self.client.query_drop(statement).await.unwrap();
        }
    }

    fn settings(&self, more: serde_json::Value) -> serde_json::Value {
        let mut settings = json!({
            "url": format!("mysql://owner:s3cr3t@127.0.0.1:{}/{}", self.port, self.name),
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

    fn in_parts(&self, more: serde_json::Value, rows_max: usize) -> Database {
        let settings: ServerSettings = serde_json::from_value(self.settings(more)).unwrap();
        let (address, tls) = settings
            .address(DEFAULTS, &MakeContext::new(".", "demo", |_| None))
            .unwrap();
        let wanted = Wanted::of(settings.tables, settings.queries).unwrap();
        Database::new(Arc::new(Mysql::new(address, tls)), wanted).with_bounds(Bounds {
            rows_max,
            ..Bounds::default()
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_as_what_it_is() {
    let Some(mut db) = Db::new("types").await else {
        return;
    };
    db.run(
        "SET sql_mode = '';
CREATE TABLE everything (
  tiny TINYINT, tiny_u TINYINT UNSIGNED, flag BOOL, small SMALLINT, small_u SMALLINT UNSIGNED, medium MEDIUMINT, medium_u MEDIUMINT UNSIGNED,
  whole INT, whole_u INT UNSIGNED, big BIGINT, big_u BIGINT UNSIGNED, year_ YEAR, float_ FLOAT, double_ DOUBLE,
  dec_10_2 DECIMAL(10,2), dec_u DECIMAL(10,2) UNSIGNED, dec_38 DECIMAL(38,0), dec_65 DECIMAL(65,30), bit_1 BIT(1), bit_20 BIT(20),
  char_ CHAR(4), varchar_ VARCHAR(20), text_ TEXT, long_ LONGTEXT, latin VARCHAR(20) CHARACTER SET latin1, binary_ BINARY(2), varbinary_ VARBINARY(4), blob_ BLOB,
  date_ DATE, time_ TIME, time_6 TIME(6), datetime_ DATETIME(6), timestamp_ TIMESTAMP(6) NULL,
  json_ JSON, enum_ ENUM('vui', 'buồn'), set_ SET('a', 'b'), point_ POINT, uuid_ UUID, inet_ INET6
);
SET time_zone = '+07:00';
INSERT INTO everything VALUES (
  -128, 255, 1, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, -9223372036854775808, 18446744073709551615, 2024, 1.5, 0.1,
  -12345678.90, 0.01, 99999999999999999999999999999999999999, 1.5, b'1', b'10000000000000000001',
  'ab', 'Hải Phòng', 'ế', '\"\\n', 'café', x'00ff', x'01', x'00ff00',
  '2024-02-29', '-838:59:59', '23:59:59.5', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789012',
  '{\"a\": [1, null]}', 'buồn', 'a,b', ST_GeomFromText('POINT(106.7 20.8)', 4326), 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1'
);
INSERT INTO everything (whole) VALUES (NULL);
INSERT INTO everything (date_, datetime_, timestamp_) VALUES ('0000-00-00', '2024-00-15', '0000-00-00')",
    )
    .await;
    let (parts, _) = fetch(
        &*db.connector(json!({"tables": ["everything"]})),
        "everything",
        None,
        &run_at(0),
    )
    .await
    .unwrap();
    insta::assert_snapshot!(shown(&parts));
    insta::assert_snapshot!(parts[0].headers["read-as-null"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tables_are_streams_and_names_are_as_they_are() {
    let Some(mut db) = Db::new("tên có cách").await else {
        return;
    };
    db.run(
        "CREATE TABLE `bảng ``đo``` (`giá trị` INT, `select` INT);
INSERT INTO `bảng ``đo``` VALUES (1, 2);
CREATE TABLE empty (id INT);
CREATE VIEW v AS SELECT 1 AS one",
    )
    .await;
    let connector =
        db.connector(json!({"tables": "all", "queries": {"two": "SELECT 2 AS `số` -- hai"}}));
    let streams = connector.streams(&run_at(0)).await.unwrap();
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["two", "bảng `đo`", "empty"]);
    for (unit, expected) in [
        ("bảng `đo`", "giá trị Int32: 1\nselect Int32: 2"),
        ("two", "số Int32: 2"),
        ("empty", "id Int32: "),
    ] {
        let (parts, cursor) = fetch(&*connector, unit, None, &run_at(0)).await.unwrap();
        assert_eq!((shown(&parts).as_str(), cursor), (expected, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_comes_whole_in_parts_of_one_snapshot() {
    let Some(mut db) = Db::new("parts").await else {
        return;
    };
    db.run("CREATE TABLE t AS SELECT seq AS id FROM seq_1_to_2500")
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
    db.run("DELETE FROM t WHERE id > 10").await;
    let (rest, cursor) = fetch(&connector, "t", first.next.clone(), &io)
        .await
        .unwrap();
    assert_eq!(cursor, None);
    let parts = [vec![first], rest].concat();
    assert_eq!(
        parts
            .iter()
            .map(|part| part.rows.num_rows())
            .collect::<Vec<_>>(),
        [1000, 1000, 500]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn later_runs_bring_what_is_new_and_ties_come_once() {
    let Some(mut db) = Db::new("later").await else {
        return;
    };
    for (name, column_type, values) in [
        (
            "t1",
            "TIMESTAMP(6) NOT NULL DEFAULT 0",
            [
                "'2025-01-01'",
                "'2025-01-03'",
                "'2025-01-03'",
                "'2025-01-04 00:00:00.5'",
            ],
        ),
        (
            "t2",
            "DATE NOT NULL",
            [
                "'2025-01-01'",
                "'2025-01-03'",
                "'2025-01-03'",
                "'2025-01-04'",
            ],
        ),
        (
            "t3",
            "BIGINT UNSIGNED NOT NULL",
            [
                "1",
                "18446744073709551614",
                "18446744073709551614",
                "18446744073709551615",
            ],
        ),
        (
            "t4",
            "DECIMAL(30,3) NOT NULL",
            [
                "-1.5",
                "99999999999999999999.001",
                "99999999999999999999.001",
                "99999999999999999999.002",
            ],
        ),
    ] {
        db.run(&format!("CREATE TABLE {name} (id INT, mark {column_type})"))
            .await;
        db.run(&format!(
            "INSERT INTO {name} VALUES (1, {}), (2, {})",
            values[0], values[1]
        ))
        .await;
        let connector =
            db.connector(json!({"tables": {name: {"incremental": {"column": "mark"}}}}));
        let (parts, cursor) = fetch(&*connector, name, None, &run_at(0)).await.unwrap();
        assert_eq!(column(&parts, "id"), ["1", "2"], "{name}");
        db.run(&format!(
            "INSERT INTO {name} VALUES (3, {}), (4, {})",
            values[2], values[3]
        ))
        .await;
        let (parts, cursor) = fetch(&*connector, name, cursor, &run_at(1)).await.unwrap();
        assert_eq!(column(&parts, "id"), ["3", "4"], "{name}");
        let (parts, cursor) = fetch(&*connector, name, cursor, &run_at(2)).await.unwrap();
        assert!(parts.is_empty(), "{name}");
        let back = if name < "t3" { json!("1d") } else { json!(1) };
        let connector = db.connector(
            json!({"tables": {name: {"incremental": {"column": "mark", "lookback": back}}}}),
        );
        let (parts, _) = fetch(&*connector, name, cursor, &run_at(3)).await.unwrap();
        let mut ids = column(&parts, "id");
        ids.sort();
        let expected: &[&str] = if name == "t1" {
            &["4"]
        } else {
            &["2", "3", "4"]
        };
        assert_eq!(ids, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_killed_breaks_the_read_and_the_next_run_goes_on() {
    let Some(mut db) = Db::new("killed").await else {
        return;
    };
    db.run("CREATE TABLE t AS SELECT seq AS id, repeat('x', 500) AS pad FROM seq_1_to_100000")
        .await;
    let incremental = json!({"tables": {"t": {"incremental": {"column": "id"}}}});
    let connector = db.in_parts(incremental.clone(), 1000);
    let io = run_at(0);
    let (mut parts, mut cursor) = (Vec::new(), None);
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
            let find = "SELECT id FROM information_schema.processlist WHERE db = 'killed' AND id <> CONNECTION_ID()";
            let ids: Vec<u64> = db.client.query(find).await.unwrap();
            for id in ids {
                db.run(&format!("KILL {id}")).await;
            }
        }
    };
    assert!(error.retryable, "{error:?}");
    let (rest, _) = fetch(&db.in_parts(incremental, 100_000), "t", cursor, &run_at(5))
        .await
        .unwrap();
    parts.extend(rest);
    let ids: Vec<String> = (1..=100_000).map(|id| id.to_string()).collect();
    assert!(column(&parts, "id") == ids, "each row once");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_named_with_its_mend() {
    let Some(mut db) = Db::new("mistakes").await else {
        return;
    };
    db.run(
        "CREATE TABLE stations (id INT, name VARCHAR(10), at DATETIME);
CREATE TABLE secret_pay (id INT);
INSERT INTO stations VALUES (1, 'a', NULL);
CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'r34d3r';
CREATE USER reader@localhost IDENTIFIED BY 'r34d3r';
GRANT SELECT ON mistakes.stations TO reader@'127.0.0.1';
GRANT SELECT ON mistakes.stations TO reader@localhost",
    )
    .await;
    let query = |sql: &str| json!({"queries": {"q": sql}});
    let by = |column: &str, start: serde_json::Value| json!({"tables": {"stations": {"incremental": {"column": column, "start": start}}}});
    let cases = [
        (json!({"password": "wr0ng", "tables": ["t"]}), "t"),
        (json!({"database": "none", "tables": ["t"]}), "t"),
        (json!({"tables": ["station"]}), "station"),
        (
            json!({"user": "reader", "password": "r34d3r", "tables": ["secret_pay"]}),
            "secret_pay",
        ),
        (
            json!({"user": "reader", "password": "r34d3r", "queries": {"q": "SELECT * FROM secret_pay"}}),
            "q",
        ),
        (query("SELECT 1 AS a; DROP TABLE stations"), "q"),
        (query("SELECT nothing FROM stations"), "q"),
        (query("SELECT id, id FROM stations"), "q"),
        (by("name", json!(null)), "stations"),
        (by("at", json!(null)), "stations"),
        (by("id", json!("1 OR 1=1")), "stations"),
        (
            json!({"tables": ["stations"], "tls": {"mode": "verify"}}),
            "stations",
        ),
    ];
    let mut all = Vec::new();
    for (settings, unit) in cases {
        let error = fetch(&*db.connector(settings), unit, None, &run_at(0))
            .await
            .unwrap_err();
        let error = said(&error, db.port);
        for secret in ["s3cr3t", "wr0ng", "r34d3r"] {
            assert!(!error.contains(secret), "{error}");
        }
        all.push(error);
    }
    insta::assert_snapshot!(all.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_writes_is_refused() {
    let Some(mut db) = Db::new("writes").await else {
        return;
    };
    db.run("CREATE SEQUENCE s;\nCREATE TABLE t (id INT);\nCREATE FUNCTION f() RETURNS INT MODIFIES SQL DATA BEGIN INSERT INTO t VALUES (1); RETURN 1; END").await;
    let connector = db.connector(json!({"queries": {"q": "SELECT f() AS a"}}));
    let error = fetch(&*connector, "q", None, &run_at(0)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert_eq!(
        error.help.as_deref(),
        Some("a source is only read: write one SELECT that changes nothing")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_connection_reads_too() {
    let Some(mut db) = Db::new("tls").await else {
        return;
    };
    if !servers::server("mariadb")
        .unwrap()
        .dir
        .join("server.crt")
        .is_file()
    {
        return;
    }
    db.run("CREATE TABLE t AS SELECT 1 AS id").await;
    let certificate = servers::server("mariadb").unwrap().dir.join("server.crt");
    for tls in [json!({"mode": "require"}), json!({"ca": certificate})] {
        let connector = db.connector(json!({"tables": ["t"], "tls": tls}));
        let (parts, _) = fetch(&*connector, "t", None, &run_at(0)).await.unwrap();
        assert_eq!(column(&parts, "id"), ["1"]);
    }
}
