//! Published rows that a changed mapping, or the source itself, no longer gives.
//!
//! In a merge rows stay until another comes for their key. That is right as long as the rules stay: the source may show each row but
//! once. Once the mapping has changed and parts are mapped again, a row whose very part gives no row of its key any more is a row of
//! the old mapping: it goes, as it would not be there had the table been made by the new one. A row of a part that is not mapped
//! again, since the source has it no more, stays; how many there are is told.
//!
//! Where deletions are followed, all that the source has came in this run, so that every other row is one that it has removed.

use std::collections::HashSet;

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use sectorlake_contract::system;

use super::TableStage;
use super::plan::Plan;
use super::read::{FileRef, Reader};
use super::suspects::HASHES_MAX;
use crate::error::LakeError;
use crate::keys::{KeyHashes, for_each_hash, row_hashes};
use crate::settle::{Positions, Side};

/// Published rows of this source whose key no new row has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Vanished {
    /// Of parts that were mapped again: they go.
    pub(super) gone: u64,
    /// Of others: they stay.
    pub(super) kept: u64,
}

/// Which rows go, of those whose key no new row has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// Those of parts that were mapped again.
    OfParts(&'a HashSet<String>),
    /// All but those with one of these keys: their new row came, and was refused.
    AllBut(&'a KeyHashes),
}

/// Takes the rows away. The hashes of the new keys are held a share at a time.
pub(super) async fn take_away(
    stage: &TableStage,
    reader: &Reader,
    plan: &mut Plan,
    which: Which<'_>,
) -> Result<Vanished, LakeError> {
    let file = |number: &usize| plan.entries[*number].file.clone();
    let new: Vec<FileRef> = plan.numbers(Side::New).iter().map(file).collect();
    let rows: u64 = new.iter().map(|file| file.rows).sum();
    let passes = rows.div_ceil(HASHES_MAX).max(1);
    let key = &stage.contract.primary_key;
    let mut vanished = Vanished::default();
    for pass in 0..passes {
        let is_ours = |hash: u64| hash % passes == pass;
        let mut coming = KeyHashes::default();
        for_each_hash(reader, &new, key, |hash| {
            if is_ours(hash) {
                coming.insert(hash);
            }
        })
        .await?;
        for number in plan.numbers(Side::Own) {
            let entry = &plan.entries[number];
            let wanted = |hash: u64| is_ours(hash) && !coming.contains(&hash);
            let search = Search { reader, key, which };
            let (gone, kept) = search.look(&entry.file, &entry.dropped, wanted).await?;
            vanished.gone += gone.len();
            vanished.kept += kept;
            plan.entries[number].dropped.extend(&gone);
        }
    }
    Ok(vanished)
}

/// What rows are looked for by.
struct Search<'a> {
    reader: &'a Reader,
    key: &'a [String],
    which: Which<'a>,
}

impl Search<'_> {
    /// The rows of a file with a wanted key that go, and how many stay.
    async fn look(
        &self,
        file: &FileRef,
        dropped: &Positions,
        wanted: impl Fn(u64) -> bool,
    ) -> Result<(Positions, u64), LakeError> {
        let columns: Vec<String> = self
            .key
            .iter()
            .cloned()
            .chain([system::PART.to_owned()])
            .collect();
        let mut batches = self.reader.read(file, &columns).await?;
        let (mut gone, mut kept, mut position) = (Positions::default(), 0, 0);
        while let Some(batch) = batches.try_next().await? {
            for (hash, goes) in self.rows(&batch)? {
                // A row without a key is none that could come again.
                if hash.is_some_and(&wanted) && !dropped.contains(position) {
                    if goes {
                        gone.insert(position);
                    } else {
                        kept += 1;
                    }
                }
                position += 1;
            }
        }
        Ok((gone, kept))
    }

    /// The hash of each row's key, and whether it goes unless it came.
    fn rows(&self, batch: &RecordBatch) -> Result<Vec<(Option<u64>, bool)>, LakeError> {
        let (parts, keys) = (
            batch.column(self.key.len()),
            &batch.columns()[..self.key.len()],
        );
        let hashes = row_hashes(keys).map_err(|error| self.reader.arrow(error))?;
        let parts = parts.as_string::<i32>().iter();
        let rows = hashes.zip(parts).map(|(hash, part)| {
            let goes = match self.which {
                Which::OfParts(again) => {
                    // A member of an archive is named behind the archive's hash.
                    let part = part.unwrap_or_default();
                    let whole = part.split_once('!').map_or(part, |(whole, _)| whole);
                    again.contains(whole)
                }
                Which::AllBut(refused) => hash.is_none_or(|hash| !refused.contains(&hash)),
            };
            (hash, goes)
        });
        Ok(rows.collect())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;
    use std::sync::Arc;

    use crate::stage::Load;
    use crate::stage::fixture::{Loading, lake, row, values};

    /// A merge of rows under other rules: the parts of these hashes are mapped again.
    fn again(parts: &[&str]) -> Loading {
        let mut loading = Loading::of(Load::Merge);
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        loading.options.mapped_again = Some(Arc::new(parts));
        loading
    }

    fn map(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
        let pairs = pairs.iter();
        pairs
            .map(|(id, value)| ((*id).to_owned(), *value))
            .collect()
    }

    #[tokio::test]
    async fn rows_go_whose_part_gives_them_no_more() {
        let lake = lake().await;
        let merge = Loading::of(Load::Merge);
        let first = vec![
            row("a", 1, "p1", 1),
            row("b", 2, "p1", 2),
            row("c", 3, "p1", 3),
        ];
        let member = vec![row("d", 4, "p2!x.csv", 1), row("e", 5, "p2!x.csv", 2)];
        let other = vec![row("z", 6, "p1", 1)];
        merge.run(&lake, "bus", &[first, member]).await.unwrap();
        merge
            .run(&lake, "bus", &[vec![row("old", 9, "p0", 1)]])
            .await
            .unwrap();
        merge.run(&lake, "tram", &[other]).await.unwrap();
        // The source has p0 no more; the mapping leaves out b, c and d, and gives a and e, e with another value.
        let rows = vec![row("a", 1, "p1", 1), row("e", 7, "p2!x.csv", 2)];
        let (staged, _) = again(&["p1", "p2"])
            .run(&lake, "bus", &[rows])
            .await
            .unwrap();
        assert_eq!((staged.vanished, staged.not_mapped_again), (3, 1));
        assert_eq!((staged.unchanged, staged.revised, staged.loaded), (1, 1, 1));
        assert_eq!((staged.removed_rows, staged.previous_rows), (4, 6));
        assert_eq!(
            values(&lake, "bus").await,
            map(&[("a", 1), ("e", 7), ("old", 9)])
        );
        assert_eq!(values(&lake, "tram").await, map(&[("z", 6)]));
        // Without a changed mapping nothing goes.
        let (staged, _) = merge
            .run(&lake, "bus", &[vec![row("f", 1, "p3", 1)]])
            .await
            .unwrap();
        assert_eq!((staged.vanished, staged.not_mapped_again), (0, 0));
        assert_eq!(values(&lake, "bus").await.len(), 4);
    }

    #[tokio::test]
    async fn rows_go_that_the_source_has_no_more() {
        let lake = lake().await;
        let merge = Loading::of(Load::Merge);
        let first = ["a", "b", "c", "d"].map(|id| row(id, 1, "p1", 1)).to_vec();
        merge.run(&lake, "bus", &[first]).await.unwrap();
        merge
            .run(&lake, "tram", &[vec![row("z", 6, "p1", 1)]])
            .await
            .unwrap();
        // Of d a row came, and was refused: what was published of it stays.
        let mut follow = Loading::of(Load::Merge);
        follow.refused = Some(vec!["d"]);
        let rows = vec![row("a", 1, "p2", 1), row("b", 2, "p2", 2)];
        let (staged, _) = follow.run(&lake, "bus", &[rows]).await.unwrap();
        assert_eq!((staged.deleted, staged.vanished, staged.revised), (1, 0, 1));
        assert_eq!(staged.removed_rows, 2);
        assert_eq!(
            values(&lake, "bus").await,
            map(&[("a", 1), ("b", 2), ("d", 1)])
        );
        assert_eq!(values(&lake, "tram").await, map(&[("z", 6)]));
        // The source is empty.
        follow.refused = Some(Vec::new());
        let (staged, _) = follow.run(&lake, "bus", &[vec![]]).await.unwrap();
        assert_eq!(staged.deleted, 3);
        assert_eq!(values(&lake, "bus").await, map(&[]));
    }

    #[tokio::test]
    async fn a_mapping_that_gives_nothing_leaves_nothing_of_its_parts() {
        let lake = lake().await;
        let merge = Loading::of(Load::Merge);
        merge
            .run(&lake, "bus", &[vec![row("a", 1, "p1", 1)]])
            .await
            .unwrap();
        let (staged, _) = again(&["p1"]).run(&lake, "bus", &[vec![]]).await.unwrap();
        assert_eq!(
            (staged.vanished, staged.removed_rows, staged.loaded),
            (1, 1, 0)
        );
        assert_eq!(values(&lake, "bus").await, map(&[]));
    }
}
