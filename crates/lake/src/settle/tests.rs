//! Settling under a small memory bound.
#![expect(clippy::unwrap_used, reason = "tests")]

use crate::error::LakeError;
use crate::stage::Load;
use crate::stage::fixture::{Loading, Row, lake, row, values};

fn many(count: i64, part: &str, value: i64) -> Vec<Row> {
    (0..count)
        .map(|n| row(&format!("key-{:06}", n * 7919 % count), value, part, n))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sort_that_does_not_fit_spills() {
    const ROWS: i64 = 60_000;
    let lake = lake().await;
    let mut merge = Loading::of(Load::Merge);
    merge.options.settle_bytes_max = 1 << 20;
    merge
        .run(&lake, "bus", &[many(ROWS, "p1", 1)])
        .await
        .unwrap();
    let (staged, _) = merge
        .run(&lake, "bus", &[many(ROWS, "p2", 2), many(ROWS, "p3", 1)])
        .await
        .unwrap();
    let rows = ROWS as u64;
    assert_eq!(
        (staged.unchanged, staged.superseded, staged.loaded),
        (rows, rows, 0)
    );
    let (staged, _) = merge
        .run(&lake, "bus", &[many(ROWS, "p4", 3)])
        .await
        .unwrap();
    assert_eq!((staged.revised, staged.removed_rows), (rows, rows));
    assert!(values(&lake, "bus").await.values().all(|value| *value == 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_duplicates_is_told_on_the_way() {
    const ROWS: i64 = 70_000;
    let lake = lake().await;
    let mut replace = Loading::of(Load::Replace);
    replace.options.settle_bytes_max = 1 << 20;
    let run = lake.begin("bus").await.unwrap();
    let stage = replace.begin(&run).await.unwrap();
    let twice = [many(ROWS, "p1", 1), many(ROWS, "p2", 2)];
    let files = replace.write(&stage, &run, &twice).await.unwrap();
    let parts = ["p1", "p2"].map(str::to_owned);
    let (sender, mut told) = tokio::sync::mpsc::channel::<Vec<crate::DuplicateKey>>(1);
    let counting = async {
        let (mut rows, mut in_full) = (std::collections::HashSet::new(), 0);
        while let Some(some) = told.recv().await {
            for duplicate in some {
                assert_eq!(duplicate.part, "p2");
                in_full += usize::from(duplicate.record.is_some());
                rows.insert(duplicate.row);
            }
        }
        (rows.len(), in_full)
    };
    let finishing = stage.finish_into(files, None, &parts, sender);
    let (staged, (rows, in_full)) = tokio::join!(finishing, counting);
    let staged = staged.unwrap();
    assert_eq!((staged.loaded, staged.rejected), (ROWS as u64, ROWS as u64));
    assert_eq!(rows as i64, ROWS, "each once");
    assert_eq!(in_full, 50_000);
    run.publish(crate::PipelineState::default()).await.unwrap();
    assert!(values(&lake, "bus").await.values().all(|value| *value == 1));
}

#[tokio::test]
async fn a_stage_ends_where_nobody_hears_of_its_duplicates() {
    let lake = lake().await;
    let replace = Loading::of(Load::Replace);
    let run = lake.begin("bus").await.unwrap();
    let stage = replace.begin(&run).await.unwrap();
    let twice = [many(20, "p1", 1), many(20, "p2", 1)];
    let files = replace.write(&stage, &run, &twice).await.unwrap();
    let (sender, told) = tokio::sync::mpsc::channel(1);
    drop(told);
    let error = stage
        .finish_into(files, None, &[], sender)
        .await
        .unwrap_err();
    assert!(matches!(error, LakeError::Cancelled { .. }), "{error}");
}
