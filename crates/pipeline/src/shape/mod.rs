//! What kind of values a column holds: looked at as text, counted, never converted.
//!
//! A column is what all its values are. One that mixes kinds is text, and the mixture is told: nothing is turned in silence.

mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use arrow::datatypes::DataType;

pub(crate) use value::{Value, look};

/// Distinct values that are remembered of a column.
const DISTINCT_MAX: usize = 256;
/// Characters of a value that is shown.
const SHOWN_CHARS_MAX: usize = 40;

/// The order of day and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateOrder {
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
pub(crate) enum Shape {
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
    pub(crate) fn words(self) -> &'static str {
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
    pub(crate) fn of_words(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.words() == words)
    }

    /// What a column of a type holds, where the format knows types.
    pub(crate) fn of_type(data_type: &DataType) -> Option<Self> {
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
    pub(crate) fn is_broken_by(self, now: Self) -> bool {
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

/// What was seen of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    /// Values by what they look like.
    counts: BTreeMap<Value, u64>,
    /// Distinct values, as long as they are few.
    distinct: BTreeSet<String>,
    has_more: bool,
    /// What the format says of the type.
    typed: Option<Shape>,
    /// Marks for "no value" that stand in it, but for empty cells.
    marks: BTreeSet<String>,
    /// An example of each kind.
    examples: BTreeMap<Value, String>,
}

impl Profile {
    /// Of a column of a type.
    pub(crate) fn of_type(data_type: &DataType) -> Self {
        Self {
            typed: Shape::of_type(data_type),
            ..Self::default()
        }
    }

    /// Takes in one value.
    pub(crate) fn add(&mut self, value: Option<&str>) {
        let kind = value.map_or(Value::Missing, look);
        *self.counts.entry(kind).or_default() += 1;
        let Some(text) = value else { return };
        if kind == Value::Missing && !text.trim().is_empty() {
            self.marks.insert(text.trim().to_owned());
        }
        if kind != Value::Missing && !self.examples.contains_key(&kind) {
            self.examples.insert(kind, shown(text));
        }
        if kind == Value::Missing || self.distinct.contains(text.trim()) {
            return;
        }
        if self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(text.trim().to_owned());
        } else {
            self.has_more = true;
        }
    }

    /// How many values there are, without marks for none.
    pub(crate) fn values(&self) -> u64 {
        let known = self.counts.iter();
        known
            .filter(|(kind, _)| **kind != Value::Missing)
            .map(|(_, count)| count)
            .sum()
    }

    /// How many values there are of one kind.
    pub(crate) fn count(&self, kind: Value) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }

    /// The distinct values, if they are few enough to be known.
    pub(crate) fn distinct(&self) -> Option<&BTreeSet<String>> {
        (!self.has_more).then_some(&self.distinct)
    }

    /// Marks for "no value" that stand in it.
    pub(crate) fn marks(&self) -> &BTreeSet<String> {
        &self.marks
    }

    /// Whether no value is there twice, and none is missing, as far as distinct values are remembered.
    pub(crate) fn is_unique(&self) -> bool {
        let rows: u64 = self.counts.values().sum();
        rows > 0 && self.values() == rows && (self.has_more || self.distinct.len() as u64 == rows)
    }

    /// Some of the distinct values.
    pub(crate) fn some(&self) -> impl Iterator<Item = &str> {
        self.distinct.iter().map(String::as_str)
    }

    /// An example of the column's values.
    pub(crate) fn example(&self) -> Option<&str> {
        self.examples.values().next().map(String::as_str)
    }

    /// The column's shape.
    pub(crate) fn shape(&self) -> Shape {
        if let Some(typed) = self.typed {
            return typed;
        }
        let kinds: BTreeSet<Value> = self
            .counts
            .keys()
            .copied()
            .filter(|kind| *kind != Value::Missing)
            .collect();
        shape_of(&kinds)
    }

    /// Kinds that stand beside the most common one and make the column text: kind, count, example; none where all values
    /// are of one shape.
    pub(crate) fn mixture(&self) -> Option<Vec<(Shape, u64, String)>> {
        if self.typed.is_some()
            || self.shape() != Shape::Text
            || self.count(Value::Text) == self.values()
        {
            return None;
        }
        let mut kinds: Vec<(Shape, u64, String)> = Vec::new();
        for (kind, count) in self
            .counts
            .iter()
            .filter(|(kind, _)| **kind != Value::Missing)
        {
            let shape = shape_of(&BTreeSet::from([*kind]));
            match kinds.iter_mut().find(|(known, ..)| *known == shape) {
                Some(known) => known.1 += count,
                None => kinds.push((
                    shape,
                    *count,
                    self.examples.get(kind).cloned().unwrap_or_default(),
                )),
            }
        }
        kinds.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
        // Words among words are no mixture.
        let is_word = |shape: Shape| matches!(shape, Shape::Text | Shape::Boolean | Shape::Json);
        let mixes = kinds.len() > 1 && kinds.iter().any(|(shape, ..)| !is_word(*shape));
        mixes.then_some(kinds)
    }
}

/// One shape that all of these kinds fit into.
fn shape_of(kinds: &BTreeSet<Value>) -> Shape {
    use Value as V;
    let only = |allowed: &[Value]| kinds.iter().all(|kind| allowed.contains(kind));
    let has = |kind: Value| kinds.contains(&kind);
    if kinds.is_empty() {
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

/// A value cut to what a line of a message holds.
pub(crate) fn shown(text: &str) -> String {
    let text = text.trim().replace(['\n', '\r', '\t'], " ");
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn profile(values: &[&str]) -> Profile {
        let mut profile = Profile::default();
        for value in values {
            profile.add(Some(value));
        }
        profile
    }

    #[test]
    fn a_column_is_what_all_its_values_are() {
        let check = |values: &[&str], expected: Shape| {
            assert_eq!(profile(values).shape(), expected, "{values:?}");
        };
        check(&["1", "2", ""], Shape::Integer);
        check(&["1", "02"], Shape::Code);
        check(&["1", "2", "2A"], Shape::Text);
        check(&["1", "2.5"], Shape::Number);
        check(&["1", "2,5", "1.234"], Shape::NumberComma);
        check(&["1.234", "5.678"], Shape::NumberEither);
        check(
            &["03/04/2024", "31/04/2024"],
            Shape::Date(DateOrder::DayFirst),
        );
        check(&["03/04/2024"], Shape::Date(DateOrder::Either));
        check(&["13/04/2024", "04/13/2024"], Shape::Text);
        check(&["2024-01-02", "n/a"], Shape::Date(DateOrder::Iso));
        check(&["", ".."], Shape::Empty);
    }

    #[test]
    fn a_mixture_is_told() {
        let mut values = vec!["12"; 99];
        values.push("12A");
        let mixed = profile(&values).mixture().unwrap();
        assert_eq!(
            mixed,
            [
                (Shape::Integer, 99, "12".to_owned()),
                (Shape::Text, 1, "12A".to_owned())
            ]
        );
        assert_eq!(profile(&["a", "b"]).mixture(), None);
        assert_eq!(profile(&["1", "2"]).mixture(), None);
    }

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
