//! `future`: what was observed cannot lie after the run's start, as far as clocks agree.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, Int32Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use sectorlake_contract::Field;

use super::bounds::{day, instant};
use crate::cast::{Failure, as_text};
use crate::shown::quoted;
use crate::text::period_start;

const DAY_MICROS: i64 = 86_400_000_000;
/// The clocks that are furthest ahead: UTC+14. A date is in the future only where it has begun nowhere.
const AHEAD_MICROS: i64 = 14 * 3_600_000_000;

/// A vehicle's, a logger's or a publisher's clock may run so far ahead of ours: what it has just seen is no error.
const APART_MICROS: i64 = 5 * 60_000_000;

/// The last moment that is not in the future.
#[derive(Debug)]
pub(crate) struct Future {
    micros: i64,
    days: i64,
    now: String,
}

impl Future {
    /// For the times of observations only.
    pub(crate) fn of(field: &Field, started_at: DateTime<Utc>) -> Option<Self> {
        field.interval?;
        let micros = started_at.timestamp_micros();
        Some(Self {
            micros: micros.saturating_add(APART_MICROS),
            days: micros.saturating_add(AHEAD_MICROS).div_euclid(DAY_MICROS),
            now: started_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        })
    }

    pub(crate) fn check(&self, column: &ArrayRef, position: usize, failures: &mut Vec<Failure>) {
        let mut tell = |index: usize, value: String| {
            let message = format!(
                "value {value} lies in the future: the run began at {}",
                self.now
            );
            failures.push(Failure {
                index,
                field: position,
                rule: "future",
                message,
            });
        };
        match column.data_type() {
            DataType::Date32 => {
                let values = column.as_primitive::<Date32Type>();
                let later = |value: i32| i64::from(value) > self.days;
                // A first look over the bare values; those under a NULL may only cost the second.
                if values.values().iter().any(|value| later(*value)) {
                    let found = values.iter().enumerate();
                    found
                        .filter_map(|(index, value)| Some((index, value.filter(|it| later(*it))?)))
                        .for_each(|(index, value)| tell(index, day(value)));
                }
            }
            DataType::Timestamp(_, _) => {
                let values = column.as_primitive::<TimestampMicrosecondType>();
                let later = |value: i64| value > self.micros;
                if values.values().iter().any(|value| later(*value)) {
                    let found = values.iter().enumerate();
                    found
                        .filter_map(|(index, value)| Some((index, value.filter(|it| later(*it))?)))
                        .for_each(|(index, value)| tell(index, instant(value)));
                }
            }
            DataType::Int32 => {
                let years = column.as_primitive::<Int32Type>().iter().enumerate();
                let begun =
                    |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).map(|day| self.has_begun(day));
                years
                    .filter_map(|(index, year)| Some((index, year?)))
                    .filter(|(_, year)| begun(*year) == Some(false))
                    .for_each(|(index, year)| tell(index, year.to_string()));
            }
            _ => {
                // What names no period is for `pattern` to judge.
                let Some(texts) = as_text(column) else { return };
                texts
                    .present()
                    .filter(|(_, text)| period_start(text).is_some_and(|day| !self.has_begun(day)))
                    .for_each(|(index, text)| tell(index, quoted(text)));
            }
        }
    }

    fn has_begun(&self, day: NaiveDate) -> bool {
        i64::from(Date32Type::from_naive_date(day)) <= self.days
    }
}
