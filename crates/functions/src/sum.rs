//! `sum` over whole numbers that says so when the answer does not fit.
//!
//! The engine's own wraps: the sum of two large numbers is a negative one, without a word. Here sums are kept in twice the width, and one
//! that no `BIGINT` holds is an error. Sums of all else are the engine's.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt64Array};
use arrow::compute::{and, is_not_null, not, nullif};
use arrow::datatypes::{DataType, FieldRef, Int64Type, UInt64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature,
};
use datafusion::scalar::ScalarValue;

/// `sum`, over whole numbers without wrapping.
#[derive(Debug, Default)]
pub(crate) struct ExactSum(Sum);

impl PartialEq for ExactSum {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ExactSum {}

impl Hash for ExactSum {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}

/// The type of whole numbers that are summed here.
fn whole(args: &AccumulatorArgs<'_>) -> Option<Whole> {
    match args.return_field.data_type() {
        DataType::Int64 if !args.is_distinct => Some(Whole::Signed),
        DataType::UInt64 if !args.is_distinct => Some(Whole::Unsigned),
        _ => None,
    }
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.0.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        match whole(&args) {
            Some(kind) => Ok(Box::new(One::new(kind))),
            None => self.0.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match whole(&args) {
            Some(kind) => Ok(Box::new(Groups::new(kind))),
            None => self.0.create_groups_accumulator(args),
        }
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn Accumulator>> {
        match whole(&args) {
            Some(kind) => Ok(Box::new(One::new(kind))),
            None => self.0.create_sliding_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_expr()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.0.documentation()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.0.set_monotonicity(data_type)
    }
}

#[derive(Debug, Clone, Copy)]
enum Whole {
    Signed,
    Unsigned,
}

impl Whole {
    fn too_large(self) -> datafusion::error::DataFusionError {
        let kind = match self {
            Self::Signed => "BIGINT",
            Self::Unsigned => "BIGINT UNSIGNED",
        };
        exec_datafusion_err!(
            "overflow in sum: the answer is no {kind}; sum CAST(… AS DECIMAL(38, 0)) instead"
        )
    }

    fn scalar(self, sum: Option<i128>) -> Result<ScalarValue> {
        let fail = |_| self.too_large();
        Ok(match self {
            Self::Signed => ScalarValue::Int64(sum.map(i64::try_from).transpose().map_err(fail)?),
            Self::Unsigned => {
                ScalarValue::UInt64(sum.map(u64::try_from).transpose().map_err(fail)?)
            }
        })
    }

    fn array(self, sums: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
        let fail = |_| self.too_large();
        Ok(match self {
            Self::Signed => Arc::new(
                sums.map(|sum| sum.map(i64::try_from).transpose().map_err(fail))
                    .collect::<Result<Int64Array>>()?,
            ),
            Self::Unsigned => Arc::new(
                sums.map(|sum| sum.map(u64::try_from).transpose().map_err(fail))
                    .collect::<Result<UInt64Array>>()?,
            ),
        })
    }

    /// Hands over each number that is there, with its row.
    fn each(self, values: &ArrayRef, mut take: impl FnMut(usize, i128)) {
        let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
        let is_there = |row: usize| nulls.is_none_or(|nulls| nulls.is_valid(row));
        match self {
            Self::Signed => {
                let values = values.as_primitive::<Int64Type>().values();
                for (row, value) in values.iter().enumerate().filter(|(row, _)| is_there(*row)) {
                    take(row, i128::from(*value));
                }
            }
            Self::Unsigned => {
                let values = values.as_primitive::<UInt64Type>().values();
                for (row, value) in values.iter().enumerate().filter(|(row, _)| is_there(*row)) {
                    take(row, i128::from(*value));
                }
            }
        }
    }
}

/// One sum, of a whole input or of a window that slides.
#[derive(Debug)]
struct One {
    kind: Whole,
    sum: i128,
    count: u64,
}

impl One {
    fn new(kind: Whole) -> Self {
        Self {
            kind,
            sum: 0,
            count: 0,
        }
    }

    fn answer(&self) -> Result<ScalarValue> {
        self.kind.scalar((self.count > 0).then_some(self.sum))
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (mut sum, mut count) = (0, 0);
        if let [values, ..] = values {
            self.kind.each(values, |_, value| {
                sum += value;
                count += 1;
            });
        }
        self.sum += sum;
        self.count += count;
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.answer()
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.answer()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (mut sum, mut count) = (0, 0);
        if let [values, ..] = values {
            self.kind.each(values, |_, value| {
                sum += value;
                count += 1;
            });
        }
        self.sum -= sum;
        self.count -= count;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }
}

/// A sum for each group; none for a group without numbers.
#[derive(Debug)]
struct Groups {
    kind: Whole,
    sums: Vec<i128>,
    seen: Vec<bool>,
}

impl Groups {
    fn new(kind: Whole) -> Self {
        Self {
            kind,
            sums: Vec::new(),
            seen: Vec::new(),
        }
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.sums.resize(total_num_groups, 0);
        self.seen.resize(total_num_groups, false);
        let (sums, seen) = (&mut self.sums, &mut self.seen);
        let counts =
            |row: usize| opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        if let [values, ..] = values {
            self.kind.each(values, |row, value| {
                if counts(row) {
                    sums[group_indices[row]] += value;
                    seen[group_indices[row]] = true;
                }
            });
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums);
        let seen = emit_to.take_needed(&mut self.seen);
        let answers = sums.into_iter().zip(seen);
        self.kind
            .array(answers.map(|(sum, seen)| seen.then_some(sum)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.update_batch(values, group_indices, None, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let [values, ..] = values else {
            return Ok(Vec::new());
        };
        Ok(vec![match opt_filter {
            None => Arc::clone(values),
            Some(filter) => {
                let counts = and(&is_not_null(filter)?, filter)?;
                nullif(values, &not(&counts)?)?
            }
        }])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.seen.capacity()
    }
}
