//! One table of one run: parts are decoded, mapped, checked and written by several workers at once, then staged as one commit.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;
use sectorlake_contract::{Severity, TableName, system};
use sectorlake_formats::{Part, ReadOptions};
use sectorlake_lake::{
    DataFile, KeySuspects, Load, Manifest, RawZone, Run, StageOptions, Staged, Suspects,
    TableStage, TableWriter, WrittenFiles,
};
use sectorlake_normalise::{
    KeyChecks, MappingError, Normaliser, Profile, Rejection, Rules, Settled, TableSpec,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::aside::Aside;
use super::failure::{internal, of_open};
use super::fix::Fixes;
use super::journal::{Origin, Origins, Recorder};
use super::piece::{Numbers, Piece};
use crate::event::{Event, Progress};
use crate::fixes::Root;
use crate::freshness::{Seen, Sight};
use crate::members;
use crate::pipeline::Pipeline;
use crate::plan::{Feed, TablePlan, WrittenIn};
use crate::result::{Failure, FailureKind, PartResult, TableResult};

/// What all tables of a run share.
pub(super) struct Loader<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) run: &'a Run,
    pub(super) raw: &'a RawZone,
    pub(super) session: SessionContext,
    /// When the run began: what was observed later lies in the future.
    pub(super) started_at: DateTime<Utc>,
    pub(super) read: ReadOptions,
    pub(super) progress: &'a dyn Progress,
    pub(super) aside: &'a Aside,
}

/// A table's result, with that of its parts.
pub(super) struct Loaded {
    pub(super) table: TableResult,
    pub(super) parts: Vec<PartResult>,
    pub(super) staged: Staged,
    /// What the author should know.
    pub(super) notes: Vec<String>,
    /// The newest observations in its rows.
    pub(super) seen: Seen,
}

impl Loader<'_> {
    /// Loads the given parts of each feed into a table, up to its staged commit; `None` where the source has nothing for a table
    /// in which the pipeline has no rows.
    pub(super) async fn load(
        &self,
        plan: &TablePlan,
        (parts, options): (Vec<(&Feed, Manifest)>, StageOptions),
        checks: KeyChecks,
        fixes: &Fixes<'_>,
        recorder: &mut Recorder,
    ) -> Result<Option<Loaded>, Failure> {
        let mut table = TableLoad {
            loader: self,
            plan,
            fixes,
            options,
            stage: None,
            checks,
            recorder,
            writers: Vec::new(),
            origins: Vec::new(),
            parts: Vec::new(),
            known: HashMap::new(),
            compiled: None,
            mapped: 0,
            marked: 0,
            profile: Profile::default(),
            sight: Sight::of(&plan.contract),
            seen: Seen::default(),
        };
        for (feed, manifest) in &parts {
            if let Some(failure) = table.part(feed, manifest).await? {
                let of = (plan, *feed);
                let before = self.run.state();
                self.aside.leave(before, of, manifest, failure)?;
            }
        }
        for feed in &plan.feeds {
            table.corrected(feed).await?;
        }
        // Other loads see new parts alone.
        if plan.load == Load::Replace || table.checks.refused.is_some() {
            members::all_found(plan, &parts, &table.parts)?;
        }
        if table.parts.is_empty() && !self.holds_rows(&plan.contract.name).await? {
            return Ok(None);
        }
        table.settle_waiting().await?;
        table.finish().await.map(Some)
    }

    /// Whether the pipeline has rows in a table already.
    async fn holds_rows(&self, table: &TableName) -> Result<bool, Failure> {
        let Some(known) = self.run.table(table).await? else {
            return Ok(false);
        };
        let own = |file: &&DataFile| {
            let source = file.partition_values.get(system::SOURCE).cloned().flatten();
            source.as_deref() == Some(self.pipeline.name.as_str())
        };
        Ok(known.files.iter().filter(own).any(|file| file.rows > 0))
    }
}

pub(super) struct TableLoad<'a> {
    pub(super) loader: &'a Loader<'a>,
    pub(super) plan: &'a TablePlan,
    pub(super) fixes: &'a Fixes<'a>,
    options: StageOptions,
    /// Begun with the first piece.
    stage: Option<TableStage>,
    pub(super) checks: KeyChecks,
    pub(super) recorder: &'a mut Recorder,
    /// Writers that no worker has at the moment; each fills its file over all parts.
    pub(super) writers: Vec<TableWriter>,
    pub(super) origins: Vec<Origin>,
    pub(super) parts: Vec<PartResult>,
    /// The pieces of the source that were loaded, by stream and what `_part` says.
    pub(super) known: HashMap<(String, String), Root>,
    /// The last mapping that was compiled: the stream, its columns, and what came of it.
    compiled: Option<(String, SchemaRef, Arc<Normaliser>)>,
    pub(super) mapped: u64,
    pub(super) marked: u64,
    /// What stands in the columns that were read and loaded.
    pub(super) profile: Profile,
    /// Where the time of observations stands, and what observed.
    pub(super) sight: Sight,
    pub(super) seen: Seen,
}

impl TableLoad<'_> {
    /// Loads a part; its failure where it is none, or no mapping fits it, so that nothing of it is written.
    async fn part(&mut self, feed: &Feed, manifest: &Manifest) -> Result<Option<Failure>, Failure> {
        let bytes = members::bytes_of(self.loader.raw, manifest);
        let opened = members::open_all(
            &bytes,
            &feed.stream,
            feed.format.as_ref(),
            &self.loader.read,
        );
        let mut pieces = match opened.await {
            Ok(pieces) => pieces,
            Err(error) => return Ok(Some(of_open(error, manifest))),
        };
        let (are_several, mut is_first) = (pieces.are_several(), true);
        while let Some(piece) = pieces.next().await? {
            let part = match &piece.member {
                // Record numbers begin anew in each member, so the member is part of where a row is from.
                Some(member) if are_several => format!("{}!{member}", manifest.hash),
                _ => manifest.hash.clone(),
            };
            let origin = Origin {
                part,
                file: piece.part.name().to_owned(),
                key: manifest.key.clone(),
            };
            let fed = (&self.plan.contract, feed);
            let watch = &mut self.recorder.watch;
            watch.look(fed, &piece.part).await;
            let part_name = piece.member.as_deref().unwrap_or(&manifest.name);
            let normaliser = self.normaliser(feed, &piece.part, &manifest.key, part_name);
            let normaliser = match normaliser.await {
                Err(failure) if is_first => return Ok(Some(failure)),
                normaliser => normaliser?,
            };
            is_first = false;
            let watch = &mut self.recorder.watch;
            watch.reads(fed, &piece.part, &normaliser);
            let root = Root {
                part: piece.part.clone(),
                key: manifest.key.clone(),
                name: part_name.to_owned(),
            };
            let place = (feed.stream.name.clone(), origin.part.clone());
            self.known.insert(place, root);
            let omitted = self
                .fixes
                .corrections
                .omitted(&feed.stream.name, &origin.part);
            let piece = Piece {
                feed,
                manifest,
                origin,
                streams: piece.part.read(&normaliser.projection()),
                omitted: omitted.map(|rows| Arc::new(rows.clone())),
                numbers: match piece.part.numbers_have_gaps() {
                    true => Numbers::Gaps,
                    false => Numbers::Whole,
                },
            };
            self.piece(piece, &normaliser).await?;
        }
        Ok(None)
    }

    pub(super) async fn normaliser(
        &mut self,
        feed: &Feed,
        part: &Part,
        key: &str,
        name: &str,
    ) -> Result<Arc<Normaliser>, Failure> {
        let schema = part.schema();
        if let Some((stream, known, normaliser)) = &self.compiled
            && *stream == feed.stream.name
            && *known == schema
            && !feed.depends_on_part()
        {
            return Ok(Arc::clone(normaliser));
        }
        let spec = TableSpec {
            rules: Rules {
                started_at: self.loader.started_at,
                soft: self.plan.soft.clone(),
            },
            ..feed.spec(&self.plan.contract, key, name)
        };
        let table = self.plan.table.to_string();
        let compiled = Normaliser::compile(&spec, &schema, &self.loader.session).await;
        let normaliser = compiled.map_err(|error| {
            let kind = kind(&error, feed);
            let mut problem = feed.problem(self.loader.pipeline, &table, &error);
            if let Some(drift) = self.recorder.watch.behind(feed, &error) {
                let first = drift.proposal.lines().next().unwrap_or_default();
                problem.help = Some(format!(
                    "{}; {}",
                    drift.message,
                    first.trim_end_matches(':')
                ));
            }
            Failure {
                kind,
                ..Failure::from(problem).in_file(part.name())
            }
        })?;
        self.compiled = Some((feed.stream.name.clone(), schema, Arc::clone(&normaliser)));
        Ok(normaliser)
    }

    async fn stage(&mut self) -> Result<&TableStage, Failure> {
        let stage = match self.stage.take() {
            Some(stage) => stage,
            None => {
                let (run, options) = (self.loader.run, self.options.clone());
                run.stage(&self.plan.contract, self.plan.load, options)
                    .await?
            }
        };
        Ok(self.stage.insert(stage))
    }

    pub(super) async fn writer(&mut self) -> Result<TableWriter, Failure> {
        match self.writers.pop() {
            Some(writer) => Ok(writer),
            None => Ok(self.stage().await?.writer()),
        }
    }

    /// Rows that point into their own table: now that all are seen, they are judged.
    async fn settle_waiting(&mut self) -> Result<(), Failure> {
        let Some(waiting) = self.checks.waiting.take() else {
            return Ok(());
        };
        let (sender, mut settled) = mpsc::channel::<Settled>(1);
        let judge = tokio::task::spawn_blocking(move || {
            waiting.settle(|some| {
                // Nobody receives any more: the run is over.
                let _ = sender.blocking_send(some);
                Ok::<(), sectorlake_normalise::NormaliseError>(())
            })
        });
        let mut writer = self.writer().await?;
        while let Some(some) = settled.recv().await {
            for batch in some.batches {
                writer.write(batch).await?;
            }
            self.refuse(some.rejected).await?;
        }
        self.writers.push(writer);
        judge.await.map_err(|error| internal(error.to_string()))??;
        Ok(())
    }

    async fn refuse(&mut self, rejected: Vec<(String, Rejection)>) -> Result<(), Failure> {
        // The reasons of one row stand together, so rows are told apart by their record.
        let mut rows: Vec<(String, Vec<Rejection>)> = Vec::new();
        for (part, rejection) in rejected {
            match rows.last_mut() {
                Some((known, reasons)) if *known == part && same_row(reasons, &rejection) => {
                    reasons.push(rejection)
                }
                _ => rows.push((part, vec![rejection])),
            }
        }
        for (part, reasons) in rows {
            let Some(index) = self.origins.iter().position(|origin| origin.part == part) else {
                return Err(internal(format!(
                    "a row waited that came from no part: {part}"
                )));
            };
            if reasons
                .iter()
                .any(|reason| reason.severity == Severity::Reject)
            {
                self.parts[index].rejected += 1;
                if let Some((_, log)) = &self.checks.refused {
                    log.add_unkeyed(1);
                }
            } else {
                self.marked += 1;
            }
            self.recorder
                .rejected(&self.plan.contract.name, &self.origins[index], reasons)
                .await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Loaded, Failure> {
        let files = self.close_writers().await?;
        let suspects = self.suspects().await?;
        let order: Vec<String> = self
            .origins
            .iter()
            .map(|origin| origin.part.clone())
            .collect();
        self.stage().await?;
        let notes = self.follow_deletions();
        let staged = self.stage_files(files, suspects, &order).await?;
        let sum = |count: fn(&PartResult) -> u64| self.parts.iter().map(count).sum::<u64>();
        let table = TableResult {
            table: self.plan.contract.name.clone(),
            mapped: sum(|part| part.mapped),
            loaded: staged.loaded,
            unchanged: staged.unchanged,
            superseded: staged.superseded,
            rejected: sum(|part| part.rejected) + staged.rejected,
            broken: sum(|part| part.broken),
            removed: staged.removed_rows,
            revised: staged.revised,
            deleted: staged.deleted,
            marked: self.marked,
        };
        self.recorder.table(&table, self.plan.load, &staged);
        self.recorder
            .profile(&self.plan.contract, &self.profile, &self.origins);
        if !table.balances() {
            return Err(internal(format!(
                "{}: {} mapped rows, but {} loaded, {} unchanged, {} superseded and {} rejected",
                table.table,
                table.mapped,
                table.loaded,
                table.unchanged,
                table.superseded,
                table.rejected
            )));
        }
        let event = Event::Loaded {
            table: table.table.clone(),
            loaded: table.loaded,
            rejected: table.rejected,
        };
        self.loader
            .progress
            .event(&self.loader.pipeline.name, &event);
        Ok(Loaded {
            table,
            parts: self.parts,
            staged,
            notes: notes.into_iter().collect(),
            seen: self.seen,
        })
    }

    /// Lets rows go that the source has no more; unless it cannot be known which: then this is told.
    fn follow_deletions(&mut self) -> Option<String> {
        let ((_, log), stage) = (self.checks.refused.as_ref()?, self.stage.as_mut()?);
        let refused = log.take();
        // A key hashes otherwise once its type has changed.
        let unkeyed = match stage.keeps_types() {
            true => refused.unkeyed,
            false => refused.unkeyed + refused.hashes.len() as u64,
        };
        if unkeyed == 0 {
            stage.follow_deletions(refused.hashes.into_iter().collect());
            return None;
        }
        let why = if unkeyed == 1 {
            "1 row was refused and has no key, so it may be one that seems to be gone".to_owned()
        } else {
            format!(
                "{unkeyed} rows were refused and have no key, so they may be among those that seem to be gone"
            )
        };
        Some(format!(
            "{}: deletions are not followed in this run: {why}",
            self.plan.contract.name
        ))
    }

    /// Stages the files, and takes in the rows that are refused for their key as they are found: there may be many.
    async fn stage_files(
        &mut self,
        files: Vec<WrittenFiles>,
        suspects: Suspects,
        order: &[String],
    ) -> Result<Staged, Failure> {
        let Some(stage) = &self.stage else {
            return Err(internal("there is no stage to finish"));
        };
        let (sender, mut told) = mpsc::channel(1);
        let finishing = async {
            let staged = stage.finish_into(files, Some(suspects), order, sender);
            Ok::<_, Failure>(staged.await?)
        };
        let (recorder, origins) = (&mut *self.recorder, Origins::of(&self.origins));
        let table = &self.plan.contract.name;
        let telling = async {
            while let Some(some) = told.recv().await {
                recorder.duplicates(table, &origins, some).await?;
            }
            Ok::<_, Failure>(())
        };
        let (staged, ()) = futures::try_join!(finishing, telling)?;
        Ok(staged)
    }

    async fn close_writers(&mut self) -> Result<Vec<WrittenFiles>, Failure> {
        let mut closing = JoinSet::new();
        for writer in self.writers.drain(..) {
            closing.spawn(writer.close());
        }
        let mut files = Vec::new();
        while let Some(closed) = closing.join_next().await {
            files.push(closed.map_err(|error| internal(error.to_string()))??);
        }
        Ok(files)
    }

    async fn suspects(&self) -> Result<Suspects, Failure> {
        let logs = self.checks.unique.clone();
        let keys = tokio::task::spawn_blocking(move || {
            let keys = logs.into_iter().map(|(fields, log)| {
                let hashes = log.repeated()?.into_iter().collect();
                Ok(KeySuspects { fields, hashes })
            });
            keys.collect::<Result<Vec<_>, sectorlake_normalise::NormaliseError>>()
        });
        Ok(Suspects {
            keys: keys.await.map_err(|error| internal(error.to_string()))??,
        })
    }
}

/// A column that the source lacks is the data's fault as likely as the mapping's: the file ran before, and has changed.
fn kind(error: &MappingError, feed: &Feed) -> FailureKind {
    match error {
        MappingError::NoColumn { .. } => FailureKind::Data,
        MappingError::MissingField { .. } if feed.written_in == WrittenIn::Nowhere => {
            FailureKind::Data
        }
        _ => FailureKind::Usage,
    }
}

fn same_row(reasons: &[Rejection], rejection: &Rejection) -> bool {
    reasons
        .last()
        .is_some_and(|last| match (&last.record, &rejection.record) {
            (Some(known), Some(record)) => Arc::ptr_eq(known, record),
            _ => false,
        })
}
