//! The bytes to decode, as a stream of chunks: of a part, or of one member of it.

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use crate::archive::{self, Packed};
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::part::PartBytes;

/// A stream of bytes in order, in chunks of any size.
pub(crate) type Chunks = BoxStream<'static, Result<Bytes, FormatError>>;

/// Ranged gets under way at once.
const READ_AHEAD: usize = 2;

/// What is to be decoded.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    /// How messages name it.
    pub(crate) name: String,
    /// Bytes of it, unpacked.
    pub(crate) size: u64,
    pub(crate) part: PartBytes,
    member: Option<Packed>,
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
        Ok(Self {
            name,
            size,
            part: part.clone(),
            member: packed,
            options: options.clone(),
        })
    }

    /// Whether ranges can be read: a member of an archive only comes as a stream.
    pub(crate) fn is_plain(&self) -> bool {
        self.member.is_none()
    }

    /// Bytes of a block when all of it is read.
    pub(crate) fn block_bytes(&self) -> u64 {
        self.options.block_bytes(self.size)
    }

    /// All bytes from the start, in chunks of at most `chunk_bytes`.
    pub(crate) fn chunks(&self, chunk_bytes: u64) -> Chunks {
        match &self.member {
            None => ranges(&self.part, chunk_bytes),
            Some(packed) => archive::inflate(
                self.part.clone(),
                packed.clone(),
                self.name.clone(),
                chunk_bytes,
                &self.options,
            ),
        }
    }

    /// The first bytes, at most `bytes_max`; fewer only if there are no more.
    pub(crate) async fn head(&self, bytes_max: usize) -> Result<Bytes, FormatError> {
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
        if self.size > bound {
            return Err(too_large(self.size));
        }
        let mut chunks = self.chunks(self.size.max(1));
        let mut whole = BytesMut::with_capacity(usize::try_from(self.size).unwrap_or(0));
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
