//! The columns of a source, and what their first values look like.

use sectorlake_formats::Sample;

use crate::names::folded;
use crate::shape::{Profile, Shape, Value};

/// Share of values that must be numbers for a mixed column to be one of numbers, with some that are none.
const MOSTLY: f64 = 0.9;

/// A column of a source.
#[derive(Debug, Clone)]
pub(super) struct SourceColumn {
    pub(super) name: String,
    pub(super) folded: String,
    pub(super) profile: Profile,
}

impl SourceColumn {
    /// All columns of a sample, but the whole record beside its fields.
    pub(super) fn all(sample: &Sample) -> Vec<Self> {
        let fields = sample.schema.fields().iter().enumerate();
        fields
            .filter(|(_, field)| field.name() != "_record")
            .map(|(index, field)| {
                let mut profile = Profile::of_type(field.data_type());
                for row in &sample.rows {
                    profile.add(row.get(index).and_then(Option::as_deref));
                }
                Self {
                    name: field.name().clone(),
                    folded: folded(field.name()),
                    profile,
                }
            })
            .collect()
    }

    pub(super) fn shape(&self) -> Shape {
        self.profile.shape()
    }

    /// Whether the column is one of numbers, but for a few values.
    pub(super) fn is_mostly_number(&self) -> bool {
        let numbers = [
            Value::Integer,
            Value::Point,
            Value::Comma,
            Value::PointOrThousands,
            Value::CommaOrThousands,
            Value::ThousandsPoint,
            Value::ThousandsComma,
        ];
        let count: u64 = numbers.iter().map(|kind| self.profile.count(*kind)).sum();
        count as f64 >= MOSTLY * self.profile.values() as f64
    }
}
