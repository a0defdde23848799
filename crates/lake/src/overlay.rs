//! A table's store as one reader or run sees it: the log up to a version, and over it what the run has staged.
//!
//! Whatever is written under `_delta_log/` lands in the run's own folder, so that Delta's operations (create, write,
//! commit) work unchanged and nobody else sees what they did. Versions that others published after the base snapshot
//! are not shown: a run works on one state from start to end. Listings of the log are sorted, as Delta expects them of an
//! object store and a local folder does not give them. They begin at the last checkpoint, where that is one of what is shown: a table
//! that is written to every minute has half a million entries a year.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use sectorlake_contract::TableName;
use url::Url;

use crate::error::LakeError;
use crate::layout::{self, Access};

/// Where Delta says which checkpoint is the last.
const HINT: &str = "_last_checkpoint";
/// Digits of a version in the names of log files.
const VERSION_DIGITS: usize = 20;

/// The lake's store with one table's log laid over by a run's own.
#[derive(Debug, Clone)]
pub(crate) struct Overlay {
    base: Arc<dyn ObjectStore>,
    /// The table's folder.
    folder: Path,
    log: Path,
    /// The run's folder for it; none for a reader.
    own: Option<Path>,
    /// The newest version of the table's own log that is shown.
    base_version: Option<u64>,
}

impl Overlay {
    pub(crate) fn new(
        base: Arc<dyn ObjectStore>,
        run: &str,
        (table, access): (&TableName, Access),
        base_version: Option<u64>,
    ) -> Arc<Self> {
        let own = Some(layout::run_log(run, table, access));
        let (folder, log) = (layout::table(table, access), layout::log(table, access));
        Arc::new(Self {
            base,
            folder,
            log,
            own,
            base_version,
        })
    }

    /// The table as it was published at a version, with nothing over it.
    pub(crate) fn published(
        base: Arc<dyn ObjectStore>,
        (table, access): (&TableName, Access),
        version: u64,
    ) -> Arc<Self> {
        let (folder, log) = (layout::table(table, access), layout::log(table, access));
        Arc::new(Self {
            base,
            folder,
            log,
            own: None,
            base_version: Some(version),
        })
    }

    /// The table's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The place in the run's folder, for what belongs to the log.
    fn own(&self, location: &Path) -> Option<Path> {
        let rest = location.prefix_match(&self.log)?;
        Some(rest.fold(self.own.clone()?, |path, part| path.join(part)))
    }

    fn shown(&self, own: &Path) -> Option<Path> {
        let rest = own.prefix_match(self.own.as_ref()?)?;
        Some(rest.fold(self.log.clone(), |path, part| path.join(part)))
    }

    /// Whether a file of the table's own folder is to be seen: everything but later versions and the hint at them.
    fn is_visible(&self, location: &Path) -> bool {
        if !location.prefix_matches(&self.log) {
            return true;
        }
        let name = location.filename().unwrap_or_default();
        let version = name
            .get(..VERSION_DIGITS)
            .and_then(|digits| digits.parse::<u64>().ok());
        version.is_some_and(|version| self.base_version.is_some_and(|newest| version <= newest))
    }

    /// Where a file that can be read lies.
    async fn found(&self, location: &Path) -> Result<Path> {
        if let Some(own) = self.own(location) {
            match self.base.head(&own).await {
                Ok(_) => return Ok(own),
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if self.is_visible(location) {
            Ok(location.clone())
        } else {
            Err(not_found(location))
        }
    }

    /// What Delta says of the last checkpoint, where that is one of what is shown, and there.
    async fn hint(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut result = self.base.get_opts(location, options).await?;
        let (meta, range) = (result.meta.clone(), result.range.clone());
        let attributes = std::mem::take(&mut result.attributes);
        let bytes = result.bytes().await?;
        let hint: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        let version = hint.and_then(|hint| hint.get("version")?.as_u64());
        let Some(version) = version.filter(|version| Some(*version) <= self.base_version) else {
            return Err(not_found(location));
        };
        let checkpoint = format!("{version:0VERSION_DIGITS$}.checkpoint.parquet");
        self.base.head(&self.log.clone().join(checkpoint)).await?;
        let payload = stream::once(async { Ok(bytes) }).boxed();
        Ok(GetResult {
            payload: GetResultPayload::Stream(payload),
            meta,
            range,
            attributes,
        })
    }

    async fn own_objects(&self) -> Result<Vec<ObjectMeta>> {
        let Some(own) = &self.own else {
            return Ok(Vec::new());
        };
        let objects: Vec<ObjectMeta> = self.base.list(Some(own)).try_collect().await?;
        let shown = objects.into_iter().filter_map(|object| {
            Some(ObjectMeta {
                location: self.shown(&object.location)?,
                ..object
            })
        });
        Ok(shown.collect())
    }

    /// What lies under a prefix, after an offset where one is given: that of the table's folder, and over it the run's own.
    fn listed(
        &self,
        prefix: Option<&Path>,
        offset: Option<&Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let (overlay, prefix, offset) = (self.clone(), prefix.cloned(), offset.cloned());
        let listing = async move {
            let own = overlay.own_objects().await?;
            let is_log = prefix
                .as_ref()
                .is_some_and(|prefix| prefix.prefix_matches(&overlay.log));
            let base = match &offset {
                Some(offset) => overlay.base.list_with_offset(prefix.as_ref(), offset),
                None => overlay.base.list(prefix.as_ref()),
            };
            let within = move |location: &Path| {
                let is_after = offset.as_ref().is_none_or(|offset| location > offset);
                let is_under = |prefix: &Path| location.prefix_matches(prefix);
                is_after && prefix.as_ref().is_none_or(is_under)
            };
            let shadowed: Vec<Path> = own.iter().map(|object| object.location.clone()).collect();
            let base = base.try_filter(move |object| {
                let location = &object.location;
                let shown = overlay.is_visible(location) && !shadowed.contains(location);
                futures::future::ready(shown)
            });
            let own = own
                .into_iter()
                .filter(move |object| within(&object.location))
                .map(Ok);
            let all = base.chain(stream::iter(own.collect::<Vec<_>>()));
            if !is_log {
                return Ok(all.boxed());
            }
            let mut objects: Vec<ObjectMeta> = all.try_collect().await?;
            objects.sort_unstable_by(|left, right| left.location.cmp(&right.location));
            Ok::<_, Error>(stream::iter(objects.into_iter().map(Ok)).boxed())
        };
        stream::once(listing).try_flatten().boxed()
    }
}

impl fmt::Display for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, overlaid", self.log, self.base)
    }
}

fn not_found(location: &Path) -> Error {
    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
    Error::NotFound {
        path: location.to_string(),
        source: Box::new(source),
    }
}

#[async_trait]
impl ObjectStore for Overlay {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let Some(own) = self.own(location) else {
            return self.base.put_opts(location, payload, options).await;
        };
        // A create must fail on what the table's own log already holds, as it would without the overlay.
        if options.mode == PutMode::Create && self.is_visible(location) {
            match self.base.head(location).await {
                Ok(_) => {
                    let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
                    let path = location.to_string();
                    return Err(Error::AlreadyExists {
                        path,
                        source: Box::new(source),
                    });
                }
                Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.base.put_opts(&own, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let place = self.own(location).unwrap_or_else(|| location.clone());
        self.base.put_multipart_opts(&place, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if *location == self.log.clone().join(HINT) {
            return self.hint(location, options).await;
        }
        let place = self.found(location).await?;
        let mut result = self.base.get_opts(&place, options).await?;
        result.meta.location = location.clone();
        Ok(result)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (to_own, to_shown) = (self.clone(), self.clone());
        let places = locations
            .map_ok(move |location| to_own.own(&location).unwrap_or(location))
            .boxed();
        self.base
            .delete_stream(places)
            .map_ok(move |place| to_shown.shown(&place).unwrap_or(place))
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(prefix, None)
    }

    /// A log is listed from its last checkpoint on: the store is asked for no more than that, however long the log is.
    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(prefix, Some(offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut result = self.base.list_with_delimiter(prefix).await?;
        result
            .objects
            .retain(|object| self.is_visible(&object.location));
        if prefix == Some(&self.log) {
            let own = self.own_objects().await?;
            result.objects.extend(
                own.into_iter().filter(|object| {
                    object.location.parts().count() == self.log.parts().count() + 1
                }),
            );
        }
        Ok(result)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let from = self.found(from).await?;
        let to = self.own(to).unwrap_or_else(|| to.clone());
        self.base.copy_opts(&from, &to, options).await
    }
}

/// What deltalake reads and writes a table through, given a store rooted at the lake.
///
/// The URL only has to be one that Delta can take apart: its path is the table's folder.
pub(crate) fn log_store(store: Arc<Overlay>) -> std::result::Result<LogStoreRef, LakeError> {
    let folder = store.folder().clone();
    let url = Url::parse(&format!("memory:///{folder}/"))
        .map_err(|error| LakeError::corrupt(&folder, error))?;
    let prefixed = Arc::new(PrefixStore::new(
        Arc::clone(&store) as Arc<dyn ObjectStore>,
        folder,
    ));
    Ok(default_logstore(
        prefixed,
        store,
        &url,
        &StorageConfig::default(),
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use object_store::memory::InMemory;

    use super::*;

    async fn names(store: &Overlay, after: Option<&str>) -> Vec<String> {
        let log = &store.log;
        let listing = match after {
            Some(name) => store.list_with_offset(Some(log), &log.clone().join(name)),
            None => store.list(Some(log)),
        };
        let objects: Vec<ObjectMeta> = listing.try_collect().await.unwrap();
        let name = |object: &ObjectMeta| object.location.filename().unwrap().to_owned();
        objects.iter().map(name).collect()
    }

    #[tokio::test]
    async fn a_log_is_listed_from_its_last_checkpoint_on() {
        let base: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let table: TableName = "test.items".parse().unwrap();
        let place = (&table, Access::Open);
        let log = layout::log(&table, Access::Open);
        for version in 0..5 {
            let entry = log.clone().join(layout::numbered(version));
            base.put(&entry, "{}".into()).await.unwrap();
        }
        let hint = log.clone().join(HINT);
        let checkpoint = log.clone().join(format!("{:020}.checkpoint.parquet", 3));
        base.put(&hint, r#"{"version":3,"size":1}"#.into())
            .await
            .unwrap();
        base.put(&checkpoint, "PAR1".into()).await.unwrap();
        let own = layout::run_log("r1", &table, Access::Open);
        let staged = own.join(layout::numbered(5));
        base.put(&staged, "{}".into()).await.unwrap();
        let run = Overlay::new(Arc::clone(&base), "r1", place, Some(4));
        assert_eq!(names(&run, None).await.len(), 7);
        let from = format!("{:020}", 3);
        let [third, fourth, fifth] = [3, 4, 5].map(layout::numbered);
        let summed_up = checkpoint.filename().unwrap().to_owned();
        assert_eq!(
            names(&run, Some(&from)).await,
            [summed_up, third.clone(), fourth, fifth.clone()]
        );
        assert_eq!(names(&run, Some(&third)).await.last(), Some(&fifth));

        let told = run.get(&hint).await.unwrap().bytes().await.unwrap();
        assert_eq!(told.as_ref(), br#"{"version":3,"size":1}"#);
        // A checkpoint of later versions is none of an earlier one's, and one that is gone leads nowhere.
        let early = Overlay::published(Arc::clone(&base), place, 2);
        assert!(early.get(&hint).await.is_err());
        base.delete(&checkpoint).await.unwrap();
        assert!(run.get(&hint).await.is_err());
    }
}
