//! Real files, loaded once, for every test that only reads: the project's own, and the corpus.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, command, repository};
use crate::pipelines::recording;

/// A lake of real files.
pub(crate) struct RealLake {
    dir: TempDir,
    project: PathBuf,
    /// What `run --all` said.
    pub(crate) run: Done,
}

impl RealLake {
    /// That of the repository's pipelines, those of public addresses from their recording; loads it, if no other test has.
    pub(crate) fn get() -> &'static Self {
        static LAKE: OnceLock<RealLake> = OnceLock::new();
        LAKE.get_or_init(|| Self::load(repository().to_owned(), &["--replay", &recording()]))
            .loaded()
    }

    /// That of the corpus (`tests/corpus`).
    pub(crate) fn corpus() -> &'static Self {
        static LAKE: OnceLock<RealLake> = OnceLock::new();
        LAKE.get_or_init(|| Self::load(repository().join("tests/corpus"), &[]))
            .loaded()
    }

    fn load(project: PathBuf, options: &[&str]) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("sectorlake-test-")
            .tempdir()
            .unwrap();
        let run = sectorlake(&dir, &project, &[&["run", "--all"], options].concat());
        Self { dir, project, run }
    }

    fn loaded(&self) -> &Self {
        assert_eq!(self.run.code, Some(0), "{}", self.run.whole());
        self
    }

    /// Runs the binary on it.
    pub(crate) fn sectorlake(&self, args: &[&str]) -> Done {
        sectorlake(&self.dir, &self.project, args)
    }

    /// The rows of an answer.
    #[track_caller]
    pub(crate) fn sql(&self, statement: &str) -> Vec<Value> {
        self.sectorlake(&["sql", "--format", "ndjson", statement])
            .rows()
    }

    /// The one number of an answer.
    #[track_caller]
    pub(crate) fn number(&self, statement: &str) -> f64 {
        let rows = self.sql(statement);
        assert_eq!(rows.len(), 1, "{statement} answers {rows:?}");
        let value = rows[0].as_object().unwrap().values().next().unwrap();
        value
            .as_f64()
            .unwrap_or_else(|| unreachable!("{statement} answers {value}"))
    }
}

fn sectorlake(dir: &TempDir, project: &Path, args: &[&str]) -> Done {
    let mut command = command();
    command
        .current_dir(dir.path())
        .args(args)
        .arg("--project")
        .arg(project)
        .arg("--lake")
        .arg(dir.path().join("lake"));
    let mut done = Done::of(command);
    // Where the checkout is does not matter to a snapshot.
    done.line = format!("sectorlake {}", args.join(" "));
    done
}
