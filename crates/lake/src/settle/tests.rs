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

#[tokio::test]
async fn more_duplicates_than_can_be_told_end_the_stage() {
    let lake = lake().await;
    let mut replace = Loading::of(Load::Replace);
    replace.options.duplicates_max = 10;
    let run = lake.begin("bus").await.unwrap();
    let twice = [many(20, "p1", 1), many(20, "p2", 1)];
    let error = replace.stage(&run, &twice).await.unwrap_err();
    assert!(
        matches!(error, LakeError::TooManyDuplicates { count: 10, .. }),
        "{error}"
    );
}
