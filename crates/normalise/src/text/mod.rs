//! Text → value, one function a Table Schema type. `None` means "not of this type".
//!
//! Source: Frictionless Table Schema v2, "Field Types" (<https://datapackage.org/standard/table-schema/#field-types>).

mod instant;
mod period;
mod readings;

use arrow::datatypes::{Date32Type, Decimal128Type, DecimalType};
use chrono::{Datelike, NaiveDate};

pub(crate) use self::instant::DatetimeParser;
pub(crate) use self::period::period_start;
pub(crate) use self::readings::readings;

/// Which JSON value a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    List,
    Object,
}

/// A whole number; blanks around it are layout, a decimal point is not a whole number.
pub(crate) fn integer(value: &str) -> Option<i64> {
    // Up to 18 digits fit whatever they are, so no step can overflow: most values end here.
    let bytes = value.as_bytes();
    if (1..=18).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit) {
        return Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')),
        );
    }
    value.trim_ascii().parse().ok()
}

/// A finite number with a decimal point. Infinity and NaN are no measurements, so they are refused.
pub(crate) fn number(value: &str) -> Option<f64> {
    value
        .trim_ascii()
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
}

/// An exact decimal, as units of its last digit; a digit beyond the scale is refused, not rounded.
pub(crate) fn decimal(value: &str, precision: u8, scale: i8) -> Option<i128> {
    let text = value.trim_ascii();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = usize::try_from(scale).ok()?;
    if fraction.len() > scale && fraction[scale..].bytes().any(|digit| digit != b'0') {
        return None;
    }
    let kept = &fraction[..fraction.len().min(scale)];
    if !kept.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let negative = whole.starts_with('-');
    let unsigned = whole.trim_start_matches(['-', '+']);
    if (unsigned.is_empty() && kept.is_empty())
        || !unsigned.bytes().all(|digit| digit.is_ascii_digit())
        || whole.len() > unsigned.len() + 1
    {
        return None;
    }
    let digits = format!("{unsigned}{kept:0<scale$}");
    let magnitude: i128 = digits.parse().ok()?;
    let signed = if negative { -magnitude } else { magnitude };
    Decimal128Type::is_valid_decimal_precision(signed, precision).then_some(signed)
}

/// One of the field's own words for true and false.
pub(crate) fn boolean(
    value: &str,
    true_values: &[String],
    false_values: &[String],
) -> Option<bool> {
    if true_values.iter().any(|known| known == value) {
        return Some(true);
    }
    false_values
        .iter()
        .any(|known| known == value)
        .then_some(false)
}

/// A date in `format` (strftime), by default ISO 8601; nothing is guessed.
pub(crate) fn date(value: &str, format: Option<&str>) -> Option<i32> {
    let text = value.trim_ascii();
    let date = match format {
        None | Some("default" | "any") => iso_date(text)?,
        Some("%Y%m%d") => compact_date(text)?,
        Some(pattern) => NaiveDate::parse_from_str(text, pattern).ok()?,
    };
    Some(Date32Type::from_naive_date(date))
}

fn iso_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    NaiveDate::from_ymd_opt(
        digits(&bytes[0..4])? as i32,
        digits(&bytes[5..7])?,
        digits(&bytes[8..10])?,
    )
}

fn compact_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 8 {
        return None;
    }
    NaiveDate::from_ymd_opt(
        digits(&bytes[0..4])? as i32,
        digits(&bytes[4..6])?,
        digits(&bytes[6..8])?,
    )
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u32::from(byte - b'0'))
    })
}

/// `HH:MM` or `HH:MM:SS[.fff]`, before 24:00; kept as text because Delta has no time of day.
pub(crate) fn time(value: &str) -> Option<&str> {
    let text = value.trim_ascii();
    let bytes = text.as_bytes();
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let shaped = match clock.len() {
        5 => bytes[2] == b':',
        8 => bytes[2] == b':' && bytes[5] == b':',
        _ => false,
    };
    let fits = shaped
        && digits(&bytes[0..2])? < 24
        && digits(&bytes[3..5])? < 60
        && (clock.len() == 5 || digits(&bytes[6..8])? < 61)
        && !fraction.is_empty()
        && fraction.bytes().all(|digit| digit.is_ascii_digit());
    fits.then_some(text)
}

/// Four digits, with a sign before the year 0.
pub(crate) fn year(value: &str) -> Option<i32> {
    let text = value.trim_ascii();
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    (unsigned.len() == 4).then(|| text.parse().ok()).flatten()
}

/// `YYYY-MM`.
pub(crate) fn yearmonth(value: &str) -> Option<String> {
    let text = value.trim_ascii();
    let date = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()?;
    (text.len() == 7).then(|| format!("{:04}-{:02}", date.year(), date.month()))
}

/// Table Schema's default geopoint form "lon, lat", in degrees → WKB.
pub(crate) fn geopoint(value: &str) -> Option<Vec<u8>> {
    let (longitude, latitude) = value.split_once(',')?;
    let (longitude, latitude) = (number(longitude)?, number(latitude)?);
    if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
        return None;
    }
    let mut wkb = vec![1_u8, 1, 0, 0, 0];
    wkb.extend(longitude.to_le_bytes());
    wkb.extend(latitude.to_le_bytes());
    Some(wkb)
}

/// A GeoJSON geometry → WKB.
pub(crate) fn geojson(value: &str) -> Option<Vec<u8>> {
    sectorlake_formats::geometry_to_wkb(value).ok()
}

/// JSON text of the expected shape.
pub(crate) fn json(value: &str, expected: Parsed) -> Option<&str> {
    let first = value.trim_start().bytes().next()?;
    let opens = match expected {
        Parsed::List => b'[',
        Parsed::Object => b'{',
    };
    let parses = serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok();
    (first == opens && parses).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_finite_and_decimal() {
        assert_eq!(integer("999999999999999999"), Some(999_999_999_999_999_999));
        assert_eq!(integer("9223372036854775808"), None);
        assert_eq!(integer("-3"), Some(-3));
        assert_eq!(integer(""), None);
        assert_eq!(integer(" 42 "), Some(42));
        assert_eq!(integer("4.0"), None);
        assert_eq!(integer("007"), Some(7));
        assert_eq!(number("1e3"), Some(1000.0));
        assert_eq!(number("NaN"), None);
        assert_eq!(number("1,5"), None);
        assert_eq!(decimal("-12.5", 5, 2), Some(-1250));
        assert_eq!(decimal("12.345", 5, 2), None, "a digit would be lost");
        assert_eq!(decimal("12.340", 5, 2), Some(1234));
        assert_eq!(decimal("1234.00", 5, 2), None, "over the precision");
        assert_eq!(decimal("--1", 5, 2), None);
    }

    #[test]
    fn dates_are_never_guessed() {
        assert_eq!(date("2024-02-29", None), Some(19782));
        assert_eq!(date("2023-02-29", None), None);
        assert_eq!(date("03/04/2024", None), None);
        assert_eq!(
            date("03/04/2024", Some("%d/%m/%Y")),
            date("2024-04-03", None)
        );
        assert_eq!(date("20240403", Some("%Y%m%d")), date("2024-04-03", None));
    }

    #[test]
    fn clock_and_calendar_text() {
        assert_eq!(time("08:05:00"), Some("08:05:00"));
        assert_eq!(time("24:00:00"), None);
        assert_eq!(yearmonth("2024-13"), None);
        assert_eq!(yearmonth("2024-07").as_deref(), Some("2024-07"));
        assert_eq!(year("24"), None);
        assert_eq!(json("{\"a\":1}", Parsed::Object), Some("{\"a\":1}"));
        assert_eq!(json("{\"a\":1}", Parsed::List), None);
        assert_eq!(geopoint("106.7, 20.9").map(|wkb| wkb.len()), Some(21));
        assert_eq!(geopoint("206.7, 20.9"), None);
    }
}
