//! What replace, append and merge do to rows.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use sectorlake_contract::PartitionBy;

use super::fixture::{
    Loading, Row, Told, contract, contract_with, lake, latest, row, rows, rows_of, values,
};
use super::{Load, slice_of};
use crate::journal::Kind;
use crate::settle::KeyHolder;

fn balance(staged: &Told) -> u64 {
    assert_eq!(staged.rejected, staged.duplicates.len() as u64);
    staged.loaded + staged.unchanged + staged.superseded + staged.rejected
}

fn map(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs
        .iter()
        .map(|(id, value)| ((*id).to_owned(), *value))
        .collect()
}

#[tokio::test]
async fn replace_takes_the_pipelines_own_rows_and_no_others() {
    let lake = lake().await;
    let replace = Loading::of(Load::Replace);
    replace
        .run(
            &lake,
            "bus",
            &[vec![row("a", 1, "p1", 1), row("b", 2, "p1", 2)]],
        )
        .await
        .unwrap();
    replace
        .run(&lake, "tram", &[vec![row("a", 9, "p2", 1)]])
        .await
        .unwrap();
    let (staged, published) = replace
        .run(
            &lake,
            "bus",
            &[vec![row("b", 3, "p3", 1)], vec![row("c", 4, "p3", 2)]],
        )
        .await
        .unwrap();
    assert_eq!(values(&lake, "bus").await, map(&[("b", 3), ("c", 4)]));
    assert_eq!(values(&lake, "tram").await, map(&[("a", 9)]));
    assert_eq!(
        (staged.loaded, staged.previous_rows, staged.removed_rows),
        (2, 2, 2)
    );
    assert_eq!((staged.version, published.snapshot), (Some(2), 3));
}

#[tokio::test]
async fn the_first_of_a_key_stays_whichever_worker_wrote_it() {
    let lake = lake().await;
    let late = vec![row("a", 2, "p2", 1), row("b", 3, "p2", 2)];
    let early = vec![
        row("a", 1, "p1", 7),
        row("a", 5, "p1", 8),
        row("c", 4, "p1", 9),
    ];
    let (staged, _) = Loading::of(Load::Replace)
        .run(&lake, "bus", &[late, early])
        .await
        .unwrap();
    assert_eq!(
        values(&lake, "bus").await,
        map(&[("a", 1), ("b", 3), ("c", 4)])
    );
    let told: Vec<_> = staged
        .duplicates
        .iter()
        .map(|duplicate| {
            (
                duplicate.part.as_str(),
                duplicate.row,
                duplicate.key.as_str(),
                duplicate.rule,
                duplicate.record.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "p1",
                8,
                "a",
                "primaryKey",
                r#"{"id":"a","value":5,"at":"1970-01-01T00:00:00Z"}"#
            ),
            (
                "p2",
                1,
                "a",
                "primaryKey",
                r#"{"id":"a","value":2,"at":"1970-01-01T00:00:00Z"}"#
            )
        ]
    );
    let first = KeyHolder::ThisRun {
        part: "p1".to_owned(),
        row: 7,
    };
    assert!(staged.duplicates.iter().all(|it| it.holder == first));
    assert_eq!(balance(&staged), 5);
}

#[tokio::test]
async fn append_refuses_keys_that_are_there() {
    let lake = lake().await;
    let append = Loading::of(Load::Append);
    append
        .run(&lake, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    append
        .run(&lake, "tram", &[vec![row("b", 7, "p9", 1)]])
        .await
        .unwrap();
    let new = vec![row("a", 2, "p2", 1), row("b", 3, "p2", 2)];
    let (staged, _) = append.run(&lake, "bus", &[new]).await.unwrap();
    assert_eq!(values(&lake, "bus").await, map(&[("a", 1), ("b", 3)]));
    assert_eq!(
        (staged.loaded, staged.duplicates.len(), staged.removed_rows),
        (1, 1, 0)
    );
    assert_eq!(staged.duplicates[0].holder, KeyHolder::EarlierRun);
}

#[tokio::test]
async fn refused_rows_are_told_in_full_as_far_as_there_is_room() {
    let lake = lake().await;
    let mut replace = Loading::of(Load::Replace);
    replace.options.record_bytes_max = 110;
    let twice = (0..10).map(|n| row("a", n, "p1", n)).collect();
    let (staged, _) = replace.run(&lake, "bus", &[twice]).await.unwrap();
    assert_eq!(staged.duplicates.len(), 9);
    let told = staged.duplicates.iter().filter(|it| it.record.is_some());
    assert_eq!(told.count(), 2);
}

#[tokio::test]
async fn keys_of_the_lake_hold_across_sources() {
    let lake = lake().await;
    for load in [Load::Replace, Load::Append, Load::Merge] {
        let loading = Loading {
            contract: contract_with(r#", "key_scope": "lake""#),
            ..Loading::of(load)
        };
        loading
            .run(&lake, "bus", &[vec![row("a", 1, "p1", 1)]])
            .await
            .unwrap();
        let new = vec![row("a", 2, "p2", 1), row(load.word(), 3, "p2", 2)];
        let (staged, _) = loading.run(&lake, "tram", &[new]).await.unwrap();
        assert_eq!((staged.loaded, staged.duplicates.len()), (1, 1), "{load:?}");
        assert_eq!(staged.duplicates[0].holder, KeyHolder::OtherSource);
        assert_eq!(values(&lake, "bus").await, map(&[("a", 1)]));
    }
}

#[tokio::test]
async fn merge_keeps_what_is_the_same_and_tells_what_changed() {
    let lake = lake().await;
    let merge = Loading::of(Load::Merge);
    let first = vec![
        row("a", 1, "p1", 1),
        row("b", 2, "p1", 2),
        row("c", 3, "p1", 3),
    ];
    merge.run(&lake, "bus", &[first]).await.unwrap();
    let first_run = latest(&lake).await.unwrap().run;
    let second = vec![
        row("a", 1, "p2", 1),
        row("b", 8, "p2", 2),
        row("b", 9, "p2", 3),
        row("d", 4, "p2", 4),
    ];
    let (staged, _) = merge.run(&lake, "bus", &[second]).await.unwrap();
    let counts = (
        staged.loaded,
        staged.unchanged,
        staged.superseded,
        staged.revised,
    );
    assert_eq!(counts, (2, 1, 1, 1));
    assert_eq!((staged.removed_rows, staged.previous_rows), (1, 3));
    assert_eq!(
        values(&lake, "bus").await,
        map(&[("a", 1), ("b", 9), ("c", 3), ("d", 4)])
    );
    let kept = rows(&lake).await;
    assert_eq!(
        kept[&("bus".to_owned(), "a".to_owned())].1,
        first_run,
        "an unchanged row keeps its run"
    );
    let revisions = lake.journal().files(Kind::Revisions).await.unwrap();
    assert_eq!(revisions.len(), 1);
}

#[tokio::test]
async fn a_merge_that_changes_nothing_stages_nothing() {
    let lake = lake().await;
    let merge = Loading::of(Load::Merge);
    let same = vec![row("a", 1, "p1", 1), row("b", 2, "p1", 2)];
    merge
        .run(&lake, "bus", std::slice::from_ref(&same))
        .await
        .unwrap();
    let (staged, published) = merge.run(&lake, "bus", &[same]).await.unwrap();
    assert_eq!(
        (staged.unchanged, staged.loaded, staged.version),
        (2, 0, None)
    );
    assert_eq!(published.snapshot, 2);
    assert_eq!(latest(&lake).await.unwrap().entries, []);
}

#[tokio::test]
async fn a_slice_replaces_its_own_months_only() {
    let partitioned = contract_with(r#", "partition_by": ["month(at)"]"#);
    for contract in [partitioned, contract()] {
        let lake = lake().await;
        let slice = PartitionBy::Month {
            field: "at".to_owned(),
        };
        let mut loading = Loading {
            contract: Arc::clone(&contract),
            ..Loading::of(Load::Replace)
        };
        let month = |id: &str, value, month| Row {
            month,
            ..row(id, value, "p1", value)
        };
        let all = vec![
            month("a", 1, 0),
            month("b", 2, 1),
            month("c", 3, 1),
            month("d", 4, 2),
        ];
        loading.run(&lake, "bus", &[all]).await.unwrap();
        loading.options.slice = Some(slice);
        let (staged, _) = loading
            .run(&lake, "bus", &[vec![month("b", 9, 1), month("a", 8, 1)]])
            .await
            .unwrap();
        assert_eq!(
            values(&lake, "bus").await,
            map(&[("a", 1), ("b", 9), ("d", 4)])
        );
        assert_eq!(
            (staged.removed_rows, staged.loaded, staged.duplicates.len()),
            (2, 1, 1)
        );
    }
    let contract = contract_with(r#", "partition_by": ["month(at)"]"#);
    let field = "at".to_owned();
    assert_eq!(
        slice_of(&contract, "month"),
        Some(PartitionBy::Month { field })
    );
    assert_eq!(
        slice_of(&contract, "id"),
        Some(PartitionBy::Field("id".into()))
    );
    assert_eq!(slice_of(&contract, "week"), None);
}

#[tokio::test]
async fn a_run_sees_what_it_staged_and_others_do_not() {
    let lake = lake().await;
    let run = lake.begin("bus").await.unwrap();
    Loading::of(Load::Replace)
        .stage(&run, &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let name = "test.items".parse().unwrap();
    let staged = run.table(&name).await.unwrap().unwrap();
    assert_eq!(rows_of(&lake, &staged).await.len(), 1);
    let (keys, has_own) = run
        .keys(&name, &["id".into()], None, crate::KeyRows::OwnSource)
        .await
        .unwrap();
    assert_eq!((keys.len(), has_own), (1, true));
    assert!(latest(&lake).await.is_none());
    run.abandon().await.unwrap();
    use futures::TryStreamExt as _;
    let left: Vec<_> = lake.store().list(None).try_collect().await.unwrap();
    let left: Vec<String> = left
        .into_iter()
        .map(|object| object.location.to_string())
        .collect();
    assert!(
        left.iter()
            .all(|path| path == "sectorlake.json" || path.contains("leases")),
        "{left:?}"
    );
}

#[tokio::test]
async fn other_titles_are_taken() {
    let lake = lake().await;
    Loading::of(Load::Append)
        .run(&lake, "bus", &[vec![row("a", 1, "p1", 1)]])
        .await
        .unwrap();
    let retitled = contract_with(r#", "owner": "someone""#);
    let loading = Loading {
        contract: retitled,
        ..Loading::of(Load::Append)
    };
    loading
        .run(&lake, "bus", &[vec![row("b", 2, "p2", 1)]])
        .await
        .unwrap();
    let snapshot = latest(&lake).await.unwrap();
    let table = lake
        .table(&snapshot, &"test.items".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(table.metadata["sectorlake.owner"], "someone");
    assert_eq!(table.metadata["sectorlake.licence"], "CC0-1.0");
    let unit = table
        .schema
        .field_with_name("value")
        .unwrap()
        .metadata()
        .get("sectorlake.unit");
    assert_eq!(unit.map(String::as_str), Some("m"));
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    let one = (0..12i64, 0..4i64, 0..3i64, 0..3u8);
    proptest::collection::vec(one, 0..40).prop_map(|rows| {
        let mut numbers = BTreeMap::new();
        let numbered = rows.into_iter().map(|(id, value, month, part)| {
            let part = format!("p{part}");
            let number: &mut i64 = numbers.entry(part.clone()).or_default();
            *number += 1;
            Row {
                id: format!("k{id}"),
                value,
                month,
                part,
                row: *number,
            }
        });
        numbered.collect()
    })
}

/// Rows dealt out to workers: in the order of their parts and records whoever gets them.
fn dealt(rows: &[Row], workers: usize) -> Vec<Vec<Row>> {
    let mut groups = vec![Vec::new(); workers];
    for (index, row) in rows.iter().enumerate() {
        groups[(index * 7 + index / 3) % workers].push(row.clone());
    }
    groups
}

fn in_order(rows: &[Row]) -> Vec<&Row> {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort_by_key(|row| (&row.part, row.row));
    sorted
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn rows_add_up_however_they_are_dealt(
        before in any_rows(), after in any_rows(), workers in 1..4usize, by_month in any::<bool>(),
        load in prop_oneof![Just(Load::Replace), Just(Load::Append), Just(Load::Merge)],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let partition = if by_month { r#", "partition_by": ["month(at)"]"# } else { "" };
        let loading = Loading { contract: contract_with(partition), ..Loading::of(load) };
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for rows in [&before, &after] {
            let mut own: BTreeMap<String, i64> =
                if load == Load::Replace { BTreeMap::new() } else { expected.clone() };
            for row in in_order(rows) {
                if load == Load::Merge {
                    own.insert(row.id.clone(), row.value);
                } else {
                    own.entry(row.id.clone()).or_insert(row.value);
                }
            }
            expected = own;
        }
        runtime.block_on(async {
            let lake = lake().await;
            for rows in [&before, &after] {
                let (staged, _) = loading.run(&lake, "bus", &dealt(rows, workers)).await.unwrap();
                prop_assert_eq!(balance(&staged), rows.len() as u64);
                if load != Load::Merge {
                    let distinct: BTreeSet<_> = staged.duplicates.iter().map(|d| (&d.part, d.row)).collect();
                    prop_assert_eq!(distinct.len(), staged.duplicates.len());
                }
            }
            prop_assert_eq!(&values(&lake, "bus").await, &expected);
            if load == Load::Merge {
                let (staged, _) = loading.run(&lake, "bus", &dealt(&after, workers)).await.unwrap();
                prop_assert_eq!(staged.loaded, 0, "a merge of the same is idempotent");
                prop_assert_eq!(&values(&lake, "bus").await, &expected);
            }
            Ok(())
        })?;
    }
}
