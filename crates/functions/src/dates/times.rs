//! Dates, instants and GTFS clock times from text.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, Int64Builder, StringViewArray,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Date32Type, TimeUnit};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use super::calendar::{self, Named};
use crate::function::{Function, Kind};

const DATE: &[Kind] = &[Kind::Label, Kind::Text];
const INSTANT: &[Kind] = &[Kind::Label, Kind::Text, Kind::Text];

/// What becomes of text that cannot be read.
#[derive(Clone, Copy)]
enum Bad {
    Fails,
    IsNull,
}

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let about = "An instant from text in a format named as in parse_date (a time of day behind the date as HH:MM, HH:MM:SS, with AM, PM, SA or CH, an offset or Z; 24:00 is the next midnight) or in a chrono pattern. Without an offset in the text it is read in the IANA zone (left out: UTC). Blank text is NULL.";
    let example = "parse_timestamp('25/12/2024 07:30', '%d/%m/%Y %H:%M', 'Asia/Ho_Chi_Minh')";
    let timestamp = |name, body| {
        Function::new(name, INSTANT, instant.clone(), body, about, example)
            .required(2)
            .into()
    };
    let about = "A date from text in a format named iso, dmy, mdy or ymd (parts between - / . or blanks, or eight digits; the year in four digits; Ngày … tháng … năm … too), the same with -be for Buddhist years, excel or excel1904 for a spreadsheet's day numbers, or in a chrono pattern such as '%d/%m/%Y'. Without a format only what can be read one way is read: '03/04/2024' is an error. Blank text is NULL.";
    let date = |name, body| {
        Function::new(
            name,
            DATE,
            DataType::Date32,
            body,
            about,
            "parse_date('25/12/2024', 'dmy')",
        )
        .required(1)
        .into()
    };
    let about = "Seconds since the service day's start of a GTFS clock time, which may pass 24:00:00. Blank text is NULL.";
    let clock = |name, body| {
        Function::new(
            name,
            &[Kind::Text],
            DataType::Int64,
            body,
            about,
            "gtfs_seconds('25:10:00') = 90600",
        )
        .into()
    };
    vec![
        timestamp("parse_timestamp", |args, rows| {
            timestamps(args, rows, Bad::Fails)
        }),
        timestamp("try_parse_timestamp", |args, rows| {
            timestamps(args, rows, Bad::IsNull)
        }),
        date("parse_date", |args, rows| dates(args, rows, Bad::Fails)),
        date("try_parse_date", |args, rows| {
            dates(args, rows, Bad::IsNull)
        }),
        clock("gtfs_seconds", |args, rows| clocks(args, rows, Bad::Fails)),
        clock("try_gtfs_seconds", |args, rows| {
            clocks(args, rows, Bad::IsNull)
        }),
    ]
}

impl Bad {
    /// NULL for blank text, and for bad text where it may be.
    fn resolve<T>(
        self,
        text: &str,
        read: Option<T>,
        reason: impl FnOnce() -> String,
    ) -> Result<Option<T>> {
        match (self, read) {
            (_, Some(value)) => Ok(Some(value)),
            (Self::Fails, None) if !text.is_empty() => exec_err!("{}", reason()),
            _ => Ok(None),
        }
    }
}

/// A format parsed once and kept while the column repeats it.
#[derive(Default)]
struct Format {
    text: String,
    how: How,
}

enum How {
    Named(Named),
    Pattern(Vec<Item<'static>>),
}

impl Default for How {
    fn default() -> Self {
        Self::Pattern(Vec::new())
    }
}

impl Format {
    fn set(&mut self, text: &str) -> Result<()> {
        if self.text == text && !text.is_empty() {
            return Ok(());
        }
        let named = Named::of(text).map(How::Named);
        let pattern = || StrftimeItems::new(text).parse_to_owned().ok();
        let pattern = || text.contains('%').then(pattern).flatten().map(How::Pattern);
        self.how = named.or_else(pattern).ok_or_else(|| {
            exec_datafusion_err!(
                "{text:?} is not a date format: name one of {}, or write a chrono pattern (as in '%d/%m/%Y %H:%M')",
                calendar::NAMES
            )
        })?;
        text.clone_into(&mut self.text);
        Ok(())
    }

    fn date(&self, text: &str) -> Option<NaiveDate> {
        match &self.how {
            How::Named(named) => named.date(text),
            How::Pattern(items) => parsed(items, text)?.to_naive_date().ok(),
        }
    }

    fn why_not(&self, text: &str) -> &'static str {
        match &self.how {
            How::Named(named) => named.why_not(text),
            How::Pattern(_) => "",
        }
    }

    fn instant(&self, text: &str, zone: Tz) -> Option<DateTime<Utc>> {
        match &self.how {
            How::Named(named) => named.instant(text, zone),
            How::Pattern(items) => instant(&parsed(items, text)?, zone),
        }
    }
}

fn parsed(items: &[Item<'static>], text: &str) -> Option<Parsed> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items.iter()).ok()?;
    Some(parsed)
}

/// A zone looked up once and kept while the column repeats it.
struct Zone {
    name: String,
    zone: Tz,
}

impl Zone {
    fn set(&mut self, name: &str) -> Result<()> {
        if self.name != name {
            self.zone = name.parse().map_err(|_| {
                exec_datafusion_err!("{name:?} is not an IANA time zone (as in 'Asia/Ho_Chi_Minh')")
            })?;
            name.clone_into(&mut self.name);
        }
        Ok(())
    }
}

fn value(array: &StringViewArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

fn timestamps(args: &[ArrayRef], rows: usize, bad: Bad) -> Result<ArrayRef> {
    let (texts, formats) = (args[0].as_string_view(), args[1].as_string_view());
    let zones = args.get(2).map(|array| array.as_string_view());
    let (mut format, mut zone) = (
        Format::default(),
        Zone {
            name: String::new(),
            zone: Tz::UTC,
        },
    );
    let mut out = TimestampMicrosecondBuilder::with_capacity(rows);
    for row in 0..rows {
        let zone_name = zones.map_or(Some("UTC"), |zones| value(zones, row));
        let (Some(text), Some(format_text), Some(zone_name)) =
            (value(texts, row), value(formats, row), zone_name)
        else {
            out.append_null();
            continue;
        };
        format.set(format_text)?;
        zone.set(zone_name)?;
        let text = text.trim();
        let instant = format.instant(text, zone.zone);
        let micros = bad.resolve(text, instant, || {
            format!("{text:?} is not a time in format {format_text:?} and zone {zone_name}")
        })?;
        out.append_option(micros.map(|instant| instant.timestamp_micros()));
    }
    Ok(Arc::new(out.finish().with_timezone("UTC")))
}

/// The instant: by the text's own offset or epoch, else by the zone's wall clock. An hour that happens twice is the earlier one; an hour that
/// the zone skips is none. A format without a time of day is midnight.
fn instant(parsed: &Parsed, zone: Tz) -> Option<DateTime<Utc>> {
    if parsed.offset().is_some() {
        return Some(parsed.to_datetime().ok()?.with_timezone(&Utc));
    }
    if let Some(seconds) = parsed.timestamp() {
        return DateTime::from_timestamp(seconds, parsed.nanosecond().unwrap_or(0));
    }
    let date = parsed.to_naive_date().ok()?;
    let timed = parsed.hour_mod_12().is_some() || parsed.minute().is_some();
    let time = if timed {
        parsed.to_naive_time().ok()?
    } else {
        NaiveTime::MIN
    };
    calendar::of_wall_clock(NaiveDateTime::new(date, time), zone)
}

fn dates(args: &[ArrayRef], rows: usize, bad: Bad) -> Result<ArrayRef> {
    let texts = args[0].as_string_view();
    let formats = args.get(1).map(|array| array.as_string_view());
    let mut format = Format::default();
    let mut out = Date32Builder::with_capacity(rows);
    for row in 0..rows {
        let declared = formats.map(|formats| value(formats, row));
        let Some(text) = value(texts, row).filter(|_| declared != Some(None)) else {
            out.append_null();
            continue;
        };
        let text = text.trim();
        let read = match declared.flatten() {
            None => calendar::undeclared(text),
            Some(declared) => {
                format.set(declared)?;
                let date = format.date(text);
                date.ok_or_else(|| {
                    format!(
                        "{text:?} is not a date in format {declared:?}{}",
                        format.why_not(text)
                    )
                })
            }
        };
        let reason = read.as_ref().err().cloned().unwrap_or_default();
        let date = bad.resolve(text, read.ok(), || reason)?;
        out.append_option(date.map(Date32Type::from_naive_date));
    }
    Ok(Arc::new(out.finish()))
}

fn clocks(args: &[ArrayRef], rows: usize, bad: Bad) -> Result<ArrayRef> {
    let mut out = Int64Builder::with_capacity(rows);
    for text in args[0].as_string_view() {
        let Some(text) = text.map(str::trim) else {
            out.append_null();
            continue;
        };
        let seconds = bad.resolve(text, gtfs_seconds(text), || {
            format!("{text:?} is not a GTFS clock time (H:MM:SS or HH:MM:SS)")
        })?;
        out.append_option(seconds);
    }
    Ok(Arc::new(out.finish()))
}

/// `HH:MM:SS` or `H:MM:SS`, as the GTFS reference's field type Time has it; hours past 24 belong to the service day.
fn gtfs_seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some()
        || !(1..=3).contains(&hours.len())
        || minutes.len() != 2
        || seconds.len() != 2
    {
        return None;
    }
    let number = |digits: &str| {
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse::<i64>().ok())
            .flatten()
    };
    let (hours, minutes, seconds) = (number(hours)?, number(minutes)?, number(seconds)?);
    (minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}
