//! Source drift: a source's columns beside those that the pipeline met when it last published.
//!
//! A column may be new, missing, renamed (gone, while one of a like name, or of like values in its place, is new), or hold
//! another kind of values. Each change comes with a proposal that can be pasted into the mapping or the contract.

mod proposal;
mod renames;

use std::fmt;

use sectorlake_contract::TableName;
use sectorlake_lake::SourceColumn;
use sectorlake_normalise::Shape;

pub(crate) use proposal::{Around, names};

/// What became of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftKind {
    /// It is new.
    New,
    /// It is gone.
    Missing,
    /// It is gone, and another stands for it.
    Renamed,
    /// Its values are of another kind.
    Type,
}

impl DriftKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Missing => "missing",
            Self::Renamed => "renamed",
            Self::Type => "type",
        }
    }
}

/// One change of a source's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The table that the stream feeds.
    pub table: TableName,
    /// The stream.
    pub stream: String,
    /// What became of the column.
    pub kind: DriftKind,
    /// The column, by its old name where it had one.
    pub column: String,
    /// What it was: its name, or its kind of values.
    pub before: Option<String>,
    /// What it is now.
    pub now: Option<String>,
    /// Whether the mapping reads it.
    pub used: bool,
    /// What has changed, as a sentence.
    pub message: String,
    /// The change of the mapping or contract that is proposed.
    pub proposal: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A column as it is seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// What it holds; none where nothing reads it.
    pub(crate) shape: Option<Shape>,
    /// Whether the mapping reads it.
    pub(crate) used: bool,
    /// Whether a field of whole numbers takes it as it stands.
    pub(crate) is_counted: bool,
}

impl Column {
    /// What it holds, as far as it was looked at.
    pub(crate) fn shape(&self) -> Shape {
        self.shape.unwrap_or(Shape::Empty)
    }

    /// Whether it no longer fits what was made for its values. Decimals are no change but where a field takes whole numbers alone.
    fn breaks(&self, before: Shape) -> bool {
        let now = self.shape();
        before.is_broken_by(now)
            || (self.is_counted && (before, now) == (Shape::Integer, Shape::Number))
    }
}

/// A bare change, before it is put in words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    New(Column),
    Missing {
        column: String,
        shape: Option<Shape>,
    },
    Renamed {
        from: String,
        to: Column,
        why: String,
    },
    Type {
        column: Column,
        before: Shape,
    },
}

/// What has changed between two states of a stream's columns. `melts` says which columns become rows by themselves, so that
/// one more or less of them is no news; `reads`, which of the old ones a mapping needs: another column may stand for it.
pub(crate) fn changes(
    before: &[SourceColumn],
    now: &[Column],
    melts: impl Fn(&str) -> bool,
    reads: impl Fn(&str) -> bool,
) -> Vec<Change> {
    // The pipeline never met this stream before.
    if before.is_empty() {
        return Vec::new();
    }
    let mut gone: Vec<(usize, &SourceColumn)> = before
        .iter()
        .enumerate()
        .filter(|(_, old)| !now.iter().any(|column| column.name == old.name))
        .filter(|(_, old)| !melts(&old.name))
        .collect();
    let mut fresh: Vec<(usize, &Column)> = now
        .iter()
        .enumerate()
        .filter(|(_, column)| !before.iter().any(|old| old.name == column.name))
        .filter(|(_, column)| !melts(&column.name))
        .collect();
    let mut changes = renames::take((before, now), &mut gone, &mut fresh, reads);
    changes.extend(gone.into_iter().map(|(_, old)| Change::Missing {
        column: old.name.clone(),
        shape: Shape::of_words(&old.shape),
    }));
    for column in now {
        let old = before.iter().find(|old| old.name == column.name);
        let shape = old.and_then(|old| Shape::of_words(&old.shape));
        if let Some(before) = shape.filter(|before| column.breaks(*before)) {
            let column = column.clone();
            changes.push(Change::Type { column, before });
        }
    }
    changes.extend(
        fresh
            .into_iter()
            .map(|(_, column)| Change::New(column.clone())),
    );
    changes
}

/// The columns that a pipeline keeps in its state. One that is empty today, or that nothing reads, is still what it was.
pub(crate) fn remembered(columns: &[Column], before: &[SourceColumn]) -> Vec<SourceColumn> {
    let column = |column: &Column| {
        let known = before.iter().find(|old| old.name == column.name);
        let shape = match (column.shape, known) {
            (None | Some(Shape::Empty), Some(old)) => old.shape.clone(),
            (Some(shape), _) => shape.words().to_owned(),
            (None, None) => String::new(),
        };
        SourceColumn {
            name: column.name.clone(),
            shape,
        }
    };
    columns.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(columns: &[(&str, Shape)]) -> Vec<SourceColumn> {
        let column = |(name, shape): &(&str, Shape)| SourceColumn {
            name: (*name).to_owned(),
            shape: shape.words().to_owned(),
        };
        columns.iter().map(column).collect()
    }

    fn new(columns: &[(&str, Shape)]) -> Vec<Column> {
        let column = |(name, shape): &(&str, Shape)| Column {
            name: (*name).to_owned(),
            shape: Some(*shape),
            used: true,
            is_counted: *name == "Lớp",
        };
        columns.iter().map(column).collect()
    }

    fn told(before: &[(&str, Shape)], now: &[(&str, Shape)]) -> Vec<String> {
        let word = |change: Change| match change {
            Change::New(column) => format!("new {}", column.name),
            Change::Missing { column, .. } => format!("missing {column}"),
            Change::Renamed { from, to, why } => format!("{from} → {}: {why}", to.name),
            Change::Type { column, before } => {
                format!("{}: {before} → {}", column.name, column.shape())
            }
        };
        let all = changes(&old(before), &new(now), |_| false, |_| true);
        all.into_iter().map(word).collect()
    }

    #[test]
    fn decimals_are_a_change_where_a_field_takes_whole_numbers() {
        let [before, now] =
            [Shape::Integer, Shape::Number].map(|shape| [("Lớp", shape), ("Số HS", shape)]);
        assert_eq!(told(&before, &now), ["Lớp: whole numbers → numbers"]);
        assert_eq!(told(&now, &before), Vec::<String>::new());
    }

    #[test]
    fn changes_of_columns() {
        use Shape::{Code, Integer, Number, Text};
        let before = [
            ("Mã trường", Code),
            ("Tên trường", Text),
            ("Số HS", Integer),
        ];
        assert_eq!(told(&before, &before), Vec::<String>::new());
        assert_eq!(told(&[], &before), Vec::<String>::new());
        assert_eq!(
            told(
                &before,
                &[
                    ("ma_truong", Code),
                    ("Tên trường", Text),
                    ("Số HS", Text),
                    ("Ghi chú", Text)
                ]
            ),
            [
                "Mã trường → ma_truong: the names are alike",
                "Số HS: whole numbers → text",
                "new Ghi chú"
            ]
        );
        assert_eq!(
            told(
                &before,
                &[("Mã trường", Code), ("Đơn vị", Text), ("Số HS", Integer)]
            ),
            ["Tên trường → Đơn vị: it stands in the same place and holds text too"]
        );
        assert_eq!(
            told(&before, &[("Mã trường", Code), ("Số HS", Number)]),
            ["missing Tên trường"]
        );
        assert_eq!(
            told(
                &before,
                &[
                    ("Mã trường", Code),
                    ("Đơn vị", Text),
                    ("Số HS", Integer),
                    ("Xã", Text)
                ]
            ),
            [
                "Tên trường → Đơn vị: it stands in the same place and holds text too",
                "new Xã"
            ]
        );
    }
}
