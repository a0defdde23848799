//! One piece of a part on its way into a table, by several workers at once.

use std::collections::HashSet;
use std::sync::Arc;

use sectorlake_lake::Manifest;
use sectorlake_normalise::{NormaliseError, Normaliser};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::failure::internal;
use super::journal::Origin;
use super::load::TableLoad;
use super::work::{Partition, Records, Report, Worked, add, work};
use crate::event::Event;
use crate::fixes::UNIT;
use crate::freshness::latest;
use crate::plan::Feed;
use crate::result::{Failure, PartResult};

/// Reports of workers that wait to be taken in: rejected rows are written no faster than they are found.
const REPORTS_MAX: usize = 16;

/// Records to be loaded.
pub(super) struct Piece<'a> {
    pub(super) feed: &'a Feed,
    pub(super) manifest: &'a Manifest,
    pub(super) origin: Origin,
    pub(super) streams: Vec<Records>,
    /// Records that corrections stand for.
    pub(super) omitted: Option<Arc<HashSet<i64>>>,
    pub(super) numbers: Numbers,
}

/// How records are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// From 1 on, without gaps: the greatest says how many there are.
    Whole,
    /// With gaps: those that come are counted.
    Gaps,
}

/// What workers tell while they work, and what they give back.
type Workers = (JoinSet<Result<Worked, Failure>>, mpsc::Receiver<Report>);

impl TableLoad<'_> {
    /// Runs all partitions of one piece, and takes in what they tell.
    pub(super) async fn piece(
        &mut self,
        piece: Piece<'_>,
        normaliser: &Arc<Normaliser>,
    ) -> Result<(), Failure> {
        let Piece { feed, origin, .. } = &piece;
        let table = &self.plan.contract.name;
        let mut result = PartResult::new(table, &feed.stream.name, &origin.part, &origin.file);
        result.is_fix = piece.manifest.unit == UNIT;
        let origin = origin.clone();
        let from = sectorlake_normalise::Origin {
            run: self.loader.run.id().to_owned(),
            part: origin.part.clone(),
            number: u32::try_from(self.origins.len()).unwrap_or(u32::MAX),
        };
        // Corrections are not the source's.
        let watch = &mut self.recorder.watch;
        let stream = &feed.stream.name;
        let file = (!result.is_fix).then(|| watch.file(stream, &origin.file));
        let records = (piece.streams, piece.omitted);
        let (mut workers, mut reports) = self.workers(records, &from, normaliser).await?;
        loop {
            tokio::select! {
                biased;
                Some(report) = reports.recv() => {
                    add(&mut result, &report);
                    self.recorder.watch.after(table, report.shown);
                    self.marked += report.counts.marked;
                    self.recorder.rejected(table, &origin, report.rejected).await?;
                    let rows = self.mapped + result.mapped;
                    self.loader.progress.event(&self.loader.pipeline.name, &Event::Loading { table: table.clone(), part: origin.file.clone(), rows });
                }
                // A worker that fails ends all: dropping the set aborts the others.
                Some(ended) = workers.join_next() => {
                    let (writer, profile, seen) = ended.map_err(|error| internal(error.to_string()))??;
                    if let Some(file) = file {
                        self.recorder.watch.loaded(stream, table, file, &profile);
                    }
                    self.profile.merge(&profile);
                    self.seen.merge(seen);
                    self.writers.push(writer);
                }
                else => break,
            }
        }
        balance(&mut result, piece.numbers)?;
        self.mapped += result.mapped;
        self.recorder.part(&result, piece.manifest);
        self.parts.push(result);
        self.origins.push(origin);
        Ok(())
    }

    /// Sets a worker on each partition of the records, less those that corrections stand for.
    async fn workers(
        &mut self,
        (streams, omitted): (Vec<Records>, Option<Arc<HashSet<i64>>>),
        from: &sectorlake_normalise::Origin,
        normaliser: &Arc<Normaliser>,
    ) -> Result<Workers, Failure> {
        let (sender, reports) = mpsc::channel(REPORTS_MAX);
        let mut workers = JoinSet::new();
        for records in streams {
            let worker = normaliser
                .worker(from, &self.checks)
                .await
                .map_err(NormaliseError::from)?;
            let partition = Partition {
                records,
                worker,
                omitted: omitted.clone(),
                shown_max: self.recorder.watch.rows(),
                sight: (self.sight.clone(), latest(self.loader.started_at)),
            };
            let writer = self.writer().await?;
            workers.spawn(work(partition, writer, sender.clone()));
        }
        Ok((workers, reports))
    }
}

fn balance(result: &mut PartResult, numbers: Numbers) -> Result<(), Failure> {
    let seen = result.decoded + result.broken + result.fixed;
    if numbers == Numbers::Gaps {
        result.records = seen;
    }
    if result.records == seen {
        return Ok(());
    }
    Err(internal(format!(
        "{}: {} records, but {} decoded, {} broken and {} fixed",
        result.name, result.records, result.decoded, result.broken, result.fixed
    )))
}
