//! A source that is polled for months: what its runs leave, whatever dies when, and what they cost.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{TryStreamExt, stream};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Manifest, PartMeta};
use crate::env::{Env, OnlyThese, ProcessId};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout;
use crate::publish::faulty::{Death, Faulty};
use crate::run::{Published, Run};
use crate::snapshot::{At, PipelineState};

/// The same place and time in another process: those before it are dead.
fn next_process(env: &Env, pid: u32) -> Env {
    let process = ProcessId { pid, started: 1 };
    Env {
        process,
        alive: Arc::new(OnlyThese(vec![process])),
        ..env.clone()
    }
}

async fn on(store: &Arc<dyn ObjectStore>, env: &Env) -> Result<Lake, LakeError> {
    Lake::on_store("memory", Arc::clone(store), env.clone()).await
}

/// Fetches parts, each under a key of its own.
async fn fetch(lake: &Lake, run: &Run, polls: Range<u64>) -> Result<(), LakeError> {
    let zone = lake.raw("bus");
    for poll in polls {
        let meta = PartMeta {
            key: format!("https://bus.example/positions#{poll}"),
            name: "positions.pb".to_owned(),
            status: Some(200),
            headers: [
                ("content-type", "application/x-protobuf".to_owned()),
                ("date", format!("poll {poll}")),
                ("server", "nginx".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            ..PartMeta::default()
        };
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from(format!("poll {poll}")))]);
        let put = zone.put(run.id(), "positions", meta, body, 1_000).await;
        put.map_err(|error| match error {
            super::PutError::Lake(error) => error,
            other => unreachable!("{other}"),
        })?;
    }
    zone.flush().await
}

/// The state of who has published these.
fn state(manifests: &[Manifest]) -> PipelineState {
    let parts: Vec<String> = manifests.iter().map(|part| part.hash.clone()).collect();
    PipelineState {
        appended: [("test.items".parse().unwrap(), parts.clone())].into(),
        parts,
        ..PipelineState::default()
    }
}

/// A run as a pipeline makes it: it sweeps, fetches, and publishes all there is.
async fn polled(lake: &Lake, polls: Range<u64>) -> Result<Published, LakeError> {
    let run = lake.begin("bus").await?;
    lake.raw("bus").remove_leftovers(run.id()).await?;
    fetch(lake, &run, polls).await?;
    let manifests = lake.raw("bus").manifests().await?;
    run.publish(state(&manifests)).await
}

async fn state_now(lake: &Lake) -> PipelineState {
    let snapshot = lake.snapshot(At::Latest).await.unwrap().unwrap();
    lake.state(&snapshot, "bus").await.unwrap().unwrap()
}

/// How many files there are under a folder, and their bytes.
async fn files(lake: &Lake, folder: &str) -> (usize, u64) {
    let files = lake.store();
    let files = files.list(Some(&folder.into())).map_ok(|file| file.size);
    let sizes: Vec<u64> = files.try_collect().await.unwrap();
    (sizes.len(), sizes.iter().sum())
}

#[tokio::test]
async fn a_lake_is_closed_to_older_programs_once_they_would_misread_it() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let lake = on(&store, &Env::manual()).await.unwrap();
    let format = || async {
        let file = store.get(&layout::format()).await.unwrap();
        String::from_utf8(file.bytes().await.unwrap().to_vec()).unwrap()
    };
    polled(&lake, 0..20).await.unwrap();
    assert_eq!(format().await, "{\n  \"format_version\": 1\n}");
    polled(&lake, 20..400).await.unwrap();
    let (pieces, _) = files(&lake, "raw/bus/lists").await;
    assert!(pieces > 0);
    assert_eq!(format().await, "{\n  \"format_version\": 2\n}");
    on(&store, &Env::manual()).await.unwrap();
}

#[tokio::test]
async fn whenever_a_run_that_packs_dies_all_is_as_before_or_as_after() {
    let env = Env::manual();
    let mut deaths = 0;
    for death in [Death::Before, Death::After] {
        for writes in 0.. {
            let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
            let lake = on(&store, &env).await.unwrap();
            for polls in [0..300, 300..600] {
                polled(&lake, polls).await.unwrap();
            }
            let before = state_now(&lake).await;
            let known = lake.raw("bus").manifests().await.unwrap();
            // It removes what the run before it has packed, fetches one part, and packs 300 more.
            let faulty: Arc<Faulty> = Faulty::new(Arc::clone(&store), writes, death);
            let dying: Arc<dyn ObjectStore> = Arc::clone(&faulty) as _;
            if let Ok(dying) = on(&dying, &next_process(&env, 2)).await {
                let _ = polled(&dying, 600..601).await;
            }
            let has_died = faulty.is_dead();
            deaths += usize::from(has_died);

            let lake = on(&store, &next_process(&env, 3)).await.unwrap();
            let told = format!("{death:?} of write {writes}");
            let now = state_now(&lake).await;
            assert!(
                now == before || now.parts.len() == 601,
                "{told}: {} parts",
                now.parts.len()
            );
            let manifests = lake.raw("bus").manifests().await.unwrap();
            assert_eq!(manifests[..600], known, "{told}");
            for polls in [600..602, 602..603] {
                polled(&lake, polls).await.unwrap();
            }
            let manifests = lake.raw("bus").manifests().await.unwrap();
            let keys: BTreeSet<&str> = manifests.iter().map(|part| part.key.as_str()).collect();
            assert_eq!((manifests.len(), keys.len()), (603, 603), "{told}");
            assert_eq!(state_now(&lake).await, state(&manifests), "{told}");
            let (parts, _) = files(&lake, "raw/bus/parts").await;
            assert_eq!(
                parts, 603,
                "{told}: each part has its bytes, and nothing else is left"
            );
            let (of_manifests, _) = files(&lake, "raw/bus/manifests").await;
            assert!(of_manifests < 10, "{told}: {of_manifests} files");
            if !has_died {
                break;
            }
        }
    }
    assert!(deaths > 20, "{deaths}");
}

#[tokio::test]
async fn whenever_there_is_no_room_for_it_the_next_run_goes_on() {
    let env = Env::manual();
    for writes in 0.. {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let lake = on(&store, &env).await.unwrap();
        for polls in [0..300, 300..600] {
            polled(&lake, polls).await.unwrap();
        }
        drop(lake);
        let full = Faulty::new(Arc::clone(&store), writes, Death::Full);
        let lake = on(&(Arc::clone(&full) as _), &env).await.unwrap();
        let run = lake.begin("bus").await;
        let ended = async {
            let run = run?;
            let fetched = async {
                lake.raw("bus").remove_leftovers(run.id()).await?;
                fetch(&lake, &run, 600..601).await?;
                lake.raw("bus").manifests().await
            };
            match fetched.await {
                Ok(manifests) => run.publish(state(&manifests)).await.map(drop),
                Err(error) => run.abandon().await.and(Err(error)),
            }
        };
        let ended = ended.await;
        let told = format!("full at write {writes}: {ended:?}");
        let is_full = matches!(ended, Err(LakeError::Full { .. }));
        assert!(is_full || ended.is_ok(), "{told}");
        // Packs are no part of what is published: without room for them the run ends well.
        let is_last = !full.is_dead();
        full.make_room();
        for polls in [600..602, 602..603] {
            polled(&lake, polls).await.unwrap();
        }
        let fresh = on(&store, &env).await.unwrap();
        let manifests = fresh.raw("bus").manifests().await.unwrap();
        assert_eq!(manifests, lake.raw("bus").manifests().await.unwrap());
        assert_eq!(manifests.len(), 603, "{told}");
        assert_eq!(state_now(&fresh).await, state(&manifests), "{told}");
        let (parts, _) = files(&fresh, "raw/bus/parts").await;
        assert_eq!(parts, 603, "{told}");
        if is_last {
            assert!(writes > 5, "a run writes more than that");
            return;
        }
    }
}

/// What a fresh process needs to know all manifests, and a polling one for a run.
struct Costs {
    files: usize,
    fresh: Duration,
    run: Duration,
    state_bytes: u64,
    /// What the state would take with all of its lists in its file.
    whole_bytes: usize,
}

impl Costs {
    async fn of(lake: &Lake, fresh: &Lake, polls: Range<u64>) -> Self {
        let (files, _) = files(lake, "raw/bus/manifests").await;
        let start = Instant::now();
        let known = fresh.raw("bus").manifests().await.unwrap().len();
        let took = start.elapsed();
        assert_eq!(known as u64, polls.start);
        let start = Instant::now();
        polled(lake, polls).await.unwrap();
        let run = start.elapsed();
        let snapshot = lake.snapshot(At::Latest).await.unwrap().unwrap();
        let path = layout::stored(&snapshot.pipeline_entry("bus").unwrap().state).unwrap();
        let state_bytes = lake.store().head(&path).await.unwrap().size;
        let whole = serde_json::to_vec_pretty(&state_now(lake).await).unwrap();
        Self {
            files,
            fresh: took,
            run,
            state_bytes,
            whole_bytes: whole.len(),
        }
    }
}

/// Prints figures: `cargo test -p sectorlake-lake --lib polled -- --nocapture`; with SECTORLAKE_SOAK=1 of more parts.
#[tokio::test]
async fn what_months_of_polls_cost() {
    let soak = std::env::var("SECTORLAKE_SOAK").is_ok_and(|it| it == "1");
    let polls: u64 = if soak { 50_000 } else { 5_000 };
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().display().to_string();
    let env = Env::manual();
    let open = || Lake::open_or_create(&location, env.clone());
    let lake = open().await.unwrap();
    let run = lake.begin("bus").await.unwrap();
    fetch(&lake, &run, 0..polls).await.unwrap();
    run.abandon().await.unwrap();
    // The first run has all of them before it, and packs none; the second packs, the third removes.
    let alone = Costs::of(&lake, &open().await.unwrap(), polls..polls + 1).await;
    for poll in polls + 1..polls + 3 {
        polled(&lake, poll..poll + 1).await.unwrap();
    }
    let packed = Costs::of(&lake, &open().await.unwrap(), polls + 3..polls + 4).await;
    for (name, costs) in [("alone", &alone), ("packed", &packed)] {
        println!(
            "{polls} manifests, {name}: {} files, read anew in {:.1?}, a run in {:.1?}, state {} bytes of {}",
            costs.files, costs.fresh, costs.run, costs.state_bytes, costs.whole_bytes
        );
    }
    assert!(packed.files < 20 && alone.files as u64 == polls);
    assert!(packed.state_bytes < 300_000, "{}", packed.state_bytes);
}
