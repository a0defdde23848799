//! When a period begins that a text names.

use chrono::{Datelike, NaiveDate, Weekday};

/// The first day of a period: an SDMX time period (SDMX 3.0, section 6, "Time formats": 2015, 2015-06, 2015-06-30, 2015-Q1, -S1, -T1, -M06,
/// -W23, -D180, -A1, a range from its first day on) or a school year (2015-2016, 2015/2016, 2015-16), which begins in its first year.
/// `None`: the text is no such period.
pub(crate) fn period_start(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let text = match text.split_once('/') {
        // A range, by its first day; two years are a school year.
        Some((first, _)) if first.len() > 4 => first,
        _ => text,
    };
    let year: i32 = digits(text.get(..4)?)?;
    let first = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let Some(rest) = text.get(4..).filter(|rest| !rest.is_empty()) else {
        return first(1, 1);
    };
    let rest = rest.strip_prefix(['-', '/', '–'])?;
    if let Some((month, day)) = rest.split_once('-') {
        // A time of day may follow.
        let day = day.get(..2)?;
        return first(digits(month)?, digits(day)?);
    }
    let (kind, number) = rest.split_at(rest.find(|letter: char| letter.is_ascii_digit())?);
    let number: u32 = digits(number)?;
    let of_year = |parts: u32| {
        let before = number.checked_sub(1).filter(|before| *before < parts)?;
        first(before * (12 / parts) + 1, 1)
    };
    match kind {
        "" if rest.len() == 4 => follows(year, number, 10_000).then(|| first(1, 1))?,
        "" if rest.len() == 2 && number > 12 => follows(year, number, 100).then(|| first(1, 1))?,
        "" | "M" => of_year(12),
        "Q" => of_year(4),
        "T" => of_year(3),
        "S" => of_year(2),
        "A" => of_year(1),
        "W" => NaiveDate::from_isoywd_opt(year, number, Weekday::Mon),
        "D" => NaiveDate::from_yo_opt(year, number),
        _ => None,
    }
}

/// Whether `next` is the year after, written with as many digits as `modulus` leaves.
fn follows(year: i32, next: u32, modulus: i32) -> bool {
    let after = NaiveDate::from_ymd_opt(year + 1, 1, 1).map(|day| day.year() % modulus);
    after.and_then(|after| u32::try_from(after).ok()) == Some(next)
}

fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn periods_begin_on_their_first_day() {
        for (text, expected) in [
            ("2015", Some("2015-01-01")),
            ("2015-06", Some("2015-06-01")),
            ("2015-M06", Some("2015-06-01")),
            ("2015-06-30", Some("2015-06-30")),
            ("2015-06-30T10:00:00", Some("2015-06-30")),
            ("2015-06-30/P1M", Some("2015-06-30")),
            ("2015-Q3", Some("2015-07-01")),
            ("2015-S2", Some("2015-07-01")),
            ("2015-T2", Some("2015-05-01")),
            ("2015-A1", Some("2015-01-01")),
            ("2015-W01", Some("2014-12-29")),
            ("2015-D032", Some("2015-02-01")),
            ("2015-2016", Some("2015-01-01")),
            ("2015/2016", Some("2015-01-01")),
            ("2015-16", Some("2015-01-01")),
            ("1999-00", None),
            ("2015-2018", None),
            ("2015-13", None),
            ("2015-Q5", None),
            ("2015-Q0", None),
            ("2015-02-30", None),
            ("Sơ bộ 2015", None),
            ("năm", None),
            ("", None),
            ("2015-", None),
            ("2015-Q4000000000", None),
            ("2015-Q99999999999", None),
        ] {
            let found = period_start(text).map(|day| day.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_first_day_or_none(text in "([0-9]{4}[-/–]?[A-Z]?[0-9/-]{0,12})|.{0,12}") {
            let _ = period_start(&text);
        }
    }
}
