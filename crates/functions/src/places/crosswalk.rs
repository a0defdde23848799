//! What became of a place, and what it was made of.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::index::PlaceIndex;
use super::rows::ChangeRow;

/// Kinds of weight in the order they are taken when none is asked for.
const KINDS: [&str; 2] = ["whole", "area"];
/// How far a share may be from one and still be the whole.
const WHOLE_TOLERANCE: f64 = 1e-9;

/// A place that another became, wholly or in part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Successor {
    pub(crate) place_code: String,
    /// The share of the first place in it, if it is known.
    pub(crate) weight: Option<f64>,
    pub(crate) weight_kind: Option<String>,
    /// What ended a place that these stand for, where it became none itself: those within it went there.
    pub(crate) event: Option<String>,
}

impl PlaceIndex {
    /// What a place of `from` is on `to`: itself if it did not change. Shares multiply along the way.
    pub(crate) fn successors(
        &self,
        code: &str,
        from: NaiveDate,
        to: Option<NaiveDate>,
    ) -> Vec<Successor> {
        let mut reached = vec![Successor {
            place_code: code.to_owned(),
            weight: Some(1.0),
            weight_kind: None,
            event: None,
        }];
        let mut day = from;
        while let Some(next) = self.next_change(&reached, day, to) {
            reached = merged(reached.into_iter().flat_map(|place| self.step(place, next)));
            day = next;
        }
        reached
    }

    /// The next day after `day`, up to `to`, on which one of the places changes.
    fn next_change(
        &self,
        places: &[Successor],
        day: NaiveDate,
        to: Option<NaiveDate>,
    ) -> Option<NaiveDate> {
        let changes = places
            .iter()
            .filter_map(|place| self.changes.get(&place.place_code));
        let days = changes.flatten().map(|change| change.changed_on);
        days.filter(|on| *on > day && to.is_none_or(|to| *on <= to))
            .min()
    }

    fn step(&self, place: Successor, day: NaiveDate) -> Vec<Successor> {
        let changes = self.changes.get(&place.place_code).into_iter().flatten();
        let of_day: Vec<&ChangeRow> = changes.filter(|change| change.changed_on == day).collect();
        if of_day.is_empty() {
            return vec![place];
        }
        let kind = kind_taken(&of_day);
        let taken = of_day
            .into_iter()
            .filter(|change| change.weight_kind == kind);
        taken
            .map(|change| Successor {
                place_code: change.new_place_code.clone(),
                weight: place.weight.zip(change.weight).map(|(a, b)| a * b),
                weight_kind: change
                    .weight_kind
                    .clone()
                    .filter(|kind| kind != KINDS[0])
                    .or_else(|| place.weight_kind.clone())
                    .or_else(|| change.weight_kind.clone()),
                event: None,
            })
            .collect()
    }

    /// The one place that a place of one day is on another, forwards or backwards.
    ///
    /// # Errors
    /// Where it was parted, or, backwards, is made of several or of a part.
    pub(crate) fn convert(&self, code: &str, from: NaiveDate, to: NaiveDate) -> Result<String> {
        self.version_on(code, Some(from))?;
        if to < from {
            return self.predecessor(code, from, to);
        }
        let successors = self.successors(code, from, Some(to));
        let one = match successors.as_slice() {
            [one] if is_whole(one.weight) => one,
            several => {
                return exec_err!(
                    "the place {code:?} of {from} is not one place on {to} but {}: spread its values by place_successors('{code}', DATE '{from}', DATE '{to}')",
                    in_words(several)
                );
            }
        };
        self.standing(&one.place_code, to)?;
        Ok(one.place_code.clone())
    }

    /// Backwards, as long as each step leads to one place that went into the new one wholly.
    fn predecessor(&self, code: &str, from: NaiveDate, to: NaiveDate) -> Result<String> {
        let (mut code, mut day) = (code.to_owned(), from);
        loop {
            let changes = self.reverse_changes.get(&code).into_iter().flatten();
            let latest = changes
                .clone()
                .map(|change| change.changed_on)
                .filter(|on| *on <= day && *on > to)
                .max();
            let Some(latest) = latest else {
                self.version_on(&code, Some(to))?;
                return Ok(code);
            };
            let mut old: Vec<&ChangeRow> = changes
                .filter(|change| change.changed_on == latest)
                .collect();
            old.dedup_by(|a, b| a.old_place_code == b.old_place_code);
            match old.as_slice() {
                [one] if is_whole(one.weight) => {
                    code = one.old_place_code.clone();
                    // The day before the change: the same change is not met again.
                    day = latest.pred_opt().unwrap_or(latest);
                }
                several => {
                    let parts: Vec<Successor> = several
                        .iter()
                        .map(|change| Successor {
                            place_code: change.old_place_code.clone(),
                            weight: change.weight,
                            weight_kind: change.weight_kind.clone(),
                            event: None,
                        })
                        .collect();
                    return exec_err!(
                        "the place {code:?} of {from} is not one place on {to} but is made of {}: figures of a later place cannot be parted among earlier ones",
                        in_words(&parts)
                    );
                }
            }
        }
    }
}

/// Shares of one place added up, in the order the places were first met.
pub(super) fn merged(places: impl Iterator<Item = Successor>) -> Vec<Successor> {
    let mut out: Vec<Successor> = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for place in places {
        match seen.get(&place.place_code) {
            Some(at) => {
                let known = &mut out[*at];
                known.weight = known.weight.zip(place.weight).map(|(a, b)| a + b);
            }
            None => {
                seen.insert(place.place_code.clone(), out.len());
                out.push(place);
            }
        }
    }
    out
}

/// One kind of weight for all changes of a day: a place may be parted by area and by population, but not by both at once.
fn kind_taken(changes: &[&ChangeRow]) -> Option<String> {
    let mut kinds: Vec<&Option<String>> =
        changes.iter().map(|change| &change.weight_kind).collect();
    kinds.sort();
    let preferred = KINDS.iter().find_map(|kind| {
        let is_it = |told: &&Option<String>| told.as_deref() == Some(*kind);
        kinds.iter().copied().find(is_it)
    });
    preferred
        .or_else(|| kinds.last().copied())
        .cloned()
        .flatten()
}

fn is_whole(weight: Option<f64>) -> bool {
    weight.is_some_and(|weight| (weight - 1.0).abs() <= WHOLE_TOLERANCE)
}

fn in_words(places: &[Successor]) -> String {
    let place = |place: &Successor| match (place.weight, &place.weight_kind) {
        (Some(weight), Some(kind)) => format!("{} ({weight} by {kind})", place.place_code),
        (Some(weight), None) => format!("{} ({weight})", place.place_code),
        (None, _) => format!("{} (share unknown)", place.place_code),
    };
    let all: Vec<String> = places.iter().map(place).collect();
    all.join(" and ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::places::{Level, PlaceRow};
    use proptest::prelude::*;

    fn day(year: i32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, 7, 1).unwrap()
    }

    fn change(old: usize, new: usize, year: i32, weight: f64, kind: &str) -> ChangeRow {
        ChangeRow {
            old_place_code: format!("p{old}"),
            new_place_code: format!("p{new}"),
            changed_on: day(year),
            event: None,
            weight: Some(weight),
            weight_kind: Some(kind.to_owned()),
        }
    }

    /// Places that stand from 2000 on, so that each code has a version on every day.
    fn index(changes: Vec<ChangeRow>) -> PlaceIndex {
        let place = |at: usize| PlaceRow {
            place_code: format!("p{at}"),
            name: format!("Place {at}"),
            full_name: None,
            name_en: None,
            level: Level::Ward,
            parent_code: None,
            country: String::new(),
            valid_from: Some(day(2000)),
            valid_to: None,
            valid_to_event: None,
        };
        PlaceIndex::new((0..12).map(place).collect(), changes)
    }

    #[test]
    fn several_changes_follow_one_another() {
        let index = index(vec![
            change(0, 1, 2010, 1.0, "whole"),
            change(1, 2, 2020, 0.25, "area"),
            change(1, 3, 2020, 0.75, "area"),
            change(1, 3, 2020, 1.0, "population"),
            change(4, 5, 2010, 1.0, "whole"),
        ]);
        let told = |to| {
            let successors = index.successors("p0", day(2005), to);
            let words = successors.iter().map(|place| {
                let kind = place.weight_kind.as_deref().unwrap_or("itself");
                format!("{} {} {kind}", place.place_code, place.weight.unwrap())
            });
            words.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(Some(day(2009))), "p0 1 itself");
        assert_eq!(told(Some(day(2010))), "p1 1 whole");
        assert_eq!(told(None), "p2 0.25 area, p3 0.75 area");
        assert_eq!(index.convert("p5", day(2015), day(2005)).unwrap(), "p4");
        assert_eq!(index.convert("p4", day(2005), day(2015)).unwrap(), "p5");
        assert!(index.convert("p0", day(2005), day(2021)).is_err());
        assert!(index.convert("p3", day(2021), day(2015)).is_err());
        assert!(index.convert("p9", day(1990), day(2015)).is_err());
    }

    #[test]
    fn a_circle_of_changes_ends() {
        let changes = (0..5).map(|at| change(at, (at + 1) % 5, 2001, 1.0, "whole"));
        let index = index(changes.collect());
        assert_eq!(index.convert("p0", day(2000), day(2010)).unwrap(), "p1");
        assert_eq!(index.convert("p1", day(2010), day(2000)).unwrap(), "p0");
    }

    proptest! {
        #[test]
        fn shares_of_a_place_stay_one(parts in prop::collection::vec((0usize..12, 1usize..12, 0.0..1.0f64), 1..24), reversed: bool) {
            // Each place is parted once, in its own year, among places of any number.
            let mut changes = Vec::new();
            for old in 0..12 {
                let of_it: Vec<_> = parts.iter().filter(|(from, ..)| *from == old).collect();
                let all: f64 = of_it.iter().map(|(.., share)| share + 0.01).sum();
                for (_, new, share) in of_it {
                    changes.push(change(old, *new, 2001 + old as i32, (share + 0.01) / all, "area"));
                }
            }
            if reversed {
                changes.reverse();
            }
            let index = index(changes);
            for old in 0..12 {
                let successors = index.successors(&format!("p{old}"), day(2000), None);
                let sum: f64 = successors.iter().filter_map(|place| place.weight).sum();
                prop_assert!((sum - 1.0).abs() < 1e-9, "{sum}");
            }
        }
    }
}
