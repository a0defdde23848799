//! The batches of a block: its pieces one after the other, in whichever way their records are read.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;

use crate::blocks::{Batches, Decode};
use crate::csv::batch::Batch;
use crate::csv::scan::{Block, Piece};
use crate::decoded::Decoded;
use crate::error::FormatError;

/// A way to read the records of pieces.
pub(crate) trait ReadPieces: Send + Sync + 'static {
    /// A piece, and how far it is read.
    type Reading: Send + 'static;

    /// The part.
    fn name(&self) -> &str;

    /// The columns that are wanted.
    fn schema(&self) -> &SchemaRef;

    /// Records of a batch, at most.
    fn batch_rows(&self) -> usize;

    /// Before the first record of a piece.
    fn begin(&self, piece: Piece) -> Self::Reading;

    /// Reads a record at least, and no more than the batch has room for; says whether the piece is at its end.
    fn read(&self, reading: &mut Self::Reading, batch: &mut Batch) -> bool;

    /// The piece's bytes.
    fn bytes(reading: &Self::Reading) -> &Bytes;
}

impl<R: ReadPieces> Decode<Block> for R {
    fn decode(self: &Arc<Self>, block: Block) -> Batches {
        let mut batch = Batch::new(self.schema().fields().len());
        batch.broken = block.broken;
        Box::new(BlockBatches {
            decoder: Arc::clone(self),
            pieces: block.pieces.into_iter(),
            reading: None,
            batch,
        })
    }
}

struct BlockBatches<R: ReadPieces> {
    decoder: Arc<R>,
    pieces: std::vec::IntoIter<Piece>,
    reading: Option<R::Reading>,
    batch: Batch,
}

impl<R: ReadPieces> Iterator for BlockBatches<R> {
    type Item = Result<Decoded, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let decoder = &self.decoder;
        while self.batch.records() < decoder.batch_rows() {
            if self.reading.is_none() {
                let Some(piece) = self.pieces.next() else {
                    break;
                };
                self.batch.hold(&piece.bytes);
                self.reading = Some(decoder.begin(piece));
            }
            if let Some(reading) = &mut self.reading
                && decoder.read(reading, &mut self.batch)
            {
                self.reading = None;
            }
        }
        if self.batch.records() == 0 {
            return None;
        }
        let full = self.batch.take(self.reading.as_ref().map(R::bytes));
        Some(full.finish(decoder.name(), decoder.schema()))
    }
}
