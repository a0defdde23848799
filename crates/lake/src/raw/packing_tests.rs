//! Manifests in packs read as they would alone, whatever dies when.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use chrono::TimeDelta;
use futures::{TryStreamExt, stream};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::prelude::*;

use super::*;
use crate::env::{Clock as _, Env, ManualClock};
use crate::lake::Lake;
use crate::layout;
use crate::publish::faulty::{Death, Faulty};
use crate::raw::{PartMeta, PutError};

/// As the real ones, but small.
const SMALL: Sizes = Sizes {
    least: 4,
    fan: 2,
    most: 32,
};

fn memory() -> Arc<dyn ObjectStore> {
    Arc::new(InMemory::new())
}

async fn on(store: &Arc<dyn ObjectStore>, env: &Env) -> Lake {
    let lake = Lake::on_store("memory", Arc::clone(store), env.clone());
    lake.await.unwrap()
}

async fn put(zone: &RawZone, key: &str, content: &str) -> Result<Manifest, PutError<Infallible>> {
    let meta = PartMeta {
        key: key.to_owned(),
        name: "a.csv".to_owned(),
        ..PartMeta::default()
    };
    let body = stream::iter([Ok(Bytes::from(content.to_owned()))]);
    zone.put("r", "unit", meta, body, 1_000).await
}

/// Puts so many parts, each under a key of its own.
async fn many(zone: &RawZone, keys: std::ops::Range<u64>) {
    for key in keys {
        put(zone, &format!("k{key}"), &format!("c{key}"))
            .await
            .unwrap();
    }
    zone.flush().await.unwrap();
}

/// The names of the files of manifests.
async fn names(store: &Arc<dyn ObjectStore>, access: Access) -> Vec<String> {
    let folder = layout::manifests("bus", access);
    let files = store.list(Some(&folder)).map_ok(|file| file.location);
    let files: Vec<Path> = files.try_collect().await.unwrap();
    let mut names: Vec<String> = files
        .iter()
        .map(|place| place.filename().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// How many manifests are stored alone, and how many packs there are.
async fn counts(store: &Arc<dyn ObjectStore>) -> (usize, usize) {
    let names = names(store, Access::Open).await;
    let packs = names
        .iter()
        .filter(|name| name.starts_with("pack-"))
        .count();
    (names.len() - packs, packs)
}

#[tokio::test]
async fn what_is_packed_is_read_as_before_by_any_process() {
    let (store, env) = (memory(), Env::manual());
    let lake = on(&store, &env).await;
    let zone = lake.raw("bus");
    many(&zone, 0..600).await;
    let before = zone.manifests().await.unwrap();
    zone.pack(255, SIZES).await.unwrap();
    assert_eq!(counts(&store).await, (600, 0), "there are too few");
    zone.pack(500, SIZES).await.unwrap();
    assert_eq!(counts(&store).await, (600, 1), "the next run removes them");
    assert_eq!(zone.manifests().await.unwrap(), before);
    assert_eq!(
        zone.remove_leftovers("r2").await.unwrap(),
        0,
        "no part goes"
    );
    assert_eq!(counts(&store).await, (100, 1));
    assert_eq!(zone.manifests().await.unwrap(), before);
    let other = on(&store, &env).await.raw("bus");
    assert_eq!(other.manifests().await.unwrap(), before);
    zone.pack(500, SIZES).await.unwrap();
    assert_eq!(
        counts(&store).await,
        (100, 1),
        "what is packed is not packed again"
    );

    // Their numbers go on, and the same bytes are the same part.
    let known = put(&other, "k7", "c7").await.unwrap();
    assert!(other.manifests().await.unwrap().contains(&known), "at once");
    assert_eq!((known.sequence, known.checked_sequence), (8, 601));
    let new = put(&other, "k7", "changed").await.unwrap();
    assert_eq!((new.sequence, new.checked_sequence), (601, 602));
    other.flush().await.unwrap();
    let all = zone.manifests().await.unwrap();
    assert_eq!(all, other.manifests().await.unwrap());
    assert_eq!(all.len(), 601);
    assert_eq!((&all[7], &all[600]), (&known, &new));
}

#[tokio::test]
async fn a_check_of_what_is_packed_counts_before_the_pack() {
    let clock = Arc::new(ManualClock::default());
    let env = Env::manual_with(Arc::clone(&clock));
    let store = memory();
    let zone = on(&store, &env).await.raw("bus");
    many(&zone, 0..8).await;
    zone.pack(4, SMALL).await.unwrap();
    zone.remove_leftovers("r2").await.unwrap();
    assert_eq!(counts(&store).await, (4, 1));
    for hour in 1..3 {
        clock.advance(TimeDelta::hours(hour));
        let now = clock.now();
        let checked = zone.checked("unit", "k2", now).await.unwrap().unwrap();
        zone.flush().await.unwrap();
        assert_eq!((checked.sequence, checked.checked_at), (3, now));
        assert_eq!(counts(&store).await, (5, 1), "it is written over itself");
        zone.remove_leftovers("r3").await.unwrap();
        assert_eq!(counts(&store).await, (5, 1), "the pack knows less");
        let other = on(&store, &env).await.raw("bus");
        assert_eq!(other.manifests().await.unwrap()[2], checked);
        assert_eq!(zone.manifests().await.unwrap()[2], checked);
    }
    zone.pack(u64::MAX, SMALL).await.unwrap();
    zone.remove_leftovers("r4").await.unwrap();
    assert_eq!(counts(&store).await, (0, 1), "all in one");
    assert_eq!(zone.manifests().await.unwrap()[2].checked_at, clock.now());
}

#[tokio::test]
async fn packs_merge_so_that_there_are_few() {
    let (store, env) = (memory(), Env::manual());
    let zone = on(&store, &env).await.raw("bus");
    let mut most = 0;
    for round in 0..64 {
        many(&zone, round * 4..(round + 1) * 4).await;
        zone.pack(u64::MAX, SMALL).await.unwrap();
        zone.remove_leftovers("r2").await.unwrap();
        let (singles, packs) = counts(&store).await;
        assert_eq!(singles, 0);
        // What holds more than half of the most is not merged any more.
        let full = usize::try_from(round).unwrap() * 4 / 17;
        most = most.max(packs.saturating_sub(full));
    }
    assert!(most <= 4, "{most}");
    let all = on(&store, &env).await.raw("bus").manifests().await.unwrap();
    let sequences: Vec<u64> = all.iter().map(|part| part.sequence).collect();
    assert_eq!(sequences, (1..=256).collect::<Vec<_>>());
}

#[tokio::test]
async fn each_door_has_packs_of_its_own() {
    let (store, env) = (memory(), Env::manual());
    let lake = on(&store, &env).await;
    let closed = lake.raw_behind("bus", Access::Restricted);
    many(&lake.raw("bus"), 0..5).await;
    many(&closed, 5..10).await;
    let before = closed.manifests().await.unwrap();
    closed.pack(u64::MAX, SMALL).await.unwrap();
    closed.remove_leftovers("r2").await.unwrap();
    for access in Access::ALL {
        let names = names(&store, access).await;
        assert_eq!(names.len(), 1, "{names:?}");
        let place = layout::manifests("bus", access).join(names[0].as_str());
        let held = pack::read(store.as_ref(), &place).await.unwrap().unwrap();
        let parts = layout::raw_parts("bus", access);
        assert_eq!(held.len(), 5);
        assert!(
            held.iter()
                .all(|part| part.path.starts_with(parts.as_ref()))
        );
    }
    let other = on(&store, &env).await.raw("bus");
    assert_eq!(other.manifests().await.unwrap(), before);
}

#[tokio::test]
async fn the_late_part_of_a_run_that_was_taken_for_dead_is_not_swallowed() {
    let (store, env) = (memory(), Env::manual());
    let (lake, late) = (on(&store, &env).await, on(&store, &env).await);
    let (zone, late) = (lake.raw("bus"), late.raw("bus"));
    many(&zone, 0..2).await;
    late.manifests().await.unwrap();
    many(&zone, 2..8).await;
    zone.pack(u64::MAX, SMALL).await.unwrap();
    zone.remove_leftovers("r2").await.unwrap();
    assert_eq!(counts(&store).await, (0, 1));
    // It gives its part a number that the pack holds already.
    let part = put(&late, "late", "late").await.unwrap();
    late.flush().await.unwrap();
    assert_eq!(part.sequence, 3);
    let all = zone.manifests().await.unwrap();
    assert_eq!(all.len(), 9);
    assert!(all.contains(&part));
    // Both with that number can be checked, and neither takes the other's place.
    for key in ["k2", "late"] {
        let now = env.clock.now();
        zone.checked("unit", key, now).await.unwrap().unwrap();
        zone.flush().await.unwrap();
    }
    zone.remove_leftovers("r3").await.unwrap();
    let other = on(&store, &env).await.raw("bus");
    let all = other.manifests().await.unwrap();
    assert_eq!(all, zone.manifests().await.unwrap());
    assert_eq!(all.len(), 9);
    for part in &all {
        let (store, path, _) = other.bytes(part);
        assert!(store.head(&path).await.is_ok(), "{}", part.key);
    }
}

#[tokio::test]
async fn a_damaged_pack_is_named_and_nothing_is_removed() {
    let (store, env) = (memory(), Env::manual());
    let zone = on(&store, &env).await.raw("bus");
    many(&zone, 0..4).await;
    zone.pack(u64::MAX, SMALL).await.unwrap();
    zone.remove_leftovers("r2").await.unwrap();
    let name = names(&store, Access::Open).await.remove(0);
    let place = layout::manifests("bus", Access::Open).join(name.as_str());
    let other = layout::manifest_pack("bus", Access::Open, (1, 4), "0123");
    store.copy(&place, &other).await.unwrap();
    let mut told = Vec::new();
    for bytes in [None, Some("PAR1")] {
        if let Some(bytes) = bytes {
            store.put(&other, bytes.into()).await.unwrap();
        }
        let zone = on(&store, &env).await.raw("bus");
        let error = zone.manifests().await.unwrap_err();
        told.push(error.to_string());
        assert!(zone.remove_leftovers("r3").await.is_err());
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn what_another_process_checked_is_seen() {
    let (store, env) = (memory(), Env::manual());
    let zone = on(&store, &env).await.raw("bus");
    let others = on(&store, &env).await.raw("bus");
    many(&zone, 0..1).await;
    assert_eq!(others.manifests().await.unwrap().len(), 1);
    let now = env.clock.now() + TimeDelta::hours(1);
    let checked = zone.checked("unit", "k0", now).await.unwrap().unwrap();
    let known = || async { others.manifests().await.unwrap().remove(0) };
    assert_ne!(known().await, checked, "it is on its way");
    zone.flush().await.unwrap();
    assert_eq!(known().await, checked);
}

#[tokio::test]
async fn a_check_that_cannot_be_noted_fails_the_flush() {
    let (store, env) = (memory(), Env::manual());
    many(&on(&store, &env).await.raw("bus"), 0..1).await;
    let full = Faulty::new(Arc::clone(&store), 0, Death::Full);
    let lake = on(&(Arc::clone(&full) as _), &env).await;
    let zone = lake.raw("bus");
    let before = zone.manifests().await.unwrap();
    let now = env.clock.now() + TimeDelta::hours(1);
    let checked = zone.checked("unit", "k0", now).await.unwrap().unwrap();
    assert_eq!(checked.checked_at, now);
    assert!(lake.flush("bus").await.is_err());
    assert_eq!(zone.manifests().await.unwrap(), before);
    full.make_room();
    // A run that finds nothing new keeps that it asked.
    let run = lake.begin("bus").await.unwrap();
    let again = zone.checked("unit", "k0", now).await.unwrap().unwrap();
    run.finish_unchanged().await.unwrap();
    let other = on(&store, &env).await.raw("bus");
    assert_eq!(other.manifests().await.unwrap(), [again]);
}

/// What happens to a raw zone.
#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8),
    Check(u8),
    /// A run ends: it packs what it did not touch.
    Publish,
    /// A run begins.
    Sweep,
    /// Another process goes on.
    Reopen,
    /// A process that has looked long ago puts a part.
    Late(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..12_u8, 0..3_u8).prop_map(|(key, content)| Step::Put(key, content)),
        2 => (0..12_u8).prop_map(Step::Check),
        3 => Just(Step::Publish),
        3 => Just(Step::Sweep),
        2 => Just(Step::Reopen),
        1 => (0..200_u8).prop_map(Step::Late),
    ]
}

/// A lake's raw zone, and the lake of one that has looked long ago.
struct Zones {
    env: Env,
    zone: RawZone,
    late: RawZone,
    published: u64,
    packs: bool,
}

impl Zones {
    async fn on(store: &Arc<dyn ObjectStore>, packs: bool) -> Self {
        let env = Env::manual();
        let (zone, late) = (on(store, &env).await, on(store, &env).await);
        let (zone, late) = (zone.raw("bus"), late.raw("bus"));
        late.manifests().await.unwrap();
        Self {
            env,
            zone,
            late,
            published: 0,
            packs,
        }
    }

    /// Does a step; the part that it brought or checked.
    async fn take(
        &mut self,
        step: &Step,
        store: &Arc<dyn ObjectStore>,
    ) -> Result<Option<Manifest>, PutError<Infallible>> {
        match step {
            Step::Put(key, content) => {
                let part = put(&self.zone, &format!("k{key}"), &content.to_string()).await?;
                self.zone.flush().await?;
                return Ok(Some(part));
            }
            Step::Check(key) => {
                let now = self.env.clock.now();
                let key = format!("k{key}");
                let checked = self.zone.checked("unit", &key, now).await?;
                self.zone.flush().await?;
                return Ok(checked);
            }
            Step::Publish => {
                let checked = self.zone.last_check().await?;
                if self.packs {
                    self.zone.pack(self.published, SMALL).await?;
                }
                self.published = checked;
            }
            Step::Sweep => drop(self.zone.remove_leftovers("r2").await?),
            Step::Reopen => self.zone = on(store, &self.env).await.raw("bus"),
            Step::Late(key) => {
                let part = put(&self.late, &format!("late{key}"), "late").await?;
                self.late.flush().await?;
                return Ok(Some(part));
            }
        }
        Ok(None)
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// With packs and without them the same is known after each step.
fn packs_change_nothing(steps: &[Step]) {
    block_on(async {
        let stores = [memory(), memory()];
        let mut with = Zones::on(&stores[0], true).await;
        let mut without = Zones::on(&stores[1], false).await;
        // A late part is given another number where packs have made its own free again.
        let told = |parts: Vec<Manifest>| -> BTreeMap<String, (String, Option<u64>)> {
            let told = parts.iter().map(|part| {
                let is_late = part.key.starts_with("late");
                let check = Some(part.checked_sequence).filter(|_| !is_late);
                (part.path.clone(), (part.key.clone(), check))
            });
            told.collect()
        };
        for step in steps {
            with.take(step, &stores[0]).await.unwrap();
            without.take(step, &stores[1]).await.unwrap();
            let all = with.zone.manifests().await.unwrap();
            let fresh = on(&stores[0], &with.env).await.raw("bus");
            assert_eq!(all, fresh.manifests().await.unwrap());
            assert_eq!(told(all), told(without.zone.manifests().await.unwrap()));
        }
    });
}

/// Where packs have made a number free, the check of a late part takes no other part's place.
#[test]
fn a_late_check_takes_no_place_that_is_not_its_own() {
    use Step::{Late, Publish, Put, Sweep};
    let steps = [
        [Put(0, 0), Put(0, 1), Put(0, 0), Put(0, 1), Publish, Publish].as_slice(),
        &[Late(0), Late(1), Put(11, 0), Put(0, 0), Publish],
        &[Put(0, 1), Put(0, 0), Put(0, 1), Publish, Sweep],
        &[Late(50), Put(0, 2), Put(0, 0), Put(0, 0), Publish, Sweep],
        &[Put(11, 0), Put(0, 0), Late(50)],
    ];
    packs_change_nothing(&steps.concat());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn packs_are_seen_by_nobody(steps in prop::collection::vec(step(), 1..80)) {
        packs_change_nothing(&steps);
    }

    /// A process that dies at any write loses nothing that was stored before, and what it leaves is no other part.
    #[test]
    fn no_death_loses_a_part(
        steps in prop::collection::vec((step(), prop::option::weighted(0.4, (0..5_i64, any::<bool>()))), 1..60),
    ) {
        block_on(async {
            let store = memory();
            let mut zones = Zones::on(&store, true).await;
            let mut known: BTreeMap<String, Manifest> = BTreeMap::new();
            for (step, dies) in &steps {
                if let Some((writes, after)) = dies {
                    let death = if *after { Death::After } else { Death::Before };
                    let faulty: Arc<dyn ObjectStore> = Faulty::new(Arc::clone(&store), *writes, death);
                    // What it knows it has read before it dies.
                    if let Ok(lake) = Lake::on_store("memory", Arc::clone(&faulty), zones.env.clone()).await {
                        zones.zone = lake.raw("bus");
                        let _ = zones.take(step, &faulty).await;
                    }
                    zones.zone = on(&store, &zones.env).await.raw("bus");
                } else if let Some(part) = zones.take(step, &store).await.unwrap() {
                    known.insert(part.path.clone(), part);
                }
                let all = zones.zone.manifests().await.unwrap();
                let by_path: BTreeMap<&str, &Manifest> =
                    all.iter().map(|part| (part.path.as_str(), part)).collect();
                assert_eq!(by_path.len(), all.len(), "each part once");
                for (path, part) in &known {
                    let now = by_path[path.as_str()];
                    assert!(now == part || now.supersedes(part), "{now:?}, not {part:?}");
                    let path = layout::stored(path).unwrap();
                    assert!(store.head(&path).await.is_ok(), "its bytes are there");
                }
                // What came of a step that died counts from now on.
                known.extend(all.into_iter().map(|part| (part.path.clone(), part)));
            }
        });
    }
}
