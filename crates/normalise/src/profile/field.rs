//! The fields of a table: what was loaded into them.

use std::hash::{BuildHasher, Hasher};

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringViewArray};
use arrow::compute::{max, min, sum};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow::util::display::array_value_to_string;
use foldhash::fast::FixedState;

use super::sketch::{Distinct, Frequent, Spread};
use crate::checks::{day, decimal, instant};

/// Rows of a worker that are looked at one by one; beyond them only every so many-th goes into the samples.
const WHOLE_ROWS: u64 = 8192;
const STRIDE: usize = 128;

/// The least and the greatest.
#[derive(Debug, Clone, PartialEq)]
enum Bounds {
    None,
    /// Numbers of a day, instant, year, or units of a decimal's last digit, too.
    Whole(i128, i128),
    Float(f64, f64),
    Text(String, String),
}

/// A field of the table.
#[derive(Debug, Clone)]
pub(super) struct FieldColumn {
    data_type: DataType,
    /// Values may be kept; of a personal field only counts are.
    open: bool,
    pub(super) rows: u64,
    pub(super) nulls: u64,
    distinct: Distinct,
    bounds: Bounds,
    sum: f64,
    numbers: u64,
    spread: Spread,
    frequent: Frequent,
}

/// What is told of a field.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FieldSummary {
    /// Rows.
    pub rows: u64,
    /// Rows without a value.
    pub nulls: u64,
    /// About how many different values; none where they are not compared (geometries).
    pub distinct: Option<u64>,
    /// The least value, as people read it.
    pub min: Option<String>,
    /// The greatest value.
    pub max: Option<String>,
    /// The mean of numbers.
    pub mean: Option<f64>,
    /// What 5, 25, 50, 75 and 95 % of numbers do not exceed.
    pub quantiles: Option<[f64; 5]>,
    /// The most frequent values with about how many rows have them.
    pub top: Vec<(String, u64)>,
}

/// Frequent values that are told.
const TOP: usize = 10;
/// Characters of a bound that is text.
const BOUND_CHARS_MAX: usize = 80;

impl FieldColumn {
    pub(super) fn new(data_type: &DataType, open: bool) -> Self {
        Self {
            data_type: data_type.clone(),
            open,
            rows: 0,
            nulls: 0,
            distinct: Distinct::default(),
            bounds: Bounds::None,
            sum: 0.0,
            numbers: 0,
            spread: Spread::default(),
            frequent: Frequent::default(),
        }
    }

    pub(super) fn add(&mut self, column: &ArrayRef) {
        let stride = if self.rows < WHOLE_ROWS { 1 } else { STRIDE };
        self.rows += column.len() as u64;
        self.nulls += column.null_count() as u64;
        if column.null_count() == column.len() {
            return;
        }
        match column.data_type() {
            DataType::Utf8View => self.texts(column, stride),
            DataType::Boolean => self.flags(column),
            DataType::Int64 => self.whole::<Int64Type>(column, stride, |value| value as f64),
            DataType::Int32 => self.whole::<Int32Type>(column, stride, f64::from),
            DataType::Float64 => self.floats(column, stride),
            DataType::Decimal128(_, scale) => {
                let unit = 10_f64.powi(-i32::from(*scale));
                self.whole::<Decimal128Type>(column, stride, move |value| value as f64 * unit);
            }
            DataType::Date32 => self.times::<Date32Type>(column, stride),
            DataType::Timestamp(_, _) => self.times::<TimestampMicrosecondType>(column, stride),
            _ => {}
        }
    }

    fn texts(&mut self, column: &ArrayRef, stride: usize) {
        let texts = column.as_string_view();
        let nulls = texts.nulls();
        let is_null = |index: usize| nulls.is_some_and(|nulls| nulls.is_null(index));
        let mut edges = self.edges();
        // Neighbours are often equal, and a short text is its view.
        let mut before = None;
        for (index, view) in texts.views().iter().enumerate() {
            if before == Some(*view) || is_null(index) {
                continue;
            }
            before = Some(*view);
            self.distinct.add(text_hash(texts, index));
            // Most values lie between the bounds by their beginning alone.
            let start = beginning_of(texts, index);
            if self.open
                && edges.is_none_or(|(least, greatest)| start <= least || start >= greatest)
            {
                self.bound(texts.value(index));
                edges = self.edges();
            }
        }
        if !self.open {
            return;
        }
        for index in (0..texts.len()).step_by(stride) {
            if !is_null(index) {
                let value = || texts.value(index).to_owned();
                let hash = text_hash(texts, index);
                self.frequent.add(hash, stride as u64, value);
            }
        }
    }

    /// How the bounds of texts begin.
    fn edges(&self) -> Option<(u128, u128)> {
        match &self.bounds {
            Bounds::Text(least, greatest) => Some((beginning(least), beginning(greatest))),
            _ => None,
        }
    }

    fn bound(&mut self, value: &str) {
        match &mut self.bounds {
            Bounds::Text(least, greatest) => {
                if value < least.as_str() {
                    value.clone_into(least);
                } else if value > greatest.as_str() {
                    value.clone_into(greatest);
                }
            }
            bounds => *bounds = Bounds::Text(value.to_owned(), value.to_owned()),
        }
    }

    fn flags(&mut self, column: &ArrayRef) {
        let flags = column.as_boolean();
        let yes = flags.true_count() as u64;
        let no = flags.false_count() as u64;
        for (count, flag) in [(yes, true), (no, false)] {
            let hash = u64::from(flag);
            if count > 0 {
                self.distinct.add(hash);
                if self.open {
                    self.frequent.add(hash, count, || flag.to_string());
                }
            }
        }
    }

    fn whole<T: ArrowPrimitiveType>(
        &mut self,
        column: &ArrayRef,
        stride: usize,
        float: impl Fn(T::Native) -> f64,
    ) where
        T::Native: Into<i128>,
    {
        let values = column.as_primitive::<T>();
        self.bits(column, values, stride, |value| value.into() as u64);
        self.whole_bounds(values);
        let present = column.len() - column.null_count();
        if !self.open || present == 0 {
            return;
        }
        self.numbers += present as u64;
        self.sum += match values.null_count() {
            0 => values
                .values()
                .iter()
                .map(|value| float(*value))
                .sum::<f64>(),
            _ => values.iter().flatten().map(&float).sum::<f64>(),
        };
        let sampled = values.iter().step_by(stride).flatten();
        sampled.for_each(|value| self.spread.add(float(value), stride as f64));
    }

    fn times<T: ArrowPrimitiveType>(&mut self, column: &ArrayRef, stride: usize)
    where
        T::Native: Into<i128>,
    {
        let values = column.as_primitive::<T>();
        self.bits(column, values, stride, |value| value.into() as u64);
        self.whole_bounds(values);
    }

    fn whole_bounds<T: ArrowPrimitiveType>(&mut self, values: &PrimitiveArray<T>)
    where
        T::Native: Into<i128>,
    {
        let (Some(low), Some(high)) = (min(values), max(values)) else {
            return;
        };
        let (low, high): (i128, i128) = (low.into(), high.into());
        self.widen(&Bounds::Whole(low, high));
    }

    fn floats(&mut self, column: &ArrayRef, stride: usize) {
        let values = column.as_primitive::<Float64Type>();
        self.bits(column, values, stride, f64::to_bits);
        let present = column.len() - column.null_count();
        if !self.open || present == 0 {
            return;
        }
        if let (Some(low), Some(high)) = (min(values), max(values)) {
            self.widen(&Bounds::Float(low, high));
        }
        self.numbers += present as u64;
        self.sum += sum(values).unwrap_or_default();
        let sampled = values.iter().step_by(stride).flatten();
        sampled.for_each(|value| self.spread.add(value, stride as f64));
    }

    fn bits<T: ArrowPrimitiveType>(
        &mut self,
        column: &ArrayRef,
        values: &PrimitiveArray<T>,
        stride: usize,
        bits: impl Fn(T::Native) -> u64,
    ) {
        let nulls = values.nulls();
        let is_null = |index: usize| nulls.is_some_and(|nulls| nulls.is_null(index));
        let mut before = None;
        for (index, value) in values.values().iter().enumerate() {
            let bits = bits(*value);
            if before == Some(bits) || is_null(index) {
                continue;
            }
            before = Some(bits);
            self.distinct.add(bits);
        }
        if !self.open {
            return;
        }
        for index in (0..values.len()).step_by(stride) {
            if !is_null(index) {
                let shown = || array_value_to_string(column, index).unwrap_or_default();
                let bits = bits(values.value(index));
                self.frequent.add(bits, stride as u64, shown);
            }
        }
    }

    fn widen(&mut self, other: &Bounds) {
        if !self.open {
            return;
        }
        self.bounds = match (&self.bounds, other) {
            (Bounds::Whole(low, high), Bounds::Whole(a, b)) => {
                Bounds::Whole(*low.min(a), *high.max(b))
            }
            (Bounds::Float(low, high), Bounds::Float(a, b)) => {
                Bounds::Float(low.min(*a), high.max(*b))
            }
            (Bounds::Text(low, high), Bounds::Text(a, b)) => {
                Bounds::Text(low.min(a).clone(), high.max(b).clone())
            }
            (mine, Bounds::None) => mine.clone(),
            (_, theirs) => theirs.clone(),
        };
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        self.distinct.merge(&other.distinct);
        self.widen(&other.bounds);
        self.sum += other.sum;
        self.numbers += other.numbers;
        self.spread.merge(&other.spread);
        self.frequent.merge(&other.frequent);
    }

    pub(super) fn summary(&self) -> FieldSummary {
        let counted = !matches!(self.data_type, DataType::Binary);
        let (min, max) = self.shown_bounds().unzip();
        let top = self.frequent.top(TOP).into_iter();
        FieldSummary {
            rows: self.rows,
            nulls: self.nulls,
            distinct: counted.then(|| self.distinct.estimate().min(self.rows - self.nulls)),
            min,
            max,
            mean: (self.numbers > 0).then(|| self.sum / self.numbers as f64),
            quantiles: self.spread.quantiles([0.05, 0.25, 0.5, 0.75, 0.95]),
            top: top.map(|(value, rows)| (value.to_owned(), rows)).collect(),
        }
    }

    fn shown_bounds(&self) -> Option<(String, String)> {
        let whole = |value: i128| match &self.data_type {
            DataType::Date32 => i32::try_from(value).map_or_else(|_| value.to_string(), day),
            DataType::Timestamp(_, _) => {
                i64::try_from(value).map_or_else(|_| value.to_string(), instant)
            }
            DataType::Decimal128(_, scale) => decimal(value, *scale),
            _ => value.to_string(),
        };
        let short = |text: &str| text.chars().take(BOUND_CHARS_MAX).collect();
        match &self.bounds {
            Bounds::None => None,
            Bounds::Whole(low, high) => Some((whole(*low), whole(*high))),
            Bounds::Float(low, high) => Some((low.to_string(), high.to_string())),
            Bounds::Text(low, high) => Some((short(low), short(high))),
        }
    }
}

/// The first sixteen bytes of a text, as a number that sorts as they do.
#[inline]
fn beginning(text: &str) -> u128 {
    let mut start = [0; 16];
    let bytes = text.as_bytes();
    let length = bytes.len().min(16);
    start[..length].copy_from_slice(&bytes[..length]);
    u128::from_be_bytes(start)
}

/// The same of a text of an array: up to twelve bytes stand in its view.
#[inline]
fn beginning_of(texts: &StringViewArray, index: usize) -> u128 {
    let view = texts.views()[index];
    match view as u32 {
        0..=12 => (view >> 32).swap_bytes(),
        _ => beginning(texts.value(index)),
    }
}

#[inline]
fn text_hash(texts: &StringViewArray, index: usize) -> u64 {
    let view = texts.views()[index];
    let mut hasher = FixedState::default().build_hasher();
    match view as u32 {
        0..=12 => hasher.write_u128(view),
        _ => hasher.write(texts.value(index).as_bytes()),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Float64Array;
    use proptest::prelude::*;

    use super::*;

    fn of(column: &ArrayRef) -> FieldSummary {
        let mut field = FieldColumn::new(column.data_type(), true);
        field.add(column);
        field.summary()
    }

    proptest! {
        #[test]
        fn texts_are_summed_up(texts in proptest::collection::vec(proptest::option::of("[ab]{0,3}|a text that is longer than a view [ab]{1,2}|\\PC{0,20}"), 0..60)) {
            let column: ArrayRef = Arc::new(StringViewArray::from_iter(texts.iter().map(Option::as_deref)));
            let summary = of(&column);
            let short = |text: Option<&String>| text.map(|text| text.chars().take(BOUND_CHARS_MAX).collect::<String>());
            prop_assert_eq!(summary.min, short(texts.iter().flatten().min()));
            prop_assert_eq!(summary.max, short(texts.iter().flatten().max()));
            let different: std::collections::BTreeSet<_> = texts.iter().flatten().collect();
            // Two of sixty may fall into one register of the count.
            prop_assert!(summary.distinct.is_some_and(|told| told.abs_diff(different.len() as u64) <= 3));
        }

        #[test]
        fn numbers_are_summed_up(numbers in proptest::collection::vec(proptest::option::of(-50..50_i32), 0..60)) {
            let column: ArrayRef = Arc::new(Float64Array::from_iter(numbers.iter().map(|it| it.map(f64::from))));
            let summary = of(&column);
            let present: Vec<i32> = numbers.iter().flatten().copied().collect();
            prop_assert_eq!(summary.min, present.iter().min().map(|it| f64::from(*it).to_string()));
            prop_assert_eq!(summary.nulls as usize, numbers.len() - present.len());
            let different: std::collections::BTreeSet<_> = present.iter().collect();
            // Two of sixty may fall into one register of the count.
            prop_assert!(summary.distinct.is_some_and(|told| told.abs_diff(different.len() as u64) <= 3));
            let mean = (!present.is_empty()).then(|| f64::from(present.iter().sum::<i32>()) / present.len() as f64);
            let is_near = match (summary.mean, mean) {
                (Some(told), Some(mean)) => (told - mean).abs() < 1e-9,
                (told, mean) => told == mean,
            };
            prop_assert!(is_near);
        }
    }
}
