//! What goes wrong between us and a server, as its users read it.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_named_with_its_mend() {
    let Some(db) = Db::new("mistakes").await else {
        return;
    };
    db.run(
        "CREATE TABLE stations (id int); CREATE TABLE secret_pay (id int);
         CREATE ROLE reader LOGIN PASSWORD 'r34d3r'; GRANT SELECT ON stations TO reader",
    )
    .await;
    let reader = |table: &str| json!({"user": "reader", "password": "r34d3r", "tables": [table]});
    let query = |sql: &str| json!({"queries": {"q": sql}});
    let cases = [
        (json!({"password": "wr0ng", "tables": ["t"]}), "t"),
        (json!({"user": "nobody", "tables": ["t"]}), "t"),
        (json!({"database": "none", "tables": ["t"]}), "t"),
        (json!({"tables": ["station"]}), "station"),
        (json!({"tables": ["zzzzzzzzzz"]}), "zzzzzzzzzz"),
        (reader("secret_pay"), "secret_pay"),
        (query("SELECT 1 AS a; DROP TABLE stations"), "q"),
        (query("SELECT 1) TO PROGRAM 'id' --"), "q"),
        (
            query("WITH gone AS (DELETE FROM stations RETURNING id) SELECT * FROM gone"),
            "q",
        ),
        (query("SELECT nextval('s') FROM stations"), "q"),
        (query("SELECT id, id FROM stations"), "q"),
        (query("SELECT 1 / id AS a FROM (VALUES (0)) v (id)"), "q"),
    ];
    let mut all = Vec::new();
    for (settings, unit) in cases {
        let error = said(&db.error(settings, unit).await, db.port);
        for secret in ["s3cr3t", "wr0ng", "r34d3r"] {
            assert!(!error.contains(secret), "{error}");
        }
        all.push(error);
    }
    insta::assert_snapshot!(all.join("\n"));
    let count = db
        .client
        .query_one("SELECT count(*) FROM stations", &[])
        .await;
    assert!(count.is_ok(), "nothing was dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_writes_is_refused_too() {
    let Some(db) = Db::new("writes").await else {
        return;
    };
    db.run("CREATE SEQUENCE s; CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING 1'").await;
    for sql in ["SELECT nextval('s') AS a", "SELECT f() AS a"] {
        let error = db.error(json!({"queries": {"q": sql}}), "q").await;
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(
            error.to_string().contains("read-only transaction"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_is_told() {
    let settings =
        json!({"host": "127.0.0.1", "port": 1, "database": "d", "user": "u", "tables": ["t"]});
    let context = MakeContext::new(".", "demo", |_| None);
    let connector = registration()
        .make(settings.as_object().unwrap().clone(), &context)
        .unwrap();
    let error = fetch(&*connector, "t", None, &run_at(0)).await.unwrap_err();
    assert!(error.retryable);
    insta::assert_snapshot!(said(&error, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_believed_if_the_settings_say_so() {
    let Some(db) = Db::new("tls").await else {
        return;
    };
    let server = servers::server("postgres").unwrap();
    let Ok(pem) = std::fs::read(server.dir.join("server.crt")) else {
        return;
    };
    db.run("CREATE TABLE t AS SELECT 1 AS id").await;
    let der = <rustls::pki_types::CertificateDer<'_> as rustls::pki_types::pem::PemObject>::from_pem_slice(&pem).unwrap();
    let fingerprint: String = {
        use sha2::Digest as _;
        sha2::Sha256::digest(&der)
            .iter()
            .map(|byte| format!("{byte:02X}:"))
            .collect()
    };
    let with = |tls: serde_json::Value| json!({"tables": ["t"], "tls": tls});
    for tls in [
        json!({"fingerprint": fingerprint.trim_end_matches(':')}),
        json!({"ca": server.dir.join("server.crt")}),
        json!({"mode": "require"}),
        json!({"mode": "disable"}),
        json!({}),
    ] {
        let (parts, _) = fetch(&*db.connector(with(tls)), "t", None, &run_at(0))
            .await
            .unwrap();
        assert_eq!(column(&parts, "id"), ["1"]);
    }
    for tls in [
        json!({"fingerprint": "0".repeat(64)}),
        json!({"mode": "verify"}),
    ] {
        let error = db.error(with(tls), "t").await;
        assert!(
            error
                .help
                .as_deref()
                .unwrap_or_default()
                .contains("fingerprint"),
            "{error:?}"
        );
        assert!(!error.retryable);
    }
}
