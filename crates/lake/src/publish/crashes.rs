//! Runs that die or run out of room at any instant, and what they leave.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use sectorlake_contract::Contract;

use super::faulty::{Death, Faulty};
use super::tests::{all_paths, next_process};
use crate::env::Env;
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout;
use crate::snapshot::PipelineState;
use crate::stage::Load;
use crate::stage::fixture::{Loading, lake_on, row, values};

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

/// The fixture's contract with a wider type and other partitions: every file of every source is written anew.
fn wider() -> Arc<Contract> {
    let text = r#"{ "fields": [{ "name": "id", "type": "string" },
        { "name": "value", "type": "number", "sectorlake": { "unit": "m" } }, { "name": "at", "type": "datetime" }],
        "primaryKey": ["id"], "sectorlake": { "version": "1.1", "partition_by": "month(at)" } }"#;
    Arc::new(Contract::parse("test.items".parse().unwrap(), text).unwrap())
}

#[tokio::test]
async fn whenever_a_run_dies_that_makes_a_table_wider_all_sources_are_as_before_or_as_after() {
    let before = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let after = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 5)]);
    let of_tram = BTreeMap::from([("t".to_owned(), 9)]);
    let merge = Loading {
        contract: wider(),
        ..Loading::of(Load::Merge)
    };
    let new = [vec![row("b", 5, "p2", 1)]];
    let mut outcomes = [0, 0];
    for death in [Death::Before, Death::After] {
        for writes in 0.. {
            assert!(writes < 100, "a run has an end");
            let (store, env) = begun().await;
            let lake = lake_on(Arc::clone(&store), env.clone()).await;
            let tram = [vec![row("t", 9, "p1", 1)]];
            let plain = Loading::of(Load::Merge);
            plain.run(&lake, "tram", &tram).await.unwrap();
            let faulty = Faulty::new(Arc::clone(&store), writes, death);
            let dying = Lake::on_store("memory", Arc::clone(&faulty) as _, next_process(&env, 2));
            if let Ok(lake) = dying.await {
                let _ = merge.run(&lake, "bus", &new).await;
            }
            let has_died = faulty.is_dead();
            let lake = lake_on(Arc::clone(&store), next_process(&env, 3)).await;
            let seen = values(&lake, "bus").await;
            let told = format!("{death:?} of write {writes}");
            assert!(seen == before || seen == after, "{told}: {seen:?}");
            assert_eq!(values(&lake, "tram").await, of_tram, "{told}");
            outcomes[usize::from(seen == after)] += 1;
            merge.run(&lake, "bus", &new).await.unwrap();
            assert_eq!(values(&lake, "bus").await, after, "{told}, then a run");
            assert_eq!(values(&lake, "tram").await, of_tram, "{told}, then a run");
            assert_eq!(unnamed(&lake).await, Vec::<String>::new(), "{told}");
            if !has_died {
                break;
            }
        }
    }
    assert!(outcomes.iter().all(|count| *count > 2), "{outcomes:?}");
}

/// Data files that no version of the table names, and no run that may still be on its way to a distant store.
pub(super) async fn unnamed(lake: &Lake) -> Vec<String> {
    let mut paths = all_paths(lake).await;
    let open: Vec<String> = paths
        .iter()
        .filter_map(|path| path.strip_prefix("runs/open/bus/")?.strip_suffix(".json"))
        .map(|run| format!("/{run}-"))
        .collect();
    paths.retain(|path| !open.iter().any(|run| path.contains(run)));
    paths.retain(|path| path.ends_with(".parquet") && path.starts_with("tables/"));
    for snapshot in lake.snapshots().await.unwrap() {
        let name = "test.items".parse().unwrap();
        let table = lake.table(&snapshot, &name).await.unwrap();
        paths.retain(|path| !table.files.iter().any(|file| file.path.as_ref() == path));
    }
    paths
}

#[tokio::test]
async fn whenever_the_disk_is_full_the_run_says_so_and_the_next_is_fine() {
    let before = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
    let after = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 5)]);
    let merge = Loading::of(Load::Merge);
    let new = [vec![row("b", 5, "p2", 1)]];
    for writes in 0..100 {
        let (store, env) = begun().await;
        let full = Faulty::new(Arc::clone(&store), writes, Death::Full);
        let lake = lake_on(Arc::clone(&full) as _, next_process(&env, 2)).await;
        let ended = async {
            let run = lake.begin("bus").await?;
            if let Err(error) = merge.stage(&run, &new).await {
                run.abandon().await?;
                return Err(error);
            }
            run.publish(PipelineState::default()).await
        };
        let ended = ended.await;
        let Err(error) = ended else {
            assert!(writes > 5, "a run writes more than that");
            return;
        };
        assert!(
            matches!(error, LakeError::Full { .. }),
            "write {writes}: {error}"
        );
        assert_eq!(values(&lake, "bus").await, before, "write {writes}");
        full.make_room();
        // In the same process: it does not lock itself out.
        merge.run(&lake, "bus", &new).await.unwrap();
        assert_eq!(values(&lake, "bus").await, after, "write {writes}");
    }
    unreachable!("a run has an end");
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
