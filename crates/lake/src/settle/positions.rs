//! Sets of row positions of one file: a bit a row.

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

    pub(crate) fn len(&self) -> u64 {
        self.count
    }
}

fn place(position: u64) -> (usize, u64) {
    let word = usize::try_from(position / 64).unwrap_or(usize::MAX);
    (word, 1 << (position % 64))
}
