//! The long lists of a pipeline's state, on the disk in pieces that states share.
//!
//! A source that is polled for months has a hundred thousand parts, and each state names them all. A state's file names
//! pieces instead, each an immutable file named by its digest; only what follows the last piece stands in it. Where a list is
//! cut depends on what it holds there, so that one that grows, or changes in one place, keeps its other pieces.
//!
//! Pieces are on the disk for good before the state that names them is. What killed runs left of them the next run uses.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;

use super::{PipelineState, Snapshot};
use crate::error::LakeError;
use crate::format;
use crate::layout;
use crate::store::files;

/// What an entry starts with that names a piece; the hash of a part does not.
const MARK: char = '@';
/// Pieces read at once.
const READS_AT_ONCE: usize = 16;

/// How long pieces are.
#[derive(Debug, Clone, Copy)]
struct Length {
    /// On average one of so many entries, as a power of two, ends a piece.
    bits: u32,
    /// Less are no piece.
    least: usize,
}

/// Longer pieces first; what is left over at the end of the list is cut into shorter ones.
const LENGTHS: [Length; 2] = [
    Length {
        bits: 12,
        least: 1024,
    },
    Length { bits: 8, least: 64 },
];

/// The pieces of the states that were last read and written, by pipeline and digest: a process that polls reads each once.
#[derive(Debug, Default)]
pub(crate) struct Pieces(Mutex<HashMap<String, HashMap<String, Arc<str>>>>);

impl Pieces {
    /// A state as its file names it, from the whole one; the pieces are stored by then.
    pub(crate) async fn fold(
        &self,
        store: &dyn ObjectStore,
        pipeline: &str,
        state: &PipelineState,
    ) -> Result<PipelineState, LakeError> {
        let mut folding = self.of(store, pipeline);
        let mut folded = state.clone();
        for list in lists(&mut folded) {
            *list = folding.fold(list).await?;
        }
        self.keep(folding);
        Ok(folded)
    }

    /// Where a pipeline stood as of `snapshot`; none where it had published nothing.
    pub(crate) async fn state(
        &self,
        store: &dyn ObjectStore,
        snapshot: &Snapshot,
        pipeline: &str,
    ) -> Result<Option<PipelineState>, LakeError> {
        let Some(entry) = snapshot.pipeline_entry(pipeline) else {
            return Ok(None);
        };
        let path = layout::stored(&entry.state)?;
        let Some(bytes) = files::get(store, &path).await? else {
            let detail = format!("it is gone, though snapshot {} names it", snapshot.number);
            return Err(LakeError::corrupt(&path, detail));
        };
        let folded = files::from_json(&path, &bytes)?;
        self.unfold(store, pipeline, folded).await.map(Some)
    }

    /// The whole state, from what its file says.
    async fn unfold(
        &self,
        store: &dyn ObjectStore,
        pipeline: &str,
        mut folded: PipelineState,
    ) -> Result<PipelineState, LakeError> {
        let mut unfolding = self.of(store, pipeline);
        for list in lists(&mut folded) {
            *list = unfolding.unfold(list).await?;
        }
        self.keep(unfolding);
        Ok(folded)
    }

    fn of<'a>(&self, store: &'a dyn ObjectStore, pipeline: &'a str) -> Folding<'a> {
        let pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Folding {
            store,
            pipeline,
            known: pieces.get(pipeline).cloned().unwrap_or_default(),
            used: HashMap::new(),
        }
    }

    fn keep(&self, folding: Folding<'_>) {
        let mut pieces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pieces.insert(folding.pipeline.to_owned(), folding.used);
    }
}

/// What of a state may be long.
fn lists(state: &mut PipelineState) -> impl Iterator<Item = &mut Vec<String>> {
    std::iter::once(&mut state.parts).chain(state.appended.values_mut())
}

/// The lists of one state on their way.
struct Folding<'a> {
    store: &'a dyn ObjectStore,
    pipeline: &'a str,
    known: HashMap<String, Arc<str>>,
    used: HashMap<String, Arc<str>>,
}

impl Folding<'_> {
    async fn fold(&mut self, list: &[String]) -> Result<Vec<String>, LakeError> {
        let mut folded = Vec::new();
        let mut after = 0;
        for piece in pieces(list) {
            after = piece.end;
            let digest = self.put(&list[piece]).await?;
            folded.push(format!("{MARK}{digest}"));
        }
        folded.extend_from_slice(&list[after..]);
        Ok(folded)
    }

    async fn put(&mut self, entries: &[String]) -> Result<String, LakeError> {
        let text = entries.join("\n");
        let digest = digest(text.as_bytes());
        let text = match self.known.get(&digest) {
            Some(stored) => Arc::clone(stored),
            None => {
                let place = layout::list_piece(self.pipeline, &digest);
                format::raise(self.store).await?;
                files::put_if_absent(self.store, &place, text.clone().into_bytes()).await?;
                text.into()
            }
        };
        self.used.insert(digest.clone(), text);
        Ok(digest)
    }

    async fn unfold(&mut self, folded: &[String]) -> Result<Vec<String>, LakeError> {
        let named = folded.iter().filter_map(|entry| piece_of(entry));
        let missing = named.filter(|digest| !self.known.contains_key(*digest));
        let missing: Vec<String> = missing.map(str::to_owned).collect();
        let (store, pipeline) = (self.store, self.pipeline);
        let read: Vec<(String, Arc<str>)> = stream::iter(missing)
            .map(|digest| async move {
                let text = read(store, pipeline, &digest).await?;
                Ok::<_, LakeError>((digest, text))
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await?;
        self.known.extend(read);
        let mut list = Vec::new();
        for entry in folded {
            let piece = piece_of(entry).and_then(|digest| self.known.get_key_value(digest));
            let Some((digest, text)) = piece else {
                list.push(entry.clone());
                continue;
            };
            list.extend(text.split('\n').map(str::to_owned));
            self.used.insert(digest.clone(), Arc::clone(text));
        }
        Ok(list)
    }
}

/// The digest of the piece that an entry names.
fn piece_of(entry: &str) -> Option<&str> {
    entry.strip_prefix(MARK)
}

async fn read(store: &dyn ObjectStore, pipeline: &str, of: &str) -> Result<Arc<str>, LakeError> {
    let place = layout::list_piece(pipeline, of);
    let Some(bytes) = files::get(store, &place).await? else {
        let detail = format!("it is gone, though the state of pipeline {pipeline} names it");
        return Err(LakeError::corrupt(&place, detail));
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) if digest(&bytes) == of => Ok(text.into()),
        _ => {
            let detail = "it does not hold what its name says";
            Err(LakeError::corrupt(&place, detail))
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Where a list is cut: the pieces from its beginning, one after the other.
fn pieces(list: &[String]) -> Vec<Range<usize>> {
    // Sources repeat themselves: the same hash a second time is told from the first, or all of a long run would end a piece,
    // or none of it.
    let mut times: HashMap<&str, u64> = HashMap::new();
    let ends = list.iter().map(|entry| {
        let time = times.entry(entry).or_default();
        *time += 1;
        zeros(entry, *time)
    });
    let ends: Vec<u32> = ends.collect();
    let mut pieces = Vec::new();
    let mut start = 0;
    for length in LENGTHS {
        for (index, zeros) in ends.iter().enumerate().skip(start) {
            let end = index + 1;
            if *zeros >= length.bits && end - start >= length.least {
                pieces.push(start..end);
                start = end;
            }
        }
    }
    pieces
}

/// The zeros at the end of a number that is drawn by what an entry is: n of them at one of 2ⁿ entries.
fn zeros(entry: &str, time: u64) -> u32 {
    // FNV-1a, stirred as SplitMix64 does.
    let hash = entry.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = hash ^ time.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).trailing_zeros()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use futures::TryStreamExt;
    use object_store::memory::InMemory;
    use object_store::{ObjectStore, ObjectStoreExt};
    use proptest::prelude::*;

    use super::*;

    fn hashes(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
        let hash = |number: u64| digest(&number.to_le_bytes());
        numbers.into_iter().map(hash).collect()
    }

    fn state(parts: Vec<String>) -> PipelineState {
        PipelineState {
            appended: [("test.items".parse().unwrap(), parts.clone())].into(),
            parts,
            ..PipelineState::default()
        }
    }

    /// The store of a lake that is new.
    async fn new() -> InMemory {
        let store = InMemory::new();
        let bytes = serde_json::to_vec(&format::FIRST).unwrap();
        store.put(&layout::format(), bytes.into()).await.unwrap();
        store
    }

    async fn stored(store: &InMemory) -> Vec<(String, u64)> {
        let files = store
            .list(Some(&"raw".into()))
            .map_ok(|file| (file.location.to_string(), file.size));
        files.try_collect().await.unwrap()
    }

    #[tokio::test]
    async fn a_list_that_grows_keeps_its_pieces_and_a_state_stays_small() {
        let store = new().await;
        let process = Pieces::default();
        let (mut most, mut written) = (0, 0);
        for polls in (0..20_000).step_by(100) {
            let whole = state(hashes(0..polls));
            let folded = process.fold(&store, "bus", &whole).await.unwrap();
            assert_eq!(folded.parts, folded.appended.values().next().unwrap()[..]);
            most = most.max(folded.parts.len());
            written += folded.parts.len();
            if polls % 5_000 == 0 {
                let other = Pieces::default();
                let read = other.unfold(&store, "bus", folded).await.unwrap();
                assert_eq!(read, whole);
            }
        }
        assert!(most < 1_500, "{most}");
        assert!(written / 200 < 500, "{written}");
        let bytes: u64 = stored(&store).await.iter().map(|(_, size)| size).sum();
        assert!(bytes < 3 * 20_000 * 65, "{bytes}: each entry a few times");
        let files = stored(&store).await.len();
        assert!(files < 200, "{files}");
    }

    #[tokio::test]
    async fn what_repeats_itself_is_cut_as_well() {
        let store = new().await;
        let whole = state(hashes(std::iter::repeat_n(7, 50_000)));
        let folded = Pieces::default().fold(&store, "bus", &whole).await;
        let folded = folded.unwrap();
        assert!(folded.parts.len() < 1_000, "{}", folded.parts.len());
        let read = Pieces::default().unfold(&store, "bus", folded).await;
        assert_eq!(read.unwrap(), whole);
    }

    #[tokio::test]
    async fn a_change_in_the_middle_leaves_the_other_pieces() {
        let store = new().await;
        let process = Pieces::default();
        let mut parts = hashes(0..30_000);
        process
            .fold(&store, "bus", &state(parts.clone()))
            .await
            .unwrap();
        let before = stored(&store).await.len();
        parts.remove(12_345);
        process.fold(&store, "bus", &state(parts)).await.unwrap();
        let new = stored(&store).await.len() - before;
        assert!(new <= 2, "{new}");
    }

    #[tokio::test]
    async fn a_piece_that_is_gone_or_damaged_is_named() {
        let store = new().await;
        let whole = state(hashes(0..2_000));
        let folded = Pieces::default().fold(&store, "bus", &whole).await.unwrap();
        let (piece, _) = stored(&store).await.remove(0);
        let path = object_store::path::Path::parse(&piece).unwrap();
        let mut told = Vec::new();
        for damage in [Some("other"), None] {
            match damage {
                Some(text) => drop(store.put(&path, text.into()).await.unwrap()),
                None => store.delete(&path).await.unwrap(),
            }
            let process = Pieces::default();
            let read = process.unfold(&store, "bus", folded.clone()).await;
            told.push(read.unwrap_err().to_string().replace(&piece, "PIECE"));
        }
        let expected = [
            "PIECE is damaged: it does not hold what its name says",
            "PIECE is damaged: it is gone, though the state of pipeline bus names it",
        ];
        assert_eq!(told, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// However a list grows, shrinks and repeats itself.
        #[test]
        fn a_state_is_read_as_it_was_written(
            steps in prop::collection::vec((0..4_000_u64, 0..3_000_u64, any::<prop::sample::Index>(), any::<bool>()), 1..6),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let store = new().await;
                let process = Pieces::default();
                let mut parts: Vec<String> = Vec::new();
                for (from, count, at, goes) in steps {
                    let at = at.index(parts.len() + 1);
                    if goes {
                        parts.truncate(at);
                    } else {
                        let new = hashes(from..from + count);
                        parts.splice(at..at, new);
                    }
                    let whole = state(parts.clone());
                    let folded = process.fold(&store, "bus", &whole).await.unwrap();
                    for reader in [&process, &Pieces::default()] {
                        let read = reader.unfold(&store, "bus", folded.clone()).await.unwrap();
                        assert_eq!(read, whole);
                    }
                }
            });
        }
    }
}
