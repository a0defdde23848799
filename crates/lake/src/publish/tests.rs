//! Races, crashes and foreign writers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use deltalake::kernel::{DataType, PrimitiveType};
use deltalake::operations::create::CreateBuilder;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::checkpoint::EVERY;
use crate::env::{Env, ManualClock, OnlyThese, ProcessId};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout::{self, Access};
use crate::overlay::{Overlay, log_store};
use crate::snapshot::{At, PipelineState};
use crate::stage::Load;
use crate::stage::fixture::{Loading, contract_with, lake, lake_on, latest, row, rows, values};

/// The same world in another process, to which those before it are dead.
pub(super) fn next_process(env: &Env, pid: u32) -> Env {
    let process = ProcessId {
        pid,
        started: u64::from(pid),
    };
    Env {
        process,
        alive: Arc::new(OnlyThese(vec![process])),
        ..env.clone()
    }
}

pub(super) async fn all_paths(lake: &Lake) -> Vec<String> {
    let objects: Vec<_> = lake.store().list(None).try_collect().await.unwrap();
    objects
        .into_iter()
        .map(|object| object.location.to_string())
        .collect()
}

#[tokio::test]
async fn two_pipelines_that_make_one_table_both_land() {
    let lake = lake().await;
    let loading = Loading::of(Load::Replace);
    let (bus, tram) = (
        lake.begin("bus").await.unwrap(),
        lake.begin("tram").await.unwrap(),
    );
    loading
        .stage(&bus, &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    loading
        .stage(&tram, &[vec![row("a", 2, "p2", 1)]])
        .await
        .unwrap();
    assert_eq!(
        tram.publish(PipelineState::default())
            .await
            .unwrap()
            .snapshot,
        1
    );
    assert_eq!(
        bus.publish(PipelineState::default())
            .await
            .unwrap()
            .snapshot,
        2
    );
    assert_eq!(rows(&lake).await.len(), 2);
    // And again on what is there: each replaces its own rows, the later one under a later number.
    let (bus, tram) = (
        lake.begin("bus").await.unwrap(),
        lake.begin("tram").await.unwrap(),
    );
    loading
        .stage(&bus, &[vec![row("b", 3, "p3", 1)]])
        .await
        .unwrap();
    loading
        .stage(&tram, &[vec![row("b", 4, "p4", 1)]])
        .await
        .unwrap();
    bus.publish(PipelineState::default()).await.unwrap();
    tram.publish(PipelineState::default()).await.unwrap();
    assert_eq!(
        values(&lake, "bus").await,
        BTreeMap::from([("b".to_owned(), 3)])
    );
    assert_eq!(
        values(&lake, "tram").await,
        BTreeMap::from([("b".to_owned(), 4)])
    );
    let times: Vec<_> = lake
        .snapshots()
        .await
        .unwrap()
        .iter()
        .map(|snapshot| snapshot.published_at)
        .collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test]
async fn two_that_bring_one_key_of_the_lake_do_not_both_land() {
    let lake = lake().await;
    let contract = contract_with(r#", "key_scope": "lake""#);
    let loading = Loading {
        contract,
        ..Loading::of(Load::Replace)
    };
    let (bus, tram) = (
        lake.begin("bus").await.unwrap(),
        lake.begin("tram").await.unwrap(),
    );
    loading
        .stage(&bus, &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    loading
        .stage(&tram, &[vec![row("a", 2, "p2", 1)]])
        .await
        .unwrap();
    tram.publish(PipelineState::default()).await.unwrap();
    let error = bus.publish(PipelineState::default()).await.unwrap_err();
    assert!(matches!(error, LakeError::Conflict { .. }), "{error}");
    assert_eq!(
        values(&lake, "tram").await,
        BTreeMap::from([("a".to_owned(), 2)])
    );
    assert_eq!(values(&lake, "bus").await, BTreeMap::new());
    assert!(
        all_paths(&lake)
            .await
            .iter()
            .all(|path| !path.contains("_source=bus"))
    );
}

#[tokio::test]
async fn of_two_runs_of_one_pipeline_the_later_publisher_is_fenced() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let env = Env::manual();
    let first = lake_on(Arc::clone(&store), env.clone()).await;
    let second = lake_on(Arc::clone(&store), next_process(&env, 2)).await;
    let loading = Loading::of(Load::Replace);
    let slow = first.begin("bus").await.unwrap();
    loading
        .stage(&slow, &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    loading
        .run(&second, "bus", &[vec![row("b", 2, "p1", 1)]])
        .await
        .unwrap();
    let error = slow.publish(PipelineState::default()).await.unwrap_err();
    assert!(matches!(error, LakeError::Fenced { .. }), "{error}");
    assert_eq!(
        values(&second, "bus").await,
        BTreeMap::from([("b".to_owned(), 2)])
    );
    assert_eq!(latest(&second).await.unwrap().number, 1);
}

#[tokio::test]
async fn a_foreign_entry_is_told_and_nothing_published() {
    let lake = lake().await;
    let loading = Loading::of(Load::Replace);
    loading
        .run(&lake, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let run = lake.begin("bus").await.unwrap();
    loading
        .stage(&run, &[vec![row("a", 2, "p2", 1)]])
        .await
        .unwrap();
    let entry = layout::log_entry(&"test.items".parse().unwrap(), Access::Open, 1);
    lake.store().put(&entry, "{}".into()).await.unwrap();
    let error = run.publish(PipelineState::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{entry}: version 1 of table test.items was not written by this lake")
    );
    assert_eq!(
        values(&lake, "bus").await,
        BTreeMap::from([("a".to_owned(), 1)])
    );
    assert_eq!(latest(&lake).await.unwrap().number, 1);
}

#[tokio::test]
async fn a_run_that_only_slept_keeps_its_files_and_may_publish() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let clock = Arc::new(ManualClock::default());
    let env = Env::manual_with(Arc::clone(&clock));
    let both = [1, 2].map(|pid| ProcessId {
        pid,
        started: u64::from(pid),
    });
    let awake = Env {
        process: both[1],
        alive: Arc::new(OnlyThese(both.to_vec())),
        ..env.clone()
    };
    let first = lake_on(Arc::clone(&store), env).await;
    let second = lake_on(Arc::clone(&store), awake).await;
    let loading = Loading::of(Load::Replace);
    let sleeper = first.begin("bus").await.unwrap();
    loading
        .stage(&sleeper, &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    clock.advance(chrono::TimeDelta::days(1));
    let other = second.begin("bus").await.unwrap();
    loading
        .stage(&other, &[vec![row("b", 2, "p2", 1)]])
        .await
        .unwrap();
    sleeper.publish(PipelineState::default()).await.unwrap();
    assert_eq!(
        values(&second, "bus").await,
        BTreeMap::from([("a".to_owned(), 1)])
    );
    let error = other.publish(PipelineState::default()).await.unwrap_err();
    assert!(matches!(error, LakeError::Fenced { .. }), "{error}");
    assert_eq!(
        values(&second, "bus").await,
        BTreeMap::from([("a".to_owned(), 1)])
    );
}

#[tokio::test]
async fn deltas_own_operations_work_through_the_overlay() {
    let lake = lake().await;
    let name = "test.other".parse().unwrap();
    let overlay = Overlay::new(lake.store(), "r1", (&name, Access::Open), None);
    let log = log_store(overlay).unwrap();
    let table = CreateBuilder::new()
        .with_log_store(log)
        .with_column("id", DataType::Primitive(PrimitiveType::String), true, None)
        .await
        .unwrap();
    assert_eq!(table.version(), Some(0));
    assert_eq!(table.snapshot().unwrap().log_data().num_files(), 0);
    let staged = layout::run_log("r1", &name, Access::Open)
        .join(layout::numbered(0))
        .to_string();
    assert_eq!(
        all_paths(&lake).await,
        [
            "runs/r1/log/test/other/00000000000000000000.json",
            "sectorlake.json"
        ]
    );
    assert_eq!(staged, "runs/r1/log/test/other/00000000000000000000.json");
}

#[tokio::test(flavor = "multi_thread")]
async fn delta_readers_see_plain_tables() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(folder.path().to_str().unwrap(), Env::manual())
        .await
        .unwrap();
    let contract = contract_with(r#", "partition_by": ["month(at)"]"#);
    let merge = Loading {
        contract,
        ..Loading::of(Load::Merge)
    };
    let mut first: Vec<_> = (0..40)
        .map(|n| row(&format!("k{n:02}"), n, "p1", n))
        .collect();
    first.iter_mut().for_each(|row| row.month = row.value % 3);
    merge.run(&lake, "bus", &[first]).await.unwrap();
    merge
        .run(&lake, "bus", &[vec![row("k00", 100, "p2", 1)]])
        .await
        .unwrap();
    let path = folder.path().join("tables/test/items");
    let url = url::Url::from_directory_path(&path).unwrap();
    let table = deltalake::DeltaTableBuilder::from_url(url)
        .unwrap()
        .load()
        .await
        .unwrap();
    let protocol = table.snapshot().unwrap().protocol().clone();
    assert_eq!(
        (protocol.min_reader_version(), protocol.min_writer_version()),
        (1, 2)
    );
    let context = datafusion::prelude::SessionContext::new();
    context
        .register_table("items", table.table_provider().await.unwrap())
        .unwrap();
    let query = r"select _at_month, count(*) n, sum(value) total, max(_row) last from items
        where _source = 'bus' and id >= 'k00' group by 1 order by 1";
    let answer = context.sql(query).await.unwrap().collect().await.unwrap();
    let shown = datafusion::arrow::util::pretty::pretty_format_batches(&answer)
        .unwrap()
        .to_string();
    let expected = "\
+-----------+----+-------+------+
| _at_month | n  | total | last |
+-----------+----+-------+------+
| 1970-01   | 14 | 373   | 39   |
| 1970-02   | 13 | 247   | 37   |
| 1970-03   | 13 | 260   | 38   |
+-----------+----+-------+------+";
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn a_long_log_is_summed_up_and_older_versions_stay_readable() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let lake = Lake::open_or_create(location, Env::manual()).await.unwrap();
    let append = Loading::of(Load::Append);
    for number in 0..=i64::try_from(EVERY).unwrap() + 1 {
        let rows = vec![row(&format!("k{number:03}"), number, "p", number)];
        append.run(&lake, "bus", &[rows]).await.unwrap();
    }
    let log = folder.path().join("tables/test/items/_delta_log");
    assert!(log.join(format!("{EVERY:020}.checkpoint.parquet")).exists());
    assert_eq!(values(&lake, "bus").await.len() as u64, EVERY + 2);
    let name = "test.items".parse().unwrap();
    for number in [1, EVERY, EVERY + 1, EVERY + 2] {
        let snapshot = lake.snapshot(At::Number(number)).await.unwrap().unwrap();
        let table = lake.table(&snapshot, &name).await.unwrap();
        let rows: u64 = table.files.iter().map(|file| file.rows).sum();
        assert_eq!((rows, table.version), (number, number - 1));
    }
}
