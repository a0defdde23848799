//! Runs on a lake that write small files together.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use serde_json::Value;

use crate::env::{Env, ManualClock, OnlyThese, ProcessId};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout::{self, Access};
use crate::snapshot::{At, PipelineState};
use crate::stage::Load;
use crate::stage::fixture::{
    Loading, Row, contract_with, lake, lake_on, latest, row, rows, texts_of, values,
};
use crate::table::LakeTable;

const RUNS: i64 = 20;

fn by_month(load: Load) -> Loading {
    Loading {
        contract: contract_with(r#", "partition_by": ["month(at)"]"#),
        ..Loading::of(load)
    }
}

/// A run a row, of two months by turns.
async fn poll(lake: &Lake, loading: &Loading, pipeline: &str, from: i64, to: i64) -> u64 {
    let mut compacted = 0;
    for number in from..to {
        let mut new = row(
            &format!("k{number:03}"),
            number,
            &format!("p{number:03}"),
            7,
        );
        new.month = number % 2;
        let (staged, _) = loading.run(lake, pipeline, &[vec![new]]).await.unwrap();
        assert_eq!((staged.loaded, staged.removed_rows), (1, 0));
        assert_eq!(staged.previous_rows, u64::try_from(number - from).unwrap());
        compacted += staged.compacted;
    }
    compacted
}

async fn table(lake: &Lake) -> LakeTable {
    let snapshot = latest(lake).await.unwrap();
    let name = "test.items".parse().unwrap();
    lake.table(&snapshot, &name).await.unwrap()
}

/// The actions of a kind in the log entry of a version: whether each says that rows changed, and how many rows it tells.
async fn actions(lake: &Lake, version: u64, kind: &str) -> Vec<(bool, Option<u64>)> {
    let path = layout::log_entry(&"test.items".parse().unwrap(), Access::Open, version);
    let bytes = lake
        .store()
        .get(&path)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let actions = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    let of_kind = actions.filter_map(|action| action.get(kind).cloned());
    let told = of_kind.map(|action| {
        let statistics = action
            .get("stats")
            .and_then(Value::as_str)
            .unwrap_or("null");
        let statistics: Value = serde_json::from_str(statistics).unwrap();
        let rows = statistics.get("numRecords").and_then(Value::as_u64);
        (action["dataChange"].as_bool().unwrap(), rows)
    });
    told.collect()
}

#[tokio::test]
async fn rows_stay_what_they_were_and_whose_they_were() {
    let lake = lake().await;
    // Without room for it nothing is written together.
    let mut alone = by_month(Load::Append);
    alone.options.buffer_bytes_max = 1;
    poll(&lake, &alone, "tram", 100, 110).await;
    assert_eq!(poll(&lake, &alone, "bus", 0, RUNS).await, 0);
    let before = table(&lake).await;
    assert_eq!(before.files.len(), 30);
    let theirs = |table: &LakeTable| {
        let files = table.files.iter().filter(|file| file.is_of("tram"));
        let mut paths: Vec<_> = files.map(|file| file.path.clone()).collect();
        paths.sort();
        paths
    };

    let merge = by_month(Load::Merge);
    let new = vec![row("new", 1, "px", 1)];
    let (staged, _) = merge.run(&lake, "bus", &[new]).await.unwrap();
    assert_eq!((staged.compacted, staged.loaded), (20, 1));
    assert_eq!((staged.previous_rows, staged.removed_rows), (20, 0));
    let after = table(&lake).await;
    assert_eq!(
        theirs(&after),
        theirs(&before),
        "other pipelines' files are theirs"
    );
    let mut own: Vec<u64> = after
        .files
        .iter()
        .filter(|file| file.is_of("bus"))
        .map(|file| file.rows)
        .collect();
    own.sort_unstable();
    assert_eq!(own, [1, 10, 10], "one a month, and the new one");
    let mut texts = texts_of(&lake, &after, &[]).await;
    texts.retain(|text| !text.contains(" px "));
    assert_eq!(texts, texts_of(&lake, &before, &[]).await);

    // For those who follow the changes of the table there is one row more.
    let version = after.version;
    assert_eq!(actions(&lake, version, "remove").await, [(false, None); 20]);
    let added = actions(&lake, version, "add").await;
    assert_eq!(
        added,
        [(true, Some(1)), (false, Some(10)), (false, Some(10))]
    );
}

#[tokio::test]
async fn files_that_lose_rows_join_in() {
    let lake = lake().await;
    let merge = Loading::of(Load::Merge);
    poll(&lake, &merge, "bus", 0, 3).await;
    let two = vec![row("x", 1, "q", 1), row("y", 2, "q", 2)];
    merge.run(&lake, "bus", &[two]).await.unwrap();
    for number in 10..15 {
        let new = row(&format!("k{number}"), number, "p", number);
        merge.run(&lake, "bus", &[vec![new]]).await.unwrap();
    }
    // The ninth finds eight; it takes away a row of one of them.
    let table_before = table(&lake).await;
    assert_eq!(
        table_before.files.len(),
        2,
        "eight were written together, one came since"
    );
    for number in 20..26 {
        let new = row(&format!("k{number}"), number, "p", number);
        merge.run(&lake, "bus", &[vec![new]]).await.unwrap();
    }
    let (staged, _) = merge
        .run(&lake, "bus", &[vec![row("x", 9, "z", 1)]])
        .await
        .unwrap();
    assert_eq!(
        (staged.revised, staged.removed_rows, staged.loaded),
        (1, 1, 1)
    );
    let now = table(&lake).await;
    let version = now.version;
    assert_eq!(staged.compacted, 0, "seven of a tier and one of the next");
    assert_eq!(actions(&lake, version, "remove").await, [(true, None)]);

    let again = vec![row("y", 9, "z", 2), row("k26", 26, "z", 3)];
    let (staged, _) = merge.run(&lake, "bus", &[again]).await.unwrap();
    assert_eq!(
        (staged.revised, staged.removed_rows, staged.compacted),
        (1, 1, 9)
    );
    let version = table(&lake).await.version;
    assert!(
        actions(&lake, version, "remove")
            .await
            .iter()
            .all(|(changes, _)| *changes)
    );
    assert_eq!(actions(&lake, version, "add").await.len(), 2);
    let all = values(&lake, "bus").await;
    assert_eq!((all.len(), all["x"], all["y"]), (17, 9, 9));
}

#[tokio::test]
async fn a_run_that_finds_nothing_new_leaves_files_as_they_are() {
    let lake = lake().await;
    let mut merge = Loading::of(Load::Merge);
    merge.options.buffer_bytes_max = 1;
    poll(&lake, &merge, "bus", 0, RUNS).await;
    let same = row("k003", 3, "p003", 7);
    let same = Row { month: 1, ..same };
    let (staged, _) = Loading::of(Load::Merge)
        .run(&lake, "bus", &[vec![same]])
        .await
        .unwrap();
    assert_eq!(
        (staged.unchanged, staged.compacted, staged.version),
        (1, 0, None)
    );
    assert_eq!(table(&lake).await.files.len(), 20);
}

#[tokio::test]
async fn every_version_stays_readable_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let lake = Lake::open_or_create(location, Env::manual()).await.unwrap();
    poll(&lake, &by_month(Load::Merge), "bus", 0, 70).await;
    let url = url::Url::from_directory_path(folder.path().join("tables/test/items")).unwrap();
    for version in [0, 7, 8, 9, 16, 17, 18, 50, 51, 69] {
        let table = deltalake::DeltaTableBuilder::from_url(url.clone()).unwrap();
        let table = table.with_version(version).load().await.unwrap();
        let context = datafusion::prelude::SessionContext::new();
        let provider = table.table_provider().await.unwrap();
        context.register_table("items", provider).unwrap();
        let query = "select count(*), sum(value), count(distinct _part) from items where _row = 7";
        let answer = context.sql(query).await.unwrap().collect().await.unwrap();
        let rows = i64::try_from(version).unwrap() + 1;
        let told = datafusion::arrow::util::pretty::pretty_format_batches(&answer)
            .unwrap()
            .to_string();
        let numbers: Vec<i64> = told
            .split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|word| word.parse().ok())
            .collect();
        assert_eq!(
            numbers[numbers.len() - 3..],
            [rows, rows * (rows - 1) / 2, rows],
            "{told}"
        );
        let snapshot = lake
            .snapshot(At::Number(version + 1))
            .await
            .unwrap()
            .unwrap();
        let own = lake
            .table(&snapshot, &"test.items".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(texts_of(&lake, &own, &[]).await.len() as u64, version + 1);
    }
    assert!(table(&lake).await.files.len() < 20);
}

#[tokio::test]
async fn a_table_that_is_made_wider_is_written_anew_once() {
    let lake = lake().await;
    let mut alone = Loading::of(Load::Append);
    alone.options.buffer_bytes_max = 1;
    poll(&lake, &alone, "bus", 0, RUNS).await;
    let wide = by_month(Load::Append);
    let new = vec![row("new", 1, "px", 1)];
    let (staged, _) = wide.run(&lake, "bus", &[new]).await.unwrap();
    assert_eq!(staged.compacted, 0);
    assert_eq!(rows(&lake).await.len(), 21);
}

#[tokio::test]
async fn other_pipelines_may_publish_meanwhile() {
    for contract in [contract_with(""), contract_with(r#", "key_scope": "lake""#)] {
        let lake = lake().await;
        let loading = Loading {
            contract,
            ..Loading::of(Load::Merge)
        };
        poll(&lake, &loading, "bus", 0, 8).await;
        let slow = lake.begin("bus").await.unwrap();
        let new = [vec![row("new", 1, "px", 1)]];
        let staged = loading.stage(&slow, &new).await.unwrap();
        assert_eq!(staged.compacted, 8);
        loading
            .run(&lake, "tram", &[vec![row("t", 5, "p", 1)]])
            .await
            .unwrap();
        slow.publish(PipelineState::default()).await.unwrap();
        assert_eq!(
            (
                values(&lake, "bus").await.len(),
                values(&lake, "tram").await.len()
            ),
            (9, 1)
        );
        assert_eq!(table(&lake).await.files.len(), 3);
    }
}

#[tokio::test]
async fn a_trial_leaves_the_lake_as_it_is() {
    let (folder, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let location = folder.path().to_str().unwrap();
    let lake = Lake::open_or_create(location, Env::manual()).await.unwrap();
    let append = Loading::of(Load::Append);
    poll(&lake, &append, "bus", 0, 8).await;
    let before = table(&lake).await;
    let dry = Lake::dry(location, scratch.path(), lake.env().clone())
        .await
        .unwrap();
    let (staged, _) = append
        .run(&dry, "bus", &[vec![row("new", 1, "px", 1)]])
        .await
        .unwrap();
    assert_eq!((staged.compacted, table(&dry).await.files.len()), (8, 2));
    let after = table(&lake).await;
    assert_eq!((after.version, after.files.len()), (before.version, 8));
    assert_eq!(texts_of(&lake, &after, &[]).await.len(), 8);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_holds_up_no_run() {
    let lake = lake().await;
    let append = by_month(Load::Append);
    let mut alone = append.clone();
    alone.options.buffer_bytes_max = 1;
    poll(&lake, &alone, "bus", 0, 16).await;
    let damaged = table(&lake).await.files[0].path.clone();
    lake.store().put(&damaged, "PAR1".into()).await.unwrap();
    let new = Row {
        month: 5,
        ..row("new", 1, "px", 1)
    };
    let (staged, _) = append.run(&lake, "bus", &[vec![new]]).await.unwrap();
    assert_eq!(
        (staged.loaded, staged.compacted),
        (1, 8),
        "the other month's"
    );
    let files = table(&lake).await.files;
    assert_eq!(files.len(), 8 + 1 + 1);
    assert!(files.iter().any(|file| file.path == damaged));
}

#[tokio::test]
async fn of_two_runs_that_write_the_same_files_together_one_lands() {
    let (store, clock) = (Arc::new(InMemory::new()), Arc::new(ManualClock::default()));
    let env = Env::manual_with(Arc::clone(&clock));
    let lake = lake_on(Arc::clone(&store) as _, env.clone()).await;
    let append = Loading::of(Load::Append);
    poll(&lake, &append, "bus", 0, 8).await;
    let processes = [1, 2].map(|pid| ProcessId { pid, started: 1 });
    let awake = Env {
        process: processes[1],
        alive: Arc::new(OnlyThese(processes.to_vec())),
        ..env
    };
    let other = lake_on(store, awake).await;
    let sleeper = lake.begin("bus").await.unwrap();
    let rows = [vec![row("a", 1, "px", 1)]];
    assert_eq!(append.stage(&sleeper, &rows).await.unwrap().compacted, 8);
    // Its lease runs out, and another does the same.
    clock.advance(chrono::TimeDelta::days(1));
    let (staged, _) = append.run(&other, "bus", &rows).await.unwrap();
    assert_eq!(staged.compacted, 8);
    let fenced = sleeper.publish(PipelineState::default()).await.unwrap_err();
    assert!(matches!(fenced, LakeError::Fenced { .. }), "{fenced}");
    assert_eq!(values(&lake, "bus").await.len(), 9);
    assert_eq!(table(&lake).await.files.len(), 2);
}
