//! A store that dies: from a given write on every operation fails, as after a kill -9 at that instant. Or one that is
//! full: from then on every write fails, until there is room again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::store::LocalFault;

/// How the write at which the store dies ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// It is not done.
    Before,
    /// It is done, but nobody hears of it.
    After,
    /// There is no room for it, nor for any after it.
    Full,
}

/// The store that dies.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<dyn ObjectStore>,
    writes_left: AtomicI64,
    death: Death,
}

impl Faulty {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, writes: i64, death: Death) -> Arc<Self> {
        Arc::new(Self {
            inner,
            writes_left: AtomicI64::new(writes),
            death,
        })
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.writes_left.load(Ordering::SeqCst) < 0
    }

    fn dead() -> Error {
        Error::Generic {
            store: "faulty",
            source: "the process is gone".into(),
        }
    }

    /// There is room again.
    pub(crate) fn make_room(&self) {
        self.writes_left.store(i64::MAX, Ordering::SeqCst);
    }

    fn full(location: &Path) -> Error {
        LocalFault {
            action: "write",
            path: location.as_ref().into(),
            source: std::io::ErrorKind::StorageFull.into(),
        }
        .into()
    }

    fn alive(&self) -> Result<()> {
        if self.is_dead() && self.death != Death::Full {
            Err(Self::dead())
        } else {
            Ok(())
        }
    }

    /// Counts a write; says whether it is the last one.
    fn write(&self, location: &Path) -> Result<bool> {
        self.alive()?;
        let left = self.writes_left.fetch_sub(1, Ordering::SeqCst);
        if self.death == Death::Full {
            return if left <= 0 {
                Err(Self::full(location))
            } else {
                Ok(false)
            };
        }
        if left == 0 && self.death == Death::Before {
            return Err(Self::dead());
        }
        Ok(left == 0)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        // Leases are written by a task beside the run: counting them would make the count depend on the scheduler.
        if location.as_ref().contains("leases") {
            self.alive()?;
            if self.death == Death::Full && self.is_dead() {
                return Err(Self::full(location));
            }
            return self.inner.put_opts(location, payload, options).await;
        }
        let is_last = self.write(location)?;
        let result = self.inner.put_opts(location, payload, options).await;
        if is_last { Err(Self::dead()) } else { result }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.write(location)?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.alive()?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        // To remove something takes no room.
        let written = match self.death {
            Death::Full => Ok(false),
            Death::Before | Death::After => self.write(&Path::default()),
        };
        match written {
            Ok(_) => self.inner.delete_stream(locations),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.alive() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.alive()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.write(to)?;
        self.inner.copy_opts(from, to, options).await
    }
}
