//! Projects in a temporary folder, checked and run.

#![expect(clippy::unwrap_used, reason = "tests")]

mod connectors;
mod continuous;
mod deletions;
mod fixes;
mod freshness;
mod keys;
mod loads;
mod mappings;
mod months;
mod parted;
mod partitions;
mod place_lookup;
mod problems;
mod runs;
mod versions;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use sectorlake_connector::{Http, Limits, TimerPace};
use sectorlake_contract::TableName;
use sectorlake_lake::{At, Env, Lake};
use tempfile::TempDir;

use crate::{Event, Outcome, Problem, Progress, Project, RunContext, RunResult, run, validate};

/// A project in a folder of its own, with its lake and one clock and counter of ids for all its runs.
pub(super) struct Folder {
    dir: TempDir,
    env: Env,
}

impl Folder {
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self {
            dir: tempfile::tempdir().unwrap(),
            env: Env::manual(),
        };
        std::fs::create_dir_all(folder.path().join("pipelines")).unwrap();
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    pub(super) fn write_bytes(&self, path: &str, text: &[u8]) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) async fn problems(&self) -> Vec<Problem> {
        let registry = connectors::registry();
        let (project, mut problems) = Project::load(self.path(), &registry);
        problems.extend(validate(&project, &registry).await);
        problems
    }

    pub(super) async fn lake(&self) -> Lake {
        let location = self.path().join("lake").to_string_lossy().into_owned();
        Lake::open_or_create(&location, self.env.clone())
            .await
            .unwrap()
    }

    pub(super) async fn context(&self) -> RunContext {
        let registry = connectors::registry();
        let (project, _) = Project::load(self.path(), &registry);
        let env = self.env.clone();
        let clock = Arc::clone(&env.clock);
        let http = Http::new(
            Limits::default(),
            Arc::new(TimerPace::new(move || clock.now(), 1)),
        )
        .unwrap();
        RunContext {
            partitions: 2,
            ..RunContext::new(
                project,
                registry,
                self.lake().await,
                env,
                http,
                Arc::new(|_| None),
            )
        }
    }

    pub(super) async fn run(&self, names: &[&str]) -> Vec<RunResult> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        run(&self.context().await, &names, &Heard::default()).await
    }

    /// Runs pipelines and tells what came of it, paths made short.
    pub(super) async fn page(&self, names: &[&str]) -> String {
        let page = self
            .run(names)
            .await
            .iter()
            .map(shown)
            .collect::<Vec<_>>()
            .join("\n");
        page.replace(&format!("{}/", self.path().display()), "")
    }

    /// Rows of a table in the newest snapshot, by source.
    pub(super) async fn rows(&self, table: &str) -> Vec<(String, u64)> {
        let lake = self.lake().await;
        let table: TableName = table.parse().unwrap();
        let Some(snapshot) = lake.snapshot(At::Latest).await.unwrap() else {
            return Vec::new();
        };
        if !snapshot.tables.contains_key(&table) {
            return Vec::new();
        }
        let mut rows = std::collections::BTreeMap::new();
        for file in lake.table(&snapshot, &table).await.unwrap().files {
            let source = file
                .partition_values
                .get("_source")
                .cloned()
                .flatten()
                .unwrap_or_default();
            *rows.entry(source).or_default() += file.rows;
        }
        rows.into_iter().collect()
    }
}

/// Keeps what it hears.
#[derive(Default)]
pub(super) struct Heard(pub(super) Mutex<Vec<String>>);

impl Progress for Heard {
    fn event(&self, pipeline: &str, event: &Event) {
        self.0
            .lock()
            .unwrap()
            .push(format!("{pipeline}: {event:?}"));
    }
}

pub(super) fn shown(result: &RunResult) -> String {
    let mut page = match &result.outcome {
        Outcome::Published { snapshot } => {
            format!("{}: published snapshot {snapshot}", result.pipeline)
        }
        Outcome::Unchanged => format!("{}: unchanged", result.pipeline),
        Outcome::Failed(failure) => format!(
            "{}: failed ({:?}): {failure}",
            result.pipeline, failure.kind
        ),
    };
    let _ = write!(
        page,
        "\n  fetched {} new, {} unchanged",
        result.fetched.parts, result.fetched.unchanged
    );
    for table in &result.tables {
        let _ = write!(
            page,
            "\n  {}: mapped {}, loaded {}, unchanged {}, superseded {}, rejected {}, broken {}, removed {}",
            table.table,
            table.mapped,
            table.loaded,
            table.unchanged,
            table.superseded,
            table.rejected,
            table.broken,
            table.removed
        );
        if table.revised + table.deleted > 0 {
            let _ = write!(
                page,
                " ({} revised, {} deleted)",
                table.revised, table.deleted
            );
        }
        assert!(table.balances());
    }
    for part in &result.parts {
        assert_eq!(
            part.records,
            part.decoded + part.broken + part.fixed,
            "{}",
            part.name
        );
        let _ = write!(
            page,
            "\n  {} ← {}: {} records, {} broken, {} filtered",
            part.table, part.name, part.records, part.broken, part.filtered
        );
        if part.fixed > 0 {
            let _ = write!(page, ", {} fixed", part.fixed);
        }
    }
    for note in &result.notes {
        let _ = write!(page, "\n  note: {note}");
    }
    page
}

/// A contract of stops: a key, a number in bounds, a parent.
pub(super) const STOPS: (&str, &str) = (
    "schemas/city/stops.json",
    r#"{"fields": [
        {"name": "stop_id", "type": "string"}, {"name": "name", "type": "string", "constraints": {"required": true}},
        {"name": "lat", "type": "number", "constraints": {"minimum": -90, "maximum": 90}}, {"name": "parent", "type": "string"}
    ], "primaryKey": "stop_id", "foreignKeys": [{"fields": "parent", "reference": {"resource": "", "fields": "stop_id"}}]}"#,
);

/// A contract of calls: they point to stops.
pub(super) const CALLS: (&str, &str) = (
    "schemas/city/calls.json",
    r#"{"fields": [
        {"name": "trip", "type": "string"}, {"name": "n", "type": "integer"}, {"name": "stop_id", "type": "string"}
    ], "primaryKey": ["trip", "n"], "foreignKeys": [{"fields": "stop_id", "reference": {"resource": "city.stops", "fields": "stop_id"}}]}"#,
);
