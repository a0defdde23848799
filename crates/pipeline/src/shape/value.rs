//! What one cell looks like. Nothing is converted: the text is only looked at.

use std::sync::LazyLock;

use regex::Regex;

/// What one text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
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

/// Marks that publishers write where they have no value.
pub(crate) const MISSING_MARKS: [&str; 14] = [
    "", "..", "...", "…", "-", "–", "NA", "N/A", "n/a", "na", "null", "NULL", "NaN", "None",
];

/// Words for true and false.
pub(crate) const BOOLEANS: [&str; 8] = ["true", "false", "yes", "no", "có", "không", "x", "đúng"];

macro_rules! pattern {
    ($name:ident, $pattern:literal) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
    };
}

pattern!(POINT, r"^[+-]?(\d+\.\d*|\.\d+|\d+(\.\d+)?[eE][+-]?\d+)$");
pattern!(COMMA, r"^[+-]?\d+,\d+$");
pattern!(ONE_POINT, r"^[+-]?[1-9]\d{0,2}\.\d{3}$");
pattern!(ONE_COMMA, r"^[+-]?[1-9]\d{0,2},\d{3}$");
pattern!(
    GROUPS_POINT,
    r"^[+-]?[1-9]\d{0,2}((\.\d{3})+,\d+|(\.\d{3}){2,})$"
);
pattern!(
    GROUPS_COMMA,
    r"^[+-]?[1-9]\d{0,2}((,\d{3})+\.\d+|(,\d{3}){2,})$"
);
pattern!(
    DATETIME,
    r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?$"
);
pattern!(TIME, r"^\d{1,2}:\d{2}(:\d{2})?$");
pattern!(MONTH, r"^(19|20)\d{2}-(0[1-9]|1[0-2])$");
pattern!(DATE, r"^(\d{1,4})([-/.])(\d{1,2})([-/.])(\d{1,4})$");
pattern!(
    SCHOOL_YEAR,
    r"^((?:19|20)\d{2})\s*[-–/]\s*((?:19|20)\d{2})$"
);

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|regex| regex.is_match(text))
}

/// Looks at one text.
pub(crate) fn look(text: &str) -> Value {
    let text = text.trim();
    if MISSING_MARKS.contains(&text) {
        return Value::Missing;
    }
    let first = text.as_bytes().first().copied().unwrap_or_default();
    match first {
        b'0'..=b'9' | b'+' | b'-' | b'.' => numeric(text),
        b'[' | b'{' if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => Value::Json,
        _ if BOOLEANS.contains(&text.to_lowercase().as_str()) => Value::Boolean,
        _ => Value::Text,
    }
}

fn numeric(text: &str) -> Value {
    let digits = text.trim_start_matches(['+', '-']);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let padded = digits.len() > 1 && digits.starts_with('0');
        return match padded || digits.len() > 18 || text.starts_with('+') {
            true => Value::Code,
            false => Value::Integer,
        };
    }
    for (pattern, value) in [
        (&ONE_POINT, Value::PointOrThousands),
        (&ONE_COMMA, Value::CommaOrThousands),
        (&GROUPS_POINT, Value::ThousandsPoint),
        (&GROUPS_COMMA, Value::ThousandsComma),
        (&POINT, Value::Point),
        (&COMMA, Value::Comma),
        (&MONTH, Value::Month),
        (&DATETIME, Value::Datetime),
        (&TIME, Value::Time),
    ] {
        if matches(pattern, text) {
            return value;
        }
    }
    school_year(text)
        .map(|_| Value::SchoolYear)
        .or_else(|| date(text))
        .unwrap_or(Value::Text)
}

/// The first year of a school year: two years that follow each other.
fn school_year(text: &str) -> Option<u32> {
    let found = SCHOOL_YEAR.as_ref()?.captures(text)?;
    let year = |index| found.get(index)?.as_str().parse::<u32>().ok();
    (year(2)? == year(1)? + 1).then(|| year(1))?
}

fn date(text: &str) -> Option<Value> {
    let found = DATE.as_ref()?.captures(text)?;
    let part = |index: usize| found.get(index).map(|part| part.as_str());
    let (first, middle, last) = (part(1)?, part(3)?, part(5)?);
    if part(2)? != part(4)? {
        return None;
    }
    let number = |text: &str| text.parse::<u32>().ok();
    let (a, b, c) = (number(first)?, number(middle)?, number(last)?);
    let is_day = |number: u32| (1..=31).contains(&number);
    let is_month = |number: u32| (1..=12).contains(&number);
    if first.len() == 4 {
        let fits = is_month(b) && is_day(c) && last.len() <= 2;
        let value = match part(2)? {
            "-" if middle.len() == 2 && last.len() == 2 => Value::DateIso,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_text() {
        for (expected, texts) in [
            (Value::Missing, &["", " ", "..", "NA", "-", "…"][..]),
            (
                Value::Integer,
                &["0", "7", "-12", "2024", "123456789012345678"],
            ),
            (
                Value::Code,
                &["007", "00", "1234567890123456789", "+84901234567"],
            ),
            (
                Value::Point,
                &["1.5", "-0.25", "12.3456", "1e-3", "0.123", "1234.567"],
            ),
            (Value::Comma, &["1,5", "-0,25", "0,123", "1234,567"]),
            (Value::PointOrThousands, &["1.234", "12.345"]),
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
                ],
            ),
            (Value::Time, &["7:30", "25:10:00"]),
            (Value::Month, &["2024-03"]),
            (Value::SchoolYear, &["2023-2024", "2023 – 2024"]),
            (Value::Boolean, &["true", "Có", "không"]),
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
                ],
            ),
        ] {
            for text in texts {
                assert_eq!(look(text), expected, "{text:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_something(text in "\\PC{0,40}|[-+0-9.,/: TZ]{0,20}") {
            look(&text);
        }
    }
}
