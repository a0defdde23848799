//! What a run would do: filled by the very code of a run, over a lake that keeps every write apart.

use arrow::record_batch::RecordBatch;
use sectorlake_connector::{Environment, Http, Registry};
use sectorlake_contract::{Change, TableName};
use sectorlake_formats::Choice;
use sectorlake_lake::{Env, Lake};
use tempfile::TempDir;

use crate::event::Silent;
use crate::masks::{self, Masks};
use crate::project::Project;
use crate::result::{Failure, FailureKind, RunResult};
use crate::run::{RunContext, run};

/// How a run is tried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialOptions {
    /// Rows that are shown of each table, before and after, and samples of each broken rule.
    pub rows: usize,
}

/// What a trial saw of one run.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// What would be taken from the source.
    pub parts: Vec<TrialPart>,
    /// The tables, in the order in which they would be filled.
    pub tables: Vec<TrialTable>,
}

/// A part that a run would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialPart {
    /// Its file name.
    pub name: String,
    /// The URL or path.
    pub key: String,
    /// Its bytes.
    pub bytes: u64,
    /// Whether it would be fetched; else it lies in the lake as it is.
    pub is_fetched: bool,
}

/// What would become of a table.
#[derive(Debug, Clone)]
pub struct TrialTable {
    /// The table.
    pub table: TableName,
    /// `replace`, `append` or `merge`.
    pub load: &'static str,
    /// Whether the table would be made.
    pub is_new: bool,
    /// What the contract changes of the table as it is stored.
    pub changes: Vec<Change>,
    /// What feeds it.
    pub sources: Vec<TrialSource>,
    /// The first rows as they would be loaded.
    pub after: Option<RecordBatch>,
    /// Rules that rows break.
    pub rejected: Vec<TrialRejection>,
}

/// One stream on its way into a table.
#[derive(Debug, Clone)]
pub struct TrialSource {
    /// The stream.
    pub stream: String,
    /// The first file of it.
    pub file: String,
    /// How it is read, as `format:` would say it.
    pub format: serde_json::Value,
    /// What was chosen, and why.
    pub choices: Vec<Choice>,
    /// The columns, and what the first records hold in each; which of them the mapping reads.
    pub columns: Vec<TrialColumn>,
    /// The mapping's SQL; none: columns are taken by name.
    pub mapping: Option<String>,
    /// Whether the mapping is the connector's own.
    pub by_connector: bool,
    /// The first records as they came.
    pub before: Option<RecordBatch>,
}

/// A column of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialColumn {
    /// Its name.
    pub name: String,
    /// What its values look like.
    pub shape: &'static str,
    /// Kinds of values that are mixed in it, where they are.
    pub mixture: Option<String>,
    /// Whether the mapping reads it.
    pub used: bool,
    /// The fields that are made of it alone.
    pub(crate) feeds: Vec<String>,
}

/// A rule that rows break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialRejection {
    /// The field; none for a whole record.
    pub field: Option<String>,
    /// The rule.
    pub rule: String,
    /// Whether such rows are loaded all the same.
    pub is_soft: bool,
    /// How often it is broken.
    pub count: u64,
    /// The first rows that break it.
    pub samples: Vec<TrialSample>,
}

/// A row that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialSample {
    /// The file.
    pub file: String,
    /// The record's number.
    pub row: i64,
    /// The value.
    pub value: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// What a trial is handed from outside.
pub struct TryOut {
    /// The project.
    pub project: Project,
    /// The connectors.
    pub registry: Registry,
    /// Where the lake is; it need not be there.
    pub lake: String,
    /// The clock and this host.
    pub env: Env,
    /// The polite client.
    pub http: Http,
    /// Environment variables, for secrets.
    pub environment: Environment,
    /// What is shown.
    pub options: TrialOptions,
}

/// Runs pipelines without writing anything where project and lake are: the very code of a run works on a lake that keeps
/// every write in a folder of its own, which goes away. One pipeline sees what those before it would have published.
///
/// # Errors
/// [`Failure`] when something else than a lake is there, or there is no place for the writes.
pub async fn try_out(trial: TryOut, pipelines: &[String]) -> Result<Vec<RunResult>, Failure> {
    let scratch = TempDir::with_prefix("sectorlake-plan-").map_err(|error| {
        let folder = std::env::temp_dir();
        let message = format!("cannot make a folder in {}: {error}", folder.display());
        Failure::new(FailureKind::Storage, message)
            .help("a plan keeps what it fetches there; set TMPDIR")
    })?;
    let lake = Lake::dry(&trial.lake, scratch.path(), trial.env.clone()).await?;
    let context = RunContext {
        trial: Some(trial.options),
        // One worker takes records in their order, so that the first are those that are shown.
        partitions: 1,
        ..RunContext::new(
            trial.project,
            trial.registry,
            lake,
            trial.env,
            trial.http,
            trial.environment,
        )
    };
    Ok(run(&context, pipelines, &Silent).await)
}

impl Trial {
    pub(crate) fn table(&mut self, table: &TableName) -> Option<&mut TrialTable> {
        self.tables.iter_mut().find(|known| known.table == *table)
    }
}

impl TrialTable {
    /// Masks what may tell something of a person: personal fields, and every column of the source but those that are known to feed
    /// other fields alone.
    pub(crate) fn mask(&mut self, masks: &Masks) {
        for source in &mut self.sources {
            let is_open = |column: &TrialColumn| {
                let feeds = &column.feeds;
                !feeds.is_empty() && !feeds.iter().any(|field| masks.has(field))
            };
            let columns = source.columns.iter();
            let open: Vec<String> = columns
                .filter(|it| is_open(it))
                .map(|it| it.name.clone())
                .chain(["_row".to_owned()])
                .collect();
            let is_masked = |name: &str| !open.iter().any(|it| it == name);
            source.before = source
                .before
                .as_ref()
                .map(|before| masks::columns(before, is_masked));
            for column in &mut source.columns {
                if is_masked(&column.name) && column.mixture.is_some() {
                    column.mixture = Some("values of several kinds".to_owned());
                }
            }
        }
        self.after = self.after.as_ref().map(|after| masks.batch(after));
    }

    /// Counts a broken rule, and keeps the first samples.
    pub(crate) fn reject(
        &mut self,
        (field, rule, is_soft): (Option<&str>, &str, bool),
        samples_max: usize,
        sample: impl FnOnce() -> TrialSample,
    ) {
        let same = |known: &TrialRejection| {
            known.field.as_deref() == field && known.rule == rule && known.is_soft == is_soft
        };
        let known = match self.rejected.iter().position(same) {
            Some(index) => &mut self.rejected[index],
            None => {
                self.rejected.push(TrialRejection {
                    field: field.map(str::to_owned),
                    rule: rule.to_owned(),
                    is_soft,
                    count: 0,
                    samples: Vec::new(),
                });
                let last = self.rejected.len() - 1;
                &mut self.rejected[last]
            }
        };
        known.count += 1;
        if known.samples.len() < samples_max {
            known.samples.push(sample());
        }
    }
}
