//! What a process knows of one pipeline's raw parts: of each the manifest that was checked last.
//!
//! The manifest of a part may be stored alone, in packs, or in both. Which one counts does not depend on the order in
//! which they are met, so that whatever a crash leaves behind reads the same.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use object_store::path::Path;

use super::listing::{Listing, Seen, has_all, is_pack, listing, read};
use super::{Manifest, pack};
use crate::error::LakeError;
use crate::layout::{self, Access};

/// How many single manifests are read at once.
const READS_AT_ONCE: usize = 16;
/// How often the folder is listed anew since files vanished that another process packed meanwhile.
const LISTINGS_MAX: u32 = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Known {
    loaded: bool,
    stored: HashMap<Path, Stored>,
    /// By the part's path: those whose manifest is on its way.
    coming: BTreeMap<String, Manifest>,
    /// What is known of each part.
    parts: HashMap<ByPath, Places>,
    /// By unit, partition and key, the newest part.
    newest: HashMap<String, HashMap<Option<String>, HashSet<ByKey>>>,
    /// All of them in order, where that is known: they are asked for several times in a run, and most runs add few.
    sorted: Option<Vec<Manifest>>,
    last_sequence: u64,
    last_check: u64,
    /// Whether packs came since it was last looked which ones are needless.
    pub(super) has_new_packs: bool,
}

/// A file of manifests.
#[derive(Debug)]
struct Stored {
    /// How it was listed when it was read; none where this process wrote it since.
    seen: Option<Seen>,
    manifests: Vec<Manifest>,
}

/// Where the manifest of a part is stored.
#[derive(Debug, Clone, Default)]
struct Places {
    /// Alone.
    single: Option<Path>,
    /// In packs: the number of the last check that one of them knows of.
    packed: Option<u64>,
}

impl Known {
    /// All manifests, oldest first.
    pub(super) fn sorted(&mut self) -> Vec<Manifest> {
        if self.sorted.is_none() {
            let mut all: Vec<Manifest> = self.parts.keys().map(|ByPath(it)| it.clone()).collect();
            sort(&mut all);
            self.sorted = Some(all);
        }
        self.sorted.clone().unwrap_or_default()
    }

    /// The newest version of a thing that was fetched.
    pub(super) fn newest(
        &self,
        (unit, partition): (&str, Option<&str>),
        key: &str,
    ) -> Option<&Manifest> {
        let of_unit = self.newest.get(unit)?;
        let of_slice = of_unit.get(&partition.map(str::to_owned))?;
        of_slice.get(key).map(|ByKey(manifest)| manifest)
    }

    /// The number of the last fetch or check.
    pub(super) fn last_check(&self) -> u64 {
        self.last_check
    }

    /// Gives a part its numbers and notes it as coming.
    pub(super) fn announce(&mut self, manifest: &mut Manifest) {
        let record = manifest.edit();
        record.sequence = self.last_sequence + 1;
        record.checked_sequence = self.last_check + 1;
        self.expect(manifest.clone());
    }

    /// Notes a manifest as coming.
    pub(super) fn expect(&mut self, manifest: Manifest) {
        self.join(&manifest, None);
        self.coming.insert(manifest.path.clone(), manifest);
    }

    /// Whether a part's manifest is still on its way.
    pub(super) fn is_coming(&self, manifest: &Manifest) -> bool {
        self.coming.contains_key(&manifest.path)
    }

    /// A manifest that was on its way did not arrive.
    pub(super) fn lose(&mut self, path: &str) {
        if self.coming.remove(path).is_some() {
            self.rebuild();
        }
    }

    /// Where the manifest of a part is stored alone.
    pub(super) fn single(&self, manifest: &Manifest) -> Option<Path> {
        let places = self.parts.get(manifest.path.as_str())?;
        places.single.clone()
    }

    /// Notes that a manifest is stored alone.
    pub(super) fn store(&mut self, place: Path, manifest: Manifest) {
        self.coming.remove(&manifest.path);
        self.join(&manifest, Some((&place, false)));
        let path = manifest.path.clone();
        let stored = Stored {
            seen: None,
            manifests: vec![manifest],
        };
        let before = self.stored.insert(place, stored);
        let mut before = before.iter().flat_map(|stored| &stored.manifests);
        // It took the place of another part's.
        if before.any(|before| before.path != path) {
            self.rebuild();
        }
    }

    /// Files that are not there any more.
    pub(super) fn forget(&mut self, places: &[Path]) {
        for place in places {
            self.stored.remove(place);
        }
        if !places.is_empty() {
            self.rebuild();
        }
    }

    /// Single manifests, with where they are stored and whether packs make them needless.
    fn singles(&self) -> impl Iterator<Item = (&Path, &Manifest, bool)> {
        let singles = self.stored.iter().filter(|(place, _)| !is_pack(place));
        singles.filter_map(|(place, stored)| {
            let manifest = stored.manifests.first()?;
            let packed = self.parts.get(manifest.path.as_str())?.packed;
            let is_packed = packed.is_some_and(|packed| packed >= manifest.checked_sequence);
            Some((place, manifest, is_packed))
        })
    }

    /// Where single manifests are stored that packs make needless.
    pub(super) fn needless_singles(&self) -> Vec<Path> {
        // What is being written over is not looked at.
        let needless = self
            .singles()
            .filter(|(_, manifest, is_packed)| *is_packed && !self.is_coming(manifest));
        needless.map(|(place, ..)| place.clone()).collect()
    }

    /// Manifests behind a door that are stored alone and were not touched since the check of this number, in order.
    pub(super) fn settled(&self, access: Access, pipeline: &str, check: u64) -> Vec<Manifest> {
        let folder = layout::manifests(pipeline, access);
        let is_settled = |(place, manifest, is_packed): &(&Path, &Manifest, bool)| {
            !is_packed
                && manifest.checked_sequence <= check
                && !self.is_coming(manifest)
                && place.prefix_matches(&folder)
        };
        let settled = self.singles().filter(is_settled);
        let mut settled: Vec<Manifest> = settled.map(|(_, manifest, _)| manifest.clone()).collect();
        sort(&mut settled);
        settled
    }

    /// Where packs are stored that bigger ones make needless. Of two that hold the same the one stays that comes first in an order
    /// that all processes share: whoever else looks takes the same for needless.
    pub(super) fn needless_packs(&self, access: Access, pipeline: &str) -> Vec<Path> {
        let mut held: HashMap<&str, u64> = HashMap::new();
        let mut needless = Vec::new();
        for (place, manifests) in self.packs(access, pipeline) {
            let is_held = |it: &Manifest| {
                let check = held.get(it.path.as_str());
                check.is_some_and(|check| *check >= it.checked_sequence)
            };
            if manifests.iter().all(is_held) {
                needless.push(place.clone());
                continue;
            }
            for manifest in manifests {
                let check = held.entry(&manifest.path).or_default();
                *check = manifest.checked_sequence.max(*check);
            }
        }
        needless
    }

    /// The packs behind a door, in an order that depends on nothing but what they hold: one that holds all that another does comes
    /// before it.
    pub(super) fn packs(&self, access: Access, pipeline: &str) -> Vec<(&Path, &[Manifest])> {
        let folder = layout::manifests(pipeline, access);
        let is_here = |place: &Path| is_pack(place) && place.prefix_matches(&folder);
        let packs = self.stored.iter().filter(|(place, _)| is_here(place));
        let mut packs: Vec<(&Path, &[Manifest])> = packs
            .map(|(place, stored)| (place, stored.manifests.as_slice()))
            .collect();
        packs.sort_by_cached_key(|(place, manifests)| {
            let checks = manifests.iter().map(|it| u128::from(it.checked_sequence));
            (
                Reverse(manifests.len()),
                Reverse(checks.sum::<u128>()),
                *place,
            )
        });
        packs
    }

    /// Notes that a pack is stored.
    pub(super) fn store_pack(&mut self, place: Path, manifests: Vec<Manifest>) {
        for manifest in &manifests {
            self.join(manifest, Some((&place, true)));
        }
        let seen = None;
        self.stored.insert(place, Stored { seen, manifests });
        self.has_new_packs = true;
    }

    /// Reads what is new in the storage and forgets what is gone.
    pub(super) async fn refresh(
        &mut self,
        store: &dyn ObjectStore,
        pipeline: &str,
    ) -> Result<(), LakeError> {
        let mut there = listing(store, pipeline).await?;
        for _ in 0..LISTINGS_MAX {
            // A listing is no picture of one instant: where something is gone, the pack that took it in may have come behind the
            // listing's back. The next one shows it.
            if !self.loaded || !has_all(&there, self.stored.keys()) {
                let again = listing(store, pipeline).await?;
                let is_whole = has_all(&again, there.keys());
                there = again;
                if !is_whole {
                    continue;
                }
            }
            if self.take(store, &there).await? {
                self.loaded = true;
                return Ok(());
            }
            there = listing(store, pipeline).await?;
        }
        let folder = layout::manifests(pipeline, Access::Open);
        let detail = "manifests vanish from it as fast as they are listed";
        Err(LakeError::corrupt(&folder, detail))
    }

    pub(super) async fn load_once(
        &mut self,
        store: &dyn ObjectStore,
        pipeline: &str,
    ) -> Result<(), LakeError> {
        if self.loaded {
            Ok(())
        } else {
            self.refresh(store, pipeline).await
        }
    }

    /// Takes over what a listing shows; false where some of it vanished before it was read, and then nothing is taken.
    async fn take(&mut self, store: &dyn ObjectStore, there: &Listing) -> Result<bool, LakeError> {
        let is_new = |(place, seen): &(&Path, &Seen)| match self.stored.get(*place) {
            None => true,
            // Another process may have written a check over it. A pack never changes.
            Some(Stored { seen: before, .. }) => {
                !is_pack(place) && before.as_ref().is_some_and(|before| before != *seen)
            }
        };
        let new = there.iter().filter(is_new).map(|(place, _)| place.clone());
        let (packs, singles): (Vec<Path>, Vec<Path>) = new.partition(is_pack);
        let mut read: Vec<(Path, Option<Vec<Manifest>>)> = stream::iter(singles)
            .map(|place| async move { read(store, &place).await.map(|it| (place, it)) })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        let has_new_packs = !packs.is_empty();
        for place in packs {
            let manifests = pack::read(store, &place).await?;
            read.push((place, manifests));
        }
        if read.iter().any(|(_, manifests)| manifests.is_none()) {
            return Ok(false);
        }
        self.has_new_packs |= has_new_packs;
        let count = self.stored.len();
        self.stored.retain(|place, _| there.contains_key(place));
        let mut is_other = self.stored.len() < count;
        for (place, manifests) in read {
            let manifests = manifests.unwrap_or_default();
            for manifest in &manifests {
                self.join(manifest, Some((&place, is_pack(&place))));
            }
            let seen = None;
            is_other |= self
                .stored
                .insert(place, Stored { seen, manifests })
                .is_some();
        }
        for (place, stored) in &mut self.stored {
            stored.seen = there.get(place).cloned();
        }
        if is_other {
            self.rebuild();
        }
        Ok(true)
    }

    /// Notes what a manifest says, and where it is stored: alone, or (true) in a pack.
    fn join(&mut self, manifest: &Manifest, place: Option<(&Path, bool)>) {
        let known = self.parts.remove_entry(manifest.path.as_str());
        let is_new = known.is_none();
        let (ByPath(before), mut places) =
            known.unwrap_or_else(|| (ByPath(manifest.clone()), Places::default()));
        let is_later = manifest.supersedes(&before);
        match &mut self.sorted {
            Some(sorted) if is_new && self.last_sequence < manifest.sequence => {
                sorted.push(manifest.clone());
            }
            sorted if is_new || is_later => *sorted = None,
            _ => {}
        }
        match place {
            Some((_, true)) => places.packed = places.packed.max(Some(manifest.checked_sequence)),
            // Of two single ones the later one is written over.
            Some((place, false)) if is_later || places.single.is_none() => {
                places.single = Some(place.clone());
            }
            Some(_) | None => {}
        }
        let counts = match is_later {
            true => manifest.clone(),
            false => before,
        };
        self.last_sequence = self.last_sequence.max(counts.sequence);
        self.last_check = self.last_check.max(counts.checked_sequence);
        self.note_newest(&counts);
        self.parts.insert(ByPath(counts), places);
    }

    fn note_newest(&mut self, manifest: &Manifest) {
        if !self.newest.contains_key(&manifest.unit) {
            self.newest
                .insert(manifest.unit.clone(), HashMap::default());
        }
        let Some(of_unit) = self.newest.get_mut(&manifest.unit) else {
            return;
        };
        let of_slice = of_unit.entry(manifest.partition.clone()).or_default();
        let is_newest = of_slice
            .get(manifest.key.as_str())
            .is_none_or(|ByKey(it)| (it.sequence, &it.path) <= (manifest.sequence, &manifest.path));
        if is_newest {
            of_slice.replace(ByKey(manifest.clone()));
        }
    }

    /// Finds out anew what all that is stored and coming comes to.
    fn rebuild(&mut self) {
        self.parts.clear();
        self.newest.clear();
        self.sorted = None;
        (self.last_sequence, self.last_check) = (0, 0);
        let stored = std::mem::take(&mut self.stored);
        for (place, of_file) in &stored {
            for manifest in &of_file.manifests {
                self.join(manifest, Some((place, is_pack(place))));
            }
        }
        self.stored = stored;
        let coming = std::mem::take(&mut self.coming);
        for manifest in coming.values() {
            self.join(manifest, None);
        }
        self.coming = coming;
    }
}

/// Oldest first.
pub(super) fn sort(manifests: &mut [Manifest]) {
    manifests.sort_unstable_by(|a, b| (a.sequence, &a.path).cmp(&(b.sequence, &b.path)));
}

/// A manifest that is told from others by its part's path.
#[derive(Debug)]
struct ByPath(Manifest);

/// A manifest that is told from others by its key.
#[derive(Debug)]
struct ByKey(Manifest);

impl Borrow<str> for ByPath {
    fn borrow(&self) -> &str {
        &self.0.path
    }
}

impl Borrow<str> for ByKey {
    fn borrow(&self) -> &str {
        &self.0.key
    }
}

impl Hash for ByPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.path.hash(state);
    }
}

impl Hash for ByKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key.hash(state);
    }
}

impl PartialEq for ByPath {
    fn eq(&self, other: &Self) -> bool {
        self.0.path == other.0.path
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl Eq for ByPath {}
impl Eq for ByKey {}
