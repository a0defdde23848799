//! Dates, times of day and periods, told by their bytes.

use super::Value;
use super::value::all_digits;

/// `2024-03-31`.
pub(super) fn is_iso_day(day: &[u8; 10]) -> bool {
    let pair = |tens: u8, ones: u8| match (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0')) {
        (tens @ 0..=9, ones @ 0..=9) => tens * 10 + ones,
        _ => 0,
    };
    day[4] == b'-'
        && day[7] == b'-'
        && all_digits(&day[..4])
        && (1..=12).contains(&pair(day[5], day[6]))
        && (1..=31).contains(&pair(day[8], day[9]))
}

/// The number that up to four digits are.
fn small(digits: &[u8]) -> Option<u32> {
    let fits = (1..=4).contains(&digits.len()) && all_digits(digits);
    let sum = |sum, digit: &u8| sum * 10 + u32::from(digit - b'0');
    fits.then(|| digits.iter().fold(0, sum))
}

/// A year of this century or the last.
fn near_year(digits: &[u8]) -> Option<u32> {
    small(digits).filter(|year| digits.len() == 4 && (1900..2100).contains(year))
}

pub(super) fn month(text: &[u8]) -> Option<Value> {
    let (year, rest) = text.split_at_checked(4)?;
    let month = rest.strip_prefix(b"-").filter(|it| it.len() == 2)?;
    let fits = near_year(year).is_some() && small(month).is_some_and(|it| (1..=12).contains(&it));
    fits.then_some(Value::Month)
}

pub(super) fn date(text: &[u8]) -> Option<Value> {
    let is_mark = |byte: &u8| matches!(byte, b'-' | b'/' | b'.');
    let mark = *text.iter().find(|byte| is_mark(byte))?;
    let mut parts = text.split(|byte| *byte == mark);
    let (Some(first), Some(middle), Some(last), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let (a, b, c) = (small(first)?, small(middle)?, small(last)?);
    let is_day = |number: u32| (1..=31).contains(&number);
    let is_month = |number: u32| (1..=12).contains(&number);
    if middle.len() > 2 {
        return None;
    }
    if first.len() == 4 {
        let fits = is_month(b) && is_day(c) && last.len() <= 2;
        let value = match mark {
            b'-' if middle.len() == 2 && last.len() == 2 => Value::DateIso,
            _ => Value::DateYearFirst,
        };
        return fits.then_some(value);
    }
    if first.len() > 2 || !matches!(last.len(), 2 | 4) {
        return None;
    }
    match (is_day(a) && is_month(b), is_month(a) && is_day(b)) {
        (true, true) if a != b => Some(Value::DateEither),
        (true, _) => Some(Value::DateDayFirst),
        (false, true) => Some(Value::DateMonthFirst),
        (false, false) => None,
    }
}

/// What stands behind `h:mm`, perhaps with seconds, and whether there are seconds.
fn behind_clock(text: &[u8]) -> Option<(&[u8], bool)> {
    let pair = |text: &[u8]| text.len() >= 2 && all_digits(&text[..2]);
    let rest = match text {
        [b'0'..=b'9', b':', rest @ ..] => rest,
        [b'0'..=b'9', b'0'..=b'9', b':', rest @ ..] => rest,
        _ => return None,
    };
    if !pair(rest) {
        return None;
    }
    match &rest[2..] {
        [b':', seconds @ ..] if pair(seconds) => Some((&seconds[2..], true)),
        rest => Some((rest, false)),
    }
}

pub(super) fn time_of_day(text: &[u8]) -> Option<Value> {
    let (rest, _) = behind_clock(text)?;
    rest.is_empty().then_some(Value::Time)
}

pub(super) fn datetime(text: &[u8]) -> Option<Value> {
    let at = text.iter().position(|byte| matches!(byte, b'T' | b' '))?;
    date(&text[..at])?;
    is_clock_and_zone(&text[at + 1..]).then_some(Value::Datetime)
}

pub(super) fn is_clock_and_zone(text: &[u8]) -> bool {
    let Some((mut rest, has_seconds)) = behind_clock(text) else {
        return false;
    };
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
        let digits = digits.count();
        if digits == 0 || !has_seconds {
            return false;
        }
        rest = &fraction[digits..];
    }
    is_zone(rest.strip_prefix(b" ").unwrap_or(rest))
}

fn is_zone(text: &[u8]) -> bool {
    match text {
        b"" | b"Z" | b"UTC" => true,
        [b'+' | b'-', hours @ ..] => {
            let is_four = hours.len() == 4 && all_digits(hours);
            let is_five = hours.len() == 5
                && hours[2] == b':'
                && all_digits(&hours[..2])
                && all_digits(&hours[3..]);
            is_four || is_five
        }
        _ => false,
    }
}

/// Two years that follow each other.
pub(super) fn school_year(text: &[u8]) -> Option<Value> {
    let (first, rest) = text.split_at_checked(4)?;
    let rest = std::str::from_utf8(rest).ok()?.trim_start();
    let second = rest.strip_prefix(['-', '–', '/'])?.trim_start();
    (near_year(second.as_bytes())? == near_year(first)? + 1).then_some(Value::SchoolYear)
}
