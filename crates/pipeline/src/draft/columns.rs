//! The columns of a source, and what their first values look like.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use sectorlake_formats::Sample;
use sectorlake_normalise::{Shape, Value};

use super::personal;
use crate::names::folded;
use crate::values::{Profile, shown};

/// Share of values that must be numbers for a mixed column to be one of numbers, with some that are none.
const MOSTLY: f64 = 0.9;

/// What people wrote beside what tells of them may tell of them too: no text of such a table is quoted.
pub(super) fn quotable(mut columns: Vec<SourceColumn>) -> Vec<SourceColumn> {
    if columns.iter().any(|column| column.personal.is_some()) {
        for column in &mut columns {
            column.is_quotable &=
                column.profile.count(Value::Text) == 0 && column.shape() != Shape::Json;
        }
    }
    columns
}

/// A column of a source.
#[derive(Debug, Clone)]
pub(super) struct SourceColumn {
    pub(super) name: String,
    pub(super) folded: String,
    /// What the format says of its type.
    pub(super) data_type: Option<DataType>,
    pub(super) profile: Profile,
    /// Whether it holds records or lists as such, which no field of a contract takes.
    pub(super) is_nested: bool,
    /// Whether some of its cells hold blanks alone.
    pub(super) has_blanks: bool,
    /// Whether every record that was looked at has a value of its own there.
    pub(super) is_unique: bool,
    /// Why it says something about persons, where it does.
    pub(super) personal: Option<String>,
    /// Whether its values may be quoted in a file that is kept.
    pub(super) is_quotable: bool,
}

impl SourceColumn {
    /// All columns of a sample, but the whole record beside its fields.
    pub(super) fn all(sample: &Sample) -> Vec<Self> {
        let fields = sample.schema.fields().iter().enumerate();
        let columns = fields
            // What a reader adds says nothing of the source, but for the sheet, which may be the month.
            .filter(|(_, field)| !field.name().starts_with('_') || field.name() == "_sheet")
            .map(|(index, field)| {
                let mut profile = Profile::of_type(field.data_type());
                let cells = || {
                    sample
                        .rows
                        .iter()
                        .map(|row| row.get(index).and_then(Option::as_deref))
                };
                cells().for_each(|cell| profile.add(cell));
                let distinct: BTreeSet<&str> = cells().flatten().map(str::trim).collect();
                let is_blank = |cell: &str| !cell.is_empty() && cell.trim().is_empty();
                Self {
                    has_blanks: cells().flatten().any(is_blank),
                    is_unique: !sample.rows.is_empty()
                        && profile.values() == sample.rows.len() as u64
                        && distinct.len() == sample.rows.len(),
                    is_nested: field.data_type().is_nested(),
                    data_type: Some(field.data_type().clone()),
                    ..Self::of(field.name(), profile)
                }
            })
            .collect();
        quotable(columns)
    }

    /// A column by itself.
    pub(super) fn of(name: &str, profile: Profile) -> Self {
        let folded = folded(name);
        let personal = personal::why(&folded, &profile);
        Self {
            name: name.to_owned(),
            is_quotable: personal.is_none(),
            is_nested: false,
            data_type: None,
            has_blanks: false,
            is_unique: profile.is_unique(),
            folded,
            profile,
            personal,
        }
    }

    /// A value as messages show it, where it may be shown.
    pub(super) fn quote(&self, value: &str) -> String {
        if self.is_quotable {
            format!("{:?}", shown(value))
        } else {
            "a value".to_owned()
        }
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
