//! One row of a function's arguments, and results built row by row.
//!
//! The rule that NULL in is NULL out stands here once: a body sees only rows whose every argument has a value.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewBuilder, Date32Builder, Float64Builder, Int64Builder,
    StringBuilder,
};
use arrow::datatypes::{Date32Type, Float64Type};
use chrono::NaiveDate;
use datafusion::common::exec_err;
use datafusion::error::Result;

/// The arguments of one row; each has a value.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    args: &'a [ArrayRef],
    at: usize,
}

impl<'a> Row<'a> {
    pub(crate) fn has(self, argument: usize) -> bool {
        argument < self.args.len()
    }

    pub(crate) fn text(self, argument: usize) -> &'a str {
        self.args[argument].as_string_view().value(self.at)
    }

    /// The text, or nothing where the argument was left out or is blank.
    pub(crate) fn optional_text(self, argument: usize) -> Option<&'a str> {
        let text = self.has(argument).then(|| self.text(argument).trim());
        text.filter(|text| !text.is_empty())
    }

    pub(crate) fn number(self, argument: usize) -> f64 {
        self.args[argument]
            .as_primitive::<Float64Type>()
            .value(self.at)
    }

    pub(crate) fn number_or(self, argument: usize, default: f64) -> f64 {
        if self.has(argument) {
            self.number(argument)
        } else {
            default
        }
    }

    /// A whole number within bounds; `what` names the argument in the error.
    pub(crate) fn whole(self, argument: usize, what: &str, bounds: [i32; 2]) -> Result<i32> {
        let number = self.number(argument);
        let [least, most] = bounds.map(f64::from);
        if number.fract() != 0.0 || !(least..=most).contains(&number) {
            return exec_err!("{what} is a whole number from {least} to {most}, not {number}");
        }
        // Within the bounds of an i32, as just seen.
        Ok(number as i32)
    }

    pub(crate) fn date(self, argument: usize) -> Result<NaiveDate> {
        let days = self.args[argument]
            .as_primitive::<Date32Type>()
            .value(self.at);
        match Date32Type::to_naive_date_opt(days) {
            Some(date) => Ok(date),
            None => exec_err!("{days} days after 1970-01-01 is no date"),
        }
    }

    pub(crate) fn optional_date(self, argument: usize) -> Result<Option<NaiveDate>> {
        let date = self.has(argument).then(|| self.date(argument));
        date.transpose()
    }

    pub(crate) fn bytes(self, argument: usize) -> &'a [u8] {
        self.args[argument].as_binary_view().value(self.at)
    }

    /// The texts of a list; a NULL within is left out.
    pub(crate) fn texts(self, argument: usize) -> Vec<String> {
        let list = self.args[argument].as_list::<i32>().value(self.at);
        let texts = list.as_string::<i32>().iter().flatten();
        texts.map(str::to_owned).collect()
    }

    /// The numbers of a list; a NULL within keeps its place.
    pub(crate) fn numbers(self, argument: usize) -> Vec<Option<f64>> {
        let list = self.args[argument].as_list::<i32>().value(self.at);
        list.as_primitive::<Float64Type>().iter().collect()
    }
}

/// Calls `each` for every row: with its arguments, or without when one of them is NULL.
fn for_each<'a>(
    args: &'a [ArrayRef],
    rows: usize,
    mut each: impl FnMut(Option<Row<'a>>) -> Result<()>,
) -> Result<()> {
    for at in 0..rows {
        let complete = args.iter().all(|array| array.is_valid(at));
        each(complete.then_some(Row { args, at }))?;
    }
    Ok(())
}

pub(crate) fn texts<'a>(
    args: &'a [ArrayRef],
    rows: usize,
    mut body: impl FnMut(Row<'a>) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let mut out = StringBuilder::with_capacity(rows, rows * 16);
    for_each(args, rows, |row| {
        out.append_option(row.map(&mut body).transpose()?.flatten());
        Ok(())
    })?;
    Ok(Arc::new(out.finish()))
}

pub(crate) fn numbers<'a>(
    args: &'a [ArrayRef],
    rows: usize,
    mut body: impl FnMut(Row<'a>) -> Result<Option<f64>>,
) -> Result<ArrayRef> {
    let mut out = Float64Builder::with_capacity(rows);
    for_each(args, rows, |row| {
        out.append_option(row.map(&mut body).transpose()?.flatten());
        Ok(())
    })?;
    Ok(Arc::new(out.finish()))
}

pub(crate) fn integers<'a>(
    args: &'a [ArrayRef],
    rows: usize,
    mut body: impl FnMut(Row<'a>) -> Result<Option<i64>>,
) -> Result<ArrayRef> {
    let mut out = Int64Builder::with_capacity(rows);
    for_each(args, rows, |row| {
        out.append_option(row.map(&mut body).transpose()?.flatten());
        Ok(())
    })?;
    Ok(Arc::new(out.finish()))
}

pub(crate) fn dates<'a>(
    args: &'a [ArrayRef],
    rows: usize,
    mut body: impl FnMut(Row<'a>) -> Result<Option<NaiveDate>>,
) -> Result<ArrayRef> {
    let mut out = Date32Builder::with_capacity(rows);
    for_each(args, rows, |row| {
        let date = row.map(&mut body).transpose()?.flatten();
        out.append_option(date.map(Date32Type::from_naive_date));
        Ok(())
    })?;
    Ok(Arc::new(out.finish()))
}

/// Geometries as WKB.
pub(crate) fn geometries<'a>(
    args: &'a [ArrayRef],
    rows: usize,
    mut body: impl FnMut(Row<'a>) -> Result<Option<Vec<u8>>>,
) -> Result<ArrayRef> {
    let mut out = BinaryViewBuilder::with_capacity(rows);
    for_each(args, rows, |row| {
        out.append_option(row.map(&mut body).transpose()?.flatten());
        Ok(())
    })?;
    Ok(Arc::new(out.finish()))
}
