//! Leases: who is at work on a pipeline.
//!
//! A lease only saves work that would be fenced at the publish. Each is a file with a number, made if absent: taking,
//! renewing and giving up all make the next number, so that of two who try only one succeeds, and the file with the
//! greatest number says how things stand.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::task::{AbortHandle, JoinHandle};

use crate::env::{Env, ProcessId};
use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout;
use crate::store::files::{self, PutOutcome};

/// How long a lease lasts without a sign of life: the wait after a host is gone for good.
const LEASE_MINUTES: i64 = 5;
/// How often a holder gives one; several may fail before the lease runs out.
const RENEW_EVERY: Duration = Duration::from_secs(60);
/// How often to look again where others take and renew at the same time.
const TRIES_MAX: usize = 16;

/// What a lease's file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    run: String,
    host: String,
    process: ProcessId,
    /// When the run began.
    since: DateTime<Utc>,
    /// When it is given up unless it is renewed.
    expires_at: DateTime<Utc>,
    /// Whether the holder is done.
    #[serde(default)]
    released: bool,
}

impl Claim {
    /// Whether its holder may still be at work. A dead one on this host need not be waited for.
    fn is_held(&self, env: &Env) -> bool {
        let dead = self.host == env.host && !env.alive.is_alive(self.process);
        !self.released && !dead && env.clock.now() < self.expires_at
    }
}

/// The right to work on a pipeline, until it is released or dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    shared: Arc<Shared>,
    renewing: AbortHandle,
    /// Whether the file already says that the lease is given up.
    released: bool,
}

#[derive(Debug)]
struct Shared {
    lake: Lake,
    pipeline: String,
    run: String,
    since: DateTime<Utc>,
    /// The number of the file that last said so.
    number: AtomicU64,
    lost: AtomicBool,
}

impl Lease {
    /// Takes the lease of a pipeline for a run, and renews it until it is released. What a run of this process held that was dropped
    /// is given up by then.
    ///
    /// # Errors
    /// [`LakeError::Locked`] where another holds it.
    pub(crate) async fn take(lake: &Lake, pipeline: &str, run: &str) -> Result<Self, LakeError> {
        lake.let_go().all().await;
        let since = lake.env().clock.now();
        let number = claim(lake, pipeline, run, since).await?;
        let shared = Arc::new(Shared {
            lake: lake.clone(),
            pipeline: pipeline.to_owned(),
            run: run.to_owned(),
            since,
            number: AtomicU64::new(number),
            lost: AtomicBool::new(false),
        });
        let renewing = tokio::spawn(renew_again_and_again(Arc::clone(&shared))).abort_handle();
        Ok(Self {
            shared,
            renewing,
            released: false,
        })
    }

    /// Gives the lease up.
    ///
    /// # Errors
    /// Where the storage fails; the lease then runs out by itself.
    pub(crate) async fn release(mut self) -> Result<(), LakeError> {
        self.renewing.abort();
        self.released = true;
        self.shared.release().await
    }

    #[cfg(test)]
    async fn renew(&self) -> Result<(), LakeError> {
        self.shared.renew().await
    }
}

impl Drop for Lease {
    /// As good as can be done here: a release on the way. Without it the lease ends with the process.
    fn drop(&mut self) {
        self.renewing.abort();
        if self.released {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let shared = Arc::clone(&self.shared);
            let release = runtime.spawn(async move {
                if let Err(error) = shared.release().await {
                    tracing::warn!(pipeline = %shared.pipeline, %error, "a lease was not released");
                }
            });
            self.shared.lake.let_go().add(release);
        }
    }
}

/// The leases that were dropped in this process and are being given up.
#[derive(Debug, Default)]
pub(crate) struct LetGo(Mutex<Vec<JoinHandle<()>>>);

impl LetGo {
    fn add(&self, release: JoinHandle<()>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|release| !release.is_finished());
        all.push(release);
    }

    /// Waits until those of so far are given up.
    async fn all(&self) {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for release in all {
            // Of one that ended with its runtime the lease's file tells.
            let _ = release.await;
        }
    }
}

impl Shared {
    fn claim(&self, released: bool) -> Claim {
        claim_of(self.lake.env(), &self.run, self.since, released)
    }

    /// Says under the next number that the holder lives.
    async fn renew(&self) -> Result<(), LakeError> {
        self.say(self.claim(false)).await
    }

    async fn release(&self) -> Result<(), LakeError> {
        let said = self.say(self.claim(true)).await;
        if said.is_err() {
            // A full disk takes no more files, but it gives some up: without its file the lease is nobody's either.
            let number = self.number.load(Ordering::Relaxed);
            let path = layout::leases(&self.pipeline).join(layout::numbered(number));
            if self.lake.store().delete(&path).await.is_ok() {
                return Ok(());
            }
        }
        said
    }

    async fn say(&self, claim: Claim) -> Result<(), LakeError> {
        if self.lost.load(Ordering::Relaxed) {
            return Ok(());
        }
        let number = self.number.load(Ordering::Relaxed) + 1;
        match put(&self.lake, &self.pipeline, number, &claim).await? {
            PutOutcome::Written => {
                self.number.store(number, Ordering::Relaxed);
                remove_before(&self.lake, &self.pipeline, number).await;
            }
            PutOutcome::Exists => {
                // The publish will tell which of the two wins.
                self.lost.store(true, Ordering::Relaxed);
                tracing::warn!(
                    pipeline = %self.pipeline, run = %self.run,
                    "another run took this one for dead and has begun"
                );
            }
        }
        Ok(())
    }
}

async fn renew_again_and_again(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        if let Err(error) = shared.renew().await {
            tracing::warn!(pipeline = %shared.pipeline, %error, "a lease was not renewed");
        }
    }
}

/// Takes the lease; gives the number of the file that says so.
async fn claim(
    lake: &Lake,
    pipeline: &str,
    run: &str,
    since: DateTime<Utc>,
) -> Result<u64, LakeError> {
    let mut tries = 0;
    loop {
        let newest = newest(lake, pipeline).await?;
        tries += 1;
        let number = match newest {
            Some((_, Some(held))) if held.is_held(lake.env()) || tries > TRIES_MAX => {
                return Err(LakeError::Locked {
                    pipeline: pipeline.to_owned(),
                    holder: held.run,
                    host: held.host,
                    since: held.since,
                });
            }
            Some((number, taken_over)) => {
                if let Some(dead) = taken_over.filter(|claim| !claim.released) {
                    tracing::info!(pipeline, run = %dead.run, host = %dead.host, "taking over from a run that died");
                }
                number + 1
            }
            None => 1,
        };
        let claim = claim_of(lake.env(), run, since, false);
        if put(lake, pipeline, number, &claim).await? == PutOutcome::Written {
            remove_before(lake, pipeline, number).await;
            return Ok(number);
        }
    }
}

/// The run that holds a pipeline's lease, or gave it up itself just now: it says, or is about to say, how it ends.
pub(crate) async fn at_work(lake: &Lake, pipeline: &str) -> Result<Option<String>, LakeError> {
    let newest = newest(lake, pipeline).await?;
    let claim = newest.and_then(|(_, claim)| claim);
    let claim = claim.filter(|claim| claim.released || claim.is_held(lake.env()));
    Ok(claim.map(|claim| claim.run))
}

fn claim_of(env: &Env, run: &str, since: DateTime<Utc>, released: bool) -> Claim {
    Claim {
        run: run.to_owned(),
        host: env.host.clone(),
        process: env.process,
        since,
        expires_at: env.clock.now() + TimeDelta::minutes(LEASE_MINUTES),
        released,
    }
}

/// The greatest number and what its file says; a file that cannot be read (its host lost power) is held by nobody.
async fn newest(lake: &Lake, pipeline: &str) -> Result<Option<(u64, Option<Claim>)>, LakeError> {
    let folder = layout::leases(pipeline);
    let store = lake.store();
    for _ in 0..TRIES_MAX {
        let Some(number) = numbers(store.as_ref(), &folder).await?.into_iter().max() else {
            return Ok(None);
        };
        let path = folder.clone().join(layout::numbered(number));
        // None: its holder has renewed it and removed this one.
        if let Some(bytes) = files::get(store.as_ref(), &path).await? {
            return Ok(Some((number, serde_json::from_slice(&bytes).ok())));
        }
    }
    Err(LakeError::corrupt(
        &folder,
        "its files vanish faster than they can be read",
    ))
}

async fn numbers(store: &dyn ObjectStore, folder: &Path) -> Result<Vec<u64>, LakeError> {
    store
        .list(Some(folder))
        .try_filter_map(|file| std::future::ready(Ok(layout::number_of(&file.location))))
        .try_collect()
        .await
        .map_err(|error| LakeError::store("list", folder, error))
}

async fn put(
    lake: &Lake,
    pipeline: &str,
    number: u64,
    claim: &Claim,
) -> Result<PutOutcome, LakeError> {
    let path = layout::leases(pipeline).join(layout::numbered(number));
    let bytes = files::to_json(&path, claim)?;
    files::put_if_absent(lake.store().as_ref(), &path, bytes).await
}

/// Removes the files that no longer say anything; one that stays is in nobody's way.
async fn remove_before(lake: &Lake, pipeline: &str, number: u64) {
    let folder = layout::leases(pipeline);
    let store = lake.store();
    let Ok(numbers) = numbers(store.as_ref(), &folder).await else {
        return;
    };
    for old in numbers.into_iter().filter(|&old| old < number) {
        let path = folder.clone().join(layout::numbered(old));
        if let Err(error) = store.delete(&path).await {
            tracing::debug!(%path, %error, "an old lease was not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use object_store::memory::InMemory;

    use super::*;
    use crate::env::{Alive, ManualClock};

    /// Hosts over one storage, each with its own view of who lives.
    struct Hosts {
        store: Arc<InMemory>,
        clock: Arc<ManualClock>,
    }

    #[derive(Debug)]
    struct AliveBelow(u32);

    impl Alive for AliveBelow {
        fn is_alive(&self, process: ProcessId) -> bool {
            process.pid < self.0
        }
    }

    impl Hosts {
        fn new() -> Self {
            Self {
                store: Arc::default(),
                clock: Arc::default(),
            }
        }

        /// A process of a host where all processes below `alive_below` live.
        async fn process(&self, host: &str, pid: u32, alive_below: u32) -> Lake {
            let env = Env {
                host: host.to_owned(),
                process: ProcessId { pid, started: 1 },
                alive: Arc::new(AliveBelow(alive_below)),
                ..Env::manual_with(Arc::clone(&self.clock))
            };
            Lake::on_store("memory://", Arc::clone(&self.store) as _, env)
                .await
                .unwrap()
        }

        async fn files(&self) -> Vec<u64> {
            numbers(self.store.as_ref(), &layout::leases("bus"))
                .await
                .unwrap()
        }
    }

    #[tokio::test]
    async fn one_holds_it_until_it_is_released() {
        let hosts = Hosts::new();
        let lake = hosts.process("a", 1, 9).await;
        let lease = Lease::take(&lake, "bus", "r1").await.unwrap();
        let other = hosts.process("b", 5, 9).await;
        for lake in [&lake, &other] {
            let error = Lease::take(lake, "bus", "r2").await.unwrap_err();
            insta::allow_duplicates! {
                insta::assert_snapshot!(format!("{error}\n  help: {}", error.help().unwrap()));
            }
        }
        Lease::take(&lake, "ferry", "r3")
            .await
            .unwrap()
            .release()
            .await
            .unwrap();
        lease.release().await.unwrap();
        Lease::take(&other, "bus", "r2").await.unwrap();
        assert_eq!(hosts.files().await, [3], "one small file is all that stays");
    }

    #[tokio::test]
    async fn the_next_run_of_a_process_waits_for_what_the_dropped_one_held() {
        let hosts = Hosts::new();
        let lake = hosts.process("a", 1, 9).await;
        for run in ["r1", "r2", "r3"] {
            drop(Lease::take(&lake, "bus", run).await.unwrap());
        }
        let other = hosts.process("b", 5, 9).await;
        let lease = Lease::take(&lake, "bus", "r4").await.unwrap();
        assert!(Lease::take(&other, "bus", "r5").await.is_err());
        lease.release().await.unwrap();
        Lease::take(&other, "bus", "r5").await.unwrap();
    }

    #[tokio::test]
    async fn a_dead_holder_of_this_host_is_not_waited_for() {
        let hosts = Hosts::new();
        let killed = Lease::take(&hosts.process("a", 7, 9).await, "bus", "r1")
            .await
            .unwrap();
        std::mem::forget(killed);
        let elsewhere = hosts.process("b", 1, 2).await;
        assert!(
            Lease::take(&elsewhere, "bus", "r2").await.is_err(),
            "b cannot know"
        );
        let next = hosts.process("a", 1, 2).await;
        Lease::take(&next, "bus", "r2").await.unwrap();
    }

    #[tokio::test]
    async fn a_holder_elsewhere_is_waited_for_until_its_lease_runs_out() {
        let hosts = Hosts::new();
        let first = Lease::take(&hosts.process("a", 1, 9).await, "bus", "r1")
            .await
            .unwrap();
        let other = hosts.process("b", 1, 9).await;
        hosts.clock.advance(TimeDelta::minutes(LEASE_MINUTES - 1));
        first.renew().await.unwrap();
        hosts.clock.advance(TimeDelta::minutes(LEASE_MINUTES - 1));
        assert!(
            Lease::take(&other, "bus", "r2").await.is_err(),
            "it was renewed"
        );
        hosts.clock.advance(TimeDelta::minutes(1));
        let second = Lease::take(&other, "bus", "r2").await.unwrap();

        // The first comes back to life: it neither takes the lease back nor gives up what is not its own.
        first.renew().await.unwrap();
        first.release().await.unwrap();
        let third = hosts.process("c", 1, 9).await;
        let error = Lease::take(&third, "bus", "r3").await.unwrap_err();
        assert!(matches!(error, LakeError::Locked { holder, .. } if holder == "r2"));
        second.renew().await.unwrap();
    }

    #[tokio::test]
    async fn of_many_who_try_at_once_one_gets_it() {
        let hosts = Hosts::new();
        let lake = hosts.process("a", 1, 9).await;
        let runs: Vec<String> = (0..10).map(|n| format!("r{n}")).collect();
        let tries = runs.iter().map(|run| Lease::take(&lake, "bus", run));
        let taken = futures::future::join_all(tries).await;
        assert_eq!(taken.iter().filter(|lease| lease.is_ok()).count(), 1);
    }

    #[tokio::test]
    async fn a_dropped_lease_is_released_on_the_way() {
        let hosts = Hosts::new();
        let lake = hosts.process("a", 1, 9).await;
        drop(Lease::take(&lake, "bus", "r1").await.unwrap());
        // This test's runtime has one thread: the release runs while this waits.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        Lease::take(&lake, "bus", "r2").await.unwrap();
    }

    #[tokio::test]
    async fn a_torn_lease_is_held_by_nobody() {
        let hosts = Hosts::new();
        let lake = hosts.process("a", 1, 9).await;
        let path = layout::leases("bus").join(layout::numbered(41));
        hosts.store.put(&path, "{\"run\":".into()).await.unwrap();
        Lease::take(&lake, "bus", "r1").await.unwrap();
        assert_eq!(hosts.files().await, [42]);
    }
}
