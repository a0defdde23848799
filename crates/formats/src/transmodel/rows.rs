//! Elements → batches of rows.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use futures::StreamExt;
use futures::stream::{self, BoxStream};

use super::elements::{Elements, Found, elements};
use super::{Cell, Document, Entity};
use crate::columns::TextColumn;
use crate::decoded::{BrokenRecord, Decoded};
use crate::error::FormatError;

/// Bytes of text in one batch, about: an element's texts stand in each of its rows.
const BATCH_BYTES: usize = 4 << 20;
/// What all rows of one element may repeat, in multiples of the longest record.
const REPEATS_MAX: usize = 64;
/// What the rows' own elements may come to as JSON, in multiples of the longest record.
const RECORDS_MAX: usize = 4;

/// The rows of a document, of the columns of `projection`.
pub(super) fn stream(
    document: Document,
    entity: impl Entity,
    projection: &[usize],
) -> BoxStream<'static, Result<Decoded, FormatError>> {
    let schema = document.schema.project(projection);
    let record = document.schema.fields().len() - 1;
    let options = &document.content.options;
    let reading = Reading {
        name: document.content.name.clone(),
        elements: elements(&document.content, document.notation, entity.names()),
        entity,
        projection: projection.to_vec(),
        wants_record: projection.contains(&record),
        schema: Arc::new(schema.unwrap_or_else(|_| Schema::empty())),
        rest: VecDeque::new(),
        row: 1,
        batch_rows: options.batch_rows(),
        record_bytes_max: options.record_bytes_max,
    };
    let next = |reading: Option<Reading<_>>| async move {
        let mut reading = reading?;
        match reading.batch().await {
            Ok(None) => None,
            Ok(Some(decoded)) => Some((Ok(decoded), Some(reading))),
            Err(error) => Some((Err(error), None)),
        }
    };
    stream::unfold(Some(reading), next).boxed()
}

/// One reading, which makes batch after batch.
struct Reading<E> {
    name: String,
    elements: Elements,
    entity: E,
    projection: Vec<usize>,
    wants_record: bool,
    schema: SchemaRef,
    /// Rows of the last element that are still to come.
    rest: VecDeque<Vec<Cell>>,
    row: i64,
    batch_rows: usize,
    record_bytes_max: usize,
}

impl<E: Entity> Reading<E> {
    async fn batch(&mut self) -> Result<Option<Decoded>, FormatError> {
        let mut building: Vec<TextColumn> = Vec::new();
        building.resize_with(self.projection.len(), TextColumn::default);
        let (mut rows, mut broken, mut bytes) = (Vec::new(), Vec::new(), 0);
        while rows.len() + broken.len() < self.batch_rows && bytes < BATCH_BYTES {
            if let Some(row) = self.rest.pop_front() {
                for (column, &index) in building.iter_mut().zip(&self.projection) {
                    let cell = row.get(index).and_then(Option::as_deref);
                    bytes += cell.map_or(0, str::len);
                    column.push_option(cell);
                }
                rows.push(self.row);
                self.row += 1;
                continue;
            }
            let Some(found) = self.elements.next().await.transpose()? else {
                break;
            };
            if let Err(reason) = self.take(&found) {
                broken.push(BrokenRecord::new(self.row, found.byte, reason, &found.raw));
                self.row += 1;
            }
        }
        if rows.is_empty() && broken.is_empty() {
            return Ok(None);
        }
        let columns = building.into_iter().map(|column| column.finish(&[]));
        let columns = columns.collect::<Result<_, ArrowError>>();
        Ok(Some(Decoded {
            broken,
            ..Decoded::of(&self.name, &self.schema, columns, rows)?
        }))
    }

    /// The rows of an element are kept to be put into batches; their cells share what they repeat.
    fn take(&mut self, found: &Found) -> Result<(), String> {
        let element = found.element.as_ref().map_err(Clone::clone)?;
        let made = self.entity.rows(element)?;
        let (count, bound) = (made.len(), self.record_bytes_max);
        let (mut repeated, mut records) = (0_usize, 0_usize);
        for (mut cells, element) in made {
            repeated += cells.iter().flatten().map(|cell| cell.len()).sum::<usize>();
            let record = self.wants_record.then(|| element.json().to_string());
            records += record.as_ref().map_or(0, String::len);
            if repeated > bound.saturating_mul(REPEATS_MAX)
                || records > bound.saturating_mul(RECORDS_MAX)
            {
                self.rest.clear();
                return Err(format!("its {count} rows would each repeat its long texts"));
            }
            cells.push(record.map(Arc::from));
            self.rest.push_back(cells);
        }
        Ok(())
    }
}
