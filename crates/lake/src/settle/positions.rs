//! Sets of row positions of one file: a bit a row.

use std::ops::Range;

/// Positions of rows within a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Positions {
    words: Vec<u64>,
    count: u64,
}

impl Positions {
    /// Puts a position in; says whether it is new.
    pub(crate) fn insert(&mut self, position: u64) -> bool {
        let (word, bit) = place(position);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += u64::from(is_new);
        is_new
    }

    /// Takes a position out.
    pub(crate) fn remove(&mut self, position: u64) {
        let (word, bit) = place(position);
        if self.contains(position) {
            self.words[word] &= !bit;
            self.count -= 1;
        }
    }

    /// Puts all positions of another set in.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.words
            .resize(self.words.len().max(other.words.len()), 0);
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
        self.count = self
            .words
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum();
    }

    pub(crate) fn contains(&self, position: u64) -> bool {
        let (word, bit) = place(position);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The positions in order, neighbours as one range.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let words = self.words.iter().enumerate();
        let mut all = words
            .flat_map(|(index, word)| {
                let bits = (0..64).filter(move |bit| word & (1 << bit) != 0);
                bits.map(move |bit| index * 64 + bit)
            })
            .peekable();
        std::iter::from_fn(move || {
            let start = all.next()?;
            let mut end = start + 1;
            while all.next_if_eq(&end).is_some() {
                end += 1;
            }
            Some(start..end)
        })
    }

    pub(crate) fn len(&self) -> u64 {
        self.count
    }
}

fn place(position: u64) -> (usize, u64) {
    let word = usize::try_from(position / 64).unwrap_or(usize::MAX);
    (word, 1 << (position % 64))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_the_positions(mut wanted in prop::collection::btree_set(0..300_u64, 0..80)) {
            let mut positions = Positions::default();
            for position in &wanted {
                prop_assert!(positions.insert(*position));
            }
            let ranges: Vec<Range<usize>> = positions.ranges().collect();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].end < pair[1].start));
            for position in ranges.into_iter().flatten() {
                prop_assert!(wanted.remove(&(position as u64)));
            }
            prop_assert!(wanted.is_empty());
        }
    }
}
