//! Which parts of a source that goes on were not merged yet.

use std::collections::{BTreeMap, HashMap, HashSet};

use sectorlake_lake::Manifest;

/// The numbers of the parts, by unit, that `merged` does not account for: the hashes of those that were, in their order.
///
/// What came before byte by byte, and comes again after something else, is one of them: its rows were overwritten meanwhile. What
/// only repeats the last that was merged is none.
pub(super) fn unmerged(parts: &BTreeMap<String, Vec<Manifest>>, merged: &[String]) -> HashSet<u64> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for hash in merged {
        *left.entry(hash).or_default() += 1;
    }
    let mut fresh = HashSet::new();
    let slices = parts
        .values()
        .flat_map(|parts| parts.chunk_by(|one, next| one.partition == next.partition));
    for slice in slices {
        let is_merged = |part: &&Manifest| match left.get_mut(part.hash.as_str()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        };
        let (old, new): (Vec<&Manifest>, Vec<&Manifest>) = slice.iter().partition(is_merged);
        let last = &old[old.len().saturating_sub(new.len())..];
        let hashes = |parts: &[&Manifest]| -> Vec<String> {
            parts.iter().map(|part| part.hash.clone()).collect()
        };
        if hashes(last) != hashes(&new) {
            fresh.extend(new.iter().map(|part| part.sequence));
        }
    }
    fresh
}
