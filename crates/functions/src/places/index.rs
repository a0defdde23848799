//! Places by code and by name, each as versions in time.
//!
//! # Names
//! A name is looked up in five forms, from the strictest to the loosest, and the first form that finds a place decides: with diacritics and
//! type, with diacritics, without diacritics and with type, without either, and folded (y as i, words run together). A text that begins or
//! ends with a type (`Phường`, `TP.`, `Q.`) finds places of that type alone.
//!
//! # Times
//! With a date the versions valid on it are looked at. Without one the open versions are, those that have not ended; if none is found, all.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::lookup::Searches;
use super::rows::{ChangeRow, Level, PlaceRow};
use crate::names::spelling::{accented, folded, initials, plain};
use crate::names::types::{Meaning, PLACE_ALIASES, is_type, typed};

/// Places up to the widest that a search for a place's forebears goes; more would be a circle.
const FOREBEARS_MAX: usize = 8;

/// Digits of the longest codes that begin with zeros: those of communes.
const CODE_DIGITS_MAX: usize = 5;

/// A version, by its place in the index.
pub(crate) type Id = u32;

/// All versions of all places, to be looked up by code or name; build it once a session.
#[derive(Debug, Default)]
pub struct PlaceIndex {
    pub(crate) units: Vec<Unit>,
    by_code: HashMap<String, Vec<Id>>,
    by_name: HashMap<(Form, String), Vec<Id>>,
    /// By the first letter of a word of the plain name: whom a misspelt name may mean.
    by_letter: HashMap<char, Vec<Id>>,
    children: HashMap<String, Vec<Id>>,
    pub(crate) changes: HashMap<String, Vec<ChangeRow>>,
    pub(crate) reverse_changes: HashMap<String, Vec<ChangeRow>>,
    pub(crate) searches: Searches,
}

/// A version of a place with its keys.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) row: PlaceRow,
    /// The plain name without the type.
    pub(crate) plain: String,
    /// The plain type; empty where the name tells none.
    pub(crate) kind: String,
    /// Codes of what it belongs to, the nearest first.
    pub(crate) forebears: Vec<(String, Level)>,
}

/// A form of a name, the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    AccentedTyped,
    Accented,
    PlainTyped,
    Plain,
    Folded,
    Initials,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Wanted<'a> {
    pub(crate) text: &'a str,
    pub(crate) parent: Option<&'a str>,
    pub(crate) on: Option<NaiveDate>,
}

/// What was found: versions of one form, all that fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Versions that bear the name or the code.
    Units(Vec<Id>),
    /// Versions that bear the name now, and others that may be meant: a province that gave its name to one of its communes when it ended, a
    /// code whose zeros are gone.
    Either(Vec<Id>),
    /// Nothing within the parent, or at all.
    Nothing,
    /// The parent is not known.
    NoParent,
}

/// A name as it was written, parted.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) plain: String,
    accented: String,
    pub(crate) means: Option<Meaning>,
    pub(crate) rest_plain: String,
    rest_accented: String,
}

impl Written {
    pub(crate) fn of(text: &str) -> Self {
        let (mut plain, mut accented) = (parted(plain(text)), parted(accented(text)));
        if let Some((_, name)) = PLACE_ALIASES.iter().find(|(alias, _)| *alias == plain) {
            (plain, accented) = ((*name).to_owned(), (*name).to_owned());
        }
        let parted = typed(&plain, None).map(|typed| {
            let words: Vec<&str> = accented.split(' ').collect();
            let words = &words[typed.words_before..words.len() - typed.words_after];
            (typed.means, typed.rest.to_owned(), words.join(" "))
        });
        let (means, rest_plain, rest_accented) = match parted {
            Some((means, plain, accented)) => (Some(means), plain, accented),
            None => (None, plain.clone(), accented.clone()),
        };
        Self {
            plain,
            accented,
            means,
            rest_plain,
            rest_accented,
        }
    }
}

/// `p1` as `p 1`: a number may stand right behind a short type.
fn parted(mut text: String) -> String {
    let digits = text.find(|letter: char| letter.is_ascii_digit());
    if let Some(at) = digits.filter(|at| is_type(&text[..*at])) {
        let number = text[at..].trim_start_matches('0');
        // Zeros before a number are no part of it, as behind a blank.
        text = format!("{} {number}", &text[..at]);
    }
    text
}

impl PlaceIndex {
    /// Builds the index; about a microsecond a row.
    #[must_use]
    pub fn new(places: Vec<PlaceRow>, changes: Vec<ChangeRow>) -> Self {
        let mut index = Self::default();
        for row in places {
            index.add(row);
        }
        index.link();
        for change in changes {
            let old = index.changes.entry(change.old_place_code.clone());
            old.or_default().push(change.clone());
            let new = index.reverse_changes.entry(change.new_place_code.clone());
            new.or_default().push(change);
        }
        index
    }

    /// Builds the index from batches with the columns of `common.places` and `common.place_crosswalk`.
    ///
    /// # Errors
    /// A column without which no place can be told, or a level that is none.
    pub fn from_batches(
        places: &[arrow::array::RecordBatch],
        crosswalk: &[arrow::array::RecordBatch],
    ) -> datafusion::error::Result<Self> {
        Ok(Self::new(
            super::rows::places(places)?,
            super::rows::changes(crosswalk)?,
        ))
    }

    /// Versions in the index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    fn add(&mut self, row: PlaceRow) {
        let Ok(id) = Id::try_from(self.units.len()) else {
            return;
        };
        let full = Written::of(row.full_name.as_deref().unwrap_or(&row.name));
        let kind = full.means.and_then(|means| means.first()).copied();
        let kind = kind.unwrap_or_default();
        self.name(Form::AccentedTyped, full.accented.clone(), id);
        self.name(Form::PlainTyped, full.plain.clone(), id);
        let name = Written::of(&row.name);
        let mut bare = vec![(full.rest_accented.clone(), full.rest_plain.clone())];
        bare.push((name.accented, name.plain));
        if let Some(english) = &row.name_en {
            let english = Written::of(english);
            bare.push((english.rest_accented, english.rest_plain));
        }
        for (accented, plain) in bare {
            if plain.is_empty() {
                continue;
            }
            self.name(Form::Accented, accented, id);
            self.name(Form::Folded, folded(&plain), id);
            if let Some(letters) = initials(&plain) {
                self.name(Form::Initials, letters, id);
            }
            for letter in plain.split(' ').filter_map(|word| word.chars().next()) {
                insert(self.by_letter.entry(letter), id);
            }
            self.name(Form::Plain, plain, id);
        }
        insert(self.by_code.entry(row.place_code.clone()), id);
        if let Some(parent) = &row.parent_code {
            insert(self.children.entry(parent.clone()), id);
        }
        self.units.push(Unit {
            plain: full.rest_plain,
            kind: kind.to_owned(),
            forebears: Vec::new(),
            row,
        });
    }

    fn name(&mut self, form: Form, key: String, id: Id) {
        insert(self.by_name.entry((form, key)), id);
    }

    /// Finds the forebears of every version among the versions valid when it was.
    fn link(&mut self) {
        for at in 0..self.units.len() {
            let mut forebears: Vec<(String, Level)> = Vec::new();
            let mut version = at;
            while forebears.len() < FOREBEARS_MAX {
                let unit = &self.units[version].row;
                let Some(code) = &unit.parent_code else { break };
                let during = self.units[at].row.valid_from.or(unit.valid_from);
                let Some(next) = self.version(code, during) else {
                    break;
                };
                forebears.push((code.clone(), self.unit(next).row.level));
                version = next as usize;
            }
            self.units[at].forebears = forebears;
        }
    }

    pub(crate) fn unit(&self, id: Id) -> &Unit {
        &self.units[id as usize]
    }

    /// Versions of a code, in the order they came.
    pub(crate) fn versions(&self, code: &str) -> &[Id] {
        self.by_code.get(code).map_or(&[], Vec::as_slice)
    }

    /// The version of a code on a day; without a day the open one; failing that the latest.
    pub(crate) fn version(&self, code: &str, on: Option<NaiveDate>) -> Option<Id> {
        let versions = self.versions(code);
        let fits = versions.iter().find(|id| self.unit(**id).holds(on));
        let latest = versions
            .iter()
            .max_by_key(|id| self.unit(**id).row.valid_from);
        fits.or(latest).copied()
    }

    /// The versions that belonged to a code on a day.
    pub(crate) fn children_on(&self, code: &str, day: NaiveDate) -> impl Iterator<Item = Id> + '_ {
        let children = self.children.get(code).into_iter().flatten().copied();
        children.filter(move |id| self.unit(*id).holds(Some(day)))
    }

    /// Looks a place up by its code or its name. What stands behind a comma is the parent: `Phường Hồng Bàng, Hải Phòng`.
    pub(crate) fn find(&self, wanted: Wanted<'_>) -> Found {
        if let Some((text, parent)) = wanted.text.split_once(',')
            && wanted.parent.is_none()
            && !text.trim().is_empty()
        {
            return self.find(Wanted {
                text,
                parent: Some(parent),
                ..wanted
            });
        }
        let parents = match wanted.parent {
            None => None,
            Some(parent) => match self.parents(parent, wanted.on) {
                parents if parents.is_empty() => return Found::NoParent,
                parents => Some(parents),
            },
        };
        let fits = |id: &Id, open: bool| {
            let unit = self.unit(*id);
            (!open || unit.holds(wanted.on))
                && parents
                    .as_ref()
                    .is_none_or(|parents| unit.is_within(parents))
        };
        // Without a date the open versions first, then all; with one those of that day alone.
        let rounds: &[bool] = if wanted.on.is_some() {
            &[true]
        } else {
            &[true, false]
        };
        for open in rounds {
            let of_code: Vec<Id> = self
                .versions(wanted.text.trim())
                .iter()
                .copied()
                .filter(|id| fits(id, *open))
                .collect();
            if !of_code.is_empty() {
                return Found::Units(of_code);
            }
            let written = Written::of(wanted.text);
            let named = self.named(&written, |id| fits(id, *open));
            if named.is_empty() {
                continue;
            }
            let level = |id: &Id| self.unit(*id).row.level;
            let widest = named.iter().map(level).min();
            // A spreadsheet may have taken the zeros off a code: 1 is Quận 1, or Hà Nội.
            let mut of_code = self.without_zeros(wanted.text);
            of_code.retain(|id| fits(id, *open));
            if !of_code.is_empty() {
                of_code.dedup_by_key(|id| self.unit(*id).row.place_code.as_str());
                let of_widest = named.iter().filter(|id| Some(level(id)) == widest);
                return Found::Either(of_code.into_iter().chain(of_widest.copied()).collect());
            }
            // A type or a date would have told which is meant.
            let wider = |id: &Id| fits(id, false) && Some(level(id)) < widest;
            if *open && wanted.on.is_none() && written.means.is_none() {
                let before = self.named(&written, wider);
                if !before.is_empty() {
                    return Found::Either(before.into_iter().chain(named).collect());
                }
            }
            return Found::Units(named);
        }
        Found::Nothing
    }

    /// The versions whose code is a number with zeros before it.
    pub(crate) fn without_zeros(&self, number: &str) -> Vec<Id> {
        let number = number.trim();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Vec::new();
        }
        let codes = (number.len() + 1..=CODE_DIGITS_MAX).map(|width| format!("{number:0>width$}"));
        codes
            .flat_map(|code| self.versions(&code).to_vec())
            .collect()
    }

    /// The codes that a parent may mean, by code or name. Without a date those of all times: what is looked for may be of any, and a
    /// commune that bears the name of a district that is no more has nothing within it.
    fn parents(&self, parent: &str, on: Option<NaiveDate>) -> Vec<String> {
        let (own, wider) = match parent.split_once(',') {
            Some((own, wider)) => (own.trim(), Some(wider)),
            None => (parent.trim(), None),
        };
        let wider = wider.map(|wider| self.parents(wider, on));
        let fits = |id: &Id| {
            let unit = self.unit(*id);
            (on.is_none_or(|day| unit.holds(on) || self.began_before_told(*id, day)))
                && self.children.contains_key(&unit.row.place_code)
                && wider.as_ref().is_none_or(|wider| unit.is_within(wider))
        };
        let of_code = self.versions(own).iter().copied().filter(fits);
        let mut ids: Vec<Id> = of_code.collect();
        if ids.is_empty() {
            ids = self.named(&Written::of(own), fits);
        }
        let codes = ids.iter().map(|id| self.unit(*id).row.place_code.clone());
        let mut codes: Vec<String> = codes.collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Whether a day lies before all that is told of a version's code: the parents of a unit of 2019 may be known from 2025 on.
    fn began_before_told(&self, id: Id, day: NaiveDate) -> bool {
        let from = |id: &Id| self.unit(*id).row.valid_from;
        let versions = self.versions(&self.unit(id).row.place_code);
        from(&id).is_some_and(|begun| day < begun)
            && versions.iter().map(from).min() == Some(from(&id))
    }

    /// The versions that bear the name in the strictest form that finds any.
    fn named(&self, written: &Written, fits: impl Fn(&Id) -> bool) -> Vec<Id> {
        let of_kind = |id: &Id| {
            let kind = self.unit(*id).kind.as_str();
            written.means.is_none_or(|means| means.contains(&kind))
        };
        let any = |_: &Id| true;
        // A text without any diacritic may have lost them: then a name that has none is no better a match than one that has.
        let accents = |form, key: &str, kind: bool| {
            let is_accented = written.accented != written.plain;
            let of_kind = |id: &Id| !kind || of_kind(id);
            is_accented
                .then(|| self.in_form(form, key, &fits, of_kind))
                .flatten()
        };
        accents(Form::AccentedTyped, &written.accented, false)
            .or_else(|| accents(Form::Accented, &written.accented, false))
            .or_else(|| accents(Form::Accented, &written.rest_accented, true))
            .or_else(|| self.in_form(Form::PlainTyped, &written.plain, &fits, any))
            .or_else(|| self.in_form(Form::Plain, &written.plain, &fits, any))
            .or_else(|| self.in_form(Form::Plain, &written.rest_plain, &fits, of_kind))
            .or_else(|| self.in_form(Form::Folded, &folded(&written.rest_plain), &fits, of_kind))
            .or_else(|| self.in_form(Form::Initials, &written.rest_plain, &fits, of_kind))
            .unwrap_or_default()
    }

    fn in_form(
        &self,
        form: Form,
        key: &str,
        fits: impl Fn(&Id) -> bool,
        of_kind: impl Fn(&Id) -> bool,
    ) -> Option<Vec<Id>> {
        let ids = self.by_name.get(&(form, key.to_owned()))?;
        let found: Vec<Id> = ids
            .iter()
            .copied()
            .filter(|id| of_kind(id) && fits(id))
            .collect();
        (!found.is_empty()).then_some(found)
    }

    /// Versions that a misspelt name may mean: those within the parent, else those of which a word begins with the same letter as one of its.
    pub(crate) fn neighbours(
        &self,
        plain: &str,
        parent: Option<&str>,
        on: Option<NaiveDate>,
    ) -> Vec<Id> {
        let mut ids = Vec::new();
        match parent.map(|parent| self.parents(parent, on)) {
            Some(parents) if !parents.is_empty() => {
                let mut seen = HashSet::new();
                let mut codes = parents;
                while let Some(code) = codes.pop() {
                    let children = self.children.get(&code).into_iter().flatten();
                    if seen.insert(code) {
                        ids.extend(children.clone());
                        codes.extend(children.map(|id| self.unit(*id).row.place_code.clone()));
                    }
                }
            }
            _ => {
                let letters = plain.split(' ').filter_map(|word| word.chars().next());
                for letter in letters {
                    ids.extend(self.by_letter.get(&letter).into_iter().flatten());
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

impl Unit {
    /// Whether the version is valid on the day; without a day, whether it is open.
    pub(crate) fn holds(&self, on: Option<NaiveDate>) -> bool {
        let Some(day) = on else {
            return self.is_open();
        };
        self.row.valid_from.is_none_or(|from| from <= day)
            && self.row.valid_to.is_none_or(|to| day < to)
    }

    /// Whether it has not ended; a day far off, such as 9999-12-31, is no end.
    pub(crate) fn is_open(&self) -> bool {
        const NEVER: i32 = 9000;
        self.row
            .valid_to
            .is_none_or(|to| chrono::Datelike::year(&to) >= NEVER)
    }

    fn is_within(&self, codes: &[String]) -> bool {
        self.forebears
            .iter()
            .any(|(code, _)| codes.iter().any(|parent| parent == code))
    }
}

fn insert<K>(entry: Entry<'_, K, Vec<Id>>, id: Id) {
    let ids = entry.or_default();
    if ids.last() != Some(&id) {
        ids.push(id);
    }
}
