//! Text → instants: UTC microseconds.

use arrow::compute::kernels::cast_utils::string_to_datetime;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::digits;

const MICROS: i64 = 1_000_000;

/// A value with an offset needs no zone; one without is read in the declared zone, else as UTC.
pub(crate) struct DatetimeParser<'a> {
    format: Option<&'a str>,
    zone: Tz,
}

impl<'a> DatetimeParser<'a> {
    pub(crate) fn new(format: Option<&'a str>, zone: Option<Tz>) -> Self {
        let format = format.filter(|format| *format != "default" && *format != "any");
        Self {
            format,
            zone: zone.unwrap_or(Tz::UTC),
        }
    }

    pub(crate) fn expected(&self) -> String {
        let shape = match self.format {
            Some(format) => format!("a date and time in the field's format {format}"),
            None => "a date and time".to_owned(),
        };
        match self.zone {
            Tz::UTC => shape,
            zone => format!("{shape} that exists in {zone}"),
        }
    }

    pub(crate) fn parse(&self, value: &str) -> Option<i64> {
        let text = value.trim_ascii();
        if let Some(format) = self.format {
            return match DateTime::parse_from_str(text, format) {
                Ok(zoned) => Some(zoned.timestamp_micros()),
                Err(_) => self.local(NaiveDateTime::parse_from_str(text, format).ok()?),
            };
        }
        match iso(text) {
            Some(Iso {
                wall,
                offset: Some(offset),
            }) => Some(wall - offset * MICROS),
            Some(Iso { wall, offset: None }) if self.zone == Tz::UTC => Some(wall),
            Some(Iso { wall, offset: None }) => {
                self.local(DateTime::from_timestamp_micros(wall)?.naive_utc())
            }
            None => self.other_iso(text),
        }
    }

    /// The rarer forms: a date alone, hours and minutes alone, a leap second.
    fn other_iso(&self, text: &str) -> Option<i64> {
        // Read as if it were UTC, then as the wall clock of the declared zone.
        let read = string_to_datetime(&Utc, text).ok()?;
        if has_offset(text) {
            Some(read.timestamp_micros())
        } else {
            self.local(read.naive_utc())
        }
    }

    fn local(&self, wall: NaiveDateTime) -> Option<i64> {
        // In the hour that a clock change repeats, the earlier instant is meant.
        self.zone
            .from_local_datetime(&wall)
            .earliest()
            .map(|time| time.timestamp_micros())
    }
}

struct Iso {
    /// Microseconds of the clock on the wall since 1970-01-01 00:00.
    wall: i64,
    /// Seconds east of UTC.
    offset: Option<i64>,
}

/// `YYYY-MM-DD[T ]HH:MM:SS[.f…][Z|±HH:MM]`: the form of nearly all values. The general parser takes several times as long,
/// which would be a quarter of a load; a test holds the two together.
fn iso(text: &str) -> Option<Iso> {
    let (head, tail) = text.as_bytes().split_at_checked(19)?;
    if head[4] != b'-'
        || head[7] != b'-'
        || !matches!(head[10], b'T' | b' ')
        || head[13] != b':'
        || head[16] != b':'
    {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        digits(&head[0..4])? as i32,
        digits(&head[5..7])?,
        digits(&head[8..10])?,
    )?;
    let (hour, minute, second) = (
        digits(&head[11..13])?,
        digits(&head[14..16])?,
        digits(&head[17..19])?,
    );
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (micros, tail) = fraction(tail)?;
    let days = i64::from(arrow::datatypes::Date32Type::from_naive_date(date));
    let seconds = days * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(Iso {
        wall: seconds * MICROS + micros,
        offset: offset(tail)?,
    })
}

/// `.f…`, up to nine digits, as microseconds; what is finer is cut off.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else {
        return Some((0, text));
    };
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > 9 {
        return None;
    }
    let kept = count.min(6);
    let scale = 10_u32.pow(6 - kept as u32);
    Some((i64::from(digits(&rest[..kept])? * scale), &rest[count..]))
}

fn offset(text: &[u8]) -> Option<Option<i64>> {
    match text {
        [] => Some(None),
        b"Z" | b"z" => Some(Some(0)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::from(hours * 3600 + minutes * 60);
            Some(Some(if *sign == b'-' { -seconds } else { seconds }))
        }
        _ => None,
    }
}

/// Whether an ISO 8601 date and time ends in `Z`, `+hh:mm`, `-hh:mm`, `+hhmm` or `+hh`.
fn has_offset(text: &str) -> bool {
    let Some(clock) = text.get(10..) else {
        return false;
    };
    clock.ends_with(['Z', 'z']) || clock.contains(['+', '-'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn local_times_are_read_in_the_declared_zone() {
        let none = DatetimeParser::new(None, None);
        assert_eq!(
            none.parse("2024-01-01T00:00:00Z"),
            Some(1_704_067_200_000_000)
        );
        assert_eq!(
            none.parse("2024-01-01T07:00:00+07:00"),
            Some(1_704_067_200_000_000)
        );
        assert_eq!(
            none.parse("2024-01-01T07:00:00+0700"),
            Some(1_704_067_200_000_000)
        );
        assert_eq!(
            none.parse("2024-01-01 00:00:00"),
            Some(1_704_067_200_000_000)
        );
        assert_eq!(
            none.parse("2024-01-01 00:00:00.250"),
            Some(1_704_067_200_250_000)
        );
        assert_eq!(none.parse("2024-01-01"), Some(1_704_067_200_000_000));
        assert_eq!(none.parse("2024-02-30 00:00:00"), None);
        assert_eq!(none.parse("2024-01-01 24:00:00"), None);
        let hai_phong = DatetimeParser::new(None, Some(Tz::Asia__Ho_Chi_Minh));
        assert_eq!(
            hai_phong.parse("2024-01-01 07:00:00"),
            Some(1_704_067_200_000_000)
        );
        let brussels = DatetimeParser::new(None, Some(Tz::Europe__Brussels));
        assert_eq!(
            brussels.parse("2024-03-31 02:30:00"),
            None,
            "skipped by the clock change"
        );
        let pattern = DatetimeParser::new(Some("%Y/%m/%d %H:%M:%S"), Some(Tz::Asia__Ho_Chi_Minh));
        assert_eq!(
            pattern.parse("2024/01/01 07:00:00"),
            Some(1_704_067_200_000_000)
        );
    }

    proptest! {
        #[test]
        fn the_quick_way_says_what_the_general_parser_says(
            seconds in -62_000_000_000_i64..200_000_000_000,
            fraction in "(\\.[0-9]{1,9})?",
            separator in "[T ]",
            offset in "(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])",
        ) {
            let wall = DateTime::from_timestamp(seconds, 0).map(|time| time.naive_utc());
            let text = wall.map(|wall| wall.format(&format!("%Y-%m-%d{separator}%H:%M:%S{fraction}{offset}")).to_string());
            let text = text.unwrap_or_default();
            let general = string_to_datetime(&Utc, &text).map(|time| time.timestamp_micros()).ok();
            prop_assert_eq!(DatetimeParser::new(None, None).parse(&text), general, "{}", text);
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,30}") {
            DatetimeParser::new(None, Some(Tz::Asia__Ho_Chi_Minh)).parse(&text);
        }
    }
}
