//! What holds personal fields lies behind its own door, whole: rows, log, and what a run has staged.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use sectorlake_contract::Contract;

use super::tests::next_process;
use crate::env::Env;
use crate::error::LakeError;
use crate::journal::Kind;
use crate::lake::Lake;
use crate::layout::Access;
use crate::stage::Load;
use crate::stage::fixture::{Loading, contract, lake, lake_on, latest, row, values};

/// The table of the fixture, its values personal.
fn personal(load: Load) -> Loading {
    let mut contract = Contract::clone(&contract());
    for field in &mut contract.fields {
        if field.name == "value" {
            field.classification = sectorlake_contract::Classification::Personal;
        }
    }
    Loading {
        contract: Arc::new(contract),
        ..Loading::of(load)
    }
}

async fn files(lake: &Lake) -> Vec<String> {
    let files: Vec<_> = lake.store().list(None).try_collect().await.unwrap();
    let paths = files.into_iter().map(|file| file.location.to_string());
    paths.collect()
}

/// The files in the open that are more than names, versions and hashes.
async fn in_the_open(lake: &Lake) -> Vec<String> {
    let told = [
        "sectorlake.json",
        "snapshots/",
        "runs/leases/",
        "runs/open/",
    ];
    let files = files(lake).await.into_iter().filter(|path| {
        let is_told = told.iter().any(|place| path.starts_with(place));
        let is_note = path.ends_with("/state.json") || path.ends_with("/tables/test.items");
        !path.starts_with("restricted/") && !is_told && !is_note
    });
    files.collect()
}

fn map(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    let pairs = pairs.iter();
    pairs
        .map(|(id, value)| ((*id).to_owned(), *value))
        .collect()
}

#[tokio::test]
async fn nothing_of_a_personal_table_lies_in_the_open() {
    let lake = lake().await;
    let merge = personal(Load::Merge);
    let first = vec![row("a", 1, "p1", 1), row("b", 2, "p1", 2)];
    merge.run(&lake, "bus", &[first]).await.unwrap();
    let run = lake.begin("tram").await.unwrap();
    merge
        .stage(&run, &[vec![row("c", 3, "p2", 1)]])
        .await
        .unwrap();
    assert_eq!(in_the_open(&lake).await, Vec::<String>::new(), "staged");
    // Another pipeline publishes meanwhile, so that the staged entry moves.
    let changed = vec![row("a", 9, "p3", 1)];
    merge.run(&lake, "bus", &[changed]).await.unwrap();
    run.publish(crate::PipelineState::default()).await.unwrap();

    assert_eq!(values(&lake, "bus").await, map(&[("a", 9), ("b", 2)]));
    assert_eq!(values(&lake, "tram").await, map(&[("c", 3)]));
    assert_eq!(in_the_open(&lake).await, Vec::<String>::new(), "published");
    let revisions = lake.journal().files(Kind::Revisions).await.unwrap();
    let closed =
        |file: &object_store::ObjectMeta| file.location.as_ref().starts_with("restricted/");
    assert!(revisions.len() == 1 && revisions.iter().all(closed));
    let snapshot = latest(&lake).await.unwrap();
    let table = &snapshot.tables[&"test.items".parse().unwrap()];
    assert_eq!((table.access, table.version), (Access::Restricted, 2));
}

#[tokio::test]
async fn a_dead_run_leaves_nothing_behind_either_door() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let env = Env::manual();
    let dying = lake_on(Arc::clone(&store), env.clone()).await;
    let run = dying.begin("bus").await.unwrap();
    let rows = [vec![row("a", 1, "p1", 1)]];
    personal(Load::Append).stage(&run, &rows).await.unwrap();
    std::mem::forget(run);
    let there = files(&dying).await;
    assert!(
        there
            .iter()
            .any(|path| path.starts_with("restricted/runs/"))
    );

    let lake = lake_on(store, next_process(&env, 2)).await;
    let run = lake.begin("bus").await.unwrap();
    run.finish_unchanged().await.unwrap();
    let left: Vec<_> = files(&lake).await;
    assert!(
        left.iter()
            .all(|path| path == "sectorlake.json" || path.contains("leases")),
        "{left:?}"
    );
}

#[tokio::test]
async fn a_table_that_becomes_personal_moves_with_all_its_rows_or_not_at_all() {
    let lake = lake().await;
    let open = Loading::of(Load::Replace);
    let first = vec![row("a", 1, "p1", 1)];
    open.run(&lake, "bus", &[first]).await.unwrap();
    let before = in_the_open(&lake).await;

    let run = lake.begin("bus").await.unwrap();
    let rows = [vec![row("b", 2, "p2", 1)]];
    let refused = personal(Load::Append).stage(&run, &rows).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, LakeError::SchemaChanged { .. }),
        "{refused}"
    );
    run.abandon().await.unwrap();

    let (staged, _) = personal(Load::Replace)
        .run(&lake, "bus", &rows)
        .await
        .unwrap();
    assert_eq!((staged.loaded, staged.previous_rows), (1, 1));
    assert_eq!(values(&lake, "bus").await, map(&[("b", 2)]));
    let again = [vec![row("b", 3, "p3", 1)]];
    personal(Load::Replace)
        .run(&lake, "bus", &again)
        .await
        .unwrap();
    // What was personal once stays behind the door, whatever the contract says now.
    let more = [vec![row("b", 4, "p4", 1)]];
    open.run(&lake, "bus", &more).await.unwrap();
    assert_eq!(values(&lake, "bus").await, map(&[("b", 4)]));
    assert_eq!(in_the_open(&lake).await, before);
    let snapshot = latest(&lake).await.unwrap();
    let table = &snapshot.tables[&"test.items".parse().unwrap()];
    assert_eq!((table.access, table.version), (Access::Restricted, 2));
    // The first snapshot is what it was.
    let first = lake.snapshot(crate::At::Number(1)).await.unwrap().unwrap();
    let table = lake.table(&first, &"test.items".parse().unwrap()).await;
    assert_eq!(table.unwrap().files.len(), 1);
}
