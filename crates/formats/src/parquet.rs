//! Parquet: types are kept, row groups are read beside one another.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::Int64Array;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryFutureExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::content::Content;
use crate::decoded::Decoded;
use crate::error::FormatError;
use crate::nested;
use crate::part::{Source, Streams};

/// A Parquet file whose footer is read.
#[derive(Debug, Clone)]
pub(crate) struct ParquetFile {
    name: String,
    bytes: Ranges,
    metadata: ArrowReaderMetadata,
    schema: SchemaRef,
    partitions: usize,
    batch_rows: usize,
}

/// A row group to read, and the number of its first row.
type RowGroup = (usize, i64);

pub(crate) async fn open(content: Content) -> Result<ParquetFile, FormatError> {
    let name = content.name.clone();
    let (store, path, size) = if content.is_plain() {
        (
            Arc::clone(&content.part.store),
            content.part.path.clone(),
            content.part.size,
        )
    } else {
        // The footer comes last, so a packed file cannot stream.
        let whole = content.whole("Parquet in an archive").await?;
        let (store, path, size) = (
            InMemory::new(),
            Path::from("member.parquet"),
            whole.len() as u64,
        );
        store
            .put(&path, whole.into())
            .await
            .map_err(|source| FormatError::Read {
                name: name.clone(),
                source,
            })?;
        (Arc::new(store) as Arc<dyn ObjectStore>, path, size)
    };
    let mut bytes = Ranges { store, path, size };
    let loaded = ArrowReaderMetadata::load_async(&mut bytes, ArrowReaderOptions::new());
    let metadata = AssertUnwindSafe(loaded)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(panicked()))
        .map_err(|error| failure(&name, error))?;
    let row_groups = metadata.metadata().num_row_groups();
    let partitions = content.options.partitions().min(row_groups.max(1));
    Ok(ParquetFile {
        name,
        bytes,
        schema: nested::schema(metadata.schema()),
        metadata,
        partitions,
        batch_rows: content.options.batch_rows(),
    })
}

/// The bytes, as the Parquet reader asks for them.
#[derive(Debug, Clone)]
struct Ranges {
    store: Arc<dyn ObjectStore>,
    path: Path,
    size: u64,
}

fn external(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for Ranges {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move {
            self.store
                .get_range(&self.path, range)
                .await
                .map_err(external)
        }
        .boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            self.store
                .get_ranges(&self.path, &ranges)
                .await
                .map_err(external)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        let size = self.size;
        let reader = ParquetMetaDataReader::new().with_arrow_reader_options(options);
        reader.load_and_finish(self, size).map_ok(Arc::new).boxed()
    }
}

/// The reader panics on some broken files.
fn panicked() -> ParquetError {
    ParquetError::General("its bytes do not fit its schema".to_owned())
}

fn failure(name: &str, error: ParquetError) -> FormatError {
    FormatError::Parquet {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

impl Source for ParquetFile {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn partitions(&self) -> usize {
        self.partitions
    }

    fn read(&self, projection: &[usize]) -> Streams {
        let mut first = 1;
        let mut row_groups = VecDeque::new();
        for (index, row_group) in self.metadata.metadata().row_groups().iter().enumerate() {
            row_groups.push_back((index, first));
            first += row_group.num_rows();
        }
        let row_groups = Arc::new(Mutex::new(row_groups));
        let scan = Arc::new(Scan::new(self.clone(), projection));
        (0..self.partitions)
            .map(|_| partition(Arc::clone(&scan), Arc::clone(&row_groups)))
            .collect()
    }
}

/// Takes row groups until there are none.
fn partition(
    scan: Arc<Scan>,
    row_groups: Arc<Mutex<VecDeque<RowGroup>>>,
) -> BoxStream<'static, Result<Decoded, FormatError>> {
    let next = move |()| {
        let taken = row_groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let scan = Arc::clone(&scan);
        async move {
            taken
                .map(|row_group| scan.read(row_group).map(|stream| (stream, ())))
                .transpose()
        }
    };
    stream::try_unfold((), next).try_flatten().boxed()
}

/// One reading of some columns.
#[derive(Debug)]
struct Scan {
    file: ParquetFile,
    mask: ProjectionMask,
    /// Where each wanted column stands in what is read, which is in the file's order.
    places: Vec<usize>,
    schema: SchemaRef,
}

impl Scan {
    fn new(file: ParquetFile, projection: &[usize]) -> Self {
        let mut read = projection.to_vec();
        read.sort_unstable();
        read.dedup();
        let places = projection
            .iter()
            .map(|column| read.partition_point(|known| known < column))
            .collect();
        let mask = ProjectionMask::roots(file.metadata.parquet_schema(), read);
        let schema = Arc::new(
            file.schema()
                .project(projection)
                .unwrap_or_else(|_| arrow::datatypes::Schema::empty()),
        );
        Self {
            file,
            mask,
            places,
            schema,
        }
    }

    fn read(
        &self,
        (index, first): RowGroup,
    ) -> Result<BoxStream<'static, Result<Decoded, FormatError>>, FormatError> {
        let file = &self.file;
        let stream = ParquetRecordBatchStreamBuilder::new_with_metadata(
            file.bytes.clone(),
            file.metadata.clone(),
        )
        .with_projection(self.mask.clone())
        .with_row_groups(vec![index])
        .with_batch_size(file.batch_rows)
        .build()
        .map_err(|error| failure(&file.name, error))?;
        let (name, places, schema) = (
            file.name.clone(),
            self.places.clone(),
            Arc::clone(&self.schema),
        );
        let mut row = first;
        let decoded = AssertUnwindSafe(stream).catch_unwind().map(move |batch| {
            let batch = batch.unwrap_or_else(|_| Err(panicked()));
            let batch = batch.map_err(|error| failure(&name, error))?;
            let rows = Int64Array::from_iter_values(row..row + batch.num_rows() as i64);
            row += batch.num_rows() as i64;
            let columns = places.iter().zip(schema.fields());
            let columns = columns
                .map(|(&place, field)| nested::column(batch.column(place), field.is_nullable()));
            let columns = columns.collect::<Result<Vec<_>, _>>();
            Decoded::of(&name, &schema, columns, rows)
        });
        Ok(decoded.boxed())
    }
}

#[cfg(test)]
mod tests;
