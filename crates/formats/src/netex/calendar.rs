//! On which dates a day type is: its assignments to dates, and to periods by the days of the week that it is of.

use std::collections::{BTreeSet, HashMap};

use arrow::compute::kernels::cast_utils::Parser;
use arrow::datatypes::Date32Type;

use super::references::References;
use super::{Cell, flag, id};
use crate::transmodel::{all, cell, reference, text};
use crate::xml::tree::Element;

pub(super) const COLUMNS: [&str; 2] = ["day_type_ref", "date"];

/// Dates of one day type, at most: a century.
const DATES_MAX: usize = 36_525;
/// All days of the week, Monday the lowest bit.
const EVERY_DAY: u8 = 0b111_1111;
/// What an entry takes beside its texts, about.
const ENTRY_BYTES: usize = 96;

/// What a document says of dates. A date is a number of days since 1970.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    /// Day type → days of the week.
    weekdays: HashMap<String, u8>,
    periods: HashMap<String, Period>,
    days: HashMap<String, i32>,
    /// By day type: its place in the document, and what is assigned to it.
    assigned: HashMap<String, (usize, Vec<Assignment>)>,
    bytes: usize,
}

#[derive(Debug, Clone)]
struct Period {
    from: i32,
    to: i32,
    /// Of each day since `from` whether it counts (`ValidDayBits`).
    bits: Option<String>,
}

#[derive(Debug, Clone)]
struct Assignment {
    what: What,
    is_available: bool,
}

#[derive(Debug, Clone)]
enum What {
    Date(i32),
    /// An operating day, by its id.
    Day(String),
    /// An operating period, by its id.
    Period(String),
    /// Nothing that can be read, and what it says.
    Unknown(String),
}

/// The date that a text begins with.
fn date(text: &str) -> Option<i32> {
    Date32Type::parse(text.get(..10)?)
}

fn written(date: i32) -> String {
    Date32Type::to_naive_date_opt(date).map_or_else(String::new, |date| date.to_string())
}

impl Calendar {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// What `of` finds here, or else in the other documents' calendar.
    fn find<'a, T>(
        &'a self,
        other: Option<&'a Self>,
        of: impl Fn(&'a Self) -> Option<T>,
    ) -> Option<T> {
        of(self).or_else(|| of(other?))
    }

    pub(super) fn take(&mut self, element: &Element, other: Option<&Self>) {
        self.bytes += ENTRY_BYTES;
        match element.name.as_str() {
            "DayTypeAssignment" => self.assignment(element),
            "DayType" => {
                let days = all(element, "properties/PropertyOfDay/DaysOfWeek");
                let days = days.iter().map(|days| weekdays(&days.text));
                let days = days.reduce(|all, days| all | days).unwrap_or(EVERY_DAY);
                if let (Some(id), true) = (id(element), days != EVERY_DAY) {
                    self.bytes += id.len();
                    self.weekdays.insert(id.to_owned(), days);
                }
            }
            "OperatingDay" => {
                let date = text(element, "CalendarDate").and_then(date);
                if let (Some(id), Some(date)) = (id(element), date) {
                    self.bytes += id.len();
                    self.days.insert(id.to_owned(), date);
                }
            }
            _ => {
                if let (Some(id), Some(period)) = (id(element), self.period(element, other)) {
                    self.bytes += id.len() + period.bits.as_ref().map_or(0, String::len);
                    self.periods.insert(id.to_owned(), period);
                }
            }
        }
    }

    fn period(&self, element: &Element, other: Option<&Self>) -> Option<Period> {
        let end = |name: &str| {
            let day = reference(element, &format!("{name}OperatingDayRef"));
            let day = day.and_then(|day| self.find(other, |it| it.days.get(day).copied()));
            text(element, &format!("{name}Date")).and_then(date).or(day)
        };
        Some(Period {
            from: end("From")?,
            to: end("To")?,
            bits: text(element, "ValidDayBits").map(str::to_owned),
        })
    }

    fn assignment(&mut self, element: &Element) {
        let Some(day_type) = reference(element, "DayTypeRef") else {
            return;
        };
        let said = text(element, "Date");
        let day = reference(element, "OperatingDayRef");
        let period = reference(element, "OperatingPeriodRef")
            .or_else(|| reference(element, "UicOperatingPeriodRef"));
        let what = match (said, day, period) {
            (Some(said), ..) => {
                date(said).map_or_else(|| What::Unknown(said.to_owned()), What::Date)
            }
            (None, Some(day), _) => What::Day(day.to_owned()),
            (None, None, Some(period)) => What::Period(period.to_owned()),
            (None, None, None) => What::Unknown("neither a date nor a period".to_owned()),
        };
        let next = self.assigned.len();
        self.bytes += day_type.len() + day.or(period).map_or(0, str::len);
        let assigned = self.assigned.entry(day_type.to_owned());
        let (_, assigned) = assigned.or_insert_with(|| (next, Vec::new()));
        assigned.push(Assignment {
            what,
            is_available: flag(element, "isAvailable").unwrap_or(true),
        });
    }

    /// The dates that a day type is on: later assignments go before earlier ones.
    fn dates(
        &self,
        day_type: &str,
        assigned: &[Assignment],
        other: Option<&Self>,
    ) -> Result<BTreeSet<i32>, String> {
        let weekdays = self.find(other, |it| it.weekdays.get(day_type).copied());
        let weekdays = weekdays.unwrap_or(EVERY_DAY);
        let mut found = BTreeSet::new();
        for assignment in assigned {
            for date in self.days_of(&assignment.what, weekdays, other)? {
                match assignment.is_available {
                    true => found.insert(date),
                    false => found.remove(&date),
                };
            }
            if found.len() > DATES_MAX {
                return Err(format!("{day_type} is on more than {DATES_MAX} dates"));
            }
        }
        Ok(found)
    }

    fn days_of(&self, what: &What, weekdays: u8, other: Option<&Self>) -> Result<Vec<i32>, String> {
        let period = match what {
            What::Date(date) => return Ok(vec![*date]),
            What::Unknown(said) => {
                return Err(format!("it is assigned to {said}, which is no date"));
            }
            What::Day(id) => {
                let day = self.find(other, |it| it.days.get(id).copied());
                return day.map(|date| vec![date]).ok_or_else(|| missing(id));
            }
            What::Period(id) => {
                let period = self.find(other, |it| it.periods.get(id));
                period.ok_or_else(|| missing(id))?
            }
        };
        let length = i64::from(period.to) - i64::from(period.from) + 1;
        if length > DATES_MAX as i64 {
            return Err(format!("a period of it has {length} days"));
        }
        let counts = |date: &i32| match &period.bits {
            Some(bits) => {
                let index = usize::try_from(date - period.from).unwrap_or(usize::MAX);
                bits.as_bytes().get(index) == Some(&b'1')
            }
            // 1970 began on a Thursday.
            None => weekdays & (1 << (date + 3).rem_euclid(7)) != 0,
        };
        Ok((period.from..=period.to).filter(counts).collect())
    }
}

fn missing(id: &str) -> String {
    format!("{id} stands in no part of this publication")
}

/// A list of `DayOfWeekEnumeration`.
fn weekdays(said: &str) -> u8 {
    said.split_whitespace()
        .map(|day| match day {
            "Monday" => 1,
            "Tuesday" => 1 << 1,
            "Wednesday" => 1 << 2,
            "Thursday" => 1 << 3,
            "Friday" => 1 << 4,
            "Saturday" => 1 << 5,
            "Sunday" => 1 << 6,
            "Weekdays" => 0b001_1111,
            "Weekend" => 0b110_0000,
            "Everyday" => EVERY_DAY,
            _ => 0,
        })
        .fold(0, |all, day| all | day)
}

/// Of a day type all dates, at its first assignment; of a dated journey its own.
pub(super) fn dates<'a>(
    element: &'a Element,
    known: &References,
    made: &mut Vec<bool>,
) -> Result<Vec<(Vec<Cell>, &'a Element)>, String> {
    let (calendar, other) = (&known.calendar, known.other_calendar());
    if element.name == "DatedServiceJourney" {
        let Some(day) = reference(element, "OperatingDayRef") else {
            return Ok(Vec::new());
        };
        let date = calendar.find(other, |it| it.days.get(day).copied());
        let date = date.map(written).or_else(|| self::date(day).map(written));
        let date = date.ok_or_else(|| missing(day))?;
        let journey = reference(element, "ServiceJourneyRef");
        return Ok(vec![(vec![cell(journey), cell(Some(&date))], element)]);
    }
    let day_type = reference(element, "DayTypeRef")
        .ok_or_else(|| "the assignment names no day type".to_owned())?;
    let Some((index, assigned)) = calendar.assigned.get(day_type) else {
        return Ok(Vec::new());
    };
    made.resize(calendar.assigned.len(), false);
    if std::mem::replace(&mut made[*index], true) {
        return Ok(Vec::new());
    }
    let name = cell(Some(day_type));
    let dates = calendar.dates(day_type, assigned, other)?.into_iter();
    let row = |date| (vec![name.clone(), cell(Some(&written(date)))], element);
    Ok(dates.map(row).collect())
}
