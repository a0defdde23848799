//! Leases: who is at work on a pipeline.
//!
//! A lease only saves work that would be fenced at the publish. Each is a file with a number, made if absent: taking,
//! renewing and giving up all make the next number, so that of two who try only one succeeds, and the file with the
//! greatest number says how things stand.

use std::future;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
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
        let taking = taken(lake.clone(), pipeline.to_owned(), run.to_owned());
        let mut taking = Taking {
            lake,
            task: Some(tokio::spawn(taking)),
        };
        taking.end().await
    }

    /// Gives the lease up.
    ///
    /// # Errors
    /// Where the storage fails; the lease then runs out by itself.
    pub(crate) async fn release(mut self) -> Result<(), LakeError> {
        self.renewing.abort();
        let released = self.shared.release().await;
        // Not before: whoever is dropped while it waits here still has it to give up.
        self.released = true;
        released
    }

    #[cfg(test)]
    async fn renew(&self) -> Result<(), LakeError> {
        self.shared.renew().await
    }
}

/// Takes a lease in a task of its own: whoever is dropped in the middle of it would leave a claim that nobody gives up.
struct Taking<'a> {
    lake: &'a Lake,
    task: Option<JoinHandle<Result<Lease, LakeError>>>,
}

impl Taking<'_> {
    async fn end(&mut self) -> Result<Lease, LakeError> {
        let Some(task) = &mut self.task else {
            return future::pending().await;
        };
        let ended = task.await;
        self.task = None;
        match ended {
            Ok(taken) => taken,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The runtime ends, and whoever waits here with it.
            Err(_) => future::pending().await,
        }
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        if let (Some(task), Ok(runtime)) = (self.task.take(), Handle::try_current()) {
            let release = runtime.spawn(async move {
                if let Ok(Ok(lease)) = task.await
                    && let Err(error) = lease.release().await
                {
                    tracing::warn!(%error, "a lease was not released");
                }
            });
            self.lake.let_go().add(release);
        }
    }
}

async fn taken(lake: Lake, pipeline: String, run: String) -> Result<Lease, LakeError> {
    let since = lake.env().clock.now();
    let number = claim(&lake, &pipeline, &run, since).await?;
    let shared = Arc::new(Shared {
        lake,
        pipeline,
        run,
        since,
        number: AtomicU64::new(number),
        lost: AtomicBool::new(false),
    });
    let renewing = tokio::spawn(renew_again_and_again(Arc::clone(&shared))).abort_handle();
    Ok(Lease {
        shared,
        renewing,
        released: false,
    })
}

impl Drop for Lease {
    /// As good as can be done here: a release on the way. Without it the lease ends with the process.
    fn drop(&mut self) {
        self.renewing.abort();
        if self.released {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
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
pub(crate) struct LetGo {
    added: Mutex<Vec<JoinHandle<()>>>,
    /// Those that are waited for, be it by several: who is dropped while it waits leaves them here for the others.
    awaited: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl LetGo {
    fn add(&self, release: JoinHandle<()>) {
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        added.retain(|release| !release.is_finished());
        added.push(release);
    }

    /// Waits until those of so far are given up.
    async fn all(&self) {
        let mut awaited = self.awaited.lock().await;
        awaited.append(&mut self.added.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(release) = awaited.last_mut() {
            // Of one that ended with its runtime the lease's file tells.
            let _ = release.await;
            awaited.pop();
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
mod tests;
