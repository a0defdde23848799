//! The columns of a source: what their texts look like.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::datatypes::DataType;

use crate::cast::as_text;
use crate::looks::{Kind, Looks, Shape, Value, look};

/// Where a value stands: the part, by its number among those of the table from 0, and the record's number in it.
pub type SeenAt = (u32, i64);

/// What the texts of a column look like, and where each look was met first.
#[derive(Debug, Clone, Default)]
pub struct SeenLooks {
    looks: Looks,
    first: [Option<SeenAt>; Value::ALL.len()],
}

impl SeenLooks {
    #[inline]
    fn add(&mut self, value: Value, rows: u64, first: impl FnOnce() -> SeenAt) {
        self.looks.add(value, rows);
        // Records come in order within a worker, so the first is kept at once.
        let known = &mut self.first[value as usize];
        if known.is_none() {
            *known = Some(first());
        }
    }

    /// Adds what another worker saw.
    pub fn merge(&mut self, other: &Self) {
        self.looks.merge(&other.looks);
        for (mine, theirs) in self.first.iter_mut().zip(&other.first) {
            *mine = match (*mine, *theirs) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
    }

    /// The same, met in the part of another number.
    #[must_use]
    pub fn in_part(&self, part: u32) -> Self {
        let moved = |place: Option<SeenAt>| place.map(|(_, row)| (part, row));
        Self {
            looks: self.looks.clone(),
            first: self.first.map(moved),
        }
    }

    /// How often each look was met.
    #[must_use]
    pub fn looks(&self) -> &Looks {
        &self.looks
    }

    /// Where values of one kind were met first.
    #[must_use]
    pub fn first(&self, kind: &Kind) -> Option<SeenAt> {
        let places = kind.values.iter();
        places.filter_map(|value| self.first[*value as usize]).min()
    }

    /// Where a value was met first that does not fit into a shape.
    #[must_use]
    pub fn first_beside(&self, shape: Shape) -> Option<SeenAt> {
        let odd = Value::ALL.iter().zip(&self.first);
        odd.filter(|(value, _)| shape.is_broken_by(Shape::of_all([**value])))
            .filter_map(|(_, place)| *place)
            .min()
    }

    /// Each look that was met, the most frequent first and marks for no value last: its shape, its rows, and where it was met first.
    #[must_use]
    pub fn all(&self) -> Vec<(Value, u64, SeenAt)> {
        let seen = Value::ALL.iter().zip(&self.first);
        let seen =
            seen.filter_map(|(value, place)| Some((*value, self.looks.count(*value), (*place)?)));
        let mut all: Vec<_> = seen.collect();
        all.sort_by_key(|(value, rows, _)| (*value == Value::Missing, std::cmp::Reverse(*rows)));
        all
    }

    /// The kinds of values in words; none where there is no value.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let kinds = self.looks.kinds();
        let words: Vec<&str> = kinds.iter().map(|kind| kind.shape.words()).collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }
}

/// A column of the source.
#[derive(Debug, Clone)]
pub(super) struct SourceColumn {
    pub(super) name: String,
    pub(super) data_type: DataType,
    /// Marks for no value that the contract declares for what is made of the column.
    pub(super) missing: Vec<String>,
    pub(super) rows: u64,
    pub(super) nulls: u64,
    pub(super) seen: SeenLooks,
}

impl SourceColumn {
    pub(super) fn new(name: &str, data_type: &DataType, missing: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            data_type: data_type.clone(),
            missing,
            rows: 0,
            nulls: 0,
            seen: SeenLooks::default(),
        }
    }

    pub(super) fn add(&mut self, column: &ArrayRef, part: u32, rows: &Int64Array) {
        self.rows += column.len() as u64;
        self.nulls += column.null_count() as u64;
        if let DataType::Utf8View = column.data_type() {
            self.views(column.as_string_view(), part, rows);
        } else if let Some(text) = as_text(column) {
            for (index, text) in text.present() {
                let value = self.look(text);
                self.seen.add(value, 1, || (part, rows.value(index)));
            }
        }
    }

    #[inline]
    fn look(&self, text: &str) -> Value {
        if !self.missing.is_empty() && self.missing.iter().any(|mark| mark == text) {
            return Value::Missing;
        }
        look(text)
    }

    /// Neighbours are often equal, and a short text is its view: then it is looked at once.
    fn views(&mut self, column: &StringViewArray, part: u32, rows: &Int64Array) {
        let nulls = column.nulls();
        let views = column.views();
        let mut index = 0;
        while index < views.len() {
            let (start, view) = (index, views[index]);
            index += 1;
            if nulls.is_some_and(|nulls| nulls.is_null(start)) {
                continue;
            }
            while index < views.len()
                && views[index] == view
                && nulls.is_none_or(|nulls| nulls.is_valid(index))
            {
                index += 1;
            }
            let value = self.look(column.value(start));
            let first = || (part, rows.value(start));
            self.seen.add(value, (index - start) as u64, first);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        self.seen.merge(&other.seen);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    fn column(texts: &[Option<String>], missing: &[&str]) -> SourceColumn {
        let missing = missing.iter().map(|mark| (*mark).to_owned()).collect();
        let mut column = SourceColumn::new("a", &DataType::Utf8View, missing);
        let rows = Int64Array::from_iter_values(1..=texts.len() as i64);
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter(
            texts.iter().map(Option::as_deref),
        ));
        column.add(&texts, 0, &rows);
        column
    }

    #[test]
    fn the_first_of_each_kind_is_known() {
        let texts: Vec<_> = ["1", "1", "y1", "2.5", "y1", "*"]
            .map(|it| Some(it.to_owned()))
            .into();
        let column = column(&texts, &["*"]);
        let kinds = column.seen.looks().kinds();
        let told: Vec<_> = kinds
            .iter()
            .map(|kind| (kind.to_string(), column.seen.first(kind)))
            .collect();
        assert_eq!(
            told,
            [
                ("3 × numbers".to_owned(), Some((0, 1))),
                ("2 × text".to_owned(), Some((0, 3)))
            ]
        );
        assert_eq!(column.seen.first_beside(Shape::Number), Some((0, 3)));
        assert_eq!(column.seen.in_words().as_deref(), Some("numbers and text"));
    }

    proptest! {
        #[test]
        fn runs_count_as_their_rows_do(texts in proptest::collection::vec(proptest::option::of("1|2.5|x|a longer text than a view|"), 0..40)) {
            let column = column(&texts, &[]);
            let mut one_by_one = Looks::default();
            texts.iter().flatten().for_each(|text| one_by_one.add(look(text), 1));
            prop_assert_eq!(column.seen.looks(), &one_by_one);
            prop_assert_eq!(column.nulls as usize, texts.iter().filter(|it| it.is_none()).count());
        }
    }
}
