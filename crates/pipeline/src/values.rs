//! The first values of a column, remembered: what drafts and plans tell of it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::DataType;
use sectorlake_normalise::{Looks, Shape, Value, look};

/// Distinct values that are remembered of a column.
const DISTINCT_MAX: usize = 256;
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
        if self.distinct.contains(text.trim()) {
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
}
