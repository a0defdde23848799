//! Bytes on their way to the storage: hashed and written at once, a few pieces in memory.

use blake3::Hasher;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use tokio::task::{JoinHandle, JoinSet};

use super::PutError;
use crate::error::LakeError;

/// The piece in which bytes are hashed and written. Object stores take no smaller ones than 5 MiB and no more than
/// 10 000 of them, so that a part may have 80 GB.
const PIECE_BYTES: usize = 8 * 1024 * 1024;
/// Pieces on their way at once; what comes faster waits.
const PIECES_MAX: usize = 3;
/// Less than this is hashed on the spot.
const HASH_HERE_BYTES_MAX: usize = 256 * 1024;

/// Bytes that are all taken in, but not in their place yet: whether they go there is decided by their hash.
#[derive(Debug)]
pub(super) struct Uploaded {
    pub(super) hash: String,
    pub(super) size: u64,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// One piece, still in memory.
    Whole(PutPayload),
    /// Pieces that lie in the storage under no name.
    Pieces(Box<dyn MultipartUpload>),
}

impl Uploaded {
    /// Puts the bytes in their place.
    pub(super) async fn complete(
        self,
        store: &dyn ObjectStore,
        path: &Path,
    ) -> Result<(), LakeError> {
        let put = match self.held {
            Held::Whole(payload) => store.put(path, payload).await,
            Held::Pieces(mut upload) => upload.complete().await,
        };
        put.map(drop)
            .map_err(|error| LakeError::store("write", path, error))
    }

    /// Gives the bytes up.
    pub(super) async fn abort(self, path: &Path) -> Result<(), LakeError> {
        match self.held {
            Held::Whole(_) => Ok(()),
            Held::Pieces(upload) => abort(upload, path).await,
        }
    }
}

async fn abort(mut upload: Box<dyn MultipartUpload>, path: &Path) -> Result<(), LakeError> {
    upload
        .abort()
        .await
        .map_err(|error| LakeError::store("remove", path, error))
}

/// Takes in a body of at most `bytes_max` bytes.
pub(super) async fn take_in<E>(
    store: &dyn ObjectStore,
    path: &Path,
    mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    bytes_max: u64,
) -> Result<Uploaded, PutError<E>> {
    let mut intake = Intake::new(path);
    let taken = loop {
        match body.next().await {
            None => break Ok(()),
            Some(Err(error)) => break Err(PutError::Body(error)),
            Some(Ok(bytes)) => {
                if intake.size + bytes.len() as u64 > bytes_max {
                    break Err(PutError::TooLarge { bytes_max });
                }
                if let Err(error) = intake.add(store, bytes).await {
                    break Err(error.into());
                }
            }
        }
    };
    match taken {
        Ok(()) => Ok(intake.finish(store).await?),
        Err(error) => {
            intake.give_up().await;
            Err(error)
        }
    }
}

/// The pieces of one body.
struct Intake<'a> {
    path: &'a Path,
    piece: Vec<Bytes>,
    piece_bytes: usize,
    size: u64,
    hash: Hash,
    upload: Option<Box<dyn MultipartUpload>>,
    writes: JoinSet<object_store::Result<()>>,
}

impl<'a> Intake<'a> {
    fn new(path: &'a Path) -> Self {
        Self {
            path,
            piece: Vec::new(),
            piece_bytes: 0,
            size: 0,
            hash: Hash::Here(Box::default()),
            upload: None,
            writes: JoinSet::new(),
        }
    }

    async fn add(&mut self, store: &dyn ObjectStore, bytes: Bytes) -> Result<(), LakeError> {
        self.size += bytes.len() as u64;
        self.piece_bytes += bytes.len();
        self.piece.push(bytes);
        if self.piece_bytes >= PIECE_BYTES {
            self.send(store).await
        } else {
            Ok(())
        }
    }

    /// Hashes and writes a piece, both beside the reading of the next.
    async fn send(&mut self, store: &dyn ObjectStore) -> Result<(), LakeError> {
        let payload = self.take_piece();
        self.hash.add(payload.clone(), self.path).await?;
        while self.writes.len() >= PIECES_MAX {
            self.written().await?;
        }
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => {
                let begun = store.put_multipart(self.path).await;
                none.insert(begun.map_err(|error| LakeError::store("write", self.path, error))?)
            }
        };
        self.writes.spawn(upload.put_part(payload));
        Ok(())
    }

    async fn finish(mut self, store: &dyn ObjectStore) -> Result<Uploaded, LakeError> {
        if self.upload.is_some() && self.piece_bytes > 0 {
            self.send(store).await?;
        }
        while !self.writes.is_empty() {
            self.written().await?;
        }
        let held = match self.upload.take() {
            Some(upload) => Held::Pieces(upload),
            None => {
                let payload = self.take_piece();
                self.hash.add(payload.clone(), self.path).await?;
                Held::Whole(payload)
            }
        };
        let hash = self.hash.finish(self.path).await?;
        Ok(Uploaded {
            hash: hash.to_hex().to_string(),
            size: self.size,
            held,
        })
    }

    /// Removes the pieces that lie in the storage; the fault that led here is the one to tell.
    async fn give_up(mut self) {
        self.writes.shutdown().await;
        if let Some(upload) = self.upload.take()
            && let Err(error) = abort(upload, self.path).await
        {
            tracing::warn!(path = %self.path, %error, "an upload that failed left pieces behind");
        }
    }

    fn take_piece(&mut self) -> PutPayload {
        self.piece_bytes = 0;
        std::mem::take(&mut self.piece).into_iter().collect()
    }

    async fn written(&mut self) -> Result<(), LakeError> {
        match self.writes.join_next().await {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(LakeError::store("write", self.path, error)),
            Some(Err(_)) => Err(cut_off("write", self.path)),
        }
    }
}

/// A hash that grows piece by piece, on a thread of its own where a piece is big.
enum Hash {
    Here(Box<Hasher>),
    There(JoinHandle<Box<Hasher>>),
}

impl Hash {
    async fn add(&mut self, payload: PutPayload, path: &Path) -> Result<(), LakeError> {
        let mut hasher = self.hasher(path).await?;
        *self = if payload.content_length() <= HASH_HERE_BYTES_MAX {
            update(&mut hasher, &payload);
            Self::Here(hasher)
        } else {
            Self::There(tokio::task::spawn_blocking(move || {
                update(&mut hasher, &payload);
                hasher
            }))
        };
        Ok(())
    }

    async fn finish(mut self, path: &Path) -> Result<blake3::Hash, LakeError> {
        Ok(self.hasher(path).await?.finalize())
    }

    /// The hasher, once it has done what was asked before.
    async fn hasher(&mut self, path: &Path) -> Result<Box<Hasher>, LakeError> {
        match std::mem::replace(self, Self::Here(Box::default())) {
            Self::Here(hasher) => Ok(hasher),
            Self::There(hashing) => hashing.await.map_err(|_| cut_off("hash", path)),
        }
    }
}

fn update(hasher: &mut Hasher, payload: &PutPayload) {
    for bytes in payload {
        hasher.update(bytes);
    }
}

fn cut_off(action: &'static str, path: &Path) -> LakeError {
    LakeError::Cancelled {
        action,
        path: path.to_string(),
    }
}
