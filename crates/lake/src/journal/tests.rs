//! What is written is read back, by any Parquet reader, with the schema of its kind.

#![expect(clippy::unwrap_used, reason = "tests")]

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use chrono::DateTime;
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

fn journal() -> Journal {
    Journal::new(Arc::new(InMemory::new()), Arc::default())
}

fn rejected(row: i64, reason: u32) -> RejectedRow {
    RejectedRow {
        run: "r1".to_owned(),
        pipeline: "bus".to_owned(),
        table: "transport.stops".parse().unwrap(),
        part: "c0ffee".to_owned(),
        file: "gtfs.zip!stops.txt".to_owned(),
        key: "https://transit.example/gtfs.zip".to_owned(),
        row,
        reason,
        mapped: true,
        field: Some("stop_lat".to_owned()),
        rule: "maximum".to_owned(),
        severity: "reject",
        value: Some("91".to_owned()),
        message: "91 is more than 90".to_owned(),
        record: None,
    }
}

async fn read(journal: &Journal, kind: Kind) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    for file in journal.files(kind).await.unwrap() {
        let bytes = journal
            .store
            .get(&file.location)
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        assert_eq!(builder.schema().fields(), schema(kind).fields(), "{kind}");
        batches.extend(builder.build().unwrap().map(Result::unwrap));
    }
    batches
}

fn at(seconds: i64) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn silent() -> FreshnessRow {
    FreshnessRow {
        run: "r1".to_owned(),
        pipeline: "air".to_owned(),
        table: "city.readings".parse().unwrap(),
        station: Some("S2".to_owned()),
        newest: Some(at(0)),
        usual_step_s: Some(3600),
        stale_since: Some(at(0)),
        state: "silent",
        message: Some("city.readings: station S2 has given nothing new".to_owned()),
        checked_at: at(60),
    }
}

#[tokio::test]
async fn each_kind_reads_back() {
    let journal = journal();
    let (run, pipeline) = ("r1".to_owned(), "bus".to_owned());
    let table: sectorlake_contract::TableName = "transport.stops".parse().unwrap();
    let started = RunRow {
        run: run.clone(),
        pipeline: pipeline.clone(),
        outcome: "started",
        started_at: at(0),
        finished_at: None,
        host: "host-a".to_owned(),
        snapshot: None,
        parts: None,
        bytes: None,
        message: None,
    };
    let published = RunRow {
        outcome: "published",
        finished_at: Some(at(60)),
        snapshot: Some(7),
        parts: Some(1),
        bytes: Some(u64::MAX),
        ..started.clone()
    };
    journal
        .write("r1", Access::Open, vec![started])
        .await
        .unwrap();
    journal
        .write("r1", Access::Open, vec![published])
        .await
        .unwrap();
    let of_table = RunTableRow {
        run: run.clone(),
        pipeline: pipeline.clone(),
        table: table.clone(),
        load: "replace",
        mapped: 10,
        loaded: 6,
        unchanged: 2,
        superseded: 1,
        rejected: 1,
        removed: 3,
        previous_rows: 5,
        revised: Some(1),
        deleted: Some(0),
        version: Some(0),
    };
    journal
        .write("r1", Access::Open, vec![of_table])
        .await
        .unwrap();
    let of_part = RunPartRow {
        run: run.clone(),
        pipeline: pipeline.clone(),
        unit: "gtfs".to_owned(),
        stream: "stops.txt".to_owned(),
        part: "c0ffee".to_owned(),
        name: "gtfs.zip!stops.txt".to_owned(),
        key: "https://transit.example/gtfs.zip".to_owned(),
        bytes: 1234,
        fetched_at: at(30),
        table: table.clone(),
        records: 12,
        decoded: 11,
        broken: 1,
        filtered: 1,
        mapped: 10,
        rejected: 1,
        fixed: 0,
    };
    journal
        .write("r1", Access::Open, vec![of_part])
        .await
        .unwrap();
    journal
        .write(
            "r1",
            Access::Restricted,
            vec![rejected(7, 1), rejected(7, 2)],
        )
        .await
        .unwrap();
    let revision = RevisionRow {
        run,
        pipeline,
        table,
        key: "{\"stop_id\":\"a\"}".to_owned(),
        old_run: "r0".to_owned(),
        old_row: "{}".to_owned(),
        new_row: None,
        at: at(60),
    };
    journal
        .write("r1", Access::Open, vec![revision])
        .await
        .unwrap();
    journal
        .write("r1", Access::Open, vec![silent()])
        .await
        .unwrap();

    let mut shown = Vec::new();
    for kind in Kind::ALL {
        let paths: Vec<String> = journal
            .files(kind)
            .await
            .unwrap()
            .iter()
            .map(|f| f.location.to_string())
            .collect();
        let rows = pretty_format_batches(&read(&journal, kind).await).unwrap();
        shown.push(format!("{}\n{rows}", paths.join("\n")));
    }
    insta::assert_snapshot!(shown.join("\n"));
}

#[tokio::test]
async fn without_a_row_there_is_no_file() {
    let journal = journal();
    assert_eq!(
        journal
            .writer::<RejectedRow>("r1", Access::Open)
            .close()
            .await
            .unwrap(),
        0
    );
    let mut dropped = journal.writer("r1", Access::Open);
    dropped.push(rejected(1, 1)).await.unwrap();
    drop(dropped);
    assert!(journal.files(Kind::RejectedRows).await.unwrap().is_empty());
}

#[tokio::test]
async fn many_rows_stream_through_in_order() {
    const ROWS: i64 = 20_000;
    let journal = journal();
    let mut writer = journal.writer("r1", Access::Open);
    for row in 1..=ROWS {
        writer.push(rejected(row, 1)).await.unwrap();
    }
    let batch = schema::batch(&schema(Kind::RejectedRows), &[rejected(ROWS + 1, 1)]).unwrap();
    writer.append(&batch).await.unwrap();
    assert_eq!(
        writer.close().await.unwrap(),
        u64::try_from(ROWS + 1).unwrap()
    );
    let mut expected = 1..;
    for batch in read(&journal, Kind::RejectedRows).await {
        let rows = batch.column_by_name("row").unwrap();
        let rows = rows
            .as_any()
            .downcast_ref::<arrow::array::Int64Array>()
            .unwrap();
        rows.values()
            .iter()
            .for_each(|&row| assert_eq!(Some(row), expected.next()));
    }
    assert_eq!(expected.next(), Some(ROWS + 2));
}

#[test]
fn a_full_disk_is_told() {
    let fault = object_store::Error::Generic {
        store: "test",
        source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)),
    };
    let error = writer::fault(
        &Path::from("journal/runs/r1-0.parquet"),
        parquet::errors::ParquetError::External(Box::new(fault)),
    );
    assert_eq!(
        error.to_string(),
        "cannot write journal/runs/r1-0.parquet: no space is left"
    );
}
