//! Avro object container files: types are kept, blocks are read beside one another.
//!
//! Blocks are found and unpacked here, within bounds; the records of each are read by `arrow-avro` as a small file of its own, whose
//! panic on broken bytes is an error of the part.

mod container;
mod measure;

#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_avro::reader::{Reader, ReaderBuilder};

use crate::blocks::{Batches, Decode, streams};
use crate::content::Content;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::nested;
use crate::part::{Source, Streams};
pub(crate) use container::MAGIC;
use container::{AvroBlock, BlockCutter, Header, put_long};
use measure::{Measure, measure};

/// Bytes that the header is looked for in, first.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes that the records of one block may become, without texts and lists.
const BLOCK_VALUES_BYTES_MAX: u64 = 1 << 30;
/// Bytes that the elements of the lists of one block may become.
const ELEMENTS_BYTES_MAX: u64 = 1 << 30;

/// An Avro file whose header is read.
#[derive(Debug, Clone)]
pub(crate) struct Avro {
    content: Content,
    header: Header,
    schema: SchemaRef,
    measure: Measure,
}

pub(crate) async fn open(content: Content) -> Result<Avro, FormatError> {
    let failure = |reason: String| FormatError::Avro {
        name: content.name.clone(),
        reason,
    };
    let mut head = content.head(HEAD_BYTES).await?;
    let mut header = Header::read(&head).map_err(failure)?;
    if header.is_none() && head.len() == HEAD_BYTES {
        head = content.head(content.options.record_bytes_max).await?;
        header = Header::read(&head).map_err(failure)?;
    }
    let header = header.ok_or_else(|| failure("it ends inside its header".to_owned()))?;
    let schema = serde_json::from_slice(&header.schema);
    let schema = schema.map_err(|error| failure(format!("its schema is no JSON: {error}")))?;
    let measure = measure(&schema).map_err(failure)?;
    let read = guarded(|| reader(header.plain(), None, 1)).map_err(failure)?;
    let schema = nested::schema(&read.schema());
    Ok(Avro {
        content,
        header,
        schema,
        measure,
    })
}

/// Reads a file in memory; `columns` in this order, each once.
fn reader(
    file: Vec<u8>,
    columns: Option<&[usize]>,
    batch_rows: usize,
) -> Result<Reader<Cursor<Vec<u8>>>, ArrowError> {
    let builder = ReaderBuilder::new()
        .with_batch_size(batch_rows)
        .with_utf8_view(true);
    let builder = match columns {
        Some(columns) => builder.with_projection(columns.to_vec()),
        None => builder,
    };
    builder.build(Cursor::new(file))
}

/// Runs what may panic on broken bytes.
fn guarded<T>(read: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("its bytes do not fit its schema".to_owned()),
    }
}

impl Source for Avro {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partitions(&self) -> usize {
        self.content.options.partitions()
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let options = &self.content.options;
        let mut columns = projection.to_vec();
        columns.sort_unstable();
        columns.dedup();
        let place = |column| columns.partition_point(|known| known < column);
        let places = projection.iter().map(place).collect();
        if columns.is_empty() && !self.schema.fields().is_empty() {
            // Records are counted by reading them.
            columns.push(0);
        }
        let schema = self.schema.project(projection);
        let elements = ELEMENTS_BYTES_MAX / self.measure.element_bytes;
        let bound = options.record_bytes_max;
        let decoder = Decoder {
            name: self.content.name.clone(),
            header: self.header.clone(),
            columns,
            places,
            schema: Arc::new(schema.unwrap_or_else(|_| Schema::empty())),
            batch_rows: options.batch_rows(),
            records_max: BLOCK_VALUES_BYTES_MAX / self.measure.row_bytes,
            unpacked_bytes_max: (bound * 2)
                .min(usize::try_from(elements).unwrap_or(usize::MAX))
                .max(1),
        };
        let cutter = BlockCutter::new(&self.content.name, &self.header, bound);
        let chunks = self.content.chunks(self.content.block_bytes());
        streams(chunks, cutter, decoder, self.partitions())
    }
}

/// What all blocks of one reading have in common.
#[derive(Debug)]
struct Decoder {
    name: String,
    header: Header,
    /// The columns that are read, in the file's order.
    columns: Vec<usize>,
    /// Where each wanted column stands in what is read.
    places: Vec<usize>,
    schema: SchemaRef,
    batch_rows: usize,
    /// Records of one block, at most.
    records_max: u64,
    unpacked_bytes_max: usize,
}

impl Decoder {
    /// All records of a block. Read as one batch, since the reader goes on without end where a batch is not full and the block's count
    /// is spent before its bytes are.
    fn block(&self, block: &AvroBlock) -> Result<RecordBatch, String> {
        let records = self
            .header
            .codec
            .unpack(&block.packed, self.unpacked_bytes_max)?;
        let count = usize::try_from(block.count).unwrap_or(usize::MAX);
        if block.count as u64 > self.records_max {
            return Err(format!(
                "a block of {count} records would take too much memory"
            ));
        }
        // One byte fewer must be too few, or there are records that the count hides.
        if let Some((_, all_but_last)) = records.split_last()
            && let Ok(Some(_)) = self.batch(
                all_but_last,
                count,
                self.columns.get(..1).unwrap_or_default(),
            )
        {
            return Err(format!(
                "a block holds more than the {count} records that it says"
            ));
        }
        match self.batch(&records, count, &self.columns)? {
            Some(batch) if batch.num_rows() == count => Ok(batch),
            _ => Err(format!(
                "a block holds fewer than the {count} records that it says"
            )),
        }
    }

    fn batch(
        &self,
        records: &[u8],
        count: usize,
        columns: &[usize],
    ) -> Result<Option<RecordBatch>, String> {
        let mut file = self.header.plain();
        put_long(count as i64, &mut file);
        put_long(records.len() as i64, &mut file);
        file.extend_from_slice(records);
        file.extend_from_slice(&self.header.sync);
        guarded(|| reader(file, Some(columns), count)?.next().transpose())
    }

    fn decoded(&self, batch: &RecordBatch, row: i64) -> Result<Decoded, FormatError> {
        let rows = Int64Array::from_iter_values(row..row + batch.num_rows() as i64);
        let columns = self.places.iter().zip(self.schema.fields());
        let columns =
            columns.map(|(&place, field)| nested::column(batch.column(place), field.is_nullable()));
        let columns = columns.collect::<Result<Vec<_>, _>>();
        Decoded::of(&self.name, &self.schema, columns, rows)
    }
}

impl Decode<AvroBlock> for Decoder {
    fn decode(self: &Arc<Self>, block: AvroBlock) -> Batches {
        let decoder = Arc::clone(self);
        let all = match self.block(&block) {
            Ok(all) => all,
            Err(reason) => {
                let error = FormatError::Document {
                    name: self.name.clone(),
                    byte: block.byte,
                    reason,
                };
                return Box::new(std::iter::once(Err(error)));
            }
        };
        let starts = (0..all.num_rows()).step_by(self.batch_rows);
        Box::new(starts.map(move |start| {
            let rows = decoder.batch_rows.min(all.num_rows() - start);
            decoder.decoded(&all.slice(start, rows), block.row + start as i64)
        }))
    }
}
