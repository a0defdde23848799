//! How runs ended that could not say so themselves.
//!
//! The journal has a file of a run when it begins and another when it ends. A run that has the first alone is at work, or
//! its process died: then a snapshot tells whether it had published.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use object_store::path::Path;

use crate::error::LakeError;
use crate::journal::Kind;
use crate::lake::Lake;
use crate::{layout, lease};

/// How a run ended that did not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A snapshot names it, but it died before it could tell.
    Published,
    /// It died, and nothing of it is seen.
    Killed,
}

impl Ending {
    /// The word in the journal of runs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Killed => "killed",
        }
    }
}

impl Lake {
    /// How runs ended that began and never told; those that are still at work are not among them.
    ///
    /// # Errors
    /// Where the storage fails or a snapshot's file is damaged.
    pub async fn endings(&self) -> Result<BTreeMap<String, Ending>, LakeError> {
        let mut silent = self.silent().await?;
        if !silent.is_empty() {
            for pipeline in self.leased().await? {
                if let Some(run) = lease::at_work(self, &pipeline).await? {
                    silent.remove(&run);
                }
            }
        }
        // Only then are all snapshots read: a run that died is rare.
        if silent.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut endings: BTreeMap<String, Ending> = silent
            .into_iter()
            .map(|run| (run, Ending::Killed))
            .collect();
        for snapshot in self.snapshots().await? {
            if let Some(ending) = endings.get_mut(&snapshot.run) {
                *ending = Ending::Published;
            }
        }
        Ok(endings)
    }

    /// The runs of which the journal has one file alone: that they began.
    async fn silent(&self) -> Result<BTreeSet<String>, LakeError> {
        let mut files: BTreeMap<String, usize> = BTreeMap::new();
        for file in self.journal().files(Kind::Runs).await? {
            let name = file.location.filename().unwrap_or_default();
            if let Some((run, _)) = name.rsplit_once('-') {
                *files.entry(run.to_owned()).or_default() += 1;
            }
        }
        let alone = files.into_iter().filter(|(_, count)| *count == 1);
        Ok(alone.map(|(run, _)| run).collect())
    }

    /// The pipelines that ever took a lease.
    async fn leased(&self) -> Result<Vec<String>, LakeError> {
        let folder = layout::all_leases();
        let name = |path: &Path| {
            let mut rest = path.prefix_match(&folder)?;
            rest.next().map(|part| part.as_ref().to_owned())
        };
        let listed = self
            .store()
            .list(Some(&folder))
            .map_ok(|file| file.location);
        let paths: Vec<Path> = listed
            .try_collect()
            .await
            .map_err(|error| LakeError::store("list", &folder, error))?;
        let pipelines: BTreeSet<String> = paths.iter().filter_map(name).collect();
        Ok(pipelines.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use object_store::ObjectStore;
    use object_store::memory::InMemory;

    use super::*;
    use crate::env::{Env, OnlyThese, ProcessId};
    use crate::journal::RunRow;
    use crate::layout::Access;
    use crate::snapshot::PipelineState;
    use crate::stage::Load;
    use crate::stage::fixture::{Loading, lake_on, row};

    /// The environment of another process: those before it are dead.
    fn later(env: &Env, pid: u32) -> Env {
        let process = ProcessId { pid, started: 1 };
        Env {
            process,
            alive: Arc::new(OnlyThese(vec![process])),
            ..env.clone()
        }
    }

    async fn tell(lake: &Lake, run: &str, outcome: &'static str) {
        let env = lake.env();
        let told = RunRow {
            run: run.to_owned(),
            pipeline: "bus".to_owned(),
            outcome,
            started_at: env.clock.now(),
            finished_at: None,
            host: env.host.clone(),
            snapshot: None,
            parts: None,
            bytes: None,
            message: None,
        };
        let journal = lake.journal();
        journal.write(run, Access::Open, vec![told]).await.unwrap();
    }

    #[tokio::test]
    async fn a_run_that_died_is_killed_or_published_and_one_at_work_is_neither() {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let env = Env::manual();
        let lake = lake_on(Arc::clone(&store), env.clone()).await;
        let rows = [vec![row("a", 1, "p1", 1)]];
        // It published, and died before it could say so.
        let run = lake.begin("bus").await.unwrap();
        let published = run.id().to_owned();
        tell(&lake, &published, "started").await;
        Loading::of(Load::Replace).stage(&run, &rows).await.unwrap();
        assert!(lake.endings().await.unwrap().is_empty(), "it is at work");
        run.publish(PipelineState::default()).await.unwrap();
        // It said how it ended.
        let run = lake.begin("bus").await.unwrap();
        let told = run.id().to_owned();
        tell(&lake, &told, "started").await;
        run.finish_unchanged().await.unwrap();
        assert!(
            !lake.endings().await.unwrap().contains_key(&told),
            "it is about to say so"
        );
        tell(&lake, &told, "unchanged").await;
        // It died at work.
        let run = lake.begin("bus").await.unwrap();
        let killed = run.id().to_owned();
        tell(&lake, &killed, "started").await;
        std::mem::forget(run);

        let lake = lake_on(store, later(&env, 2)).await;
        let expected = [(published, Ending::Published), (killed, Ending::Killed)];
        assert_eq!(
            lake.endings().await.unwrap(),
            BTreeMap::from(expected.clone())
        );
        let run = lake.begin("bus").await.unwrap();
        tell(&lake, run.id(), "started").await;
        assert_eq!(lake.endings().await.unwrap(), BTreeMap::from(expected));
    }
}
