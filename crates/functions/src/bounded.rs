//! Functions whose answer can be any number of times larger than what they are given: bounded before they are run.
//!
//! The engine accounts for what operators hold, and for nothing that a scalar function makes: `generate_series(0, 100000000000)` would
//! take all memory there is. Here the size of an answer is reckoned from the arguments first.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// Reckons the bytes of an answer, rather too many than too few.
pub(crate) type Estimate = fn(&[ColumnarValue], usize) -> Result<u128>;

/// The functions, by their first names.
pub(crate) const BOUNDED: [(&str, Estimate); 11] = [
    ("range", series),
    ("generate_series", series),
    ("array_repeat", repeated_element),
    ("array_resize", resized),
    ("array_replace_n", replaced_elements),
    ("array_replace_all", replaced_elements),
    ("array_to_string", joined),
    ("repeat", repeated),
    ("lpad", padded),
    ("rpad", padded),
    ("replace", replaced),
];

/// Bytes of a number in a list.
const NUMBER_BYTES: u128 = 8;
/// Bytes of a character, at most.
const CHARACTER_BYTES: u128 = 4;
/// Microseconds of a day, and of the shortest month.
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
const MONTH_US: i64 = 28 * DAY_US;

/// What a call may make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) bytes_max: u64,
    pub(crate) estimate: Estimate,
}

impl Room {
    /// Refuses a call whose answer would not fit.
    pub(crate) fn check(self, name: &str, args: &ScalarFunctionArgs) -> Result<()> {
        let scalar = |arg: &ColumnarValue| matches!(arg, ColumnarValue::Scalar(_));
        let rows = if args.args.iter().all(scalar) {
            1
        } else {
            args.number_rows
        };
        let bytes = (self.estimate)(&args.args, rows)?;
        if bytes > u128::from(self.bytes_max) {
            return exec_err!(
                "{name} would make {} MiB at once, and a session may make {} MiB: ask for less, or allow more memory",
                bytes >> 20,
                self.bytes_max >> 20
            );
        }
        Ok(())
    }
}

fn integers(value: &ColumnarValue, rows: usize) -> Result<Int64Array> {
    let array = cast(&value.to_array(rows)?, &DataType::Int64)?;
    Ok(array.as_primitive::<Int64Type>().clone())
}

fn texts(value: &ColumnarValue, rows: usize) -> Result<StringViewArray> {
    let array = cast(&value.to_array(rows)?, &DataType::Utf8View)?;
    Ok(array.as_string_view().clone())
}

/// The number in a row; nothing counts as none.
fn number(array: &Int64Array, row: usize) -> i64 {
    if array.is_valid(row) {
        array.value(row)
    } else {
        0
    }
}

fn count(array: &Int64Array, row: usize) -> u128 {
    u128::try_from(number(array, row)).unwrap_or_default()
}

fn length(array: &StringViewArray, row: usize) -> u128 {
    if array.is_valid(row) {
        array.value(row).len() as u128
    } else {
        0
    }
}

/// Bytes of one value, on average.
fn value_bytes(value: &ColumnarValue) -> u128 {
    if let Some(width) = value.data_type().primitive_width() {
        return width as u128;
    }
    match value {
        ColumnarValue::Scalar(scalar) => scalar.size() as u128,
        ColumnarValue::Array(array) => (array.get_array_memory_size() / array.len().max(1)) as u128,
    }
}

/// Innermost elements of lists.
fn elements(value: &ColumnarValue) -> Result<u128> {
    let mut array: ArrayRef = value.to_array(1)?;
    loop {
        array = if let Some(lists) = array.as_list_opt::<i32>() {
            lists.values().clone()
        } else if let Some(lists) = array.as_list_opt::<i64>() {
            lists.values().clone()
        } else if let Some(lists) = array.as_fixed_size_list_opt() {
            lists.values().clone()
        } else {
            return Ok(array.len() as u128);
        }
    }
}

/// `generate_series(start, stop, step)` over numbers, dates and instants.
fn series(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    if args.iter().any(|arg| arg.data_type().is_null()) {
        return Ok(0);
    }
    let (starts, stops) = match args {
        [stop] => (None, integers(stop, rows)?),
        [start, stop, ..] => (Some(ordinals(start, rows)?), ordinals(stop, rows)?),
        [] => return Ok(0),
    };
    let steps = args.get(2).map(|step| ordinals(step, rows)).transpose()?;
    let values = (0..rows).map(|row| {
        let start = starts.as_ref().map_or(0, |starts| number(starts, row));
        let step = steps.as_ref().map_or(1, |steps| number(steps, row));
        let way = i128::from(number(&stops, row)) - i128::from(start);
        let goes_on = (way >= 0) == (step > 0);
        if goes_on && step != 0 {
            way.unsigned_abs() / u128::from(step.unsigned_abs()) + 1
        } else {
            0
        }
    });
    Ok(values.sum::<u128>() * NUMBER_BYTES)
}

/// Numbers as they are, times and intervals in microseconds.
fn ordinals(value: &ColumnarValue, rows: usize) -> Result<Int64Array> {
    match value.data_type() {
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => {
            let instants = DataType::Timestamp(TimeUnit::Microsecond, None);
            let array = cast(&value.to_array(rows)?, &instants)?;
            integers(&ColumnarValue::Array(array), rows)
        }
        DataType::Interval(_) => {
            let interval = DataType::Interval(IntervalUnit::MonthDayNano);
            let array = cast(&value.to_array(rows)?, &interval)?;
            let intervals = array.as_primitive::<IntervalMonthDayNanoType>();
            let micros = intervals.iter().map(|step| {
                let step = step?;
                let days = i64::from(step.months) * MONTH_US + i64::from(step.days) * DAY_US;
                let sum = days.saturating_add(step.nanoseconds / 1000);
                // Below a microsecond it is one, so that nothing is divided by none.
                Some(if sum == 0 {
                    step.nanoseconds.signum()
                } else {
                    sum
                })
            });
            Ok(micros.collect())
        }
        _ => integers(value, rows),
    }
}

fn repeated_element(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    let [element, times] = args else { return Ok(0) };
    let times = integers(times, rows)?;
    let times = (0..rows).map(|row| count(&times, row)).sum::<u128>();
    Ok(times * value_bytes(element))
}

fn resized(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    let [_, size, filled @ ..] = args else {
        return Ok(0);
    };
    let sizes = integers(size, rows)?;
    if let Some(size) = sizes.iter().flatten().find(|size| *size < 0) {
        return exec_err!("array_resize: a list cannot have {size} elements");
    }
    let sizes = (0..rows).map(|row| count(&sizes, row)).sum::<u128>();
    Ok(sizes * filled.first().map_or(NUMBER_BYTES, value_bytes))
}

fn replaced_elements(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    let [list, _, to, ..] = args else {
        return Ok(0);
    };
    let lists = match list {
        ColumnarValue::Scalar(_) => rows as u128,
        ColumnarValue::Array(_) => 1,
    };
    Ok(elements(list)? * lists * value_bytes(to))
}

fn joined(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    let [list, delimiter, ..] = args else {
        return Ok(0);
    };
    let delimiters = texts(delimiter, rows)?;
    let longest = (0..rows).map(|row| length(&delimiters, row)).max();
    let lists = match list {
        ColumnarValue::Scalar(_) => rows as u128,
        ColumnarValue::Array(_) => 1,
    };
    Ok(elements(list)? * lists * longest.unwrap_or_default())
}

fn repeated(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    let [text, times] = args else { return Ok(0) };
    let (text, times) = (texts(text, rows)?, integers(times, rows)?);
    Ok((0..rows)
        .map(|row| length(&text, row) * count(&times, row))
        .sum())
}

fn padded(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    let [_, size, ..] = args else { return Ok(0) };
    let sizes = integers(size, rows)?;
    Ok((0..rows)
        .map(|row| count(&sizes, row) * CHARACTER_BYTES)
        .sum())
}

fn replaced(args: &[ColumnarValue], rows: usize) -> Result<u128> {
    let [text, from, to] = args else {
        return Ok(0);
    };
    let (text, from, to) = (texts(text, rows)?, texts(from, rows)?, texts(to, rows)?);
    Ok((0..rows)
        .map(|row| {
            let found = length(&text, row) / length(&from, row).max(1) + 1;
            length(&text, row) + found * length(&to, row)
        })
        .sum())
}
