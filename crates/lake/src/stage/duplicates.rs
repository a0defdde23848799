//! Rows that are rejected for their key, on their way to whoever tells of them.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::plan::Plan;
use super::read::Reader;
use super::{DuplicateKey, TableStage, texts};
use crate::error::LakeError;
use crate::settle::{Loser, Place};

/// Rows that wait to be told in full; those after them are told at once, without what they say.
const HELD_MAX: usize = 50_000;
/// Rows that are told together.
const TOLD_TOGETHER: usize = 8192;

/// However many there are, a bounded number of them is held.
#[derive(Debug)]
pub(crate) struct Duplicates<'a> {
    told_to: &'a mpsc::Sender<Vec<DuplicateKey>>,
    held: Vec<DuplicateKey>,
    /// Where each of those held was written.
    places: Vec<Place>,
    count: u64,
}

impl<'a> Duplicates<'a> {
    pub(crate) fn new(told_to: &'a mpsc::Sender<Vec<DuplicateKey>>) -> Self {
        Self {
            told_to,
            held: Vec::new(),
            places: Vec::new(),
            count: 0,
        }
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Takes rows that lost by a key.
    pub(crate) async fn take(
        &mut self,
        fields: &Arc<[String]>,
        rule: &'static str,
        losers: Vec<Loser>,
    ) -> Result<(), LakeError> {
        let mut at_once = Vec::new();
        self.count += losers.len() as u64;
        for loser in losers {
            let duplicate = DuplicateKey {
                part: loser.part,
                row: loser.row,
                fields: Arc::clone(fields),
                key: loser.key,
                rule,
                holder: loser.holder,
                record: None,
            };
            if self.held.len() < HELD_MAX {
                self.places.push(loser.place);
                self.held.push(duplicate);
            } else {
                at_once.push(duplicate);
            }
        }
        self.tell(at_once).await
    }

    /// Gives the rows that wait what they say, as long as there is room for it, and tells of them.
    pub(super) async fn tell_in_full(
        &mut self,
        stage: &TableStage,
        reader: &Reader,
        plan: &Plan,
    ) -> Result<(), LakeError> {
        let by_place: HashMap<Place, usize> = self.places.drain(..).zip(0..).collect();
        let mut held = std::mem::take(&mut self.held);
        let mut room = stage.options.record_bytes_max;
        let places = by_place.keys().copied();
        texts::for_each(stage, reader, plan, places, |place, text| {
            let duplicate = by_place.get(&place).and_then(|at| held.get_mut(*at));
            if let Some(duplicate) = duplicate
                && let Some(left) = room.checked_sub(text.row.len())
            {
                room = left;
                duplicate.record = Some(text.row);
            }
        })
        .await?;
        let mut held = held.into_iter();
        loop {
            let together: Vec<_> = held.by_ref().take(TOLD_TOGETHER).collect();
            if together.is_empty() {
                return Ok(());
            }
            self.tell(together).await?;
        }
    }

    async fn tell(&self, duplicates: Vec<DuplicateKey>) -> Result<(), LakeError> {
        if duplicates.is_empty() {
            return Ok(());
        }
        let told = self.told_to.send(duplicates).await;
        told.map_err(|_| LakeError::Cancelled {
            action: "tell of",
            path: "rows with a repeated key".to_owned(),
        })
    }
}
