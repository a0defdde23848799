//! What is told of runs that did not end as they should.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use sectorlake_functions::SessionOptions;
use sectorlake_lake::env::OnlyThese;
use sectorlake_lake::journal::{RevisionRow, RunRow};
use sectorlake_lake::{Access, At, Env, Lake, PipelineState, ProcessId};

use super::answer;
use crate::session::Session;

async fn lake_of(store: &Arc<dyn ObjectStore>, env: &Env, pid: u32) -> Lake {
    let process = ProcessId { pid, started: 1 };
    let env = Env {
        process,
        alive: Arc::new(OnlyThese(vec![process])),
        ..env.clone()
    };
    Lake::on_store("memory", Arc::clone(store), env)
        .await
        .unwrap()
}

/// A row of the journal of runs, and one of the values that the run would change.
async fn tell(lake: &Lake, env: &Env, run: &str, outcome: &'static str) {
    let now = env.clock.now();
    let row = RunRow {
        run: run.to_owned(),
        pipeline: "river".to_owned(),
        outcome,
        started_at: now,
        finished_at: (outcome != "started").then_some(now),
        host: "host-a".to_owned(),
        snapshot: None,
        parts: None,
        bytes: None,
        message: None,
    };
    let revision = RevisionRow {
        run: run.to_owned(),
        pipeline: "river".to_owned(),
        table: "environment.gauges".parse().unwrap(),
        key: "{}".to_owned(),
        old_run: "r0".to_owned(),
        old_row: "{}".to_owned(),
        new_row: None,
        at: now,
    };
    let journal = lake.journal();
    journal.write(run, Access::Open, vec![row]).await.unwrap();
    if outcome == "started" {
        journal
            .write(run, Access::Open, vec![revision])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn runs_that_died_are_told_and_only_published_ones_revised_anything() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let env = Env::manual();
    let lake = lake_of(&store, &env, 1).await;
    let run = lake.begin("river").await.unwrap();
    tell(&lake, &env, run.id(), "started").await;
    tell(&lake, &env, run.id(), "published").await;
    run.publish(PipelineState::default()).await.unwrap();
    let run = lake.begin("river").await.unwrap();
    tell(&lake, &env, run.id(), "started").await;
    tell(&lake, &env, run.id(), "failed").await;
    run.abandon().await.unwrap();
    let run = lake.begin("river").await.unwrap();
    tell(&lake, &env, run.id(), "started").await;
    std::mem::forget(run);

    let lake = lake_of(&store, &env, 2).await;
    let run = lake.begin("river").await.unwrap();
    tell(&lake, &env, run.id(), "started").await;
    let session = Session::open(Some(&lake), At::Latest, SessionOptions::default())
        .await
        .unwrap();
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT run, outcome, finished_at IS NULL AS is_silent FROM meta.runs ORDER BY run"
        )
        .await
    );
    insta::assert_snapshot!(
        answer(&session, "SELECT run, key FROM meta.revisions ORDER BY run").await
    );
    insta::assert_snapshot!(
        answer(
            &session,
            "SELECT DISTINCT pipeline FROM meta.runs WHERE outcome = 'killed'"
        )
        .await
    );
}
