//! Dates and times of day as agencies write them, by the order of their parts.

use chrono::{
    DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// Years between the Buddhist era, as Thailand counts it, and ours.
pub(super) const BUDDHIST_YEARS: i32 = 543;
/// A year beyond is a slip of the pen, or of another era.
const YEAR_MAX: i32 = 2200;
/// Excel's last day, 9999-12-31.
const SERIAL_MAX: f64 = 2_958_465.0;
/// Excel has a 29 February 1900, which was none.
const SERIAL_OF_NO_DAY: f64 = 60.0;

/// A named format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Parts {
        order: Order,
        buddhist: bool,
    },
    /// Days since the end of 1899 or, on old Macintoshes, since 1904.
    Excel {
        is_1904: bool,
    },
}

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Year, month, day between dashes, as ISO 8601 has it.
    Iso,
    Ymd,
    Dmy,
    Mdy,
}

/// The names, for messages.
pub(super) const NAMES: &str =
    "iso, dmy, mdy, ymd, dmy-be, mdy-be, ymd-be (Buddhist years), excel, excel1904";

impl Named {
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        let (order, buddhist) = match name.strip_suffix("-be") {
            Some(order) => (order, true),
            None => (name.as_str(), false),
        };
        let order = match order {
            "iso" if !buddhist => Order::Iso,
            "ymd" => Order::Ymd,
            "dmy" => Order::Dmy,
            "mdy" => Order::Mdy,
            "excel" if !buddhist => return Some(Self::Excel { is_1904: false }),
            "excel1904" if !buddhist => return Some(Self::Excel { is_1904: true }),
            _ => return None,
        };
        Some(Self::Parts { order, buddhist })
    }

    /// The date; a time of day beside it must be midnight.
    pub(super) fn date(self, text: &str) -> Option<NaiveDate> {
        let local = self.local(text)?;
        (local.clock.time() == NaiveTime::MIN && local.offset.is_none()).then(|| local.clock.date())
    }

    /// What may be wrong with a text that is no date of this format, and the mend; empty where nothing is seen.
    pub(super) fn why_not(self, text: &str) -> &'static str {
        if let (date, Some(_)) = parted(text)
            && self.date(date).is_some()
        {
            return ": a time of day follows, which parse_timestamp reads";
        }
        let Self::Parts { order, .. } = self else {
            return ": it is a whole number of days, 1 being the first";
        };
        let years: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|piece| !piece.is_empty())
            .collect();
        let year = match order {
            Order::Iso | Order::Ymd => years.first(),
            Order::Dmy | Order::Mdy => years.last(),
        };
        match year {
            Some(year) if year.len() == 2 && years.len() == 3 => {
                ": the year has two digits, so declare the century by a pattern with %y (as in '%d/%m/%y', where 70 is 1970 and 69 is 2069)"
            }
            _ => "",
        }
    }

    /// The instant, by the text's own offset or else by the zone's wall clock.
    pub(super) fn instant(self, text: &str, zone: Tz) -> Option<DateTime<Utc>> {
        let local = self.local(text)?;
        match local.offset {
            Some(offset) => Some(local.clock.checked_sub_signed(offset)?.and_utc()),
            None => of_wall_clock(local.clock, zone),
        }
    }

    fn local(self, text: &str) -> Option<Local> {
        match self {
            Self::Excel { is_1904 } => Some(Local {
                clock: of_serial(text, is_1904)?,
                offset: None,
            }),
            Self::Parts { order, buddhist } => {
                let (date, time) = parted(text);
                let mut parts = parts(date, order)?;
                if buddhist {
                    parts.0 -= BUDDHIST_YEARS;
                }
                let date = NaiveDate::from_ymd_opt(parts.0, parts.1, parts.2)?;
                time.map_or(Some(Local::midnight(date)), |time| Local::of(date, time))
            }
        }
    }
}

/// The instant of a zone's wall clock: the earlier one of an hour that happens twice, none for an hour that is skipped.
pub(super) fn of_wall_clock(clock: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&clock) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
            Some(instant.with_timezone(&Utc))
        }
        MappedLocalTime::None => None,
    }
}

/// A date of no declared format, or why it is none.
pub(super) fn undeclared(text: &str) -> Result<NaiveDate, String> {
    let dates = |order| {
        let date = Named::Parts {
            order,
            buddhist: false,
        }
        .date(text);
        date.filter(|date| chrono::Datelike::year(date) <= YEAR_MAX)
    };
    match (dates(Order::Ymd), dates(Order::Dmy), dates(Order::Mdy)) {
        // Eight digits can be read in each order.
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => Err(format!(
            "{text:?} is no date by itself: declare its format (ymd, dmy, excel, … as in parse_date(text, 'ymd'))"
        )),
        (Some(date), ..) => Ok(date),
        (None, Some(day_first), Some(month_first)) if day_first != month_first => Err(format!(
            "{text:?} can be read two ways, as {day_first} (day first) and as {month_first} (month first): declare the format, as in parse_date(text, 'dmy')"
        )),
        (None, Some(date), _) | (None, None, Some(date)) => Ok(date),
        (None, None, None) => Err(format!(
            "{text:?} is not a date: declare its format by name ({NAMES}) or by a pattern such as '%d/%m/%Y'"
        )),
    }
}

/// A wall clock, and its seconds ahead of UTC if the text says so.
struct Local {
    clock: NaiveDateTime,
    offset: Option<TimeDelta>,
}

impl Local {
    fn midnight(date: NaiveDate) -> Self {
        Self {
            clock: NaiveDateTime::new(date, NaiveTime::MIN),
            offset: None,
        }
    }

    /// `HH:MM`, `HH:MM:SS`, with a fraction, with AM, PM, SA (sáng) or CH (chiều), with Z or an offset. 24:00 is the next day's midnight.
    fn of(date: NaiveDate, time: &str) -> Option<Self> {
        let upper = time.trim().to_uppercase();
        let (time, offset) = offset(&upper)?;
        let (time, half) = half(time.trim());
        let mut pieces = time.split(':');
        let (hours, minutes) = (digits(pieces.next()?, 1, 2)?, digits(pieces.next()?, 2, 2)?);
        let seconds = pieces.next().unwrap_or("0").replace(',', ".");
        if pieces.next().is_some()
            || !seconds
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return None;
        }
        let seconds: f64 = seconds.parse().ok()?;
        let hours = match half {
            None => hours,
            Some(_) if !(1..=12).contains(&hours) => return None,
            Some(half) => hours % 12 + half,
        };
        let whole_day = hours == 24 && minutes == 0 && seconds == 0.0;
        if !whole_day && (hours > 23 || minutes > 59 || seconds >= 60.0) {
            return None;
        }
        // At most a day, as just seen.
        let micros = (f64::from(hours * 3600 + minutes * 60) + seconds) * 1e6;
        let clock = NaiveDateTime::new(date, NaiveTime::MIN);
        let clock = clock.checked_add_signed(TimeDelta::microseconds(micros.round() as i64))?;
        Some(Self { clock, offset })
    }
}

/// Date and time of day, where a blank or a T parts them and a colon follows.
fn parted(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let Some(colon) = text.find(':') else {
        return (text, None);
    };
    match text[..colon].rfind(|c: char| c.is_whitespace() || c == 'T' || c == 't') {
        Some(at) => (
            text[..at].trim_end(),
            Some(text[at..].trim_start_matches(['T', 't', ' ', '\u{a0}', '\t'])),
        ),
        None => (text, None),
    }
}

/// Year, month and day as numbers, not yet known to be a date.
fn parts(text: &str, order: Order) -> Option<(i32, u32, u32)> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let piece = |from: usize, to: usize| text.get(from..to);
        return numbers(match order {
            Order::Iso | Order::Ymd => [piece(0, 4)?, piece(4, 6)?, piece(6, 8)?],
            Order::Dmy => [piece(4, 8)?, piece(2, 4)?, piece(0, 2)?],
            Order::Mdy => [piece(4, 8)?, piece(0, 2)?, piece(2, 4)?],
        });
    }
    let in_words = crate::names::spelling::plain(text);
    let plain = if text.is_ascii() && !text.contains(|c: char| c.is_ascii_alphabetic()) {
        text
    } else {
        in_words.as_str()
    };
    let separators: &[char] = match order {
        Order::Iso => &['-'],
        _ => &['-', '/', '.', ' '],
    };
    let words = plain.split(separators).filter(|piece| !piece.is_empty());
    // `Ngày 25 tháng 12 năm 2024`.
    let pieces: Vec<&str> = words
        .filter(|word| !["ngay", "thang", "nam"].contains(word))
        .collect();
    let [first, second, third] = pieces.as_slice() else {
        return None;
    };
    numbers(match order {
        Order::Iso | Order::Ymd => [first, second, third],
        Order::Dmy => [third, second, first],
        Order::Mdy => [third, first, second],
    })
}

/// A year has four digits: two could be of any century.
fn numbers([year, month, day]: [&str; 3]) -> Option<(i32, u32, u32)> {
    let year = i32::try_from(digits(year, 4, 4)?).ok()?;
    Some((year, digits(month, 1, 2)?, digits(day, 1, 2)?))
}

fn digits(text: &str, least: usize, most: usize) -> Option<u32> {
    let fits =
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// The time without its offset, and the offset.
fn offset(time: &str) -> Option<(&str, Option<TimeDelta>)> {
    if let Some(rest) = time.strip_suffix('Z') {
        return Some((rest, Some(TimeDelta::zero())));
    }
    let Some(at) = time.rfind(['+', '-', '\u{2212}']) else {
        return Some((time, None));
    };
    let sign = if time[at..].starts_with('+') { 1 } else { -1 };
    let written: String = time[at..].chars().filter(char::is_ascii_digit).collect();
    let shape = time[at..]
        .chars()
        .skip(1)
        .all(|c| c.is_ascii_digit() || c == ':');
    let (hours, minutes) = match written.len() {
        2 => (digits(&written, 2, 2)?, 0),
        4 => (digits(&written[..2], 2, 2)?, digits(&written[2..], 2, 2)?),
        _ => return None,
    };
    let seconds = i64::from(hours * 3600 + minutes * 60);
    (shape && hours < 24 && minutes < 60)
        .then_some((&time[..at], Some(TimeDelta::seconds(sign * seconds))))
}

/// The time without its half of the day, and the hours that the half adds.
fn half(time: &str) -> (&str, Option<u32>) {
    for (mark, hours) in [("AM", 0), ("SA", 0), ("PM", 12), ("CH", 12)] {
        if let Some(rest) = time.strip_suffix(mark) {
            return (rest.trim_end(), Some(hours));
        }
    }
    (time, None)
}

fn of_serial(text: &str, is_1904: bool) -> Option<NaiveDateTime> {
    const DAY_MS: f64 = 86_400_000.0;
    let serial: f64 = text.trim().parse().ok()?;
    let least = if is_1904 { 0.0 } else { 1.0 };
    let is_no_day = !is_1904 && serial.floor() == SERIAL_OF_NO_DAY;
    if !(least..SERIAL_MAX + 1.0).contains(&serial) || is_no_day {
        return None;
    }
    let start = match (is_1904, serial < SERIAL_OF_NO_DAY) {
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        (false, true) => NaiveDate::from_ymd_opt(1899, 12, 31)?,
        (false, false) => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    // Within Excel's days, as just seen. A spreadsheet's fractions of a day are true to a millisecond.
    let day = start.checked_add_days(Days::new(serial.floor() as u64))?;
    let millis = (serial.fract() * DAY_MS).round() as i64;
    NaiveDateTime::new(day, NaiveTime::MIN).checked_add_signed(TimeDelta::milliseconds(millis))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn dates_by_name() {
        let cases = [
            ("25/12/2024", "dmy", Some("2024-12-25")),
            ("5.3.2024", "dmy", Some("2024-03-05")),
            ("05-03-2024 00:00:00", "dmy", Some("2024-03-05")),
            ("25122024", "dmy", Some("2024-12-25")),
            ("Ngày 25 tháng 12 năm 2024", "dmy", Some("2024-12-25")),
            ("12/25/2024", "mdy", Some("2024-12-25")),
            ("2024/12/25", "ymd", Some("2024-12-25")),
            ("20241225", "iso", Some("2024-12-25")),
            ("2024-12-25T00:00:00", "iso", Some("2024-12-25")),
            ("25/12/2567", "dmy-be", Some("2024-12-25")),
            ("29/2/2567", "dmy-be", Some("2024-02-29")),
            ("45292", "excel", Some("2024-01-01")),
            ("45292.0", "excel", Some("2024-01-01")),
            ("1", "excel", Some("1900-01-01")),
            ("59", "excel", Some("1900-02-28")),
            ("61", "excel", Some("1900-03-01")),
            ("43830", "excel1904", Some("2024-01-01")),
            // A century that is not told, a time that would be lost, a day that never was, another order.
            ("25/12/24", "dmy", None),
            ("25/12/2024 07:30", "dmy", None),
            ("60", "excel", None),
            ("45292.5", "excel", None),
            ("0", "excel", None),
            ("1e9", "excel", None),
            ("2024/12/25", "iso", None),
            ("12/25/2024", "dmy", None),
            ("29/2/2568", "dmy-be", None),
            ("25 Dec 2024", "dmy", None),
            ("1/2/3/2024", "dmy", None),
        ];
        for (text, format, expected) in cases {
            let found = Named::of(format).unwrap().date(text);
            assert_eq!(found, expected.map(day), "{text} {format}");
        }
        assert_eq!(Named::of("excel-be"), None);
        assert_eq!(Named::of("%d"), None);
    }

    #[test]
    fn what_can_be_read_two_ways_is_told() {
        assert_eq!(undeclared("2024-03-04"), Ok(day("2024-03-04")));
        assert_eq!(undeclared("25/12/2024"), Ok(day("2024-12-25")));
        assert_eq!(undeclared("12/25/2024"), Ok(day("2024-12-25")));
        assert_eq!(undeclared("05/05/2024"), Ok(day("2024-05-05")));
        for text in [
            "03/04/2024",
            "20240304",
            "45292",
            "2567-01-01",
            "soon",
            "32/13/2024",
        ] {
            assert!(undeclared(text).is_err(), "{text}");
        }
        insta::assert_snapshot!(undeclared("03/04/2024").unwrap_err(), @r#""03/04/2024" can be read two ways, as 2024-04-03 (day first) and as 2024-03-04 (month first): declare the format, as in parse_date(text, 'dmy')"#);
    }

    #[test]
    fn times_by_name() {
        let zone = Tz::Asia__Ho_Chi_Minh;
        let cases = [
            ("25/12/2024 07:30", "dmy", Some("2024-12-25T00:30:00Z")),
            ("25/12/2024 7:30:15 CH", "dmy", Some("2024-12-25T12:30:15Z")),
            ("25/12/2024 12:05 SA", "dmy", Some("2024-12-24T17:05:00Z")),
            ("25/12/2024 24:00", "dmy", Some("2024-12-25T17:00:00Z")),
            ("25/12/2024", "dmy", Some("2024-12-24T17:00:00Z")),
            (
                "2024-12-25T07:30:00.25+07:00",
                "iso",
                Some("2024-12-25T00:30:00.250Z"),
            ),
            ("2024-12-25 07:30Z", "iso", Some("2024-12-25T07:30:00Z")),
            ("12/25/2024 7:30 PM", "mdy", Some("2024-12-25T12:30:00Z")),
            ("45292.3125", "excel", Some("2024-01-01T00:30:00Z")),
            ("25/12/2024 25:00", "dmy", None),
            ("25/12/2024 13:00 PM", "dmy", None),
            ("25/12/2024 07:60", "dmy", None),
            ("2024-12-25T07:30+7", "iso", None),
        ];
        for (text, format, expected) in cases {
            let found = Named::of(format).unwrap().instant(text, zone);
            let expected: Option<DateTime<Utc>> = expected.map(|text| text.parse().unwrap());
            assert_eq!(found, expected, "{text} {format}");
        }
    }

    proptest! {
        #[test]
        fn a_written_date_reads_back(days in -25_000i32..60_000) {
            let date = NaiveDate::from_epoch_days(days).unwrap();
            for (name, pattern) in [("dmy", "%d/%m/%Y"), ("mdy", "%m.%d.%Y"), ("ymd", "%Y/%m/%d"), ("iso", "%Y-%m-%d"), ("dmy", "%d%m%Y")] {
                let text = date.format(pattern).to_string();
                prop_assert_eq!(Named::of(name).unwrap().date(&text), Some(date));
            }
            let serial = date.signed_duration_since(day("1899-12-30")).num_days();
            if serial > 60 {
                prop_assert_eq!(Named::of("excel").unwrap().date(&serial.to_string()), Some(date));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,24}", numbers in "[0-9/.: T+-]{0,24}") {
            for name in ["iso", "dmy", "mdy", "ymd", "dmy-be", "excel", "excel1904"] {
                for text in [&text, &numbers] {
                    let format = Named::of(name).unwrap();
                    let _ = (format.date(text), format.instant(text, Tz::UTC), undeclared(text));
                }
            }
        }
    }
}
