//! Races, crashes and foreign writers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use deltalake::kernel::{DataType, PrimitiveType};
use deltalake::operations::create::CreateBuilder;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::faulty::{Death, Faulty};
use crate::env::{Env, ManualClock, OnlyThese, ProcessId};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout::{self, Access};
use crate::overlay::{Overlay, log_store};
use crate::snapshot::PipelineState;
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

async fn all_paths(lake: &Lake) -> Vec<String> {
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

/// A lake with one published run.
async fn begun() -> (Arc<dyn ObjectStore>, Env) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let env = Env::manual();
    let lake = lake_on(Arc::clone(&store), env.clone()).await;
    let first = vec![row("a", 1, "p1", 1), row("b", 2, "p1", 2)];
    Loading::of(Load::Merge)
        .run(&lake, "bus", &[first])
        .await
        .unwrap();
    (store, env)
}

#[tokio::test]
async fn whenever_a_run_dies_the_lake_is_as_before_or_as_after() {
    let before = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let after = BTreeMap::from([
        ("a".to_owned(), 1),
        ("b".to_owned(), 5),
        ("c".to_owned(), 3),
    ]);
    let merge = Loading::of(Load::Merge);
    let new = vec![vec![row("b", 5, "p2", 1)], vec![row("c", 3, "p2", 2)]];
    let mut outcomes = [0, 0];
    for death in [Death::Before, Death::After] {
        let mut writes = 0;
        loop {
            let (store, env) = begun().await;
            let faulty = Faulty::new(Arc::clone(&store), writes, death);
            let dying = Lake::on_store("memory", Arc::clone(&faulty) as _, next_process(&env, 2));
            if let Ok(lake) = dying.await {
                let _ = merge.run(&lake, "bus", &new).await;
            }
            let has_died = faulty.is_dead();
            let lake = lake_on(Arc::clone(&store), next_process(&env, 3)).await;
            let seen = values(&lake, "bus").await;
            assert!(
                seen == before || seen == after,
                "{death:?} of write {writes}: {seen:?}"
            );
            outcomes[usize::from(seen == after)] += 1;
            merge.run(&lake, "bus", &new).await.unwrap();
            assert_eq!(
                values(&lake, "bus").await,
                after,
                "{death:?} of write {writes}, then a run"
            );
            if !has_died {
                break;
            }
            writes += 1;
            assert!(writes < 100, "a run has an end");
        }
    }
    assert!(outcomes.iter().all(|count| *count > 2), "{outcomes:?}");
}

#[tokio::test]
async fn what_a_dead_run_left_is_cleared_by_the_next() {
    let (store, env) = begun().await;
    let dying = lake_on(Arc::clone(&store), next_process(&env, 2)).await;
    let run = dying.begin("bus").await.unwrap();
    let id = run.id().to_owned();
    Loading::of(Load::Append)
        .stage(&run, &[vec![row("z", 1, "p2", 1)]])
        .await
        .unwrap();
    std::mem::forget(run);
    let lake = lake_on(Arc::clone(&store), next_process(&env, 3)).await;
    assert!(
        all_paths(&lake)
            .await
            .iter()
            .any(|path| path.contains(&format!("/{id}-")))
    );
    lake.begin("bus")
        .await
        .unwrap()
        .finish_unchanged()
        .await
        .unwrap();
    let left: Vec<_> = all_paths(&lake)
        .await
        .into_iter()
        .filter(|path| path.contains(&id) && !path.contains("leases"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(values(&lake, "bus").await.len(), 2);
}

#[tokio::test]
async fn a_table_that_was_never_published_is_none_to_outside_readers() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let env = Env::manual();
    let dying = lake_on(Arc::clone(&store), env.clone()).await;
    let run = dying.begin("bus").await.unwrap();
    let rows = [vec![row("a", 1, "p1", 1)]];
    let replace = Loading::of(Load::Replace);
    replace.stage(&run, &rows).await.unwrap();
    std::mem::forget(run);
    let in_table = |paths: Vec<String>| -> Vec<String> {
        let paths = paths.into_iter();
        paths.filter(|path| path.starts_with("tables/")).collect()
    };
    let left = in_table(all_paths(&dying).await);
    assert_eq!(left.len(), 1, "a data file");
    assert!(!left[0].contains("_delta_log"), "{left:?}");

    // The next run makes the table as if nothing had been there, and clears that away.
    let lake = lake_on(store, next_process(&env, 2)).await;
    replace.run(&lake, "bus", &rows).await.unwrap();
    let there = in_table(all_paths(&lake).await);
    assert_eq!(there.len(), 2, "{there:?}");
    assert!(!there.contains(&left[0]));
}

#[tokio::test]
async fn a_run_killed_while_it_publishes_is_cleared_away_or_kept_as_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap().to_owned();
    let env = Env::manual();
    let replace = Loading::of(Load::Replace);
    let open = |pid| {
        let (location, env) = (location.clone(), next_process(&env, pid));
        async move { Lake::open_or_create(&location, env).await.unwrap() }
    };
    // It had said where the pipeline would stand, and no more.
    let dying = open(2).await;
    let run = dying.begin("bus").await.unwrap();
    let id = run.id().to_owned();
    let rows = [vec![row("a", 1, "p1", 1)]];
    replace.stage(&run, &rows).await.unwrap();
    std::mem::forget(run);
    let state = layout::run_state(&id);
    dying.store().put(&state, "{}".into()).await.unwrap();
    let lake = open(3).await;
    let next = lake.begin("bus").await.unwrap();
    let left = all_paths(&lake).await;
    let left: Vec<_> = left.iter().filter(|path| path.contains(&id)).collect();
    assert!(left.is_empty(), "{left:?}");
    replace.stage(&next, &rows).await.unwrap();

    // It had published, and still stands among the open ones.
    let note = layout::open_runs("bus").join(format!("{}.json", next.id()));
    let bytes = lake
        .store()
        .get(&note)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    next.publish(PipelineState::default()).await.unwrap();
    lake.store().put(&note, bytes.into()).await.unwrap();
    let lake = open(4).await;
    let run = lake.begin("bus").await.unwrap();
    run.finish_unchanged().await.unwrap();
    assert_eq!(
        values(&lake, "bus").await,
        BTreeMap::from([("a".to_owned(), 1)])
    );
    assert!(lake.store().head(&note).await.is_err());
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
