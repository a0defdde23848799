//! The table called `source` in a mapping: one batch at a time, put there by the caller.
//!
//! A mapping is row-wise, so it can be run over any batch alone. That keeps memory at one batch, keeps the row order, and
//! lets a batch whose evaluation fails be halved until only the failing rows remain.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream;

/// Holds the batch that `source` stands for at this moment.
#[derive(Debug)]
pub(crate) struct Slot {
    schema: SchemaRef,
    batch: Mutex<Option<RecordBatch>>,
}

impl Slot {
    /// An empty slot for batches of `schema`.
    pub(crate) fn new(schema: SchemaRef) -> Arc<Self> {
        Arc::new(Self {
            schema,
            batch: Mutex::new(None),
        })
    }

    /// Puts the batch that the next execution reads.
    pub(crate) fn put(&self, batch: RecordBatch) {
        *self.batch.lock().unwrap_or_else(PoisonError::into_inner) = Some(batch);
    }

    /// The slot as a table for planning.
    pub(crate) fn table(self: &Arc<Self>) -> Result<StreamingTable> {
        let partition = SlotPartition(Arc::clone(self));
        StreamingTable::try_new(Arc::clone(&self.schema), vec![Arc::new(partition)])
    }
}

#[derive(Debug)]
struct SlotPartition(Arc<Slot>);

impl PartitionStream for SlotPartition {
    fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.0.schema);
        let batch = self
            .0
            .batch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let batches = batch.into_iter().collect();
        match MemoryStream::try_new(batches, Arc::clone(&schema), None) {
            Ok(stream) => Box::pin(stream),
            Err(error) => failed(schema, error),
        }
    }
}

fn failed(schema: SchemaRef, error: DataFusionError) -> SendableRecordBatchStream {
    let stream = stream::once(async move { Err(error) });
    Box::pin(RecordBatchStreamAdapter::new(schema, stream))
}
