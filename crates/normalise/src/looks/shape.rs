//! What a column holds: the one shape that all its values fit into.

use std::fmt;

use arrow::datatypes::DataType;

use super::Value;

/// The order of day and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// `2024-03-31`.
    Iso,
    /// `31/03/2024`.
    DayFirst,
    /// `03/31/2024`.
    MonthFirst,
    /// `2024/03/31`.
    YearFirst,
    /// Every value can be read both ways.
    Either,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing, or only marks for it.
    Empty,
    /// Whole numbers.
    Integer,
    /// Digits with leading zeros: identifiers, no numbers.
    Code,
    /// Numbers with a decimal point, perhaps with commas between thousands.
    Number,
    /// Numbers with a decimal comma, perhaps with points between thousands.
    NumberComma,
    /// Numbers whose mark can be read both ways: `1.234`.
    NumberEither,
    /// Dates.
    Date(DateOrder),
    /// Dates with times of day.
    Datetime,
    /// Times of day.
    Time,
    /// Months of years.
    Month,
    /// School years.
    SchoolYear,
    /// True or false.
    Boolean,
    /// JSON arrays or objects.
    Json,
    /// Bytes, such as geometries.
    Binary,
    /// Text.
    Text,
}

impl Shape {
    /// The shape that values of all these looks fit into; text where there is none.
    #[must_use]
    pub fn of_all(values: impl IntoIterator<Item = Value>) -> Self {
        shape_of(set(values) & !set([Value::Missing]))
    }

    /// All shapes.
    const ALL: [Self; 19] = [
        Self::Empty,
        Self::Integer,
        Self::Code,
        Self::Number,
        Self::NumberComma,
        Self::NumberEither,
        Self::Date(DateOrder::Iso),
        Self::Date(DateOrder::DayFirst),
        Self::Date(DateOrder::MonthFirst),
        Self::Date(DateOrder::YearFirst),
        Self::Date(DateOrder::Either),
        Self::Datetime,
        Self::Time,
        Self::Month,
        Self::SchoolYear,
        Self::Boolean,
        Self::Json,
        Self::Binary,
        Self::Text,
    ];

    /// The words for it, in messages and in a pipeline's state.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Integer => "whole numbers",
            Self::Code => "digits with leading zeros",
            Self::Number => "numbers",
            Self::NumberComma => "numbers with a decimal comma",
            Self::NumberEither => "numbers that can be read both ways (1.234)",
            Self::Date(DateOrder::Iso) => "dates (2024-03-31)",
            Self::Date(DateOrder::DayFirst) => "dates, day first (31/03/2024)",
            Self::Date(DateOrder::MonthFirst) => "dates, month first (03/31/2024)",
            Self::Date(DateOrder::YearFirst) => "dates, year first (2024/03/31)",
            Self::Date(DateOrder::Either) => "dates that can be read both ways (03/04/2024)",
            Self::Datetime => "dates with times",
            Self::Time => "times of day",
            Self::Month => "months (2024-03)",
            Self::SchoolYear => "school years (2023-2024)",
            Self::Boolean => "true or false",
            Self::Json => "JSON",
            Self::Binary => "bytes",
            Self::Text => "text",
        }
    }

    /// The shape that these words are for.
    #[must_use]
    pub fn of_words(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.words() == words)
    }

    /// What a column of a type holds, where the format knows types.
    #[must_use]
    pub fn of_type(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => return None,
            DataType::Boolean => Self::Boolean,
            DataType::Date32 | DataType::Date64 => Self::Date(DateOrder::Iso),
            DataType::Timestamp(..) => Self::Datetime,
            DataType::Time32(_) | DataType::Time64(_) => Self::Time,
            other if other.is_integer() => Self::Integer,
            other if other.is_numeric() => Self::Number,
            other if other.is_nested() => Self::Json,
            DataType::Binary | DataType::BinaryView | DataType::LargeBinary => Self::Binary,
            _ => Self::Text,
        })
    }

    /// Whether what was made for values of this shape may fail, or read wrongly, on values of another. A narrower shape
    /// never does; nor do decimals where there were whole numbers.
    #[must_use]
    pub fn is_broken_by(self, now: Self) -> bool {
        use DateOrder::{DayFirst, Either, MonthFirst};
        match (self, now) {
            (before, now) if before == now => false,
            (Self::Empty | Self::Text | Self::Json | Self::Binary, _) | (_, Self::Empty) => false,
            (Self::Integer | Self::Number, Self::Integer | Self::Number) => false,
            // Few values may look like plain integers, or be unclear, by chance.
            (Self::NumberComma | Self::NumberEither, Self::Integer | Self::NumberEither) => false,
            (Self::Number, Self::NumberEither) => false,
            (Self::NumberEither, Self::Number | Self::NumberComma) => false,
            (Self::Date(DayFirst | MonthFirst), Self::Date(Either)) => false,
            (Self::Date(Either), Self::Date(DayFirst | MonthFirst)) => false,
            _ => true,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// A bit for each look.
fn set(values: impl IntoIterator<Item = Value>) -> u32 {
    let bits = values.into_iter().map(|value| 1 << value as u32);
    bits.fold(0, |all, bit: u32| all | bit)
}

/// One shape that all of these looks fit into.
fn shape_of(kinds: u32) -> Shape {
    use Value as V;
    let only = |allowed: &[Value]| kinds & !set(allowed.iter().copied()) == 0;
    let has = |kind: Value| kinds & set([kind]) != 0;
    if kinds == 0 {
        return Shape::Empty;
    }
    if only(&[V::Integer]) {
        return Shape::Integer;
    }
    if only(&[V::Integer, V::Code]) {
        return Shape::Code;
    }
    let point = [
        V::Integer,
        V::Point,
        V::ThousandsComma,
        V::PointOrThousands,
        V::CommaOrThousands,
    ];
    let comma = [
        V::Integer,
        V::Comma,
        V::ThousandsPoint,
        V::PointOrThousands,
        V::CommaOrThousands,
    ];
    match (only(&point), only(&comma)) {
        (true, true) => return Shape::NumberEither,
        (true, false) => return Shape::Number,
        (false, true) => return Shape::NumberComma,
        (false, false) => {}
    }
    let dates = [V::DateDayFirst, V::DateMonthFirst, V::DateEither];
    if only(&dates) {
        return match (has(V::DateDayFirst), has(V::DateMonthFirst)) {
            (true, true) => Shape::Text,
            (true, false) => Shape::Date(DateOrder::DayFirst),
            (false, true) => Shape::Date(DateOrder::MonthFirst),
            (false, false) => Shape::Date(DateOrder::Either),
        };
    }
    let one = |kind: Value| only(&[kind]);
    match () {
        () if one(V::DateIso) => Shape::Date(DateOrder::Iso),
        () if only(&[V::DateYearFirst, V::DateIso]) => Shape::Date(DateOrder::YearFirst),
        () if one(V::Datetime) => Shape::Datetime,
        () if one(V::Time) => Shape::Time,
        () if one(V::Month) => Shape::Month,
        () if one(V::SchoolYear) => Shape::SchoolYear,
        () if one(V::Boolean) => Shape::Boolean,
        () if one(V::Json) => Shape::Json,
        () => Shape::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_shapes_apart() {
        for shape in Shape::ALL {
            assert_eq!(Shape::of_words(shape.words()), Some(shape));
        }
    }

    #[test]
    fn what_breaks_a_shape() {
        assert!(Shape::Integer.is_broken_by(Shape::Text));
        assert!(Shape::Code.is_broken_by(Shape::Integer), "zeros are gone");
        assert!(Shape::Date(DateOrder::Iso).is_broken_by(Shape::Date(DateOrder::DayFirst)));
        assert!(Shape::Number.is_broken_by(Shape::NumberComma));
        assert!(!Shape::Integer.is_broken_by(Shape::Number));
        assert!(!Shape::Text.is_broken_by(Shape::Integer));
        assert!(!Shape::Integer.is_broken_by(Shape::Empty));
    }
}
