//! The session over a real lake that a run of the lake's own published.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use object_store::memory::InMemory;
use sectorlake_contract::Contract;
use sectorlake_functions::SessionOptions;
use sectorlake_lake::{At, Env, Lake, Load, PipelineState, StageOptions};

use super::recording::Recording;
use super::{answer, plan};
use crate::session::Session;

const GAUGES: &str = r#"{ "title": "Gauges", "fields": [
    { "name": "gauge_id", "type": "string", "title": "Gauge", "sectorlake": { "title": { "vi": "Trạm đo" } } },
    { "name": "at", "type": "datetime" },
    { "name": "level", "type": "number", "sectorlake": { "unit": "cm" } }
], "primaryKey": ["gauge_id", "at"],
"sectorlake": { "licence": "CC-BY-4.0", "owner": "water@haiphong.example", "partition_by": ["month(at)"] } }"#;

/// Instants of the rows: two in January 2026, one in February.
const TIMES: [i64; 3] = [
    1_767_225_600_000_000,
    1_767_312_000_000_000,
    1_770_000_000_000_000,
];

fn rows(run: &str, levels: [f64; 3]) -> RecordBatch {
    let same = |text: &str| Arc::new(StringViewArray::from(vec![text; 3])) as ArrayRef;
    RecordBatch::try_from_iter([
        (
            "gauge_id",
            Arc::new(StringViewArray::from(vec!["G1", "G2", "G1"])) as ArrayRef,
        ),
        (
            "at",
            Arc::new(TimestampMicrosecondArray::from(TIMES.to_vec()).with_timezone("UTC")),
        ),
        ("level", Arc::new(Float64Array::from(levels.to_vec()))),
        ("_run", same(run)),
        ("_part", same("a hash")),
        ("_row", Arc::new(Int64Array::from(vec![1, 2, 3]))),
    ])
    .unwrap()
}

async fn publish(lake: &Lake, pipeline: &str, levels: [f64; 3]) {
    let contract =
        Arc::new(Contract::parse("environment.gauges".parse().unwrap(), GAUGES).unwrap());
    let run = lake.begin(pipeline).await.unwrap();
    let stage = run
        .stage(&contract, Load::Replace, StageOptions::default())
        .await
        .unwrap();
    let mut writer = stage.writer();
    writer.write(rows(run.id(), levels)).await.unwrap();
    let files = writer.close().await.unwrap();
    let (duplicates, _none) = tokio::sync::mpsc::channel(1);
    stage
        .finish_into(vec![files], None, &["a hash".to_owned()], duplicates)
        .await
        .unwrap();
    run.publish(PipelineState::default()).await.unwrap();
}

async fn lake() -> (Lake, Arc<Recording>) {
    let store = Recording::over(Arc::new(InMemory::new()));
    let lake = Lake::on_store("memory", Arc::<Recording>::clone(&store), Env::manual())
        .await
        .unwrap();
    publish(&lake, "river", [101.5, 88.0, 97.25]).await;
    publish(&lake, "harbour", [1.0, 2.0, 3.0]).await;
    (lake, store)
}

async fn open(lake: &Lake, at: At) -> Session {
    let options = SessionOptions {
        target_partitions: 1,
        ..SessionOptions::default()
    };
    Session::open(Some(lake), at, options).await.unwrap()
}

#[tokio::test]
async fn a_question_that_names_no_table_reads_the_snapshot_alone() {
    let (lake, store) = lake().await;
    store.take();
    let session = open(&lake, At::Latest).await;
    answer(&session, "SELECT 1").await;
    answer(&session, "SHOW TABLES").await;
    let read = store.take();
    assert!(
        read.iter()
            .any(|path| path == "snapshots/00000000000000000002.json"),
        "{read:?}"
    );
    let beyond = |path: &&String| {
        !path.contains("snapshots") && !path.starts_with("head ") && *path != "sectorlake.json"
    };
    assert_eq!(read.iter().filter(beyond).count(), 0, "{read:?}");
    assert_eq!(session.snapshot_number(), Some(2));
}

#[tokio::test]
async fn counts_and_bounds_open_no_data_file() {
    let (lake, store) = lake().await;
    let session = open(&lake, At::Latest).await;
    store.take();
    insta::assert_snapshot!(answer(&session, "SELECT count(*) AS n, count(level) AS known, min(_at_month) AS a, max(_source) AS z FROM environment.gauges").await);
    insta::assert_snapshot!(answer(&session, "SELECT count(*) AS n FROM environment.gauges WHERE _source = 'river' AND _at_month = '2026-01'").await);
    let read = store.take();
    assert!(
        !read
            .iter()
            .any(|path| path.ends_with(".parquet") && !path.contains("_delta_log")),
        "{read:?}"
    );
}

#[tokio::test]
async fn a_filter_reads_the_files_that_may_hold_its_rows() {
    let (lake, store) = lake().await;
    let session = open(&lake, At::Latest).await;
    answer(
        &session,
        "SELECT 1 FROM environment.gauges WHERE level > 1000",
    )
    .await;
    store.take();
    let sql = "SELECT gauge_id, at, level, _source, _row FROM environment.gauges WHERE at >= TIMESTAMP '2026-02-01' AND level > 50";
    insta::assert_snapshot!(answer(&session, sql).await);
    let mut read: Vec<String> = store
        .take()
        .into_iter()
        .filter(|path| path.ends_with(".parquet"))
        .collect();
    read.dedup();
    assert_eq!(read.len(), 1, "{read:?}");
    assert!(
        read[0].contains("_source=river") && read[0].contains("2026-02"),
        "{read:?}"
    );
    assert!(
        !plan(&session, sql).await.contains("FilterExec"),
        "the filter is the reader's"
    );
}

#[tokio::test]
async fn an_older_snapshot_is_the_lake_as_it_was() {
    let (lake, _) = lake().await;
    let session = open(&lake, At::Number(1)).await;
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT _source, count(*) AS n FROM environment.gauges GROUP BY _source"
        )
        .await
    );
    let options = SessionOptions::default();
    let error = Session::open(Some(&lake), At::Number(9), options)
        .await
        .err()
        .unwrap();
    insta::assert_snapshot!(error.to_string());
}

#[tokio::test]
async fn meta_tells_of_a_real_lake() {
    let (lake, _) = lake().await;
    let session = open(&lake, At::Latest).await;
    insta::assert_snapshot!(answer(&session, "SELECT table_schema, table_name, title_en, row_count, file_count, sources, version, updated_snapshot, primary_key, licence, owner FROM meta.tables").await);
    insta::assert_snapshot!(answer(&session, "SELECT column_name, data_type, is_nullable, is_key, is_partition, unit, classification, title_vi FROM meta.columns ORDER BY ordinal_position").await);
    insta::assert_snapshot!(answer(&session, "SELECT snapshot, published_at, pipeline, table_count, changed_tables FROM meta.snapshots ORDER BY snapshot").await);
    for kind in [
        "runs",
        "run_tables",
        "run_parts",
        "rejected_rows",
        "revisions",
    ] {
        let counted = answer(&session, &format!("SELECT count(*) AS n FROM meta.{kind}")).await;
        assert!(counted.contains('0'), "{kind}: {counted}");
    }
}

#[tokio::test]
async fn an_empty_lake_has_meta_alone() {
    let lake = Lake::on_store("memory", Arc::new(InMemory::new()), Env::manual())
        .await
        .unwrap();
    let session = open(&lake, At::Latest).await;
    assert_eq!(session.snapshot_number(), None);
    insta::assert_snapshot!(answer(&session, "SELECT * FROM environment.gauges").await);
    insta::assert_snapshot!(answer(&session, "SELECT count(*) AS tables FROM meta.tables").await);
}
