//! One place for a text, or an error that names who may be meant.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::Hash;
use std::sync::Mutex;

use chrono::NaiveDate;
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::index::{Found, Id, PlaceIndex, Unit, Wanted, Written};
use super::rows::Level;
use crate::names::similarity;

/// Candidates that an error names.
const NAMED_MAX: usize = 5;
/// How alike a candidate must be to be named.
const ALIKE_MIN: f64 = 0.72;
/// The same within a parent that was named, where there are few to choose from, and outside it, where the parent would have to be wrong.
const ALIKE_HERE_MIN: f64 = 0.5;
const ALIKE_ELSEWHERE_MIN: f64 = 0.85;
/// How much less alike than the best one it may be.
const ALIKE_SPREAD: f64 = 0.1;

/// Searches among names alike that are kept: sources repeat what they misspell, and a batch with a bad row is mapped again in halves.
const SEARCHES_KEPT: usize = 4096;

/// A text, its parent and day, by which a search is known again.
type Searched = (String, Option<String>, Option<NaiveDate>);

/// Answers of searches.
#[derive(Debug, Default)]
pub(crate) struct Searches {
    nearest: Mutex<HashMap<Searched, String>>,
    matching: Mutex<HashMap<(Searched, u64), Option<String>>>,
}

/// The answer that is known, or a fresh one, which is kept while there is room.
fn kept<K: Hash + Eq, V: Clone>(
    known: &Mutex<HashMap<K, V>>,
    key: K,
    make: impl FnOnce() -> V,
) -> V {
    if let Ok(known) = known.lock()
        && let Some(answer) = known.get(&key)
    {
        return answer.clone();
    }
    let answer = make();
    if let Ok(mut known) = known.lock() {
        if known.len() >= SEARCHES_KEPT {
            known.clear();
        }
        known.insert(key, answer.clone());
    }
    answer
}

/// What a text means.
#[derive(Debug)]
pub(crate) enum Meant {
    One(String),
    Several(Vec<Id>),
    None,
    NoParent,
}

impl PlaceIndex {
    /// The one code that is meant. Of places on several levels the widest is.
    pub(crate) fn meant(&self, wanted: Wanted<'_>) -> Meant {
        let units = match self.find(wanted) {
            Found::Units(units) => units,
            Found::Either(units) => return Meant::Several(units),
            Found::Nothing => return Meant::None,
            Found::NoParent => return Meant::NoParent,
        };
        let widest = units.iter().map(|id| self.unit(*id).row.level).min();
        let mut of_widest: Vec<Id> = units
            .into_iter()
            .filter(|id| Some(self.unit(*id).row.level) == widest)
            .collect();
        // Versions of one code are one place.
        let code = |id: &Id| self.unit(*id).row.place_code.as_str();
        of_widest.sort_by(|a, b| code(a).cmp(code(b)));
        of_widest.dedup_by(|a, b| code(a) == code(b));
        match of_widest.as_slice() {
            [] => Meant::None,
            [one] => Meant::One(code(one).to_owned()),
            _ => Meant::Several(of_widest),
        }
    }

    /// The one code that is meant.
    ///
    /// # Errors
    /// Where no place or several are meant, with the nearest candidates or all of these.
    pub(crate) fn code(&self, wanted: Wanted<'_>) -> Result<String> {
        match self.meant(wanted) {
            Meant::One(code) => Ok(code),
            Meant::Several(ids) => exec_err!(
                "the place {} may be {}: add the parent, the type or the date, or write the code",
                wanted.in_words(),
                self.listed(&ids)
            ),
            Meant::NoParent => exec_err!(
                "the parent of the place {} is not known; nearest: {}",
                wanted.in_words(),
                self.nearest(Wanted {
                    text: wanted.parent.unwrap_or_default(),
                    parent: None,
                    on: wanted.on,
                })
            ),
            Meant::None => exec_err!(
                "the place {} is not known; nearest: {}",
                wanted.in_words(),
                self.nearest(wanted)
            ),
        }
    }

    /// The code of the place most alike by name, if it is as alike as `threshold` and no other is equally so.
    pub(crate) fn matching(&self, wanted: Wanted<'_>, threshold: f64) -> Option<String> {
        match self.meant(wanted) {
            Meant::One(code) => return Some(code),
            Meant::NoParent | Meant::Several(_) => return None,
            Meant::None => {}
        }
        let key = (wanted.key(), threshold.to_bits());
        kept(&self.searches.matching, key, || {
            self.alike_enough(wanted, threshold)
        })
    }

    fn alike_enough(&self, wanted: Wanted<'_>, threshold: f64) -> Option<String> {
        for open in [true, false] {
            let alike = self.alike(wanted, |unit| !open || unit.holds(wanted.on));
            let mut by_code: Vec<(String, f64)> = Vec::new();
            for (id, alike) in alike {
                let code = &self.unit(id).row.place_code;
                if !by_code.iter().any(|(seen, _)| seen == code) {
                    by_code.push((code.clone(), alike));
                }
            }
            if let Some((code, _)) = similarity::best(by_code, threshold) {
                return Some(code);
            }
            if wanted.on.is_some() {
                break;
            }
        }
        None
    }

    /// Versions by how alike their names are, the most alike first; a written type must fit.
    fn alike(&self, wanted: Wanted<'_>, fits: impl Fn(&Unit) -> bool) -> Vec<(Id, f64)> {
        let written = Written::of(wanted.text);
        let of_kind = |unit: &Unit| {
            written
                .means
                .is_none_or(|means| means.contains(&unit.kind.as_str()))
        };
        let ids = self.neighbours(&written.rest_plain, wanted.parent, wanted.on);
        let mut alike: Vec<(Id, f64)> = ids
            .into_iter()
            .filter(|id| fits(self.unit(*id)) && of_kind(self.unit(*id)))
            .map(|id| {
                let name = &self.unit(id).plain;
                (id, similarity::of_plain(&written.rest_plain, name))
            })
            .collect();
        alike.sort_by(|(a, left), (b, right)| right.total_cmp(left).then(a.cmp(b)));
        alike
    }

    /// The nearest candidates in words, of whatever type: within the parent on the day, then anywhere at any time.
    fn nearest(&self, wanted: Wanted<'_>) -> String {
        kept(&self.searches.nearest, wanted.key(), || {
            self.nearest_of_all(wanted)
        })
    }

    fn nearest_of_all(&self, wanted: Wanted<'_>) -> String {
        let untyped = Written::of(wanted.text).rest_plain;
        let here = Wanted {
            text: &untyped,
            ..wanted
        };
        let anywhere = Wanted {
            parent: None,
            on: None,
            ..here
        };
        let mut named: Vec<Id> = self.versions(wanted.text.trim()).to_vec();
        named.extend(self.without_zeros(wanted.text));
        let mut least = 0.0_f64;
        let here_min = if wanted.parent.is_some() {
            ALIKE_HERE_MIN
        } else {
            ALIKE_MIN
        };
        let elsewhere_min = if wanted.parent.is_some() {
            ALIKE_ELSEWHERE_MIN
        } else {
            ALIKE_MIN
        };
        for (wanted, min) in [(here, here_min), (anywhere, elsewhere_min)] {
            let alike = self.alike(wanted, |unit| wanted.on.is_none() || unit.holds(wanted.on));
            let best = alike.first().map_or(0.0, |(_, alike)| *alike);
            least = least.max(best - ALIKE_SPREAD).max(min);
            for (id, _) in alike.into_iter().filter(|(_, alike)| *alike >= least) {
                if named.len() < NAMED_MAX && !named.contains(&id) {
                    named.push(id);
                }
            }
        }
        if named.is_empty() {
            return "none is alike; write the code, or load common.places with it".to_owned();
        }
        format!("{}; write its name or code", self.listed(&named))
    }

    fn listed(&self, ids: &[Id]) -> String {
        let shown = ids.iter().take(NAMED_MAX).map(|id| self.in_words(*id));
        let mut text = shown.collect::<Vec<_>>().join(", ");
        if ids.len() > NAMED_MAX {
            let _ = write!(text, " and {} more", ids.len() - NAMED_MAX);
        }
        text
    }

    /// `Phường Hồng Bàng (11407, in Thành phố Hải Phòng, from 2025-07-01)`.
    pub(crate) fn in_words(&self, id: Id) -> String {
        let unit = self.unit(id);
        let name = |unit: &Unit| unit.row.shown_name().to_owned();
        let mut text = format!("{} ({}", name(unit), unit.row.place_code);
        let parents = unit.forebears.iter().map(|(code, _)| {
            let version = self.version(code, unit.row.valid_from);
            version.map_or_else(|| code.clone(), |id| name(self.unit(id)))
        });
        for parent in parents.take(2) {
            let _ = write!(text, ", in {parent}");
        }
        if let Some(from) = unit.row.valid_from {
            let _ = write!(text, ", from {from}");
        }
        if let Some(to) = unit.row.valid_to.filter(|_| !unit.is_open()) {
            let _ = write!(text, ", until {to}");
        }
        text + ")"
    }

    /// `Phường Hồng Bàng (11407)`.
    pub(crate) fn named_by(&self, id: Id) -> String {
        let row = &self.unit(id).row;
        format!("{} ({})", row.shown_name(), row.place_code)
    }

    /// The version that a code names.
    ///
    /// # Errors
    /// Where there is no such code, or no version of it on the day.
    pub(crate) fn version_on(&self, code: &str, on: Option<NaiveDate>) -> Result<Id> {
        let versions = self.versions(code);
        let Some(version) = self.version(code, on) else {
            return exec_err!(
                "there is no place with the code {code:?}: look the name up with place_code, or load common.places with it"
            );
        };
        if let Some(day) = on.filter(|_| !self.unit(version).holds(on)) {
            return exec_err!(
                "no place has the code {code:?} on {day}, only {}",
                self.listed(versions)
            );
        }
        Ok(version)
    }

    /// The forebear of a level; the place itself if it is of that level; nothing for a wider place.
    pub(crate) fn forebear(
        &self,
        code: &str,
        level: Level,
        on: Option<NaiveDate>,
    ) -> Result<Option<String>> {
        let unit = self.unit(self.version_on(code, on)?);
        if unit.row.level == level {
            return Ok(Some(code.to_owned()));
        }
        let forebear = unit.forebears.iter().find(|(_, of)| *of == level);
        Ok(forebear.map(|(code, _)| code.clone()))
    }
}

impl Wanted<'_> {
    fn key(self) -> Searched {
        (
            self.text.to_owned(),
            self.parent.map(str::to_owned),
            self.on,
        )
    }

    fn in_words(self) -> String {
        let mut text = format!("{:?}", self.text);
        if let Some(parent) = self.parent {
            let _ = write!(text, " in {parent:?}");
        }
        if let Some(day) = self.on {
            let _ = write!(text, " on {day}");
        }
        text
    }
}
