//! Who holds a lease, and until when.
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
    // Two at once that each held one.
    drop(Lease::take(&lake, "ferry", "f1").await.unwrap());
    drop(Lease::take(&lake, "bus", "r3").await.unwrap());
    let (bus, ferry) = tokio::join!(
        Lease::take(&lake, "bus", "r4"),
        Lease::take(&lake, "ferry", "f2")
    );
    drop((bus.unwrap(), ferry.unwrap()));
    let other = hosts.process("b", 5, 9).await;
    let lease = Lease::take(&lake, "bus", "r4").await.unwrap();
    assert!(Lease::take(&other, "bus", "r5").await.is_err());
    lease.release().await.unwrap();
    Lease::take(&other, "bus", "r5").await.unwrap();
}

#[tokio::test]
async fn whoever_is_dropped_while_it_takes_or_gives_up_a_lease_leaves_none() {
    let hosts = Hosts::new();
    let lake = hosts.process("a", 1, 9).await;
    for steps in 0..20 {
        let name = format!("r{steps}");
        {
            let mut taking = std::pin::pin!(Lease::take(&lake, "bus", &name));
            for _ in 0..steps {
                if futures::poll!(taking.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        let lease = Lease::take(&lake, "bus", "next").await.unwrap();
        {
            let mut releasing = std::pin::pin!(lease.release());
            for _ in 0..steps % 3 {
                if futures::poll!(releasing.as_mut()).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        Lease::take(&lake, "bus", "last")
            .await
            .unwrap()
            .release()
            .await
            .unwrap();
    }
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
