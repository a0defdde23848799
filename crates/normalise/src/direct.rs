//! Mappings that only rename, drop and add constants: most of them, and no engine is needed to run one.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;

/// One output column.
#[derive(Debug, Clone)]
enum Take {
    /// The input column of this name.
    Column(String),
    /// The same value in each row.
    Constant(ScalarValue),
}

/// A mapping as a list of columns to take.
#[derive(Debug, Clone)]
pub(crate) struct Direct {
    takes: Vec<Take>,
    schema: SchemaRef,
}

impl Direct {
    /// The tracked `plan` as plain taking, if it is no more than that.
    pub(crate) fn of(plan: &LogicalPlan, schema: &SchemaRef) -> Option<Self> {
        let LogicalPlan::Projection(projection) = plan else {
            return None;
        };
        let mut input = projection.input.as_ref();
        while let LogicalPlan::SubqueryAlias(alias) = input {
            input = alias.input.as_ref();
        }
        let LogicalPlan::TableScan(scan) = input else {
            return None;
        };
        if !scan.filters.is_empty() || scan.fetch.is_some() {
            return None;
        }
        let takes = projection
            .expr
            .iter()
            .map(take)
            .collect::<Option<Vec<_>>>()?;
        Some(Self {
            takes,
            schema: Arc::clone(schema),
        })
    }

    /// The runner over input batches of `input`.
    pub(crate) fn runner(&self, input: &SchemaRef) -> Result<DirectRunner> {
        let takes = self.takes.iter().map(|take| match take {
            Take::Column(name) => Ok(Bound::Column(input.index_of(name)?)),
            Take::Constant(value) => Ok(Bound::Constant(Constant::new(value.clone()))),
        });
        Ok(DirectRunner {
            takes: takes.collect::<Result<_>>()?,
            schema: Arc::clone(&self.schema),
        })
    }
}

fn take(expression: &Expr) -> Option<Take> {
    match expression {
        Expr::Alias(alias) => take(&alias.expr),
        Expr::Column(column) => Some(Take::Column(column.name.clone())),
        Expr::Literal(value, _) => Some(Take::Constant(value.clone())),
        _ => None,
    }
}

#[derive(Debug)]
enum Bound {
    Column(usize),
    Constant(Constant),
}

/// [`Direct`], bound to the columns of one worker's batches.
#[derive(Debug)]
pub(crate) struct DirectRunner {
    takes: Vec<Bound>,
    schema: SchemaRef,
}

impl DirectRunner {
    pub(crate) fn map(&mut self, input: &RecordBatch) -> Result<RecordBatch> {
        let rows = input.num_rows();
        let columns = self.takes.iter_mut().map(|take| match take {
            Bound::Column(index) => Ok(Arc::clone(input.column(*index))),
            Bound::Constant(constant) => constant.rows(rows),
        });
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema),
            columns.collect::<Result<_>>()?,
        )?)
    }
}

/// A column of one value, kept at its longest so far and cut to size: batches share the memory.
#[derive(Debug)]
pub(crate) struct Constant {
    value: ScalarValue,
    longest: Option<ArrayRef>,
}

impl Constant {
    pub(crate) fn new(value: ScalarValue) -> Self {
        Self {
            value,
            longest: None,
        }
    }

    pub(crate) fn rows(&mut self, rows: usize) -> Result<ArrayRef> {
        match &self.longest {
            Some(array) if array.len() == rows => Ok(Arc::clone(array)),
            Some(array) if array.len() > rows => Ok(array.slice(0, rows)),
            _ => {
                let array = self.value.to_array_of_size(rows)?;
                self.longest = Some(Arc::clone(&array));
                Ok(array)
            }
        }
    }
}
