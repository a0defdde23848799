//! A store for trying things out: it shows another as it is, and keeps every write in a place of its own.
//!
//! Whoever works on it sees what it wrote over what was there, as a run on the store itself would; the store beneath is
//! only ever read. Leases of the store beneath are not shown: a trial waits for nobody, and nobody for it.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct DryStore {
    /// What is shown and never written to; none where there is nothing yet.
    base: Option<Arc<dyn ObjectStore>>,
    /// Where writes go.
    over: Arc<dyn ObjectStore>,
    /// What of the base is not shown.
    hidden: Path,
    /// What was deleted of the base.
    gone: Arc<Mutex<HashSet<Path>>>,
}

impl DryStore {
    pub(crate) fn new(
        base: Option<Arc<dyn ObjectStore>>,
        over: Arc<dyn ObjectStore>,
        hidden: Path,
    ) -> Self {
        Self {
            base,
            over,
            hidden,
            gone: Arc::default(),
        }
    }

    /// The base, if it shows this file.
    fn base(&self, location: &Path) -> Option<&Arc<dyn ObjectStore>> {
        let base = self.base.as_ref()?;
        self.shows(location).then_some(base)
    }

    fn shows(&self, location: &Path) -> bool {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        !location.prefix_matches(&self.hidden) && !gone.contains(location)
    }

    async fn is_over(&self, location: &Path) -> Result<bool> {
        match self.over.head(location).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn is_in_base(&self, location: &Path) -> Result<bool> {
        let Some(base) = self.base(location) else {
            return Ok(false);
        };
        match base.head(location).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn remove(&self, location: Path) -> Result<Path> {
        let was_over = self.is_over(&location).await?;
        if was_over {
            self.over.delete(&location).await?;
        }
        let was_base = self.is_in_base(&location).await?;
        if was_base {
            let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
            gone.insert(location.clone());
        }
        if was_over || was_base {
            Ok(location)
        } else {
            Err(odd(&location, std::io::ErrorKind::NotFound))
        }
    }
}

impl fmt::Display for DryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trial")
    }
}

fn odd(location: &Path, kind: std::io::ErrorKind) -> Error {
    let (path, source) = (location.to_string(), Box::new(std::io::Error::from(kind)));
    match kind {
        std::io::ErrorKind::AlreadyExists => Error::AlreadyExists { path, source },
        _ => Error::NotFound { path, source },
    }
}

#[async_trait]
impl ObjectStore for DryStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if options.mode == PutMode::Create && self.is_in_base(location).await? {
            return Err(odd(location, std::io::ErrorKind::AlreadyExists));
        }
        self.over.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.over.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.over.get_opts(location, options.clone()).await {
            Err(Error::NotFound { .. }) => match self.base(location) {
                Some(base) => base.get_opts(location, options).await,
                None => Err(odd(location, std::io::ErrorKind::NotFound)),
            },
            found => found,
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .and_then(move |location| {
                let store = store.clone();
                async move { store.remove(location).await }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let listing = async move {
            let own: Vec<ObjectMeta> = store.over.list(prefix.as_ref()).try_collect().await?;
            let shadowed: HashSet<Path> =
                own.iter().map(|object| object.location.clone()).collect();
            let base = match &store.base {
                Some(base) => base.list(prefix.as_ref()),
                None => stream::empty().boxed(),
            };
            let base = base.try_filter(move |object| {
                let shown = store.shows(&object.location) && !shadowed.contains(&object.location);
                std::future::ready(shown)
            });
            Ok::<_, Error>(base.chain(stream::iter(own.into_iter().map(Ok))).boxed())
        };
        stream::once(listing).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut all = self.over.list_with_delimiter(prefix).await?;
        if let Some(base) = &self.base {
            let found = base.list_with_delimiter(prefix).await?;
            for object in found.objects {
                let known = all
                    .objects
                    .iter()
                    .any(|own| own.location == object.location);
                if !known && self.shows(&object.location) {
                    all.objects.push(object);
                }
            }
            for folder in found.common_prefixes {
                if !all.common_prefixes.contains(&folder) && self.shows(&folder) {
                    all.common_prefixes.push(folder);
                }
            }
        }
        Ok(all)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let payload = self.get_opts(from, GetOptions::default()).await?;
        let bytes = payload.bytes().await?;
        let mode = match options.mode {
            object_store::CopyMode::Create => PutMode::Create,
            object_store::CopyMode::Overwrite => PutMode::Overwrite,
        };
        let put = self.put_opts(to, bytes.into(), mode.into()).await;
        put.map(drop)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use object_store::memory::InMemory;

    use super::*;
    use crate::env::Env;
    use crate::error::LakeError;
    use crate::lake::Lake;
    use crate::snapshot::At;

    async fn names(store: &dyn ObjectStore) -> Vec<String> {
        let listed: Vec<ObjectMeta> = store.list(None).try_collect().await.unwrap();
        let mut names: Vec<String> = listed.iter().map(|it| it.location.to_string()).collect();
        names.sort();
        names
    }

    async fn read(store: &dyn ObjectStore, path: &str) -> Option<String> {
        let got = store.get(&path.into()).await.ok()?;
        Some(String::from_utf8(got.bytes().await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn writes_lie_over_what_is_there_and_never_reach_it() {
        let base = Arc::new(InMemory::new());
        for (path, text) in [("a/1", "one"), ("a/2", "two"), ("leases/bus/1", "held")] {
            base.put(&path.into(), text.into()).await.unwrap();
        }
        let before = names(base.as_ref()).await;
        let over = Arc::new(InMemory::new());
        let store = DryStore::new(Some(Arc::clone(&base) as _), over, "leases".into());

        assert_eq!(names(&store).await, ["a/1", "a/2"]);
        let again = store
            .put_opts(&"a/1".into(), "x".into(), PutMode::Create.into())
            .await;
        assert!(matches!(again, Err(Error::AlreadyExists { .. })));
        store.put(&"a/1".into(), "new".into()).await.unwrap();
        store.put(&"a/3".into(), "three".into()).await.unwrap();
        store
            .put(&"leases/bus/1".into(), "mine".into())
            .await
            .unwrap();
        store.delete(&"a/2".into()).await.unwrap();
        store.delete(&"a/2".into()).await.unwrap_err();
        store.copy(&"a/3".into(), &"b/3".into()).await.unwrap();
        assert_eq!(names(&store).await, ["a/1", "a/3", "b/3", "leases/bus/1"]);
        assert_eq!(read(&store, "a/1").await.as_deref(), Some("new"));
        assert_eq!(read(&store, "b/3").await.as_deref(), Some("three"));
        assert_eq!(read(&store, "a/2").await, None);
        let listed = store.list_with_delimiter(None).await.unwrap();
        assert_eq!(listed.common_prefixes.len(), 3);

        assert_eq!(names(base.as_ref()).await, before);
        assert_eq!(read(base.as_ref(), "a/1").await.as_deref(), Some("one"));
    }

    #[tokio::test]
    async fn nothing_beneath_is_an_empty_store() {
        let store = DryStore::new(None, Arc::new(InMemory::new()), "leases".into());
        assert!(names(&store).await.is_empty());
        store.put(&"a".into(), "1".into()).await.unwrap();
        assert_eq!(read(&store, "a").await.as_deref(), Some("1"));
    }

    #[tokio::test]
    async fn a_trial_makes_no_lake_and_opens_none_that_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let place = folder.path().join("lake");
        let lake = Lake::dry(&place.display().to_string(), scratch.path(), Env::manual())
            .await
            .unwrap();
        assert_eq!(lake.snapshot(At::Latest).await.unwrap(), None);
        assert!(!place.exists() && scratch.path().join("sectorlake.json").exists());

        std::fs::write(folder.path().join("thesis.docx"), "mine").unwrap();
        let other = tempfile::tempdir().unwrap();
        let error = Lake::dry(
            &folder.path().display().to_string(),
            other.path(),
            Env::manual(),
        )
        .await
        .unwrap_err();
        assert!(matches!(error, LakeError::NotALake { .. }), "{error}");
    }
}
