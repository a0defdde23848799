//! What a run leaves in the journal: that it ran, what became of tables and parts, and every row that was not loaded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sectorlake_contract::{Contract, Severity, TableName};
use sectorlake_lake::journal::{
    DriftRow, FixRow, ProfileRow, RejectedRow, RunPartRow, RunRow, RunTableRow,
};
use sectorlake_lake::{
    Access, DuplicateKey, Env, Journal, JournalWriter, KeyHolder, Lake, Load, Manifest, Run, Staged,
};
use sectorlake_normalise::{Profile, Rejection};

use super::profile::profile_rows;

use super::watch::Watch;
use crate::drift::Drift;
use crate::file::OnDrift;
use crate::masks::Masks;
use crate::on_reject::RuleCounts;
use crate::result::{Failure, Outcome, PartResult, RunResult, TableResult};

/// A piece of a part as rejected rows name it.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// What `_part` of its rows says.
    pub(super) part: String,
    /// The file as people know it, with `!member`.
    pub(super) file: String,
    /// The URL or path it was fetched from.
    pub(super) key: String,
}

/// Origins by what `_part` says.
pub(super) struct Origins<'a>(HashMap<&'a str, &'a Origin>);

impl<'a> Origins<'a> {
    pub(super) fn of(origins: &'a [Origin]) -> Self {
        let by_part = origins.iter().map(|origin| (origin.part.as_str(), origin));
        Self(by_part.collect())
    }

    fn find(&self, part: &str) -> Option<&'a Origin> {
        self.0.get(part).copied()
    }
}

/// The journal of one run.
pub(super) struct Recorder {
    journal: Journal,
    run: String,
    pipeline: String,
    access: Access,
    /// What the run looks at beside its work.
    pub(super) watch: Watch,
    rejected: JournalWriter<RejectedRow>,
    tables: Vec<RunTableRow>,
    parts: Vec<RunPartRow>,
    fixes: Vec<FixRow>,
    profiles: Vec<ProfileRow>,
    /// By the part of a correction, the rows that were rejected.
    refused: HashMap<String, HashSet<i64>>,
    /// How often each rule was broken, by table.
    rules: HashMap<TableName, RuleCounts>,
    /// The personal fields of each table.
    masks: HashMap<TableName, Masks>,
    /// The last rejection's row and record, to count the reasons of one row.
    last: Option<(i64, Option<Arc<str>>)>,
    reason: u32,
    /// The rules that the row broke so far.
    broken: Vec<&'static str>,
}

impl Recorder {
    pub(super) fn new(
        lake: &Lake,
        run: &Run,
        pipeline: &str,
        (access, watch): (Access, Watch),
    ) -> Self {
        let journal = lake.journal();
        Self {
            watch,
            rejected: journal.writer(run.id(), access),
            journal,
            run: run.id().to_owned(),
            pipeline: pipeline.to_owned(),
            access,
            tables: Vec::new(),
            parts: Vec::new(),
            fixes: Vec::new(),
            profiles: Vec::new(),
            refused: HashMap::new(),
            rules: HashMap::new(),
            masks: HashMap::new(),
            last: None,
            reason: 0,
            broken: Vec::new(),
        }
    }

    /// Keeps what was rejected of one batch. The reasons of one row stand together.
    pub(super) async fn rejected(
        &mut self,
        table: &TableName,
        origin: &Origin,
        rejections: Vec<Rejection>,
    ) -> Result<(), Failure> {
        self.last = None;
        for rejection in rejections {
            self.count_reason(&rejection);
            if rejection.severity == Severity::Reject
                && let Some(refused) = self.refused.get_mut(&origin.part)
            {
                refused.insert(rejection.row);
            }
            let again = self.broken.contains(&rejection.rule);
            let counts = self.rules.entry(table.clone()).or_default();
            counts.add(rejection.field.as_deref(), rejection.rule, again);
            self.broken.push(rejection.rule);
            let mut row = RejectedRow {
                run: self.run.clone(),
                pipeline: self.pipeline.clone(),
                table: table.clone(),
                part: origin.part.clone(),
                file: origin.file.clone(),
                key: origin.key.clone(),
                row: rejection.row,
                reason: self.reason,
                mapped: rejection.rule != "record",
                field: rejection.field,
                rule: rejection.rule.to_owned(),
                severity: rejection.severity.word(),
                value: rejection.value,
                message: rejection.message,
                record: rejection.record.map(|record| record.to_string()),
            };
            self.mask(&mut row);
            self.watch.reject(&row);
            self.rejected.push(row).await?;
        }
        Ok(())
    }

    /// Values of these fields are told nowhere.
    pub(super) fn masked(&mut self, contract: &Contract) {
        self.masks
            .insert(contract.name.clone(), Masks::of(contract));
    }

    fn mask(&self, row: &mut RejectedRow) {
        if let Some(masks) = self.masks.get(&row.table) {
            masks.row(row);
        }
    }

    fn count_reason(&mut self, rejection: &Rejection) {
        let same = |known: &Option<Arc<str>>| match (known, &rejection.record) {
            (Some(known), Some(record)) => Arc::ptr_eq(known, record),
            _ => false,
        };
        let goes_on = self
            .last
            .as_ref()
            .is_some_and(|(row, record)| *row == rejection.row && same(record));
        self.reason = if goes_on { self.reason + 1 } else { 1 };
        if !goes_on {
            self.broken.clear();
        }
        self.last = Some((rejection.row, rejection.record.clone()));
    }

    /// Keeps the rows that lost against another of their key.
    pub(super) async fn duplicates(
        &mut self,
        table: &TableName,
        origins: &Origins<'_>,
        duplicates: Vec<DuplicateKey>,
    ) -> Result<(), Failure> {
        for duplicate in duplicates {
            let origin = origins.find(&duplicate.part);
            let message = holds(&duplicate, origins);
            if let Some(refused) = self.refused.get_mut(&duplicate.part) {
                refused.insert(duplicate.row);
            }
            let counts = self.rules.entry(table.clone()).or_default();
            counts.add(Some(&duplicate.fields.join(", ")), duplicate.rule, false);
            let mut row = RejectedRow {
                run: self.run.clone(),
                pipeline: self.pipeline.clone(),
                table: table.clone(),
                file: origin.map_or_else(String::new, |origin| origin.file.clone()),
                key: origin.map_or_else(String::new, |origin| origin.key.clone()),
                part: duplicate.part,
                row: duplicate.row,
                reason: 1,
                mapped: true,
                field: Some(duplicate.fields.join(", ")),
                rule: duplicate.rule.to_owned(),
                severity: Severity::Reject.word(),
                message,
                value: Some(duplicate.key),
                record: duplicate.record,
            };
            self.mask(&mut row);
            self.watch.reject(&row);
            self.rejected.push(row).await?;
        }
        Ok(())
    }

    /// Remembers from now on which rows of a part are rejected: it is a correction.
    pub(super) fn watch_fix(&mut self, part: &str) {
        self.refused.entry(part.to_owned()).or_default();
    }

    /// Whether a row of a correction was rejected.
    pub(super) fn was_rejected(&self, part: &str, row: i64) -> bool {
        let refused = self.refused.get(part);
        refused.is_some_and(|rows| rows.contains(&row))
    }

    /// Keeps what became of a correction; `make` is given run and pipeline.
    pub(super) fn fix(&mut self, make: impl FnOnce(String, String) -> FixRow) {
        let row = make(self.run.clone(), self.pipeline.clone());
        self.fixes.push(row);
    }

    /// Keeps what stood in the columns of a table.
    pub(super) fn profile(&mut self, contract: &Contract, profile: &Profile, origins: &[Origin]) {
        let files: Vec<&str> = origins.iter().map(|origin| origin.file.as_str()).collect();
        let of = (self.run.as_str(), self.pipeline.as_str());
        self.profiles
            .extend(profile_rows(of, contract, profile, &files));
    }

    /// How often each rule was broken in a table.
    pub(super) fn rules(&self, table: &TableName) -> RuleCounts {
        self.rules.get(table).cloned().unwrap_or_default()
    }

    pub(super) fn table(&mut self, result: &TableResult, load: Load, staged: &Staged) {
        self.tables.push(RunTableRow {
            run: self.run.clone(),
            pipeline: self.pipeline.clone(),
            table: result.table.clone(),
            load: load.word(),
            mapped: result.mapped,
            loaded: result.loaded,
            unchanged: result.unchanged,
            superseded: result.superseded,
            rejected: result.rejected,
            removed: result.removed,
            previous_rows: staged.previous_rows,
            revised: Some(result.revised),
            deleted: Some(result.deleted),
            version: staged.version,
        });
    }

    pub(super) fn part(&mut self, result: &PartResult, manifest: &Manifest) {
        self.parts.push(RunPartRow {
            run: self.run.clone(),
            pipeline: self.pipeline.clone(),
            unit: manifest.unit.clone(),
            stream: result.stream.clone(),
            part: result.part.clone(),
            name: result.name.clone(),
            key: manifest.key.clone(),
            bytes: manifest.size,
            fetched_at: manifest.fetched_at,
            table: result.table.clone(),
            records: result.records,
            decoded: result.decoded,
            broken: result.broken,
            filtered: result.filtered,
            mapped: result.mapped,
            rejected: result.rejected,
            fixed: result.fixed,
        });
    }

    /// Keeps how the source has changed, and gives the log a line for each change.
    pub(super) async fn drift(&self, drifts: &[Drift], action: OnDrift) -> Result<(), Failure> {
        let row = |drift: &Drift| DriftRow {
            run: self.run.clone(),
            pipeline: self.pipeline.clone(),
            stream: drift.stream.clone(),
            table: drift.table.clone(),
            kind: drift.kind.word(),
            column: drift.column.clone(),
            before: drift.before.clone(),
            now: drift.now.clone(),
            used: drift.used,
            action: action.word(),
            message: drift.message.clone(),
            proposal: drift.proposal.clone(),
        };
        for drift in drifts {
            tracing::warn!(
                pipeline = self.pipeline,
                stream = drift.stream,
                kind = drift.kind.word(),
                column = drift.column,
                "the source has changed: {drift}"
            );
        }
        let rows = drifts.iter().map(row).collect();
        Ok(self.journal.write(&self.run, self.access, rows).await?)
    }

    /// Closes what was written. Also of a run that fails: its rejected rows say why.
    pub(super) async fn close(self) -> Result<(), Failure> {
        self.rejected.close().await?;
        self.journal
            .write(&self.run, self.access, self.tables)
            .await?;
        self.journal
            .write(&self.run, self.access, self.parts)
            .await?;
        self.journal
            .write(&self.run, self.access, self.fixes)
            .await?;
        self.journal
            .write(&self.run, self.access, self.profiles)
            .await?;
        Ok(())
    }
}

/// Which row has the key that a refused one repeats.
fn holds(duplicate: &DuplicateKey, origins: &Origins<'_>) -> String {
    let key = duplicate.fields.join(", ");
    let has = format!("has the same {key} \"{}\"", duplicate.key);
    match &duplicate.holder {
        KeyHolder::ThisRun { part, row } if *part == duplicate.part => format!("row {row} {has}"),
        KeyHolder::ThisRun { part, row } => match origins.find(part) {
            Some(origin) => format!("{} row {row} {has}", origin.file),
            None => format!("another row {has}"),
        },
        KeyHolder::EarlierRun => format!("a row of an earlier run {has}"),
        KeyHolder::OtherSource => format!("a row of another pipeline {has}"),
    }
}

/// That a run began.
pub(super) async fn started(
    lake: &Lake,
    env: &Env,
    run: &Run,
    pipeline: &str,
) -> Result<RunRow, Failure> {
    let row = RunRow {
        run: run.id().to_owned(),
        pipeline: pipeline.to_owned(),
        outcome: "started",
        started_at: env.clock.now(),
        finished_at: None,
        host: env.host.clone(),
        snapshot: None,
        parts: None,
        bytes: None,
        message: None,
    };
    lake.journal()
        .write(run.id(), Access::Open, vec![row.clone()])
        .await?;
    Ok(row)
}

/// How it ended. The run is over: that the journal cannot be written is told, and changes nothing.
pub(super) async fn finished(lake: &Lake, env: &Env, started: RunRow, result: &RunResult) {
    let (outcome, snapshot, message) = match &result.outcome {
        Outcome::Published { snapshot } => ("published", Some(*snapshot), None),
        Outcome::Unchanged => ("unchanged", None, None),
        Outcome::Failed(failure) => ("failed", None, Some(failure.to_string())),
    };
    let run = started.run.clone();
    let row = RunRow {
        outcome,
        finished_at: Some(env.clock.now()),
        snapshot,
        parts: Some(result.fetched.parts),
        bytes: Some(result.fetched.bytes),
        message,
        ..started
    };
    if let Err(error) = lake.journal().write(&run, Access::Open, vec![row]).await {
        tracing::warn!(run, %error, "the journal does not say how the run ended");
    }
}
