//! Patterns over millions of short texts: a regular expression as one table look-up a byte.
//!
//! Loads spend much of their checking time on patterns such as GTFS clock times, where the general engine's cost per call
//! outweighs the eight bytes it looks at. Since a pattern must match the whole text, no positions are asked for, and most
//! patterns of contracts become a small table: expression → byte automaton → table of states. Those that do not (word
//! boundaries, large Unicode classes, long counted repeats) stay with the general engine; answers are the same.

use std::collections::HashMap;

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};
use regex_syntax::utf8::Utf8Sequences;

use crate::field::Constraints;

/// The most steps of the byte automaton; beyond, the general engine takes over.
const STEPS_MAX: usize = 2_000;
/// The most states of the table, so that a state fits a byte.
const STATES_MAX: usize = 255;
/// The state from which nothing matches.
const DEAD: u8 = 0;
/// The state before the first byte.
const START: u8 = 1;

/// A compiled `pattern`, which matches whole texts.
#[derive(Debug, Clone)]
pub struct Matcher {
    inner: Inner,
}

#[derive(Debug, Clone)]
enum Inner {
    Table {
        next: Vec<[u8; 256]>,
        accepts: Vec<bool>,
    },
    Engine(Regex),
}

impl Constraints {
    /// The `pattern`, compiled for many texts.
    ///
    /// # Errors
    /// Never for a parsed contract; [`regex::Error`] where the pattern was set by hand and is no expression.
    pub fn matcher(&self) -> Result<Option<Matcher>, regex::Error> {
        let Some(regex) = self.regex()? else {
            return Ok(None);
        };
        let table = self
            .pattern
            .as_deref()
            .and_then(|pattern| regex_syntax::parse(pattern).ok())
            .and_then(|hir| table(&hir));
        Ok(Some(Matcher {
            inner: table.unwrap_or(Inner::Engine(regex)),
        }))
    }
}

impl Matcher {
    /// Whether the whole text matches.
    #[inline]
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        match &self.inner {
            Inner::Table { next, accepts } => {
                let end = text.bytes().fold(START, |state, byte| {
                    next[usize::from(state)][usize::from(byte)]
                });
                accepts[usize::from(end)]
            }
            Inner::Engine(regex) => regex.is_match(text),
        }
    }
}

fn table(hir: &Hir) -> Option<Inner> {
    let mut steps = Steps::default();
    let (start, end) = (steps.add()?, steps.add()?);
    steps.join(hir, start, end)?;
    let first = steps.closure(&[start]);
    let mut states: HashMap<Vec<usize>, u8> =
        HashMap::from([(Vec::new(), DEAD), (first.clone(), START)]);
    let mut sets = vec![Vec::new(), first];
    let mut next = vec![[DEAD; 256]];
    while let Some(set) = sets.get(next.len()).cloned() {
        let mut row = [DEAD; 256];
        for byte in u8::MIN..=u8::MAX {
            let reached = steps.closure(&steps.after(&set, byte));
            row[usize::from(byte)] = match states.get(&reached) {
                Some(state) => *state,
                None => {
                    let state = u8::try_from(sets.len())
                        .ok()
                        .filter(|state| usize::from(*state) < STATES_MAX)?;
                    states.insert(reached.clone(), state);
                    sets.push(reached);
                    state
                }
            };
        }
        next.push(row);
    }
    let accepts = sets.iter().map(|set| set.contains(&end)).collect();
    Some(Inner::Table { next, accepts })
}

/// A byte automaton: Thompson's construction, with each part of the expression between two steps.
#[derive(Debug, Default)]
struct Steps {
    free: Vec<Vec<usize>>,
    bytes: Vec<Vec<(u8, u8, usize)>>,
}

impl Steps {
    fn add(&mut self) -> Option<usize> {
        self.free.push(Vec::new());
        self.bytes.push(Vec::new());
        (self.free.len() <= STEPS_MAX).then(|| self.free.len() - 1)
    }

    /// Adds the ways from one step to another that `hir` allows; `None` if it cannot be told by bytes alone.
    fn join(&mut self, hir: &Hir, from: usize, to: usize) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => self.free[from].push(to),
            HirKind::Look(_) => return None,
            HirKind::Literal(literal) => {
                let ranges: Vec<(u8, u8)> = literal.0.iter().map(|byte| (*byte, *byte)).collect();
                self.join_bytes(&ranges, from, to)?;
            }
            HirKind::Class(Class::Bytes(class)) => {
                for range in class.ranges() {
                    self.bytes[from].push((range.start(), range.end(), to));
                }
            }
            HirKind::Class(Class::Unicode(class)) => {
                for range in class.ranges() {
                    for sequence in Utf8Sequences::new(range.start(), range.end()) {
                        let ranges: Vec<(u8, u8)> = sequence
                            .as_slice()
                            .iter()
                            .map(|range| (range.start, range.end))
                            .collect();
                        self.join_bytes(&ranges, from, to)?;
                    }
                }
            }
            HirKind::Capture(capture) => self.join(&capture.sub, from, to)?,
            HirKind::Alternation(choices) => choices
                .iter()
                .try_for_each(|choice| self.join(choice, from, to))?,
            HirKind::Concat(parts) => {
                let mut at = from;
                for part in parts {
                    let after = self.add()?;
                    self.join(part, at, after)?;
                    at = after;
                }
                self.free[at].push(to);
            }
            HirKind::Repetition(repetition) => self.join_repeated(repetition, from, to)?,
        }
        Some(())
    }

    fn join_bytes(&mut self, ranges: &[(u8, u8)], from: usize, to: usize) -> Option<()> {
        let mut at = from;
        for (low, high) in ranges {
            let after = self.add()?;
            self.bytes[at].push((*low, *high, after));
            at = after;
        }
        self.free[at].push(to);
        Some(())
    }

    fn join_repeated(&mut self, repetition: &Repetition, from: usize, to: usize) -> Option<()> {
        let mut at = from;
        for _ in 0..repetition.min {
            let after = self.add()?;
            self.join(&repetition.sub, at, after)?;
            at = after;
        }
        match repetition.max {
            None => {
                let (round, again) = (self.add()?, self.add()?);
                self.free[at].push(round);
                self.join(&repetition.sub, round, again)?;
                self.free[again].push(round);
                self.free[round].push(to);
            }
            Some(most) => {
                for _ in repetition.min..most {
                    let after = self.add()?;
                    self.free[at].push(to);
                    self.join(&repetition.sub, at, after)?;
                    at = after;
                }
                self.free[at].push(to);
            }
        }
        Some(())
    }

    fn after(&self, set: &[usize], byte: u8) -> Vec<usize> {
        let ways = set.iter().flat_map(|step| &self.bytes[*step]);
        ways.filter(|(low, high, _)| (*low..=*high).contains(&byte))
            .map(|(_, _, to)| *to)
            .collect()
    }

    /// All steps that can be reached from these without a byte, sorted.
    fn closure(&self, set: &[usize]) -> Vec<usize> {
        let mut reached = set.to_vec();
        let mut position = 0;
        while let Some(step) = reached.get(position) {
            let further: Vec<usize> = self.free[*step]
                .iter()
                .copied()
                .filter(|next| !reached.contains(next))
                .collect();
            reached.extend(further);
            position += 1;
        }
        reached.sort_unstable();
        reached.dedup();
        reached
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::{Inner, Matcher};
    use crate::Constraints;

    fn constraints(pattern: &str) -> Constraints {
        Constraints {
            pattern: Some(pattern.to_owned()),
            ..Constraints::default()
        }
    }

    fn matcher(pattern: &str) -> Matcher {
        constraints(pattern).matcher().unwrap().unwrap()
    }

    #[test]
    fn contracts_use_the_table_and_hard_patterns_the_engine() {
        for contract in crate::Contracts::builtin().iter() {
            for field in &contract.fields {
                let compiled = field.constraints.matcher().unwrap();
                assert!(
                    compiled.is_none_or(|compiled| matches!(compiled.inner, Inner::Table { .. })),
                    "{}",
                    field.name
                );
            }
        }
        for hard in [r"\bword\b", r"\w{200}", "^a$|b", r"(a|b)*a(a|b){9}"] {
            assert!(matches!(matcher(hard).inner, Inner::Engine(_)), "{hard}");
        }
    }

    #[test]
    fn whole_texts_match() {
        let clock = matcher("[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]");
        for (text, sound) in [
            ("6:00:00", true),
            ("26:39:00", true),
            ("100:00:00", true),
            ("06:00", false),
            ("06:60:00", false),
            (" 6:00:00", false),
            ("6:00:00\n", false),
            ("", false),
        ] {
            assert_eq!(clock.is_match(text), sound, "{text:?}");
        }
        assert!(matcher("Đ.*|[ạ-ỹ]?").is_match("Đồ Sơn") && matcher("").is_match(""));
    }

    proptest! {
        #[test]
        fn the_table_says_what_the_engine_says(
            pattern in "([abđ]|\\[a-đ\\]|\\.|\\(ab\\|đ?\\)|x)([*+?]|\\{1,2\\}|\\{2,\\})?([abđ]|\\[\\^a\\])?([*+?])?",
            texts in prop::collection::vec("[abcđx\n]{0,6}", 20),
        ) {
            let constraints = constraints(&pattern);
            let (compiled, regex) = (constraints.matcher().unwrap().unwrap(), constraints.regex().unwrap().unwrap());
            for text in texts {
                prop_assert_eq!(compiled.is_match(&text), regex.is_match(&text), "{} {:?}", pattern, text);
            }
        }
    }
}
