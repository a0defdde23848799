//! Runs that write small files together and die on the way: nothing is lost, nothing is there twice.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use proptest::prelude::*;
use sectorlake_contract::PartitionBy;

use super::crashes::unnamed;
use super::faulty::{Death, Faulty};
use super::tests::next_process;
use crate::env::Env;
use crate::lake::Lake;
use crate::stage::Load;
use crate::stage::fixture::{
    Loading, Row, contract_with, lake, lake_on, latest, row, texts_of, values,
};

/// A load of a few rows, and the write at which it dies.
#[derive(Debug, Clone)]
struct Round {
    load: Load,
    rows: Vec<(i64, i64)>,
    dies: Option<(i64, Death)>,
}

fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let load = prop_oneof![
        4 => Just(Load::Append),
        4 => Just(Load::Merge),
        1 => Just(Load::Replace)
    ];
    let rows = prop::collection::vec((0..60_i64, 0..5_i64), 1..5);
    let death = prop_oneof![Just(Death::Before), Just(Death::After)];
    let dies = prop::option::weighted(0.3, (0..16_i64, death));
    let round = (load, rows, dies).prop_map(|(load, rows, dies)| Round { load, rows, dies });
    prop::collection::vec(round, 12..30)
}

/// Replaces only the months that come.
fn loading(load: Load) -> Loading {
    let mut loading = Loading {
        contract: contract_with(r#", "partition_by": ["month(at)"]"#),
        ..Loading::of(load)
    };
    if load == Load::Replace {
        loading.options.slice = Some(PartitionBy::Month {
            field: "at".to_owned(),
        });
    }
    loading
}

fn rows_of(number: usize, round: &Round) -> Vec<Row> {
    let rows = round.rows.iter().zip(0..);
    let row = |((id, value), row): (&(i64, i64), i64)| Row {
        id: format!("k{id:02}"),
        value: *value,
        month: id % 3,
        part: format!("part{number:02}"),
        row,
    };
    rows.map(row).collect()
}

/// What a load makes of the rows that are there.
fn after(before: &BTreeMap<String, i64>, load: Load, rows: &[Row]) -> BTreeMap<String, i64> {
    let mut now = before.clone();
    if load == Load::Replace {
        let month = |id: &str| id[1..].parse::<i64>().unwrap() % 3;
        now.retain(|id, _| rows.iter().all(|row| row.month != month(id)));
    }
    for row in rows {
        if load == Load::Merge {
            now.insert(row.id.clone(), row.value);
        } else {
            now.entry(row.id.clone()).or_insert(row.value);
        }
    }
    now
}

/// The rows without the runs that brought them: one that died and was made again has another.
async fn texts(lake: &Lake) -> Vec<String> {
    let snapshot = latest(lake).await.unwrap();
    let name = "test.items".parse().unwrap();
    let table = lake.table(&snapshot, &name).await.unwrap();
    texts_of(lake, &table, &["_run"]).await
}

/// The outcome of a run that dies or finds no more room, and of the next one.
async fn dies(
    begun: &InMemory,
    env: &Env,
    (writes, death): (i64, Death),
    new: &[Vec<Row>],
) -> (bool, BTreeMap<String, i64>, BTreeMap<String, i64>) {
    let merge = Loading::of(Load::Merge);
    let store: Arc<dyn ObjectStore> = Arc::new(begun.fork());
    let faulty = Faulty::new(Arc::clone(&store), writes, death);
    let dying = Lake::on_store("memory", Arc::clone(&faulty) as _, next_process(env, 2));
    if let Ok(lake) = dying.await {
        let _ = merge.run(&lake, "bus", new).await;
    }
    let lake = lake_on(Arc::clone(&store), next_process(env, 3)).await;
    let seen = values(&lake, "bus").await;
    merge.run(&lake, "bus", new).await.unwrap();
    assert_eq!(
        unnamed(&lake).await,
        Vec::<String>::new(),
        "{death:?} {writes}"
    );
    (faulty.is_dead(), seen, values(&lake, "bus").await)
}

#[tokio::test]
async fn whenever_it_dies_the_lake_is_as_before_or_as_after() {
    let (begun, env) = (Arc::new(InMemory::new()), Env::manual());
    let lake = lake_on(Arc::clone(&begun) as _, env.clone()).await;
    let merge = Loading::of(Load::Merge);
    for number in 0..8 {
        let rows = ["a", "b"].map(|id| row(&format!("{id}{number}"), number, "p", number));
        merge.run(&lake, "bus", &[rows.to_vec()]).await.unwrap();
    }
    let before = values(&lake, "bus").await;
    // One of the rows that are written together goes on the way, and a new one comes.
    let new = [vec![row("a3", 9, "q", 1), row("c", 1, "q", 2)]];
    let mut after = before.clone();
    after.extend([("a3".to_owned(), 9), ("c".to_owned(), 1)]);
    let lake = lake_on(Arc::new(begun.fork()), env.clone()).await;
    let (staged, _) = merge.run(&lake, "bus", &new).await.unwrap();
    assert_eq!((staged.compacted, staged.revised, staged.loaded), (8, 1, 2));
    for death in [Death::Before, Death::After, Death::Full] {
        let mut outcomes = [0, 0];
        for writes in 0.. {
            let (is_dead, seen, then) = dies(&begun, &env, (writes, death), &new).await;
            let told = format!("{death:?} of write {writes}");
            assert!(seen == before || seen == after, "{told}: {seen:?}");
            assert_eq!(then, after, "{told}, then a run");
            outcomes[usize::from(seen == after)] += 1;
            if !is_dead {
                break;
            }
        }
        assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_the_same_whatever_dies_and_however_they_lie(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (store, env): (Arc<dyn ObjectStore>, _) = (Arc::new(InMemory::new()), Env::manual());
            let plain = lake().await;
            let mut expected = BTreeMap::new();
            for (number, round) in rounds.iter().enumerate() {
                let rows = rows_of(number, round);
                let before = expected;
                expected = after(&before, round.load, &rows);
                let loading = loading(round.load);
                let pid = u32::try_from(number).unwrap() * 2 + 2;
                if let Some((writes, death)) = round.dies {
                    let faulty = Faulty::new(Arc::clone(&store), writes, death);
                    let dying = Lake::on_store("memory", faulty as _, next_process(&env, pid));
                    if let Ok(lake) = dying.await {
                        let _ = loading.run(&lake, "bus", std::slice::from_ref(&rows)).await;
                    }
                    let lake = lake_on(Arc::clone(&store), next_process(&env, pid)).await;
                    let seen = values(&lake, "bus").await;
                    prop_assert!(seen == before || seen == expected, "round {number}: {seen:?}");
                }
                let lake = lake_on(Arc::clone(&store), next_process(&env, pid + 1)).await;
                loading.run(&lake, "bus", std::slice::from_ref(&rows)).await.unwrap();
                prop_assert_eq!(&values(&lake, "bus").await, &expected, "round {}", number);

                let mut apart = loading;
                apart.options.buffer_bytes_max = 1;
                apart.run(&plain, "bus", &[rows]).await.unwrap();
            }
            let lake = lake_on(Arc::clone(&store), next_process(&env, 1)).await;
            prop_assert_eq!(texts(&lake).await, texts(&plain).await);
            prop_assert_eq!(unnamed(&lake).await, Vec::<String>::new());
            Ok(())
        })?;
    }
}
