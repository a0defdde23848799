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
        let is_note = [
            "/state.json",
            "/tables/test.items",
            "/migrations/test.items",
        ]
        .iter()
        .any(|end| path.ends_with(end));
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
async fn a_table_that_becomes_personal_is_made_anew_by_who_replaces_all_of_it() {
    let lake = lake().await;
    let open = Loading::of(Load::Replace);
    let first = vec![row("a", 1, "p1", 1)];
    open.run(&lake, "bus", &[first]).await.unwrap();
    let before = in_the_open(&lake).await;
    let rows = [vec![row("b", 2, "p2", 1)]];
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

/// A table that becomes personal while rows of two sources are in it.
#[tokio::test]
async fn a_table_that_becomes_personal_moves_with_the_rows_of_every_source() {
    for load in [Load::Append, Load::Merge, Load::Replace] {
        let lake = lake().await;
        let open = Loading::of(Load::Append);
        for (pipeline, key) in [("bus", "a"), ("tram", "b")] {
            let rows = vec![row(key, 1, "p1", 1), row("c", 2, "p1", 2)];
            open.run(&lake, pipeline, &[rows]).await.unwrap();
        }
        let before = in_the_open(&lake).await;
        let run = lake.begin("bus").await.unwrap();
        let rows = [vec![row("d", 3, "p2", 1)]];
        let evolution = run.evolution(&personal(load).contract, load, None).await;
        let evolution = evolution.unwrap().unwrap();
        assert_eq!((evolution.moves, evolution.rewritten_rows), (true, 4));
        let staged = personal(load).stage(&run, &rows).await.unwrap();
        let gone = if load == Load::Replace { 2 } else { 0 };
        assert_eq!(
            (staged.loaded, staged.removed_rows, staged.previous_rows),
            (1, gone, 2)
        );
        run.publish(crate::PipelineState::default()).await.unwrap();
        let own = match load {
            Load::Replace => map(&[("d", 3)]),
            _ => map(&[("a", 1), ("c", 2), ("d", 3)]),
        };
        assert_eq!(values(&lake, "bus").await, own);
        assert_eq!(values(&lake, "tram").await, map(&[("b", 1), ("c", 2)]));
        assert_eq!(
            in_the_open(&lake).await,
            before,
            "nothing new lies in the open"
        );
        let name = "test.items".parse().unwrap();
        let snapshot = latest(&lake).await.unwrap();
        let at = &snapshot.tables[&name];
        assert_eq!((at.access, at.version), (Access::Restricted, 0));
        let table = lake.table(&snapshot, &name).await.unwrap();
        for file in &table.files {
            let source = file.partition_values["_source"].clone().unwrap();
            let folder = format!("restricted/tables/test/items/_source={source}/");
            assert!(file.path.as_ref().starts_with(&folder), "{}", file.path);
        }
        // Others go on behind the door, and the snapshots of before are what they were.
        open.run(&lake, "tram", &[vec![row("e", 5, "p3", 1)]])
            .await
            .unwrap();
        assert_eq!(values(&lake, "tram").await.len(), 3);
        let old = lake.snapshot(crate::At::Number(2)).await.unwrap().unwrap();
        let old = lake.table(&old, &name).await.unwrap();
        assert_eq!((old.access, old.files.len()), (Access::Open, 2));
    }
}

#[tokio::test]
async fn of_two_runs_that_move_a_table_one_wins() {
    let lake = lake().await;
    let open = Loading::of(Load::Append);
    for pipeline in ["bus", "tram"] {
        let rows = vec![row(pipeline, 1, "p1", 1)];
        open.run(&lake, pipeline, &[rows]).await.unwrap();
    }
    let moving = lake.begin("bus").await.unwrap();
    let rows = [vec![row("d", 3, "p2", 1)]];
    personal(Load::Append).stage(&moving, &rows).await.unwrap();
    let late = lake.begin("train").await.unwrap();
    open.stage(&late, &[vec![row("t", 3, "p2", 1)]])
        .await
        .unwrap();
    personal(Load::Append)
        .run(&lake, "tram", &[vec![row("e", 3, "p2", 1)]])
        .await
        .unwrap();
    for run in [moving, late] {
        let lost = run
            .publish(crate::PipelineState::default())
            .await
            .unwrap_err();
        assert!(matches!(lost, LakeError::Conflict { .. }), "{lost}");
    }
    assert_eq!(values(&lake, "bus").await.len(), 1);
    assert_eq!(values(&lake, "tram").await.len(), 2);
}

#[tokio::test]
async fn small_files_are_written_together_behind_their_door() {
    let lake = lake().await;
    let append = personal(Load::Append);
    let mut compacted = 0;
    for number in 0..9 {
        let new = vec![row(&format!("k{number}"), number, "p", number)];
        let (staged, _) = append.run(&lake, "bus", &[new]).await.unwrap();
        compacted += staged.compacted;
    }
    assert_eq!(compacted, 8);
    assert_eq!(values(&lake, "bus").await.len(), 9);
    assert_eq!(in_the_open(&lake).await, Vec::<String>::new());
}
