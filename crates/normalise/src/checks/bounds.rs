//! `minimum`, `maximum` and their exclusive forms, each in the field's own type.

use std::fmt::Display;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use sectorlake_contract::{Field, FieldType};
use serde_json::Value;

use crate::cast::{Failure, as_text};
use crate::text;

/// The bounds of one field.
#[derive(Debug)]
pub(crate) enum Bounds {
    /// Integers, years, dates (days) and instants (microseconds).
    Whole(Vec<Bound<i64>>),
    Float(Vec<Bound<f64>>),
    /// Decimals, as units of their last digit.
    Exact(Vec<Bound<i128>>),
    /// Times of day and months: their text sorts as they do.
    Text(Vec<Bound<String>>),
}

#[derive(Debug)]
pub(crate) struct Bound<T> {
    side: Side,
    limit: T,
    shown: String,
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Minimum,
    Maximum,
    ExclusiveMinimum,
    ExclusiveMaximum,
}

impl Side {
    fn rule(self) -> &'static str {
        match self {
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::ExclusiveMinimum => "exclusiveMinimum",
            Self::ExclusiveMaximum => "exclusiveMaximum",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Minimum => "is below the minimum",
            Self::Maximum => "is above the maximum",
            Self::ExclusiveMinimum => "is not above",
            Self::ExclusiveMaximum => "is not below",
        }
    }
}

impl<T: PartialOrd> Bound<T> {
    fn holds(&self, value: &T) -> bool {
        match self.side {
            Side::Minimum => *value >= self.limit,
            Side::Maximum => *value <= self.limit,
            Side::ExclusiveMinimum => *value > self.limit,
            Side::ExclusiveMaximum => *value < self.limit,
        }
    }

    fn failure(&self, index: usize, field: usize, value: &dyn Display) -> Failure {
        let message = format!("value {value} {} {}", self.side.in_words(), self.shown);
        Failure {
            index,
            field,
            rule: self.side.rule(),
            message,
        }
    }
}

impl Bounds {
    pub(crate) fn compile(field: &Field) -> Result<Self, String> {
        Ok(match &field.kind {
            FieldType::Number => Self::Float(sides(field, |limit| {
                limit.as_f64().or_else(|| text::number(limit.as_str()?))
            })?),
            FieldType::Decimal { precision, scale } => Self::Exact(sides(field, |limit| {
                text::decimal(&plain(limit), *precision, *scale)
            })?),
            FieldType::Date => Self::Whole(sides(field, |limit| {
                text::date(limit.as_str()?, None).map(i64::from)
            })?),
            FieldType::Datetime => {
                let parser = text::DatetimeParser::new(None, field.time_zone);
                Self::Whole(sides(field, |limit| parser.parse(limit.as_str()?))?)
            }
            FieldType::Integer | FieldType::Year => Self::Whole(sides(field, |limit| {
                limit.as_i64().or_else(|| text::integer(limit.as_str()?))
            })?),
            _ => Self::Text(sides(field, |limit| Some(plain(limit)))?),
        })
    }

    pub(crate) fn check(&self, column: &ArrayRef, position: usize, failures: &mut Vec<Failure>) {
        let mut judge = Judge { position, failures };
        match (self, column.data_type()) {
            (Self::Float(bounds), DataType::Float64) => {
                judge.all(
                    column.as_primitive::<Float64Type>(),
                    bounds,
                    |value| value,
                    |value| value.to_string(),
                );
            }
            (Self::Exact(bounds), DataType::Decimal128(_, scale)) => {
                let shown = |value| decimal(value, *scale);
                judge.all(
                    column.as_primitive::<Decimal128Type>(),
                    bounds,
                    |value| value,
                    shown,
                );
            }
            (Self::Whole(bounds), DataType::Int64) => {
                judge.all(
                    column.as_primitive::<Int64Type>(),
                    bounds,
                    |value| value,
                    |value| value.to_string(),
                );
            }
            (Self::Whole(bounds), DataType::Int32) => {
                judge.all(
                    column.as_primitive::<Int32Type>(),
                    bounds,
                    i64::from,
                    |value| value.to_string(),
                );
            }
            (Self::Whole(bounds), DataType::Date32) => {
                judge.all(column.as_primitive::<Date32Type>(), bounds, i64::from, day);
            }
            (Self::Whole(bounds), DataType::Timestamp(_, _)) => {
                judge.all(
                    column.as_primitive::<TimestampMicrosecondType>(),
                    bounds,
                    |value| value,
                    instant,
                );
            }
            (Self::Text(bounds), _) if !bounds.is_empty() => {
                judge.texts(column, bounds);
            }
            _ => {}
        }
    }
}

struct Judge<'a> {
    position: usize,
    failures: &'a mut Vec<Failure>,
}

impl Judge<'_> {
    fn texts(&mut self, column: &ArrayRef, bounds: &[Bound<String>]) {
        let Some(values) = as_text(column) else {
            return;
        };
        for (index, value) in values.present() {
            let value = value.to_owned();
            let broken = bounds.iter().filter(|bound| !bound.holds(&value));
            self.failures
                .extend(broken.map(|bound| bound.failure(index, self.position, &value)));
        }
    }

    /// A first pass over the bare values asks only whether all hold, which the compiler turns into wide instructions; values
    /// under a NULL may spoil it, then the second pass looks row by row.
    fn all<P: ArrowPrimitiveType, T: PartialOrd>(
        &mut self,
        column: &PrimitiveArray<P>,
        bounds: &[Bound<T>],
        value_of: impl Fn(P::Native) -> T,
        shown: impl Fn(P::Native) -> String,
    ) {
        for bound in bounds {
            let values = column.values().iter();
            if values.fold(true, |all, value| all & bound.holds(&value_of(*value))) {
                continue;
            }
            for (index, value) in column.values().iter().enumerate() {
                if !bound.holds(&value_of(*value)) && column.is_valid(index) {
                    self.failures
                        .push(bound.failure(index, self.position, &shown(*value)));
                }
            }
        }
    }
}

fn sides<T>(field: &Field, parse: impl Fn(&Value) -> Option<T>) -> Result<Vec<Bound<T>>, String> {
    let constraints = &field.constraints;
    let given = [
        (Side::Minimum, &constraints.minimum),
        (Side::Maximum, &constraints.maximum),
        (Side::ExclusiveMinimum, &constraints.exclusive_minimum),
        (Side::ExclusiveMaximum, &constraints.exclusive_maximum),
    ];
    let given = given
        .into_iter()
        .filter_map(|(side, limit)| Some((side, limit.as_ref()?)));
    given
        .map(|(side, limit)| match parse(limit) {
            Some(value) => Ok(Bound {
                side,
                limit: value,
                shown: plain(limit),
            }),
            None => Err(format!(
                "{} {limit} is not of the field's type",
                side.rule()
            )),
        })
        .collect()
}

fn plain(limit: &Value) -> String {
    limit
        .as_str()
        .map_or_else(|| limit.to_string(), str::to_owned)
}

pub(crate) fn decimal(value: i128, scale: i8) -> String {
    use arrow::datatypes::DecimalType;
    Decimal128Type::format_decimal(value, arrow::datatypes::DECIMAL128_MAX_PRECISION, scale)
}

pub(crate) fn day(days: i32) -> String {
    Date32Type::to_naive_date_opt(days).map_or_else(|| days.to_string(), |date| date.to_string())
}

pub(crate) fn instant(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros)
        .map_or_else(|| micros.to_string(), |time| time.to_rfc3339())
}
