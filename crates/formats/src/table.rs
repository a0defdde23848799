//! A part as a DataFusion table that streams.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use crate::columns::ROW;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::part::Part;

/// A part's columns, then `_row`.
#[derive(Debug)]
pub(crate) struct PartTable {
    part: Part,
    schema: SchemaRef,
}

impl PartTable {
    pub(crate) fn new(part: Part) -> Self {
        let mut fields: Vec<_> = part.schema().fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(ROW, DataType::Int64, false)));
        Self {
            part,
            schema: Arc::new(Schema::new(fields)),
        }
    }
}

#[async_trait]
impl TableProvider for PartTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let row = self.schema.fields().len() - 1;
        let columns = projection.cloned().unwrap_or_else(|| (0..=row).collect());
        let schema = Arc::new(self.schema.project(&columns)?);
        let read: Vec<usize> = columns
            .iter()
            .copied()
            .filter(|&column| column != row)
            .collect();
        // Where each column of the answer stands in what is read.
        let mut position = 0;
        let places = columns
            .iter()
            .map(|&column| {
                let place = (column != row).then_some(position);
                position += usize::from(column != row);
                place
            })
            .collect();
        let reading = Arc::new(Reading {
            part: self.part.clone(),
            read,
            places,
            schema: Arc::clone(&schema),
            streams: Mutex::default(),
        });
        let partitions = (0..self.part.partitions())
            .map(|index| {
                Arc::new(ReadingPartition {
                    reading: Arc::clone(&reading),
                    index,
                }) as Arc<dyn PartitionStream>
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(
            schema,
            partitions,
            None,
            vec![],
            false,
            limit,
        )?))
    }
}

/// One scan, whose partitions share the part's streams.
struct Reading {
    part: Part,
    read: Vec<usize>,
    /// Per column its place in a batch; none for the row number.
    places: Vec<Option<usize>>,
    schema: SchemaRef,
    streams: Mutex<Vec<Option<BoxStream<'static, Result<Decoded, FormatError>>>>>,
}

impl Reading {
    /// The stream of a partition; a plan that is run again reads again.
    fn take(&self, index: usize) -> BoxStream<'static, Result<Decoded, FormatError>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if streams.get(index).is_none_or(Option::is_none) {
            *streams = self.part.read(&self.read).into_iter().map(Some).collect();
        }
        streams
            .get_mut(index)
            .and_then(Option::take)
            .unwrap_or_else(|| stream::empty().boxed())
    }

    fn batch(&self, decoded: Decoded) -> Result<RecordBatch, DataFusionError> {
        if let Some(record) = decoded.broken.into_iter().next() {
            let error = FormatError::Broken {
                name: self.part.name().to_owned(),
                record: Box::new(record),
            };
            return Err(DataFusionError::External(Box::new(error)));
        }
        let rows: ArrayRef = Arc::new(decoded.rows);
        let column = |place: &Option<usize>| match place {
            Some(place) => Arc::clone(decoded.batch.column(*place)),
            None => Arc::clone(&rows),
        };
        let columns = self.places.iter().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }
}

/// One partition of a scan.
struct ReadingPartition {
    reading: Arc<Reading>,
    index: usize,
}

impl fmt::Debug for ReadingPartition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} partition {}",
            self.reading.part.name(),
            self.index
        )
    }
}

impl PartitionStream for ReadingPartition {
    fn schema(&self) -> &SchemaRef {
        &self.reading.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reading = Arc::clone(&self.reading);
        let batches = reading.take(self.index).map(move |decoded| match decoded {
            Ok(decoded) => reading.batch(decoded),
            Err(error) => Err(DataFusionError::External(Box::new(error))),
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.reading.schema),
            batches,
        ))
    }
}

#[cfg(test)]
mod tests;
