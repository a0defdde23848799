//! Columns that mix types, as notes of the run: what is not of the field's type is rejected, or the mapping makes something of it, and
//! whoever owns the data should hear of it. Where the column is taken as it stands and nothing of it is rejected, the mapping leaves out
//! the rows in question: there is nothing to mend.

use sectorlake_contract::{Field, FieldType, TableName};
use sectorlake_normalise::{Kind, Taken};

use super::seen::{Seen, SeenColumn};
use super::watch::Watch;
use crate::drift::{Drift, DriftKind};

impl Watch {
    /// A note for each column that mixes types and feeds a field that is not text; those that drift or a trial tells are left out.
    /// `refused` says how many values of a field were rejected for their type.
    pub(super) fn mixtures(
        &self,
        drifts: &[Drift],
        refused: impl Fn(&TableName, &str) -> u64,
    ) -> Vec<String> {
        let is_told = |stream: &str, column: &str| {
            let mut types = drifts.iter().filter(|drift| drift.kind == DriftKind::Type);
            types.any(|drift| drift.stream == stream && drift.column == column)
                || self.shows_mixture(stream, column)
        };
        let streams = self.streams.iter();
        let notes = streams.flat_map(|(stream, seen)| {
            let columns = seen.columns.iter();
            let untold = columns.filter(|column| !is_told(stream, &column.name));
            untold.filter_map(|column| note(seen, column, &refused))
        });
        notes.collect()
    }
}

fn note(
    seen: &Seen,
    column: &SeenColumn,
    refused: &impl Fn(&TableName, &str) -> u64,
) -> Option<String> {
    let kinds = column.looks()?.looks().mixture()?;
    let mut fed = column.feeds.iter();
    let mend = fed.find_map(|(table, position, taken)| {
        let mut feeds = seen.feeds.iter();
        let fed = feeds.find(|fed| fed.contract.name == *table)?;
        let field = fed.contract.fields.get(*position)?;
        let refused = refused(table, &field.name);
        let is_news = field.kind != FieldType::String && (refused > 0 || !taken.as_it_stands);
        is_news.then(|| mend(table, field, taken, refused))
    })?;
    let (main, odd) = kinds.split_first()?;
    let odd: Vec<String> = odd.iter().map(|kind| told(seen, column, kind)).collect();
    Some(format!(
        "column {:?} mixes {} ({}) with {}: {mend}",
        column.name,
        main.shape,
        rows(main.rows),
        odd.join(", ")
    ))
}

fn told(seen: &Seen, column: &SeenColumn, kind: &Kind) -> String {
    let first = column.looks().and_then(|looks| looks.first(kind));
    let first = first.map_or_else(String::new, |place| {
        format!(", first {}", seen.place(place))
    });
    format!("{} ({}{first})", kind.shape, rows(kind.rows))
}

fn rows(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }
}

fn mend(table: &TableName, field: &Field, taken: &Taken, refused: u64) -> String {
    let (name, word) = (&field.name, field.kind.word());
    if taken.as_it_stands {
        let verb = if refused == 1 { "is" } else { "are" };
        format!(
            "{} {verb} rejected, for {table}.{name} is {word}; if they stand for no value, name them under missingValues in the contract, else read them in the mapping",
            rows(refused)
        )
    } else {
        format!("see that the mapping makes a right {word} of each for {table}.{name}")
    }
}
