//! `kill -9` at random instants of a run: nothing published is lost or doubled, nothing half is seen, the next run does what is due.
//!
//! The instants come from a seed (`SECTORLAKE_SEED` names another): a run is killed when so many log lines were told, or so many files
//! have come to lie in one folder of the lake. `make soak` kills more often.

mod correction;
mod delta_log;
mod instant;
mod migration;
mod watched;
mod world;

use std::collections::BTreeSet;

use self::instant::{Instants, Shot};
use self::world::{PIPELINES, World};
use crate::harness::{Project, Random, is_soak};

/// The seed, told by every failure through the test's output.
fn random(salt: u64) -> Random {
    let seed = std::env::var("SECTORLAKE_SEED")
        .ok()
        .and_then(|it| it.parse().ok())
        .unwrap_or(20_250_701);
    eprintln!("SECTORLAKE_SEED={seed}");
    Random::new(seed ^ salt)
}

/// What a reader may see after a run of `version` was killed: of each pipeline the edition before, or this one, whole.
fn readers_see_whole_editions(
    project: &Project,
    world: &World,
    before: Option<usize>,
    version: usize,
) {
    let published = published(project);
    for pipeline in PIPELINES {
        let seen = published
            .contains(pipeline)
            .then(|| project.sql(&world.question(pipeline)));
        let old = before.map(|it| world.answer(pipeline, it));
        let new = Some(world.answer(pipeline, version));
        assert!(
            seen == old || seen == new,
            "{pipeline}: half a state is seen\nseen {seen:?}\nold {old:?}\nnew {new:?}"
        );
    }
    for (table, rows) in delta_log::rows(&project.lake()) {
        let known = [before, Some(version)]
            .into_iter()
            .flatten()
            .map(|it| world.rows(&table, it));
        let known: Vec<_> = known.collect();
        assert!(
            known.contains(&rows),
            "{table}: other readers see {rows} rows, published were {known:?}"
        );
    }
}

/// Pipelines that a snapshot names.
fn published(project: &Project) -> BTreeSet<String> {
    if project.snapshots() == 0 {
        return BTreeSet::new();
    }
    let rows = project.sql("SELECT DISTINCT pipeline FROM meta.snapshots");
    rows.iter()
        .map(|it| it["pipeline"].as_str().unwrap().to_owned())
        .collect()
}

/// The next run after a kill: all goes well, all is there, once.
fn the_next_run_does_what_is_due(project: &Project, world: &World, version: usize) {
    let done = project.sectorlake(&["run", "--all"]);
    assert_eq!(done.code, Some(0), "the run after a kill\n{}", done.whole());
    for pipeline in PIPELINES {
        assert_eq!(
            project.sql(&world.question(pipeline)),
            world.answer(pipeline, version),
            "{pipeline} after {}",
            done.whole()
        );
    }
    for (table, rows) in delta_log::rows(&project.lake()) {
        assert_eq!(
            rows,
            world.rows(&table, version),
            "{table} as other readers see it"
        );
    }
    let unbalanced = project.sql(
        "SELECT * FROM meta.run_tables WHERE mapped <> loaded + unchanged + superseded + rejected",
    );
    assert!(unbalanced.is_empty(), "{unbalanced:?}");
    let again = project.sectorlake(&["run", "--all"]).ok();
    assert!(again.says("unchanged"), "{}", again.whole());
}

/// Fails where the instants came too late to be worth anything.
fn most_hit(shots: &[Shot]) {
    let hits = shots.iter().filter(|it| it.hit).count();
    assert!(
        hits * 2 >= shots.len(),
        "only {hits} of {} kills came before the run's end",
        shots.len()
    );
}

#[test]
fn of_the_first_run_ever() {
    let (mut random, world) = (random(1), World::default());
    let whole = Project::empty();
    world.write(&whole, 0);
    let mut instants = Instants::of_a_whole_run(&whole);
    let mut shots = Vec::new();
    for _ in 0..if is_soak() { 15 } else { 3 } {
        let project = Project::empty();
        world.write(&project, 0);
        shots.push(instants.shoot(&project, &mut random));
        readers_see_whole_editions(&project, &world, None, 0);
        the_next_run_does_what_is_due(&project, &world, 0);
    }
    most_hit(&shots);
}

#[test]
fn of_a_lake_in_use() {
    let (mut random, world) = (random(2), World::default());
    let project = Project::empty();
    world.write(&project, 0);
    project.sectorlake(&["run", "--all"]).ok();
    world.write(&project, 1);
    let mut instants = Instants::of_a_whole_run(&project);
    let kills = if is_soak() { 45 } else { 5 };
    let (mut shots, mut version) = (Vec::new(), 1);
    while shots.len() < kills {
        version += 1;
        world.write(&project, version);
        // Now and then the run that mends is killed too.
        for _ in 0..random.up_to(2) {
            shots.push(instants.shoot(&project, &mut random));
            readers_see_whole_editions(&project, &world, Some(version - 1), version);
        }
        the_next_run_does_what_is_due(&project, &world, version);
    }
    most_hit(&shots);
}
