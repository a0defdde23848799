//! What dead runs leave behind: their folders, and data files that nothing names. Harmless, but they take room.
//!
//! A run that begins says so in the folder of its pipeline's open runs, and takes that back once it is published or given
//! up: what stands there is all that has to be looked at. Only what is surely dead is removed: a run whose process on
//! this host is gone, and that no snapshot names. A process that only slept could still publish what is cleared away
//! behind it, so a lease that ran out is no proof. All else is left to `maintain`. Data files carry their run's name.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sectorlake_contract::{TableName, system};

use crate::error::LakeError;
use crate::lake::Lake;
use crate::layout::{self, Access};
use crate::snapshot;
use crate::store::files;
use crate::work::RunFile;
use crate::writer::partition::folder_name;

const TABLES: &str = "tables";
const MIGRATIONS: &str = "migrations";

/// Where a run says that it is at work.
pub(crate) fn run_file(pipeline: &str, run: &str) -> Path {
    layout::open_runs(pipeline).join(format!("{run}.json"))
}

/// Where a run notes the tables it writes files for.
fn marks(run: &str) -> Path {
    layout::run(run, Access::Open).join(TABLES)
}

/// Notes in the run's folder that it writes files into a table's folder.
pub(crate) async fn mark(lake: &Lake, run: &str, table: &TableName) -> Result<(), LakeError> {
    let path = marks(run).join(table.to_string());
    files::put_if_absent(lake.store().as_ref(), &path, Vec::new())
        .await
        .map(drop)
}

/// Notes that it writes files of other sources too.
pub(crate) async fn mark_migration(
    lake: &Lake,
    run: &str,
    table: &TableName,
) -> Result<(), LakeError> {
    let path = migrations(run).join(table.to_string());
    files::put_if_absent(lake.store().as_ref(), &path, Vec::new())
        .await
        .map(drop)
}

/// Where a run notes the tables whose files it writes anew, of whatever source.
fn migrations(run: &str) -> Path {
    layout::run(run, Access::Open).join(MIGRATIONS)
}

/// The tables that are noted in a folder.
async fn marked(store: &Arc<dyn ObjectStore>, marks: &Path) -> Result<Vec<TableName>, LakeError> {
    store
        .list(Some(marks))
        .map_ok(|mark| mark.location.filename().and_then(|name| name.parse().ok()))
        .try_filter_map(|name| futures::future::ready(Ok(name)))
        .try_collect()
        .await
        .map_err(|error| LakeError::store("list", marks, error))
}

/// Runs of one pipeline that are not published.
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
            lake.raw(pipeline).remove_parts(own_run).await?;
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
    let runs = layout::open_runs(pipeline);
    let listed: Vec<Path> = store
        .list(Some(&runs))
        .map_ok(|file| file.location)
        .try_collect()
        .await
        .map_err(|error| LakeError::store("list", &runs, error))?;
    let mut found = Unpublished::default();
    for path in listed {
        let run = path.filename().and_then(|name| name.strip_suffix(".json"));
        let Some(run) = run.filter(|run| *run != own_run) else {
            continue;
        };
        let Some(bytes) = files::get(store.as_ref(), &path).await? else {
            continue;
        };
        let file: RunFile = files::from_json(&path, &bytes)?;
        if file.host != env.host || env.alive.is_alive(file.process) {
            found.may_live = true;
        } else if is_published(lake, run, &file).await? {
            discard(&store, &path).await;
        } else if may_be_under_way(lake, run).await? {
            found.may_live = true;
        } else {
            found.dead.push(run.to_owned());
        }
    }
    Ok(found)
}

/// Whether a snapshot names a run that has ended: it cannot publish any more.
async fn is_published(lake: &Lake, run: &str, file: &RunFile) -> Result<bool, LakeError> {
    let store = lake.store();
    let Some(newest) = snapshot::newest(store.as_ref()).await? else {
        return Ok(false);
    };
    for number in file.base + 1..=newest.number {
        let published = snapshot::read(store.as_ref(), number).await?;
        if published.is_some_and(|snapshot| snapshot.run == run) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes what a run that failed to publish wrote, where it is sure that no snapshot names it.
pub(crate) async fn remove_if_unpublished(lake: &Lake, pipeline: &str, run: &str) {
    let is_sure = async {
        let path = run_file(pipeline, run);
        let Some(bytes) = files::get(lake.store().as_ref(), &path).await? else {
            return Ok(false);
        };
        let file: RunFile = files::from_json(&path, &bytes)?;
        Ok::<_, LakeError>(
            !is_published(lake, run, &file).await? && !may_be_under_way(lake, run).await?,
        )
    };
    match is_sure.await {
        Ok(true) => remove(lake, pipeline, run).await,
        Ok(false) => {}
        Err(error) => {
            tracing::debug!(run, %error, "whether the run is published was not found out")
        }
    }
}

/// Whether an ended run's snapshot may still be on its way: not on this disk, but a distant store may take up at any time
/// what was sent to it. A run that never came to publishing has no state.
async fn may_be_under_way(lake: &Lake, run: &str) -> Result<bool, LakeError> {
    if lake.lake_store().local().is_some() {
        return Ok(false);
    }
    let state = files::get(lake.store().as_ref(), &layout::run_state(run)).await?;
    Ok(state.is_some())
}

/// The run is published: it has nothing to clear away any more.
pub(crate) async fn close(lake: &Lake, pipeline: &str, run: &str) {
    discard(&lake.store(), &run_file(pipeline, run)).await;
}

async fn discard(store: &Arc<dyn ObjectStore>, path: &Path) {
    if let Err(error) = store.delete(path).await {
        tracing::debug!(%path, %error, "a published run still stands among the open ones");
    }
}

/// Removes the folder and the data files of a run that never published.
pub(crate) async fn remove(lake: &Lake, pipeline: &str, run: &str) {
    if let Err(error) = try_remove(lake, pipeline, run).await {
        tracing::debug!(run, %error, "what an unpublished run left was not all removed");
    }
}

async fn try_remove(lake: &Lake, pipeline: &str, run: &str) -> Result<(), LakeError> {
    let store = lake.store();
    let tables = marked(&store, &marks(run)).await?;
    let migrated = marked(&store, &migrations(run)).await?;
    let prefix = format!("{run}-");
    let folders = |table: TableName| {
        Access::ALL.map(|access| {
            let whole = layout::table(&table, access);
            match migrated.contains(&table) {
                true => whole,
                false => whole.join(folder_name(system::SOURCE, Some(pipeline))),
            }
        })
    };
    for folder in tables.into_iter().flat_map(folders) {
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
    // The open one last: it tells which tables there is something to remove from.
    for access in [Access::Restricted, Access::Open] {
        let folder = layout::run(run, access);
        lake.lake_store().sweep_staged(&folder, |_, _| true).await?;
        delete(&store, &folder, |_| true).await?;
    }
    let path = run_file(pipeline, run);
    match store.delete(&path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(LakeError::store("remove", &path, error)),
    }
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
