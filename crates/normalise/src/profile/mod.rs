//! What stands in each column of what was read and of what was loaded.
//!
//! Counts, nulls, bounds, means and the looks of a source's texts are of every row, so that one letter among ten thousand numbers is
//! seen; distinct counts are estimated; quantiles and frequent values come from a sample where there are many rows.
//! Memory: some ten kilobytes a column and worker.

mod field;
mod sketch;
mod source;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use sectorlake_contract::{Classification, Contract};

use self::field::FieldColumn;
use self::source::SourceColumn;

use crate::origin::Taken;

pub use self::field::FieldSummary;
pub use self::source::{SeenAt, SeenLooks};

/// The profile of what one worker, or a whole table, has seen.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// The part that is read, by its number among those of the table.
    part: u32,
    sources: Vec<SourceColumn>,
    fields: Vec<FieldColumn>,
    /// By field, the source column behind it.
    taken: Vec<Option<Taken>>,
    /// By source column, the marks for no value that the contract declares for what is made of it.
    missing: Vec<(String, Vec<String>)>,
}

/// A column of the source.
#[derive(Debug, Clone)]
pub struct SourceSummary<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type; text formats know only text.
    pub data_type: &'a DataType,
    /// Rows.
    pub rows: u64,
    /// Rows without a value.
    pub nulls: u64,
    /// What its texts look like.
    pub seen: &'a SeenLooks,
}

impl Profile {
    pub(crate) fn new(
        contract: &Contract,
        schema: &SchemaRef,
        taken: Vec<Option<Taken>>,
        part: u32,
    ) -> Self {
        let fields = contract.fields.iter().zip(schema.fields());
        Self {
            part,
            sources: Vec::new(),
            fields: fields
                .map(|(field, column)| {
                    let open = field.classification != Classification::Personal;
                    FieldColumn::new(column.data_type(), open)
                })
                .collect(),
            missing: missing(contract, &taken),
            taken,
        }
    }

    pub(crate) fn source(&mut self, batch: &RecordBatch, rows: &Int64Array) {
        let schema = batch.schema();
        if self.sources.is_empty() {
            let columns = schema.fields().iter();
            let missing = |name: &str| {
                let marks = self.missing.iter().filter(|(column, _)| column == name);
                marks.flat_map(|(_, marks)| marks.clone()).collect()
            };
            self.sources = columns
                .map(|field| {
                    let name = field.name();
                    SourceColumn::new(name, field.data_type(), missing(name))
                })
                .collect();
        }
        for (known, column) in self.sources.iter_mut().zip(batch.columns()) {
            // The whole record of a JSON source is no value.
            if known.name != "_record" {
                known.add(column, self.part, rows);
            }
        }
    }

    pub(crate) fn loaded(&mut self, batch: &RecordBatch) {
        for (known, column) in self.fields.iter_mut().zip(batch.columns()) {
            known.add(column);
        }
    }

    /// Adds what another worker of the same table has seen.
    pub fn merge(&mut self, other: &Self) {
        if self.fields.is_empty() {
            *self = other.clone();
            return;
        }
        for theirs in &other.sources {
            match self
                .sources
                .iter_mut()
                .find(|mine| mine.name == theirs.name)
            {
                Some(mine) => mine.merge(theirs),
                None => self.sources.push(theirs.clone()),
            }
        }
        for (mine, theirs) in self.fields.iter_mut().zip(&other.fields) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.taken.iter_mut().zip(&other.taken) {
            *mine = mine.take().or_else(|| theirs.clone());
        }
    }

    /// By field of the contract: what was loaded, and the source column behind it.
    pub fn fields(&self) -> impl Iterator<Item = (FieldSummary, Option<&Taken>)> {
        let fields = self.fields.iter().zip(&self.taken);
        fields.map(|(field, taken)| (field.summary(), taken.as_ref()))
    }

    /// The source's columns that were read.
    pub fn sources(&self) -> impl Iterator<Item = SourceSummary<'_>> {
        self.sources.iter().map(|source| SourceSummary {
            name: &source.name,
            data_type: &source.data_type,
            rows: source.rows,
            nulls: source.nulls,
            seen: &source.seen,
        })
    }
}

/// Marks that say of a source column's value that there is none; the empty text always does.
fn missing(contract: &Contract, taken: &[Option<Taken>]) -> Vec<(String, Vec<String>)> {
    let fields = contract.fields.iter().zip(taken);
    let marked = fields.filter_map(|(field, taken)| {
        let marks = contract.missing_values_of(field).iter();
        let marks: Vec<String> = marks.filter(|mark| !mark.is_empty()).cloned().collect();
        let taken = taken.as_ref().filter(|_| !marks.is_empty())?;
        Some((taken.source.clone(), marks))
    });
    marked.collect()
}
