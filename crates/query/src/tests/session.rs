//! What a session shows, opens and refuses.

use sectorlake_functions::SessionOptions;
use sectorlake_lake::At;

use super::{answer, fixture, plan};
use crate::session::Session;

async fn refusal(session: &Session, sql: &str) -> String {
    match session.sql(sql).await {
        Ok(_) => format!("{sql} IS ANSWERED"),
        Err(error) => error.find_root().strip_backtrace(),
    }
}

#[tokio::test]
async fn what_writes_or_sets_is_refused_in_plain_words() {
    let session = fixture::open().await.session;
    let statements = [
        "DROP TABLE transport.stops",
        "CREATE TABLE t (a INT)",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "CREATE SCHEMA s",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "INSERT INTO transport.stops VALUES ('a')",
        "UPDATE transport.stops SET stop_id = 'a'",
        "DELETE FROM transport.stops",
        "TRUNCATE TABLE transport.stops",
        "MERGE INTO transport.stops USING transport.trips ON true WHEN MATCHED THEN DELETE",
        "COPY transport.stops TO '/tmp/stops.csv'",
        "COPY (SELECT 1) TO 's3://bucket/x.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "BEGIN",
        "COMMIT",
        "SELECT 1 INTO t",
        "WITH x AS (INSERT INTO transport.stops VALUES ('a')) SELECT 1",
        "EXPLAIN DROP TABLE transport.stops",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/x.csv'",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE transport.stops",
        "",
        "-- nothing but words",
        "SELECT 1 EXCEPT ALL SELECT 2",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM 'tests/data/stops.parquet'",
        "SELECT * FROM \"file:///etc/passwd\"",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
        "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    ];
    let long = format!("SELECT {}1", "1 + ".repeat(3000));
    let deep = format!("SELECT {}1{}", "(".repeat(100), ")".repeat(100));
    let mut told = format!(
        "SELECT 1 + 1 + …\n  {}\nSELECT ((…\n  {}\n",
        refusal(&session, &long).await,
        refusal(&session, &deep).await
    );
    for sql in statements {
        told.push_str(&format!("{sql}\n  {}\n", refusal(&session, sql).await));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn unknown_names_are_guessed() {
    let session = fixture::open().await.session;
    let mut told = String::new();
    for sql in [
        "SELECT * FROM stops",
        "SELECT * FROM transport.stopp",
        "SELECT * FROM transport.route",
        "SELECT * FROM health.clinics",
        "SELECT stop_nam FROM transport.stops",
        "SELECT s.stop_idd FROM transport.stops s",
        "SELECT vn_unacent(stop_name) FROM transport.stops",
        "SELECT stop_name FROM transport.stops WHERE",
        "SELECT sum(stop_name) FROM transport.stops",
    ] {
        let error = session.sql(sql).await.err().unwrap();
        let place = error
            .diagnostic()
            .and_then(|it| it.span)
            .map(|span| format!(" at {}:{}", span.start.line, span.start.column));
        let text = error.find_root().strip_backtrace();
        told.push_str(&format!(
            "{sql}\n  {}{}\n",
            text.lines().next().unwrap(),
            place.unwrap_or_default()
        ));
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_table_is_opened_when_it_is_named_and_not_before() {
    let fixture = fixture::open().await;
    for sql in [
        "SELECT 1",
        "SHOW TABLES",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT * FROM meta.snapshots",
    ] {
        answer(&fixture.session, sql).await;
        assert_eq!(fixture.tables.opened(), 0, "{sql}");
    }
    answer(&fixture.session, "SELECT count(*) FROM transport.stops").await;
    assert_eq!(fixture.tables.opened(), 1);
    answer(
        &fixture.session,
        "SELECT count(*) FROM transport.stops s JOIN transport.trips t ON true",
    )
    .await;
    assert_eq!(fixture.tables.opened(), 2);
}

#[tokio::test]
async fn counts_and_bounds_come_from_the_log() {
    let fixture = fixture::open().await;
    insta::assert_snapshot!(
        plan(
            &fixture.session,
            "SELECT count(*) FROM environment.observations"
        )
        .await
    );
    insta::assert_snapshot!(plan(&fixture.session, "SELECT min(phenomenon_time), max(phenomenon_time), count(result) FROM environment.observations").await);
    insta::assert_snapshot!(
        plan(
            &fixture.session,
            "SELECT count(*) FROM education.schools WHERE _source = 'ministry-schools'"
        )
        .await
    );
    insta::assert_snapshot!(
        plan(
            &fixture.session,
            "SELECT count(*) FROM education.schools WHERE _source = 'nobody'"
        )
        .await
    );
}

#[tokio::test]
async fn files_are_pruned_by_name_and_by_bounds_and_filters_reach_the_reader() {
    let fixture = fixture::open().await;
    insta::assert_snapshot!(plan(&fixture.session, "SELECT station_id, result FROM environment.observations WHERE _phenomenon_time_month = '2024-06' AND result > 50").await);
    insta::assert_snapshot!(
        plan(&fixture.session, "SELECT max(result) FROM environment.observations WHERE phenomenon_time >= TIMESTAMP '2024-06-03 00:00:00' AND observed_property = 'pm25'").await
    );
}

#[tokio::test]
async fn meta_tells_of_tables_and_columns() {
    let session = fixture::open().await.session;
    insta::assert_snapshot!(answer(&session, "SELECT table_schema, table_name, title_vi, row_count, file_count, sources, version, primary_key, partition_columns, contract FROM meta.tables ORDER BY 1, 2").await);
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT * FROM meta.columns WHERE table_name = 'schools' ORDER BY ordinal_position"
        )
        .await
    );
    insta::assert_snapshot!(answer(&session, "SHOW TABLES").await);
    insta::assert_snapshot!(answer(&session, "DESCRIBE transport.stops").await);
}

#[tokio::test]
async fn without_a_lake_there_is_meta_and_every_function() {
    let session = Session::open(None, At::Latest, SessionOptions::default())
        .await
        .unwrap();
    assert_eq!(session.snapshot_number(), None);
    insta::assert_snapshot!(answer(&session, "SELECT count(*) AS tables, (SELECT count(*) FROM meta.snapshots) AS snapshots, (SELECT count(*) FROM meta.rejected_rows) AS rejected FROM meta.tables").await);
    insta::assert_snapshot!(refusal(&session, "SELECT * FROM transport.stops").await);
    let names = session.names().await;
    assert!(names.functions.contains("vn_unaccent") && names.functions.contains("row_number"));
    assert!(names.tables["meta.tables"].contains(&"row_count".to_owned()));
}

#[tokio::test]
async fn names_for_completion() {
    let fixture = fixture::open().await;
    let names = fixture.session.names().await;
    insta::assert_debug_snapshot!(names.tables["transport.stops"]);
    assert_eq!(
        names
            .tables
            .keys()
            .filter(|name| !name.starts_with("meta."))
            .count(),
        fixture.tables.names().count()
    );
}
