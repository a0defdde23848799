//! Finding snapshots: the newest, by number, by date, all.

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{At, Snapshot};
use crate::error::LakeError;
use crate::layout;
use crate::store::files;

/// How many snapshot files are read at once when all are asked for.
const READS_AT_ONCE: usize = 16;
/// How far past the hint to try number by number before listing.
const PROBES_MAX: u64 = 16;

/// The snapshot that `at` means, for a reader; none where nothing is published yet.
pub(crate) async fn at(store: &dyn ObjectStore, at: At) -> Result<Option<Snapshot>, LakeError> {
    match at {
        At::Latest => newest_whole(store).await,
        At::Number(number) => by_number(store, number).await.map(Some),
        At::AsOf(instant) => as_of(store, instant).await,
    }
}

/// The snapshot file with this number, whole or not.
pub(crate) async fn read(
    store: &dyn ObjectStore,
    number: u64,
) -> Result<Option<Snapshot>, LakeError> {
    let path = layout::snapshot(number);
    let Some(bytes) = files::get(store, &path).await? else {
        return Ok(None);
    };
    let snapshot: Snapshot = files::from_json(&path, &bytes)?;
    if snapshot.number != number {
        return Err(LakeError::corrupt(
            &path,
            format!("it says it is snapshot {}", snapshot.number),
        ));
    }
    Ok(Some(snapshot))
}

/// The newest snapshot file, whole or not: what a writer goes by.
///
/// Numbers have no gaps after the hint, so probing from there finds the newest without a listing; without a hint, or
/// far from it, the folder is listed.
pub(crate) async fn newest(store: &dyn ObjectStore) -> Result<Option<Snapshot>, LakeError> {
    let mut newest = match hinted(store).await {
        Some(number) => read(store, number).await?,
        None => None,
    };
    if newest.is_none() {
        newest = match numbers(store, None).await?.last() {
            Some(&number) => read(store, number).await?,
            // Without a listing's say, a lake is only empty where there is no first snapshot.
            None => return Ok(None),
        };
    }
    let Some(mut newest) = newest else {
        return Ok(None);
    };
    for _ in 0..PROBES_MAX {
        match read(store, newest.number + 1).await? {
            Some(next) => newest = next,
            None => return Ok(Some(newest)),
        }
    }
    match numbers(store, Some(newest.number)).await?.last() {
        Some(&number) => read(store, number).await,
        None => Ok(Some(newest)),
    }
}

/// All snapshots, oldest first; the newest only if it is whole.
pub(crate) async fn all(store: &dyn ObjectStore) -> Result<Vec<Snapshot>, LakeError> {
    let numbers = numbers(store, None).await?;
    let mut snapshots: Vec<Snapshot> = stream::iter(numbers)
        .map(|number| read(store, number))
        .buffered(READS_AT_ONCE)
        .try_filter_map(|snapshot| async move { Ok(snapshot) })
        .try_collect()
        .await?;
    if let Some(last) = snapshots.last()
        && !last.is_whole(store).await?
    {
        snapshots.pop();
    }
    Ok(snapshots)
}

/// Leaves a hint at the newest number. It only saves work: a failure is told to the log and to nobody else.
pub(super) async fn hint(store: &dyn ObjectStore, number: u64) {
    let path = layout::newest_snapshot();
    if let Err(error) = store
        .put(&path, number.to_string().into_bytes().into())
        .await
    {
        tracing::warn!(%path, %error, "the hint at the newest snapshot was not written");
    }
}

async fn hinted(store: &dyn ObjectStore) -> Option<u64> {
    let bytes = files::get(store, &layout::newest_snapshot()).await.ok()??;
    std::str::from_utf8(&bytes).ok()?.parse().ok()
}

/// The numbers of all snapshot files after `after`, in order.
async fn numbers(store: &dyn ObjectStore, after: Option<u64>) -> Result<Vec<u64>, LakeError> {
    let folder = layout::snapshots();
    let listing = match after {
        Some(number) => store.list_with_offset(Some(&folder), &layout::snapshot(number)),
        None => store.list(Some(&folder)),
    };
    let found =
        listing.try_filter_map(|object| async move { Ok(layout::number_of(&object.location)) });
    let mut numbers: Vec<u64> = found
        .try_collect()
        .await
        .map_err(|error| LakeError::store("list", &folder, error))?;
    numbers.sort_unstable();
    Ok(numbers)
}

/// Only the newest can be on its way: a publisher first finishes the one before its own.
async fn newest_whole(store: &dyn ObjectStore) -> Result<Option<Snapshot>, LakeError> {
    let mut candidate = newest(store).await?;
    while let Some(snapshot) = candidate {
        if snapshot.is_whole(store).await? {
            return Ok(Some(snapshot));
        }
        candidate = match snapshot.number.checked_sub(1) {
            Some(number) => read(store, number).await?,
            None => None,
        };
    }
    Ok(None)
}

async fn by_number(store: &dyn ObjectStore, number: u64) -> Result<Snapshot, LakeError> {
    let newest = newest_whole(store).await?;
    let newest_number = newest.as_ref().map(|snapshot| snapshot.number);
    if newest_number == Some(number)
        && let Some(newest) = newest
    {
        return Ok(newest);
    }
    // A greater number is one that is not whole yet: for readers it is not there.
    let older = newest_number.is_some_and(|newest| number < newest);
    match if older {
        read(store, number).await?
    } else {
        None
    } {
        Some(snapshot) => Ok(snapshot),
        None => Err(LakeError::NoSnapshot {
            number,
            newest: newest_number,
        }),
    }
}

/// Searches by halves: each snapshot was published later than the one before.
async fn as_of(
    store: &dyn ObjectStore,
    instant: DateTime<Utc>,
) -> Result<Option<Snapshot>, LakeError> {
    let Some(newest) = newest_whole(store).await? else {
        return Ok(None);
    };
    if newest.published_at <= instant {
        return Ok(Some(newest));
    }
    let numbers: Vec<u64> = numbers(store, None).await?;
    let below_newest = numbers.partition_point(|&number| number < newest.number);
    let (mut low, mut high) = (0, below_newest);
    let (mut found, mut first) = (None, newest);
    while low < high {
        let middle = low + (high - low) / 2;
        let snapshot = must_read(store, numbers[middle]).await?;
        if snapshot.published_at <= instant {
            found = Some(snapshot);
            low = middle + 1;
        } else {
            first = snapshot;
            high = middle;
        }
    }
    match found {
        Some(snapshot) => Ok(Some(snapshot)),
        None => Err(LakeError::NoSnapshotAsOf {
            at: instant,
            first: first.published_at,
        }),
    }
}

async fn must_read(store: &dyn ObjectStore, number: u64) -> Result<Snapshot, LakeError> {
    let gone = |path: Path| LakeError::corrupt(&path, "it vanished while it was searched for");
    read(store, number)
        .await?
        .ok_or_else(|| gone(layout::snapshot(number)))
}
