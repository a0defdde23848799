//! Which new column stands for which one that is gone.

use sectorlake_lake::SourceColumn;
use sectorlake_normalise::Shape;

use super::{Change, Column};
use crate::names::{folded, nearness};

/// Names at least so near are taken for one.
const NEARNESS_MIN: f64 = 0.8;

/// Takes out the pairs that are renames: the nearest names first, then columns of like values in the same place.
pub(super) fn take(
    around: (&[SourceColumn], &[Column]),
    gone: &mut Vec<(usize, &SourceColumn)>,
    fresh: &mut Vec<(usize, &Column)>,
    reads: impl Fn(&str) -> bool,
) -> Vec<Change> {
    let mut changes = Vec::new();
    while let Some((old, new)) = nearest(gone, fresh) {
        changes.push(pair(gone, fresh, (old, new), "the names are alike"));
    }
    while let Some((old, new)) = in_place(&around, gone, fresh, &reads) {
        let why = format!(
            "it stands in the same place and holds {} too",
            fresh[new].1.shape()
        );
        changes.push(pair(gone, fresh, (old, new), &why));
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

/// A column of like values between the same neighbours; or in the same place, where as many came as went.
fn in_place(
    (before, now): &(&[SourceColumn], &[Column]),
    gone: &[(usize, &SourceColumn)],
    fresh: &[(usize, &Column)],
    reads: &impl Fn(&str) -> bool,
) -> Option<(usize, usize)> {
    let as_many = gone.len() == fresh.len();
    let old_name = |index: usize| before.get(index).map(|column| column.name.as_str());
    let new_name = |index: usize| now.get(index).map(|column| column.name.as_str());
    let between_the_same = |old: usize, new: usize| {
        let left = old.checked_sub(1).and_then(old_name) == new.checked_sub(1).and_then(new_name);
        left && old_name(old + 1) == new_name(new + 1)
    };
    let needed = gone
        .iter()
        .enumerate()
        .filter(|(_, (_, from))| reads(&from.name));
    needed.into_iter().find_map(|(old, (place, from))| {
        let new = fresh.iter().position(|(other, to)| {
            let stands = (as_many && other == place) || between_the_same(*place, *other);
            stands && same(from, to)
        })?;
        Some((old, new))
    })
}

fn breaks(from: &SourceColumn, to: &Column) -> bool {
    Shape::of_words(&from.shape).is_some_and(|before| before.is_broken_by(to.shape()))
}

fn same(from: &SourceColumn, to: &Column) -> bool {
    from.shape == to.shape().words() && to.shape() != Shape::Empty
}
