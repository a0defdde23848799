//! `future`: what was observed cannot lie after the run's start.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use chrono::{DateTime, SecondsFormat, Utc};
use sectorlake_contract::Field;

use super::bounds::{day, instant};
use crate::cast::Failure;

const DAY_MICROS: i64 = 86_400_000_000;
/// The clocks that are furthest ahead: UTC+14. A date is in the future only where it has begun nowhere.
const AHEAD_MICROS: i64 = 14 * 3_600_000_000;

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
            micros,
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
            _ => {}
        }
    }
}
