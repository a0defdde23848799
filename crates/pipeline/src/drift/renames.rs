//! Which new column stands for which one that is gone.

use sectorlake_lake::SourceColumn;

use super::{Change, Column};
use crate::names::{folded, nearness};
use crate::shape::Shape;

/// Names at least so near are taken for one.
const NEARNESS_MIN: f64 = 0.8;

/// Takes out the pairs that are renames: the nearest names first, then columns of like values in the same place.
pub(super) fn take(
    gone: &mut Vec<(usize, &SourceColumn)>,
    fresh: &mut Vec<(usize, &Column)>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    while let Some((old, new)) = nearest(gone, fresh) {
        changes.push(pair(gone, fresh, (old, new), "the names are alike"));
    }
    // Where as many came as went, places tell; else what stands where has moved.
    if gone.len() == fresh.len() {
        while let Some((old, new)) = in_place(gone, fresh) {
            let why = format!(
                "it stands in the same place and holds {} too",
                fresh[new].1.shape
            );
            changes.push(pair(gone, fresh, (old, new), &why));
        }
    }
    changes
}

fn pair(
    gone: &mut Vec<(usize, &SourceColumn)>,
    fresh: &mut Vec<(usize, &Column)>,
    (old, new): (usize, usize),
    why: &str,
) -> Change {
    let (from, to) = (gone.remove(old).1, fresh.remove(new).1);
    Change::Renamed {
        from: from.name.clone(),
        to: to.clone(),
        why: why.to_owned(),
    }
}

fn nearest(gone: &[(usize, &SourceColumn)], fresh: &[(usize, &Column)]) -> Option<(usize, usize)> {
    let mut best: Option<(f64, (usize, usize))> = None;
    for (old, (_, from)) in gone.iter().enumerate() {
        for (new, (_, to)) in fresh.iter().enumerate() {
            let near = nearness(&folded(&from.name), &folded(&to.name));
            let fits = !breaks(from, to);
            if near >= NEARNESS_MIN && fits && best.is_none_or(|(known, _)| near > known) {
                best = Some((near, (old, new)));
            }
        }
    }
    best.map(|(_, pair)| pair)
}

fn in_place(gone: &[(usize, &SourceColumn)], fresh: &[(usize, &Column)]) -> Option<(usize, usize)> {
    gone.iter().enumerate().find_map(|(old, (place, from))| {
        let new = fresh
            .iter()
            .position(|(other, to)| other == place && same(from, to))?;
        Some((old, new))
    })
}

fn breaks(from: &SourceColumn, to: &Column) -> bool {
    Shape::of_words(&from.shape).is_some_and(|before| before.is_broken_by(to.shape))
}

fn same(from: &SourceColumn, to: &Column) -> bool {
    from.shape == to.shape.words() && to.shape != Shape::Empty
}
