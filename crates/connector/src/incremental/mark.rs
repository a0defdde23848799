//! How far a source is read.

use std::cmp::Ordering;
use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

/// How far a source is read. It may stand in a cursor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A time.
    Time(DateTime<Utc>),
    /// A number.
    Id(i64),
    /// An id that is no number; later ones stand behind it in the order of their bytes.
    Text(String),
}

impl Mark {
    /// The later of two; of two that cannot be compared, the other: the source now counts otherwise.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let order = match (&self, &other) {
            (Self::Time(one), Self::Time(two)) => one.cmp(two),
            (Self::Id(one), Self::Id(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            _ => Ordering::Less,
        };
        match order {
            Ordering::Greater => self,
            _ => other,
        }
    }

    pub(super) fn is_of(&self, kind: Kind) -> bool {
        matches!(self, Self::Time(_)) == (kind == Kind::Time)
    }

    /// Whether it is a time in the future of a run that began at `now`.
    #[must_use]
    pub fn is_ahead(&self, now: DateTime<Utc>) -> bool {
        matches!(self, Self::Time(time) if *time > now)
    }

    pub(super) fn not_after(self, now: DateTime<Utc>) -> Self {
        match self {
            Self::Time(time) => Self::Time(time.min(now)),
            other => other,
        }
    }

    /// So many seconds or ids before; a text has nothing before it.
    pub(super) fn back(self, window: i64) -> Self {
        match self {
            Self::Time(time) => {
                let span = TimeDelta::try_seconds(window).unwrap_or(TimeDelta::MAX);
                Self::Time(
                    time.checked_sub_signed(span)
                        .unwrap_or(DateTime::UNIX_EPOCH),
                )
            }
            Self::Id(id) => Self::Id(id.saturating_sub(window)),
            Self::Text(text) => Self::Text(text),
        }
    }

    pub(super) fn text(&self, format: Option<&str>) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Text(text) => text.clone(),
            // Cut to the second: the source may well count more finely, and must not skip what lies within it.
            Self::Time(time) => match format {
                None => time.to_rfc3339_opts(SecondsFormat::Secs, true),
                Some(UNIX) => time.timestamp().to_string(),
                Some(UNIX_MS) => time.timestamp_millis().to_string(),
                Some(format) => {
                    let mut text = String::new();
                    // Fails where nobody checked the format.
                    match write!(text, "{}", time.format(format)) {
                        Ok(()) => text,
                        Err(_) => time.to_rfc3339_opts(SecondsFormat::Secs, true),
                    }
                }
            },
        }
    }
}

const UNIX: &str = "unix";
const UNIX_MS: &str = "unix_ms";

/// Whether this is a format that times can be written in.
pub(super) fn is_format(format: &str) -> bool {
    if matches!(format, UNIX | UNIX_MS) {
        return true;
    }
    let mut has_part = false;
    for item in StrftimeItems::new(format) {
        match item {
            Item::Error => return false,
            Item::Numeric(..) | Item::Fixed(_) => has_part = true,
            _ => {}
        }
    }
    has_part
}

/// A time that the source gives. One without zone is taken as UTC.
pub(super) fn time(value: &Value, format: Option<&str>) -> Option<DateTime<Utc>> {
    let number = || match value {
        Value::Number(number) => number
            .as_i64()
            .or(number.as_f64().map(|value| value as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match format {
        Some(UNIX) => return DateTime::from_timestamp(number()?, 0),
        Some(UNIX_MS) => return DateTime::from_timestamp_millis(number()?),
        _ => {}
    }
    let text = value.as_str()?.trim();
    // A start in the pipeline file is written as people do, whatever the source's own way.
    format
        .and_then(|format| formatted(text, format))
        .or_else(|| plain(text))
}

fn formatted(text: &str, format: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_str(text, format).map(|time| time.to_utc());
    zoned
        .ok()
        .or_else(|| Some(NaiveDateTime::parse_from_str(text, format).ok()?.and_utc()))
        .or_else(|| midnight(NaiveDate::parse_from_str(text, format).ok()?))
}

/// Of an interval (ISO 8601, `start/end`) the end counts.
fn plain(text: &str) -> Option<DateTime<Utc>> {
    let text = text.split_once('/').map_or(text, |(_, end)| end);
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let naive = || {
        [
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%d %H:%M",
        ]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| time.and_utc())
    };
    zoned
        .ok()
        .or_else(naive)
        .or_else(|| midnight(text.parse().ok()?))
}

fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// An id that the source gives.
pub(super) fn id(value: &Value) -> Option<Mark> {
    match value {
        Value::Number(number) => number.as_i64().map(Mark::Id),
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(match text.parse() {
            Ok(number) => Mark::Id(number),
            Err(_) => Mark::Text(text.clone()),
        }),
        _ => None,
    }
}
