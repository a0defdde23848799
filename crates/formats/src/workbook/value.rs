//! What a cell holds, as text: numbers as short as they can be, dates and times in ISO 8601.

use std::fmt::{self, Write};

/// Days from 0000-03-01 to 1970-01-01, for the civil calendar.
const EPOCH_DAYS: i64 = 719_468;
/// The day that both serial 0 (1904) and serial 1462 (1900) mean, in days since 1970.
const DAY_ZERO_1904: i64 = -24_107;
/// Serial 0 of the 1900 system beyond its 60th day, in days since 1970.
const DAY_ZERO_1900: i64 = -25_569;
/// The last serial that Excel shows as a date, 9999-12-31.
const SERIAL_MAX: f64 = 2_958_466.0;
const DAY_MS: i64 = 86_400_000;
/// Digits that a double keeps whatever they are.
const SURE_DIGITS: usize = 15;

/// How a cell's number is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As a number; percent and money too.
    #[default]
    Number,
    /// As a date, a time of day, or both.
    Date,
    /// As hours, minutes or seconds that may pass a day.
    Duration,
}

/// What serial numbers count from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DateSystem {
    /// 1900-01-01 is 1, and there is a 1900-02-29 that never was.
    #[default]
    From1900,
    /// 1904-01-01 is 0.
    From1904,
}

impl Shown {
    /// Built-in number formats (ECMA-376 part 1, 18.8.30), those of East Asia included.
    pub(crate) fn built_in(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45 | 47 | 50..=58 => Self::Date,
            46 => Self::Duration,
            _ => Self::Number,
        }
    }

    /// By a format's code: the first section that has a letter of day, month, year, hour, minute or second outside of quotes,
    /// escapes and brackets shows dates.
    pub(crate) fn from_code(code: &str) -> Self {
        if code.eq_ignore_ascii_case("general") || code.eq_ignore_ascii_case("standard") {
            return Self::Number;
        }
        let mut letters = code.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '"' => while letters.next().is_some_and(|inner| inner != '"') {},
                '\\' | '_' | '*' => drop(letters.next()),
                '[' => {
                    let inner: String =
                        letters.by_ref().take_while(|inner| *inner != ']').collect();
                    let elapsed = !inner.is_empty()
                        && ["h", "m", "s"].iter().any(|unit| {
                            inner
                                .to_ascii_lowercase()
                                .trim_matches(|l| unit.contains(l))
                                .is_empty()
                        });
                    if elapsed {
                        return Self::Duration;
                    }
                }
                ';' => break,
                'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return Self::Date,
                _ => {}
            }
        }
        Self::Number
    }
}

/// A number as a file writes it, in its shortest form that reads back as the same number; says whether it is one.
pub(crate) fn number(written: &str, into: &mut String) -> bool {
    if is_short(written) {
        into.push_str(written);
        return true;
    }
    match finite(written) {
        Some(value) => push_number(value, into),
        None => return false,
    }
    true
}

/// What a file writes, where it is a number.
pub(crate) fn finite(written: &str) -> Option<f64> {
    written
        .trim()
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

/// The shortest form of a number.
pub(crate) fn push_number(value: f64, into: &mut String) {
    // -0 is 0 to everybody who looks at the sheet.
    let value = if value == 0.0 { 0.0 } else { value };
    put(into, format_args!("{value}"));
}

/// Writing to a string does not fail.
fn put(into: &mut String, text: fmt::Arguments<'_>) {
    let _infallible = into.write_fmt(text);
}

/// Whether digits stand as the shortest form has them already.
fn is_short(written: &str) -> bool {
    let digits = written.strip_prefix('-').unwrap_or(written);
    if digits.len() > SURE_DIGITS || digits.is_empty() || digits == "0" {
        return digits == "0" && digits.len() == written.len();
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "1"));
    let all_digits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && all_digits(fraction)
        && (whole == "0" || !whole.starts_with('0'))
        && !fraction.ends_with('0')
}

/// A serial number as a date, a time of day, a date and time, or a duration; as a number where it is none of these.
pub(crate) fn push_serial(serial: f64, shown: Shown, system: DateSystem, into: &mut String) {
    let is_time = shown == Shown::Duration || (0.0..1.0).contains(&serial);
    if shown == Shown::Number
        || !serial.is_finite()
        || serial.abs() >= SERIAL_MAX
        || (serial < 0.0 && !is_time)
    {
        return push_number(serial, into);
    }
    let mut days = serial.floor() as i64;
    let mut ms = ((serial - serial.floor()) * DAY_MS as f64).round() as i64;
    if ms == DAY_MS {
        (days, ms) = (days + 1, 0);
    }
    if is_time {
        let all = days * DAY_MS + ms;
        if all < 0 {
            into.push('-');
        }
        return push_time(all.abs(), into);
    }
    push_date(days, system, into);
    if ms > 0 {
        into.push('T');
        push_time(ms, into);
    }
}

fn push_date(days: i64, system: DateSystem, into: &mut String) {
    let since_1970 = match system {
        DateSystem::From1904 => DAY_ZERO_1904 + days,
        // The day that Excel has and the calendar has not is told as it is, and no date to whoever checks.
        DateSystem::From1900 if days == 60 => return into.push_str("1900-02-29"),
        DateSystem::From1900 if days < 60 => DAY_ZERO_1900 + days + 1,
        DateSystem::From1900 => DAY_ZERO_1900 + days,
    };
    let (year, month, day) = civil(since_1970);
    put(into, format_args!("{year:04}-{month:02}-{day:02}"));
}

fn push_time(ms: i64, into: &mut String) {
    let seconds = ms / 1000;
    put(
        into,
        format_args!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    );
    if ms % 1000 > 0 {
        put(into, format_args!(".{:03}", ms % 1000));
    }
}

/// Year, month and day of a day since 1970 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
fn civil(since_1970: i64) -> (i64, i64, i64) {
    let days = since_1970 + EPOCH_DAYS;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// A column as Excel names it, counted from 0.
pub(crate) fn letters(mut column: u32) -> String {
    let mut letters = Vec::new();
    loop {
        letters.insert(0, char::from(b'A' + (column % 26) as u8));
        match (column / 26).checked_sub(1) {
            Some(next) => column = next,
            None => return letters.into_iter().collect(),
        }
    }
}

/// A cell's address such as `BC23`: its column from 0 and its row from 1.
pub(crate) fn address(text: &str) -> Option<(u32, u32)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let row = text[letters..].parse::<u32>().ok().filter(|row| *row > 0)?;
    Some((column(&text[..letters])?, row))
}

/// A column's number from 0, from the letters that name it.
pub(crate) fn column(letters: &str) -> Option<u32> {
    if letters.is_empty()
        || letters.len() > 3
        || !letters.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        return None;
    }
    let number = letters.bytes().fold(0, |number, byte| {
        number * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1
    });
    Some(number - 1)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn serial(value: f64, shown: Shown, system: DateSystem) -> String {
        let mut text = String::new();
        push_serial(value, shown, system, &mut text);
        text
    }

    fn written(text: &str) -> Option<String> {
        let mut into = String::new();
        number(text, &mut into).then_some(into)
    }

    #[test]
    fn numbers_are_short() {
        for (stored, shortest) in [
            ("1", "1"),
            ("-7", "-7"),
            ("0", "0"),
            ("-0", "0"),
            ("1.0", "1"),
            ("0.10000000000000001", "0.1"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("1.50", "1.5"),
            ("2E-2", "0.02"),
            ("1.2e3", "1200"),
            ("1E+20", "100000000000000000000"),
            ("007", "7"),
            (".5", "0.5"),
            ("123456789012345", "123456789012345"),
        ] {
            assert_eq!(written(stored).as_deref(), Some(shortest), "{stored}");
        }
        for none in ["", "n/a", "1,5", "inf", "NaN", "1e999"] {
            assert_eq!(written(none), None, "{none}");
        }
    }

    #[test]
    fn dates_of_both_systems() {
        use DateSystem::{From1900, From1904};
        for (value, system, expected) in [
            (1.0, From1900, "1900-01-01"),
            (59.0, From1900, "1900-02-28"),
            (60.0, From1900, "1900-02-29"),
            (61.0, From1900, "1900-03-01"),
            (45_658.0, From1900, "2025-01-01"),
            (45_658.5, From1900, "2025-01-01T12:00:00"),
            (45_658.000_000_01, From1900, "2025-01-01T00:00:00.001"),
            (45_657.999_999_999, From1900, "2025-01-01"),
            (0.25, From1900, "06:00:00"),
            (-1.0, From1900, "-1"),
            (1.0, From1904, "1904-01-02"),
            (44_196.0, From1904, "2025-01-01"),
            (2_958_465.0, From1900, "9999-12-31"),
            (2_958_466.0, From1900, "2958466"),
            (0.520_833_333_3, From1900, "12:30:00"),
        ] {
            assert_eq!(serial(value, Shown::Date, system), expected, "{value}");
        }
        assert_eq!(serial(1.5, Shown::Duration, From1900), "36:00:00");
        assert_eq!(serial(-0.5, Shown::Duration, From1900), "-12:00:00");
        assert_eq!(serial(0.5, Shown::Number, From1900), "0.5");
    }

    #[test]
    fn formats_that_show_dates() {
        for code in [
            "yyyy-mm-dd",
            "[$-409]d-mmm-yy;@",
            "m/d/yy h:mm",
            "h:mm AM/PM",
            "\"ngày\" dd",
            "mmmm",
        ] {
            assert_eq!(Shown::from_code(code), Shown::Date, "{code}");
        }
        for code in ["[h]:mm:ss", "[mm]:ss", "[SS]"] {
            assert_eq!(Shown::from_code(code), Shown::Duration, "{code}");
        }
        for code in [
            "General",
            "Standard",
            "0.00",
            "0%",
            "#,##0 \"days\"",
            "0.00E+00",
            "[Red]0",
            "\\d0",
            "0;d",
            "_d0",
            "[h",
            "",
        ] {
            assert_ne!(Shown::from_code(code), Shown::Date, "{code}");
        }
    }

    #[test]
    fn columns_as_excel_names_them() {
        for (number, name) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (51, "AZ"),
            (52, "BA"),
            (701, "ZZ"),
            (702, "AAA"),
        ] {
            assert_eq!(
                (letters(number).as_str(), column(name)),
                (name, Some(number))
            );
        }
        assert_eq!(address("BC23"), Some((54, 23)));
        for none in ["", "A", "23", "A0", "A1B", "AAAA1", "É1", "A99999999999"] {
            assert_eq!(address(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn numbers_read_back(value in any::<f64>()) {
            prop_assume!(value.is_finite());
            for text in [format!("{value}"), format!("{value:e}"), format!("{value:.17e}")] {
                let short = written(&text).unwrap();
                prop_assert_eq!(short.parse::<f64>().unwrap(), value);
            }
        }

        #[test]
        fn no_serial_panics(value in any::<f64>(), code in ".{0,12}") {
            for shown in [Shown::Date, Shown::Duration, Shown::Number, Shown::from_code(&code)] {
                serial(value, shown, DateSystem::From1900);
                serial(value, shown, DateSystem::From1904);
            }
        }
    }
}
