//! Snapshots: the small immutable files that say what is published.

mod lists;
mod read;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use object_store::{ObjectStore, ObjectStoreExt};
use sectorlake_contract::TableName;
use serde::{Deserialize, Serialize};

use crate::error::LakeError;
use crate::layout::{self, Access};
use crate::store::files;
use crate::versions::Beside;

pub(crate) use crate::store::files::PutOutcome;
pub(crate) use lists::Pieces;
pub(crate) use read::{all, at, newest, read};

/// One published state of the whole lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// When it was published; later than the one before.
    pub published_at: DateTime<Utc>,
    /// The run that published it.
    pub run: String,
    /// The pipeline of that run.
    pub pipeline: String,
    /// Every table, at its version.
    pub tables: BTreeMap<TableName, TableVersion>,
    /// The Delta log entries this snapshot brought, as its run staged them: whoever finds one missing from its table's
    /// log puts it there.
    pub entries: Vec<StagedEntry>,
    /// What each pipeline last published.
    pub pipelines: BTreeMap<String, PipelineEntry>,
}

/// The version of a table that a snapshot names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableVersion {
    /// The Delta version.
    pub version: u64,
    /// The hash of the contract that it was written by.
    pub contract: String,
    /// Behind which door it lies.
    #[serde(default, skip_serializing_if = "Access::is_open")]
    pub access: Access,
    /// Of which table it is a later major version; none for a table that has its contract's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
}

/// A Delta log entry in the folder of the run that staged it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedEntry {
    /// The table.
    pub table: TableName,
    /// The version it makes.
    pub version: u64,
    /// The staged file, from the lake's root.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// The BLAKE3 hash of its bytes, in hexadecimal digits.
    pub hash: String,
    /// Behind which door the table lies.
    #[serde(default, skip_serializing_if = "Access::is_open")]
    pub access: Access,
}

/// What a pipeline last published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineEntry {
    /// The run that did.
    pub run: String,
    /// The snapshot it published.
    pub snapshot: u64,
    /// The pipeline's state after it, a file in the run's folder, from the lake's root.
    pub state: String,
    /// The number of the last fetch or check of a raw part by then: what has a greater one is not published yet.
    #[serde(default)]
    pub checked_sequence: u64,
}

/// Where a pipeline stands after a published run: the only thing that flows back. Its file names pieces of what is long in it,
/// `@` and a digest, which several states share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PipelineState {
    /// By unit, where to fetch on from.
    pub cursor: BTreeMap<String, serde_json::Value>,
    /// By unit and partition, where to fetch on from.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub partitions: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// The hashes of the raw parts that the published rows come from.
    pub parts: Vec<String>,
    /// By table, the hashes of all parts ever appended: none is appended twice.
    pub appended: BTreeMap<TableName, Vec<String>>,
    /// A hash over mappings, contracts and settings: the same parts under the same fingerprint give the same rows.
    pub fingerprint: String,
    /// The corrections in force, in the order in which they came.
    pub fixes: Vec<FixState>,
    /// By stream, the columns that the source had.
    pub columns: BTreeMap<String, Vec<SourceColumn>>,
    /// By table, the columns that the pipeline added to it by itself (`on_drift: add`).
    pub added: BTreeMap<TableName, Vec<AddedColumn>>,
    /// By table, what is usual of its source: when newer observations came, and how many rows. The pipeline alone knows its form.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub freshness: BTreeMap<TableName, serde_json::Value>,
    /// The hashes of those of `parts` that did not load, so that no row of them is published.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aside: Vec<String>,
}

impl PipelineState {
    /// Where to fetch on from: of a unit, or of one of its partitions.
    #[must_use]
    pub fn cursor_of(&self, unit: &str, partition: Option<&str>) -> Option<&serde_json::Value> {
        match partition {
            None => self.cursor.get(unit),
            Some(partition) => self.partitions.get(unit)?.get(partition),
        }
    }
}

/// A file of corrected records that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixState {
    /// Its raw part's hash.
    pub part: String,
    /// Who corrected it.
    pub by: String,
    /// When it came.
    pub at: DateTime<Utc>,
    /// The parts whose corrections have lapsed, since the source itself has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lapsed: Vec<String>,
    /// The corrections that have lapsed, since their records are not there any more: by what `_part` says, their rows in order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gone: BTreeMap<String, Vec<i64>>,
}

/// A column of a source, as a run saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// What kind of values it held.
    pub shape: String,
}

/// A column of a source that a table took up without its contract naming it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedColumn {
    /// The field.
    pub field: String,
    /// The source's column.
    pub column: String,
    /// The stream it is in.
    pub stream: String,
}

/// Which snapshot to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The newest that is whole.
    Latest,
    /// The one with this number.
    Number(u64),
    /// The one that was the newest at this instant.
    AsOf(DateTime<Utc>),
}

impl Snapshot {
    /// What this pipeline last published, as of this snapshot.
    #[must_use]
    pub fn pipeline_entry(&self, pipeline: &str) -> Option<&PipelineEntry> {
        self.pipelines.get(pipeline)
    }

    /// Whether each version this snapshot brought is in its table's log. Until then it is on its way: readers take the
    /// one before. Versions it took over from earlier snapshots were there before it was made.
    ///
    /// # Errors
    /// Where the storage fails.
    pub async fn is_whole(&self, store: &dyn ObjectStore) -> Result<bool, LakeError> {
        let checks = self.entries.iter().map(|entry| async move {
            let path = layout::log_entry(&entry.table, entry.access, entry.version);
            match store.head(&path).await {
                Ok(_) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(LakeError::store("look for", &path, error)),
            }
        });
        let found = futures::future::try_join_all(checks).await?;
        Ok(found.into_iter().all(|there| there))
    }
}

/// Publishes `snapshot` under its number, if that is still free. Durable once it returns.
pub(crate) async fn put(
    store: &dyn ObjectStore,
    snapshot: &Snapshot,
) -> Result<PutOutcome, LakeError> {
    let path = layout::snapshot(snapshot.number);
    let bytes = files::to_json(&path, snapshot)?;
    let outcome = files::put_if_absent(store, &path, bytes).await?;
    if outcome == PutOutcome::Written {
        read::hint(store, snapshot.number).await;
    }
    Ok(outcome)
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use chrono::TimeDelta;
    use object_store::memory::InMemory;
    use proptest::prelude::*;

    use super::*;

    /// A snapshot of nothing, published so many seconds after 1970.
    pub(crate) fn of(number: u64, seconds: i64) -> Snapshot {
        Snapshot {
            number,
            published_at: DateTime::from_timestamp(seconds, 0).unwrap(),
            run: format!("run-{number}"),
            pipeline: "bus".to_owned(),
            tables: BTreeMap::new(),
            entries: Vec::new(),
            pipelines: BTreeMap::new(),
        }
    }

    pub(crate) fn entry(state: &str) -> PipelineEntry {
        PipelineEntry {
            run: "r".to_owned(),
            snapshot: 1,
            state: state.to_owned(),
            checked_sequence: 0,
        }
    }

    fn bringing(number: u64, version: u64) -> Snapshot {
        let table: TableName = "transport.stops".parse().unwrap();
        let mut snapshot = of(number, i64::try_from(number).unwrap() * 10);
        let contract = "c".to_owned();
        snapshot.tables.insert(
            table.clone(),
            TableVersion {
                version,
                contract,
                access: Access::Open,
                beside: None,
            },
        );
        snapshot.entries.push(StagedEntry {
            table,
            version,
            path: format!("runs/run-{number}/log/transport/stops/{version:020}.json"),
            size: 2,
            hash: blake3::hash(b"{}").to_hex().to_string(),
            access: Access::Open,
        });
        snapshot
    }

    async fn bring(store: &InMemory, snapshot: &Snapshot) {
        for entry in &snapshot.entries {
            let path = layout::log_entry(&entry.table, entry.access, entry.version);
            store.put(&path, "{}".into()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_file_is_readable_by_people_and_reads_back() {
        let store = InMemory::new();
        let mut snapshot = bringing(7, 3);
        snapshot
            .pipelines
            .insert("bus".to_owned(), entry("runs/run-7/state.json"));
        assert_eq!(put(&store, &snapshot).await.unwrap(), PutOutcome::Written);
        assert_eq!(put(&store, &of(7, 0)).await.unwrap(), PutOutcome::Exists);
        assert_eq!(read(&store, 7).await.unwrap(), Some(snapshot));
        let bytes = files::get(&store, &layout::snapshot(7))
            .await
            .unwrap()
            .unwrap();
        insta::assert_snapshot!(std::str::from_utf8(&bytes).unwrap());
    }

    #[tokio::test]
    async fn readers_take_the_newest_that_is_whole() {
        let store = InMemory::new();
        let (first, second) = (bringing(1, 0), bringing(2, 1));
        put(&store, &first).await.unwrap();
        assert_eq!(
            at(&store, At::Latest).await.unwrap(),
            None,
            "its entry is on its way"
        );
        bring(&store, &first).await;
        put(&store, &second).await.unwrap();

        assert_eq!(
            newest(&store).await.unwrap(),
            Some(second.clone()),
            "a writer sees it"
        );
        assert_eq!(at(&store, At::Latest).await.unwrap(), Some(first.clone()));
        assert_eq!(all(&store).await.unwrap(), std::slice::from_ref(&first));
        let error = at(&store, At::Number(2)).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no snapshot 2; the newest is 1");

        bring(&store, &second).await;
        assert_eq!(at(&store, At::Latest).await.unwrap(), Some(second.clone()));
        assert_eq!(
            at(&store, At::Number(1)).await.unwrap(),
            Some(first.clone())
        );
        assert_eq!(all(&store).await.unwrap(), [first, second]);
    }

    #[tokio::test]
    async fn a_damaged_snapshot_is_named() {
        let store = InMemory::new();
        store
            .put(&layout::snapshot(1), "{\"number\": 1".into())
            .await
            .unwrap();
        store
            .put(
                &layout::snapshot(2),
                serde_json::to_vec(&of(3, 0)).unwrap().into(),
            )
            .await
            .unwrap();
        let error = read(&store, 1).await.unwrap_err().to_string();
        assert!(
            error.starts_with("snapshots/00000000000000000001.json is damaged: EOF"),
            "{error}"
        );
        let error = read(&store, 2).await.unwrap_err().to_string();
        assert!(error.ends_with("it says it is snapshot 3"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the hint says, or if it is gone or damaged; whatever `maintain` removed from the front.
        #[test]
        fn any_snapshot_is_found(
            first in 1..40_u64,
            count in 0..60_u64,
            hint in prop::option::of("[0-9]{1,3}|x|"),
            ask in 0..120_u64,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let store = InMemory::new();
                let numbers: Vec<u64> = (first..first + count).collect();
                for &number in &numbers {
                    let snapshot = of(number, i64::try_from(number).unwrap() * 10);
                    let bytes = serde_json::to_vec(&snapshot).unwrap();
                    store.put(&layout::snapshot(number), bytes.into()).await.unwrap();
                }
                if let Some(hint) = hint {
                    store.put(&layout::newest_snapshot(), hint.into()).await.unwrap();
                }
                let found = |snapshot: Option<Snapshot>| snapshot.map(|snapshot| snapshot.number);
                assert_eq!(found(newest(&store).await.unwrap()), numbers.last().copied());
                assert_eq!(found(at(&store, At::Latest).await.unwrap()), numbers.last().copied());
                let listed = all(&store).await.unwrap();
                assert_eq!(listed.iter().map(|s| s.number).collect::<Vec<_>>(), numbers);

                match at(&store, At::Number(ask)).await {
                    Ok(snapshot) => assert_eq!(found(snapshot), Some(ask)),
                    Err(error) => {
                        assert!(matches!(error, LakeError::NoSnapshot { .. }));
                        assert!(!numbers.contains(&ask));
                    }
                }
                let instant = DateTime::from_timestamp(i64::try_from(ask).unwrap() * 10, 0).unwrap();
                for (instant, last) in [
                    (instant, numbers.iter().rfind(|&&n| n <= ask)),
                    (instant - TimeDelta::seconds(1), numbers.iter().rfind(|&&n| n < ask)),
                ] {
                    match at(&store, At::AsOf(instant)).await {
                        Ok(snapshot) => assert_eq!(found(snapshot), last.copied()),
                        Err(error) => {
                            assert!(matches!(error, LakeError::NoSnapshotAsOf { .. }));
                            assert!(last.is_none());
                        }
                    }
                }
            });
        }
    }
}
