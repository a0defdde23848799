//! What dead runs leave behind: their folders, and data files that nothing names. Harmless, but they take room.
//!
//! Only what is surely dead is removed: a run of this pipeline whose process on this host is gone, and that never came to
//! publishing (then its folder would hold a state). A process that only slept could still publish what is cleared away
//! behind it, so a lease that ran out is no proof. All else is left to `maintain`. Data files carry their run's name.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;
use sectorlake_contract::{TableName, system};

use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout;
use crate::run::RunFile;
use crate::store::files;
use crate::writer::partition::folder_name;

const TABLES: &str = "tables";

/// Where a run says whose it is.
pub(crate) fn run_file(run: &str) -> Path {
    layout::run(run).join("run.json")
}

/// Notes in the run's folder that it writes files into a table's folder.
pub(crate) async fn mark(lake: &Lake, run: &str, table: &TableName) -> Result<(), LakeError> {
    let path = layout::run(run).join(TABLES).join(table.to_string());
    files::put_if_absent(lake.store().as_ref(), &path, Vec::new())
        .await
        .map(drop)
}

/// Runs of one pipeline that never came to publishing.
#[derive(Default)]
struct Unpublished {
    dead: Vec<String>,
    /// Whether there is one that may still be at work.
    may_live: bool,
}

/// Removes what dead runs of the pipeline left; the caller holds its lease.
pub(crate) async fn clear(lake: &Lake, pipeline: &str, own_run: &str) {
    let cleared = async {
        let unpublished = unpublished(lake, pipeline, own_run).await?;
        for run in &unpublished.dead {
            remove(lake, pipeline, run).await;
        }
        // A raw part does not say surely whose it is: while another run may live, it may be about to name it.
        if !unpublished.dead.is_empty() && !unpublished.may_live {
            lake.raw(pipeline).remove_leftovers(own_run).await?;
        }
        Ok::<_, LakeError>(())
    };
    if let Err(error) = cleared.await {
        tracing::debug!(pipeline, %error, "what dead runs left was not all looked at");
    }
}

async fn unpublished(lake: &Lake, pipeline: &str, own_run: &str) -> Result<Unpublished, LakeError> {
    let store = lake.store();
    let env = lake.env();
    let runs = layout::runs();
    let listed = store.list_with_delimiter(Some(&runs)).await;
    let listed = listed.map_err(|error| LakeError::store("list", &runs, error))?;
    let mut found = Unpublished::default();
    for folder in listed.common_prefixes {
        let Some(run) = folder.filename().filter(|run| *run != own_run) else {
            continue;
        };
        let path = run_file(run);
        let Some(bytes) = files::get(store.as_ref(), &path).await? else {
            continue;
        };
        let file: RunFile = files::from_json(&path, &bytes)?;
        let has_state = files::get(store.as_ref(), &layout::run_state(run))
            .await?
            .is_some();
        if file.pipeline != pipeline || has_state {
            continue;
        }
        if file.host == env.host && !env.alive.is_alive(file.process) {
            found.dead.push(run.to_owned());
        } else {
            found.may_live = true;
        }
    }
    Ok(found)
}

/// Removes the folder and the data files of a run that never published.
pub(crate) async fn remove(lake: &Lake, pipeline: &str, run: &str) {
    if let Err(error) = try_remove(lake, pipeline, run).await {
        tracing::debug!(run, %error, "what an unpublished run left was not all removed");
    }
}

async fn try_remove(lake: &Lake, pipeline: &str, run: &str) -> Result<(), LakeError> {
    let store = lake.store();
    let marks = layout::run(run).join(TABLES);
    let tables: Vec<TableName> = store
        .list(Some(&marks))
        .map_ok(|mark| mark.location.filename().and_then(|name| name.parse().ok()))
        .try_filter_map(|name| futures::future::ready(Ok(name)))
        .try_collect()
        .await
        .map_err(|error| LakeError::store("list", &marks, error))?;
    let prefix = format!("{run}-");
    for table in tables {
        let folder = layout::table(&table).join(folder_name(system::SOURCE, Some(pipeline)));
        let named = prefix.clone();
        delete(&store, &folder, move |path| {
            path.filename().is_some_and(|name| name.starts_with(&named))
        })
        .await?;
        let staged = prefix.clone();
        let is_ours = move |path: &str| {
            path.rsplit('/')
                .next()
                .is_some_and(|name| name.starts_with(&staged))
        };
        lake.lake_store()
            .sweep_staged(&folder, move |path, _| is_ours(path))
            .await?;
    }
    lake.lake_store()
        .sweep_staged(&layout::run(run), |_, _| true)
        .await?;
    // The folder goes last: it is what says that there is something to remove.
    delete(&store, &layout::run(run), |path| {
        path.filename() != Some("run.json")
    })
    .await?;
    delete(&store, &layout::run(run), |_| true).await
}

async fn delete(
    store: &Arc<dyn ObjectStore>,
    folder: &Path,
    chosen: impl Fn(&Path) -> bool + Send + 'static,
) -> Result<(), LakeError> {
    let paths = store
        .list(Some(folder))
        .map_ok(|object| object.location)
        .try_filter(move |path| futures::future::ready(chosen(path)))
        .boxed();
    let deleted = store.delete_stream(paths).map_ok(drop);
    deleted
        .try_collect::<()>()
        .await
        .map_err(|error| LakeError::store("remove", folder, error))
}
