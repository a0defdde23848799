//! What a text of a source looks like, told by its bytes alone. Nothing is converted by this: it is only counted.

/// The looks of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// Nothing.
    Empty,
    /// Digits, perhaps with a sign.
    Integer,
    /// Digits that begin with a zero: as a number they would lose it.
    Code,
    /// A number with a decimal point or an exponent.
    Decimal,
    /// A number with a decimal comma.
    DecimalComma,
    /// `2024-03-31`, perhaps with a time.
    Date,
    /// Day, month, year in an order that its numbers tell: `31/03/2024`.
    LocalDate,
    /// A date that can be read two ways: `03/04/2024`.
    TwoWayDate,
    /// True or false.
    Boolean,
    /// Anything else.
    Text,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Empty,
        Self::Integer,
        Self::Code,
        Self::Decimal,
        Self::DecimalComma,
        Self::Date,
        Self::LocalDate,
        Self::TwoWayDate,
        Self::Boolean,
        Self::Text,
    ];

    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Integer => "integer",
            Self::Code => "code with leading zeros",
            Self::Decimal => "decimal",
            Self::DecimalComma => "decimal comma",
            Self::Date => "date",
            Self::LocalDate => "local date",
            Self::TwoWayDate => "two-way date",
            Self::Boolean => "boolean",
            Self::Text => "text",
        }
    }

    /// The looks of `text`. The first byte that is no digit decides what it may be at all: most values end there.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let Some(first) = text.first() else {
            return Self::Empty;
        };
        if first.is_ascii_alphabetic() && text.len() > 5 {
            return Self::Text;
        }
        let Some(at) = text.iter().position(|byte| !byte.is_ascii_digit()) else {
            return whole(text);
        };
        let rest = &text[at + 1..];
        match text[at] {
            mark @ (b'.' | b',') if at > 0 && rest.iter().all(u8::is_ascii_digit) => match mark {
                b'.' => Self::Decimal,
                _ => Self::DecimalComma,
            },
            b'-' if at == 4 && is_iso(text) => Self::Date,
            b':' => Self::Text,
            b'.' | b',' | b'-' | b'+' | b'/' | b'e' | b'E' => {
                let text = text.trim_ascii();
                number(text).or_else(|| date(text)).unwrap_or(Self::Text)
            }
            _ => Self::seldom(text),
        }
    }

    fn seldom(text: &[u8]) -> Self {
        let trimmed = text.trim_ascii();
        if trimmed.len() < text.len() {
            return Self::of(trimmed);
        }
        let is = |word: &[u8]| text.eq_ignore_ascii_case(word);
        if is(b"true") || is(b"false") {
            Self::Boolean
        } else if text[0].is_ascii_digit() {
            date(text).unwrap_or(Self::Text)
        } else {
            Self::Text
        }
    }
}

/// `YYYY-MM-DD`, alone or before a time.
fn is_iso(text: &[u8]) -> bool {
    let Some((day, rest)) = text.split_first_chunk::<10>() else {
        return false;
    };
    let number = |tens: u8, ones: u8| {
        let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
        if tens < 10 && ones < 10 {
            tens * 10 + ones
        } else {
            0
        }
    };
    day[7] == b'-'
        && (1..=12).contains(&number(day[5], day[6]))
        && (1..=31).contains(&number(day[8], day[9]))
        && rest.first().is_none_or(|byte| matches!(byte, b' ' | b'T'))
}

fn whole(digits: &[u8]) -> Shape {
    if digits.len() > 1 && digits[0] == b'0' {
        Shape::Code
    } else {
        Shape::Integer
    }
}

fn number(text: &[u8]) -> Option<Shape> {
    let unsigned = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    if unsigned.is_empty() {
        return None;
    }
    if unsigned.iter().all(u8::is_ascii_digit) {
        return Some(Shape::Integer);
    }
    let (mut marks, mut mark, mut digits) = (0_u32, b'.', 0_u32);
    for (index, byte) in unsigned.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' | b',' => {
                marks += 1;
                mark = *byte;
            }
            b'e' | b'E' if digits > 0 => {
                let power = &unsigned[index + 1..];
                let power = power
                    .strip_prefix(b"-")
                    .or_else(|| power.strip_prefix(b"+"))
                    .unwrap_or(power);
                let sound = !power.is_empty() && power.iter().all(u8::is_ascii_digit);
                return (sound && mark == b'.').then_some(Shape::Decimal);
            }
            _ => return None,
        }
    }
    match (digits, marks, mark) {
        (0, ..) => None,
        (_, 1, b'.') => Some(Shape::Decimal),
        (_, 1, _) => Some(Shape::DecimalComma),
        _ => None,
    }
}

fn date(text: &[u8]) -> Option<Shape> {
    let end = text
        .iter()
        .position(|byte| matches!(byte, b' ' | b'T'))
        .unwrap_or(text.len());
    let mut groups = [0_u32; 3];
    let mut widths = [0_usize; 3];
    let (mut at, mut mark) = (0, None);
    for byte in &text[..end] {
        match byte {
            b'0'..=b'9' if widths[at] < 4 => {
                groups[at] = groups[at] * 10 + u32::from(byte - b'0');
                widths[at] += 1;
            }
            b'-' | b'/' | b'.' if at < 2 && mark.is_none_or(|mark| mark == *byte) => {
                mark = Some(*byte);
                at += 1;
            }
            _ => return None,
        }
    }
    let [first, second, third] = groups;
    let day = |number: u32| (1..=31).contains(&number);
    let month = |number: u32| (1..=12).contains(&number);
    match widths {
        [4, 1..=2, 1..=2] if month(second) && day(third) => Some(Shape::Date),
        [1..=2, 1..=2, 2 | 4] => match (month(first), month(second)) {
            (true, true) if first != second => Some(Shape::TwoWayDate),
            (true, true) => Some(Shape::LocalDate),
            (true, false) if day(second) => Some(Shape::LocalDate),
            (false, true) if day(first) => Some(Shape::LocalDate),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn looks() {
        for (text, shape) in [
            ("", Shape::Empty),
            ("  ", Shape::Empty),
            ("12", Shape::Integer),
            ("-12", Shape::Integer),
            ("0", Shape::Integer),
            ("007", Shape::Code),
            ("1.5", Shape::Decimal),
            ("-.5", Shape::Decimal),
            ("1e-3", Shape::Decimal),
            ("1,5", Shape::DecimalComma),
            ("1,234,567", Shape::Text),
            ("2024-03-31", Shape::Date),
            ("2024-03-31T10:00:00Z", Shape::Date),
            ("31/03/2024", Shape::LocalDate),
            ("3.31.24", Shape::LocalDate),
            ("03/03/2024", Shape::LocalDate),
            ("03/04/2024", Shape::TwoWayDate),
            ("2024-13-31", Shape::Text),
            ("1/2/3/4", Shape::Text),
            ("TRUE", Shape::Boolean),
            ("tram", Shape::Text),
            ("A12", Shape::Text),
            ("12A", Shape::Text),
            ("-", Shape::Text),
        ] {
            assert_eq!(Shape::of(text.as_bytes()), shape, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_look_like_numbers(number in any::<i32>(), fraction in 1..1000_u32, text in "\\PC{0,12}|[0-9/.eE,-]{0,12}") {
            prop_assert_eq!(Shape::of(number.to_string().as_bytes()), Shape::Integer);
            prop_assert_eq!(Shape::of(format!("{number}.{fraction}").as_bytes()), Shape::Decimal);
            let _ = Shape::of(text.as_bytes());
        }
    }
}
