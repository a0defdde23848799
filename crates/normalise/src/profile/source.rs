//! The columns of a source: what their texts look like.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::datatypes::DataType;

use super::Shape;
use crate::cast::as_text;

/// How often each shape was seen, and where first.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    seen: [Seen; Shape::ALL.len()],
}

#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    rows: u64,
    /// The part, by its number among those of the table, and the record; the least wins.
    first: Option<(u32, i64)>,
}

/// A shape of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenShape {
    /// The shape.
    pub shape: Shape,
    /// Values that look so.
    pub rows: u64,
    /// The first: the part by its number among those of the table, from 0, and the record's number in it.
    pub first: (u32, i64),
}

impl Shapes {
    #[inline]
    fn add(&mut self, shape: Shape, part: u32, row: i64) {
        let seen = &mut self.seen[shape as usize];
        seen.rows += 1;
        // Records come in order within a worker, so the first is kept at once.
        if seen.first.is_none() {
            seen.first = Some((part, row));
        }
    }

    /// Adds what another worker saw.
    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.seen.iter_mut().zip(&other.seen) {
            mine.rows += theirs.rows;
            mine.first = match (mine.first, theirs.first) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
    }

    /// The shapes that were seen, the most frequent first; empty values last.
    #[must_use]
    pub fn all(&self) -> Vec<SeenShape> {
        let seen = Shape::ALL.iter().zip(&self.seen);
        let mut all: Vec<SeenShape> = seen
            .filter_map(|(shape, seen)| {
                Some(SeenShape {
                    shape: *shape,
                    rows: seen.rows,
                    first: seen.first?,
                })
            })
            .collect();
        all.sort_by_key(|seen| (seen.shape == Shape::Empty, std::cmp::Reverse(seen.rows)));
        all
    }

    /// The kinds of values in words; none where there is no value. Whole numbers among decimals are decimals.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let mut shapes: Vec<Shape> = self.all().iter().map(|seen| seen.shape).collect();
        shapes.retain(|shape| *shape != Shape::Empty);
        if shapes.contains(&Shape::Decimal) || shapes.contains(&Shape::DecimalComma) {
            shapes.retain(|shape| *shape != Shape::Integer);
        }
        if shapes.contains(&Shape::TwoWayDate) || shapes.contains(&Shape::LocalDate) {
            shapes.retain(|shape| *shape != Shape::TwoWayDate || !shapes_have_day_first(self));
        }
        let words: Vec<&str> = shapes.iter().map(|shape| shape.word()).collect();
        (!words.is_empty()).then(|| words.join(" and "))
    }
}

/// Whether another value tells in which order the column writes day and month.
fn shapes_have_day_first(shapes: &Shapes) -> bool {
    shapes.seen[Shape::LocalDate as usize].rows > 0
}

/// A column of the source.
#[derive(Debug, Clone)]
pub(super) struct SourceColumn {
    pub(super) name: String,
    pub(super) data_type: DataType,
    pub(super) rows: u64,
    pub(super) nulls: u64,
    pub(super) shapes: Shapes,
}

impl SourceColumn {
    pub(super) fn new(name: &str, data_type: &DataType) -> Self {
        Self {
            name: name.to_owned(),
            data_type: data_type.clone(),
            rows: 0,
            nulls: 0,
            shapes: Shapes::default(),
        }
    }

    pub(super) fn add(&mut self, column: &ArrayRef, part: u32, rows: &Int64Array) {
        self.rows += column.len() as u64;
        self.nulls += column.null_count() as u64;
        if let DataType::Utf8View = column.data_type() {
            self.views(column.as_string_view(), part, rows);
        } else if let Some(text) = as_text(column) {
            for (index, value) in text.present() {
                let shape = Shape::of(value.as_bytes());
                self.shapes.add(shape, part, rows.value(index));
            }
        }
    }

    /// Neighbours are often equal, and a short text is its view: then it is looked at once.
    fn views(&mut self, column: &StringViewArray, part: u32, rows: &Int64Array) {
        let (mut before, mut shape) = (0_u128, Shape::Empty);
        for (index, view) in column.views().iter().enumerate() {
            if column.is_null(index) {
                continue;
            }
            if *view != before || index == 0 {
                shape = Shape::of(column.value(index).as_bytes());
                before = *view;
            }
            self.shapes.add(shape, part, rows.value(index));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.nulls += other.nulls;
        self.shapes.merge(&other.shapes);
    }
}
