//! Columns that mix types, as notes of the run: what is not of the field's type is rejected, or made something of by the mapping, and
//! whoever owns the data should hear of it.

use sectorlake_contract::{Contract, Field, FieldType};
use sectorlake_normalise::{Kind, Taken};

use super::seen::{Seen, SeenColumn};
use super::watch::Watch;
use crate::drift::{Drift, DriftKind};

impl Watch {
    /// A note for each column that mixes types and feeds a field that is not text; those that drift or a trial tells are left out.
    pub(super) fn mixtures(&self, drifts: &[Drift]) -> Vec<String> {
        let is_told = |stream: &str, column: &str| {
            let mut types = drifts.iter().filter(|drift| drift.kind == DriftKind::Type);
            types.any(|drift| drift.stream == stream && drift.column == column)
                || self.shows_mixture(stream, column)
        };
        let streams = self.streams.iter();
        let notes = streams.flat_map(|(stream, seen)| {
            let columns = seen.columns.iter();
            let untold = columns.filter(|column| !is_told(stream, &column.name));
            untold.filter_map(|column| note(seen, column))
        });
        notes.collect()
    }
}

fn note(seen: &Seen, column: &SeenColumn) -> Option<String> {
    let kinds = column.looks()?.looks().mixture()?;
    let mut fed = column.feeds.iter();
    let (contract, field, taken) = fed.find_map(|(table, position, taken)| {
        let mut feeds = seen.feeds.iter();
        let fed = feeds.find(|fed| fed.contract.name == *table)?;
        let field = fed.contract.fields.get(*position)?;
        (field.kind != FieldType::String).then_some((&fed.contract, field, taken))
    })?;
    let (main, odd) = kinds.split_first()?;
    let odd: Vec<String> = odd.iter().map(|kind| told(seen, column, kind)).collect();
    Some(format!(
        "column {:?} mixes {} ({}) with {}: {}",
        column.name,
        main.shape,
        rows(main.rows),
        odd.join(", "),
        mend(contract, field, taken)
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

fn mend(contract: &Contract, field: &Field, taken: &Taken) -> String {
    let (table, name, word) = (&contract.name, &field.name, field.kind.word());
    if taken.as_it_stands {
        format!(
            "what is no {word} is rejected from {table}.{name}; if it stands for no value, name it under missingValues in the contract, else read it in the mapping"
        )
    } else {
        format!("see that the mapping makes a right {word} of each in {table}.{name}")
    }
}
