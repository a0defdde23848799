//! The lake's own files that a killed process left half-written in a local folder; no listing shows them. Those of tables, raw parts
//! and runs go with the run that left them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::error::LakeError;
use crate::journal::Kind;
use crate::lake::Lake;
use crate::layout::{self, Access};

/// No writer leaves a file alone for so long: what is still half-written then was left by a killed process.
const WRITE_DAYS_MAX: i64 = 7;
/// How often a process looks, at most: every name in the folders is read, and some are polled each minute.
const HOURS_APART: i64 = 24;

/// By pipeline, when this process last looked.
#[derive(Debug, Default)]
pub(crate) struct Swept(Mutex<HashMap<String, DateTime<Utc>>>);

impl Swept {
    /// Removes what was left where a run of the pipeline writes, if it is time to look.
    ///
    /// # Errors
    /// Where the storage fails.
    pub(crate) async fn sweep(&self, lake: &Lake, pipeline: &str) -> Result<(), LakeError> {
        let now = lake.env().clock.now();
        let last = self.lock().get(pipeline).copied();
        if last.is_some_and(|last| now - last < TimeDelta::hours(HOURS_APART)) {
            return Ok(());
        }
        let before = now - TimeDelta::days(WRITE_DAYS_MAX);
        let mut folders = vec![layout::snapshots(), layout::leases(pipeline)];
        for access in Access::ALL {
            folders.push(layout::manifests(pipeline, access));
            folders.extend(Kind::ALL.map(|kind| layout::journal(kind, access)));
        }
        for folder in folders {
            let abandoned = move |_: &str, written| written < before;
            lake.lake_store().sweep_staged(&folder, abandoned).await?;
        }
        self.lock().insert(pipeline.to_owned(), now);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, DateTime<Utc>>> {
        // Poisoned, it has only been added to: it stays good.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;
    use crate::env::{Env, ManualClock};

    #[tokio::test]
    async fn half_written_files_go_once_nobody_can_be_writing_them() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let location = folder.path().to_str().unwrap();
        let env = Env::manual_with(Arc::clone(&clock));
        let lake = Lake::open_or_create(location, env).await.unwrap();
        std::fs::create_dir(folder.path().join("snapshots")).unwrap();
        let left = folder.path().join("snapshots/00000000000000000001.json#7");
        let left_days_ago = |days| {
            let written = lake.env().clock.now() - TimeDelta::days(days);
            std::fs::File::create(&left)
                .unwrap()
                .set_modified(written.into())
                .unwrap();
        };
        let swept = Swept::default();
        left_days_ago(WRITE_DAYS_MAX - 1);
        swept.sweep(&lake, "bus").await.unwrap();
        assert!(left.exists());
        left_days_ago(WRITE_DAYS_MAX + 1);
        swept.sweep(&lake, "bus").await.unwrap();
        assert!(left.exists(), "it has just looked");
        clock.advance(TimeDelta::hours(HOURS_APART));
        swept.sweep(&lake, "bus").await.unwrap();
        assert!(!left.exists());
    }
}
