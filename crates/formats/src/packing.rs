//! gzip and zstd around a part or a member, undone as it streams.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{GzipDecoder, ZstdDecoder};
use bytes::{Buf, Bytes};
use futures::StreamExt;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, ReadBuf};
use tokio::runtime::Handle;

use crate::archive::within_bounds;
use crate::content::Chunks;
use crate::error::FormatError;
use crate::options::ReadOptions;
use crate::thread::{self, Sender};

/// Bytes of an unpacked chunk, at most.
const CHUNK_BYTES_MAX: u64 = 8 << 20;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes (RFC 1952, section 2.3.1; RFC 8878, section 3.1.1).
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x1F\x8B\x08") {
            Some(Self::Gzip)
        } else if head.starts_with(b"\x28\xB5\x2F\xFD") {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Unpacks on a thread of its own, several members one after the other as one text.
pub(crate) fn unpack(
    packed: Chunks,
    packing: Packing,
    name: String,
    chunk_bytes: u64,
    options: &ReadOptions,
) -> Chunks {
    let options = options.clone();
    thread::stream(name.clone(), move |sender| {
        let read = Arc::new(AtomicU64::new(0));
        let feed = Feed {
            chunks: packed,
            chunk: Bytes::new(),
            read: Arc::clone(&read),
        };
        let unpacking = Unpacking {
            name: &name,
            packing,
            chunk_bytes: usize::try_from(chunk_bytes.clamp(1, CHUNK_BYTES_MAX)).unwrap_or(1),
            read: &read,
            options: &options,
        };
        match packing {
            Packing::Gzip => {
                let mut decoder = GzipDecoder::new(feed);
                decoder.multiple_members(true);
                unpacking.run(decoder, sender)
            }
            Packing::Zstd => {
                let mut decoder = ZstdDecoder::new(feed);
                decoder.multiple_members(true);
                unpacking.run(decoder, sender)
            }
        }
    })
}

struct Unpacking<'a> {
    name: &'a str,
    packing: Packing,
    chunk_bytes: usize,
    /// Packed bytes that were taken.
    read: &'a AtomicU64,
    options: &'a ReadOptions,
}

impl Unpacking<'_> {
    fn run(
        &self,
        mut decoder: impl AsyncRead + Unpin,
        sender: &Sender<Bytes>,
    ) -> Result<(), FormatError> {
        let handle = Handle::current();
        let mut unpacked = 0;
        loop {
            let mut chunk = vec![0; self.chunk_bytes];
            let mut filled = 0;
            while filled < chunk.len() {
                let got = handle.block_on(decoder.read(&mut chunk[filled..]));
                match got.map_err(|error| self.error(error))? {
                    0 => break,
                    count => filled += count,
                }
            }
            unpacked += filled as u64;
            let read = self.read.load(Ordering::Relaxed);
            within_bounds(self.name, unpacked, read, self.options)?;
            chunk.truncate(filled);
            if filled == 0 || sender.send(Bytes::from(chunk)).is_err() {
                return Ok(());
            }
        }
    }

    fn error(&self, error: std::io::Error) -> FormatError {
        match error.downcast::<FormatError>() {
            Ok(source) => source,
            Err(error) => FormatError::Packing {
                name: self.name.to_owned(),
                packing: self.packing.name(),
                reason: error.to_string(),
            },
        }
    }
}

/// A stream of chunks as something to read from.
struct Feed {
    chunks: Chunks,
    chunk: Bytes,
    read: Arc<AtomicU64>,
}

impl AsyncBufRead for Feed {
    fn poll_fill_buf(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<&[u8]>> {
        let feed = self.get_mut();
        while feed.chunk.is_empty() {
            match ready!(feed.chunks.poll_next_unpin(context)) {
                Some(Ok(chunk)) => feed.chunk = chunk,
                Some(Err(error)) => return Poll::Ready(Err(std::io::Error::other(error))),
                None => break,
            }
        }
        Poll::Ready(Ok(&feed.chunk))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        let feed = self.get_mut();
        feed.chunk.advance(count);
        feed.read.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl AsyncRead for Feed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let found = ready!(self.as_mut().poll_fill_buf(context))?;
        let count = found.len().min(buffer.remaining());
        buffer.put_slice(&found[..count]);
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use async_compression::tokio::write::{GzipEncoder, ZstdEncoder};
    use tokio::io::AsyncWriteExt;

    use crate::testing::{All, archive, block_on, options, part, read};
    use crate::{FormatError, ReadOptions, open};

    const TEXT: &str = "id,name\n1,Cầu Rào\n2,An Dương\n";

    async fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzipEncoder::new(Vec::new());
        encoder.write_all(bytes).await.unwrap();
        encoder.shutdown().await.unwrap();
        encoder.into_inner()
    }

    async fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZstdEncoder::new(Vec::new());
        encoder.write_all(bytes).await.unwrap();
        encoder.shutdown().await.unwrap();
        encoder.into_inner()
    }

    async fn all(
        name: &str,
        bytes: Vec<u8>,
        member: Option<&str>,
        bounds: &ReadOptions,
    ) -> Result<All, FormatError> {
        read(&part(name, bytes).await, member, None, bounds).await
    }

    #[test]
    fn packed_parts_and_members() {
        block_on(async {
            let bounds = options(7, 2, 3);
            let plain = all("a.csv", TEXT.into(), None, &bounds).await.unwrap();
            let (gz, zst) = (gzip(TEXT.as_bytes()).await, zstd(TEXT.as_bytes()).await);
            let zip = archive(&[("a.csv.gz", &gz), ("b.csv", TEXT.as_bytes())]);
            let halves = [
                gzip(&TEXT.as_bytes()[..11]).await,
                gzip(&TEXT.as_bytes()[11..]).await,
            ];
            for (name, bytes, member) in [
                ("a.csv.gz", gz.clone(), None),
                ("a.csv", gz, None),
                ("a.csv.zst", zst, None),
                ("a.zip", zip, Some("a.csv.gz")),
                ("a.csv.gz", halves.concat(), None),
            ] {
                assert_eq!(all(name, bytes, member, &bounds).await.unwrap(), plain);
            }
            let json = gzip(br#"[{"a": 1}]"#).await;
            let json = part("a.json.gz", json).await;
            let opened = open(&json, None, None, &bounds).await.unwrap();
            assert_eq!(opened.format().name(), "json");
            assert_eq!(opened.choices()[0].value, "gzip");
        });
    }

    #[test]
    fn what_is_damaged_or_swells_is_refused() {
        block_on(async {
            let bounds = ReadOptions::default();
            let mut gz = gzip(TEXT.repeat(1000).as_bytes()).await;
            gz.truncate(gz.len() - 20);
            let cut = all("a.csv.gz", gz, None, &bounds).await.unwrap_err();
            let empty = all("a.csv.gz", gzip(b"").await, None, &bounds).await;
            let zeros = gzip(&vec![b'0'; 20 << 20]).await;
            let bomb = all("a.csv.gz", zeros.clone(), None, &bounds).await;
            let small = ReadOptions {
                unpacked_bytes_max: 1 << 20,
                ..bounds
            };
            let large = all("a.csv.gz", zeros, None, &small).await;
            let said = [
                cut,
                empty.unwrap_err(),
                bomb.unwrap_err(),
                large.unwrap_err(),
            ];
            let said: Vec<String> = said.iter().map(ToString::to_string).collect();
            insta::assert_snapshot!(said.join("\n"));
        });
    }
}
