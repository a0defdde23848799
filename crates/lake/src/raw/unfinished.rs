//! What fetches before this one brought and nobody published.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::Manifest;

/// What a fetch of a unit, or of one of its partitions, brought that was never published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its parts, in the order in which they came.
    pub parts: Vec<Manifest>,
    /// Whether the fetch came to its end: its last part has nothing behind it.
    pub is_whole: bool,
}

/// Of one unit, by partition, the parts after the fetch or check of number `published`: one after the other, as a fetch
/// brought them that began where `from` says.
pub(crate) fn unfinished<'a>(
    manifests: &[Manifest],
    unit: &str,
    published: u64,
    from: impl Fn(Option<&str>) -> Option<&'a Value>,
) -> BTreeMap<Option<String>, Unfinished> {
    let mut slices: BTreeMap<Option<&str>, Vec<&Manifest>> = BTreeMap::new();
    let is_new = |manifest: &&Manifest| {
        manifest.unit == unit && manifest.checked_sequence > published && manifest.step.is_some()
    };
    for manifest in manifests.iter().filter(is_new) {
        let slice = slices.entry(manifest.partition.as_deref()).or_default();
        slice.push(manifest);
    }
    let chains = slices.into_iter().map(|(partition, parts)| {
        let chain = chain(parts, from(partition), published);
        (partition.map(str::to_owned), chain)
    });
    chains
        .filter(|(_, chain)| !chain.parts.is_empty())
        .collect()
}

/// The parts that follow each other. Of several fetches from one cursor the last counts; a later part was fetched later, so
/// this comes to an end.
fn chain(mut parts: Vec<&Manifest>, from: Option<&Value>, published: u64) -> Unfinished {
    parts.sort_by_key(|manifest| manifest.checked_sequence);
    let mut by_start: HashMap<Option<String>, Vec<&Manifest>> = HashMap::new();
    for manifest in parts {
        let start = manifest.step.as_ref().and_then(|step| step.from.as_ref());
        by_start
            .entry(start.map(Value::to_string))
            .or_default()
            .push(manifest);
    }
    let mut chain = Unfinished {
        parts: Vec::new(),
        is_whole: false,
    };
    let (mut cursor, mut after) = (from.map(Value::to_string), published);
    while let Some(last) = by_start.get(&cursor).and_then(|from_here| from_here.last())
        && last.checked_sequence > after
    {
        chain.parts.push((*last).clone());
        after = last.checked_sequence;
        let next = last.step.as_ref().and_then(|step| step.next.as_ref());
        if next.is_none() {
            chain.is_whole = true;
            break;
        }
        cursor = next.map(Value::to_string);
    }
    chain
}
