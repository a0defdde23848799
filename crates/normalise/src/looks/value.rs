//! What one text looks like, told by its bytes alone.

use super::times::{
    date, datetime, is_clock_and_zone, is_iso_day, month, school_year, time_of_day,
};

/// What one text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A mark for "no value": empty, `..`, `NA`, `-`.
    Missing,
    /// A whole number as a program writes it.
    Integer,
    /// Digits that are no number: a leading zero, or more than an integer holds.
    Code,
    /// A number with a decimal point.
    Point,
    /// A number with a decimal comma.
    Comma,
    /// `1.234`: thousands in Vietnam, one and a bit elsewhere.
    PointOrThousands,
    /// `1,234`: one and a bit in Vietnam, thousands elsewhere.
    CommaOrThousands,
    /// `1.234.567` or `1.234,5`: point between thousands.
    ThousandsPoint,
    /// `1,234,567` or `1,234.5`: comma between thousands.
    ThousandsComma,
    /// `2024-03-31`.
    DateIso,
    /// `31/03/2024`: the day must come first.
    DateDayFirst,
    /// `03/31/2024`: the month must come first.
    DateMonthFirst,
    /// `03/04/2024`: either may come first.
    DateEither,
    /// `2024/03/31`.
    DateYearFirst,
    /// A date and a time of day.
    Datetime,
    /// A time of day.
    Time,
    /// `2024-03`.
    Month,
    /// `2023-2024`.
    SchoolYear,
    /// A word for true or false.
    Boolean,
    /// A JSON array or object.
    Json,
    /// Any other text.
    Text,
}

impl Value {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Missing,
        Self::Integer,
        Self::Code,
        Self::Point,
        Self::Comma,
        Self::PointOrThousands,
        Self::CommaOrThousands,
        Self::ThousandsPoint,
        Self::ThousandsComma,
        Self::DateIso,
        Self::DateDayFirst,
        Self::DateMonthFirst,
        Self::DateEither,
        Self::DateYearFirst,
        Self::Datetime,
        Self::Time,
        Self::Month,
        Self::SchoolYear,
        Self::Boolean,
        Self::Json,
        Self::Text,
    ];
}

/// Marks that publishers write where they have no value.
const MISSING_MARKS: [&str; 14] = [
    "", "..", "...", "…", "-", "–", "NA", "N/A", "n/a", "na", "null", "NULL", "NaN", "None",
];
/// Words for true and false.
const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "có", "không", "x", "đúng"];
/// Bytes of the longest of these marks and words.
const WORD_BYTES_MAX: usize = 6;
/// Digits of a whole number that an integer holds whatever they are.
const INTEGER_DIGITS_MAX: usize = 18;
/// Bytes of a JSON text that is read as such; of a longer one the brackets around it tell.
const JSON_BYTES_MAX: usize = 256;

/// Looks at one text. Most values end with a look at their digits, or at their first letter.
#[must_use]
#[inline]
pub fn look(text: &str) -> Value {
    let bytes = text.as_bytes();
    let found = match bytes {
        [] => Some(Value::Missing),
        [b'0'..=b'9', ..] => begun_with_digits(bytes),
        [b'-', unsigned @ ..] if unsigned.first().is_some_and(u8::is_ascii_digit) => {
            plain(unsigned)
        }
        [b'A'..=b'Z' | b'a'..=b'z', .., last] => {
            (bytes.len() > WORD_BYTES_MAX && last.is_ascii_graphic()).then_some(Value::Text)
        }
        _ => None,
    };
    found.unwrap_or_else(|| trimmed(text))
}

/// The look of what begins with a digit, where it is one of the most common.
fn begun_with_digits(text: &[u8]) -> Option<Value> {
    match text.split_first_chunk::<10>() {
        Some((day, rest)) if day[4] == b'-' && is_iso_day(day) => match rest {
            [] => Some(Value::DateIso),
            [b'T' | b' ', clock @ ..] if is_clock_and_zone(clock) => Some(Value::Datetime),
            _ => None,
        },
        _ if matches!(text, [_, b':', ..] | [_, _, b':', ..]) => time_of_day(text),
        _ => plain(text),
    }
}

/// Digits alone, or with a point among them.
fn plain(text: &[u8]) -> Option<Value> {
    let Some(at) = text.iter().position(|byte| !byte.is_ascii_digit()) else {
        return Some(whole(text));
    };
    let (before, after) = (&text[..at], &text[at + 1..]);
    (text[at] == b'.' && all_digits(after)).then(|| one_mark(before, b'.', after))
}

fn trimmed(text: &str) -> Value {
    let text = text.trim();
    let bytes = text.as_bytes();
    let is_word = bytes.len() <= WORD_BYTES_MAX;
    if is_word && MISSING_MARKS.contains(&text) {
        return Value::Missing;
    }
    match bytes.first() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => numeric(bytes),
        Some(b'[' | b'{') if is_json(text) => Value::Json,
        _ if is_word && BOOLEANS.contains(&text.to_lowercase().as_str()) => Value::Boolean,
        _ => Value::Text,
    }
}

fn is_json(text: &str) -> bool {
    if text.len() > JSON_BYTES_MAX {
        let ends = (text.as_bytes()[0], text.as_bytes()[text.len() - 1]);
        return matches!(ends, (b'[', b']') | (b'{', b'}'));
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

fn numeric(text: &[u8]) -> Value {
    let unsigned = match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    };
    if filled(unsigned) {
        // A sign that says nothing makes a telephone number.
        return match text[0] {
            b'+' => Value::Code,
            _ => whole(unsigned),
        };
    }
    number(unsigned)
        .or_else(|| month(text))
        .or_else(|| date(text))
        .or_else(|| time_of_day(text))
        .or_else(|| datetime(text))
        .or_else(|| school_year(text))
        .unwrap_or(Value::Text)
}

fn whole(digits: &[u8]) -> Value {
    let padded = digits.len() > 1 && digits[0] == b'0';
    match padded || digits.len() > INTEGER_DIGITS_MAX {
        true => Value::Code,
        false => Value::Integer,
    }
}

#[inline]
pub(super) fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// Digits, one at least.
fn filled(text: &[u8]) -> bool {
    !text.is_empty() && all_digits(text)
}

/// Whether digits may stand before marks between thousands.
fn leads(digits: &[u8]) -> bool {
    (1..=3).contains(&digits.len()) && digits[0] != b'0'
}

/// Digits with one point or comma among them.
fn one_mark(before: &[u8], mark: u8, after: &[u8]) -> Value {
    match (mark, leads(before) && after.len() == 3) {
        (b'.', true) => Value::PointOrThousands,
        (b'.', false) => Value::Point,
        (_, true) => Value::CommaOrThousands,
        (_, false) => Value::Comma,
    }
}

/// A number with marks, without its sign.
fn number(text: &[u8]) -> Option<Value> {
    if let Some(at) = text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        return scientific(&text[..at], &text[at + 1..]);
    }
    let first = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let (lead, mark) = (&text[..first], text[first]);
    if !matches!(mark, b'.' | b',') {
        return None;
    }
    let rest = &text[first + 1..];
    if all_digits(rest) {
        let (some_before, some_after) = (!lead.is_empty(), !rest.is_empty());
        let is_number = match mark {
            b'.' => some_before || some_after,
            _ => some_before && some_after,
        };
        return is_number.then(|| one_mark(lead, mark, rest));
    }
    // Groups of three, the last perhaps behind the other mark: that one is the decimal mark.
    let (decimal, value) = match mark {
        b'.' => (b',', Value::ThousandsPoint),
        _ => (b'.', Value::ThousandsComma),
    };
    let groups = match rest.iter().position(|byte| *byte == decimal) {
        Some(at) if filled(&rest[at + 1..]) => &rest[..at],
        Some(_) => return None,
        None => rest,
    };
    let mut groups = groups.split(|byte| *byte == mark);
    let of_three = groups.all(|group| group.len() == 3 && all_digits(group));
    (leads(lead) && of_three).then_some(value)
}

fn scientific(mantissa: &[u8], power: &[u8]) -> Option<Value> {
    let power = match power {
        [b'+' | b'-', rest @ ..] => rest,
        _ => power,
    };
    let is_number = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(at) => filled(&mantissa[..at]) && filled(&mantissa[at + 1..]),
        None => filled(mantissa),
    };
    (is_number && filled(power)).then_some(Value::Point)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    #[test]
    fn each_kind_of_text() {
        for (expected, texts) in [
            (
                Value::Missing,
                &["", " ", "..", "NA", "-", "…", " n/a\t"][..],
            ),
            (
                Value::Integer,
                &["0", "7", "-12", "2024", "123456789012345678", " 5\u{a0}"],
            ),
            (
                Value::Code,
                &["007", "00", "-07", "1234567890123456789", "+84901234567"],
            ),
            (
                Value::Point,
                &[
                    "1.5", "-0.25", "12.3456", "1e-3", "1.5E+7", "0.123", "1234.567", "-.5", "5.",
                ],
            ),
            (Value::Comma, &["1,5", "-0,25", "0,123", "1234,567"]),
            (Value::PointOrThousands, &["1.234", "12.345", "-1.234"]),
            (Value::CommaOrThousands, &["1,234"]),
            (
                Value::ThousandsPoint,
                &["1.234.567", "1.234,5", "12.345.678,90"],
            ),
            (Value::ThousandsComma, &["1,234,567", "1,234.5"]),
            (Value::DateIso, &["2024-03-31"]),
            (
                Value::DateDayFirst,
                &["31/03/2024", "31-3-24", "5.5.2024", "05/05/2024"],
            ),
            (Value::DateMonthFirst, &["03/31/2024"]),
            (Value::DateEither, &["03/04/2024"]),
            (Value::DateYearFirst, &["2024/03/31", "2024-3-1"]),
            (
                Value::Datetime,
                &[
                    "2024-03-31T10:00:00Z",
                    "31/03/2024 10:00",
                    "2024-03-31 10:00:00.5+07:00",
                    "2024-03-31T10:00:00 UTC",
                    "2024-03-31T10:00+0700",
                ],
            ),
            (Value::Time, &["7:30", "25:10:00"]),
            (Value::Month, &["2024-03"]),
            (
                Value::SchoolYear,
                &["2023-2024", "2023 – 2024", "2023/2024"],
            ),
            (Value::Boolean, &["true", "TRUE", "Có", "không", " x"]),
            (Value::Json, &["[1]", "{\"a\": 1}"]),
            (
                Value::Text,
                &[
                    "THPT Trần Phú",
                    "A12",
                    "12A",
                    "32/13/2024",
                    "2023-2025",
                    "[x",
                    "1.2.3",
                    "--5",
                    "1/2/3/4",
                    "2024-13-31",
                    "1.5e",
                    "99/99/2024 10:00",
                    "2024-03-31T10:00.5",
                    "1,2,3",
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(look(text), expected, "{text:?}");
            }
        }
    }

    /// The forms as regular expressions, in the order in which they are taken.
    fn by_pattern(text: &str) -> Option<Value> {
        let patterns = [
            (r"^-?(0|[1-9]\d{0,17})$", Value::Integer),
            (r"^[+-]?\d+$", Value::Code),
            (r"^[+-]?[1-9]\d{0,2}\.\d{3}$", Value::PointOrThousands),
            (r"^[+-]?[1-9]\d{0,2},\d{3}$", Value::CommaOrThousands),
            (
                r"^[+-]?[1-9]\d{0,2}((\.\d{3})+,\d+|(\.\d{3}){2,})$",
                Value::ThousandsPoint,
            ),
            (
                r"^[+-]?[1-9]\d{0,2}((,\d{3})+\.\d+|(,\d{3}){2,})$",
                Value::ThousandsComma,
            ),
            (
                r"^[+-]?(\d+\.\d*|\.\d+|\d+(\.\d+)?[eE][+-]?\d+)$",
                Value::Point,
            ),
            (r"^[+-]?\d+,\d+$", Value::Comma),
            (r"^(19|20)\d{2}-(0[1-9]|1[0-2])$", Value::Month),
            (r"^\d{1,2}:\d{2}(:\d{2})?$", Value::Time),
        ];
        let found = patterns
            .into_iter()
            .find(|(pattern, _)| Regex::new(pattern).unwrap().is_match(text));
        found.map(|(_, value)| value)
    }

    proptest! {
        #[test]
        fn any_text_is_something(text in "\\PC{0,40}|[-+0-9.,/: TZ]{0,20}") {
            let _ = look(&text);
        }

        #[test]
        fn numbers_are_told_as_their_patterns_say(text in "[-+]?[0-9]{0,4}([.,:eE-]?[0-9]{0,3}){0,3}") {
            let numbers = [Value::Integer, Value::Code, Value::PointOrThousands, Value::CommaOrThousands, Value::ThousandsPoint,
                Value::ThousandsComma, Value::Point, Value::Comma, Value::Month, Value::Time];
            let told = Some(look(&text)).filter(|value| numbers.contains(value));
            prop_assert_eq!(told, by_pattern(&text));
        }

        #[test]
        fn what_stands_around_a_value_says_nothing(text in "\\PC{0,12}|[-+0-9.,/: TZ]{0,20}", before in "[ \t\u{a0}]{0,2}", after in "[ \t\u{a0}]{0,9}") {
            prop_assert_eq!(look(&format!("{before}{text}{after}")), look(text.trim()));
        }

        #[test]
        fn dates_are_told_by_the_order_of_their_numbers(day in 1..=31_u32, month in 1..=12_u32, year in 1900..2100_u32) {
            let expected = match (day > 12, day == month) {
                (true, _) | (_, true) => Value::DateDayFirst,
                _ => Value::DateEither,
            };
            prop_assert_eq!(look(&format!("{day:02}/{month:02}/{year}")), expected);
            prop_assert_eq!(look(&format!("{year}-{month:02}-{day:02}")), Value::DateIso);
            prop_assert_eq!(look(&format!("{year}-{month:02}-{day:02}T07:30:00Z")), Value::Datetime);
        }
    }
}
