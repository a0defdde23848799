//! Wide tables made long before the mapping sees them: years, months or hours as columns become rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray, UInt32Array,
    new_empty_array,
};
use arrow::compute::{cast, interleave, take};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use serde::{Deserialize, Serialize};

use crate::error::{MappingError, Place, nearest};

/// Rows handed on at once: a record of 600 columns times a batch must not become one huge batch.
const ROWS_MAX: usize = 64 << 10;

/// `unpivot: { keep: […], name: period, value: value }` on a table of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpivot {
    /// Columns repeated on each row.
    pub keep: Vec<String>,
    /// The new column that holds the header of each other column.
    pub name: String,
    /// The new column that holds its cell, as text.
    pub value: String,
}

/// [`Unpivot`] fitted to one source schema.
#[derive(Debug, Clone)]
pub(crate) struct UnpivotPlan {
    keep: Vec<usize>,
    others: Vec<usize>,
    names: Vec<String>,
    pub(crate) schema: SchemaRef,
}

impl UnpivotPlan {
    pub(crate) fn fit(unpivot: &Unpivot, source: &SchemaRef) -> Result<Self, MappingError> {
        let names: Vec<&str> = source
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let keep = unpivot
            .keep
            .iter()
            .map(|name| {
                source.index_of(name).map_err(|_| MappingError::NoColumn {
                    message: format!(
                        "unpivot keeps a column `{name}` that the source does not have"
                    ),
                    place: Place::default(),
                    help: Some(match nearest(name, &names) {
                        Some(near) => format!("did you mean \"{near}\"?"),
                        None => format!("the source's columns are: {}", names.join(", ")),
                    }),
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let others: Vec<usize> = (0..names.len())
            .filter(|index| !keep.contains(index))
            .collect();
        let mut fields: Vec<Field> = keep
            .iter()
            .map(|&index| source.field(index).clone())
            .collect();
        fields.push(Field::new(&unpivot.name, DataType::Utf8View, false));
        fields.push(Field::new(&unpivot.value, DataType::Utf8View, true));
        Ok(Self {
            names: others
                .iter()
                .map(|&index| names[index].to_owned())
                .collect(),
            keep,
            others,
            schema: Arc::new(Schema::new(fields)),
        })
    }

    /// The source columns this needs to give its columns `wanted`.
    pub(crate) fn projection(&self, wanted: &[usize]) -> Vec<usize> {
        self.kept(wanted)
            .map(|position| self.keep[position])
            .chain(self.others.iter().copied())
            .collect()
    }

    fn kept<'a>(&'a self, wanted: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
        wanted
            .iter()
            .copied()
            .filter(|position| *position < self.keep.len())
    }

    /// Turns a batch of [`Self::projection`]'s columns long, in pieces, each record's rows together; gives the columns `wanted`.
    pub(crate) fn apply(
        &self,
        batch: &RecordBatch,
        rows: &Int64Array,
        wanted: &[usize],
    ) -> Result<Vec<(RecordBatch, Int64Array)>, ArrowError> {
        let step = (ROWS_MAX / self.others.len().max(1)).max(1);
        (0..batch.num_rows())
            .step_by(step)
            .map(|from| {
                let count = step.min(batch.num_rows() - from);
                self.piece(&batch.slice(from, count), &rows.slice(from, count), wanted)
            })
            .collect()
    }

    fn piece(
        &self,
        batch: &RecordBatch,
        rows: &Int64Array,
        wanted: &[usize],
    ) -> Result<(RecordBatch, Int64Array), ArrowError> {
        let (records, wide) = (batch.num_rows(), self.others.len());
        let repeat = UInt32Array::from_iter_values(
            (0..records as u32).flat_map(|record| std::iter::repeat_n(record, wide)),
        );
        let kept = self.kept(wanted).count();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.len());
        for &position in wanted {
            columns.push(match position.checked_sub(self.keep.len()) {
                None => take(batch.column(columns.len()), &repeat, None)?,
                Some(0) => Arc::new(StringViewArray::from_iter_values(
                    (0..records).flat_map(|_| self.names.iter()),
                )),
                Some(_) => cells(&batch.columns()[kept..], records)?,
            });
        }
        let rows = Int64Array::from_iter_values(
            repeat
                .values()
                .iter()
                .map(|&record| rows.value(record as usize)),
        );
        let schema = Arc::new(self.schema.project(wanted)?);
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok((
            RecordBatch::try_new_with_options(schema, columns, &options)?,
            rows,
        ))
    }
}

/// The cells of each record one after the other, as text.
fn cells(columns: &[ArrayRef], records: usize) -> Result<ArrayRef, ArrowError> {
    let columns: Vec<ArrayRef> = columns
        .iter()
        .map(|column| cast(column, &DataType::Utf8View))
        .collect::<Result<_, _>>()?;
    let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    if columns.is_empty() {
        return Ok(new_empty_array(&DataType::Utf8View));
    }
    let order: Vec<(usize, usize)> = (0..records)
        .flat_map(|record| (0..columns.len()).map(move |column| (column, record)))
        .collect();
    interleave(&columns, &order)
}
