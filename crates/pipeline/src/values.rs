//! The first values of a column, remembered: what drafts and plans tell of it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::DataType;
use sectorlake_normalise::{Looks, Shape, Value, look};

/// Distinct values that are remembered of a column.
const DISTINCT_MAX: usize = 256;
/// Digits that a floating-point number of 64 bits holds, whatever they are.
pub(crate) const DIGITS_MAX: u8 = 15;
/// Significant digits that such a number has at most.
const EXACT_DIGITS_MAX: usize = 767;
/// Characters of a value that is shown.
const SHOWN_CHARS_MAX: usize = 40;

/// What was seen of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    looks: Looks,
    /// Distinct values, as long as they are few.
    distinct: BTreeSet<String>,
    has_more: bool,
    /// What the format says of the type.
    typed: Option<Shape>,
    /// Marks for "no value" that stand in it, but for empty cells.
    marks: BTreeSet<String>,
    /// An example of each look.
    examples: BTreeMap<Value, String>,
    /// A whole number that 64 bits do not hold.
    beyond_integer: Option<String>,
    /// A number that a floating-point number of 64 bits holds otherwise than it is written.
    beyond_number: Option<String>,
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
        let seen = value.map_or(Value::Missing, look);
        self.looks.add(seen, 1);
        let Some(text) = value else { return };
        if seen == Value::Missing {
            if !text.trim().is_empty() {
                self.marks.insert(text.trim().to_owned());
            }
            return;
        }
        self.examples.entry(seen).or_insert_with(|| shown(text));
        if text.len() > usize::from(DIGITS_MAX) {
            self.add_long(text);
        }
        if self.distinct.contains(text.trim()) {
            return;
        }
        if self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(text.trim().to_owned());
        } else {
            self.has_more = true;
        }
    }

    /// Whether a long number is one that no number here holds.
    fn add_long(&mut self, text: &str) {
        if self.beyond_integer.is_none() && is_beyond_integer(text) {
            self.beyond_integer = Some(shown(text));
        }
        if self.beyond_number.is_none() && is_beyond_number(text) {
            self.beyond_number = Some(shown(text));
        }
    }

    /// A value that is a whole number, and more than 64 bits hold.
    pub(crate) fn beyond_integer(&self) -> Option<&str> {
        self.beyond_integer.as_deref()
    }

    /// A value that a floating-point number of 64 bits would hold otherwise than it is written.
    pub(crate) fn beyond_number(&self) -> Option<&str> {
        self.beyond_number.as_deref()
    }

    /// How many values there are, without marks for none.
    pub(crate) fn values(&self) -> u64 {
        self.looks.values()
    }

    /// How many values there are of one look.
    pub(crate) fn count(&self, value: Value) -> u64 {
        self.looks.count(value)
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
        let rows = self.looks.rows();
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
        self.typed.unwrap_or_else(|| self.looks.shape())
    }

    /// The kinds of values that are mixed in the column, with an example of each: kind, count, example; none where all are of one.
    pub(crate) fn mixture(&self) -> Option<Vec<(Shape, u64, String)>> {
        if self.typed.is_some() {
            return None;
        }
        let kinds = self.looks.mixture()?.into_iter();
        let with_example = kinds.map(|kind| {
            let mut examples = kind.values.iter().map(|value| self.examples.get(value));
            let example = examples.next().flatten().cloned();
            (kind.shape, kind.rows, example.unwrap_or_default())
        });
        Some(with_example.collect())
    }
}

/// Whether a text is a whole number that 64 bits do not hold.
fn is_beyond_integer(text: &str) -> bool {
    let text = text.trim();
    let digits = text.trim_start_matches(['-', '+']);
    is_digits(digits) && text.parse::<i64>().is_err()
}

/// Whether a text is a number that a floating-point number of 64 bits holds otherwise than it is written.
fn is_beyond_number(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['-', '+']);
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
    if !is_digits(whole) || !(part.is_empty() || is_digits(part)) {
        return false;
    }
    let all = format!("{whole}{part}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.len() <= usize::from(DIGITS_MAX) {
        return false;
    }
    if significant.len() > EXACT_DIGITS_MAX {
        return true;
    }
    let Ok(number) = format!("{whole}.{part}0").parse::<f64>() else {
        return false;
    };
    // What is printed out of such a number is the same as long as no more digits are asked for than were written.
    let held = format!("{number:.*e}", significant.len() - 1).replace('.', "");
    held.split('e').next() != Some(significant)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|letter| letter.is_ascii_digit())
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

    #[test]
    fn a_mixture_is_told_with_examples() {
        let profile = |values: &[&str]| {
            let mut profile = Profile::default();
            values.iter().for_each(|value| profile.add(Some(value)));
            profile
        };
        let mut values = vec!["12"; 99];
        values.push("12A");
        assert_eq!(
            profile(&values).mixture().unwrap(),
            [
                (Shape::Integer, 99, "12".to_owned()),
                (Shape::Text, 1, "12A".to_owned())
            ]
        );
        assert_eq!(profile(&["a", "b"]).mixture(), None);
        assert_eq!(profile(&["1", "2"]).mixture(), None);
    }

    #[test]
    fn what_64_bits_hold_and_what_not() {
        for text in [
            "9223372036854775807",
            "-9223372036854775808",
            "1.5",
            "x",
            "",
        ] {
            assert!(!is_beyond_integer(text), "{text}");
        }
        for text in [
            "9223372036854775808",
            "18446744073709551615",
            " -9223372036854775809",
        ] {
            assert!(is_beyond_integer(text), "{text}");
        }
        for text in [
            "0.1",
            "106.68219999999999",
            "0.10000000000000001",
            "0.1000000000000000055511151231257827",
            "12,5",
            "1e300",
            "100000000000000000000",
            "9007199254740992",
            "2024-05-01",
        ] {
            assert!(!is_beyond_number(text), "{text}");
        }
        for text in [
            "9007199254740993",
            "12345678901234567.25",
            "-0,12345678901234567890",
            "12345678901234567890123456789012345678901234567890.1",
            &"7".repeat(100_000),
        ] {
            assert!(is_beyond_number(text), "{text}");
        }
    }
}
