//! A project in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::binary::command;
use super::done::Done;

/// A project and its lake; both go when it is dropped.
pub(crate) struct Project {
    dir: TempDir,
}

impl Project {
    /// A project with nothing in it.
    pub(crate) fn empty() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("sectorlake-test-")
            .tempdir()
            .unwrap();
        let project = Self { dir };
        for folder in ["pipelines", "schemas", "data"] {
            fs::create_dir(project.path(folder)).unwrap();
        }
        project
    }

    /// The folder.
    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The lake.
    pub(crate) fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    /// Writes a file, and the folders it stands in.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// A command line of the binary, typed in the project's folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = command();
        command.current_dir(self.root()).args(args);
        command
    }

    /// Runs it.
    pub(crate) fn sectorlake(&self, args: &[&str]) -> Done {
        Done::of(self.command(args))
    }

    /// `sectorlake run PIPELINE…`
    pub(crate) fn run(&self, pipelines: &[&str]) -> Done {
        self.sectorlake(&[&["run"], pipelines].concat())
    }

    /// The rows of an answer.
    #[track_caller]
    pub(crate) fn sql(&self, statement: &str) -> Vec<Value> {
        self.sectorlake(&["sql", "--format", "ndjson", statement])
            .rows()
    }

    /// The one number of an answer.
    #[track_caller]
    pub(crate) fn number(&self, statement: &str) -> i64 {
        let rows = self.sql(statement);
        assert_eq!(rows.len(), 1, "{statement} answers {rows:?}");
        let value = rows[0].as_object().unwrap().values().next().unwrap();
        value
            .as_i64()
            .unwrap_or_else(|| unreachable!("{statement} answers {value}"))
    }

    /// Rows of a table.
    #[track_caller]
    pub(crate) fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {table}"))
    }

    /// How many snapshots are published, without asking the binary.
    pub(crate) fn snapshots(&self) -> usize {
        snapshots(&self.lake())
    }

    /// Fails unless nothing is published and the reader says the same.
    #[track_caller]
    pub(crate) fn has_published_nothing(&self) {
        assert_eq!(self.snapshots(), 0, "a snapshot was published");
    }
}

/// Snapshot files of a lake.
fn snapshots(lake: &Path) -> usize {
    let Ok(entries) = fs::read_dir(lake.join("snapshots")) else {
        return 0;
    };
    entries
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            let name = name.to_string_lossy();
            name.strip_suffix(".json")
                .is_some_and(|stem| stem.bytes().all(|it| it.is_ascii_digit()))
        })
        .count()
}
