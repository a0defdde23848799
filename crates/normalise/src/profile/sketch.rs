//! Small summaries of many values: how many different ones, which are frequent, how they are spread.

use hashbrown::HashMap;

/// Registers of a distinct count: 2 to the power of this. The standard error is 1.04 / √4096 = 1.6 %.
const PRECISION: u32 = 12;
const REGISTERS: usize = 1 << PRECISION;

/// How many different values: HyperLogLog (Flajolet et al. 2007), with linear counting for few.
#[derive(Debug, Clone, Default)]
pub(super) struct Distinct(Vec<u8>);

impl Distinct {
    #[inline]
    pub(super) fn add(&mut self, hash: u64) {
        if self.0.is_empty() {
            // Not before there is a value: a source may come in thousands of small parts.
            self.0.resize(REGISTERS, 0);
        }
        let hash = mixed(hash);
        let register = (hash >> (64 - PRECISION)) as usize;
        let rank = ((hash << PRECISION) | (1 << (PRECISION - 1))).leading_zeros() as u8 + 1;
        if self.0[register] < rank {
            self.0[register] = rank;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    pub(super) fn estimate(&self) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        let registers = REGISTERS as f64;
        let sum: f64 = self
            .0
            .iter()
            .map(|rank| 0.5_f64.powi(i32::from(*rank)))
            .sum();
        let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / sum;
        let unset = self.0.iter().filter(|rank| **rank == 0).count();
        if raw <= 2.5 * registers && unset > 0 {
            return (registers * (registers / unset as f64).ln()).round() as u64;
        }
        raw.round() as u64
    }
}

/// The quick hash of a short value leaves its high bits too much alike: MurmurHash3's last step spreads them.
#[inline]
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Values that are watched: between so many and twice as many.
const WATCHED: usize = 128;
/// Characters of a value that is kept.
const VALUE_CHARS_MAX: usize = 80;

/// The most frequent values: space-saving (Metwally et al. 2005), driving out half of the watched at a time.
#[derive(Debug, Clone, Default)]
pub(super) struct Frequent {
    watched: HashMap<u64, Watched>,
    /// As often as any value may have come that is not watched.
    floor: u64,
}

/// A value, how often it was counted, and how much of that may be another's: it began with what those driven out had.
#[derive(Debug, Clone)]
struct Watched {
    count: u64,
    error: u64,
    value: String,
}

impl Frequent {
    pub(super) fn add(&mut self, hash: u64, weight: u64, value: impl FnOnce() -> String) {
        self.put(hash, weight, 0, value);
    }

    fn put(&mut self, hash: u64, weight: u64, error: u64, value: impl FnOnce() -> String) {
        if let Some(known) = self.watched.get_mut(&hash) {
            known.count += weight;
            known.error += error;
            return;
        }
        let mut value = value();
        if let Some((end, _)) = value.char_indices().nth(VALUE_CHARS_MAX) {
            value.truncate(end);
        }
        let new = Watched {
            count: self.floor + weight,
            error: self.floor + error,
            value,
        };
        self.watched.insert(hash, new);
        if self.watched.len() >= 2 * WATCHED {
            self.drive_out();
        }
    }

    fn drive_out(&mut self) {
        let mut counts: Vec<u64> = self.watched.values().map(|known| known.count).collect();
        let middle = counts.len() - WATCHED;
        let (_, floor, _) = counts.select_nth_unstable(middle);
        self.floor = *floor;
        self.watched.retain(|_, known| known.count > self.floor);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (hash, theirs) in &other.watched {
            self.put(*hash, theirs.count, theirs.error, || theirs.value.clone());
        }
    }

    /// The `most` most frequent, in order, with how often they were seen at least. Where hardly any value comes twice there is none.
    pub(super) fn top(&self, most: usize) -> Vec<(&str, u64)> {
        let sure = self
            .watched
            .values()
            .filter(|known| known.error * 2 < known.count);
        let mut sure: Vec<_> = sure
            .map(|known| (known.value.as_str(), known.count - known.error))
            .collect();
        sure.sort_by(|(x, a), (y, b)| b.cmp(a).then_with(|| x.cmp(y)));
        sure.truncate(most);
        sure
    }
}

/// Values of a sample, at most.
const SAMPLE_MAX: usize = 4096;

/// How numbers are spread: a sample of them, each with the rows that it stands for.
#[derive(Debug, Clone, Default)]
pub(super) struct Spread(Vec<(f64, f64)>);

impl Spread {
    pub(super) fn add(&mut self, value: f64, weight: f64) {
        self.0.push((value, weight));
        if self.0.len() >= 2 * SAMPLE_MAX {
            self.thin();
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
        while self.0.len() >= 2 * SAMPLE_MAX {
            self.thin();
        }
    }

    /// Of two neighbours one stays, for both, by turns the lower and the higher.
    fn thin(&mut self) {
        self.0.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let pairs = self.0.chunks(2).enumerate();
        self.0 = pairs
            .map(|(index, pair)| match pair {
                [(low, a), (high, b)] => (if index % 2 == 0 { *low } else { *high }, a + b),
                rest => rest[0],
            })
            .collect();
    }

    /// The values that these shares of all do not exceed.
    pub(super) fn quantiles<const N: usize>(&self, shares: [f64; N]) -> Option<[f64; N]> {
        let mut sorted = self.0.clone();
        sorted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let last = sorted.last()?.0;
        let all: f64 = sorted.iter().map(|(_, weight)| weight).sum();
        Some(shares.map(|share| {
            let mut seen = 0.0;
            let found = sorted.iter().find(|(_, weight)| {
                seen += weight;
                seen >= share * all
            });
            found.map_or(last, |(value, _)| *value)
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, Hash};

    use super::*;

    fn hash(value: impl Hash) -> u64 {
        foldhash::fast::FixedState::default().hash_one(value)
    }

    #[test]
    fn distinct_counts_are_close() {
        for count in [0_u64, 1, 10, 1000, 20_000, 300_000] {
            let (mut one, mut other) = (Distinct::default(), Distinct::default());
            (0..count).for_each(|value| one.add(hash(value)));
            (0..count / 2).for_each(|value| other.add(hash(value)));
            one.merge(&other);
            let error = one.estimate().abs_diff(count) as f64;
            assert!(error <= 0.05 * count as f64, "{count}: {}", one.estimate());
        }
    }

    #[test]
    fn what_is_frequent_is_found() {
        let mut frequent = Frequent::default();
        for value in 0..10_000_u64 {
            frequent.add(hash(value), 1, || value.to_string());
            frequent.add(hash("often"), 1, || "often".to_owned());
        }
        assert_eq!(frequent.top(1)[0].0, "often");
        assert!(frequent.top(1)[0].1 >= 10_000);
        assert_eq!(frequent.top(10).len(), 1, "the others come once each");
    }

    #[test]
    fn quantiles_are_close() {
        let (mut one, mut other) = (Spread::default(), Spread::default());
        for value in 0..100_000_u32 {
            let spread = if value % 2 == 0 { &mut one } else { &mut other };
            spread.add(f64::from(value.wrapping_mul(7919) % 100_000), 1.0);
        }
        one.merge(&other);
        let [low, middle, high] = one.quantiles([0.05, 0.5, 0.95]).unwrap_or_default();
        assert!((low - 5_000.0).abs() < 1_000.0, "{low}");
        assert!((middle - 50_000.0).abs() < 1_000.0, "{middle}");
        assert!((high - 95_000.0).abs() < 1_000.0, "{high}");
        assert_eq!(Spread::default().quantiles([0.5]), None);
    }
}
