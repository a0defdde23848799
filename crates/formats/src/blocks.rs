//! One sequential scan that many decoders share: whoever is free takes the next block.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use tokio::sync::Mutex;

use crate::content::Chunks;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::part::Streams;

/// Cuts chunks of bytes into blocks of whole records, in order.
pub(crate) trait Cut: Send + 'static {
    /// Whole records, with the number of the first.
    type Block: Send + 'static;

    /// Takes the next bytes, and gives the blocks that are whole now.
    fn feed(&mut self, chunk: Bytes, blocks: &mut VecDeque<Self::Block>)
    -> Result<(), FormatError>;

    /// There are no more bytes.
    fn finish(&mut self, blocks: &mut VecDeque<Self::Block>) -> Result<(), FormatError>;
}

/// Makes batches of a block, one at a time.
pub(crate) trait Decode<B>: Send + Sync + 'static {
    fn decode(self: &Arc<Self>, block: B) -> Batches;
}

/// The batches of one block.
pub(crate) type Batches = Box<dyn Iterator<Item = Result<Decoded, FormatError>> + Send>;

/// The scan, pulled by the decoders: nothing is read that nobody waits for, save what the chunks read ahead.
pub(crate) struct Scan<C: Cut> {
    chunks: Chunks,
    cutter: C,
    ready: VecDeque<C::Block>,
    ended: bool,
}

impl<C: Cut> Scan<C> {
    pub(crate) fn new(chunks: Chunks, cutter: C) -> Self {
        Self {
            chunks,
            cutter,
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// What cuts, to ask what it found.
    pub(crate) fn cutter(&self) -> &C {
        &self.cutter
    }

    /// The next block. Its only wait is for bytes, so a caller that goes away while waiting loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Option<C::Block>, FormatError> {
        loop {
            if let Some(block) = self.ready.pop_front() {
                return Ok(Some(block));
            }
            if self.ended {
                return Ok(None);
            }
            let cut = match self.chunks.next().await {
                Some(Ok(chunk)) => self.cutter.feed(chunk, &mut self.ready),
                Some(Err(error)) => Err(error),
                None => {
                    self.ended = true;
                    self.cutter.finish(&mut self.ready)
                }
            };
            if let Err(error) = cut {
                self.ended = true;
                self.ready.clear();
                return Err(error);
            }
        }
    }
}

/// What one stream holds between its batches.
struct Worker<C: Cut, D> {
    scan: Arc<Mutex<Scan<C>>>,
    decoder: Arc<D>,
    batches: Option<Batches>,
    failed: bool,
}

impl<C: Cut, D: Decode<C::Block>> Worker<C, D> {
    async fn next(&mut self) -> Option<Result<Decoded, FormatError>> {
        while !self.failed {
            if let Some(batches) = &mut self.batches
                && let Some(decoded) = batches.next()
            {
                self.failed = decoded.is_err();
                return Some(decoded);
            }
            self.batches = None;
            let block = self.scan.lock().await.next().await;
            match block {
                Ok(Some(block)) => self.batches = Some(self.decoder.decode(block)),
                Ok(None) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// As many streams as `partitions` over one scan.
pub(crate) fn streams<C: Cut, D: Decode<C::Block>>(
    chunks: Chunks,
    cutter: C,
    decoder: D,
    partitions: usize,
) -> Streams {
    let scan = Arc::new(Mutex::new(Scan::new(chunks, cutter)));
    let decoder = Arc::new(decoder);
    (0..partitions)
        .map(|_| {
            let worker = Worker {
                scan: Arc::clone(&scan),
                decoder: Arc::clone(&decoder),
                batches: None,
                failed: false,
            };
            let next = |mut worker: Worker<C, D>| async move {
                worker.next().await.map(|decoded| (decoded, worker))
            };
            stream::unfold(worker, next).boxed()
        })
        .collect()
}
