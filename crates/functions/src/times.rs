//! Dates, instants and GTFS clock times from text.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Builder, Int64Builder, StringViewArray,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Date32Type, TimeUnit};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Function, Kind};

const TEXT_2: &[Kind] = &[Kind::Text, Kind::Text];
const TEXT_3: &[Kind] = &[Kind::Text, Kind::Text, Kind::Text];

/// What becomes of text that cannot be read.
#[derive(Clone, Copy)]
enum Bad {
    Fails,
    IsNull,
}

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let about = "An instant from text in a chrono format. Without an offset in the text it is read in the IANA zone (left out: UTC). Blank text is NULL.";
    let example = "parse_timestamp('25/12/2024 07:30', '%d/%m/%Y %H:%M', 'Asia/Ho_Chi_Minh')";
    let timestamp = |name, body| {
        Function::new(name, TEXT_3, instant.clone(), body, about, example)
            .required(2)
            .into()
    };
    let about = "A date from text in a chrono format. Blank text is NULL.";
    let date = |name, body| {
        Function::new(
            name,
            TEXT_2,
            DataType::Date32,
            body,
            about,
            "parse_date('25/12/2024', '%d/%m/%Y')",
        )
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
    items: Vec<Item<'static>>,
}

impl Format {
    fn set(&mut self, text: &str) -> Result<()> {
        if self.text != text || self.items.is_empty() {
            let items = StrftimeItems::new(text).parse_to_owned();
            self.items = items.map_err(|_| {
                exec_datafusion_err!(
                    "{text:?} is not a chrono date format (as in '%d/%m/%Y %H:%M')"
                )
            })?;
            text.clone_into(&mut self.text);
        }
        Ok(())
    }

    fn parsed(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        Some(parsed)
    }
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
        let instant = format
            .parsed(text)
            .and_then(|parsed| instant(&parsed, zone.zone));
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
    match zone.from_local_datetime(&NaiveDateTime::new(date, time)) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
            Some(instant.with_timezone(&Utc))
        }
        MappedLocalTime::None => None,
    }
}

fn dates(args: &[ArrayRef], rows: usize, bad: Bad) -> Result<ArrayRef> {
    let (texts, formats) = (args[0].as_string_view(), args[1].as_string_view());
    let mut format = Format::default();
    let mut out = Date32Builder::with_capacity(rows);
    for row in 0..rows {
        let (Some(text), Some(format_text)) = (value(texts, row), value(formats, row)) else {
            out.append_null();
            continue;
        };
        format.set(format_text)?;
        let text = text.trim();
        let date: Option<NaiveDate> = format
            .parsed(text)
            .and_then(|parsed| parsed.to_naive_date().ok());
        let date = bad.resolve(text, date, || {
            format!("{text:?} is not a date in format {format_text:?}")
        })?;
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
