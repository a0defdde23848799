//! Everything that can be wrong with a project, found without running it: nothing is written, and no source beyond this
//! machine is asked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use object_store::local::LocalFileSystem;
use sectorlake_connector::{
    Connector, ConnectorError, Environment, Fetched, Http, Io, Limits, Pace, PartBody, Registry,
    Slice, Tape,
};
use sectorlake_formats::{FormatError, PartBytes, ReadOptions};
use sectorlake_normalise::{Normaliser, mapping_session};

use crate::freshness;
use crate::members::{self, OpenError};
use crate::pipeline::Pipeline;
use crate::plan::{Feed, TablePlan, plan};
use crate::problem::Problem;
use crate::project::Project;

/// Checks every pipeline: streams, columns of local files, mappings and contracts. What [`Project::load`] told already is not
/// told again.
pub async fn validate(project: &Project, registry: &Registry) -> Vec<Problem> {
    let mut problems = Vec::new();
    for pipeline in project.pipelines() {
        problems.extend(pipeline.plain_secrets(registry));
        problems.extend(check(project, registry, pipeline).await);
    }
    problems
}

async fn check(project: &Project, registry: &Registry, pipeline: &Pipeline) -> Vec<Problem> {
    let environment: Environment = Arc::new(|_| Some("unset".to_owned()));
    let (connector, io) = match pipeline
        .connector(project.root(), registry, &environment)
        .and_then(|connector| Ok((connector, io(pipeline)?)))
    {
        Ok(made) => made,
        Err(problem) => return vec![problem],
    };
    let streams = match connector.streams(&io).await {
        Ok(streams) => streams,
        Err(error) if pipeline.is_local() => return vec![of_source(pipeline, &error)],
        // Only the source could tell, and it is not asked.
        Err(_) => return mappings(pipeline),
    };
    let plans = match plan(pipeline, project.contracts(), &streams) {
        Ok(plans) => plans,
        Err(problems) => return problems,
    };
    let checker = Checker {
        project,
        pipeline,
        connector: connector.as_ref(),
        io: &io,
    };
    let mut problems = Vec::from_iter(freshness::stale_after_nothing(pipeline, &plans));
    for (table, feed) in plans
        .iter()
        .flat_map(|table| table.feeds.iter().map(move |feed| (table, feed)))
    {
        if let Err(problem) = checker.feed(table, feed).await
            && !problems.contains(&problem)
        {
            problems.push(problem);
        }
    }
    problems
}

/// What can be said of the mappings where not even the streams are known.
fn mappings(pipeline: &Pipeline) -> Vec<Problem> {
    let tables = pipeline.file.tables.iter().flatten();
    let written = tables.filter_map(|(name, table)| Some((name, table.as_ref()?.map.as_ref()?)));
    let wrong = written.filter_map(|(name, sql)| {
        let error = sectorlake_normalise::check_syntax(sql).err()?;
        Some(pipeline.problem_in_map(name, &error))
    });
    wrong.collect()
}

struct Checker<'a> {
    project: &'a Project,
    pipeline: &'a Pipeline,
    connector: &'a dyn Connector,
    io: &'a Io,
}

impl Checker<'_> {
    async fn feed(&self, table: &TablePlan, feed: &Feed) -> Result<(), Problem> {
        if !self.pipeline.is_local() {
            return self.syntax(table, feed);
        }
        let Some((part, schema)) = self.first_part(feed).await? else {
            return Ok(());
        };
        let session = mapping_session().map_err(|error| {
            self.pipeline
                .problem_at_key(&["source"], error.strip_backtrace())
        })?;
        let spec = feed.spec(&table.contract, &part.key, &part.name);
        let name = table.contract.name.to_string();
        Normaliser::compile(&spec, &schema, &session)
            .await
            .map(drop)
            .map_err(|error| feed.problem(self.pipeline, &name, &error))
    }

    /// The first file that the stream reads, and its columns; `None` where it may be missing.
    async fn first_part(&self, feed: &Feed) -> Result<Option<(PartBody, SchemaRef)>, Problem> {
        let (mut cursor, mut others) = (None, Vec::new());
        loop {
            let fetched = self
                .connector
                .fetch(Slice::whole(&feed.stream.unit), cursor.as_ref(), self.io)
                .await
                .map_err(|error| of_source(self.pipeline, &error))?;
            let Some(Fetched { part, next, .. }) = fetched else {
                break;
            };
            if let Some(part) = part {
                if let Some(schema) = self.columns(feed, &part.key, &part.name).await? {
                    return Ok(Some((part, schema)));
                }
                others.push(part.name);
            }
            // Only where `from:` picks one of several files may the stream begin with a later one.
            if next.is_none() || next == cursor || !feed.must_be_found() {
                break;
            }
            cursor = next;
        }
        if !feed.must_be_found() || others.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = others.iter().map(String::as_str).collect();
        Err(self.of_open(members::nothing_matches(&feed.stream.name, &names)))
    }

    fn of_open(&self, error: OpenError) -> Problem {
        match error {
            OpenError::Format(error) => self.of_format(&error),
            OpenError::NoMember { message, help } => {
                self.pipeline.problem_at_address(message).help(help)
            }
        }
    }

    /// The columns of a local file; `None` where the stream has none there and may.
    async fn columns(
        &self,
        feed: &Feed,
        key: &str,
        name: &str,
    ) -> Result<Option<SchemaRef>, Problem> {
        let path = self.project.root().join(key);
        let Some(part) = local(&path, name) else {
            return Ok(None);
        };
        let options = ReadOptions {
            partitions: 1,
            ..ReadOptions::default()
        };
        match members::open_all(&part, &feed.stream, feed.format.as_ref(), &options).await {
            Ok(mut opened) => Ok(opened
                .next()
                .await
                .map_err(|error| self.of_format(&error))?
                .map(|member| member.part.schema())),
            Err(error) => Err(self.of_open(error)),
        }
    }

    fn of_format(&self, error: &FormatError) -> Problem {
        self.pipeline
            .problem_at_address(error.to_string())
            .maybe_help(error.help())
    }

    /// What can be said of a mapping whose columns are not known.
    fn syntax(&self, table: &TablePlan, feed: &Feed) -> Result<(), Problem> {
        let Some(sql) = &feed.sql else { return Ok(()) };
        let name = table.contract.name.to_string();
        sectorlake_normalise::check_syntax(sql)
            .map_err(|error| feed.problem(self.pipeline, &name, &error))
    }
}

fn local(path: &Path, name: &str) -> Option<PartBytes> {
    let path = path.canonicalize().ok()?;
    let size = path.metadata().ok()?.len();
    let location = object_store::path::Path::from_absolute_path(&path).ok()?;
    Some(PartBytes {
        store: Arc::new(LocalFileSystem::new()),
        path: location,
        size,
        name: name.to_owned(),
    })
}

/// A source that is not there, placed where the file names it, or the setting that is to blame.
pub(crate) fn of_source(pipeline: &Pipeline, error: &ConnectorError) -> Problem {
    let problem = match &error.setting {
        Some(keys) => {
            let keys = keys.iter().map(String::as_str);
            let path: Vec<&str> = std::iter::once("source").chain(keys).collect();
            pipeline.problem_at_key(&path, error.to_string())
        }
        None => pipeline.problem_at_address(error.to_string()),
    };
    problem.maybe_help(error.help.clone())
}

/// What is given to connectors here: a client that refuses whatever it is asked, so that no request leaves this machine.
fn io(pipeline: &Pipeline) -> Result<Io, Problem> {
    let pace = Arc::new(StandStill);
    let http = Http::over(Tape::Nowhere, Limits::default(), pace, &|_| None)
        .map_err(|error| of_source(pipeline, &error))?;
    Ok(Io::new(http, DateTime::UNIX_EPOCH))
}

/// Checking needs no time.
struct StandStill;

#[async_trait]
impl Pace for StandStill {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    async fn sleep(&self, _: Duration) {}

    fn jitter(&self) -> f64 {
        0.0
    }
}
