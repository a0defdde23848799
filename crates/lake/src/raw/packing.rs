//! Many small manifests become few packs, and few packs one bigger one.
//!
//! Packs say nothing of what is published: the pipeline's state does that. So any manifest may go into one; those do that
//! the last run did not touch, since what is asked of the source in each run is written anew in each run. A pack is on the
//! disk for good before anything that it holds is removed, and that is left to the next run.

use std::collections::{BTreeMap, HashMap};

use object_store::path::Path;

use super::known::{Known, sort};
use super::zone::delete;
use super::{Manifest, RawZone, pack};
use crate::error::LakeError;
use crate::layout::Access;

/// How many manifests make a pack, and how many packs a bigger one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// The least that is put into a pack.
    least: usize,
    /// So many packs of about one size are merged.
    fan: usize,
    /// The most that a pack holds: it is written and read as a whole.
    most: usize,
}

/// A pack of the most takes some 8 MB, and 40 MB while it is written or read.
pub(crate) const SIZES: Sizes = Sizes {
    least: 256,
    fan: 16,
    most: 65_536,
};

impl Sizes {
    /// Packs of one tier are about as big as each other; none where it is not merged any more.
    fn tier(self, manifests: usize) -> Option<u32> {
        let tier = (manifests / self.least).max(1).ilog(self.fan);
        (manifests <= self.most / 2).then_some(tier)
    }
}

impl RawZone {
    /// Puts manifests that were not touched since the check of number `untouched` into packs, where there are enough of them. Only
    /// the run that holds the pipeline's lease may call it.
    ///
    /// # Errors
    /// Where the storage fails; what is written by then is good.
    pub(crate) async fn pack(&self, untouched: u64, sizes: Sizes) -> Result<(), LakeError> {
        let mut known = self.shelf.known.lock().await;
        let settled = |known: &Known| {
            Access::ALL.map(|access| (access, known.settled(access, &self.pipeline, untouched)))
        };
        let is_due = |(_, settled): &(Access, Vec<Manifest>)| settled.len() >= sizes.least;
        if !settled(&known).iter().any(is_due) {
            return Ok(());
        }
        let store = self.lake.store();
        known.refresh(store.as_ref(), &self.pipeline).await?;
        for (access, settled) in settled(&known).into_iter().filter(is_due) {
            for manifests in settled.chunks(sizes.most) {
                let door = (self.pipeline.as_str(), access);
                let place = pack::put(store.as_ref(), door, manifests.to_vec()).await?;
                known.store_pack(place, manifests.to_vec());
            }
            self.merge(&mut known, access, sizes).await?;
        }
        Ok(())
    }

    /// Merges packs, the smallest first, until there are few of each size.
    async fn merge(
        &self,
        known: &mut Known,
        access: Access,
        sizes: Sizes,
    ) -> Result<(), LakeError> {
        while let Some(manifests) = self.mergeable(known, access, sizes) {
            let store = self.lake.store();
            let door = (self.pipeline.as_str(), access);
            let place = pack::put(store.as_ref(), door, manifests.clone()).await?;
            known.store_pack(place, manifests);
        }
        Ok(())
    }

    /// What packs of one size hold together, where there are enough of them: as many as go into one.
    fn mergeable(&self, known: &Known, access: Access, sizes: Sizes) -> Option<Vec<Manifest>> {
        let needless = known.needless_packs(access, &self.pipeline);
        let mut tiers: BTreeMap<u32, Vec<(&Path, &[Manifest])>> = BTreeMap::new();
        for (place, manifests) in known.packs(access, &self.pipeline) {
            let tier = sizes.tier(manifests.len());
            if let Some(tier) = tier.filter(|_| !needless.contains(place)) {
                tiers.entry(tier).or_default().push((place, manifests));
            }
        }
        let mut packs = tiers.into_values().find(|packs| packs.len() >= sizes.fan)?;
        packs.sort_by_key(|(place, _)| *place);
        let mut room = sizes.most;
        let fitting = packs.into_iter().map_while(|(_, manifests)| {
            room = room.checked_sub(manifests.len())?;
            Some(manifests)
        });
        Some(merged(fitting.flatten()))
    }

    /// Removes what bigger files hold as well: manifests that are in packs, packs that were merged. What packs hold was on the
    /// disk before they had their names.
    pub(super) async fn remove_packed(&self) -> Result<(), LakeError> {
        let mut known = self.shelf.known.lock().await;
        let mut needless = known.needless_singles();
        if known.has_new_packs {
            for access in Access::ALL {
                needless.extend(known.needless_packs(access, &self.pipeline));
            }
        }
        let store = self.lake.store();
        delete(store.as_ref(), needless.clone()).await?;
        known.forget(&needless);
        known.has_new_packs = false;
        Ok(())
    }
}

/// Of each part the manifest that counts.
fn merged<'m>(manifests: impl Iterator<Item = &'m Manifest>) -> Vec<Manifest> {
    let mut merged: HashMap<&str, &Manifest> = HashMap::new();
    for manifest in manifests {
        let known = merged.entry(&manifest.path).or_insert(manifest);
        if manifest.supersedes(known) {
            *known = manifest;
        }
    }
    let mut merged: Vec<Manifest> = merged.into_values().cloned().collect();
    sort(&mut merged);
    merged
}

#[cfg(test)]
#[path = "packing_tests.rs"]
mod tests;
