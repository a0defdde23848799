//! The bytes to decode, as a stream of chunks: of a part, or of one member of it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::path::Path;

use crate::archive::{self, Packed};
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::packing::{self, Packing};
use crate::part::PartBytes;

/// A stream of bytes in order, in chunks of any size.
pub(crate) type Chunks = BoxStream<'static, Result<Bytes, FormatError>>;

/// Ranged gets under way at once.
const READ_AHEAD: usize = 2;

/// Bytes at the beginning that are kept.
const HEAD_BYTES: usize = 64 << 10;
/// Unpacked bytes per packed byte, as text has it: the guess by which blocks are made.
const PACKING_RATIO: u64 = 6;

/// What is to be decoded.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    /// How messages name it.
    pub(crate) name: String,
    /// Bytes of it, unpacked; a guess where they are packed by [`Packing`], which does not tell.
    pub(crate) size: u64,
    pub(crate) part: PartBytes,
    member: Option<Packed>,
    pub(crate) packing: Option<Packing>,
    /// The first bytes, which tell the packing and the format.
    head: Bytes,
    pub(crate) options: ReadOptions,
}

impl Content {
    pub(crate) async fn find(
        part: &PartBytes,
        member: Option<&str>,
        options: &ReadOptions,
    ) -> Result<Self, FormatError> {
        let (name, size, packed) = match member {
            None => (part.name.clone(), part.size, None),
            Some(member) => {
                let packed = archive::find(part, member, options).await?;
                (format!("{}!{member}", part.name), packed.size, Some(packed))
            }
        };
        if size == 0 {
            return Err(FormatError::Empty { name });
        }
        let mut content = Self {
            name,
            size,
            part: part.clone(),
            member: packed,
            packing: None,
            head: Bytes::new(),
            options: options.clone(),
        };
        content.head = content.first(HEAD_BYTES).await?;
        if let Some(packing) = Packing::of(&content.head) {
            content.packing = Some(packing);
            content.size = size.saturating_mul(PACKING_RATIO);
            content.head = content.first(HEAD_BYTES).await?;
            if content.head.is_empty() {
                return Err(FormatError::Empty { name: content.name });
            }
        }
        Ok(content)
    }

    /// Whether it is one of several in an archive.
    pub(crate) fn is_member(&self) -> bool {
        self.member.is_some()
    }

    /// Whether ranges can be read: a member of an archive only comes as a stream.
    pub(crate) fn is_plain(&self) -> bool {
        self.member.is_none() && self.packing.is_none()
    }

    /// Itself as a part of which ranges can be read, for formats that are archives: a member that is one is held in memory.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] where it must be held and is beyond the memory bound.
    pub(crate) async fn as_part(&self, format: &'static str) -> Result<PartBytes, FormatError> {
        if self.is_plain() {
            return Ok(PartBytes {
                name: self.name.clone(),
                ..self.part.clone()
            });
        }
        let bytes = self.whole(format).await?;
        let (store, path, size) = (
            Arc::new(InMemory::new()),
            Path::from("member"),
            bytes.len() as u64,
        );
        let put = store.put(&path, bytes.into()).await;
        put.map_err(|source| FormatError::Read {
            name: self.name.clone(),
            source,
        })?;
        Ok(PartBytes {
            store,
            path,
            size,
            name: self.name.clone(),
        })
    }

    /// Bytes of a block when all of it is read.
    pub(crate) fn block_bytes(&self) -> u64 {
        self.options.block_bytes(self.size)
    }

    /// All bytes from the start, in chunks of at most `chunk_bytes`.
    pub(crate) fn chunks(&self, chunk_bytes: u64) -> Chunks {
        let stored = match &self.member {
            None => ranges(&self.part, chunk_bytes),
            Some(packed) => archive::inflate(
                self.part.clone(),
                packed.clone(),
                self.name.clone(),
                chunk_bytes,
                &self.options,
            ),
        };
        match self.packing {
            None => stored,
            Some(packing) => packing::unpack(
                stored,
                packing,
                self.name.clone(),
                chunk_bytes,
                &self.options,
            ),
        }
    }

    /// The first bytes, at most `bytes_max`; fewer only if there are no more.
    pub(crate) async fn head(&self, bytes_max: usize) -> Result<Bytes, FormatError> {
        if bytes_max <= HEAD_BYTES || self.head.len() < HEAD_BYTES {
            return Ok(self.head.slice(..self.head.len().min(bytes_max)));
        }
        self.first(bytes_max).await
    }

    /// [`Content::head`], read anew.
    async fn first(&self, bytes_max: usize) -> Result<Bytes, FormatError> {
        if self.is_plain() {
            let got = self
                .part
                .store
                .get_range(&self.part.path, 0..self.size.min(bytes_max as u64))
                .await;
            return got.map_err(|source| FormatError::Read {
                name: self.name.clone(),
                source,
            });
        }
        let mut chunks = self.chunks(bytes_max as u64);
        let mut head = BytesMut::new();
        while head.len() < bytes_max
            && let Some(chunk) = chunks.try_next().await?
        {
            head.extend_from_slice(&chunk);
        }
        head.truncate(bytes_max);
        Ok(head.freeze())
    }

    /// Everything, for formats that cannot stream.
    ///
    /// # Errors
    /// [`FormatError::TooLarge`] beyond the memory bound.
    pub(crate) async fn whole(&self, format: &'static str) -> Result<Bytes, FormatError> {
        let bound = self.options.memory_bytes_max;
        let too_large = |bytes| FormatError::TooLarge {
            name: self.name.clone(),
            bytes,
            format,
            bound,
        };
        let is_known = self.packing.is_none();
        if self.size > bound && is_known {
            return Err(too_large(self.size));
        }
        let mut chunks = self.chunks(self.size.max(1));
        let capacity = if is_known { self.size } else { 0 };
        let mut whole = BytesMut::with_capacity(usize::try_from(capacity).unwrap_or(0));
        while let Some(chunk) = chunks.try_next().await? {
            whole.extend_from_slice(&chunk);
            // What an archive declares need not be true.
            if whole.len() as u64 > bound {
                return Err(too_large(whole.len() as u64));
            }
        }
        Ok(whole.freeze())
    }
}

/// Gets a part range by range, the next ones while the last is decoded.
fn ranges(part: &PartBytes, chunk_bytes: u64) -> Chunks {
    let part = part.clone();
    let starts = (0..part.size).step_by(usize::try_from(chunk_bytes.max(1)).unwrap_or(usize::MAX));
    stream::iter(starts)
        .map(move |start| {
            let part = part.clone();
            async move {
                let end = part.size.min(start + chunk_bytes.max(1));
                let got = part.store.get_range(&part.path, start..end).await;
                got.map_err(|source| FormatError::Read {
                    name: part.name,
                    source,
                })
            }
        })
        .buffered(READ_AHEAD)
        .boxed()
}
