//! Parts that come, come again, break off, are too big, are left over.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::convert::Infallible;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::env::{Env, ManualClock};
use crate::publish::faulty::{Death, Faulty};

type Outcome = Result<Manifest, PutError<&'static str>>;

fn meta(key: &str) -> PartMeta {
    let name = key.rsplit('/').next().unwrap_or(key).to_owned();
    PartMeta {
        key: key.to_owned(),
        name,
        status: Some(200),
        ..PartMeta::default()
    }
}

async fn lake() -> (Lake, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let env = Env::manual_with(Arc::clone(&clock));
    (Lake::open_or_create("memory://", env).await.unwrap(), clock)
}

async fn put(zone: &RawZone, run: &str, key: &str, chunks: Vec<&'static [u8]>) -> Outcome {
    let body = stream::iter(
        chunks
            .into_iter()
            .map(|chunk| Ok(Bytes::from_static(chunk))),
    );
    zone.put(run, "unit", meta(key), body, 1_000).await
}

async fn content(zone: &RawZone, manifest: &Manifest) -> Bytes {
    let (store, path, size) = zone.bytes(manifest);
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, size);
    bytes
}

async fn files(lake: &Lake) -> Vec<String> {
    let names = lake
        .store()
        .list(None)
        .map_ok(|file| file.location.to_string());
    let mut names: Vec<String> = names.try_collect().await.unwrap();
    names.sort();
    names
}

#[tokio::test]
async fn a_part_is_kept_as_it_came() {
    let (lake, _) = lake().await;
    let zone = lake.raw("xe buýt");
    let manifest = put(
        &zone,
        "r1",
        "https://a.example/gtfs.zip",
        vec![b"PK", b"", b"34"],
    );
    let manifest = manifest.await.unwrap();
    assert_eq!(content(&zone, &manifest).await.as_ref(), b"PK34");
    assert_eq!(manifest.hash, blake3::hash(b"PK34").to_hex().to_string());
    assert!(manifest.path.ends_with(".zip"), "{}", manifest.path);
    lake.flush("xe buýt").await.unwrap();

    // Another process reads the same.
    let other = Lake::on_store("memory://", lake.store(), Env::manual())
        .await
        .unwrap();
    let zone = other.raw("xe buýt");
    assert_eq!(
        zone.manifests().await.unwrap(),
        std::slice::from_ref(&manifest)
    );
    assert_eq!(content(&zone, &manifest).await.as_ref(), b"PK34");
    assert!(other.raw("other").manifests().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_bytes_are_kept_once_and_their_check_is_noted() {
    let (lake, clock) = lake().await;
    let zone = lake.raw("bus");
    let first = put(&zone, "r1", "a.csv", vec![b"same"]).await.unwrap();
    clock.advance(TimeDelta::hours(1));
    let meta_now = PartMeta {
        etag: Some("\"2\"".to_owned()),
        ..meta("a.csv")
    };
    let body = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"same"))]);
    let again = zone.put("r2", "unit", meta_now, body, 1_000).await.unwrap();
    assert_eq!(again.checked_at - first.checked_at, TimeDelta::hours(1));
    assert_eq!(again.etag.as_deref(), Some("\"2\""));
    assert_eq!(
        (&again.path, again.fetched_at),
        (&first.path, first.fetched_at)
    );
    assert_eq!(
        zone.manifests().await.unwrap(),
        std::slice::from_ref(&again)
    );
    assert_eq!(
        files(&lake).await.len(),
        3,
        "the format, one part, one manifest"
    );

    clock.advance(TimeDelta::hours(1));
    let checked = zone
        .checked("unit", "a.csv", lake.env().clock.now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(checked.checked_at - again.checked_at, TimeDelta::hours(1));
    assert_eq!(
        zone.checked("unit", "b.csv", again.checked_at)
            .await
            .unwrap(),
        None
    );

    // Other bytes, then the first again: three versions of the thing.
    put(&zone, "r3", "a.csv", vec![b"other"]).await.unwrap();
    put(&zone, "r4", "a.csv", vec![b"same"]).await.unwrap();
    let sequences: Vec<u64> = zone
        .manifests()
        .await
        .unwrap()
        .iter()
        .map(|manifest| manifest.sequence)
        .collect();
    assert_eq!(sequences, [1, 2, 3]);
}

#[tokio::test]
async fn bytes_that_went_missing_are_stored_anew() {
    let (lake, _) = lake().await;
    let zone = lake.raw("bus");
    let first = put(&zone, "r1", "a.csv", vec![b"same"]).await.unwrap();
    zone.flush().await.unwrap();
    let (store, path, _) = zone.bytes(&first);
    store.delete(&path).await.unwrap();
    let again = put(&zone, "r2", "a.csv", vec![b"same"]).await.unwrap();
    assert_eq!(content(&zone, &again).await.as_ref(), b"same");
}

#[tokio::test]
async fn what_fails_on_the_way_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().display().to_string();
    let lake = Lake::open_or_create(&location, Env::manual())
        .await
        .unwrap();
    let zone = lake.raw("bus");
    let piece = Bytes::from(vec![7; 9 * 1024 * 1024]);
    for big in [false, true] {
        let start = if big {
            vec![Ok(piece.clone()), Ok(piece.clone())]
        } else {
            Vec::new()
        };
        let body = stream::iter(start.clone().into_iter().chain([Err("cut off")]));
        let cut = zone
            .put("r1", "unit", meta("a"), body, u64::MAX)
            .await
            .unwrap_err();
        assert!(matches!(cut, PutError::Body("cut off")));

        let end = [Ok::<_, &str>(Bytes::from_static(b"one too many"))];
        let bytes_max = start.len() as u64 * piece.len() as u64 + 11;
        let body = stream::iter(start.into_iter().chain(end));
        let large = zone
            .put("r1", "unit", meta("a"), body, bytes_max)
            .await
            .unwrap_err();
        assert_eq!(
            large.to_string(),
            format!("the body has more than {bytes_max} bytes")
        );
    }
    lake.flush("bus").await.unwrap();
    assert_eq!(files(&lake).await, ["sectorlake.json"]);
    assert_eq!(
        lake.lake_store()
            .sweep_staged(&Path::default(), |_, _| true)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn leftovers_of_killed_runs_go_and_all_else_stays() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().display().to_string();
    let lake = Lake::open_or_create(&location, Env::manual())
        .await
        .unwrap();
    let zone = lake.raw("bus");
    let kept = put(&zone, "r1", "a.csv", vec![b"a"]).await.unwrap();
    lake.flush("bus").await.unwrap();
    let parts = folder.path().join("raw/bus/parts");
    for left in ["r0-x.csv", "r0-y.csv#3", "r2-own.csv", "r2-own.csv#4"] {
        std::fs::write(parts.join(left), "half").unwrap();
    }
    assert_eq!(
        zone.manifests().await.unwrap(),
        std::slice::from_ref(&kept),
        "a part alone was never there"
    );
    assert_eq!(zone.remove_leftovers("r2").await.unwrap(), 2);
    let mut left: Vec<String> = std::fs::read_dir(&parts)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let own = kept.path.rsplit('/').next().unwrap();
    assert_eq!(left, [own, "r2-own.csv", "r2-own.csv#4"]);
    assert_eq!(zone.remove_leftovers("r2").await.unwrap(), 0);
}

#[tokio::test]
async fn a_process_looks_for_leftovers_again_once_it_left_some_itself() {
    let store: Arc<dyn ObjectStore> = Arc::new(object_store::memory::InMemory::new());
    let on = |store| Lake::on_store("memory://", store, Env::manual());
    on(Arc::clone(&store)).await.unwrap();
    // There is room for the part, and none for its manifest.
    let full = Faulty::new(Arc::clone(&store), 1, Death::Full);
    let zone = on(Arc::clone(&full) as _).await.unwrap().raw("bus");
    assert_eq!(zone.remove_leftovers("r1").await.unwrap(), 0);
    let left: Path = "raw/bus/parts/r0-x.csv".into();
    store.put(&left, "half".into()).await.unwrap();
    assert_eq!(zone.remove_leftovers("r2").await.unwrap(), 0, "not again");

    put(&zone, "r2", "a.csv", vec![b"a"]).await.unwrap();
    zone.flush().await.unwrap_err();
    full.make_room();
    assert_eq!(zone.remove_leftovers("r3").await.unwrap(), 2);
    let cut = [Ok(Bytes::from_static(b"a")), Err("cut off")];
    let body = stream::iter(cut).chain(stream::pending());
    let fetch = zone.put("r3", "unit", meta("a"), body, 1_000);
    assert!(fetch.await.is_err());
    store.put(&left, "half".into()).await.unwrap();
    assert_eq!(zone.remove_leftovers("r4").await.unwrap(), 1);
    assert_eq!(zone.remove_leftovers("r5").await.unwrap(), 0);
}

#[tokio::test]
async fn two_runs_that_fetch_at_once_lose_nothing() {
    let (lake, _) = lake().await;
    let other = Lake::on_store("memory://", lake.store(), Env::manual())
        .await
        .unwrap();
    let (zone, others) = (lake.raw("bus"), other.raw("bus"));
    // Both have looked, and found nothing.
    zone.manifests().await.unwrap();
    others.manifests().await.unwrap();
    put(&zone, "r1", "a.csv", vec![b"a"]).await.unwrap();
    put(&others, "r2", "b.csv", vec![b"b"]).await.unwrap();
    zone.flush().await.unwrap();
    others.flush().await.unwrap();
    let all = zone.manifests().await.unwrap();
    assert_eq!(all, others.manifests().await.unwrap());
    let keys: Vec<_> = all.iter().map(|m| (m.sequence, m.key.as_str())).collect();
    assert_eq!(keys, [(1, "a.csv"), (2, "b.csv")]);
}

#[tokio::test]
async fn a_part_removed_before_its_manifest_fails_the_flush() {
    let (lake, _) = lake().await;
    let zone = lake.raw("bus");
    let part = put(&zone, "r1", "a.csv", vec![b"a"]).await.unwrap();
    // The job has not run yet: this test's runtime has one thread.
    let (store, path, _) = zone.bytes(&part);
    store.delete(&path).await.unwrap();
    let error = lake.flush("bus").await.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot find raw/bus/parts/r1-"),
        "{error}"
    );
    assert!(zone.manifests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_damaged_manifest_is_named() {
    let (lake, _) = lake().await;
    let place = layout::manifest("bus", Access::Open, 1);
    lake.store()
        .put(&place, "{\"sequence\": 1,".into())
        .await
        .unwrap();
    let error = lake.raw("bus").manifests().await.unwrap_err();
    insta::assert_snapshot!(format!("{error}\n  help: {}", error.help().unwrap()));
    assert!(lake.raw("bus").remove_leftovers("r1").await.is_err());
}

#[tokio::test]
async fn restricted_parts_lie_behind_their_door_and_are_listed_with_all() {
    let (lake, _) = lake().await;
    let open = put(&lake.raw("bus"), "r1", "a.csv", vec![b"a"])
        .await
        .unwrap();
    let zone = lake.raw_behind("bus", Access::Restricted);
    let closed = put(&zone, "r2", "a.csv", vec![b"a"]).await.unwrap();
    zone.flush().await.unwrap();
    assert!(
        closed.path.starts_with("restricted/raw/bus/parts/"),
        "{}",
        closed.path
    );
    assert_eq!(lake.raw("bus").manifests().await.unwrap(), [open, closed]);
}

/// One page of a unit, fetched at a step.
async fn page(zone: &RawZone, run: &str, from: Option<u64>, next: Option<u64>) -> Manifest {
    let step = Step {
        from: from.map(Value::from),
        next: next.map(Value::from),
        ..Step::default()
    };
    let key = format!("page-{}", from.unwrap_or_default());
    let body = stream::iter([Ok::<_, Infallible>(Bytes::from(key.clone()))]);
    let zone = zone.at(step);
    let put = zone.put(run, "unit", meta(&key), body, 1_000).await;
    put.unwrap()
}

async fn taken_up(lake: &Lake) -> Vec<String> {
    let run = lake.begin("bus").await.unwrap();
    let parts = run.unpublished("unit").await.unwrap();
    assert!(run.unpublished("other").await.unwrap().is_empty());
    run.finish_unchanged().await.unwrap();
    let unfinished = parts.into_values().filter(|slice| !slice.is_whole);
    unfinished
        .flat_map(|slice| slice.parts)
        .map(|part| part.key.clone())
        .collect()
}

#[tokio::test]
async fn a_fetch_that_broke_off_is_taken_up_where_it_stood() {
    let (lake, _) = lake().await;
    let zone = lake.raw("bus");
    assert!(taken_up(&lake).await.is_empty());
    page(&zone, "r1", None, Some(1)).await;
    page(&zone, "r1", Some(1), Some(2)).await;
    zone.flush().await.unwrap();
    assert_eq!(taken_up(&lake).await, ["page-0", "page-1"]);

    // It goes on and comes to its end, yet what it brought is refused: the source is asked anew.
    page(&zone, "r2", Some(2), None).await;
    assert!(taken_up(&lake).await.is_empty());

    // The same bytes again are no new parts, but a new fetch.
    page(&zone, "r3", None, Some(1)).await;
    assert_eq!(taken_up(&lake).await, ["page-0"]);
    page(&zone, "r3", Some(1), Some(2)).await;
    let state = crate::PipelineState {
        cursor: [("unit".to_owned(), Value::from(2))].into(),
        ..crate::PipelineState::default()
    };
    lake.begin("bus")
        .await
        .unwrap()
        .publish(state)
        .await
        .unwrap();
    assert!(taken_up(&lake).await.is_empty(), "all of it is published");
    assert_eq!(zone.manifests().await.unwrap().len(), 3);

    // From the published cursor on, in another process.
    page(&zone, "r4", Some(2), Some(3)).await;
    page(&zone, "r4", Some(3), Some(4)).await;
    zone.flush().await.unwrap();
    let other = Lake::on_store("memory://", lake.store(), lake.env().clone());
    assert_eq!(taken_up(&other.await.unwrap()).await, ["page-2", "page-3"]);
}

#[tokio::test]
async fn partitions_are_told_apart_and_each_is_taken_up_by_itself() {
    let (lake, _) = lake().await;
    let zone = lake.raw("bus");
    let (may, june) = (zone.within(Some("2024-05")), zone.within(Some("2024-06")));
    page(&may, "r1", None, Some(1)).await;
    page(&june, "r1", None, None).await;
    page(&may, "r1", Some(1), Some(2)).await;
    zone.flush().await.unwrap();
    let run = lake.begin("bus").await.unwrap();
    let slices = run.unpublished("unit").await.unwrap();
    let of = |partition: &str| {
        let slice = &slices[&Some(partition.to_owned())];
        (slice.parts.len(), slice.is_whole)
    };
    assert_eq!((of("2024-05"), of("2024-06")), ((2, false), (1, true)));
    // The same key and bytes in two partitions are two parts.
    assert_eq!(zone.manifests().await.unwrap().len(), 3);

    // Published up to a cursor of its own, one goes on from there, and the other begins anew.
    let state = crate::PipelineState {
        partitions: [(
            "unit".to_owned(),
            [("2024-05".to_owned(), Value::from(2))].into(),
        )]
        .into(),
        ..crate::PipelineState::default()
    };
    run.publish(state).await.unwrap();
    page(&may, "r2", Some(2), Some(3)).await;
    page(&june, "r2", Some(7), None).await;
    let run = lake.begin("bus").await.unwrap();
    let slices = run.unpublished("unit").await.unwrap();
    assert_eq!(slices.len(), 1);
    assert_eq!(slices[&Some("2024-05".to_owned())].parts.len(), 1);
    run.abandon().await.unwrap();
}

#[test]
fn manifests_and_states_without_partitions_are_read() {
    let manifest: Manifest = serde_json::from_value(serde_json::json!({
        "sequence": 1, "pipeline": "bus", "unit": "unit", "key": "k", "name": "n", "hash": "h", "size": 1,
        "path": "raw/bus/parts/p", "run": "r", "fetched_at": "2025-01-01T00:00:00Z", "checked_at": "2025-01-01T00:00:00Z",
    }))
    .unwrap();
    assert_eq!(manifest.partition, None);
    assert!(
        !serde_json::to_string(&manifest)
            .unwrap()
            .contains("partition")
    );
    let state: crate::PipelineState = serde_json::from_str(r#"{"cursor": {"unit": 7}}"#).unwrap();
    assert_eq!(state.cursor_of("unit", None), Some(&Value::from(7)));
    assert_eq!(state.cursor_of("unit", Some("a")), None);
    assert!(!serde_json::to_string(&state).unwrap().contains("partition"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the bytes are cut: over and under the bounds of pieces and of hashing on the spot.
    #[test]
    fn bytes_come_back_whole(lengths in prop::collection::vec(
        prop_oneof![0..100_usize, 200_000..300_000_usize, 4_000_000..9_000_000_usize], 0..6,
    )) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (lake, _) = lake().await;
            let zone = lake.raw("bus");
            let total: usize = lengths.iter().sum();
            let all: Bytes = (0..total).map(|n| u8::try_from(n % 251).unwrap()).collect::<Vec<_>>().into();
            let mut rest = all.clone();
            let chunks: Vec<_> =
                lengths.iter().map(|&length| Ok::<_, Infallible>(rest.split_to(length))).collect();
            let manifest =
                zone.put("r1", "unit", meta("a"), stream::iter(chunks), total as u64).await.unwrap();
            assert_eq!(manifest.hash, blake3::hash(&all).to_hex().to_string());
            assert!(content(&zone, &manifest).await == all);
        });
    }
}
