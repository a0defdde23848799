//! The project's own real files, loaded once, for every test that only reads.

use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Done, command, repository};

/// A lake of the repository's pipelines.
pub(crate) struct RealLake {
    dir: TempDir,
    /// What `run --all` said.
    pub(crate) run: Done,
}

impl RealLake {
    /// Loads it, if no other test has.
    pub(crate) fn get() -> &'static Self {
        static LAKE: OnceLock<RealLake> = OnceLock::new();
        let lake = LAKE.get_or_init(|| {
            let dir = tempfile::Builder::new()
                .prefix("sectorlake-test-")
                .tempdir()
                .unwrap();
            let run = sectorlake(&dir, &["run", "--all"]);
            Self { dir, run }
        });
        assert_eq!(lake.run.code, Some(0), "{}", lake.run.whole());
        lake
    }

    /// Runs the binary on it.
    pub(crate) fn sectorlake(&self, args: &[&str]) -> Done {
        sectorlake(&self.dir, args)
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

fn sectorlake(dir: &TempDir, args: &[&str]) -> Done {
    let mut command = command();
    command
        .current_dir(dir.path())
        .args(args)
        .arg("--project")
        .arg(repository())
        .arg("--lake")
        .arg(dir.path().join("lake"));
    let mut done = Done::of(command);
    // Where the checkout is does not matter to a snapshot.
    done.line = format!("sectorlake {}", args.join(" "));
    done
}
