//! A store as one process sees it: once that is dead, nothing of what it left running reads or writes any more.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// What becomes of the write at which a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// It is not done.
    Before,
    /// It is done, but nobody hears of it.
    After,
}

/// The store.
#[derive(Debug)]
pub(super) struct Mortal {
    inner: Arc<dyn ObjectStore>,
    life: Arc<Life>,
}

#[derive(Debug)]
struct Life {
    is_dead: AtomicBool,
    is_counting: AtomicBool,
    writes_left: AtomicI64,
    is_last_done: AtomicBool,
}

impl Mortal {
    pub(super) fn new(inner: Arc<dyn ObjectStore>) -> Arc<Self> {
        let life = Arc::new(Life {
            is_dead: AtomicBool::new(false),
            is_counting: AtomicBool::new(false),
            writes_left: AtomicI64::new(0),
            is_last_done: AtomicBool::new(false),
        });
        Arc::new(Self { inner, life })
    }

    /// From the first call on, so many writes are left.
    pub(super) fn dies_after(&self, writes: i64, death: Death) {
        let life = &self.life;
        if !life.is_counting.load(Ordering::SeqCst) {
            life.writes_left.store(writes, Ordering::SeqCst);
            let is_done = death == Death::After;
            life.is_last_done.store(is_done, Ordering::SeqCst);
            life.is_counting.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn die(&self) {
        self.life.is_dead.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_dead(&self) -> bool {
        self.life.is_dead.load(Ordering::SeqCst)
    }
}

impl Life {
    fn dead() -> Error {
        Error::Generic {
            store: "mortal",
            source: "the process is gone".into(),
        }
    }

    fn alive(&self) -> Result<()> {
        match self.is_dead.load(Ordering::SeqCst) {
            true => Err(Self::dead()),
            false => Ok(()),
        }
    }

    /// Counts a write; whether it is done, but the last.
    fn write(&self) -> Result<bool> {
        self.alive()?;
        let is_last = self.is_counting.load(Ordering::SeqCst)
            && self.writes_left.fetch_sub(1, Ordering::SeqCst) <= 0;
        if is_last {
            self.is_dead.store(true, Ordering::SeqCst);
        }
        match is_last && !self.is_last_done.load(Ordering::SeqCst) {
            true => Err(Self::dead()),
            false => Ok(is_last),
        }
    }
}

impl fmt::Display for Mortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mortal {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Mortal {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let is_last = self.life.write()?;
        let result = self.inner.put_opts(location, payload, options).await;
        if is_last { Err(Life::dead()) } else { result }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.life.alive()?;
        let inner = self.inner.put_multipart_opts(location, options).await?;
        let life = Arc::clone(&self.life);
        Ok(Box::new(Upload { inner, life }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.life.alive()?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.life.write() {
            Ok(_) => self.inner.delete_stream(locations),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.life.alive() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.life.alive()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let is_last = self.life.write()?;
        let result = self.inner.copy_opts(from, to, options).await;
        if is_last { Err(Life::dead()) } else { result }
    }
}

/// A file that is there once it is complete.
#[derive(Debug)]
struct Upload {
    inner: Box<dyn MultipartUpload>,
    life: Arc<Life>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        match self.life.alive() {
            Ok(()) => self.inner.put_part(data),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let is_last = self.life.write()?;
        let result = self.inner.complete().await;
        if is_last { Err(Life::dead()) } else { result }
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}
