//! What values look like: texts are looked at and counted, never converted.
//!
//! A column is what all its values are. One that mixes kinds is text, and the mixture is told: nothing is turned in silence.

mod shape;
mod times;
mod value;

use std::fmt;

pub use shape::{DateOrder, Shape};
pub use value::{Value, look};

/// How often a column has values of each look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looks {
    counts: [u64; Value::ALL.len()],
}

/// Values of a column that are of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// What they are.
    pub shape: Shape,
    /// How many there are.
    pub rows: u64,
    /// Their looks, the most frequent first.
    pub values: Vec<Value>,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {}", self.rows, self.shape)
    }
}

impl Looks {
    /// Counts values of one look.
    #[inline]
    pub fn add(&mut self, value: Value, rows: u64) {
        self.counts[value as usize] += rows;
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        let pairs = self.counts.iter_mut().zip(&other.counts);
        pairs.for_each(|(mine, theirs)| *mine += theirs);
    }

    /// How many values are of one look.
    #[must_use]
    pub fn count(&self, value: Value) -> u64 {
        self.counts[value as usize]
    }

    /// How many rows there are, those with marks for no value among them.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many values there are, without marks for none.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.rows() - self.count(Value::Missing)
    }

    /// The one shape that all values fit into; text where there is none.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape::of_all(self.present())
    }

    /// The looks of the values, but for marks for none.
    fn present(&self) -> impl Iterator<Item = Value> + Clone + '_ {
        let all = Value::ALL.into_iter().skip(1);
        all.filter(|value| self.count(*value) > 0)
    }

    /// The kinds of values, the most frequent first: looks that fit into one shape are one kind.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let mut looks: Vec<Value> = self.present().collect();
        looks.sort_by_key(|value| std::cmp::Reverse(self.count(*value)));
        let mut kinds: Vec<Kind> = Vec::new();
        for value in looks {
            let rows = self.count(value);
            let with = |kind: &Kind| Shape::of_all(kind.values.iter().copied().chain([value]));
            // Everything fits into text, which is no reason to call it one kind.
            match kinds.iter_mut().find(|kind| with(kind) != Shape::Text) {
                Some(kind) => {
                    kind.shape = with(kind);
                    kind.rows += rows;
                    kind.values.push(value);
                }
                None => kinds.push(Kind {
                    shape: Shape::of_all([value]),
                    rows,
                    values: vec![value],
                }),
            }
        }
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.rows));
        kinds
    }

    /// The kinds, where the values are of several. Words among words are no mixture.
    #[must_use]
    pub fn mixture(&self) -> Option<Vec<Kind>> {
        let kinds = self.kinds();
        let is_word =
            |kind: &Kind| matches!(kind.shape, Shape::Text | Shape::Boolean | Shape::Json);
        (kinds.len() > 1 && !kinds.iter().all(is_word)).then_some(kinds)
    }

    /// The shape of all values but for a few odd ones: fewer than one in a hundred say nothing of what the column is.
    #[must_use]
    pub fn main_shape(&self) -> Shape {
        let kinds = self.kinds();
        let Some((main, odd)) = kinds.split_first() else {
            return Shape::Empty;
        };
        let odd: u64 = odd.iter().map(|kind| kind.rows).sum();
        match odd * 100 < self.values() {
            true => main.shape,
            false => self.shape(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(values: &[&str]) -> Looks {
        let mut looks = Looks::default();
        values.iter().for_each(|value| looks.add(look(value), 1));
        looks
    }

    fn told(looks: &Looks) -> Vec<String> {
        looks.kinds().iter().map(Kind::to_string).collect()
    }

    #[test]
    fn a_column_is_what_all_its_values_are() {
        let check = |values: &[&str], expected: Shape| {
            assert_eq!(looks(values).shape(), expected, "{values:?}");
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
    fn looks_that_fit_together_are_one_kind() {
        assert_eq!(
            told(&looks(&["1", "2.5", "3.5", "x1", "n/a"])),
            ["3 × numbers", "1 × text"]
        );
        assert_eq!(
            told(&looks(&["031", "5", "031A", "032"])),
            ["3 × digits with leading zeros", "1 × text"]
        );
        assert_eq!(
            told(&looks(&[
                "03/04/2024",
                "25/04/2024",
                "26/04/2024",
                "2024-04-03"
            ])),
            [
                "3 × dates, day first (31/03/2024)",
                "1 × dates (2024-03-31)"
            ]
        );
        assert!(looks(&["a", "yes", "[1]"]).mixture().is_none());
        assert!(looks(&["a", "1"]).mixture().is_some());
        assert!(looks(&["1", "2.5"]).mixture().is_none());
    }

    #[test]
    fn a_few_odd_values_do_not_make_a_column_another() {
        let mut many = looks(&["12A"]);
        many.add(Value::Integer, 100);
        assert_eq!(
            (many.main_shape(), many.shape()),
            (Shape::Integer, Shape::Text)
        );
        many.add(Value::Text, 1);
        assert_eq!(many.main_shape(), Shape::Text);
    }

    proptest::proptest! {
        #[test]
        fn kinds_add_up(counts in proptest::collection::vec(0..1000_u64, Value::ALL.len())) {
            let mut looks = Looks::default();
            for (value, rows) in Value::ALL.into_iter().zip(&counts) {
                looks.add(value, *rows);
            }
            let kinds = looks.kinds();
            proptest::prop_assert_eq!(kinds.iter().map(|kind| kind.rows).sum::<u64>(), looks.values());
            for kind in &kinds {
                proptest::prop_assert_eq!(kind.shape, Shape::of_all(kind.values.iter().copied()));
            }
        }
    }
}
